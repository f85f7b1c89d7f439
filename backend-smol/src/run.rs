//! The recipe for running on smol.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_executor::Executor;

use anyio_core::{Backend, BlockOn, Run, StartError};

use crate::backend::SmolHandle;

/// A recipe for running on smol: what `anyio::run` takes.
///
/// The default is [`global`](Smol::global).
///
/// The value made by [`Run::start`] shuts an executor of one's own down when it is dropped: the tasks that were spawned
/// through its handle and are left are dropped. The global executor, the timers and the threads never end.
///
/// # Examples
///
/// ```
/// use std::pin::pin;
///
/// use anyio_backend_smol::Smol;
/// use anyio_core::Run;
///
/// let runtime = Box::new(Smol::global()).start()?;
/// runtime.block_on(pin!(async {
///     smol::spawn(async {}).await;
/// }));
/// # Ok::<(), anyio_core::StartError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a recipe does nothing until it is started"]
pub struct Smol {
    /// The kind of executor to run on.
    flavor: Flavor,
}

/// The kinds of executor that smol has.
#[derive(Clone, Debug)]
enum Flavor {
    /// The one behind `smol::spawn`.
    Global,
    /// A new one; everything happens on the thread in `block_on`.
    CurrentThread,
    /// One of the application's.
    Lent(Arc<Executor<'static>>),
}

impl Smol {
    /// smol's global executor, whose tasks run on threads of its own: on one, or on as many as the environment variable
    /// `SMOL_THREADS` says.
    pub fn global() -> Self {
        Smol { flavor: Flavor::Global }
    }

    /// A new executor that runs everything on the thread that starts it, and only while that thread is in `block_on`.
    pub fn current_thread() -> Self {
        Smol { flavor: Flavor::CurrentThread }
    }

    /// An executor of the application's.
    ///
    /// The thread in `block_on` drives it; so may others, by [`Executor::run`]. Shutting down spares the tasks that the
    /// application spawned there by itself. If it keeps the executor, it has to go on driving it, or to drop it, for
    /// the tasks that are shut down to be dropped.
    pub fn with_executor(executor: Arc<Executor<'static>>) -> Self {
        Smol { flavor: Flavor::Lent(executor) }
    }
}

impl Default for Smol {
    fn default() -> Self {
        Smol::global()
    }
}

impl Run for Smol {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        let executor = match self.flavor {
            Flavor::Global => None,
            Flavor::CurrentThread => Some(Arc::new(Executor::new())),
            Flavor::Lent(executor) => Some(executor),
        };
        let backend = executor.as_ref().map_or_else(SmolHandle::global, SmolHandle::with_executor);
        Ok(Box::new(Started { backend: Arc::new(backend), executor }))
    }
}

/// An executor that was started by [`Smol`].
struct Started {
    /// The handle to it.
    backend: Arc<SmolHandle>,
    /// The executor; the global one if `None`.
    executor: Option<Arc<Executor<'static>>>,
}

impl BlockOn for Started {
    fn backend(&self) -> Arc<dyn Backend> {
        self.backend.clone()
    }

    fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        match &self.executor {
            None => async_io::block_on(future),
            Some(executor) => async_io::block_on(executor.run(future)),
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.backend.shut_down();
    }
}
