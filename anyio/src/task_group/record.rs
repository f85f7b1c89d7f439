//! What is known of a task: who it is, and what became of it.

use std::any::Any;
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};

use crate::lock::{Guard, Guarded};

use super::handle::TaskStatus;
use super::info::{Badge, Names, TaskId, TaskInfo};
use super::start;
use crate::tree::{Ext, Link, Node, Role, Tenure, wake};

/// A task, as whoever polls it sees it at its node.
pub(crate) trait Record<T> {
    fn info(&self, link: &Link) -> TaskInfo;

    /// Whether there may be a handle to hand the outcome to.
    fn is_wanted(&self, _link: &Link) -> bool {
        true
    }

    /// Hands the value to the handle, or back if there is none; or tells the handle why there is no value.
    fn deliver(&self, link: &Link, result: Result<T, TaskStatus>) -> Option<T>;

    /// The task is over: its future is destroyed and its outcome is where it belongs.
    fn retire(&self, link: &Link);
}

/// What became of a task.
///
/// What most tasks and handles need to know of each other stands in the fate, so that neither locks anything if the handle
/// is dropped, unused, before the task ends. Why a task was cut short stands at its node.
pub(crate) struct Outcome<T>(Guarded<Fate, (), Slot<T>>);

/// The status, and the flags below. Whoever changes it does so with AcqRel, and looks at what it was.
struct Fate(AtomicU8);

/// The handle is gone.
const DETACHED: u8 = 1 << 7;
/// The handle is waiting, or was. Set under the lock.
const AWAITED: u8 = 1 << 6;
/// The handle has taken the outcome. Set under the lock.
const TAKEN: u8 = 1 << 5;

/// What a task and its handle leave for each other, in as little memory as a waker takes.
enum Slot<T> {
    /// Whoever awaits the handle; nobody, if it is one that does nothing. There is none any more when the handle is gone, so that
    /// nothing has to be looked for when the node is dropped.
    Waker(ManuallyDrop<Waker>),
    /// The value, from the end of the task until the handle takes it.
    Value(T),
}

impl<T> Slot<T> {
    #[inline]
    fn empty() -> Self {
        Slot::Waker(ManuallyDrop::new(Waker::noop().clone()))
    }

    fn take(&mut self) -> Self {
        mem::replace(self, Slot::empty())
    }

    fn into_waker(self) -> Option<Waker> {
        if let Slot::Waker(waker) = self { Some(ManuallyDrop::into_inner(waker)) } else { None }
    }
}

impl<T> Outcome<T> {
    #[inline]
    pub(crate) fn new() -> Self {
        Outcome(Guarded::new(Fate(AtomicU8::new(RUNNING)), (), Slot::empty()))
    }

    #[inline]
    fn fate(&self) -> &AtomicU8 {
        &self.0.beside().0
    }

    pub(crate) fn status(&self) -> TaskStatus {
        status_of(self.fate().load(Ordering::Acquire))
    }

    /// Whether the handle is gone.
    #[inline]
    fn is_detached(&self) -> bool {
        self.fate().load(Ordering::Acquire) & DETACHED != 0
    }

    /// Hands the value to the handle, or back if there is none; or tells the handle why there is no value.
    pub(crate) fn deliver(&self, result: Result<T, TaskStatus>) -> Option<T> {
        if self.is_detached() {
            return result.ok();
        }
        let (left, status) = match result {
            Ok(value) => (Slot::Value(value), TaskStatus::Completed),
            Err(status) => (Slot::empty(), status),
        };
        let mut slot = self.0.lock();
        let waiting = mem::replace(&mut *slot, left);
        let before = self.fate().fetch_or(status as u8, Ordering::AcqRel);
        let unwanted = if before & DETACHED == 0 { Slot::empty() } else { slot.take() };
        drop(slot);
        if before & AWAITED != 0 {
            wake(waiting.into_waker());
        }
        if let Slot::Value(value) = unwanted { Some(value) } else { None }
    }

    /// Whether there is no value for the handle, as the task has ended without one.
    pub(crate) fn has_no_value(&self) -> bool {
        let fate = self.fate().load(Ordering::Acquire);
        fate & TAKEN == 0 && !matches!(status_of(fate), TaskStatus::Running | TaskStatus::Completed)
    }

