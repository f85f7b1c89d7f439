//! [`Combined`]: the future of a combinator.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future that most combinators return: it runs the branches, in `S`, and has their output `O`.
///
/// Dropping it drops the branches, there and then.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Combined<S, O> {
    state: S,
    /// What the future does, together with what this asks of its parameters. Bounds in the impl of `Future` would be in
    /// the way of rustc, which decides whether futures that keep the output are `Send` after it has forgotten all
    /// lifetimes (rust-lang/rust#110338).
    poll: fn(&mut S, &mut Context<'_>) -> Poll<O>,
}

impl<S, O> Combined<S, O> {
    pub(super) fn new(state: S, poll: fn(&mut S, &mut Context<'_>) -> Poll<O>) -> Self {
        Combined { state, poll }
    }
}

// The branches are pinned where they are; nothing else is.
impl<S, O> Unpin for Combined<S, O> {}

impl<S, O> Future for Combined<S, O> {
    type Output = O;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        (self.poll)(&mut self.state, cx)
    }
}

impl<S, O> fmt::Debug for Combined<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Combined").finish_non_exhaustive()
    }
}
