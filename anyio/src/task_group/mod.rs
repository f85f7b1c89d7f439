//! Task groups: tasks that never outlive the code that started them.

mod attach;
mod body;
mod carried;
pub(crate) mod cell;
mod error;
mod handle;
mod info;
pub(crate) mod job;
mod kind;
mod limit;
mod owned;
pub(crate) mod protect;
mod record;
mod scoped;
pub(crate) mod settings;
mod spawn;
mod spawned;
mod start;

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

pub use self::attach::Attached;
pub use self::body::{GroupBuilder, GroupFuture, task_group, try_task_group};
pub use self::error::{Failure, FailureKind, Failures, GroupClosed, GroupError, PanicPayload, StartError, TaskError};
pub use self::handle::{TaskHandle, TaskStatus};
pub use self::info::{TaskId, TaskInfo};
pub use self::kind::{Kind, Plain, Shape, Try};
pub use self::owned::OwnedTaskGroup;
pub use self::protect::{Protect, protect};
pub use self::scoped::{
    LocalScopedGroup, LocalScopedTaskBuilder, ScopedGroup, ScopedGroupFuture, ScopedTaskBuilder, Spawner,
    local_scoped_group, scoped_group, try_local_scoped_group, try_scoped_group,
};
pub use self::start::Started;

pub(crate) use self::handle::cancel_branch;
pub(crate) use self::info::Names;
pub(crate) use self::limit::Slot;

use self::cell::{GroupNode, OfGroup};
use self::limit::Acquire;
use self::record::{InNode, Seat as _, TaskNode, task_node, task_node_below};
use self::settings::Settings;
use self::spawn::{Plan, Right};
use self::spawned::{Completion, Owner, Work};
use crate::cancel_scope::CancelHandle;
use crate::reason::Cancelled;
use crate::tree::{Link, Tenure, erase};
use crate::unhandled::Unhandled;
use crate::unit::Unit;

/// A group whose tasks may fail with an `E`: what [`try_task_group`] hands to its closure.
pub type TryTaskGroup<E> = TaskGroup<Try<E>>;

/// A handle to a group of tasks, which spawns into it and cancels it.
///
/// [`task_group`] and [`try_task_group`] open a group and hand this to their closure. It is cheap to clone, and may be
/// moved into tasks, which then spawn siblings. Spawning works from every thread, also outside the runtime, and from
/// destructors.
///
/// A group is open while its body, any of its tasks, or any pending [`start`](TaskGroup::start) is alive. Then it has
/// closed, for good.
///
/// `TaskGroup` alone is a group whose tasks cannot fail; see [`TryTaskGroup`] for the other kind.
pub struct TaskGroup<K: Shape = Plain> {
    node: GroupNode<K::Error>,
}

impl<K: Kind> TaskGroup<K> {
    fn new(node: GroupNode<K::Error>) -> Self {
        TaskGroup { node }
    }

    pub(crate) fn link(&self) -> Link {
        erase(&self.node)
    }

    /// Starts a task in the group. It runs at once, whether or not the handle is awaited or dropped.
    ///
    /// On tokio, smol and async-std it is polled within a task of the runtime that it shares with others, which costs less
    /// than a task of its own: see [`Runtime::with_native_tasks`](crate::Runtime::with_native_tasks) for what that means, and
    /// for how to have it otherwise.
    ///
    /// In a group that was cancelled the task still gets its first poll. In one that has closed, the future is dropped,
    /// the handle says [`TaskError::Closed`] and the unhandled-outcome hook hears of it:
    /// an accept loop that races with a shutdown must not panic. [`try_spawn`](TaskGroup::try_spawn) gives the future
    /// back.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// let total = anyio::task_group(async |tg| {
    ///     let parts: Vec<_> = (1..=3).map(|n| tg.spawn(async move { n * n })).collect();
    ///     let mut total = 0;
    ///     for part in parts {
    ///         total += part.value().await;
    ///     }
    ///     total
    /// })
    /// .await;
    /// assert_eq!(total, Ok(14));
    /// # });
    /// ```
    #[track_caller]
    pub fn spawn<T, F>(&self, future: F) -> TaskHandle<T>
    where
        F: Future<Output = K::Output<T>> + Send + 'static,
        T: Send + 'static,
    {
        let location = Location::caller();
        self.spawn_as(move || TaskInfo::new(None, location), Tenure::Ordinary, K::into_result, future)
    }