    /// Takes the value, or why there is none; or sees to being woken when the task has ended.
    ///
    /// # Panics
    ///
    /// If it was taken before.
    pub(crate) fn poll_take(&self, cx: &Context<'_>) -> Poll<Result<T, TaskStatus>> {
        let waker = self.waker_while_running(cx);
        let mut slot = self.0.lock();
        let status = self.status();
        if status == TaskStatus::Running {
            self.wait(slot, waker);
            return Poll::Pending;
        }
        let before = self.fate().fetch_or(TAKEN, Ordering::AcqRel);
        let left = slot.take();
        drop(slot);
        assert!(before & TAKEN == 0, "a task handle was polled after it had completed");
        Poll::Ready(if let Slot::Value(value) = left { Ok(value) } else { Err(status) })
    }

    /// Waits until the task has ended, and leaves the outcome where it is.
    pub(crate) fn poll_ended(&self, cx: &Context<'_>) -> Poll<()> {
        let waker = self.waker_while_running(cx);
        let slot = self.0.lock();
        if self.status() != TaskStatus::Running {
            return Poll::Ready(());
        }
        self.wait(slot, waker);
        Poll::Pending
    }

    /// Whom to wake if the task is found running under the lock: cloned without it.
    fn waker_while_running(&self, cx: &Context<'_>) -> Option<Waker> {
        (self.status() == TaskStatus::Running).then(|| cx.waker().clone())
    }

    /// Waits for the end of a task that is running, as is known by the lock.
    fn wait(&self, mut slot: Guard<'_, Fate, (), Slot<T>>, waker: Option<Waker>) {
        let waker = waker.expect("it was running before");
        let old = mem::replace(&mut *slot, Slot::Waker(ManuallyDrop::new(waker)));
        self.fate().fetch_or(AWAITED, Ordering::AcqRel);
        drop(slot);
        drop(old.into_waker());
    }

    /// The handle is gone.
    pub(crate) fn detach(&self) {
        let before = self.fate().fetch_or(DETACHED, Ordering::AcqRel);
        if before == TaskStatus::Running as u8 {
            return;
        }
        let left = self.0.lock().take();
        drop(left.into_waker());
    }
}

fn status_of(fate: u8) -> TaskStatus {
    match fate & !(DETACHED | AWAITED | TAKEN) {
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
    badge: Badge,
    /// The outcome, where it may live in the node.
    pub(super) outcome: O,
}

/// The outcome of a task, or what is in its stead.
pub(crate) trait Ended: Send + Sync + 'static {
    /// Whether the task has ended, as far as can be told from what has emptied below it: nothing is as long as the task
    /// itself counts as live.
    fn has_ended(&self) -> bool {
        true
    }
}

impl<T: Send + 'static> Ended for Outcome<T> {}

/// That a task has ended which does not count as live itself. Stored with Release before it is looked at what is live below;
/// loaded with Acquire.
#[derive(Default)]
pub(crate) struct BranchEnded(AtomicBool);

impl Ended for BranchEnded {
    fn has_ended(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl<O: Ended> Ext for TaskCell<O> {
    fn known(&self) -> &dyn Any {
        self
    }

    fn task(&self) -> Option<TaskId> {
        Some(self.badge.id())
    }

    fn emptied(&self, node: &Link) {
        if let Some(caller) = node.caller()
            && self.outcome.has_ended()
        {
            start::release(&caller);
        }
    }
}

impl<O> TaskCell<O> {
    #[inline(always)]
    pub(super) fn new(badge: Badge, outcome: O) -> Self {
        TaskCell { badge, outcome }
    }

    /// Who the task is, `at` whose node this is.
    pub(super) fn info<X: Ext + ?Sized>(&self, at: &Node<X>) -> TaskInfo {
        self.badge.with(at.names())
    }
}

/// The node of a task, whatever else is in it.
pub(crate) trait Seat<T>: Send + Sync {
    fn cell(&self) -> &TaskCell<Outcome<T>>;

    fn names(&self) -> Option<&Arc<Names>>;

    fn info(&self) -> TaskInfo {
        self.cell().badge.with(self.names())
    }

    fn into_link(self: Arc<Self>) -> Link;
}

impl<T: Send + 'static> Seat<T> for Node<TaskCell<Outcome<T>>> {
    fn cell(&self) -> &TaskCell<Outcome<T>> {
        &self.ext
    }

    fn names(&self) -> Option<&Arc<Names>> {
        self.names()
    }

    fn into_link(self: Arc<Self>) -> Link {
        self
    }
}

/// A task whose node is at hand, which is carried.
impl<T: Send + 'static> Record<T> for TaskCell<Outcome<T>> {
    #[inline]
    fn info(&self, link: &Link) -> TaskInfo {
        self.info(link)
    }

