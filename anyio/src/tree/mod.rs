//! The tree: every scope, group, task and shield is a node, and every law about cancelling and waiting is a statement
//! about nodes. A timeout becomes one as soon as anything is to be linked below it.
//!
//! # Invariants
//!
//! 1. **Place.** A node gets its parent once, at the first poll of its future (tasks: when they are spawned), and keeps
//!    it. A task's parent is its group's node, whoever spawned it.
//! 2. **Cause.** A node's cause is the cancellation that reached this node and started nearest to the root; it is replaced
//!    only by one that started nearer still, and never taken away. `eff` mirrors its depth.
//! 3. **Spread.** When a node has a cause, so has every node below it that is not gone, except behind a node whose
//!    `shield` is up. A node that is linked below it later takes the cause over as it is linked.
//! 4. **Live.** `live` counts the tasks directly below a node (for a task's node: itself) plus the nodes directly below
//!    it whose own `live` is not 0. Hence it is 0 exactly when no task exists anywhere below, not even one whose
//!    spawning is under way or whose future is being destroyed. Branches, which cannot run without their owner, do not
//!    count: see `branches`.
//! 5. **Closed.** A node closes when it is `exiting` and nothing is live below but `daemons`, decided under its lock; from
//!    then on raising it is refused, except by what its daemons leave to be protected. Once it is closed and `live` is 0
//!    it stays 0: whoever sees that knows that no task will ever be below it again.
//! 6. **Lean.** `holds` counts the nodes directly below, in the same task, that lean on this one. A node leans on its
//!    parent while its shield is up, while it holds on its own account, while it is waiting for tasks that are live
//!    below it, or while others lean on it. A unit whose `holds` is not 0 does not drop its body. One that was let go of
//!    by a task's end, on whatever thread, is `owed` the poll that collects what the task left: it stays held until that
//!    poll begins.
//! 7. **Gone.** A node is gone once its future has ended or was dropped. It does not lean any more and its parent does
//!    not list it; nothing but what is counted in `live` remains of it. A group to whose end
//!    nobody but its task has to be told leaves with its last task, before its future looks.
//!
//! # Lock order
//!
//! A thread that has locked a node may lock that node's parent, and nothing else: locks are nested from the leaf to the
//! root, so they cannot form a cycle. This happens on the way up from 0 to 1 (`raise`, `lean`), where a second task
//! must not start before the whole chain counts it; where the last that was live lets go of the parent; and where a reason
//! is looked up that stands above. The other ways down, and the spreading of a cause, lock one node at a time: the latter also
//! some below, if nobody has to wait for that. No lock is held while a waker is woken or dropped, while the backend is
//! called, or while anything of the user's runs or is dropped; wakers are cloned under it. The locks of what few nodes
//! have (see `annex`) are taken last, and nothing is called or dropped under them either. Those of alarms, and of those who may
//! wait too long, are apart from those of nodes: see `alarm` and `stall`.
//!
//! The list of a node's children, and the key under which each of them stands in it, are guarded by that node's lock.

mod alarm;
mod annex;
mod cancel;
mod children;
mod count;
mod lock;
mod marks;
#[cfg(all(test, anyio_loom))]
mod model;
mod place;
mod poller;
mod stall;
mod stop;
mod vacant;

use std::any::Any;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use once_cell::race::OnceBox;

pub(crate) use self::alarm::{Alarm, Bell};
use self::annex::Annex;
use self::children::{Children, Key};
pub(crate) use self::count::erase;
pub(crate) use self::lock::{
    AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicUsize, Mutex, MutexGuard, Ordering, UnsafeCell,
};
use self::lock::{Guarded, Lock, Locked};
use self::marks::{Mark, Marks};
pub(crate) use self::place::Place;
use self::place::Standing;
use self::poller::{Calls, Whom};
pub(crate) use self::poller::{Poller, wake};
pub(crate) use self::stall::Stalls;
pub(crate) use self::vacant::Vacant;
use crate::carrier::{Carry, Home};
use crate::reason::Cancelled;
use crate::runtime::Runtime;
use crate::task_group::TaskId;

/// A node of any kind.
pub(crate) type Link = Arc<Node>;

/// What a node is, which decides what its future may do with its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The root of a runtime: counts, cannot be cancelled, lists no children.
    Root,
    /// The main future of a run.
    Run,
    /// A task: a child of a group.
    Task,
    /// A task of a scoped group, or a branch of a combinator: polled in the task of its parent, dropped apart from it.
    Branch,
    /// The body of a scoped group.
    Body,
    /// A task group whose body is a future.
    Group,
    /// A task group without a body of its own, held by a value.
    Owned,
    /// A cancel scope.
    Scope,
    /// A body with a clean-up.
    Finally,
    /// A timeout: may drop its body when it was cancelled itself, and looks through to its parent otherwise.
    Timeout,
    /// A shield around a future that has no other power.
    Shield,
    /// Anything that only has a place: a wait, an entry, a pending start.
    Leaf,
}

