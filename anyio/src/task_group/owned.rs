//! [`OwnedTaskGroup`]: a group held by a value.

use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::panic::resume_unwind;

use super::TaskGroup;
use super::cell::{Desert, Group, GroupCell, Sum};
use super::error::GroupError;
use super::kind::{Kind, Plain, Try};
use super::settings::Settings;
use crate::context;
use crate::reason::{CancelReason, Cancelled};
use crate::runtime::Runtime;
use crate::tree::{Node, Place, Role, erase};
use crate::unit::Entry;

/// A task group held by a value: for structs that keep background tasks, such as a connection with its reader.
///
/// It spawns like any [`TaskGroup`], to which it dereferences. [`close`](OwnedTaskGroup::close) waits for its tasks and
/// returns their errors. Dropping it cancels them; they do not outlive the run ([`run`](crate::run)) in which it was
/// made, which waits for them. It does not belong to the scopes and timeouts around its constructor: a value may leave
/// those. To have it belong to a group, make it with [`in_group`](OwnedTaskGroup::in_group).
///
/// A task that fails cancels the others, as in every group; [`close`](OwnedTaskGroup::close) then tells.
/// [`GroupBuilder::owned`](crate::GroupBuilder::owned) makes one with settings: supervised, or with a limit.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::OwnedTaskGroup;
///
/// struct Connection {
///     tasks: OwnedTaskGroup,
/// }
///
/// impl Connection {
///     fn open() -> Self {
///         let tasks = OwnedTaskGroup::new();
///         tasks.spawn(anyio::sleep_forever()); // the reader
///         Connection { tasks }
///     }
///
///     async fn close(self) {
///         self.tasks.cancel();
///         self.tasks.close().await.unwrap();
///     }
/// }
///
/// Connection::open().close().await;
/// # });
/// ```
#[must_use = "dropping an owned group cancels its tasks"]
pub struct OwnedTaskGroup<K: Kind = Plain> {
    group: TaskGroup<K>,
}

impl OwnedTaskGroup {
    /// A group of tasks that cannot fail, in the current runtime.
    ///
    /// # Panics
    ///
    /// Where there is no runtime.
    pub fn new() -> Self {
        Self::here(Settings::default())
    }

    /// [`new`](OwnedTaskGroup::new) for a group that belongs to `parent`: cancelling that cancels this one, and that waits
    /// for the tasks of this one.
    pub fn in_group<P: Kind>(parent: &TaskGroup<P>) -> Self {
        Self::below(parent, Settings::default())
    }
}

impl<E: Send + 'static> OwnedTaskGroup<Try<E>> {
    /// A group of tasks that may fail, in the current runtime.
    ///
    /// # Panics
    ///
    /// Where there is no runtime.
    pub fn fallible() -> Self {
        Self::here(Settings::default())
    }

    /// [`fallible`](OwnedTaskGroup::fallible) for a group that belongs to `parent`, as [`in_group`](OwnedTaskGroup::in_group)
    /// has it.
    pub fn fallible_in_group<P: Kind>(parent: &TaskGroup<P>) -> Self {
        Self::below(parent, Settings::default())
    }
}

impl<K: Kind> OwnedTaskGroup<K> {
    pub(super) fn here(settings: Settings<K::Error>) -> Self {
        let runtime = Runtime::current().unwrap_or_else(|error| panic!("{error}"));
        let node = Node::new(Role::Owned, GroupCell::new(settings));
        erase(&node).link_at(Place::at_home(runtime));
        OwnedTaskGroup { group: TaskGroup::new(node) }
    }

    pub(super) fn below<P: Kind>(parent: &TaskGroup<P>, settings: Settings<K::Error>) -> Self {
        let node = Node::new(Role::Owned, GroupCell::new(settings));
        erase(&node).link(parent.link());
        OwnedTaskGroup { group: TaskGroup::new(node) }
    }

    /// Waits for all tasks and returns what the group comes to.
    ///
    /// # Errors
    ///
    /// As [`task_group`](crate::task_group()) and [`try_task_group`](crate::try_task_group). Tasks that the group's own
    /// [`cancel`](TaskGroup::cancel) cut short are no error.
    ///
    /// # Panics
    ///
    /// With the first panic of a task.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the group: its tasks are cancelled, and the run waits for them.
    pub async fn close(self) -> K::Outcome<()> {
        let link = self.group.link();
        poll_fn(context::poll_budget).await;
        link.begin_exit(None);
        poll_fn(|cx| link.poll_gone(cx)).await;
        match Group::at(&link).sum_up() {
            Sum::Panicked(payload) => resume_unwind(payload),
            Sum::Failed(error) => return K::into_outcome(Err(error)),
            Sum::Well { is_cut: false } => return K::into_outcome(Ok(())),
            Sum::Well { is_cut: true } => {}
        }
        // Whoever is cancelled around here is to drop this first (law C4).
        let mut entry = Entry::new();
        poll_fn(|cx| entry.poll_offer(cx)).await;
        K::into_outcome(Err(GroupError::Cancelled(
            Group::<K::Error>::at(&link).outside().expect("it was cut short from outside"),
        )))
    }
}

impl<K: Kind> Drop for OwnedTaskGroup<K> {
    fn drop(&mut self) {
        let link = self.group.link();
        let _desert = Desert::<K::Error>::new(&link);
        if !link.is_empty() {
            link.cancel(Cancelled::new(CancelReason::GroupDropped));
        }
        link.finish();
    }
}

impl Default for OwnedTaskGroup {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Kind> Deref for OwnedTaskGroup<K> {
    type Target = TaskGroup<K>;

    fn deref(&self) -> &TaskGroup<K> {
        &self.group
    }
}

impl<K: Kind> fmt::Debug for OwnedTaskGroup<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedTaskGroup").field("group", &self.group).finish()
    }
}
