//! Shields: what is inside goes on although the scopes around it were cancelled.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::context;
use crate::tree::{Cause, Ext, Link, Node, Role};
use crate::unit::Unit;

/// Runs `future` to its end although scopes around it are cancelled.
///
/// Cancellation outside is hidden from what is inside, and every scope, group and task around it, within the same task,
/// keeps its body until `future` is done. Scopes and deadlines *inside* act as ever. After it, the code runs on to its
/// next suspension, where the cancellation that was kept out is delivered.
///
/// For asynchronous clean-up prefer [`finally`](crate::finally()), which also runs when it was not reached yet, and give
/// it a grace: an unbounded shield lets no one stop what is inside.
///
/// The semantics are those of Trio's `CancelScope(shield=True)`.
///
/// # Panics
///
/// At the first poll, where there is no runtime; with the panic of `future`.
///
/// # Cancel safety
///
/// A shield that is *dropped*, by a foreign `select!` or timeout, ends there: a future cannot keep itself from being
/// dropped.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{CancelScope, shield, sleep};
///
/// let scope = CancelScope::new();
/// scope.handle().cancel();
/// let mut committed = false;
/// let outcome = scope
///     .run(async {
///         shield(async {
///             sleep(Duration::from_millis(5)).await;
///             committed = true;
///         })
///         .await;
///         sleep(Duration::from_secs(3600)).await; // delivered here
///     })
///     .await;
///
/// assert!(outcome.is_err() && committed);
/// # });
/// ```
pub fn shield<F: Future>(future: F) -> Shield<F> {
    Shield::new(None, future)
}

/// A [`shield`] that lasts for at most `grace` once a scope around it is cancelled.
///
/// The grace counts, on the runtime's clock, from the moment at which the cancellation arrives, or from the first poll
/// if it is here already. When it is over the shield neither hides nor holds any more, also while `future` is not being
/// polled, and the cancellation is delivered inside.
///
/// # Panics
///
/// As [`shield`].
///
/// # Cancel safety
///
/// As [`shield`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{CancelScope, shield_for, sleep_forever};
///
/// let scope = CancelScope::new();
/// scope.handle().cancel();
/// let flush = shield_for(Duration::from_millis(5), sleep_forever());
/// assert!(scope.run(flush).await.is_err());
/// # });
/// ```
pub fn shield_for<F: Future>(grace: Duration, future: F) -> Shield<F> {
    Shield::new(Some(grace), future)
}

pin_project! {
    /// The future returned by [`shield`] and [`shield_for`].
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Shield<F: Future> {
        unit: Unit,
        grace: Option<Duration>,
        #[pin]
        future: Option<F>,
    }

    impl<F: Future> PinnedDrop for Shield<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.unit.abandon(this.future);
        }
    }
}

impl<F: Future> Shield<F> {
    fn new(grace: Option<Duration>, future: F) -> Self {
        Shield { unit: Unit::new(Node::new(Role::Shield, Grace(grace))), grace, future: Some(future) }
    }
}

impl<F: Future> Future for Shield<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if !this.unit.is_entered() {
            ready!(context::poll_budget(cx));
            this.unit.enter_here();
            let outer = this.unit.link().enclosing().and_then(|outer| outer.cause());
            if let Some(cause) = outer {
                let link = this.unit.link().clone();
                link.ext.reached(&link, &cause);
            }
        }
        let value = ready!(this.unit.poll_plain(this.future.as_mut(), cx));
        this.unit.finish();
        Poll::Ready(value)
    }
}

/// How long a shield lasts once there is something to shield from.
struct Grace(Option<Duration>);

impl Ext for Grace {
    fn known(&self) -> &dyn Any {
        self
    }

    fn reached(&self, node: &Link, _cause: &Cause) {
        let Some(grace) = self.0.filter(|_| node.is_shielded()) else {
            return;
        };
        if let Some(end) = node.runtime().now().checked_add(grace) {
            node.start_grace(end);
        }
    }

    fn grace_over(&self, node: &Link) {
        node.set_shield(false);
    }
}

impl<F: Future> fmt::Debug for Shield<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shield").field("grace", &self.grace).finish_non_exhaustive()
    }
}