    /// [`spawn`](TaskGroup::spawn) for a future that cannot fail, in a group of either kind.
    #[track_caller]
    pub fn spawn_ok<T, F>(&self, future: F) -> TaskHandle<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let location = Location::caller();
        self.spawn_as(move || TaskInfo::new(None, location), Tenure::Ordinary, Ok, future)
    }

    /// [`spawn`](TaskGroup::spawn) that gives the future back where the group has closed.
    ///
    /// # Errors
    ///
    /// [`GroupClosed`], with the future in it.
    #[track_caller]
    pub fn try_spawn<T, F>(&self, future: F) -> Result<TaskHandle<T>, GroupClosed<F>>
    where
        F: Future<Output = K::Output<T>> + Send + 'static,
        T: Send + 'static,
    {
        self.task().try_spawn(future)
    }

    /// Runs `job` on a thread where blocking is allowed, as a task of the group.
    ///
    /// Once accepted it runs, also when the group is cancelled meanwhile: a thread cannot be stopped. The group waits for
    /// it. In a group with a [limit](GroupBuilder::limit) it is accepted when it has its slot.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// let size = anyio::try_task_group(async |tg| {
    ///     let size = tg.spawn_blocking(|| std::fs::read("Cargo.toml").map(|bytes| bytes.len()));
    ///     Ok(size.value().await)
    /// })
    /// .await
    /// .unwrap();
    /// assert!(size > 0);
    /// # });
    /// ```
    #[track_caller]
    pub fn spawn_blocking<T, F>(&self, job: F) -> TaskHandle<T>
    where
        F: FnOnce() -> K::Output<T> + Send + 'static,
        T: Send + 'static,
    {
        self.task().spawn_blocking(job)
    }

    /// A task that is to be given a name before it is spawned.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// let outcome = anyio::try_task_group(async |tg| {
    ///     tg.task().name("flusher").spawn(async { Err::<(), _>("disk full") });
    ///     Ok(())
    /// })
    /// .await;
    /// let error = outcome.unwrap_err();
    /// let failed = error.failures().next().unwrap();
    /// assert_eq!(failed.task().and_then(|task| task.name()), Some("flusher"));
    /// # });
    /// ```
    pub fn task(&self) -> TaskBuilder<'_, K> {
        TaskBuilder { group: self, name: None, tenure: Tenure::Ordinary }
    }

    /// Waits until a task may run, in a group with a [limit](GroupBuilder::limit), and then [spawns](TaskGroup::spawn) it.
    /// In a group without a limit that is at once.
    ///
    /// It is for loops that produce tasks: where `spawn` would queue as many as there are, this holds the loop back.
    /// Whoever waits is served in turn with the tasks that queue.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has spawned, the future is dropped with it and nothing was spawned; its turn goes to the next.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use std::time::Duration;
    ///
    /// let crawl = anyio::GroupBuilder::new().limit(10).run_ok(async |tg| {
    ///     for _page in 0..100 {
    ///         tg.spawn_when_ready(anyio::sleep(Duration::from_millis(1))).await;
    ///     }
    /// });
    /// crawl.await.unwrap();
    /// # });
    /// ```
    #[track_caller]
    pub fn spawn_when_ready<T, F>(&self, future: F) -> impl Future<Output = TaskHandle<T>> + use<K, T, F>
    where
        F: Future<Output = K::Output<T>> + Send + 'static,
        T: Send + 'static,
    {
        self.task().spawn_when_ready(future)
    }

    /// Asks the tasks and the body to stop by themselves, and cancels the group when `grace` is over: see
    /// [`CancelHandle::stop`].
    #[track_caller]
    pub fn stop(&self, grace: Duration) {
        self.scope().stop(grace);
    }

    /// Cancels the group: its tasks and its body. If the body has completed, its value is what the group returns all the
    /// same.
    #[track_caller]
    pub fn cancel(&self) {
        self.link().cancel(Cancelled::requested(None));
    }

    /// A handle to the group's scope: for a reason, a deadline, or a shield.
    #[must_use]
    pub fn scope(&self) -> CancelHandle {
        CancelHandle::new(self.link())
    }

    /// Whether the group has closed: nothing but daemons runs in it, and nothing can be spawned into it any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.link().is_out_of_reach()
    }

    /// Counts a new task, before anything of it is handed to the backend.
    fn admit<T: Send + 'static>(&self, info: TaskInfo, tenure: Tenure) -> Result<Admitted<T>, TaskInfo> {
        let info = info.of_group(self.settings().name());
        let node = task_node_below(self.link(), tenure, info);
        let link = erase(&node);
        let group = link.parent().expect("it was made with one");
        match group.adopt(&link, group.runtime()) {
            Ok(()) => Ok(Admitted { node, link }),
            Err(_) => Err(node.info()),
        }
    }

    #[inline(always)]
    fn spawn_as<T, F>(
        &self,
        info: impl FnOnce() -> TaskInfo,
        tenure: Tenure,
        convert: impl Fn(F::Output) -> Result<T, K::Error> + Send + 'static,
        future: F,
    ) -> TaskHandle<T>
    where
        F: Future + Send + 'static,
        T: Send + 'static,
    {
        let plan = Plan { info, tenure, right: Right::Queues, convert, settle: OfGroup };
        let begun = self.begin(plan, future, |_| ());
        begun.map_or_else(|refused| self.refused(refused.0), TaskHandle::new)
    }

    /// The handle of a task that was not started.
    #[cold]
    fn refused<T: Send + 'static>(&self, info: TaskInfo) -> TaskHandle<T> {
        self.node.runtime().report(Unhandled::SpawnedIntoClosedGroup { task: info.clone() });
        let node = task_node(Tenure::Ordinary, info);
        node.ext.outcome.deliver(Err(TaskStatus::Closed));
        TaskHandle::new(node)
    }

    fn settings(&self) -> &Settings<K::Error> {
        self.node.ext.settings()
    }
}

