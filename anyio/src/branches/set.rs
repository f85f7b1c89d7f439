//! Branches under one owner: what every combinator is made of.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::branch::{Below, Ended, Ending};
use super::ready::{Ready, Wakeup};
use crate::context;
use crate::reason::{CancelReason, Cancelled};
use crate::task_group::cell::{Desert, Group, GroupCell, Sum};
use crate::task_group::settings::Settings;
use crate::task_group::{GroupError, TaskInfo};
use crate::tree::{Link, Node, Role};
use crate::unit::{Payload, Unit};

/// Where the branches of a set are kept.
pub trait Lanes {
    /// Polls the branch of this index, which has not ended.
    fn poll(&mut self, index: usize, below: Below<'_>, cx: &mut Context<'_>) -> Poll<Ended>;
}

impl<L, E: Send + 'static> fmt::Debug for Set<L, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Set").field("left", &self.left).finish_non_exhaustive()
    }
}

/// How a branch ended, to whoever decides what follows.
pub(crate) enum End {
    /// With a value, which is in its lane.
    Value,
    /// It was cancelled by itself alone.
    CutAlone(Cancelled),
    /// It was cancelled with the set, or has not begun.
    CutWithAll,
    Panicked(Payload),
}

/// Branches under one owner.
///
/// It is a group without a body: what its branches come to is collected in the same way.
pub struct Set<L, E: Send + 'static> {
    /// Dropped first: its branches end before the owner does.
    lanes: L,
    /// The wakers of the branches that have not ended, by their index.
    wakeups: Vec<Option<Wakeup>>,
    /// How many branches have not ended.
    left: usize,
    /// Whether the outcome is clear: the other branches are cancelled, and those that have not begun will not.
    decided: bool,
    exiting: bool,
    /// Where the combinator was called.
    location: &'static Location<'static>,
    ready: Arc<Ready>,
    woken: Vec<usize>,
    owner: Owner<E>,
}

/// The node of a set, which leaves when the set does.
struct Owner<E: Send + 'static> {
    unit: Unit,
    _errors: PhantomData<fn(E)>,
}

impl<E: Send + 'static> Owner<E> {
    fn node(&self) -> &Link {
        self.unit.link()
    }

    fn group(&self) -> Group<'_, E> {
        Group::at(self.node())
    }
}

impl<E: Send + 'static> Drop for Owner<E> {
    fn drop(&mut self) {
        let _desert = Desert::<E>::new(self.unit.link());
        self.unit.finish();
    }
}

impl<L, E: Send + 'static> Set<L, E> {
    /// How many branches have not ended.
    pub(crate) fn left(&self) -> usize {
        self.left
    }
}

