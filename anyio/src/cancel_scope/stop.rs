//! Stopping gracefully: code that is asked to stop before it is cancelled.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::context;
use crate::tree::{Node, Role};
use crate::unit::Unit;

/// Whether the code that runs here and now was asked to [stop](crate::CancelHandle::stop), by any scope or group around
/// it that no shield hides, or is cancelled.
///
/// `false` where no scope of anyio is being polled.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
///
/// let drained = anyio::task_group(async |tg| {
///     let worker = tg.spawn(async {
///         while !anyio::is_stopping() {
///             anyio::sleep(Duration::from_millis(1)).await; // one job
///         }
///         "no job was cut short"
///     });
///     tg.stop(Duration::from_secs(5));
///     worker.value().await
/// })
/// .await;
/// assert_eq!(drained, Ok("no job was cut short"));
/// # });
/// ```
#[must_use]
pub fn is_stopping() -> bool {
    context::peek_closely(|link| link.is_some_and(|link| link.is_stopping()))
}

/// Waits until the code here is asked to [stop](crate::CancelHandle::stop), or is cancelled.
///
/// This is for branches of a `select!`: finish what was begun, and take on nothing new. It completes although the scope
/// may be cancelled; the code after it runs to its next suspension.
///
/// # Panics
///
/// Where there is no runtime.
///
/// # Cancel safety
///
/// Nothing is lost: the request stays.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::pin::pin;
/// use std::time::Duration;
/// use futures::future::select;
///
/// async fn serve(requests: impl Future<Output = ()>) {
///     select(pin!(requests), pin!(anyio::stopping())).await;
///     // say goodbye to the peers
/// }
///
/// anyio::task_group(async |tg| {
///     tg.spawn(serve(anyio::sleep_forever()));
///     tg.stop(Duration::from_secs(5));
/// })
/// .await
/// .unwrap();
/// # });
/// ```
pub fn stopping() -> impl Future<Output = ()> + Send {
    Stopping { unit: Unit::new(Node::new(Role::Leaf, ())) }
}

struct Stopping {
    unit: Unit,
}

impl Future for Stopping {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.unit.is_entered() {
            ready!(context::poll_budget(cx));
            self.unit.enter_here();
        }
        self.unit.register(cx);
        if self.unit.link().is_stopping() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        self.unit.finish();
    }
}
