//! Scoped groups: tasks that borrow, polled in the task of whoever opened the group.

mod body;
mod crew;
mod spawner;

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use self::body::{ScopedGroupFuture, local_scoped_group, scoped_group, try_local_scoped_group, try_scoped_group};
pub use self::spawner::Spawner;

use self::crew::Door;
use super::cell::GroupNode;
use super::error::{GroupClosed, StartError};
use super::handle::{TaskHandle, TaskStatus};
use super::info::TaskInfo;
use super::kind::{Kind, Plain, Shape};
use super::record::BranchRecord;
use super::spawned::{Owner, Settle, Spawned};
use super::start::{Started, Waiting};
use crate::cancel_scope::CancelHandle;
use crate::reason::Cancelled;
use crate::tree::erase;
use crate::unhandled::Unhandled;
use crate::unit::Entry;

/// A task of a [`ScopedGroup`].
pub(crate) type SendTask<'env> = Pin<Box<dyn Future<Output = ()> + Send + 'env>>;

/// A task of a [`LocalScopedGroup`].
pub(crate) type LocalTask<'env> = Pin<Box<dyn Future<Output = ()> + 'env>>;

/// What the handles to a scoped group share with its future.
struct Scope<K: Shape, C> {
    node: GroupNode<K::Error>,
    door: Arc<Door<C>>,
}

impl<K: Shape, C> Clone for Scope<K, C> {
    fn clone(&self) -> Self {
        Scope { node: self.node.clone(), door: self.door.clone() }
    }
}

impl<K: Kind, C> Scope<K, C> {
    /// Admits a task and gives it its place; the caller lets it in. `None`: the group has closed.
    fn admit<T>(&self, info: TaskInfo) -> Option<BranchRecord<T>> {
        if !self.door.admit() {
            return None;
        }
        let task = BranchRecord::new(info.of_group(self.node.ext.settings().name()));
        erase(&task.node).link(erase(&self.node));
        Some(task)
    }

    /// The handle of a task that was not started.
    fn refused<T>(&self, info: TaskInfo) -> TaskHandle<T> {
        self.node.runtime().report(Unhandled::SpawnedIntoClosedGroup { task: info.clone() });
        let task = BranchRecord::new(info);
        task.outcome.deliver(Err(TaskStatus::Closed));
        TaskHandle::of_branch(task)
    }

    /// The future of a task.
    fn task<T, F, G, S>(
        &self,
        task: &BranchRecord<T>,
        future: F,
        convert: G,
        settle: S,
    ) -> impl Future<Output = ()> + use<T, F, G, S, K, C>
    where
        F: Future,
        G: Fn(F::Output) -> Result<T, K::Error>,
        S: Settle<K::Error>,
    {
        Spawned::new(erase(&task.node), task.clone(), future, convert, settle, Owner::Foreign)
    }
}

