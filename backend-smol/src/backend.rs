//! The handle through which anyio uses a smol executor.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use async_executor::Executor;

use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Sharing, Spawn, Task, Timer};

use crate::owned::Owned;
use crate::timer::SmolTimer;

/// A smol executor that exists already, seen through the contract.
///
/// A handle does not keep an executor alive. Once the executor was dropped, tasks that are passed to the handle are
/// dropped inside the call; timers and blocking jobs do not depend on it.
///
/// # Examples
///
/// ```
/// use anyio_backend_smol::SmolHandle;
/// use anyio_core::{Spawn, Task};
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// SmolHandle::global().spawn(Task::new(async move { sender.send("done").unwrap() }));
/// assert_eq!(receiver.recv(), Ok("done"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SmolHandle {
    /// The executor in use; the global one if `None`.
    owned: Option<Arc<Owned>>,
}

impl SmolHandle {
    /// The executor behind [`smol::spawn`], which starts at its first use and never ends.
    #[must_use]
    pub fn global() -> Self {
        SmolHandle { owned: None }
    }

    /// An executor that the application drives by [`Executor::run`] and drops when it likes.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use anyio_backend_smol::SmolHandle;
    /// use anyio_core::{Spawn, Task};
    /// use async_executor::Executor;
    ///
    /// let executor = Arc::new(Executor::new());
    /// let (sender, receiver) = smol::channel::bounded(1);
    /// SmolHandle::with_executor(&executor).spawn(Task::new(async move { sender.send("done").await.unwrap() }));
    /// assert_eq!(smol::block_on(executor.run(receiver.recv())), Ok("done"));
    /// ```
    #[must_use]
    pub fn with_executor(executor: &Arc<Executor<'static>>) -> Self {
        SmolHandle { owned: Some(Arc::new(Owned::new(executor))) }
    }

    /// Drops the tasks that were spawned through this handle and live, at once or later, and all that follow.
    pub(crate) fn shut_down(&self) {
        if let Some(owned) = &self.owned {
            owned.shut_down();
        }
    }
}

impl Spawn for SmolHandle {
    fn spawn(&self, task: Task) {
        match &self.owned {
            None => smol::spawn(task).detach(),
            Some(owned) => owned.spawn(task),
        }
    }

    fn sharing(&self) -> Sharing {
        Sharing::ManyThreads
    }
}

impl Checkpoint for SmolHandle {
    fn checkpoint(&self, waker: &Waker) {
        waker.wake_by_ref();
    }
}

impl Clock for SmolHandle {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn is_always_real(&self) -> bool {
        true
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(SmolTimer::new(deadline))
    }
}

impl Blocking for SmolHandle {
    fn spawn_blocking(&self, job: Job) {
        blocking::unblock(job).detach();
    }
}

impl Backend for SmolHandle {
    fn name(&self) -> &'static str {
        "smol"
    }
}
