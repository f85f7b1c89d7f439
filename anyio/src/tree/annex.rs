//! What few nodes have.

use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use once_cell::race::OnceBox;

use super::alarm::Alarms;
use super::stop::Stop;
use super::{Link, Locked, Node, Place, Tenure};
use crate::locals::Values;
use crate::lock::{Mutex, MutexGuard};
use crate::reason::Cancelled;
use crate::runtime::Runtime;
use crate::task_group::{Names, Slot};

/// What few nodes have, in memory of its own: from when it is needed for the first time until the node is dropped.
#[derive(Default)]
pub(super) struct Annex {
    /// The runtime that serves everything from here on, if it is not that of the parent, or on some levels.
    pub(super) runtime: OnceLock<Runtime>,
    pub(super) alarms: OnceBox<Alarms>,
    /// The caller of `start` that is held until the task is gone.
    caller: OnceBox<Weak<Node>>,
    /// What the task and its group are called.
    names: OnceLock<Arc<Names>>,
    /// Why the task was cut short.
    cut: OnceLock<Cancelled>,
    /// The right of the task to run, in a group with a limit.
    slot: Mutex<Option<Slot>>,
    /// The values in effect in the task, between its polls.
    values: Mutex<Values>,
    /// How many of those that `live` counts are daemons. Looked at under the node's lock.
    daemons: AtomicU32,
    /// Looked at under the node's lock; so nobody ever waits for this one.
    rare: OnceBox<Mutex<Rare>>,
}

/// What few nodes have under their lock.
#[derive(Default)]
pub(super) struct Rare {
    /// The first cancellation requested at this very node.
    pub(super) own: Option<Cancelled>,
    /// The reason of the cause, unless that is the parent's, too, and [is looked for there](Node::cause_in).
    pub(super) reason: Option<Cancelled>,
    pub(super) deadline: Option<Instant>,
    pub(super) stop: Stop,
}

impl Annex {
    pub(super) fn of(runtime: Runtime) -> Box<Self> {
        Box::new(Annex { runtime: OnceLock::from(runtime), ..Annex::default() })
    }

    #[cold]
    pub(super) fn take_values_in(annex: &mut Option<Box<Self>>, values: Values) {
        *annex.get_or_insert_default().values.get_mut() = values;
    }

    /// That of a node on a level where each has its runtime.
    #[cold]
    pub(super) fn of_level(parent: &Node) -> Option<Box<Self>> {
        parent.try_runtime().cloned().map(Annex::of)
    }
}

impl<X: ?Sized> Node<X> {
    /// Gives the node its place; says whether it had none.
    pub(super) fn take_place(&self, place: Place) -> bool {
        self.place.set(place, |annex| {
            // It may have one already, to which nothing is news but the runtime.
            if let Err(mut annex) = self.annex.set(annex)
                && let Some(runtime) = annex.runtime.take()
            {
                let fresh = self.annex().runtime.set(runtime).is_ok();
                debug_assert!(fresh, "a node is linked once");
            }
        })
    }

    pub(super) fn annex(&self) -> &Annex {
        self.annex.get_or_init(Box::default)
    }

    /// What is rare in this node, which is locked in `_state`, if there is anything.
    #[inline]
    pub(super) fn rare(&self, _state: &Locked<'_>) -> Option<MutexGuard<'_, Rare>> {
        Some(self.annex.get()?.rare.get()?.lock())
    }

    /// [`rare`](Self::rare), to be added to.
    pub(super) fn rare_mut(&self, _state: &Locked<'_>) -> MutexGuard<'_, Rare> {
        self.annex().rare.get_or_init(Box::default).lock()
    }

    pub(super) fn deadline_in(&self, state: &Locked<'_>) -> Option<Instant> {
        self.rare(state)?.deadline
    }

    #[inline]
    pub(super) fn daemons(&self, _state: &Locked<'_>) -> u32 {
        self.annex.get().map_or(0, |annex| annex.daemons.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn count_daemon(&self, state: &Locked<'_>, tenure: Tenure) {
        if tenure == Tenure::Daemon {
            self.annex().daemons.store(self.daemons(state) + 1, Ordering::Relaxed);
        }
    }

    pub(super) fn count_daemon_out(&self, state: &Locked<'_>) {
        self.annex().daemons.store(self.daemons(state) - 1, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn keep_names(&self, names: Option<Arc<Names>>) {
        if let Some(names) = names {
            let fresh = self.annex().names.set(names).is_ok();
            debug_assert!(fresh, "a task is named once");
        }
    }

    pub(crate) fn names(&self) -> Option<&Arc<Names>> {
        self.annex.get()?.names.get()
    }

    /// The task has the right to run, until it is [given back](Self::give_back_slot).
    pub(crate) fn keep_slot(&self, slot: Slot) {
        let old = self.annex().slot.lock().replace(slot);
        debug_assert!(old.is_none(), "a task is launched once");
    }

    #[inline]
    pub(crate) fn give_back_slot(&self) {
        if let Some(annex) = self.annex.get() {
            let slot = annex.slot.lock().take();
            drop(slot);
        }
    }

    pub(crate) fn keep_values(&self, values: Values) {
        let old = mem::replace(&mut *self.annex().values.lock(), values);
        debug_assert!(old.is_empty(), "they were taken");
    }

    /// The values that are [kept](Self::keep_values).
    pub(crate) fn take_values(&self) -> Values {
        mem::take(&mut *self.annex().values.lock())
    }

    /// The task was cut short, as its handle will be told.
    pub(crate) fn note_cut(&self, reason: Cancelled) {
        let fresh = self.annex().cut.set(reason).is_ok();
        debug_assert!(fresh, "a task ends once");
    }

    /// Why the task was cut short, which was [noted](Self::note_cut).
    pub(crate) fn why_cut(&self) -> Cancelled {
        let noted = self.annex.get().and_then(|annex| annex.cut.get());
        noted.expect("it was noted before the handle was told").clone()
    }

    /// Has the task let go of the `caller` of `start` when it is gone, with all below it.
    pub(crate) fn release_when_gone(&self, caller: &Link) {
        let fresh = self.annex().caller.set(Box::new(Link::downgrade(caller))).is_ok();
        debug_assert!(fresh, "a task is started once");
    }

    /// Who is to be let go of when the task is gone, if that is still there.
    #[inline]
    pub(crate) fn caller(&self) -> Option<Link> {
        self.annex.get()?.caller.get()?.upgrade()
    }
}