/// What may drop a body, as seen from inside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Power {
    /// For any cause.
    Any,
    /// For its own cause only.
    Own,
    /// Never.
    None,
}

impl Role {
    /// Whether nodes of this role end the task they are in: what is above belongs to another task, or to none.
    fn is_boundary(self) -> bool {
        matches!(self, Role::Root | Role::Run | Role::Task | Role::Owned)
    }

    /// Whether tasks are directly below.
    fn is_group(self) -> bool {
        matches!(self, Role::Group | Role::Owned)
    }

    fn power(self) -> Power {
        match self {
            Role::Run | Role::Task | Role::Branch | Role::Body => Power::Any,
            Role::Group | Role::Scope | Role::Finally => Power::Any,
            Role::Timeout => Power::Own,
            Role::Root | Role::Owned | Role::Shield | Role::Leaf => Power::None,
        }
    }
}

/// What the node above does for a task when it is otherwise done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenure {
    /// It waits for the task.
    Ordinary,
    /// It cancels the task, and waits for it then.
    Daemon,
    /// It waits for the task, also when it has closed and waits for daemons only.
    Protected,
}

/// How the node of a task is put into the queue of its carriers.
pub(crate) type Queued = fn(Link) -> Arc<dyn Carry>;

/// What a kind of node does beyond being in the tree. Every method is called without locks.
pub(crate) trait Ext: Any + Send + Sync {
    /// A cause has reached the node, or stopped at its shield.
    fn reached(&self, _node: &Link, _cause: &Cause) {}

    /// The grace that was set on the node is over.
    fn grace_over(&self, _node: &Link) {}

    /// Nothing is live below the node any more.
    fn emptied(&self, _node: &Link) {}

    /// Whether the node may leave with the last that is live below it, as there is nothing that would be lost with its future.
    fn may_leave(&self) -> bool {
        false
    }

    /// Which task this is the node of, if it is that of a task.
    fn task(&self) -> Option<TaskId> {
        None
    }

    /// Whether this is the node of a task that is carried and has had a turn.
    fn has_had_turn(&self) -> bool {
        false
    }

    /// For the node of a task that is carried: notes that it is to be polled, and says how it is queued, and where, if the
    /// caller has to see to that.
    fn wake(&self) -> Option<(Home, Queued)> {
        None
    }

    /// A task directly below, which is carried, waits for the first time.
    fn task_waits(&self, _node: &Link) {}

    /// A node above has ended before this one, whose future was forgotten, or is polled by reference.
    fn left_behind(&self, _node: &Link) {}

    /// What may be known of it by its type.
    fn known(&self) -> &dyn Any;
}

/// For nodes with nothing of their own.
impl Ext for () {
    fn known(&self) -> &dyn Any {
        self
    }
}

/// A cancellation, and how far from the root it started.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) depth: u32,
    pub(crate) reason: Cancelled,
}

/// A place in the tree, with what a kind of node needs beyond it.
pub(crate) struct Node<X: ?Sized = dyn Ext> {
    /// Where the node stands (invariant 1); unset until its first poll.
    place: Standing,
    /// Where the cause started (invariant 2), or [`NO_CAUSE`]. Stored with Release under the lock; a load with Acquire that
    /// sees a depth sees what the canceller did before.
    eff: AtomicU32,
    /// How many of those that `holds` counts have stopped leaning, and are about to be counted out (invariant 6). Raised
    /// under the lock of the one that stops; lowered with Release under this node's lock, after `holds`.
    letting_go: AtomicU16,
    /// How many threads are about to let go of the parent for this node, which has stopped leaning. Stored with Release under
    /// the lock, before it is told that it is over.
    releasing: AtomicU16,
    state: Lock,
    annex: OnceBox<Annex>,
    pub(crate) ext: X,
}

