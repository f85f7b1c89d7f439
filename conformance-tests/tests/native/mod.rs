//! A runtime whose tasks are not carried.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use anyio_core::{Backend, BlockOn, Blocking, Checkpoint, Clock, Job, Run, Settle, Spawn, StartError, Task, Timer};

/// The recipe for it: that of another one.
pub(crate) struct Native<R>(pub(crate) R);

impl<R: Run> Run for Native<R> {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        let started = Box::new(self.0).start()?;
        let backend = Arc::new(NativeHandle(started.backend()));
        Ok(Box::new(Started { started, backend }))
    }
}

struct Started {
    started: Box<dyn BlockOn>,
    backend: Arc<NativeHandle>,
}

impl BlockOn for Started {
    fn backend(&self) -> Arc<dyn Backend> {
        self.backend.clone()
    }

    fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        self.started.block_on(future);
    }

    fn shut_down_beside_jobs(self: Box<Self>) {
        self.started.shut_down_beside_jobs();
    }
}

struct NativeHandle(Arc<dyn Backend>);

impl Spawn for NativeHandle {
    fn spawn(&self, task: Task) {
        self.0.spawn(task);
    }
}

impl Checkpoint for NativeHandle {
    fn checkpoint(&self, waker: &Waker) {
        self.0.checkpoint(waker);
    }
}

impl Clock for NativeHandle {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        self.0.timer(deadline)
    }

    fn is_virtual(&self) -> bool {
        self.0.is_virtual()
    }
}

impl Blocking for NativeHandle {
    fn spawn_blocking(&self, job: Job) {
        self.0.spawn_blocking(job);
    }
}

impl Backend for NativeHandle {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn settle(&self) -> Option<&dyn Settle> {
        self.0.settle()
    }
}
