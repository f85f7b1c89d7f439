//! [`Job`]: blocking work that belongs to one caller, and to no group.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::error::{Ending, TaskError};
use super::handle::{TaskCell, TaskHandle};
use super::info::TaskInfo;
use super::spawned::{Completion, Owner, Settle, Work};
use crate::runtime::Runtime;
use crate::tree::{Link, Node, Role, erase};
use crate::unhandled::Unhandled;

/// Dropping it lets the job go on by itself.
pub(crate) struct Job<T> {
    handle: TaskHandle<T>,
}

impl<T: Send + 'static> Job<T> {
    /// Starts a job that counts at `caller`, which lets go of what is around when the job is gone.
    pub(crate) fn held(
        caller: &Link,
        runtime: &Runtime,
        info: TaskInfo,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Self {
        let node = Node::new(Role::Task, TaskCell::new(info));
        node.ext.release_when_gone(caller);
        let job = erase(&node);
        if caller.adopt(&job, runtime).is_err() {
            runtime.root().adopt(&job, runtime).expect("the root never closes");
        }
        Self::start(node, runtime, job, work)
    }

    /// Starts a job that counts at the root, where no scope and no run waits for it.
    pub(crate) fn abandonable(
        caller: &Link,
        runtime: &Runtime,
        info: TaskInfo,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Self {
        let node = Node::new(Role::Task, TaskCell::new(info));
        runtime.root().adopt(&erase(&node), runtime).expect("the root never closes");
        Self::start(node, runtime, caller.clone(), work)
    }

    fn start(
        node: Arc<Node<TaskCell<T>>>,
        runtime: &Runtime,
        host: Link,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Self {
        let completion = Completion::new(node.clone(), ToHook(runtime.clone()), Owner::Backend);
        let work = Work::new(move || Ok(work()), completion, host);
        runtime.backend().spawn_blocking(Box::new(move || work.run()));
        Job { handle: TaskHandle::new(node) }
    }

    /// Waits for the job; the error says that the runtime has dropped it.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, TaskError>> {
        Pin::new(&mut self.handle).poll(cx)
    }

    pub(crate) fn info(&self) -> &TaskInfo {
        self.handle.info()
    }
}

/// What the destructors of a job that never ran have to say.
struct ToHook(Runtime);

impl Settle<Infallible> for ToHook {
    fn settle(&self, task: &TaskInfo, ending: Ending<Infallible>) {
        if let Ending::Panicked(payload) = ending {
            self.0.report(Unhandled::panicked(Some(task.clone()), payload));
        }
    }
}
