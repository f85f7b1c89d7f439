//! The handle through which anyio uses async-std's runtime.

use std::pin::Pin;
use std::task::Waker;
use std::time::Instant;

use async_std::task;

use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Sharing, Spawn, Task, Timer};

use crate::timer::AsyncStdTimer;

/// The runtime of async-std, seen through the contract.
///
/// # Examples
///
/// ```
/// use anyio_backend_async_std::AsyncStdHandle;
/// use anyio_core::{Spawn, Task};
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// AsyncStdHandle::global().spawn(Task::new(async move { sender.send("done").unwrap() }));
/// assert_eq!(receiver.recv(), Ok("done"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct AsyncStdHandle {
    /// Leaves room for runtimes that are not global.
    _private: (),
}

impl AsyncStdHandle {
    /// The runtime behind [`async_std::task::spawn`], which starts at its first use and never ends.
    #[must_use]
    pub fn global() -> Self {
        AsyncStdHandle { _private: () }
    }

    /// The runtime of async-std, if the current code runs in a task of it or in its `block_on`.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyio_backend_async_std::AsyncStdHandle;
    ///
    /// assert!(AsyncStdHandle::current().is_none());
    /// async_std::task::block_on(async {
    ///     assert!(AsyncStdHandle::current().is_some());
    /// });
    /// ```
    #[must_use]
    pub fn current() -> Option<Self> {
        task::try_current().map(|_| Self::global())
    }
}

impl Spawn for AsyncStdHandle {
    fn spawn(&self, task: Task) {
        drop(task::spawn(task));
    }

    fn sharing(&self) -> Sharing {
        Sharing::ManyThreads
    }
}

impl Checkpoint for AsyncStdHandle {
    fn checkpoint(&self, waker: &Waker) {
        waker.wake_by_ref();
    }
}

impl Clock for AsyncStdHandle {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn is_always_real(&self) -> bool {
        true
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(AsyncStdTimer::new(deadline))
    }
}

impl Blocking for AsyncStdHandle {
    fn spawn_blocking(&self, job: Job) {
        drop(task::spawn_blocking(job));
    }
}

impl Backend for AsyncStdHandle {
    fn name(&self) -> &'static str {
        "async-std"
    }
}
