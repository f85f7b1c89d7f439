//! Links, causes and their spreading (invariants 1 to 3).

use std::mem::ManuallyDrop;
use std::time::Instant;

use super::annex::Rare;
use super::lock::try_lock_below;
use super::poller::{Calls, Poller};
use super::{Bell, Cause, Link, Locked, Mark, Node, OWN, Ordering, Place, Power, Role};
use crate::reason::{CancelReason, Cancelled};
use crate::runtime::Runtime;

/// On every so manieth level, and the next, a node knows the reason of a cause from outside itself. The others look for it
/// above.
const KNOWN: u32 = 32;

/// How many nodes may be locked at once, each below the one before, to carry a cause on.
const STEPS: u32 = 32;

/// What a node finds where it is linked.
pub(crate) struct Inherited {
    cause: Option<Cause>,
    /// Whether it is asked to stop.
    stopping: bool,
}

/// A node to which a cause is on its way. It needs no destructor, so that it gets into the list of those without a detour
/// through memory.
struct Visit {
    node: ManuallyDrop<Link>,
    /// Whether the task that it is in is woken anyway.
    is_called: bool,
}

impl Visit {
    #[inline]
    fn new(node: &Link, is_called: bool) -> Self {
        Visit { node: ManuallyDrop::new(node.clone()), is_called }
    }
}

/// A cause on its way.
struct Spread {
    cause: Cause,
    /// How deep the node is that it goes out from.
    origin: u32,
    stack: Vec<Visit>,
    reached: Vec<Link>,
    calls: Calls,
}

impl Spread {
    fn new(origin: &Node, cause: Cause) -> Self {
        Spread { cause, origin: origin.depth(), stack: Vec::new(), reached: Vec::new(), calls: Calls::default() }
    }

    /// Has it reach a node, which is locked in `state`, and puts it on its way to those below. Those that are free are visited at
    /// once, which keeps the order of locks, as nobody waits; and so nothing is counted for them.
    ///
    /// That goes on for some `steps` where there is but one below; where there are many, only from the node that was locked first.
    #[inline]
    fn reach(&mut self, node: &Link, state: &mut Locked<'_>, is_called: bool, steps: u32) {
        let is_origin = node.depth() == self.origin;
        let (below, poller) = node.reach(state, &self.cause, is_origin, is_called);
        if matches!(node.role(), Role::Leaf | Role::Shield | Role::Finally) {
            self.reached.push(node.clone());
        }
        // Before those below, who are called first.
        if node.role() == Role::Task && state.children.is_empty() {
            self.calls.add_alone(node, poller);
        } else {
            self.calls.add(node, poller);
        }
        let Some(is_called) = below else { return };
        let may_visit = steps > 0 && (steps == STEPS || state.children.is_one());
        if !may_visit {
            return self.stack.extend(state.children.iter().map(|child| Visit::new(child, is_called)));
        }
        // From the last one on, so that the first one is called first, as it is with those on the stack.
        state.children.for_each_backwards(|child| match try_lock_below(&child.state) {
            Some(mut state) => self.reach(child, &mut state, is_called, steps - 1),
            None => self.stack.push(Visit::new(child, is_called)),
        });
    }

    /// Has it reach all others; who is to be woken is, at last.
    fn go_on(mut self) {
        while let Some(Visit { node, is_called }) = self.stack.pop() {
            let node = ManuallyDrop::into_inner(node);
            self.reach(&node, &mut node.lock(), is_called, STEPS);
        }
        for node in &self.reached {
            node.ext.reached(node, &self.cause);
        }
    }
}

impl Node {
    /// Gives the node its place below `parent`, and the cause that it finds there.
    pub(crate) fn link(self: &Link, parent: Link) {
        self.link_at(Place::inside(parent));
    }

    /// [`link`](Node::link) for a parent that may be the root of `runtime`.
    pub(crate) fn link_in(self: &Link, parent: Link, runtime: Runtime) {
        self.link_at(Place::below(parent, runtime));
    }

