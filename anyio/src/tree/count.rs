//! Counting what is live, what holds, and the closing of nodes (invariants 4 to 7).

use std::sync::Arc;
use std::task::Waker;

use super::{Ext, Link, Node, Ordering, Role, State};
use crate::reason::{CancelReason, Cancelled};
use crate::runtime::Runtime;
use crate::unhandled::Unhandled;

/// The node, or one above it, has closed.
#[derive(Debug)]
pub(crate) struct Closed;

impl Node {
    /// Counts one more live thing directly below; refused once the node, or any above it, has closed.
    ///
    /// The lock is kept until the whole chain is raised, so that whoever finds it raised may rely on all of it.
    fn raise(self: &Link) -> Result<(), Closed> {
        let mut state = self.lock();
        if state.closed {
            return Err(Closed);
        }
        if state.live == 0 {
            if let Some(parent) = self.parent() {
                parent.raise()?;
            }
        }
        state.live += 1;
        self.lean(&mut state);
        Ok(())
    }

    /// Takes back one `raise`, here and as far up as nothing else is live.
    ///
    /// Whoever waits for the node is woken *before* the parent is released, so that a unit around, once it is free to
    /// drop its body, first polls what there is to collect. An offer (law C4) has to wait until *after* that: it would
    /// be made to a unit that is still held, and be taken for refused.
    fn lower(self: &Link) {
        let mut next = Some(self.clone());
        while let Some(node) = next {
            let mut state = node.lock();
            state.live -= 1;
            let emptied = state.live == 0;
            let mut waker = None;
            let mut released = false;
            if emptied {
                if state.exiting {
                    state.closed = true;
                    waker = state.waker.clone();
                }
                released = node.unlean(&mut state);
                state.releasing = released;
            }
            drop(state);
            wake(waker);
            if emptied {
                node.ext.emptied();
            }
            if released {
                node.release_parent(true);
                node.end_release();
            }
            next = node.parent().filter(|_| emptied).cloned();
        }
    }

    fn end_release(&self) {
        let mut state = self.lock();
        state.releasing = false;
        let waker = state.waker.clone().filter(|_| state.cause.is_some());
        drop(state);
        wake(waker);
    }

    /// Counts one more node that leans on this one.
    fn hold(self: &Link) {
        let mut state = self.lock();
        state.holds += 1;
        self.lean(&mut state);
    }

    /// Leans on the parent if there is reason to and it does not yet.
    fn lean(&self, state: &mut State) {
        if !state.leaning && self.has_to_lean(state) {
            if let Some(parent) = self.parent() {
                state.leaning = true;
                parent.hold();
            }
        }
    }

    /// Notes that this node does not lean any more, if there is no reason left; the caller then releases the parent.
    #[must_use]
    fn unlean(&self, state: &mut State) -> bool {
        let released = state.leaning && !self.has_to_lean(state);
        if released {
            state.leaning = false;
        }
        released
    }

    fn has_to_lean(&self, state: &State) -> bool {
        !self.role().is_boundary()
            && !state.gone
            && !state.lapsed
            && (state.shield || state.holding || (state.waiting && state.live > 0) || state.holds > 0)
    }

    /// Takes back one `hold` of the parent, and of its parents as far as they now stop leaning. A cancelled unit that
    /// nothing leans on any more is woken. If something was `left` to be collected, it is owed a poll.
    fn release_parent(&self, left: bool) {
        let mut next = self.parent().cloned();
        while let Some(node) = next {
            let mut state = node.lock();
            state.holds -= 1;
            let free = state.holds == 0 && state.cause.is_some();
            if left && state.holds == 0 {
                node.owed.store(true, Ordering::Release);
            }
            let waker = state.waker.clone().filter(|_| free);
            let released = node.unlean(&mut state);
            drop(state);
            wake(waker);
            next = node.parent().filter(|_| released).cloned();
        }
    }

    /// Edits what decides about leaning, and follows it up.
    pub(super) fn with_lean(self: &Link, edit: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        edit(&mut state);
        self.lean(&mut state);
        let released = self.unlean(&mut state);
        drop(state);
        if released {
            self.release_parent(false);
        }
    }

    /// Stops holding for something that was left to be collected.
    pub(crate) fn let_go(self: &Link) {
        let mut state = self.lock();
        state.holding = false;
        let released = self.unlean(&mut state);
        drop(state);
        if released {
            self.release_parent(true);
        }
    }

    /// Holds the enclosing units without hiding anything, or stops doing so.
    pub(crate) fn set_holding(self: &Link, holding: bool) {
        self.with_lean(|state| state.holding = holding);
    }

    /// Stops leaning for good: the grace is over.
    pub(crate) fn set_lapsed(self: &Link) {
        self.with_lean(|state| state.lapsed = true);
    }

    /// Gives a new task its place below `self` and counts it, before it is handed to the backend.
    pub(crate) fn adopt(self: &Link, task: &Link, runtime: &Runtime) -> Result<(), Closed> {
        debug_assert_eq!(task.role(), Role::Task);
        self.raise()?;
        task.link_in(self, runtime.clone());
        Ok(())
    }

