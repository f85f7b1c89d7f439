//! [`TaskHandle`]: the value of a task, its state, and the means to cancel it alone.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker, ready};

use parking_lot::Mutex;

use super::error::TaskError;
use super::info::{TaskId, TaskInfo};
use super::start;
use crate::context;
use crate::reason::{CancelReason, Cancelled};
use crate::tree::{Ext, Link, Node, Role, erase, wake};
use crate::unit::Entry;

/// The state of a task: see [`TaskHandle::status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskStatus {
    /// It has not ended.
    Running,
    /// It ended with a value.
    Completed,
    /// It ended with an error.
    Failed,
    /// It panicked.
    Panicked,
    /// It was cut short.
    Cancelled,
    /// It was never started, since its group had closed.
    Closed,
}

/// What the node of a task carries.
pub(crate) struct TaskCell<T> {
    info: TaskInfo,
    slot: Mutex<Slot<T>>,
    /// The caller of `start` that is held until the task is gone.
    caller: OnceLock<Weak<Node>>,
}

struct Slot<T> {
    status: TaskStatus,
    /// The outcome, from the end of the task until the handle takes it.
    result: Option<Result<T, TaskError>>,
    /// Whoever awaits the handle.
    waker: Option<Waker>,
    /// Whether the handle is gone.
    detached: bool,
}

impl<T: Send> Ext for TaskCell<T> {
    fn task(&self) -> Option<TaskId> {
        Some(self.info.id())
    }

    fn emptied(&self) {
        if let Some(caller) = self.caller.get().and_then(Weak::upgrade) {
            start::release(&caller);
        }
    }
}

impl<T> TaskCell<T> {
    pub(crate) fn new(info: TaskInfo) -> Self {
        TaskCell {
            info,
            slot: Mutex::new(Slot { status: TaskStatus::Running, result: None, waker: None, detached: false }),
            caller: OnceLock::new(),
        }
    }

    /// Has the task let go of the `caller` of `start` when it is gone, with all below it.
    pub(crate) fn release_when_gone(&self, caller: &Link) {
        let fresh = self.caller.set(Arc::downgrade(caller)).is_ok();
        debug_assert!(fresh, "a task is started once");
    }

    pub(crate) fn info(&self) -> &TaskInfo {
        &self.info
    }

    /// Hands the outcome to the handle, or back if there is none.
    pub(crate) fn deliver(&self, result: Result<T, TaskError>) -> Option<Result<T, TaskError>> {
        let mut slot = self.slot.lock();
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
}

/// A handle to a task of a group.
///
/// Awaiting it gives the task's value, or says why there is none. The *error* of a task that failed stays with the group,
/// where none is lost; the handle says only that it failed. Dropping the handle changes nothing: the task belongs to its
/// group, not to its handle.
///
/// In the body of a group and in its tasks, [`value`](TaskHandle::value) is the pleasant form: there is no error to
/// handle, since when there is no value the code that waits for it is cancelled.
///
/// # Cancel safety
///
/// A handle awaited by reference loses nothing when it is dropped half-way; one awaited by value is gone with its value,
/// the task goes on.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let sum = anyio::task_group(async |tg| {
///     let a = tg.spawn(async { 1 });
///     let b = tg.spawn(async { 2 });
///     a.value().await + b.value().await
/// })
/// .await;
/// assert_eq!(sum, Ok(3));
/// # });
/// ```
pub struct TaskHandle<T> {
    node: Arc<Node<TaskCell<T>>>,
    entry: Entry,
}

impl<T: Send + 'static> TaskHandle<T> {
    pub(crate) fn new(node: Arc<Node<TaskCell<T>>>) -> Self {
        TaskHandle { node, entry: Entry::default() }
    }

    /// The handle by which an operation waits for a task that it has started itself. Its value is that of the operation,
    /// which must not be offered away.
    pub(crate) fn of_operation(node: Arc<Node<TaskCell<T>>>) -> Self {
        TaskHandle { node, entry: Entry::begun() }
    }

