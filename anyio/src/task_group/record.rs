//! What is known of a task: who it is, and what became of it.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use crate::lock::{Mutex, MutexGuard};
use once_cell::race::OnceBox;

use super::error::TaskError;
use super::handle::TaskStatus;
use super::info::{TaskId, TaskInfo};
use super::start;
use crate::tree::{Ext, Link, Node, Role, Tenure, wake};
use crate::unit::Unit;

/// A task, as whoever polls it sees it at its node.
pub(crate) trait Record<T> {
    fn info<'a>(&'a self, link: &'a Link) -> &'a TaskInfo;

    /// The future has ended, and is not to be woken any more.
    fn stop_waking(&self, unit: &Unit) {
        // Most tasks that end in their first poll have never had one to wake.
        if unit.is_registered() {
            unit.link().clear_waker();
        }
    }

    /// Whether there may be a handle to hand the outcome to.
    fn is_wanted(&self, _link: &Link) -> bool {
        true
    }

    /// Hands the outcome to the handle, or back if there is none.
    fn deliver(&self, link: &Link, result: Result<T, TaskError>) -> Option<Result<T, TaskError>>;

    /// The task is over: its future is destroyed and its outcome is where it belongs.
    fn retire(&self, link: &Link);
}

/// What became of a task.
///
/// What most tasks and handles need to know of each other stands in `fate`, so that neither locks anything if the handle
/// is dropped, unused, before the task ends.
pub(crate) struct Outcome<T> {
    /// The status, and the flags below. Whoever changes it does so with AcqRel, and looks at what it was.
    fate: AtomicU8,
    slot: Mutex<Slot<T>>,
}

/// The handle is gone.
const DETACHED: u8 = 1 << 7;
/// The handle is waiting, or was. Set under the lock.
const AWAITED: u8 = 1 << 6;

struct Slot<T> {
    /// The outcome, from the end of the task until the handle takes it.
    result: Option<Result<T, TaskError>>,
    /// Whoever awaits the handle.
    waker: Option<Waker>,
}

impl<T> Outcome<T> {
    pub(crate) fn new() -> Self {
        let fate = AtomicU8::new(TaskStatus::Running as u8);
        Outcome { fate, slot: Mutex::new(Slot { result: None, waker: None }) }
    }

    pub(crate) fn status(&self) -> TaskStatus {
        status_of(self.fate.load(Ordering::Acquire))
    }

    /// Whether the handle is gone.
    #[inline]
    fn is_detached(&self) -> bool {
        self.fate.load(Ordering::Acquire) & DETACHED != 0
    }

    /// Hands the outcome to the handle, or back if there is none.
    pub(crate) fn deliver(&self, result: Result<T, TaskError>) -> Option<Result<T, TaskError>> {
        let status = match &result {
            Ok(_) => TaskStatus::Completed,
            Err(TaskError::Failed) => TaskStatus::Failed,
            Err(TaskError::Panicked) => TaskStatus::Panicked,
            Err(TaskError::Closed) => TaskStatus::Closed,
            Err(_) => TaskStatus::Cancelled,
        } as u8;
        if self.is_detached() {
            return Some(result);
        }
        let mut slot = self.slot.lock();
        let waker = slot.waker.take();
        slot.result = Some(result);
        let before = self.fate.fetch_or(status, Ordering::AcqRel);
        let unwanted = if before & DETACHED == 0 { None } else { slot.result.take() };
        drop(slot);
        wake(waker);
        unwanted
    }

    /// Whether there is a result that tells why there is no value.
    pub(crate) fn has_no_value(&self) -> bool {
        matches!(self.slot.lock().result, Some(Err(_)))
    }

    /// Takes the outcome, or sees to being woken when there is one.
    ///
    /// # Panics
    ///
    /// If it was taken before.
    pub(crate) fn poll_take(&self, cx: &Context<'_>) -> Poll<Result<T, TaskError>> {
        let mut slot = self.slot.lock();
        if let Some(result) = slot.result.take() {
            return Poll::Ready(result);
        }
        assert!(self.status() == TaskStatus::Running, "a task handle was polled after it had completed");
        self.wait(slot, cx);
        Poll::Pending
    }

    /// Waits until the task has ended, and leaves the outcome where it is.
    pub(crate) fn poll_ended(&self, cx: &Context<'_>) -> Poll<()> {
        let slot = self.slot.lock();
        if self.status() != TaskStatus::Running {
            return Poll::Ready(());
        }
        self.wait(slot, cx);
        Poll::Pending
    }

    fn wait(&self, mut slot: MutexGuard<'_, Slot<T>>, cx: &Context<'_>) {
        let old = slot.waker.replace(cx.waker().clone());
        self.fate.fetch_or(AWAITED, Ordering::AcqRel);
        drop(slot);
        drop(old);
    }

    /// The handle is gone.
    pub(crate) fn detach(&self) {
        let before = self.fate.fetch_or(DETACHED, Ordering::AcqRel);
        if before == TaskStatus::Running as u8 {
            return;
        }
        let mut slot = self.slot.lock();
        let unwanted = (slot.result.take(), slot.waker.take());
        drop(slot);
        drop(unwanted);
    }
}

fn status_of(fate: u8) -> TaskStatus {
    match fate & !(DETACHED | AWAITED) {
        RUNNING => TaskStatus::Running,
        COMPLETED => TaskStatus::Completed,
        FAILED => TaskStatus::Failed,
        PANICKED => TaskStatus::Panicked,
        CANCELLED => TaskStatus::Cancelled,
        _ => TaskStatus::Closed,
    }
}

