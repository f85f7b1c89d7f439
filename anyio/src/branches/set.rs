//! Branches under one owner: what every combinator is made of.

use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::{BranchEnd, Ready, Wakeup};
use crate::context;
use crate::reason::Cancelled;
use crate::task_group::cell::{GroupCell, GroupNode, Sum};
use crate::task_group::{Desert, GroupError, TaskInfo, unit_of};
use crate::tree::{Link, Node, Role, erase};
use crate::unit::Unit;

/// Where the branches of a set are kept.
pub(crate) trait Lanes {
    /// Polls the branch of this index, which is there until it has ended.
    fn poll(&mut self, index: usize, owner: &Link, decided: bool, cx: &mut Context<'_>) -> Poll<BranchEnd>;
}

/// Branches under one owner.
///
/// It is a group without a body: what its branches come to is collected in the same way.
pub(crate) struct Set<L: Lanes, E: Send + 'static> {
    /// Dropped first: its branches end before the set does.
    lanes: L,
    /// The wakers of the branches that have not ended, by their index.
    wakeups: Vec<Option<Wakeup>>,
    /// How many branches have not ended.
    left: usize,
    /// Whether the outcome is clear: the other branches are cancelled, and those that have not begun will not.
    decided: bool,
    ready: Arc<Ready>,
    scratch: Vec<usize>,
    owner: Owner<E>,
}

/// The node of a set, which leaves when the set does.
struct Owner<E: Send + 'static> {
    node: GroupNode<E>,
    unit: Unit,
}

impl<E: Send + 'static> Drop for Owner<E> {
    fn drop(&mut self) {
        let _desert = Desert(&self.node);
        self.unit.finish();
    }
}