    /// [`link`](Node::link) where it is known what the place is.
    pub(crate) fn link_at(self: &Link, place: Place) {
        assert!(self.take_place(place), "a node is linked once");
        let inherited = self.parent().expect("it has got one").list(self);
        self.inherit(inherited);
    }

    /// Lists a child that was made for this place, so that nothing can have happened to it before; gives what it has to take
    /// over, if there is anything.
    pub(super) fn list_made(&self, child: impl FnOnce() -> Link) -> Option<Box<Inherited>> {
        if self.role() == Role::Root { None } else { self.list_in(&mut self.lock(), child()) }
    }

    /// Takes over what was found at the parent, and lets begin what had to wait for a place.
    pub(super) fn inherit(self: &Link, inherited: Option<Box<Inherited>>) {
        let (cause, stopping) = inherited.map_or((None, false), |inherited| (inherited.cause, inherited.stopping));
        let mut timed = false;
        self.with_lean(|state| {
            let own = self.rare(state).and_then(|rare| rare.own.clone());
            let own = own.map(|reason| Cause { depth: self.depth(), reason });
            for cause in cause.filter(|_| !state.is(Mark::Shield)).into_iter().chain(own) {
                self.take(state, &cause, false);
            }
            timed = self.rare(state).is_some_and(|rare| rare.waits_for_place());
        });
        if stopping || timed {
            self.begin_stop(stopping);
            if self.deadline().is_some() {
                self.follow_deadline();
            }
        }
    }

    /// Gives a new task its place below `self`, which has counted it and is locked in `state`; it takes over later what
    /// is returned, if anything is.
    #[inline]
    pub(super) fn list_task(
        self: &Link,
        state: &mut Locked<'_>,
        task: Link,
        runtime: &Runtime,
    ) -> Option<Box<Inherited>> {
        if !task.place.is_set() {
            let fresh = task.take_place(Place::below(self.clone(), runtime.clone()));
            debug_assert!(fresh, "a task is adopted once");
        }
        self.list_in(state, task)
    }

    /// Lists a child, unless nothing can ever have to be spread to it.
    fn list(&self, child: &Link) -> Option<Box<Inherited>> {
        if self.role() == Role::Root { None } else { self.list_in(&mut self.lock(), child.clone()) }
    }

    /// Lists a child below this node, which is locked in `state`; gives what there is to be taken over. That is rare, and in a
    /// box, so that what is common stays in registers.
    #[inline]
    fn list_in(&self, state: &mut Locked<'_>, child: Link) -> Option<Box<Inherited>> {
        if self.role() == Role::Root {
            return None;
        }
        if !state.is(Mark::Gone) {
            if child.is_unit() {
                state.mark(Mark::HasUnits, true);
            }
            state.children.insert(child);
        }
        if state.is(Mark::Gone) || self.is_eff() || self.annex.get().is_some() {
            self.inherited_in(state)
        } else {
            None
        }
    }

    #[inline(never)]
    fn inherited_in(&self, state: &Locked<'_>) -> Option<Box<Inherited>> {
        let stopping = self.is_asked_to_stop(state);
        let dropped = || Cause { depth: self.depth(), reason: Cancelled::new(CancelReason::GroupDropped) };
        let cause = self.cause_in(state).or_else(|| state.is(Mark::Gone).then(dropped));
        (cause.is_some() || stopping).then(|| Box::new(Inherited { cause, stopping }))
    }

    /// Takes a cause over if it started nearer to the root than the one known (invariant 2); says whether it did.
    /// One that `is_from_above` has been taken over by the parent before, and its reason is looked for there; on some levels it
    /// is kept, so that it is not far. If a task is on one of those, its group is on one, too.
    #[inline]
    fn take(&self, state: &mut Locked<'_>, cause: &Cause, is_from_above: bool) -> bool {
        let news = cause.depth < self.eff.load(Ordering::Relaxed);
        if news {
            let is_known_above = self.shares_reasons() || is_from_above && self.depth() % KNOWN > 1;
            let is_shared = cause.depth < self.depth() && is_known_above;
            if !is_shared {
                self.rare_mut(state).reason = Some(cause.reason.clone());
            } else if let Some(mut rare) = self.rare(state) {
                rare.reason = None;
            }
            self.eff.store(cause.depth, Ordering::Release);
        }
        news
    }

