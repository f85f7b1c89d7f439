//! One branch: a unit below its owner.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::tree::{Cause, Link, Node, Role, erase};
use crate::unit::{End, Payload, Unit};

/// How a branch ended; its value stays in it.
pub(crate) enum BranchEnd {
    /// It has a value.
    Value,
    /// It was dropped before it began.
    Unbegun,
    /// It was cut short.
    Cut(Cause),
    Panicked(Payload),
}

pin_project! {
    /// A future that is a unit below an owner which polls it.
    pub(crate) struct Branch<F: Future> {
        unit: Unit,
        #[pin]
        body: Option<F>,
        output: Option<F::Output>,
    }

    impl<F: Future> PinnedDrop for Branch<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.body.is_some() {
                this.unit.abandon(this.body);
            }
        }
    }
}

impl<F: Future> Branch<F> {
    pub(crate) fn new(body: F) -> Self {
        let node: Arc<Node<()>> = Node::new(Role::Branch, ());
        Branch { unit: Unit::new(erase(&node)), body: Some(body), output: None }
    }

    /// Polls the branch, whose place is below `owner`. One that has not begun does not begin any more if its owner has
    /// decided already.
    pub(crate) fn poll_below(
        mut self: Pin<&mut Self>,
        owner: &Link,
        decided: bool,
        cx: &mut Context<'_>,
    ) -> Poll<BranchEnd> {
        if !self.unit.is_entered() {
            if decided {
                let this = self.project();
                let dropped = this.unit.drop_body(this.body);
                return Poll::Ready(dropped.map_or_else(BranchEnd::Panicked, |()| BranchEnd::Unbegun));
            }
            self.unit.link().link(owner);
        }
        let this = self.as_mut().project();
        let end = ready!(this.unit.poll_body(this.body, cx));
        let end = match end {
            End::Value(value) => {
                *this.output = Some(value);
                BranchEnd::Value
            }
            End::Cut => BranchEnd::Cut(this.unit.link().cause().expect("a body is cut short for a cause")),
            End::Panicked(payload) => BranchEnd::Panicked(payload),
        };
        this.unit.finish();
        Poll::Ready(end)
    }

    /// The value, if it has one that was not taken yet.
    pub(crate) fn take(self: Pin<&mut Self>) -> Option<F::Output> {
        self.project().output.take()
    }
}
