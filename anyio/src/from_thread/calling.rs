//! A future that a thread polls in the scope of its host.

use std::any::Any;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::reason::Cancelled;
use crate::task_group::TaskId;
use crate::tree::{Ext, Link, Node, Role};
use crate::unit::{End, Unit};

pin_project! {
    /// It is a task, since nobody around polls it, but one that belongs to no group and may borrow. Not to be dropped
    /// before it is done.
    pub(super) struct Calling<F: Future> {
        unit: Unit,
        #[pin]
        body: Option<F>,
        end: Option<End<F::Output>>,
    }
}

struct Call(TaskId);

impl Ext for Call {
    fn known(&self) -> &dyn Any {
        self
    }

    fn task(&self) -> Option<TaskId> {
        Some(self.0)
    }
}

impl<F: Future> Calling<F> {
    /// Counts it at `host`; `None`: that has closed.
    pub(super) fn enter(host: &Link, body: F) -> Option<Self> {
        let node: Link = Node::new(Role::Task, Call(TaskId::next()));
        host.adopt(&node, host.runtime()).ok()?;
        Some(Calling { unit: Unit::new(node), body: Some(body), end: None })
    }
}

impl<F: Future> Future for Calling<F> {
    type Output = Result<F::Output, Cancelled>;

    /// The body, then the barrier.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.end.is_none() {
            *this.end = Some(ready!(this.unit.poll_body(this.body, cx)));
            this.unit.link().retire();
        }
        ready!(this.unit.link().poll_gone(cx));
        Poll::Ready(match this.end.take().expect("it was set above") {
            End::Value(value) => Ok(value),
            End::Cut => Err(this.unit.link().cause().expect("a body is cut short for a cause").reason),
            End::Panicked(payload) => resume_unwind(payload),
        })
    }
}