    /// Cancels this node, and with it all below. The first request counts; once the node is gone, none does.
    ///
    /// The cause is on its way to those below as soon as the request is known: one whose future ends meanwhile need not see to
    /// it that they learn of it.
    pub(crate) fn cancel(self: &Link, reason: Cancelled) {
        // Dropped when the lock is free, whatever happens: it wakes then.
        let mut spread = None;
        let mut state = self.lock();
        if state.is(Mark::Gone) || self.is_own() {
            return;
        }
        self.rare_mut(&state).own = Some(reason.clone());
        self.tell(&state, OWN);
        // To a timeout its own cause is news, although one from outside, on which it may not act, was here before.
        let is_news = self.role().power() == Power::Own && self.is_eff();
        let poller = state.poller_if(is_news);
        let has_deadline = self.deadline_in(&state).is_some();
        // Without a place, it takes the cause over when it gets one.
        if self.place.is_set() {
            let spread = spread.insert(Spread::new(self, Cause { depth: self.depth(), reason }));
            spread.reach(self, &mut state, false, STEPS);
        }
        drop(state);
        if has_deadline {
            self.disarm(Bell::Deadline);
        }
        spread.into_iter().for_each(Spread::go_on);
        self.wake(poller);
    }

    /// Cancels a node that was left behind by the one above. A timeout must not take that for its own cause (law D7).
    pub(super) fn cancel_from_outside(self: &Link, reason: Cancelled) {
        if self.role().power() != Power::Own {
            return self.cancel(reason);
        }
        let depth = self.depth() - 1;
        self.spread(Cause { depth, reason });
    }

    /// Carries a cause to this node and to all below it, except behind shields; wakes whoever is concerned when all of
    /// them know.
    fn spread(self: &Link, cause: Cause) {
        let mut spread = Spread::new(self, cause);
        spread.reach(self, &mut self.lock(), false, STEPS);
        spread.go_on();
    }

    /// Takes over a cause that has come to this node: from above, if this is not its origin. If it is news it goes on to those
    /// below, with whether the task that they are in is called anyway. And gives whom to wake.
    #[inline(always)]
    fn reach(
        &self,
        state: &mut Locked<'_>,
        cause: &Cause,
        is_origin: bool,
        is_called: bool,
    ) -> (Option<bool>, Option<Poller>) {
        let hidden = state.is(Mark::Shield) && cause.depth < self.depth();
        if state.is(Mark::Gone) || hidden || !self.take(state, cause, !is_origin) {
            return (None, None);
        }
        let by_task = state.poller.is_task();
        let is_boundary = self.role().is_boundary();
        let acts = is_origin || self.acts_when_cancelled(state);
        let poller = state.poller_if(acts && !(is_called && by_task && !is_boundary));
        (Some(if is_boundary { by_task && acts } else { is_called }), poller)
    }

    /// Whether its future has something to do when it is cancelled now: one that is held goes on until it is let go of, and
    /// one whose body is done until nothing is left. It is woken then.
    fn acts_when_cancelled(&self, state: &Locked<'_>) -> bool {
        state.holds == 0 && (!state.is(Mark::Exiting) || self.role() == Role::Task)
    }

    /// Raises or lowers the shield (law S6). Raising does nothing once an outer cause is here; lowering delivers what
    /// was kept out.
    pub(crate) fn set_shield(self: &Link, shield: bool) {
        self.with_lean(|state| {
            let depth = self.depth();
            let late = self.eff.load(Ordering::Relaxed) < depth;
            state.mark(Mark::Shield, shield && !late);
        });
        if !shield {
            self.take_over_from_parent();
        }
    }