/// The two handles differ in nothing but what they ask of tasks: whether they are `Send`.
macro_rules! scoped_group {
    ($(#[$doc:meta])* $group:ident, $(#[$builder_doc:meta])* $builder:ident, $task:ident $(, $send:ident)?) => {
        $(#[$doc])*
        pub struct $group<'env, K: Shape = Plain> {
            scope: Scope<K, $task<'env>>,
        }

        impl<'env, K: Shape> $group<'env, K> {
            fn new(scope: Scope<K, $task<'env>>) -> Self {
                $group { scope }
            }
        }

        impl<'env, K: Kind> $group<'env, K> {
            /// Starts a task in the group. It begins in the group's next poll, whether or not the handle is awaited or
            /// dropped.
            ///
            /// It may borrow whatever outlives the group. In a group that was cancelled it still gets its first poll. If
            /// the group has closed, the future is dropped, the handle says [`TaskError::Closed`](crate::TaskError::Closed) and the
            /// unhandled-outcome hook hears of it; [`try_spawn`](Self::try_spawn) gives the future back.
            #[track_caller]
            pub fn spawn<T, F>(&self, future: F) -> TaskHandle<T>
            where
                F: Future<Output = K::Output<T>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                self.task().spawn(future)
            }

            /// [`spawn`](Self::spawn) for a future that cannot fail, in a group of either kind.
            #[track_caller]
            pub fn spawn_ok<T, F>(&self, future: F) -> TaskHandle<T>
            where
                F: Future<Output = T> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                self.task().spawn_ok(future)
            }

            /// [`spawn`](Self::spawn) that gives the future back where the group has closed.
            ///
            /// # Errors
            ///
            /// [`GroupClosed`], with the future in it.
            #[track_caller]
            pub fn try_spawn<T, F>(&self, future: F) -> Result<TaskHandle<T>, GroupClosed<F>>
            where
                F: Future<Output = K::Output<T>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                self.task().try_spawn(future)
            }

            /// A task that is to be given a name before it is spawned.
            pub fn task(&self) -> $builder<'_, 'env, K> {
                $builder { group: self, name: None }
            }

            /// Starts a task and waits until it says that it has started: as [`TaskGroup::start`](crate::TaskGroup::start).
            ///
            /// The value that it says it with does not borrow.
            ///
            /// # Errors
            ///
            /// [`StartError`]: the task failed, was cancelled, or ended without having called `started`.
            ///
            /// # Panics
            ///
            /// With the panic of the task, if that comes before `started`.
            ///
            /// # Cancel safety
            ///
            /// As [`TaskGroup::start`](crate::TaskGroup::start).
            ///
            /// # Examples
            ///
            /// ```
            /// # #[cfg(feature = "smol")]
            /// # anyio::block_on(async {
            /// let name = String::from("cache");
            /// let outcome = anyio::scoped_group(async |s| {
            ///     let entries = s
            ///         .start(async |started| {
            ///             let entries = name.len(); // warm it up
            ///             if started.started(entries).is_ok() {
            ///                 anyio::sleep_forever().await; // keep it warm
            ///             }
            ///         })
            ///         .await
            ///         .unwrap();
            ///     s.cancel();
            ///     entries
            /// })
            /// .await;
            /// assert_eq!(outcome, Ok(5));
            /// # });
            /// ```
            #[track_caller]
            pub fn start<V, F, B>(
                &self,
                task: F,
            ) -> impl Future<Output = Result<V, StartError<K::Error>>> + use<'env, K, V, F, B>
            where
                V: Send + 'static,
                F: FnOnce(Started<V, K>) -> B,
                B: Future<Output = K::Output<()>> $(+ $send)? + 'env,
            {
                let scope = self.scope.clone();
                let info = TaskInfo::new(None, Location::caller());
                async move {
                    let mut entry = Entry::new();
                    poll_fn(|cx| entry.poll(cx)).await;
                    let mut waiting = Waiting::<V, K>::enter(scope.node.runtime(), info);
                    let body = task(waiting.token());
                    let child = scope.admit::<()>(waiting.info().clone()).ok_or(StartError::Closed)?;
                    let settle = waiting.settle_in(&scope.node);
                    waiting.expect(erase(&child.node));
                    scope.door.enter(Box::pin(scope.task(&child, body, K::into_result, settle)));
                    drop(child);
                    poll_fn(|cx| waiting.poll(cx)).await
                }
            }

            /// Cancels the group: its tasks and its body. If the body has completed, its value is what the group returns
            /// all the same.
            #[track_caller]
            pub fn cancel(&self) {
                erase(&self.scope.node).cancel(Cancelled::requested(None));
            }

            /// Asks the tasks and the body to stop by themselves, and cancels the group when `grace` is over: see
            /// [`CancelHandle::stop`].
            #[track_caller]
            pub fn stop(&self, grace: Duration) {
                self.scope().stop(grace);
            }

            /// A handle to the group's scope: for a reason, a deadline, or a shield.
            #[must_use]
            pub fn scope(&self) -> CancelHandle {
                CancelHandle::new(erase(&self.scope.node))
            }

            /// Whether the group has closed: nothing runs in it, and nothing can be spawned into it any more.
            #[must_use]
            pub fn is_closed(&self) -> bool {
                self.scope.door.is_closed()
            }
        }

        impl<K: Shape> Clone for $group<'_, K> {
            fn clone(&self) -> Self {
                $group { scope: self.scope.clone() }
            }
        }

        impl<K: Shape> fmt::Debug for $group<'_, K> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let closed = self.scope.door.is_closed();
                f.debug_struct(stringify!($group)).field("closed", &closed).finish_non_exhaustive()
            }
        }

        $(#[$builder_doc])*
        #[derive(Debug)]
        #[must_use = "nothing is spawned until one of the spawn methods is called"]
        pub struct $builder<'a, 'env, K: Shape = Plain> {
            group: &'a $group<'env, K>,
            name: Option<Arc<str>>,
        }

        impl<'env, K: Kind> $builder<'_, 'env, K> {
            /// Names the task, for errors and messages.
            pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
                self.name = Some(name.into());
                self
            }

            #[doc = concat!("[`", stringify!($group), "::spawn`].")]
            #[track_caller]
            pub fn spawn<T, F>(self, future: F) -> TaskHandle<T>
            where
                F: Future<Output = K::Output<T>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                let scope = &self.group.scope;
                let info = TaskInfo::new(self.name, Location::caller());
                let Some(task) = scope.admit(info.clone()) else {
                    return scope.refused(info);
                };
                scope.door.enter(Box::pin(scope.task(&task, future, K::into_result, scope.node.clone())));
                TaskHandle::of_branch(task)
            }

            #[doc = concat!("[`", stringify!($group), "::spawn_ok`].")]
            #[track_caller]
            pub fn spawn_ok<T, F>(self, future: F) -> TaskHandle<T>
            where
                F: Future<Output = T> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                let scope = &self.group.scope;
                let info = TaskInfo::new(self.name, Location::caller());
                let Some(task) = scope.admit(info.clone()) else {
                    return scope.refused(info);
                };
                scope.door.enter(Box::pin(scope.task(&task, future, Ok, scope.node.clone())));
                TaskHandle::of_branch(task)
            }

            #[doc = concat!("[`", stringify!($group), "::try_spawn`].")]
            ///
            /// # Errors
            ///
            /// [`GroupClosed`], with the future in it.
            #[track_caller]
            pub fn try_spawn<T, F>(self, future: F) -> Result<TaskHandle<T>, GroupClosed<F>>
            where
                F: Future<Output = K::Output<T>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                let scope = &self.group.scope;
                let Some(task) = scope.admit(TaskInfo::new(self.name, Location::caller())) else {
                    return Err(GroupClosed(future));
                };
                scope.door.enter(Box::pin(scope.task(&task, future, K::into_result, scope.node.clone())));
                Ok(TaskHandle::of_branch(task))
            }
        }
    };
}

