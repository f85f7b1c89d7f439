//! Blocking work that is its caller's alone, and no group's.

use super::info::TaskInfo;
use super::protect::{self, Running};
use super::record::{InNode, TaskNode, task_node};
use super::spawned::{Completion, Owner, Work};
use crate::runtime::Runtime;
use crate::tree::{Link, Tenure, erase};

/// Starts a job that counts at `caller`, which lets go of what is around when the job is gone.
pub(crate) fn held<T: Send + 'static>(
    caller: &Link,
    runtime: &Runtime,
    info: TaskInfo,
    work: impl FnOnce() -> T + Send + 'static,
) -> Running<T> {
    let node = task_node(Tenure::Ordinary, info);
    node.release_when_gone(caller);
    let job = erase(&node);
    if caller.adopt(&job, runtime).is_err() {
        // The future is polled after what is around it has ended.
        runtime.root().adopt(&job, runtime).expect("the root never closes");
    }
    start(&node, runtime, job, work)
}

/// Starts a job that counts at the root, where no scope and no run waits for it.
pub(crate) fn abandonable<T: Send + 'static>(
    caller: &Link,
    runtime: &Runtime,
    info: TaskInfo,
    work: impl FnOnce() -> T + Send + 'static,
) -> Running<T> {
    let node = task_node(Tenure::Ordinary, info);
    runtime.root().adopt(&erase(&node), runtime).expect("the root never closes");
    start(&node, runtime, caller.clone(), work)
}

fn start<T: Send + 'static>(
    node: &TaskNode<T>,
    runtime: &Runtime,
    host: Link,
    work: impl FnOnce() -> T + Send + 'static,
) -> Running<T> {
    let (running, sink) = protect::watch(node, runtime, None);
    let completion = Completion::new(sink, Owner::Backend);
    let work = Work::new(move || Ok(work()), InNode, completion, erase(node), host);
    runtime.backend().spawn_blocking(Box::new(move || work.run()));
    running
}
