//! What is known of a task: who it is, and what became of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::error::TaskError;
use super::handle::TaskStatus;
use super::info::{TaskId, TaskInfo};
use super::start;
use crate::tree::{Ext, Link, Node, Role, Tenure, erase, wake};

/// A task, as whoever polls it sees it.
pub(crate) trait Record<T> {
    fn link(&self) -> Link;

    fn info(&self) -> &TaskInfo;

    /// Hands the outcome to the handle, or back if there is none.
    fn deliver(&self, result: Result<T, TaskError>) -> Option<Result<T, TaskError>>;

    /// The task is over: its future is destroyed and its outcome is where it belongs.
    fn retire(&self);
}

/// What became of a task.
pub(crate) struct Outcome<T>(Mutex<Slot<T>>);

struct Slot<T> {
    status: TaskStatus,
    /// The outcome, from the end of the task until the handle takes it.
    result: Option<Result<T, TaskError>>,
    /// Whoever awaits the handle.
    waker: Option<Waker>,
    /// Whether the handle is gone.
    detached: bool,
}

impl<T> Outcome<T> {
    pub(crate) fn new() -> Self {
        Outcome(Mutex::new(Slot { status: TaskStatus::Running, result: None, waker: None, detached: false }))
    }

    pub(crate) fn status(&self) -> TaskStatus {
        self.0.lock().status
    }

    pub(crate) fn deliver(&self, result: Result<T, TaskError>) -> Option<Result<T, TaskError>> {
        let mut slot = self.0.lock();
        slot.status = match &result {
            Ok(_) => TaskStatus::Completed,
            Err(TaskError::Failed) => TaskStatus::Failed,
            Err(TaskError::Panicked) => TaskStatus::Panicked,
            Err(TaskError::Closed) => TaskStatus::Closed,
            Err(_) => TaskStatus::Cancelled,
        };
        let waker = slot.waker.take();
        let unwanted = if slot.detached {
            Some(result)
        } else {
            slot.result = Some(result);
            None
        };
        drop(slot);
        wake(waker);
        unwanted
    }

    /// Whether there is a result that tells why there is no value.
    pub(crate) fn has_no_value(&self) -> bool {
        matches!(self.0.lock().result, Some(Err(_)))
    }

    /// Takes the outcome, or sees to being woken when there is one.
    ///
    /// # Panics
    ///
    /// If it was taken before.
    pub(crate) fn poll_take(&self, cx: &Context<'_>) -> Poll<Result<T, TaskError>> {
        let mut slot = self.0.lock();
        if let Some(result) = slot.result.take() {
            return Poll::Ready(result);
        }
        assert!(slot.status == TaskStatus::Running, "a task handle was polled after it had completed");
        let old = slot.waker.replace(cx.waker().clone());
        drop(slot);
        drop(old);
        Poll::Pending
    }

    /// Waits until the task has ended, and leaves the outcome where it is.
    pub(crate) fn poll_ended(&self, cx: &Context<'_>) -> Poll<()> {
        let mut slot = self.0.lock();
        if slot.status != TaskStatus::Running {
            return Poll::Ready(());
        }
        let old = slot.waker.replace(cx.waker().clone());
        drop(slot);
        drop(old);
        Poll::Pending
    }

    /// The handle is gone.
    pub(crate) fn detach(&self) {
        let mut slot = self.0.lock();
        slot.detached = true;
        let unwanted = (slot.result.take(), slot.waker.take());
        drop(slot);
        drop(unwanted);
    }
}

/// What the node of a task carries.
pub(crate) struct TaskCell<O> {
    info: TaskInfo,
    /// The outcome, where it may live in the node.
    pub(super) outcome: O,
    /// Whether the task has ended. Before that, what has emptied is something below it. Stored with Release before that
    /// is looked at; loaded with Acquire.
    over: AtomicBool,
    /// The caller of `start` that is held until the task is gone.
    caller: OnceLock<Weak<Node>>,
}

impl<O: Send + Sync> Ext for TaskCell<O> {
    fn task(&self) -> Option<TaskId> {
        Some(self.info.id())
    }

    fn emptied(&self) {
        if self.over.load(Ordering::Acquire)
            && let Some(caller) = self.caller.get().and_then(Weak::upgrade)
        {
            start::release(&caller);
        }
    }
}

impl<O> TaskCell<O> {
    pub(crate) fn new(info: TaskInfo, outcome: O) -> Self {
        TaskCell { info, outcome, over: AtomicBool::new(false), caller: OnceLock::new() }
    }

    pub(crate) fn info(&self) -> &TaskInfo {
        &self.info
    }

    /// Has the task let go of the `caller` of `start` when it is gone, with all below it.
    pub(crate) fn release_when_gone(&self, caller: &Link) {
        let fresh = self.caller.set(Arc::downgrade(caller)).is_ok();
        debug_assert!(fresh, "a task is started once");
    }
}

/// The node of a task that the backend polls.
pub(crate) type TaskNode<T> = Arc<Node<TaskCell<Outcome<T>>>>;

/// A new node for such a task.
pub(crate) fn task_node<T: Send + 'static>(tenure: Tenure, info: TaskInfo) -> TaskNode<T> {
    Node::task(tenure, TaskCell::new(info, Outcome::new()))
}

impl<T: Send + 'static> Record<T> for TaskNode<T> {
    fn link(&self) -> Link {
        erase(self)
    }

    fn info(&self) -> &TaskInfo {
        self.ext.info()
    }

    fn deliver(&self, result: Result<T, TaskError>) -> Option<Result<T, TaskError>> {
        self.ext.outcome.deliver(result)
    }

    fn retire(&self) {
        self.ext.over.store(true, Ordering::Release);
        erase(self).retire();
    }
}

/// A task that is polled by its group. Its outcome, which may borrow, lives apart from its node, which may not.
pub(crate) struct BranchRecord<T> {
    pub(super) node: Arc<Node<TaskCell<()>>>,
    pub(super) outcome: Arc<Outcome<T>>,
}

impl<T> BranchRecord<T> {
    pub(crate) fn new(info: TaskInfo) -> Self {
        let node = Node::new(Role::Branch, TaskCell::new(info, ()));
        BranchRecord { node, outcome: Arc::new(Outcome::new()) }
    }
}

impl<T> Clone for BranchRecord<T> {
    fn clone(&self) -> Self {
        BranchRecord { node: self.node.clone(), outcome: self.outcome.clone() }
    }
}

impl<T> Record<T> for BranchRecord<T> {
    fn link(&self) -> Link {
        erase(&self.node)
    }

    fn info(&self) -> &TaskInfo {
        self.node.ext.info()
    }

    fn deliver(&self, result: Result<T, TaskError>) -> Option<Result<T, TaskError>> {
        self.outcome.deliver(result)
    }

    /// It was never counted. What it has left below is; the node closes when that is gone.
    fn retire(&self) {
        let link = self.link();
        self.node.ext.over.store(true, Ordering::Release);
        link.finish();
        link.wake_up();
        if link.is_empty() {
            link.ext.emptied();
        }
    }
}
