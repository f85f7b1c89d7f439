//! [`TaskHandle`]: the value of a task, its state, and the means to cancel it alone.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::error::TaskError;
use super::info::{TaskId, TaskInfo};
use super::record::{BranchRecord, Outcome, Seat, TaskNode};
use crate::context;
use crate::reason::{CancelReason, Cancelled};
use crate::tree::{Link, Role, erase};
use crate::unit::{Entry, noted};

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
    task: Known<T>,
    entry: Entry,
}

/// The task, wherever its outcome lives.
enum Known<T> {
    /// Polled by the backend, or by its carriers.
    Spawned(Arc<dyn Seat<T>>),
    /// Polled by its group.
    Branch(BranchRecord<T>),
}

impl<T: Send + 'static> TaskHandle<T> {
    pub(crate) fn new(node: Arc<dyn Seat<T>>) -> Self {
        TaskHandle { task: Known::Spawned(node), entry: Entry::new() }
    }
}

impl<T> TaskHandle<T> {
    pub(crate) fn of_branch(task: BranchRecord<T>) -> Self {
        TaskHandle { task: Known::Branch(task), entry: Entry::new() }
    }

    /// The handle by which an operation waits for a task that it has started itself. Its value is that of the operation,
    /// which must not be offered away.
    pub(crate) fn of_operation(node: TaskNode<T>) -> Self
    where
        T: Send + 'static,
    {
        TaskHandle { task: Known::Spawned(node), entry: Entry::begun() }
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
        let info = self.info();
        match self.await {
            Ok(value) => value,
            Err(error @ TaskError::OwnHandle) => panic!("TaskHandle::value: {error}"),
            Err(error) => {
                cancel_branch("TaskHandle::value", "await the handle itself", info, &error);
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
    pub fn cancel_and_join(self) -> impl Future<Output = Result<T, TaskError>> {
        self.cancel();
        async move {
            let mut this = self;
            let result = (&mut this).await;
            if !matches!(result, Err(TaskError::OwnHandle | TaskError::Closed)) {
                let link = this.link();
                poll_fn(|cx| link.poll_gone(cx)).await;
            }
            result
        }
    }

    /// Whether it has ended, and how.
    #[must_use]
    pub fn status(&self) -> TaskStatus {
        self.outcome().status()
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
        let names = match &self.task {
            Known::Spawned(node) => node.names(),
            Known::Branch(task) => task.node.names(),
        };
        names?.task()
    }

    /// Its number, its name, and where it was spawned.
    #[must_use]
    pub fn info(&self) -> TaskInfo {
        match &self.task {
            Known::Spawned(node) => node.info(),
            Known::Branch(task) => task.info(),
        }
    }

    /// Waits until the task has ended, and leaves the outcome where it is.
    pub(crate) fn poll_ended(&self, cx: &Context<'_>) -> Poll<()> {
        self.outcome().poll_ended(cx)
    }

    fn outcome(&self) -> &Outcome<T> {
        match &self.task {
            Known::Spawned(node) => &node.cell().outcome,
            Known::Branch(task) => &task.outcome,
        }
    }

    fn link(&self) -> Link {
        match &self.task {
            Known::Spawned(node) => node.clone().into_link(),
            Known::Branch(task) => erase(&task.node),
        }
    }

    /// Why there is no value.
    fn error(&self, status: TaskStatus) -> TaskError {
        match status {
            TaskStatus::Failed => TaskError::Failed,
            TaskStatus::Panicked => TaskError::Panicked,
            TaskStatus::Closed => TaskError::Closed,
            TaskStatus::Cancelled => TaskError::Cancelled(self.link().why_cut()),
            TaskStatus::Running | TaskStatus::Completed => unreachable!("it has ended without a value"),
        }
    }

    /// Whether the task that is running here is the one of this handle.
    fn is_own(&self) -> bool {
        let own = match &self.task {
            Known::Spawned(node) => Arc::as_ptr(node).cast::<()>(),
            Known::Branch(task) => Arc::as_ptr(&task.node).cast::<()>(),
        };
        context::peek(|link| {
            let mut around = std::iter::successors(link, |link| link.enclosing());
            around.any(|link| Arc::as_ptr(link).cast::<()>() == own)
        })
    }
}

impl<T> Future for TaskHandle<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        noted(|| {
            ready!(self.entry.poll(cx));
            if self.outcome().has_no_value() {
                ready!(self.entry.poll_offer(cx));
            }
            match self.outcome().poll_take(cx) {
                Poll::Pending if self.is_own() => Poll::Ready(Err(TaskError::OwnHandle)),
                polled => polled.map_err(|status| self.error(status)),
            }
        })
    }
}

impl<T> Drop for TaskHandle<T> {
    fn drop(&mut self) {
        self.outcome().detach();
    }
}

/// Cancels what waits for a value that will not come.
pub(crate) fn cancel_branch(what: &str, remedy: &str, task: TaskInfo, error: &TaskError) {
    let reason = match error {
        TaskError::Cancelled(cancelled) => cancelled.clone(),
        _ => Cancelled::new(CancelReason::SiblingFailed(Some(task))),
    };
    let innermost = context::current();
    let mut around = innermost.iter().flat_map(|link| std::iter::successors(Some(link), |link| link.enclosing()));
    let unit = around.find(|link| {
        let is_unit = matches!(link.role(), Role::Task | Role::Branch | Role::Group | Role::Scope | Role::Finally);
        is_unit || link.is_shielded()
    });
    match unit.filter(|link| link.role() != Role::Shield) {
        Some(unit) => unit.cancel(reason),
        None => panic!(
            "{what}: there is no value ({error}), and no scope, group or task around that could be cancelled instead: \
             {remedy}"
        ),
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").field("task", &self.info()).field("status", &self.status()).finish_non_exhaustive()
    }
}
