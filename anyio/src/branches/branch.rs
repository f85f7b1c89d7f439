//! One branch: a unit below its owner.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::tree::{Cause, Link, Node, Role, erase};
use crate::unit::{End, Payload, Unit};

/// Where a branch is polled.
#[derive(Clone, Copy)]
pub struct Below<'a> {
    pub(super) owner: &'a Link,
    /// Whether the outcome is clear, so that what has not begun need not begin.
    pub(super) decided: bool,
}

/// How a branch ended; its value stays in it.
pub struct Ended(pub(super) Ending);

pub(super) enum Ending {
    Value,
    /// It was dropped before it began.
    Unbegun,
    Cut(Cause),
    Panicked(Payload),
}

pin_project! {
    /// A future that is a unit below an owner which polls it.
    ///
    /// `T` is its output. It stands apart, since looking it up may be more than rustc can do where it decides whether the
    /// branch is `Send` (rust-lang/rust#110338).
    pub struct Branch<F, T> {
        unit: Unit,
        #[pin]
        body: Option<F>,
        output: Option<T>,
    }

    impl<F, T> PinnedDrop for Branch<F, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.body.is_some() {
                this.unit.abandon(this.body);
            }
        }
    }
}

/// A branch in its lane.
pub(crate) type Lane<F> = Pin<Box<Branch<F, <F as Future>::Output>>>;

impl<F: Future<Output = T>, T> Branch<F, T> {
    pub(crate) fn new(body: F) -> Lane<F> {
        let unit = Unit::new(erase(&Node::new(Role::Branch, ())));
        Box::pin(Branch { unit, body: Some(body), output: None })
    }

    /// Polls the branch.
    pub(crate) fn poll_below(mut self: Pin<&mut Self>, below: Below<'_>, cx: &mut Context<'_>) -> Poll<Ended> {
        if !self.unit.is_entered() {
            self.unit.link().link(below.owner.clone());
            if below.decided {
                let this = self.project();
                let dropped = this.unit.drop_body(this.body);
                this.unit.finish();
                return Poll::Ready(Ended(dropped.map_or_else(Ending::Panicked, |()| Ending::Unbegun)));
            }
        }
        let this = self.as_mut().project();
        let ending = match ready!(this.unit.poll_body(this.body, cx)) {
            End::Value(value) => {
                *this.output = Some(value);
                Ending::Value
            }
            End::Cut => Ending::Cut(this.unit.link().cause().expect("a body is cut short for a cause")),
            End::Panicked(payload) => Ending::Panicked(payload),
        };
        this.unit.finish();
        Poll::Ready(Ended(ending))
    }

    /// The value, if the branch has ended with one and it was not taken.
    pub(crate) fn output(self: Pin<&mut Self>) -> &mut Option<T> {
        self.project().output
    }
}

impl<F, T> fmt::Debug for Branch<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branch").field("ended", &self.body.is_none()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Below<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Below").finish_non_exhaustive()
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ended(..)")
    }
}