scoped_group! {
    /// A handle to a scoped group, which spawns into it and cancels it: what
    /// [`scoped_group`](scoped_group()) and [`try_scoped_group`] hand to their closure.
    ///
    /// It is to these what [`TaskGroup`](crate::TaskGroup) is to [`task_group`](crate::task_group()), with the same
    /// methods, except those for threads, slots, daemons and futures that others run. Its tasks, and the values that they return, may borrow for `'env`: from whatever outlives the group. It is
    /// cheap to clone, may be moved into tasks, and spawns from every thread and from destructors.
    ///
    /// # Examples
    ///
    /// A helper that spawns borrows for as long as the group does:
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use anyio::{ScopedGroup, scoped_group};
    ///
    /// fn count<'env>(s: &ScopedGroup<'env>, pages: &'env [String]) {
    ///     for page in pages {
    ///         s.task().name("counter").spawn(async move { println!("{}", page.len()) });
    ///     }
    /// }
    ///
    /// let pages = vec![String::from("index"), String::from("about")];
    /// scoped_group(async |s| count(&s, &pages)).await.unwrap();
    /// # });
    /// ```
    ScopedGroup,
    /// A task that is about to be spawned: see [`ScopedGroup::task`].
    ScopedTaskBuilder, SendTask, Send
}

scoped_group! {
    /// A handle to a scoped group of tasks that need not be `Send`: what [`local_scoped_group`] and
    /// [`try_local_scoped_group`] hand to their closure.
    ///
    /// It is a [`ScopedGroup`] that stays on its thread. [`scope`](LocalScopedGroup::scope) cancels it from anywhere.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use std::rc::Rc;
    ///
    /// let counter = Rc::new(std::cell::Cell::new(0));
    /// anyio::local_scoped_group(async |s| {
    ///     for _ in 0..3 {
    ///         let counter = counter.clone();
    ///         s.spawn(async move { counter.set(counter.get() + 1) });
    ///     }
    /// })
    /// .await
    /// .unwrap();
    /// assert_eq!(counter.get(), 3);
    /// # });
    /// ```
    LocalScopedGroup,
    /// A task that is about to be spawned: see [`LocalScopedGroup::task`].
    LocalScopedTaskBuilder, LocalTask
}
