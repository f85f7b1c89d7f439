//! The sum of the contract, [`Backend`], and apart from it the ability to enter a runtime, [`Run`] and [`BlockOn`].

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::{Blocking, Checkpoint, Clock, Spawn};

/// A runtime, seen through the contract: everything anyio needs to *use* it.
///
/// A backend is a handle to a runtime that exists (or that comes into being at the first use, for runtimes with one
/// global executor). It is shared behind an `Arc`, for as long as any task, scope or handle of it lives. It should not
/// keep the runtime's threads running by itself.
pub trait Backend: Spawn + Checkpoint + Clock + Blocking + Send + Sync + 'static {
    /// A short name for messages and reports, such as `"tokio"`.
    fn name(&self) -> &'static str;

    /// The ability to tell when all tasks wait, for a runtime that has it. The default is `None`.
    fn settle(&self) -> Option<&dyn Settle> {
        None
    }
}

/// The optional ability of a runtime to tell when all of its tasks wait.
pub trait Settle {
    /// `Ready` once no task of the runtime could go on after the first poll with this `ticket`, which is `None` then and
    /// belongs to the runtime from there on. The clock has not moved meanwhile. Whoever waits here counts as waiting.
    fn poll_settled(&self, ticket: &mut Option<u64>, cx: &mut Context<'_>) -> Poll<()>;
}

/// A recipe for a runtime: what `anyio::run` takes.
///
/// *Entering* a runtime is an ability apart from *using* one: a handle into somebody else's runtime can spawn and tell
/// the time, but cannot block the current thread until a future is done.
///
/// **Implementors must** build the runtime on the calling thread and return a clear error where it cannot be built.
///
/// **Callers must** start one runtime per call; the recipe is consumed.
pub trait Run {
    /// Builds the runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`], when the runtime cannot be built: no threads to be had, no I/O driver, or the like.
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError>;
}

impl Run for Box<dyn Run> {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        (*self).start()
    }
}

/// A runtime that was started by [`Run::start`]. Dropping it shuts the runtime down.
///
/// **Implementors must** see to it that a drop of this value ends in a drop of every task that the runtime still has:
/// at once, or, for a runtime that is never shut down, never. A task that is still running is never leaked. Where the
/// runtime belongs to somebody else and goes on, that concerns the tasks spawned through this value's backend.
pub trait BlockOn {
    /// The handle through which this runtime is used.
    fn backend(&self) -> Arc<dyn Backend>;

    /// Polls `future` on the current thread until it is ready, running the runtime's tasks and timers meanwhile.
    ///
    /// # Panics
    ///
    /// May panic, before the first poll, on a thread where the runtime cannot be entered: typically inside another
    /// `block_on` of it.
    fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>);

    /// Shuts the runtime down without waiting for blocking jobs that still run.
    ///
    /// **Callers** use it in place of a plain drop where jobs were abandoned, which may never end. **Implementors** whose
    /// drop waits for such jobs have to write it anew; the default is a plain drop.
    fn shut_down_beside_jobs(self: Box<Self>) {
        drop(self);
    }
}

/// A runtime could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the {backend} runtime cannot be started")]
pub struct StartError {
    backend: &'static str,
    source: Box<dyn Error + Send + Sync>,
}

impl StartError {
    /// An error of the backend named `backend`, caused by `source`.
    pub fn new(backend: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        StartError { backend, source: source.into() }
    }

    /// The backend that could not be started.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.backend
    }
}

impl fmt::Debug for dyn Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backend").field(&self.name()).finish()
    }
}

impl fmt::Debug for dyn Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Run(..)")
    }
}

impl fmt::Debug for dyn BlockOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlockOn").field(&self.backend().name()).finish()
    }
}
