//! The future of a scope: the wrapper that decides when to drop what it wraps.

use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::context;
use crate::reason::Cancelled;
use crate::tree::Link;
use crate::unit::{End, Unit};

pin_project! {
    /// The future returned by [`CancelScope::run`](crate::CancelScope::run).
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Scoped<F: Future> {
        unit: Unit,
        timeout: Option<Duration>,
        #[pin]
        body: Option<F>,
        // How the body ended; the barrier may still have to be passed.
        end: Option<End<F::Output>>,
    }

    impl<F: Future> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(End::Panicked(payload)) = this.end.take_if(|end| matches!(end, End::Panicked(_))) {
                this.unit.report_panic(payload);
            }
            this.unit.abandon(this.body);
        }
    }
}

impl<F: Future> Scoped<F> {
    pub(super) fn new(link: Link, timeout: Option<Duration>, body: F) -> Self {
        Scoped { unit: Unit::new(link), timeout, body: Some(body), end: None }
    }

    /// Takes its place below whatever is current, and lets its time begin.
    pub(crate) fn enter(self: Pin<&mut Self>) {
        let this = self.project();
        this.unit.enter_here();
        if let Some(timeout) = this.timeout.take() {
            set_timeout(this.unit.link(), timeout);
        }
    }

    /// Polls the scope; an `Err` tells the cause that cut the body short.
    pub(crate) fn poll_scope(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Cancelled>> {
        if !self.unit.is_entered() {
            ready!(context::poll_budget(cx));
            self.as_mut().enter();
        }
        ready!(self.as_mut().poll_barrier(cx));
        if matches!(self.end, Some(End::Cut)) {
            ready!(self.as_mut().project().unit.poll_offer(cx));
        }
        Poll::Ready(self.leave())
    }

    /// [`poll_scope`](Self::poll_scope) for a scope that was entered as a part of the unit around it, to which no offer is
    /// made.
    pub(crate) fn poll_as_part(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Cancelled>> {
        ready!(self.as_mut().poll_barrier(cx));
        Poll::Ready(self.leave())
    }

    /// Polls the body to its end, and then until nothing is left inside.
    fn poll_barrier(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.end.is_none() {
            *this.end = Some(ready!(this.unit.poll_body(this.body, cx)));
            this.unit.begin_exit();
        }
        this.unit.poll_closed(cx)
    }

    fn leave(self: Pin<&mut Self>) -> Result<F::Output, Cancelled> {
        let this = self.project();
        this.unit.finish();
        match this.end.take().expect("a scope is not polled after it is done") {
            End::Value(value) => Ok(value),
            End::Cut => Err(this.unit.link().cause().expect("a body is cut short for a cause").reason),
            End::Panicked(payload) => resume_unwind(payload),
        }
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

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_scope(cx)
    }
}

impl<F: Future> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").finish_non_exhaustive()
    }
}
