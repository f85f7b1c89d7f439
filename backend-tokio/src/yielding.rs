//! A fair yield on tokio.
//!
//! What a task of tokio's wakes itself with puts it back into the queue, and tokio looks at its timers and sockets only
//! after so many polls: beside a task that computes for 5 ms between its yields a timer would be 300 ms late. tokio's own
//! `yield_now` has the worker look at them first. But it keeps the waker until the worker's current poll returns, hence for
//! ever if that poll is inside a foreign `block_on`; so it is only for wakers of tokio's own tasks, which such an executor
//! does not hand out. (A `LocalSet` that is driven by such an executor does; tokio's own yields hang there as well.)

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use anyio_core::Task;

/// Where the functions of the wakers stand that tokio gives to its tasks; 0 until the first task is polled. Nothing else is
/// ordered by it.
static TASK_WAKERS: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn is_known() -> bool {
    TASK_WAKERS.load(Ordering::Relaxed) != 0
}

/// Has the task behind `waker` polled again, after the others and after timers and sockets, if that can be had.
pub(crate) fn checkpoint(waker: &Waker) {
    if TASK_WAKERS.load(Ordering::Relaxed) != functions_of(waker) {
        return waker.wake_by_ref();
    }
    let again = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(waker));
    debug_assert!(again.is_pending(), "it yields at its first poll");
}

fn functions_of(waker: &Waker) -> usize {
    std::ptr::from_ref(waker.vtable()).addr()
}

/// A task from which it is learnt what wakers tokio gives to tasks.
pub(crate) struct Learning(pub(crate) Task);

impl Future for Learning {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        TASK_WAKERS.store(functions_of(cx.waker()), Ordering::Relaxed);
        Pin::new(&mut self.0).poll(cx)
    }
}
