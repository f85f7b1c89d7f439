//! Timers on tokio's wheel.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use tokio::task::coop::unconstrained;
use tokio::time::Sleep;

use anyio_core::{Clock, Timer};

use crate::backend::TokioHandle;

pin_project! {
    /// A timer of the runtime's own.
    pub(crate) struct TokioTimer {
        // The entry in the wheel.
        #[pin]
        sleep: Sleep,
        // Whether the entry was put into the wheel.
        armed: bool,
        // The clock that the deadline is measured on.
        clock: TokioHandle,
        // What the thread in `wake_without_runtime` waits for, and whom it wakes.
        relay: Option<(Instant, Waker)>,
    }
}

impl TokioTimer {
    /// A timer that fires at the deadline of `sleep`, which was not polled yet.
    pub(crate) fn new(sleep: Sleep, clock: TokioHandle) -> Self {
        TokioTimer { sleep, armed: false, clock, relay: None }
    }
}

impl Timer for TokioTimer {
    // The wheel may lag behind the clock, which is therefore asked first.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let deadline = this.sleep.deadline();
        let now = this.clock.now();
        if now >= deadline.into_std() {
            return Poll::Ready(());
        }
        if !*this.armed {
            *this.armed = true;
            this.sleep.as_mut().reset(deadline);
        }
        // Fired although it is not due: the runtime has shut down, and polling the entry would panic. It does panic if that
        // happens just now.
        if !this.sleep.is_elapsed() {
            let poll = || Pin::new(&mut unconstrained(this.sleep)).poll(cx);
            if let Ok(polled) = catch_unwind(AssertUnwindSafe(poll)) {
                return polled;
            }
        }
        let left = deadline.into_std() - now;
        wake_without_runtime(this.relay, deadline.into_std(), left, cx.waker());
        Poll::Pending
    }

    fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.armed = true;
        this.sleep.reset(deadline.into());
    }
}

/// Has a thread wake `waker` at `deadline`, which is `left` away, unless `relay` says that one will.
fn wake_without_runtime(relay: &mut Option<(Instant, Waker)>, deadline: Instant, left: Duration, waker: &Waker) {
    if relay.as_ref().is_some_and(|(at, whom)| *at == deadline && whom.will_wake(waker)) {
        return;
    }
    *relay = Some((deadline, waker.clone()));
    let waker = waker.clone();
    thread::spawn(move || {
        thread::sleep(left);
        waker.wake();
    });
}
