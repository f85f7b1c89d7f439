//! Asking code to stop by itself, before it is cancelled (law L4).

use std::mem;
use std::panic::Location;
use std::time::{Duration, Instant};

use super::annex::Rare;
use super::poller::Calls;
use super::{Link, Locked, Mark, Node, Role};
use crate::reason::{CancelReason, Cancelled};

/// What is known of a request to stop.
#[derive(Default)]
pub(super) struct Stop {
    /// Whether this node, or one above with no shield in between, was asked.
    requested: bool,
    /// The grace that was given, and why the node is cancelled after it, until that begins to count: when the node has a
    /// place, and with it a clock.
    asked: Option<(Duration, Cancelled)>,
    /// Why the node is cancelled at its deadline, if that is the end of a grace.
    reason: Option<Cancelled>,
}

impl Node {
    /// Whether the code here was asked to stop, or is cancelled.
    pub(crate) fn is_stopping(&self) -> bool {
        self.is_eff() || self.is_asked_to_stop(&self.lock())
    }

    /// Asks everything below to stop, except behind shields, and cancels this node when `grace` is over. The earliest
    /// end of several requests counts, and an earlier deadline.
    pub(crate) fn request_stop(self: &Link, grace: Duration, location: &'static Location<'static>) {
        let state = self.lock();
        let mut rare = self.rare_mut(&state);
        if rare.stop.asked.as_ref().is_none_or(|(known, _)| grace < *known) {
            rare.stop.asked = Some((grace, Cancelled::new(CancelReason::Stopped { location })));
        }
        drop(rare);
        drop(state);
        if self.try_runtime().is_some() {
            self.follow_stop();
        }
    }

    /// The node has got a place, and takes over what was asked of the one above.
    pub(super) fn begin_stop(self: &Link, inherited: bool) {
        let state = self.lock();
        if inherited && !state.is(Mark::Shield) {
            self.rare_mut(&state).stop.requested = true;
        }
        drop(state);
        self.follow_stop();
    }

    /// Does what was asked. Of those who ask and who gives the node its place, the last one sees to it.
    fn follow_stop(self: &Link) {
        let asked = self.rare(&self.lock()).and_then(|mut rare| rare.stop.asked.take());
        if let Some((grace, reason)) = asked {
            // In this order: who sees the request sees how long there is.
            self.end_grace_after(grace, reason);
            self.spread_stop();
        }
    }

    fn end_grace_after(self: &Link, grace: Duration, reason: Cancelled) {
        if let Some(end) = self.runtime().now().checked_add(grace) {
            self.lower_deadline(end, Some(reason));
        }
    }

    /// Sets the deadline, and the reason that it gives, unless there is an earlier one.
    pub(crate) fn lower_deadline(self: &Link, deadline: Instant, reason: Option<Cancelled>) {
        let state = self.lock();
        let mut rare = self.rare_mut(&state);
        let is_over = state.is(Mark::Gone) || rare.own.is_some();
        if is_over || rare.deadline.is_some_and(|known| known <= deadline) {
            return;
        }
        rare.deadline = Some(deadline);
        let old = mem::replace(&mut rare.stop.reason, reason);
        drop(rare);
        drop(state);
        drop(old);
        self.follow_deadline();
    }

    /// Carries the request to all below, except behind shields, and wakes whoever waits for it.
    pub(super) fn spread_stop(self: &Link) {
        let mut calls = Calls::default();
        let mut stack = vec![self.clone()];
        while let Some(node) = stack.pop() {
            let state = node.lock();
            let hidden = state.is(Mark::Shield) && node.depth() > self.depth();
            if state.is(Mark::Gone) || hidden || mem::replace(&mut node.rare_mut(&state).stop.requested, true) {
                continue;
            }
            let poller = state.poller_if(node.role() == Role::Leaf);
            stack.extend(state.children.iter().cloned());
            drop(state);
            calls.add(&node, poller);
        }
    }
}

impl Node {
    pub(super) fn is_asked_to_stop(&self, state: &Locked<'_>) -> bool {
        self.rare(state).is_some_and(|rare| rare.stop.requested)
    }
}

impl Rare {
    /// Whether it was asked for something that has to wait until the node has a place, or was given a deadline.
    pub(super) fn waits_for_place(&self) -> bool {
        self.deadline.is_some() || self.stop.asked.is_some()
    }

    /// Why the node is cancelled when its deadline passes.
    pub(super) fn reason_at_deadline(&self) -> Cancelled {
        self.stop.reason.clone().unwrap_or_else(|| Cancelled::new(CancelReason::DeadlinePassed))
    }
}