/// What is looked at without the lock. It lies beside that.
struct Flags {
    role: Role,
    tenure: Tenure,
    /// Whether the node was cancelled itself (`OWN`); whether it has closed and nothing is live below (invariant 5; `OVER`), and
    /// is gone with that (`LEFT`). Stored with Release under the lock, like `eff`; a load with Acquire that sees that it is over
    /// sees what those did who were live.
    told: AtomicU8,
    /// Whether `state.holds` is not 0. Stored with Release under the lock.
    held: AtomicBool,
    /// Whether a task's end has let go of this unit since its last poll began (invariant 6). Set under the lock, before
    /// `held`: who sees nothing hold any more sees this. Cleared by the poller with AcqRel, which then sees what the task
    /// left.
    owed: AtomicBool,
    /// What the poller notes for its next poll: `OVERDUE`, `WATCHED`, and in units of `EPOCH` how many polls of the unit's body
    /// have ended. Only the poller writes; whoever reads it is inside that poll.
    notes: AtomicU8,
}

/// It was cancelled itself.
const OWN: u8 = 1;
/// It is over.
const OVER: u8 = 2;
/// It is over, and has left before its future looked.
const LEFT: u8 = 4;

/// A task has stepped aside in vain: see [`context::poll_budget`](crate::context::poll_budget).
const OVERDUE: u8 = 1;
/// It is seen to that the hook hears if the unit waits too long.
const WATCHED: u8 = 2;
/// One poll has ended. They are counted modulo the 64 for which there is room.
const EPOCH: u8 = 4;

/// What stands for the depth of a cause where there is none.
const NO_CAUSE: u32 = u32::MAX;

/// The key of a node that no parent lists.
const NOT_LISTED: Key = Key::MAX;

/// On every so manieth level a node keeps a handle to its runtime. The others look for one above, which is not far, so
/// that tasks on all threads need not count themselves in and out of one handle.
const LEVELS: u32 = 8;

/// What the lock of a node guards, beside its [`Marks`].
struct State {
    /// Whoever polls this node's future: it, or whoever waits for its exit.
    poller: Whom,
    /// The nodes directly below that are not gone.
    children: Children,
    /// Invariant 4.
    live: u32,
    /// Invariant 6.
    holds: u32,
}

impl State {
    /// Whom to wake, if somebody is to be woken.
    #[inline]
    fn poller_if(&self, is_wanted: bool) -> Option<Poller> {
        if is_wanted { self.poller.get() } else { None }
    }

    /// Learns who polls this node's future, if that is news; gives who did before.
    #[inline]
    fn learn(&mut self, news: Option<Poller>) -> Option<Poller> {
        self.poller.replace(news?)
    }
}

impl<X: Ext + 'static> Node<X> {
    /// A node without a place.
    pub(crate) fn new(role: Role, ext: X) -> Arc<Self> {
        Arc::new(Self::build(role, Tenure::Ordinary, None, None, ext))
    }

    /// The node of a group, at its place.
    #[inline(always)]
    pub(crate) fn group(place: Place, ext: X) -> Arc<Self> {
        let node = Vacant::new().fill(Self::build(Role::Group, Tenure::Ordinary, Some(place), None, ext));
        if let Some(inherited) = node.parent().and_then(|parent| parent.list_made(|| erase(&node))) {
            erase(&node).inherit(Some(inherited));
        }
        node
    }

    /// The node of a task, which is adopted later: by `parent`, if that is known already.
    #[inline]
    pub(crate) fn task(tenure: Tenure, parent: Option<Link>, ext: X) -> Arc<Self> {
        Arc::new(Self::build(Role::Task, tenure, parent.map(Place::inside), None, ext))
    }

    /// The node of a task that is carried.
    #[inline]
    pub(crate) fn carried(vacant: Vacant<Self>, tenure: Tenure, place: Place, ext: X) -> Arc<Self> {
        vacant.fill(Self::build(Role::Task, tenure, Some(place), Some(Poller::Task), ext))
    }

    #[inline(always)]
    fn build(role: Role, tenure: Tenure, place: Option<Place>, poller: Option<Poller>, ext: X) -> Self {
        let flags = Flags {
            role,
            tenure,
            told: AtomicU8::new(0),
            held: AtomicBool::new(false),
            owed: AtomicBool::new(false),
            notes: AtomicU8::new(0),
        };
        let state = State {
            poller: Whom::from(poller),
            children: Children::NONE,
            live: u32::from(role == Role::Task),
            holds: 0,
        };
        let marks = Marks::NONE
            .with(Mark::Shield, role == Role::Shield)
            .with(Mark::Holding, role == Role::Finally)
            .with(Mark::Waiting, role == Role::Group)
            .with(Mark::Exiting, role == Role::Task);
        let (place, annex) = Standing::made(place);
        Node {
            place,
            eff: AtomicU32::new(NO_CAUSE),
            letting_go: AtomicU16::new(0),
            releasing: AtomicU16::new(0),
            state: Guarded::new(flags, marks, state),
            annex: annex.map_or_else(OnceBox::new, OnceBox::with_value),
            ext,
        }
    }

    /// The root of a runtime.
    pub(crate) fn root(ext: X) -> Arc<Self> {
        Arc::new(Self::build(Role::Root, Tenure::Ordinary, Some(Place::of_root()), None, ext))
    }
}

