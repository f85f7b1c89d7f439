//! [`Timed`]: the future of a timeout, a scope that nobody has a handle to.
//!
//! It is as small as can be, since timeouts are nested: with each one around it a future is moved once more, and so are
//! all that are inside. What only a few need, a node and what goes with it, is therefore behind a pointer.

use std::fmt;
use std::future::Future;
use std::mem::{forget, replace};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::light::{Light, Limit, Turn};
use super::region::Region;
use crate::context;
use crate::reason::Cancelled;
use crate::tree::Link;
use crate::unit::{Payload, Polled, Unit};

pin_project! {
    /// A body with a limit.
    pub(crate) struct Timed<F: Future> {
        place: Place<F::Output>,
        #[pin]
        body: Option<F>,
    }

    impl<F: Future> PinnedDrop for Timed<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            match this.place {
                Place::Node(region) => region.abandon(this.body),
                Place::Light(_) | Place::Moving => this.body.set(None),
            }
        }
    }
}

/// Where a timeout stands.
enum Place<T> {
    /// Nowhere so far: it needed no node.
    Light(Light),
    /// At a node.
    Node(Box<Region<T>>),
    /// On the way from the one to the other.
    Moving,
}

impl<T> Place<T> {
    /// Gives the timeout a node: the one that it has got while it was polled, or a new one.
    #[cold]
    fn settle(&mut self, given: Option<Link>) -> &mut Region<T> {
        if let Place::Light(light) = replace(self, Place::Moving) {
            let unit = given.map_or_else(|| light.into_unit(), Unit::new);
            *self = Place::Node(Box::new(Region::at(unit)));
        }
        self.region()
    }

    fn region(&mut self) -> &mut Region<T> {
        match self {
            Place::Node(region) => region,
            Place::Light(_) | Place::Moving => unreachable!("it has a node"),
        }
    }
}

impl<F: Future> Timed<F> {
    #[inline]
    pub(crate) fn new(limit: Limit, body: F) -> Self {
        Timed { place: Place::Light(Light::new(limit)), body: Some(body) }
    }

    /// Polls the body; an `Err` tells the cause that cut it short.
    #[inline]
    pub(crate) fn poll_timed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Cancelled>> {
        let mut this = self.project();
        let Place::Light(light) = this.place else {
            return poll_settled(this.place.region(), this.body, cx);
        };
        let bare = match light.poll_begin(cx) {
            Turn::Inside(bare) => bare,
            Turn::Aside => return Poll::Pending,
            Turn::Late => return poll_settled(this.place.settle(None), this.body, cx),
        };
        // The value is written where it is returned from, and not handed on in pieces, for which the processor would wait.
        let (mut polled, mut panic) = (Poll::Pending, None);
        let link = context::inside_timeout(bare, || panic = poll_and_drop(this.body.as_mut(), cx, &mut polled));
        if panic.is_none() && link.is_none() {
            match polled {
                Poll::Ready(value) => {
                    light.end();
                    if context::is_relied_on() {
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Ready(Ok(value));
                }
                Poll::Pending if !light.has_passed(cx) => {
                    if context::is_relied_on() {
                        light.note_others();
                    }
                    return Poll::Pending;
                }
                Poll::Pending => {}
            }
        }
        if context::is_relied_on() {
            cx.waker().wake_by_ref();
        }
        poll_on(this.place.settle(link), outcome(polled, panic), this.body, cx)
    }
}

/// Polls the body, and drops it when it has returned, which may panic either way.
#[inline]
fn poll_and_drop<F: Future>(
    mut body: Pin<&mut Option<F>>,
    cx: &mut Context<'_>,
    polled: &mut Poll<F::Output>,
) -> Option<Payload> {
    let run = || {
        let value = body.as_mut().as_pin_mut().expect("the body is there until it ends").poll(cx);
        if value.is_ready() {
            // What was there needs no drop, which the compiler would look for.
            forget(replace(polled, value));
            body.set(None);
        }
    };
    catch_unwind(AssertUnwindSafe(run)).err()
}

#[cold]
fn outcome<T>(polled: Poll<T>, panic: Option<Payload>) -> Polled<T> {
    match (polled, panic) {
        (Poll::Ready(value), None) => Polled::Returned(value),
        (Poll::Ready(value), Some(payload)) => Polled::panicked(Some(value), payload),
        (Poll::Pending, Some(payload)) => Polled::panicked(None, payload),
        (Poll::Pending, None) => Polled::Pending,
    }
}

/// Goes on after a poll in which, or after which, the timeout has got its node.
#[cold]
fn poll_on<F: Future>(
    region: &mut Region<F::Output>,
    polled: Polled<F::Output>,
    body: Pin<&mut Option<F>>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, Cancelled>> {
    ready!(region.conclude(polled, body, cx));
    region.poll_exit(cx)
}

#[inline(never)]
fn poll_settled<F: Future>(
    region: &mut Region<F::Output>,
    body: Pin<&mut Option<F>>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, Cancelled>> {
    ready!(region.poll_body(body, cx));
    region.poll_exit(cx)
}

impl<F: Future> fmt::Debug for Timed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timed").finish_non_exhaustive()
    }
}
