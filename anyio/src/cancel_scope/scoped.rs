//! The future of a scope: the wrapper that decides when to drop what it wraps.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::region::Region;
use crate::context;
use crate::reason::Cancelled;
use crate::tree::Link;
use crate::unit::Unit;

pin_project! {
    /// The future returned by [`CancelScope::run`](crate::CancelScope::run).
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Scoped<F: Future> {
        region: Region<F::Output>,
        // A deadline that counts from the first poll.
        timeout: Option<Duration>,
        #[pin]
        body: Option<F>,
    }

    impl<F: Future> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.region.abandon(this.body);
        }
    }
}

impl<F: Future> Scoped<F> {
    pub(super) fn new(link: Link, timeout: Option<Duration>, body: F) -> Self {
        Scoped { region: Region::at(Unit::new(link)), timeout, body: Some(body) }
    }

    /// Takes its place below whatever is current, and lets its time begin.
    pub(crate) fn enter(self: Pin<&mut Self>) {
        let this = self.project();
        this.region.unit.enter_here();
        if let Some(timeout) = this.timeout.take() {
            set_timeout(this.region.link(), timeout);
        }
    }

    #[inline]
    fn poll_enter(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.as_mut().project().region.unit.is_known_to_be_entered() {
            ready!(context::poll_budget(cx));
            self.enter();
        }
        Poll::Ready(())
    }

    /// Polls a scope that was entered as a part of the unit around it, to which no offer is made; an `Err` tells the cause
    /// that cut the body short.
    pub(crate) fn poll_as_part(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Cancelled>> {
        let this = self.project();
        ready!(this.region.poll_body(this.body, cx));
        this.region.poll_exit_as_part(cx)
    }
}

/// Sets a deadline that counts from now, unless there is an earlier one. A deadline beyond the end of time is none.
fn set_timeout(link: &Link, timeout: Duration) {
    if let Some(deadline) = link.runtime().now().checked_add(timeout) {
        link.lower_deadline(deadline, None);
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.as_mut().poll_enter(cx));
        let this = self.project();
        ready!(this.region.poll_body(this.body, cx));
        this.region.poll_exit(cx)
    }
}

impl<F: Future> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").finish_non_exhaustive()
    }
}