const RUNNING: u8 = TaskStatus::Running as u8;
const COMPLETED: u8 = TaskStatus::Completed as u8;
const FAILED: u8 = TaskStatus::Failed as u8;
const PANICKED: u8 = TaskStatus::Panicked as u8;
const CANCELLED: u8 = TaskStatus::Cancelled as u8;

/// What the node of a task carries.
pub(crate) struct TaskCell<O> {
    info: TaskInfo,
    /// The outcome, where it may live in the node.
    pub(super) outcome: O,
    /// Whether the task has ended. Before that, what has emptied is something below it, unless the task itself counts as
    /// live. Stored with Release before that is looked at; loaded with Acquire.
    over: AtomicBool,
    /// The caller of `start` that is held until the task is gone.
    caller: OnceBox<Weak<Node>>,
}

impl<O: Send + Sync + 'static> Ext for TaskCell<O> {
    fn known(&self) -> &dyn Any {
        self
    }

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
    pub(super) fn new(info: TaskInfo, outcome: O, is_live: bool) -> Self {
        TaskCell { info, outcome, over: AtomicBool::new(is_live), caller: OnceBox::new() }
    }

    pub(crate) fn info(&self) -> &TaskInfo {
        &self.info
    }

    /// Has the task let go of the `caller` of `start` when it is gone, with all below it.
    pub(crate) fn release_when_gone(&self, caller: &Link) {
        let fresh = self.caller.set(Box::new(Arc::downgrade(caller))).is_ok();
        debug_assert!(fresh, "a task is started once");
    }
}

/// The node of a task, whatever else is in it.
pub(crate) trait Seat<T>: Send + Sync {
    fn cell(&self) -> &TaskCell<Outcome<T>>;

    fn into_link(self: Arc<Self>) -> Link;
}

impl<T: Send + 'static> Seat<T> for Node<TaskCell<Outcome<T>>> {
    fn cell(&self) -> &TaskCell<Outcome<T>> {
        &self.ext
    }

    fn into_link(self: Arc<Self>) -> Link {
        self
    }
}

/// A task whose node is at hand, which is carried.
impl<T: Send + 'static> Record<T> for TaskCell<Outcome<T>> {
    #[inline]
    fn info<'a>(&'a self, _link: &'a Link) -> &'a TaskInfo {
        &self.info
    }

    /// To wake it does nothing any more.
    #[inline]
    fn stop_waking(&self, _unit: &Unit) {}

    #[inline]
    fn is_wanted(&self, _link: &Link) -> bool {
        !self.outcome.is_detached()
    }

    #[inline]
    fn deliver(&self, _link: &Link, result: Result<T, TaskError>) -> Option<Result<T, TaskError>> {
        self.outcome.deliver(result)
    }

    #[inline]
    fn retire(&self, link: &Link) {
        link.retire();
    }
}

/// The node of a task that the backend polls.
pub(crate) type TaskNode<T> = Arc<Node<TaskCell<Outcome<T>>>>;

/// A new node for such a task, which has no place yet.
pub(crate) fn task_node<T: Send + 'static>(tenure: Tenure, info: TaskInfo) -> TaskNode<T> {
    Node::task(tenure, None, TaskCell::new(info, Outcome::new(), true))
}

/// A new node for such a task, which is to be adopted by `parent`.
pub(crate) fn task_node_below<T: Send + 'static>(parent: Link, tenure: Tenure, info: TaskInfo) -> TaskNode<T> {
    Node::task(tenure, Some(parent), TaskCell::new(info, Outcome::new(), true))
}

/// A task whose outcome lives in its node.
pub(crate) struct InNode;

impl<T: Send + 'static> Record<T> for InNode {
    #[inline]
    fn info<'a>(&'a self, link: &'a Link) -> &'a TaskInfo {
        link.known_as::<TaskCell<Outcome<T>>>().info()
    }

    #[inline]
    fn deliver(&self, link: &Link, result: Result<T, TaskError>) -> Option<Result<T, TaskError>> {
        link.known_as::<TaskCell<Outcome<T>>>().outcome.deliver(result)
    }

    #[inline]
    fn retire(&self, link: &Link) {
        link.retire();
    }
}

/// A task that is polled by its group. Its outcome, which may borrow, lives apart from its node, which may not.
pub(crate) struct BranchRecord<T> {
    pub(super) node: Arc<Node<TaskCell<()>>>,
    pub(super) outcome: Arc<Outcome<T>>,
}

impl<T> BranchRecord<T> {
    pub(crate) fn new(info: TaskInfo) -> Self {
        let node = Node::new(Role::Branch, TaskCell::new(info, (), false));
        BranchRecord { node, outcome: Arc::new(Outcome::new()) }
    }
}

impl<T> Clone for BranchRecord<T> {
    fn clone(&self) -> Self {
        BranchRecord { node: self.node.clone(), outcome: self.outcome.clone() }
    }
}

impl<T> Record<T> for BranchRecord<T> {
    fn info<'a>(&'a self, _link: &'a Link) -> &'a TaskInfo {
        self.node.ext.info()
    }

    fn deliver(&self, _link: &Link, result: Result<T, TaskError>) -> Option<Result<T, TaskError>> {
        self.outcome.deliver(result)
    }

    /// It was never counted. What it has left below is; the node closes when that is gone.
    fn retire(&self, link: &Link) {
        self.node.ext.over.store(true, Ordering::Release);
        link.finish();
        link.wake_up();
        if link.is_empty() {
            link.ext.emptied();
        }
    }
}