/// A task that is counted in its group, and of which nothing was handed to the backend yet.
struct Admitted<T> {
    node: TaskNode<T>,
    link: Link,
}

impl<K: Kind> Clone for TaskGroup<K> {
    fn clone(&self) -> Self {
        TaskGroup::new(self.node.clone())
    }
}

impl<K: Kind> fmt::Debug for TaskGroup<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// A task that is about to be spawned: see [`TaskGroup::task`].
#[derive(Debug)]
#[must_use = "nothing is spawned until one of the spawn methods is called"]
pub struct TaskBuilder<'a, K: Kind> {
    group: &'a TaskGroup<K>,
    name: Option<Arc<str>>,
    tenure: Tenure,
}

impl<K: Kind> TaskBuilder<'_, K> {
    /// Names the task, for errors and messages.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Makes it a daemon: a task that the group does not wait for, such as a heartbeat. When the body and all other tasks
    /// are done the group closes, cancels its daemons ([`CancelReason::GroupFinished`](crate::CancelReason::GroupFinished))
    /// and waits for them to end. That is no error. Until then a daemon is a task like any other: if it fails, so does the
    /// group. It takes no slot of a [limit](GroupBuilder::limit).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use std::time::Duration;
    ///
    /// let outcome = anyio::task_group(async |tg| {
    ///     tg.task().name("heartbeat").daemon().spawn(async {
    ///         loop {
    ///             anyio::sleep(Duration::from_secs(1)).await;
    ///         }
    ///     });
    ///     tg.spawn(anyio::sleep(Duration::from_millis(5)));
    /// })
    /// .await;
    /// assert_eq!(outcome, Ok(()));
    /// # });
    /// ```
    pub fn daemon(mut self) -> Self {
        self.tenure = Tenure::Daemon;
        self
    }

    /// [`TaskGroup::spawn`].
    #[track_caller]
    pub fn spawn<T, F>(self, future: F) -> TaskHandle<T>
    where
        F: Future<Output = K::Output<T>> + Send + 'static,
        T: Send + 'static,
    {
        let (group, tenure, location) = (self.group, self.tenure, Location::caller());
        group.spawn_as(move || self.info(location), tenure, K::into_result, future)
    }

    /// [`TaskGroup::spawn_ok`].
    #[track_caller]
    pub fn spawn_ok<T, F>(self, future: F) -> TaskHandle<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let (group, tenure, location) = (self.group, self.tenure, Location::caller());
        group.spawn_as(move || self.info(location), tenure, Ok, future)
    }

    /// [`TaskGroup::try_spawn`].
    ///
    /// # Errors
    ///
    /// [`GroupClosed`], with the future in it.
    #[track_caller]
    pub fn try_spawn<T, F>(self, future: F) -> Result<TaskHandle<T>, GroupClosed<F>>
    where
        F: Future<Output = K::Output<T>> + Send + 'static,
        T: Send + 'static,
    {
        let (group, tenure, location) = (self.group, self.tenure, Location::caller());
        let plan = Plan {
            info: move || self.info(location),
            tenure,
            right: Right::Queues,
            convert: K::into_result,
            settle: OfGroup,
        };
        let begun = group.begin(plan, future, |_| ());
        begun.map(TaskHandle::new).map_err(|refused| GroupClosed(refused.1))
    }

    /// [`TaskGroup::spawn_blocking`].
    #[track_caller]
    pub fn spawn_blocking<T, F>(self, job: F) -> TaskHandle<T>
    where
        F: FnOnce() -> K::Output<T> + Send + 'static,
        T: Send + 'static,
    {
        let group = self.group;
        let tenure = self.tenure;
        let Admitted { node, link } = match group.admit(self.info(Location::caller()), tenure) {
            Ok(task) => task,
            Err(info) => return group.refused(info),
        };
        let completion = Completion::new(OfGroup, Owner::Queue);
        let mut work = Work::new(move || K::into_result(job()), InNode, completion, link.clone(), link.clone());
        let Some(slots) = group.slots_for(tenure) else {
            work.launch(None);
            group.node.runtime().backend().spawn_blocking(Box::new(move || work.run()));
            return TaskHandle::new(node);
        };
        let runtime = group.node.runtime().clone();
        slots.enter(&link, move |slot| {
            work.launch(Some(slot));
            runtime.backend().spawn_blocking(Box::new(move || work.run()));
        });
        TaskHandle::new(node)
    }

    /// [`TaskGroup::spawn_when_ready`].
    ///
    /// # Cancel safety
    ///
    /// As [`TaskGroup::spawn_when_ready`].
    #[track_caller]
    pub fn spawn_when_ready<T, F>(self, future: F) -> impl Future<Output = TaskHandle<T>> + use<K, T, F>
    where
        F: Future<Output = K::Output<T>> + Send + 'static,
        T: Send + 'static,
    {
        let (group, tenure) = (self.group.clone(), self.tenure);
        let slots = group.slots_for(tenure).cloned();
        let info = self.info(Location::caller());
        #[expect(clippy::async_yields_async, reason = "the handle may be awaited later, or never")]
        async move {
            let slot = Acquire::new(slots).await;
            let plan =
                Plan { info: move || info, tenure, right: Right::Has(slot), convert: K::into_result, settle: OfGroup };
            let begun = group.begin(plan, future, |_| ());
            begun.map_or_else(|refused| group.refused(refused.0), TaskHandle::new)
        }
    }

    #[inline]
    fn info(self, location: &'static Location<'static>) -> TaskInfo {
        TaskInfo::new(self.name, location)
    }
}

/// A unit for the node of a group.
pub(crate) fn unit_of<E: Send + 'static>(node: &GroupNode<E>) -> Unit {
    Unit::new(erase(node))
}
