//! Ways of polling a future that several assertions share.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use crate::timeout::sleep;

/// How long an assertion waits for what should not take any time, on the runtime's clock.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What `future` comes to, if it does so within `patience`. Unlike a timeout this asks no shield for leave.
pub(super) async fn within<F: Future>(patience: Duration, mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut end = pin!(sleep(patience));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// What `future` comes to, and how often it suspends on the way.
pub(super) async fn count_suspensions<F: Future>(future: F) -> (F::Output, usize) {
    let mut future = pin!(future);
    let mut suspensions = 0;
    let output = poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        suspensions += usize::from(polled.is_pending());
        polled
    });
    (output.await, suspensions)
}