impl<L: Lanes, E: Send + 'static> Set<L, E> {
    /// A set whose first `count` branches are in `lanes` already.
    pub(crate) fn new(lanes: L, count: usize, location: &'static Location<'static>) -> Self {
        let node = Node::new(Role::Group, GroupCell::<E>::new(Settings::default()));
        let mut set = Set {
            lanes,
            wakeups: Vec::new(),
            left: 0,
            decided: false,
            exiting: false,
            location,
            ready: Ready::new(),
            woken: Vec::new(),
            owner: Owner { unit: Unit::new(node), _errors: PhantomData },
        };
        (0..count).for_each(|index| set.added(index));
        set
    }

    /// A branch has been put into the lanes; it is awake.
    pub(crate) fn added(&mut self, index: usize) {
        self.added_with(index, Wakeup::awake(index, &self.ready));
    }

    /// A branch has been put into the lanes, and is about to be [polled](Set::poll_only).
    pub(crate) fn added_to_be_polled(&mut self, index: usize) {
        self.added_with(index, Wakeup::new(index, &self.ready));
    }

    fn added_with(&mut self, index: usize, wakeup: Wakeup) {
        if self.wakeups.len() <= index {
            self.wakeups.resize_with(index + 1, || None);
        }
        self.wakeups[index] = Some(wakeup);
        self.left += 1;
    }

    pub(crate) fn lanes(&mut self) -> &mut L {
        &mut self.lanes
    }

    /// Whether no more branches are to be added: the outcome is clear, or a cancellation has come.
    pub(crate) fn is_over(&self) -> bool {
        self.decided || self.owner.node().is_eff()
    }

    /// Takes the set's place below whatever is current.
    pub(crate) fn poll_enter(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.owner.unit.is_entered() {
            ready!(context::poll_budget(cx));
            self.owner.unit.enter_here();
        }
        Poll::Ready(())
    }

    /// The outcome is clear: cancels the branches that are left.
    pub(crate) fn decide(&mut self) {
        self.cancel(Cancelled::new(CancelReason::GroupFinished));
    }

    pub(crate) fn cancel(&mut self, reason: Cancelled) {
        self.decided = true;
        self.owner.node().cancel(reason);
    }

    /// A branch has failed: the others are cancelled.
    pub(crate) fn fail(&mut self, branch: usize, error: E) {
        self.decided = true;
        self.owner.group().fail(Some(self.name(branch)), error);
    }

    /// A branch has panicked: the others are cancelled.
    pub(crate) fn panicked(&mut self, branch: usize, payload: Payload) {
        self.decided = true;
        self.owner.group().panicked(Some(self.name(branch)), payload);
    }

    /// Runs something of the user's where the branches stand; a panic in it is that of `branch`.
    pub(crate) fn inside<R>(&mut self, branch: usize, run: impl FnOnce() -> R) -> Option<R> {
        match self.owner.unit.inside(run) {
            Ok(result) => Some(result),
            Err(payload) => {
                self.panicked(branch, payload);
                None
            }
        }
    }

    fn name(&self, branch: usize) -> TaskInfo {
        TaskInfo::new(Some(format!("branch {branch}").into()), self.location)
    }

    /// Polls every branch that was woken, once; those that are to be dropped since the set was cancelled in this poll,
    /// once more. `ended` hears of each that has ended.
    pub(crate) fn poll_branches(&mut self, cx: &mut Context<'_>, mut ended: impl FnMut(&mut Self, usize, End)) {
        self.owner.unit.register(cx);
        self.owner.node().begin_poll();
        self.ready.begin(cx);
        loop {
            let before = self.left;
            self.poll_woken(&mut ended);
            let drains = self.left < before && self.owner.node().is_eff();
            if !drains || self.ready.is_empty() {
                break;
            }
        }
        self.owner.node().end_poll();
    }

    fn poll_woken(&mut self, ended: &mut impl FnMut(&mut Self, usize, End)) {
        let mut woken = std::mem::take(&mut self.woken);
        self.ready.take(&mut woken);
        woken.drain(..).for_each(|index| self.poll_only(index, &mut *ended));
        self.woken = woken;
    }

    /// Polls one branch, within a poll.
    pub(crate) fn poll_only(&mut self, index: usize, mut ended: impl FnMut(&mut Self, usize, End)) {
        if let Poll::Ready(Ended(ending)) = self.poll_branch(index) {
            self.wakeups[index] = None;
            self.left -= 1;
            let end = self.end_of(ending);
            ended(self, index, end);
        }
    }

    fn poll_branch(&mut self, index: usize) -> Poll<Ended> {
        let Some(Some(wakeup)) = self.wakeups.get(index) else {
            return Poll::Pending;
        };
        let below = Below { owner: self.owner.unit.link(), decided: self.decided };
        self.lanes.poll(index, below, &mut wakeup.begin())
    }

    fn end_of(&self, ending: Ending) -> End {
        match ending {
            Ending::Value => End::Value,
            Ending::Unbegun => End::CutWithAll,
            Ending::Panicked(payload) => End::Panicked(payload),
            Ending::Cut(cause) => {
                self.owner.group().cut(&cause);
                if cause.depth > self.owner.node().depth() { End::CutAlone(cause.reason) } else { End::CutWithAll }
            }
        }
    }

    /// Waits until no branch, nor anything below, is left, and says what the set comes to: `value`, if nothing failed.
    /// If there is none the set was cut short: for the reason of the cancellation from outside, or for the one given.
    pub(crate) fn poll_exit<T>(
        &mut self,
        cx: &mut Context<'_>,
        value: impl FnOnce(&mut L) -> Result<T, Option<Cancelled>>,
    ) -> Poll<Result<T, GroupError<E>>> {
        if self.left > 0 {
            return Poll::Pending;
        }
        let unit = &mut self.owner.unit;
        if !std::mem::replace(&mut self.exiting, true) {
            unit.begin_exit();
        }
        ready!(unit.poll_closed(cx));
        let well = match Group::<E>::at(unit.link()).sum_up() {
            Sum::Well { .. } => value(&mut self.lanes),
            Sum::Failed(error) => {
                unit.finish();
                return Poll::Ready(Err(error));
            }
            Sum::Panicked(payload) => {
                unit.finish();
                resume_unwind(payload)
            }
        };
        let alone = match well {
            Ok(value) => {
                unit.finish();
                return Poll::Ready(Ok(value));
            }
            Err(alone) => alone,
        };
        ready!(unit.poll_offer(cx));
        let group = Group::<E>::at(unit.link());
        let is_outer = || alone.is_none() || group.outside().is_some();
        let reason = group.outermost().filter(|_| is_outer()).or(alone);
        unit.finish();
        Poll::Ready(Err(GroupError::Cancelled(reason.expect("branches without values were cancelled"))))
    }
}
