//! The future of a scope: the wrapper that decides when to drop what it wraps.

use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::light::{Light, Limit};
use crate::context;
use crate::reason::Cancelled;
use crate::tree::Link;
use crate::unit::{End, Polled, Unit, poll_and_drop};

pin_project! {
    /// The future returned by [`CancelScope::run`](crate::CancelScope::run).
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Scoped<F: Future> {
        place: Place,
        #[pin]
        body: Option<F>,
        // How the body ended; the barrier may still have to be passed.
        end: Option<End<F::Output>>,
    }

    impl<F: Future> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Place::Node { unit, .. } = this.place else {
                return this.body.set(None);
            };
            if let Some(End::Panicked(payload)) = this.end.take_if(|end| matches!(end, End::Panicked(_))) {
                unit.report_panic(payload);
            }
            unit.abandon(this.body);
        }
    }
}

/// Where a scope stands.
enum Place {
    /// At a node, with a deadline that counts from the first poll.
    Node { unit: Unit, timeout: Option<Duration> },
    /// A timeout that needed no node so far.
    Light(Light),
    /// On the way from the one to the other.
    Moving,
}

impl Place {
    #[inline]
    fn unit(&mut self) -> &mut Unit {
        match self {
            Place::Node { unit, .. } => unit,
            Place::Light(_) | Place::Moving => unreachable!("it has a node"),
        }
    }

    /// Gives a timeout its node.
    #[cold]
    fn settle(&mut self) {
        if let Place::Light(light) = std::mem::replace(self, Place::Moving) {
            *self = Place::Node { unit: light.into_unit(), timeout: None };
        }
    }

    /// [`settle`](Self::settle) for a timeout that may have got this node while it was polled.
    #[cold]
    fn settle_at(&mut self, node: Option<Link>) {
        match node {
            Some(link) => *self = Place::Node { unit: Unit::new(link), timeout: None },
            None => self.settle(),
        }
    }
}

impl<F: Future> Scoped<F> {
    pub(super) fn new(link: Link, timeout: Option<Duration>, body: F) -> Self {
        Scoped { place: Place::Node { unit: Unit::new(link), timeout }, body: Some(body), end: None }
    }

    /// A timeout: a scope that nobody has a handle to.
    pub(crate) fn timeout(limit: Limit, body: F) -> Self {
        Scoped { place: Place::Light(Light::new(limit)), body: Some(body), end: None }
    }

    /// Takes its place below whatever is current, and lets its time begin.
    pub(crate) fn enter(self: Pin<&mut Self>) {
        if let Place::Node { unit, timeout } = self.project().place {
            unit.enter_here();
            if let Some(timeout) = timeout.take() {
                set_timeout(unit.link(), timeout);
            }
        }
    }

    /// Polls a timeout; an `Err` tells the cause that cut the body short.
    #[inline]
    pub(crate) fn poll_timeout(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Cancelled>> {
        if let Place::Light(_) = &self.place
            && let Some(value) = ready!(self.as_mut().poll_light(cx))
        {
            return Poll::Ready(Ok(value));
        }
        self.poll_scope(cx)
    }

    /// Polls a scope that is at a node; an `Err` tells the cause that cut the body short.
    #[inline(never)]
    pub(crate) fn poll_scope(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Cancelled>> {
        ready!(self.as_mut().poll_enter(cx));
        ready!(self.as_mut().poll_body(cx));
        self.poll_exit(cx)
    }

    #[inline]
    fn poll_enter(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.as_mut().project().place.unit().is_known_to_be_entered() {
            ready!(context::poll_budget(cx));
            self.enter();
        }
        Poll::Ready(())
    }

    /// The body has ended: polls until nothing is left inside, and the unit around has had its chance.
    #[inline(never)]
    fn poll_exit(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Cancelled>> {
        let this = self.as_mut().project();
        let unit = this.place.unit();
        ready!(unit.poll_closed(cx));
        if matches!(this.end, Some(End::Cut)) {
            ready!(unit.poll_offer(cx));
        }
        Poll::Ready(self.leave())
    }

    /// [`poll_scope`](Self::poll_scope) for a scope that was entered as a part of the unit around it, to which no offer is
    /// made.
    pub(crate) fn poll_as_part(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Cancelled>> {
        ready!(self.as_mut().poll_body(cx));
        ready!(self.as_mut().project().place.unit().poll_closed(cx));
        Poll::Ready(self.leave())
    }

    /// Polls the body of a timeout that has no node: to its value, or until a node is needed for how it goes on.
    #[inline]
    fn poll_light(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let mut this = self.project();
        let Place::Light(light) = this.place else { unreachable!("looked at just now") };
        if ready!(light.poll_begin(cx)) {
            this.place.settle();
            return Poll::Ready(None);
        }
        let (polled, link) = context::inside_timeout(light.deadline(), || poll_and_drop(this.body.as_mut(), cx));
        match (polled, link) {
            (Polled::Ended(Ok((value, Ok(())))), None) => {
                light.end();
                Poll::Ready(Some(value))
            }
            (Polled::Pending, None) if !light.has_passed(cx) => Poll::Pending,
            (polled, link) => {
                this.place.settle_at(link);
                let end = ready!(this.place.unit().conclude(polled, this.body, cx));
                *this.end = Some(end);
                this.place.unit().begin_exit();
                Poll::Ready(None)
            }
        }
    }

    /// Polls the body to its end.
    #[inline]
    fn poll_body(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.end.is_none() {
            let unit = this.place.unit();
            *this.end = Some(ready!(unit.poll_body_in_place(this.body, cx)));
            unit.begin_exit();
        }
        Poll::Ready(())
    }

    fn leave(self: Pin<&mut Self>) -> Result<F::Output, Cancelled> {
        let this = self.project();
        let unit = this.place.unit();
        unit.finish();
        match this.end.take().expect("a scope is not polled after it is done") {
            End::Value(value) => Ok(value),
            End::Cut => Err(unit.link().cause().expect("a body is cut short for a cause").reason),
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
