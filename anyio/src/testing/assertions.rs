//! What a future does, asserted: whether it waits, suspends, can be cancelled.

use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use super::polling::{PATIENCE, count_suspensions, within};
use super::settle::wait_all_tasks_blocked;
use crate::cancel_scope::{CancelScope, checkpoint};
use crate::reason::Cancelled;

/// How often a future is polled to see whether it waits: one that steps aside a few times does not.
const POLLS: usize = 8;

/// Asserts that `future` waits for something, and leaves it waiting.
///
/// It is polled eight times, woken or not: one that only steps aside is ready by then. Whoever awaits it afterwards is
/// woken as usual. Pin a future that is not `Unpin` with [`pin!`] first.
///
/// # Panics
///
/// If it completes.
///
/// # Examples
///
/// ```
/// use anyio::Event;
/// use anyio::testing::{assert_pending, assert_ready};
///
/// let event = Event::new();
/// let mut wait = std::pin::pin!(event.wait());
/// assert_pending(&mut wait);
/// event.set();
/// assert_ready(&mut wait);
/// ```
#[track_caller]
pub fn assert_pending<F: Future + Unpin + ?Sized>(future: &mut F) {
    let is_ready = poll_a_few_times(future).is_some();
    assert!(!is_ready, "the future is ready, where it was to wait");
}

/// Asserts that `future` completes without waiting, and returns what it comes to.
///
/// It is polled eight times at most, since it may step aside on the way.
///
/// # Panics
///
/// If it waits.
///
/// # Examples
///
/// ```
/// use anyio::channel;
/// use anyio::testing::assert_ready;
///
/// let (sender, receiver) = channel::unbounded();
/// sender.try_send(1).unwrap();
/// assert_eq!(assert_ready(&mut std::pin::pin!(receiver.recv())), Ok(1));
/// ```
#[track_caller]
pub fn assert_ready<F: Future + Unpin + ?Sized>(future: &mut F) -> F::Output {
    poll_a_few_times(future).expect("the future waits, where it was to be ready")
}

fn poll_a_few_times<F: Future + Unpin + ?Sized>(future: &mut F) -> Option<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    (0..POLLS).find_map(|_| match Pin::new(&mut *future).poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Runs `future`, asserts that it suspends at least once, and returns what it comes to.
///
/// It is Trio's `assert_checkpoints`, restated for futures: where a future suspends, it can be cancelled and others have
/// their turn.
///
/// # Panics
///
/// If it never suspends.
///
/// # Cancel safety
///
/// Dropping it drops `future`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// anyio::testing::assert_checkpoints(anyio::checkpoint()).await;
/// # });
/// ```
#[track_caller]
pub fn assert_checkpoints<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = Location::caller();
    async move {
        let (output, suspensions) = count_suspensions(future).await;
        assert!(suspensions > 0, "the future never suspended, where it was to be a checkpoint (asserted at {caller})");
        output
    }
}

/// Runs `future`, asserts that it does not suspend, and returns what it comes to.
///
/// It is Trio's `assert_no_checkpoints`. Operations of anyio that need not wait step aside from time to time all the same,
/// after about a hundred in one poll of their task; this suspends once before it begins to count, so that what it runs
/// starts afresh.
///
/// # Panics
///
/// If it suspends; it is dropped there.
///
/// # Cancel safety
///
/// Dropping it drops `future`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let lock = anyio::sync::Mutex::new(());
/// anyio::testing::assert_no_checkpoints(async { drop(lock.lock().await) }).await;
/// # });
/// ```
#[track_caller]
pub fn assert_no_checkpoints<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = Location::caller();
    async move {
        checkpoint().await;
        let mut future = pin!(future);
        let only_poll = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        let Poll::Ready(output) = only_poll else {
            panic!("the future suspended, where it was not to (asserted at {caller})");
        };
        output
    }
}

/// Runs `future` to where it waits, cancels it there, asserts that it ends promptly, and returns what came of it: what it
/// completed with all the same, or why it was cancelled.
///
/// A future that merely waits is dropped there, so the assertion is of interest where something inside may go on: a
/// shield, a clean-up, tasks, a job on a thread. Where it waits is found out as
/// [`wait_all_tasks_blocked`](super::wait_all_tasks_blocked) does; *promptly* is within 5 s on the runtime's clock.
///
/// # Errors
///
/// [`Cancelled`], if it was cut short.
///
/// # Panics
///
/// If it completes before it is cancelled, or does not end promptly; then it is dropped, shields or not. Where there is no
/// runtime.
///
/// # Cancel safety
///
/// Dropping it drops `future`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::testing::assert_cancels;
///
/// let server = anyio::task_group(async |tg| {
///     tg.spawn(anyio::finally(anyio::sleep_forever(), async { /* says goodbye */ }));
/// });
/// assert!(assert_cancels(server).await.is_err());
/// # });
/// ```
#[track_caller]
pub fn assert_cancels<F: Future>(future: F) -> impl Future<Output = Result<F::Output, Cancelled>> {
    let caller = Location::caller();
    async move {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let mut scoped = pin!(scope.run(future));
        if run_to_a_wait(scoped.as_mut()).await {
            panic!("the future completed before it could be cancelled (asserted at {caller})");
        }
        handle.cancel();
        let Some(outcome) = within(PATIENCE, scoped).await else {
            panic!("the future goes on, {PATIENCE:?} after it was cancelled (asserted at {caller})");
        };
        outcome
    }
}

/// Polls `future` until all that was to happen seems to have happened; whether it has completed.
async fn run_to_a_wait<F: Future>(mut future: Pin<&mut F>) -> bool {
    let mut settled = pin!(wait_all_tasks_blocked());
    poll_fn(|cx| {
        if future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        ready!(settled.as_mut().poll(cx));
        Poll::Ready(false)
    })
    .await
}