    /// A task is over: its future is destroyed and its outcome is where it belongs.
    pub(crate) fn retire(self: &Link) {
        self.finish();
        self.lower();
    }

    /// The body is done: closes the node if nothing is live below.
    ///
    /// What was left below by a future that was dropped or forgotten is cancelled; the tasks of a group go on, since
    /// the group waits for them.
    pub(crate) fn begin_exit(self: &Link) {
        let mut state = self.lock();
        state.exiting = true;
        let left = state.live > 0;
        state.closed |= !left;
        drop(state);
        if left {
            self.with_lean(|state| state.waiting = true);
            self.cancel_left_behind();
        }
    }

    fn cancel_left_behind(self: &Link) {
        let reason = Cancelled::new(CancelReason::GroupDropped);
        if !matches!(self.role(), Role::Group | Role::Owned) {
            return self.cancel(reason);
        }
        for unit in self.units_below() {
            unit.cancel(reason.clone());
        }
    }

    /// The nodes below that are not tasks: after the body is gone, those of futures that it did not own.
    fn units_below(&self) -> Vec<Link> {
        let state = self.lock();
        let units = state.children.iter().map(|(_, node)| node);
        units.filter(|node| node.is_passenger()).cloned().collect()
    }

    /// Whether this node's future is polled by the task that it is in, so that it should have ended before its parent.
    fn is_passenger(&self) -> bool {
        !matches!(self.role(), Role::Task | Role::Owned)
    }

    /// The future of this node has ended or was dropped (invariant 7). What is live below is cancelled and stays
    /// counted.
    pub(crate) fn finish(self: &Link) {
        let own = usize::from(self.role() == Role::Task);
        let mut state = self.lock();
        if state.gone || self.parent().is_none() {
            state.gone = true;
            return;
        }
        state.exiting = true;
        let left = state.live > own;
        state.closed |= state.live == 0;
        drop(state);
        if left {
            self.cancel(Cancelled::new(CancelReason::GroupDropped));
        }
        self.leave();
    }

    fn leave(self: &Link) {
        let mut state = self.lock();
        state.gone = true;
        let children = std::mem::take(&mut state.children);
        let key = state.key.take();
        let waker = state.waker.take_if(|_| self.role() != Role::Task);
        let released = self.unlean(&mut state);
        drop(state);
        self.timing.disarm();
        self.stall.disarm();
        if released {
            self.release_parent(false);
        }
        let listed = key.and_then(|key| self.parent()?.unlist(key));
        drop((listed, waker));
        if children.iter().any(|(_, node)| node.is_passenger()) {
            self.runtime().report(Unhandled::PolledByReference);
        }
    }

    fn unlist(&self, key: usize) -> Option<Link> {
        self.lock().children.try_remove(key)
    }

    /// Whether no task is left below, nor will be.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().live == 0
    }

    /// Whether a unit that was polled just now and is pending has to drop its body (law C2).
    ///
    /// One that has to, but is held, starts to wait for the hold; if that takes too long, the hook hears of it.
    pub(crate) fn has_to_drop(self: &Link) -> bool {
        if !self.is_eff() {
            return false;
        }
        let state = self.lock();
        let held = self.is_held(&state);
        let cut = self.is_cut(&state);
        drop(state);
        if cut && held {
            self.watch_for_stall();
        }
        cut && !held
    }

    fn is_held(&self, state: &State) -> bool {
        state.holds > 0 || self.is_owed()
    }

    fn is_cut(&self, state: &State) -> bool {
        match self.role().power() {
            super::Power::Any => state.cause.is_some(),
            super::Power::Own => state.own.is_some(),
            super::Power::None => false,
        }
    }

    /// Whether an operation that starts now would be cut off at once: its nearest unit is cancelled and free to drop it
    /// (law C6).
    pub(crate) fn is_doomed(&self) -> bool {
        let mut next = Some(self);
        while let Some(node) = next {
            if !node.is_eff() {
                return false;
            }
            let state = node.lock();
            if node.is_cut(&state) {
                return !node.is_held(&state);
            }
            drop(state);
            next = if node.role().is_boundary() { None } else { node.parent().map(|parent| &**parent) };
        }
        false
    }

    /// The nearest unit around this one, in the same task, that is about to drop what this one is in.
    pub(crate) fn doomed_above(&self) -> Option<&Link> {
        let mut node: &Link = self.enclosing()?;
        loop {
            if !node.is_eff() {
                return None;
            }
            let state = node.lock();
            if node.is_cut(&state) {
                drop(state);
                return Some(node);
            }
            drop(state);
            node = node.enclosing()?;
        }
    }

    /// The parent, unless this is where a task begins.
    pub(crate) fn enclosing(&self) -> Option<&Link> {
        self.parent().filter(|_| !self.role().is_boundary())
    }
}

/// Wakes, whatever the waker does: a panic in it must not keep the others from being woken.
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waker.wake()));
    }
}

/// The node without its type.
pub(crate) fn erase<X: Ext + 'static>(node: &Arc<Node<X>>) -> Link {
    node.clone()
}
