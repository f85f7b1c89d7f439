//! Asking code to stop by itself, before it is cancelled (law L4).

use std::panic::Location;
use std::time::{Duration, Instant};

use super::poller::Calls;
use super::{Link, Node, Role, State};
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
        self.is_eff() || self.lock().is_asked_to_stop()
    }

    /// Asks everything below to stop, except behind shields, and cancels this node when `grace` is over. The earliest
    /// end of several requests counts, and an earlier deadline.
    pub(crate) fn request_stop(self: &Link, grace: Duration, location: &'static Location<'static>) {
        let mut state = self.lock();
        let stop = &mut state.rare().stop;
        if stop.asked.as_ref().is_none_or(|(known, _)| grace < *known) {
            stop.asked = Some((grace, Cancelled::new(CancelReason::Stopped { location })));
        }
        drop(state);
        if self.try_runtime().is_some() {
            self.follow_stop();
        }
    }

    /// The node has got a place, and takes over what was asked of the one above.
    pub(super) fn begin_stop(self: &Link, inherited: bool) {
        let mut state = self.lock();
        if inherited && !state.shield {
            state.rare().stop.requested = true;
        }
        drop(state);
        self.follow_stop();
    }

    /// Does what was asked. Of those who ask and who gives the node its place, the last one sees to it.
    fn follow_stop(self: &Link) {
        let asked = self.lock().rare.as_mut().and_then(|rare| rare.stop.asked.take());
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
        let mut state = self.lock();
        let is_over = state.gone || state.own().is_some();
        if is_over || state.deadline().is_some_and(|known| known <= deadline) {
            return;
        }
        let rare = state.rare();
        rare.deadline = Some(deadline);
        rare.stop.reason = reason;
        drop(state);
        self.follow_deadline();
    }

    /// Carries the request to all below, except behind shields, and wakes whoever waits for it.
    pub(super) fn spread_stop(self: &Link) {
        let mut calls = Calls::default();
        let mut stack = vec![self.clone()];
        while let Some(node) = stack.pop() {
            let mut state = node.lock();
            let hidden = state.shield && node.depth() > self.depth();
            if state.gone || hidden || std::mem::replace(&mut state.rare().stop.requested, true) {
                continue;
            }
            let poller = state.poller_if(node.role() == Role::Leaf);
            stack.extend(state.children.iter().cloned());
            drop(state);
            calls.add(&node, poller);
        }
    }
}

impl State {
    pub(super) fn is_asked_to_stop(&self) -> bool {
        self.stop().is_some_and(|stop| stop.requested)
    }

    /// Why the node is cancelled when its deadline passes.
    pub(super) fn reason_at_deadline(&self) -> Cancelled {
        self.stop().and_then(|stop| stop.reason.clone()).unwrap_or_else(|| Cancelled::new(CancelReason::DeadlinePassed))
    }
}