impl Node {
    /// What the node carries, which is known to be of this kind.
    #[inline]
    pub(crate) fn known_as<X: Ext>(&self) -> &X {
        self.ext.known().downcast_ref().expect("the kind of node is known")
    }
}

impl<X: Ext + ?Sized> Node<X> {
    #[inline]
    pub(crate) fn role(&self) -> Role {
        self.flags().role
    }

    #[inline]
    fn flags(&self) -> &Flags {
        self.state.beside()
    }

    fn tenure(&self) -> Tenure {
        self.flags().tenure
    }

    #[inline]
    pub(crate) fn is_daemon(&self) -> bool {
        self.tenure() == Tenure::Daemon
    }

    #[inline]
    pub(crate) fn parent(&self) -> Option<&Link> {
        self.place.parent()
    }

    /// How far the node is from the root. Meaningful only once it has a place.
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.place.depth()
    }

    /// The runtime that serves this node, once it has a place.
    #[inline]
    pub(crate) fn try_runtime(&self) -> Option<&Runtime> {
        let (mut place, mut annex) = (&self.place, &self.annex);
        loop {
            let parent = match place.runtime_or_parent() {
                Ok(runtime) => return Some(runtime),
                Err(parent) => parent?,
            };
            if let Some(runtime) = annex.get().and_then(|annex| annex.runtime.get()) {
                return Some(runtime);
            }
            (place, annex) = (&parent.place, &parent.annex);
        }
    }

    /// # Panics
    ///
    /// Before the node has a place, and on roots.
    pub(crate) fn runtime(&self) -> &Runtime {
        self.try_runtime().expect("a node that is in use has a runtime")
    }

    #[inline]
    pub(crate) fn is_eff(&self) -> bool {
        self.eff.load(Ordering::Acquire) != NO_CAUSE
    }

    /// Tells those who do not take the lock, which is had.
    #[inline]
    fn tell(&self, _state: &Locked<'_>, news: u8) {
        let told = &self.flags().told;
        told.store(told.load(Ordering::Relaxed) | news, Ordering::Release);
    }

    #[inline]
    fn was_told(&self, news: u8) -> bool {
        self.flags().told.load(Ordering::Acquire) & news != 0
    }

    /// Whether the node was cancelled itself.
    #[inline]
    fn is_own(&self) -> bool {
        self.was_told(OWN)
    }

    /// Where the outermost cancellation that has reached this node started, if one has.
    #[inline]
    pub(crate) fn cause_depth(&self) -> Option<u32> {
        Some(self.eff.load(Ordering::Acquire)).filter(|depth| *depth != NO_CAUSE)
    }

    /// The outermost cancellation that has reached this node.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.cause_in(&self.lock())
    }

    /// [`cause`](Self::cause) of this node, which is locked in `state`.
    fn cause_in(&self, state: &Locked<'_>) -> Option<Cause> {
        let depth = self.cause_depth()?;
        match self.rare(state).and_then(|rare| rare.reason.clone()) {
            Some(reason) => Some(Cause { depth, reason }),
            None => self.parent()?.cause(),
        }
    }

    /// Whether the reason of a cause from outside stands at the parent only: a group has many tasks, and what reaches one of
    /// them from outside has reached the group before.
    fn shares_reasons(&self) -> bool {
        self.role() == Role::Task && self.parent().is_some_and(|parent| parent.role().is_group())
    }

    /// The cancellation requested at this very node.
    pub(crate) fn own_reason(&self) -> Option<Cancelled> {
        self.rare(&self.lock())?.own.clone()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline_in(&self.lock())
    }

    pub(crate) fn is_shielded(&self) -> bool {
        self.lock().is(Mark::Shield)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.lock().is(Mark::Gone)
    }

    /// Whether no task is below, nor will be again.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.was_told(OVER)
    }

    /// Whether no task is below, nor will be again. If there may be, `news` is who will be woken by what happens here.
    pub(crate) fn is_closed_or_wakes(&self, news: Option<Poller>) -> bool {
        let mut state = self.lock();
        let is_closed = state.is_over();
        let old = state.learn(news);
        drop(state);
        drop(old);
        is_closed
    }

    /// Tells those who do not take the lock that all is over here, if it is.
    #[inline]
    fn note_if_over(&self, state: &Locked<'_>) {
        if state.is_over() {
            self.tell(state, OVER);
        }
    }

    /// Whether nothing can be spawned below any more.
    pub(crate) fn is_refusing(&self) -> bool {
        self.lock().is(Mark::Closed)
    }

    /// Whether somebody is about to let go of the parent for this node; its future is woken after that.
    pub(crate) fn is_releasing(&self) -> bool {
        self.releasing.load(Ordering::Acquire) > 0 || (self.role() == Role::Leaf && self.lock().is(Mark::Holding))
    }

    /// Tells polls of the body from each other, but for those that are a multiple of 64 polls apart.
    #[inline]
    pub(crate) fn epoch(&self) -> u8 {
        self.flags().notes.load(Ordering::Relaxed) / EPOCH
    }

    /// A poll of the body begins: it collects what was owed.
    #[inline]
    pub(crate) fn begin_poll(&self) {
        if self.flags().owed.load(Ordering::Relaxed) {
            self.flags().owed.swap(false, Ordering::AcqRel);
        }
    }

    /// Whether the poll that this unit is owed has not begun.
    #[inline]
    pub(crate) fn is_owed(&self) -> bool {
        self.flags().owed.load(Ordering::Acquire)
    }

    /// A poll of the body has ended.
    #[inline]
    pub(crate) fn end_poll(&self) {
        let notes = &self.flags().notes;
        notes.store(notes.load(Ordering::Relaxed).wrapping_add(EPOCH), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn is_overdue(&self) -> bool {
        self.has_noted(OVERDUE)
    }

    pub(crate) fn set_overdue(&self, overdue: bool) {
        self.note(OVERDUE, overdue);
    }

    #[inline]
    fn has_noted(&self, note: u8) -> bool {
        self.flags().notes.load(Ordering::Relaxed) & note != 0
    }

    /// Only for the poller.
    fn note(&self, note: u8, holds: bool) {
        let others = self.flags().notes.load(Ordering::Relaxed) & !note;
        self.flags().notes.store(if holds { others | note } else { others }, Ordering::Relaxed);
    }

    /// Sets whom to wake; the waker that it replaces is dropped without the lock.
    pub(crate) fn set_waker(&self, waker: &Waker) {
        self.set_poller(Poller::Waker(waker.clone()));
    }

    /// [`set_waker`](Self::set_waker) for a clone that was made already, or for whoever needs none.
    pub(crate) fn set_poller(&self, poller: Poller) {
        let old = self.lock().poller.replace(poller);
        drop(old);
    }

    /// Wakes the tasks directly below that are carried and have had a turn. Those that queue for a slot are left alone:
    /// they get one, or are cancelled, when those who run are dropped.
    pub(crate) fn wake_tasks(&self) {
        let state = self.lock();
        let tasks: Vec<_> = state.children.iter().filter(|node| node.ext.has_had_turn()).cloned().collect();
        drop(state);
        let mut calls = Calls::default();
        tasks.iter().for_each(|task| calls.add(task, Some(Poller::Task)));
    }

    /// The future of this task has ended: from now on the waker is that of whoever waits until it is gone. Tells whether
    /// the task was cancelled.
    pub(crate) fn clear_waker(&self) -> bool {
        let mut state = self.lock();
        let old = state.poller.take();
        let is_cancelled = self.is_eff();
        drop(state);
        drop(old);
        is_cancelled
    }

    /// Waits until this task, whose future has ended, is counted out, with all below it.
    pub(crate) fn poll_gone(&self, cx: &Context<'_>) -> Poll<()> {
        self.set_waker(cx.waker());
        if self.is_closed() { Poll::Ready(()) } else { Poll::Pending }
    }

    #[inline]
    fn lock(&self) -> Locked<'_> {
        lock::lock(&self.state)
    }
}

impl<X: ?Sized> Drop for Node<X> {
    /// Drops the chain of parents that nobody else refers to without recursion: it may be 100,000 nodes long.
    fn drop(&mut self) {
        let mut next = self.place.take_parent();
        // Asked first whether somebody else refers to it, which costs less than to be sure that nobody does.
        while let Some(mut node) = next.filter(|node| Arc::strong_count(node) == 1) {
            next = match Arc::get_mut(&mut node) {
                Some(node) => node.place.take_parent(),
                // Somebody may still look for it. Its parent is kept past it instead.
                None => node.parent().cloned(),
            };
        }
    }
}

impl<X: Ext + ?Sized> std::fmt::Debug for Node<X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("role", &self.role()).field("eff", &self.is_eff()).finish_non_exhaustive()
    }
}
