//! [`Region`]: a body at a node, polled to its end and out.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::reason::Cancelled;
use crate::tree::Link;
use crate::unit::{End, Polled, Unit};

/// What a scope knows while it stands at a node.
pub(super) struct Region<T> {
    pub(super) unit: Unit,
    /// How the body ended; the barrier may still have to be passed.
    end: Option<End<T>>,
}

impl<T> Region<T> {
    pub(super) fn at(unit: Unit) -> Self {
        Region { unit, end: None }
    }

    pub(super) fn link(&self) -> &Link {
        self.unit.link()
    }

    /// Polls the body to its end.
    #[inline]
    pub(super) fn poll_body<F>(&mut self, body: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<()>
    where
        F: Future<Output = T>,
    {
        if self.end.is_none() {
            self.end = Some(ready!(self.unit.poll_body_in_place(body, cx)));
            self.unit.begin_exit();
        }
        Poll::Ready(())
    }

    /// [`poll_body`](Self::poll_body) for a body that was polled just now, when there was no node.
    pub(super) fn conclude<F>(&mut self, polled: Polled<T>, body: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<()>
    where
        F: Future<Output = T>,
    {
        self.end = Some(ready!(self.unit.conclude(polled, body, cx)));
        self.unit.begin_exit();
        Poll::Ready(())
    }

    /// The body has ended: polls until nothing is left inside, and the unit around has had its chance.
    #[inline(never)]
    pub(super) fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Cancelled>> {
        ready!(self.unit.poll_closed(cx));
        if matches!(self.end, Some(End::Cut)) {
            ready!(self.unit.poll_offer(cx));
        }
        Poll::Ready(self.leave())
    }

    /// [`poll_exit`](Self::poll_exit) for a scope that was entered as a part of the unit around it, to which no offer is
    /// made.
    pub(super) fn poll_exit_as_part(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Cancelled>> {
        ready!(self.unit.poll_closed(cx));
        Poll::Ready(self.leave())
    }

    fn leave(&mut self) -> Result<T, Cancelled> {
        self.unit.finish();
        match self.end.take().expect("a scope is not polled after it is done") {
            End::Value(value) => Ok(value),
            End::Cut => Err(self.link().cause().expect("a body is cut short for a cause").reason),
            End::Panicked(payload) => resume_unwind(payload),
        }
    }

    /// For destructors: drops the body inside the node and leaves.
    pub(super) fn abandon<F>(&mut self, body: Pin<&mut Option<F>>) {
        if let Some(End::Panicked(payload)) = self.end.take_if(|end| matches!(end, End::Panicked(_))) {
            self.unit.report_panic(payload);
        }
        self.unit.abandon(body);
    }
}