    /// Waits for the value.
    ///
    /// If there is none, because the task failed, panicked or was cancelled, then the code that waits for it cannot go
    /// on: the nearest scope, group or task around it is cancelled for that reason, and it is dropped here. In the body
    /// of the task's own group this is what happens anyway.
    ///
    /// It is what awaiting a cancelled task does in asyncio and Trio, where the cancellation spreads to whoever awaits.
    ///
    /// # Panics
    ///
    /// If there is no value, and nothing to cancel: under a shield, and outside every scope, group and task. There,
    /// await the handle itself. And if the task waits for itself.
    ///
    /// # Cancel safety
    ///
    /// The value is lost; the task goes on.
    pub async fn value(self) -> T {
        let info = self.info().clone();
        match self.await {
            Ok(value) => value,
            Err(error @ TaskError::OwnHandle) => panic!("TaskHandle::value: {error}"),
            Err(error) => {
                cancel_branch("TaskHandle::value", info, &error);
                std::future::pending().await
            }
        }
    }

    /// Cancels this task alone. Once it has finished this does nothing.
    #[track_caller]
    pub fn cancel(&self) {
        self.link().cancel(Cancelled::requested(None));
    }

    /// Cancels this task alone and waits until it is gone, with everything below it. A value that it returned all the
    /// same is not lost.
    ///
    /// # Errors
    ///
    /// [`TaskError`], normally [`TaskError::Cancelled`].
    ///
    /// # Cancel safety
    ///
    /// The task stays cancelled; its value is lost.
    #[track_caller]
    pub fn cancel_and_join(self) -> impl Future<Output = Result<T, TaskError>> + Send {
        self.cancel();
        async move {
            let mut this = self;
            let result = (&mut this).await;
            if !matches!(result, Err(TaskError::OwnHandle | TaskError::Closed)) {
                poll_fn(|cx| this.node.poll_gone(cx)).await;
            }
            result
        }
    }

    /// Whether it has ended, and how.
    #[must_use]
    pub fn status(&self) -> TaskStatus {
        self.node.ext.slot.lock().status
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.status() != TaskStatus::Running
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.info().id()
    }

    /// The name that it was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.info().name()
    }

    /// Its number, its name, and where it was spawned.
    #[must_use]
    pub fn info(&self) -> &TaskInfo {
        self.node.ext.info()
    }

    fn link(&self) -> Link {
        erase(&self.node)
    }

    /// Whether the task that is running here is the one of this handle.
    fn is_own(&self) -> bool {
        let own = Arc::as_ptr(&self.node).cast::<()>();
        context::peek(|link| {
            let mut around = std::iter::successors(link, |link| link.enclosing());
            around.any(|link| Arc::as_ptr(link).cast::<()>() == own)
        })
    }
}

impl<T: Send + 'static> Future for TaskHandle<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.entry.poll(cx));
        let this = &mut *self;
        let mut slot = this.node.ext.slot.lock();
        if matches!(slot.result, Some(Err(_))) {
            drop(slot);
            ready!(this.entry.poll_offer(cx));
            slot = this.node.ext.slot.lock();
        }
        if let Some(result) = slot.result.take() {
            return Poll::Ready(result);
        }
        assert!(slot.status == TaskStatus::Running, "a task handle was polled after it had completed");
        let old = slot.waker.replace(cx.waker().clone());
        drop(slot);
        drop(old);
        if this.is_own() {
            return Poll::Ready(Err(TaskError::OwnHandle));
        }
        Poll::Pending
    }
}

impl<T> Drop for TaskHandle<T> {
    fn drop(&mut self) {
        let mut slot = self.node.ext.slot.lock();
        slot.detached = true;
        let unwanted = (slot.result.take(), slot.waker.take());
        drop(slot);
        drop(unwanted);
    }
}

/// Cancels what waits for a value that will not come.
pub(crate) fn cancel_branch(what: &str, task: TaskInfo, error: &TaskError) {
    let reason = match error {
        TaskError::Cancelled(cancelled) => cancelled.clone(),
        _ => Cancelled::new(CancelReason::SiblingFailed(Some(task))),
    };
    let innermost = context::current();
    let mut around = innermost.iter().flat_map(|link| std::iter::successors(Some(link), |link| link.enclosing()));
    let unit = around.find(|link| {
        let is_unit = matches!(link.role(), Role::Task | Role::Group | Role::Scope | Role::Finally);
        is_unit || link.is_shielded()
    });
    match unit.filter(|link| link.role() != Role::Shield) {
        Some(unit) => unit.cancel(reason),
        None => panic!(
            "{what}: there is no value ({error}), and no scope, group or task around that could be cancelled instead"
        ),
    }
}

impl<T: Send + 'static> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").field("task", self.info()).field("status", &self.status()).finish_non_exhaustive()
    }
}