    /// The shield is down and nothing leans for it: what was asked of the parent, and its cause, come in.
    fn take_over_from_parent(self: &Link) {
        if self.parent().is_some_and(|parent| parent.is_asked_to_stop(&parent.lock())) {
            self.spread_stop();
        }
        let cause = self.parent().and_then(|parent| parent.cause());
        if let Some(cause) = cause {
            self.spread(cause);
        }
    }

    /// Whether this very node was asked to stop; a deadline that has passed is noticed here (law D3).
    pub(crate) fn is_requested(self: &Link) -> bool {
        self.notice_deadline();
        self.is_own()
    }

    /// Notices that the deadline has passed, if the timer did not yet.
    pub(super) fn notice_deadline(self: &Link) {
        if self.is_timeless() {
            return;
        }
        if let Some(deadline) = self.pending_deadline().filter(|deadline| *deadline <= self.runtime().now()) {
            self.expire(deadline);
        }
    }

    /// The deadline, if it may still cancel something.
    fn pending_deadline(&self) -> Option<Instant> {
        let state = self.lock();
        self.deadline_in(&state).filter(|_| !state.is(Mark::Gone) && !self.is_own())
    }

    /// Sets, moves or removes the deadline. Once the node was cancelled, or is gone, nothing happens.
    pub(crate) fn set_deadline(self: &Link, deadline: Option<Instant>) {
        let state = self.lock();
        if state.is(Mark::Gone) || self.is_own() {
            return;
        }
        self.rare_mut(&state).deadline = deadline;
        drop(state);
        if self.place.is_set() {
            self.follow_deadline();
        }
    }

    /// Sets the alarm to what the deadline is. Others may edit the deadline, cancel the node or leave it meanwhile; so
    /// whoever has touched the alarm looks again afterwards, and the last one has seen the last edit.
    pub(super) fn follow_deadline(self: &Link) {
        loop {
            let deadline = self.pending_deadline();
            match deadline {
                None => self.disarm(Bell::Deadline),
                Some(deadline) if deadline <= self.runtime().now() => self.expire(deadline),
                Some(deadline) => {
                    if let Some(due) = self.arm(Bell::Deadline, deadline) {
                        self.expire(due);
                    }
                }
            }
            if self.pending_deadline() == deadline {
                return;
            }
        }
    }

    /// The deadline `noticed` has passed. If those of units around it, in this task and around its group, have passed
    /// too, the outermost is the one that reports (law D6), so it is cancelled first.
    pub(crate) fn expire(self: &Link, noticed: Instant) {
        let now = self.runtime().now().max(noticed);
        // What was cancelled from above already need not look there again: of many that expire together, one does.
        let around = std::iter::successors(Some(self), |node| node.parent().filter(|_| !node.is_shielded()));
        let due: Vec<_> = around.take(if self.is_eff() { 1 } else { usize::MAX }).collect();
        for node in due.into_iter().rev() {
            let state = node.lock();
            let is_due = |rare: &Rare| rare.deadline.is_some_and(|deadline| deadline <= now);
            let reason = node.rare(&state).filter(|rare| is_due(rare)).map(|rare| rare.reason_at_deadline());
            drop(state);
            if let Some(reason) = reason {
                node.cancel(reason);
            }
        }
    }

    /// Starts the grace that ends at `at`; once started it is not started again.
    pub(crate) fn start_grace(self: &Link, at: Instant) {
        if self.is_timeless() {
            self.set_grace(at);
        }
    }

    /// Sets the end of the grace, anew if it was over.
    pub(crate) fn set_grace(self: &Link, at: Instant) {
        if self.arm(Bell::Grace, at).is_some() {
            self.ext.grace_over(self);
        }
        if self.is_gone() {
            self.disarm(Bell::Deadline);
        }
    }

    pub(super) fn ring(self: &Link, bell: Bell, at: Instant) {
        match bell {
            Bell::Deadline => self.expire(at),
            Bell::Grace => self.ext.grace_over(self),
            Bell::Stall => self.has_stalled(),
        }
    }
}