    #[inline]
    fn is_wanted(&self, _link: &Link) -> bool {
        !self.outcome.is_detached()
    }

    #[inline]
    fn deliver(&self, _link: &Link, result: Result<T, TaskStatus>) -> Option<T> {
        self.outcome.deliver(result)
    }

    #[inline]
    fn retire(&self, link: &Link) {
        link.retire();
    }
}

/// The node of a task that the backend polls.
pub(crate) type TaskNode<T> = Arc<Node<TaskCell<Outcome<T>>>>;

/// A node, which is `made` with the badge of its task, and keeps what that is called.
fn named<X>(info: TaskInfo, made: impl FnOnce(Badge) -> Arc<Node<X>>) -> Arc<Node<X>> {
    let (badge, names) = info.split();
    let node = made(badge);
    node.keep_names(names);
    node
}

/// A new node for such a task, which has no place yet.
pub(crate) fn task_node<T: Send + 'static>(tenure: Tenure, info: TaskInfo) -> TaskNode<T> {
    named(info, |badge| Node::task(tenure, None, TaskCell::new(badge, Outcome::new())))
}

/// A new node for such a task, which is to be adopted by `parent`.
pub(crate) fn task_node_below<T: Send + 'static>(parent: Link, tenure: Tenure, info: TaskInfo) -> TaskNode<T> {
    named(info, |badge| Node::task(tenure, Some(parent), TaskCell::new(badge, Outcome::new())))
}

/// A task whose outcome lives in its node.
pub(crate) struct InNode;

impl<T: Send + 'static> Record<T> for InNode {
    #[inline]
    fn info(&self, link: &Link) -> TaskInfo {
        link.known_as::<TaskCell<Outcome<T>>>().info(link)
    }

    #[inline]
    fn deliver(&self, link: &Link, result: Result<T, TaskStatus>) -> Option<T> {
        link.known_as::<TaskCell<Outcome<T>>>().outcome.deliver(result)
    }

    #[inline]
    fn retire(&self, link: &Link) {
        link.retire();
    }
}

/// A task that is polled by its group. Its outcome, which may borrow, lives apart from its node, which may not.
pub(crate) struct BranchRecord<T> {
    pub(super) node: Arc<Node<TaskCell<BranchEnded>>>,
    pub(super) outcome: Arc<Outcome<T>>,
}

impl<T> BranchRecord<T> {
    pub(crate) fn new(info: TaskInfo) -> Self {
        let node = named(info, |badge| Node::new(Role::Branch, TaskCell::new(badge, BranchEnded::default())));
        BranchRecord { node, outcome: Arc::new(Outcome::new()) }
    }

    pub(super) fn info(&self) -> TaskInfo {
        self.node.ext.info(&self.node)
    }
}

impl<T> Clone for BranchRecord<T> {
    fn clone(&self) -> Self {
        BranchRecord { node: self.node.clone(), outcome: self.outcome.clone() }
    }
}

impl<T> Record<T> for BranchRecord<T> {
    fn info(&self, _link: &Link) -> TaskInfo {
        self.info()
    }

    fn deliver(&self, _link: &Link, result: Result<T, TaskStatus>) -> Option<T> {
        self.outcome.deliver(result)
    }

    /// It was never counted. What it has left below is; the node closes when that is gone.
    fn retire(&self, link: &Link) {
        self.node.ext.outcome.0.store(true, Ordering::Release);
        link.finish();
        link.wake_up();
        if link.is_empty() {
            link.ext.emptied(link);
        }
    }
}