impl<L: Lanes, E: Send + 'static> Set<L, E> {
    /// A set whose first `count` branches are in `lanes` already.
    pub(crate) fn new(lanes: L, count: usize) -> Self {
        let node = Node::new(Role::Group, GroupCell::new(false));
        let owner = Owner { unit: unit_of(&node), node };
        let ready = Ready::new();
        let mut set =
            Set { lanes, wakeups: Vec::new(), left: 0, decided: false, ready, scratch: Vec::new(), owner };
        (0..count).for_each(|index| set.added(index));
        set
    }

    /// A branch has been put into the lanes.
    pub(crate) fn added(&mut self, index: usize) {
        if self.wakeups.len() <= index {
            self.wakeups.resize_with(index + 1, || None);
        }
        self.wakeups[index] = Some(Wakeup::new(index, &self.ready));
        self.left += 1;
    }

    pub(crate) fn lanes(&mut self) -> &mut L {
        &mut self.lanes
    }

    /// How many branches have not ended.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Whether the outcome is clear.
    pub(crate) fn is_decided(&self) -> bool {
        self.decided
    }

    /// Whether a cancellation has reached the set.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.owner.node.is_eff()
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
    pub(crate) fn decide(&mut self, reason: Cancelled) {
        self.decided = true;
        erase(&self.owner.node).cancel(reason);
    }

    /// A branch has failed.
    pub(crate) fn fail(&mut self, branch: TaskInfo, error: E) {
        self.decided = true;
        self.owner.node.fail(Some(branch), error);
    }

    /// Runs something of the user's where the branches stand; a panic in it is the set's.
    pub(crate) fn inside<R>(&mut self, branch: impl FnOnce() -> TaskInfo, run: impl FnOnce() -> R) -> Option<R> {
        match self.owner.unit.inside(run) {
            Ok(result) => Some(result),
            Err(payload) => {
                self.decided = true;
                self.owner.node.panicked(Some(branch()), payload);
                None
            }
        }
    }

    /// A part of [`inside`](Set::inside) for what is polled: a stream that branches are made of.
    pub(crate) fn node(&self) -> &GroupNode<E> {
        &self.owner.node
    }

    /// Polls every branch that was woken, once; those that are cancelled meanwhile, once more. `ended` hears of each that
    /// has ended.
    pub(crate) fn poll_branches(
        &mut self,
        cx: &mut Context<'_>,
        name: impl Fn(usize) -> TaskInfo,
        mut ended: impl FnMut(&mut Self, usize, End),
    ) {
        self.owner.unit.register(cx);
        self.owner.node.begin_poll();
        self.ready.begin(cx);
        loop {
            let mut scratch = std::mem::take(&mut self.scratch);
            self.ready.take(&mut scratch);
            let before = self.left;
            for index in scratch.drain(..) {
                if let Poll::Ready(end) = self.poll_branch(index) {
                    self.end(index, end, &name, &mut ended);
                }
            }
            self.scratch = scratch;
            let drains = self.owner.node.is_eff() && self.left < before;
            if !drains || self.ready.is_empty() {
                break;
            }
        }
        self.owner.node.end_poll();
    }

    fn poll_branch(&mut self, index: usize) -> Poll<BranchEnd> {
        let Some(Some(wakeup)) = self.wakeups.get(index) else {
            return Poll::Pending;
        };
        let owner = self.owner.unit.link();
        self.lanes.poll(index, owner, self.decided, &mut wakeup.begin())
    }

    fn end(
        &mut self,
        index: usize,
        end: BranchEnd,
        name: impl Fn(usize) -> TaskInfo,
        ended: &mut impl FnMut(&mut Self, usize, End),
    ) {
        self.wakeups[index] = None;
        self.left -= 1;
        let end = match end {
            BranchEnd::Value => End::Value,
            BranchEnd::Unbegun => End::Nothing(None),
            BranchEnd::Cut(cause) => {
                self.owner.node.cut(&cause);
                let own = cause.depth > self.owner.node.depth();
                End::Nothing(own.then_some(cause.reason))
            }
            BranchEnd::Panicked(payload) => End::Panicked(payload, name(index)),
        };
        ended(self, index, end);
    }

    /// A branch has panicked: the others are cancelled.
    pub(crate) fn panicked(&mut self, branch: TaskInfo, payload: crate::unit::Payload) {
        self.decided = true;
        self.owner.node.panicked(Some(branch), payload);
    }

    /// Waits until nothing is left below, and says what the set comes to. `value` is made if nothing went wrong; `None`:
    /// there is none, for the reason given.
    pub(crate) fn poll_exit<T>(
        &mut self,
        cx: &mut Context<'_>,
        value: impl FnOnce(&mut L) -> Result<T, Option<Cancelled>>,
    ) -> Poll<Result<T, GroupError<E>>> {
        if self.left > 0 {
            return Poll::Pending;
        }
        let Owner { node, unit } = &mut self.owner;
        unit.begin_exit();
        ready!(unit.poll_closed(cx));
        let mut value = match node.ext.is_well() {
            true => Some(value(&mut self.lanes)),
            false => None,
        };
        match node.sum_up() {
            Sum::Panicked(payload) => {
                unit.finish();
                resume_unwind(payload)
            }
            Sum::Failed(error) => {
                unit.finish();
                return Poll::Ready(Err(error));
            }
            Sum::Well => {}
        }
        let missing = match value.take().expect("nothing went wrong") {
            Ok(value) => {
                unit.finish();
                return Poll::Ready(Ok(value));
            }
            Err(missing) => missing,
        };
        ready!(unit.poll_offer(cx));
        let outside = node.ext.outside().and_then(|_| node.cause()).map(|cause| cause.reason);
        let reason = outside.or(missing).or_else(|| node.cause().map(|cause| cause.reason));
        unit.finish();
        Poll::Ready(Err(GroupError::Cancelled(reason.expect("branches without values were cancelled"))))
    }
}

/// How a branch ended, to whoever decides what follows.
pub(crate) enum End {
    /// With a value, which is in its lane.
    Value,
    /// Cut short; with the reason, if it was cancelled by itself alone.
    Nothing(Option<Cancelled>),
    Panicked(crate::unit::Payload, TaskInfo),
}

impl<F: Future> Lanes for Vec<Pin<Box<super::Branch<F>>>> {
    fn poll(&mut self, index: usize, owner: &Link, decided: bool, cx: &mut Context<'_>) -> Poll<BranchEnd> {
        self[index].as_mut().poll_below(owner, decided, cx)
    }
}
