//! Backends that are broken on purpose: tokio's, each with one fault.

pub(crate) mod blocking;
pub(crate) mod entering;
pub(crate) mod spawning;
pub(crate) mod timing;
pub(crate) mod waking;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use anyio::Tokio;
use anyio_conformance::Recipe;
use anyio_core::{Backend, BlockOn, Blocking, Checkpoint, Clock, Job, Run, Spawn, StartError, Task, Timer};

/// The good backend that a fault is added to.
pub(crate) type Good = Arc<dyn Backend>;

/// What a backend does wrong. Whatever is not written anew is done as the good backend does it.
pub(crate) trait Fault: Send + Sync + 'static {
    /// [`Spawn::spawn`].
    fn spawn(&self, good: &Good, task: Task) {
        good.spawn(task);
    }

    /// [`Checkpoint::checkpoint`].
    fn checkpoint(&self, good: &Good, waker: &Waker) {
        good.checkpoint(waker);
    }

    /// [`Clock::now`].
    fn now(&self, good: &Good) -> Instant {
        good.now()
    }

    /// [`Clock::timer`].
    fn timer(&self, good: &Good, deadline: Instant) -> Pin<Box<dyn Timer>> {
        good.timer(deadline)
    }

    /// [`Blocking::spawn_blocking`].
    fn spawn_blocking(&self, good: &Good, job: Job) {
        good.spawn_blocking(job);
    }

    /// [`BlockOn::block_on`].
    fn block_on(&self, good: &dyn BlockOn, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        good.block_on(future);
    }

    /// The end of the runtime.
    fn shut_down(&self, good: Box<dyn BlockOn>) {
        drop(good);
    }
}

/// No fault at all: shows that it is not the wrapping that is caught.
pub(crate) struct Faultless;

impl Fault for Faultless {}

/// The form of tokio that a fault is added to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum On {
    /// Everything happens on one thread.
    OneThread,
    /// Tasks run on two threads, apart from the main future.
    TwoThreads,
}

impl On {
    fn tokio(self) -> Tokio {
        match self {
            On::OneThread => Tokio::current_thread(),
            On::TwoThreads => Tokio::multi_thread().worker_threads(2),
        }
    }
}

/// A recipe for runtimes with a fault; each run gets a fault of its own.
pub(crate) fn recipe<F: Fault>(on: On, fault: impl Fn() -> F + Send + Sync + 'static) -> Recipe {
    Arc::new(move || Box::new(Broken { good: on.tokio(), fault: Arc::new(fault()) }))
}

/// A recipe with a fault in it.
struct Broken<F> {
    good: Tokio,
    fault: Arc<F>,
}

impl<F: Fault> Run for Broken<F> {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        let good = Box::new(self.good).start()?;
        let backend = Arc::new(BrokenBackend { good: good.backend(), fault: self.fault.clone() });
        Ok(Box::new(Started { good: Some(good), backend, fault: self.fault }))
    }
}

/// A runtime with a fault in it.
struct Started<F: Fault> {
    /// `None` only while it is dropped.
    good: Option<Box<dyn BlockOn>>,
    backend: Arc<BrokenBackend<F>>,
    fault: Arc<F>,
}

impl<F: Fault> BlockOn for Started<F> {
    fn backend(&self) -> Arc<dyn Backend> {
        self.backend.clone()
    }

    fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        if let Some(good) = &self.good {
            self.fault.block_on(&**good, future);
        }
    }
}

impl<F: Fault> Drop for Started<F> {
    fn drop(&mut self) {
        if let Some(good) = self.good.take() {
            self.fault.shut_down(good);
        }
    }
}

/// The handle to a runtime with a fault in it.
struct BrokenBackend<F> {
    good: Good,
    fault: Arc<F>,
}

impl<F: Fault> Spawn for BrokenBackend<F> {
    fn spawn(&self, task: Task) {
        self.fault.spawn(&self.good, task);
    }
}

impl<F: Fault> Checkpoint for BrokenBackend<F> {
    fn checkpoint(&self, waker: &Waker) {
        self.fault.checkpoint(&self.good, waker);
    }
}

impl<F: Fault> Clock for BrokenBackend<F> {
    fn now(&self) -> Instant {
        self.fault.now(&self.good)
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        self.fault.timer(&self.good, deadline)
    }
}

impl<F: Fault> Blocking for BrokenBackend<F> {
    fn spawn_blocking(&self, job: Job) {
        self.fault.spawn_blocking(&self.good, job);
    }
}

impl<F: Fault> Backend for BrokenBackend<F> {
    fn name(&self) -> &'static str {
        "broken"
    }
}
