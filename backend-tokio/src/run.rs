//! The recipe for a tokio runtime of one's own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime};

use anyio_core::{Backend, BlockOn, Run, StartError};

use crate::backend::TokioHandle;

/// A recipe for a tokio runtime, with timers and I/O: what `anyio::run` takes.
///
/// The default is [`multi_thread`](Tokio::multi_thread).
///
/// The runtime shuts down when the value made by [`Run::start`] is dropped: tasks that are left are dropped, blocking
/// jobs that did not start yet are dropped, and those that run are waited for. In an asynchronous context, where tokio
/// forbids waiting, the drop does not wait for them.
///
/// # Examples
///
/// ```
/// use std::pin::pin;
///
/// use anyio_backend_tokio::Tokio;
/// use anyio_core::Run;
///
/// let runtime = Box::new(Tokio::multi_thread().worker_threads(2)).start()?;
/// runtime.block_on(pin!(async {
///     tokio::spawn(async {}).await.unwrap();
/// }));
/// # Ok::<(), anyio_core::StartError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a recipe does nothing until it is started"]
pub struct Tokio {
    /// The kind of runtime to build.
    flavor: Flavor,
}

/// The kinds of runtime that tokio has.
#[derive(Clone, Debug)]
enum Flavor {
    /// Everything happens on the thread in `block_on`.
    CurrentThread,
    /// Tasks run on as many threads; on as many as there are cores if `None`.
    MultiThread(Option<usize>),
}

impl Tokio {
    /// A runtime that runs its tasks in parallel, on a thread per core.
    pub fn multi_thread() -> Self {
        Tokio { flavor: Flavor::MultiThread(None) }
    }

    /// A runtime that runs everything on the thread that starts it, and only while that thread is in `block_on`.
    pub fn current_thread() -> Self {
        Tokio { flavor: Flavor::CurrentThread }
    }

    /// Makes it a [`multi_thread`](Tokio::multi_thread) runtime with `n` threads for tasks.
    ///
    /// # Panics
    ///
    /// When `n` is zero.
    pub fn worker_threads(self, n: usize) -> Self {
        assert!(n > 0, "a tokio runtime needs at least one worker thread");
        Tokio { flavor: Flavor::MultiThread(Some(n)) }
    }
}

impl Default for Tokio {
    fn default() -> Self {
        Tokio::multi_thread()
    }
}

impl Run for Tokio {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        let mut builder = match self.flavor {
            Flavor::CurrentThread => Builder::new_current_thread(),
            Flavor::MultiThread(_) => Builder::new_multi_thread(),
        };
        if let Flavor::MultiThread(Some(n)) = self.flavor {
            builder.worker_threads(n);
        }
        let runtime = builder.enable_all().build();
        let runtime = runtime.map_err(|error| StartError::new("tokio", error))?;
        Ok(Box::new(Started {
            backend: Arc::new(TokioHandle::with_all_enabled(runtime.handle().clone())),
            runtime: Some(runtime),
        }))
    }
}

/// A runtime that was made by [`Tokio`].
struct Started {
    /// The handle to it.
    backend: Arc<TokioHandle>,
    /// The runtime; `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl BlockOn for Started {
    fn backend(&self) -> Arc<dyn Backend> {
        self.backend.clone()
    }

    fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        if let Some(runtime) = &self.runtime {
            runtime.block_on(future);
        }
    }

    fn shut_down_beside_jobs(mut self: Box<Self>) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

// A plain drop waits for the blocking jobs that run, as it should, but panics in an asynchronous context.
impl Drop for Started {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else {
            return;
        };
        match Handle::try_current() {
            Ok(_) => runtime.shutdown_background(),
            Err(_) => drop(runtime),
        }
    }
}
