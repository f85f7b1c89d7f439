//! Looking at, and waiting for, the cancellation that is in effect here and now.

use std::future::Future;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use crate::context;
use crate::reason::Cancelled;
use crate::tree::{Link, Node, Role};
use crate::unit::{Entry, Unit, noted};

/// Yields to the runtime once: a place where cancellation is delivered, timers fire and other tasks run.
///
/// Every operation of anyio is a checkpoint of its own, at least from time to time. This one is for long computations,
/// and for code between operations that anyio does not know.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// for chunk in (0..1_000_000).collect::<Vec<u64>>().chunks(100_000) {
///     std::hint::black_box(chunk.iter().sum::<u64>());
///     anyio::checkpoint().await;
/// }
/// # });
/// ```
#[track_caller]
pub fn checkpoint() -> impl Future<Output = ()> + Send {
    let mut entry = Entry::new();
    let mut yielded = false;
    poll_fn(move |cx| {
        noted(|| {
            ready!(entry.poll(cx));
            if std::mem::replace(&mut yielded, true) || entry.has_stepped_aside() {
                return Poll::Ready(());
            }
            context::step_aside(cx);
            Poll::Pending
        })
    })
}

/// Whether the code that runs here and now is cancelled, by any scope around it that no shield hides.
///
/// `false` where no scope of anyio is being polled.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let scope = anyio::CancelScope::new();
/// let handle = scope.handle();
/// let seen = scope.run(async { handle.cancel(); anyio::is_cancelled() }).await;
/// assert_eq!(seen, Ok(true));
/// # });
/// ```
#[must_use]
pub fn is_cancelled() -> bool {
    context::peek_closely(|link| link.is_some_and(|link| link.is_eff()))
}

/// Waits until the code here is cancelled, and tells why.
///
/// This is for reacting while the cancellation is held off elsewhere, and for branches of a foreign `select!`. It
/// completes although the scope is cancelled; the code after it runs to its next suspension.
///
/// # Panics
///
/// Where there is no runtime.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let scope = anyio::CancelScope::new();
/// scope.handle().cancel_with("enough");
/// let reason = scope.run(anyio::cancelled()).await.unwrap();
/// assert!(reason.to_string().contains("enough"));
/// # });
/// ```
pub fn cancelled() -> impl Future<Output = Cancelled> + Send {
    CancelledFuture { unit: Unit::new(Node::new(Role::Leaf, ())) }
}

struct CancelledFuture {
    unit: Unit,
}

impl Future for CancelledFuture {
    type Output = Cancelled;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cancelled> {
        if !self.unit.is_entered() {
            ready!(context::poll_budget(cx));
            self.unit.enter_here();
        }
        self.unit.register(cx);
        match self.unit.link().cause() {
            Some(cause) => Poll::Ready(cause.reason),
            None => Poll::Pending,
        }
    }
}

impl Drop for CancelledFuture {
    fn drop(&mut self) {
        self.unit.finish();
    }
}

/// How long the code here may go on: see [`current_effective_deadline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectiveDeadline {
    /// As long as it likes.
    None,
    /// Until then, on the runtime's clock.
    At(Instant),
    /// It is cancelled already.
    Cancelled,
}

/// The earliest deadline among all scopes around the code here, up to and including the nearest shield.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{EffectiveDeadline, current_effective_deadline, timeout};
///
/// assert_eq!(current_effective_deadline(), EffectiveDeadline::None);
/// let inside = timeout(Duration::from_secs(1), async { current_effective_deadline() }).await;
/// assert!(matches!(inside, Ok(EffectiveDeadline::At(_))));
/// # });
/// ```
#[must_use]
pub fn current_effective_deadline() -> EffectiveDeadline {
    let Some(innermost) = context::current() else {
        return EffectiveDeadline::None;
    };
    if innermost.is_eff() {
        return EffectiveDeadline::Cancelled;
    }
    let earliest = unshielded(&innermost).filter_map(|link| link.deadline()).min();
    earliest.map_or(EffectiveDeadline::None, EffectiveDeadline::At)
}

/// The node and its ancestors, up to and including the nearest shield.
fn unshielded(innermost: &Link) -> impl Iterator<Item = &Link> {
    std::iter::successors(Some(innermost), |link| link.parent().filter(|_| !link.is_shielded()))
}
