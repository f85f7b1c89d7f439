//! Timers on tokio's wheel.

use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread::{self, Thread};
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
        // Whether the deadline was seen ahead just now.
        ahead: bool,
        // The clock that the deadline is measured on, if that may ever be another one than the system's.
        clock: Option<TokioHandle>,
        // Who wakes instead of a runtime that has shut down.
        relay: Option<Box<Relay>>,
    }
}

impl TokioTimer {
    /// A timer that fires at the deadline of `sleep`, which was not polled yet, on the system's clock or on this one.
    pub(crate) fn new(sleep: Sleep, clock: Option<TokioHandle>) -> Self {
        TokioTimer { sleep, armed: false, ahead: false, clock, relay: None }
    }

    /// [`new`](Self::new) for a deadline that was seen ahead just now.
    pub(crate) fn ahead(sleep: Sleep, clock: Option<TokioHandle>) -> Self {
        TokioTimer { sleep, armed: false, ahead: true, clock, relay: None }
    }

    fn now(clock: Option<&TokioHandle>) -> Instant {
        clock.map_or_else(Instant::now, Clock::now)
    }
}

impl Timer for TokioTimer {
    // The wheel may lag behind the clock, which is therefore asked first, unless somebody else has just done so.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let deadline = this.sleep.deadline();
        let is_ahead = mem::take(this.ahead);
        if !is_ahead && Self::now(this.clock.as_ref()) >= deadline.into_std() {
            return Poll::Ready(());
        }
        if !*this.armed {
            *this.armed = true;
            this.sleep.as_mut().reset(deadline);
        }
        // Fired although it is not due: the runtime has shut down, and polling the entry would panic. It does so as well
        // if the runtime shuts down just now.
        if !this.sleep.is_elapsed() {
            let sleep = AssertUnwindSafe(|| Pin::new(&mut unconstrained(this.sleep)).poll(cx));
            if let Ok(polled) = catch_unwind(sleep) {
                return polled;
            }
        }
        let deadline = deadline.into_std();
        let left = deadline.saturating_duration_since(Self::now(this.clock.as_ref()));
        if left.is_zero() {
            return Poll::Ready(());
        }
        if !this.relay.as_ref().is_some_and(|relay| relay.will_wake(cx.waker(), deadline)) {
            *this.relay = Some(Box::new(Relay::start(deadline, left, cx.waker().clone())));
        }
        Poll::Pending
    }

    fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        (*this.armed, *this.ahead) = (true, false);
        this.sleep.reset(deadline.into());
    }
}

/// A thread that wakes at a deadline, unless this is dropped before.
struct Relay {
    deadline: Instant,
    /// Whom it wakes.
    waker: Waker,
    /// Whether it is to end without. Stored with Release before the thread is unparked; it loads with Acquire.
    stopped: Arc<AtomicBool>,
    thread: Thread,
}

impl Relay {
    /// Has a thread wake `waker` at `deadline`, which is `left` away.
    fn start(deadline: Instant, left: Duration, waker: Waker) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let (stop, wakes) = (stopped.clone(), waker.clone());
        let end = Instant::now().checked_add(left);
        let relay = thread::spawn(move || {
            while !stop.load(Ordering::Acquire) {
                match end.map(|end| end.saturating_duration_since(Instant::now())) {
                    Some(Duration::ZERO) => return wakes.wake(),
                    Some(left) => thread::park_timeout(left),
                    None => thread::park(),
                }
            }
        });
        Relay { deadline, waker, stopped, thread: relay.thread().clone() }
    }

    fn will_wake(&self, waker: &Waker, deadline: Instant) -> bool {
        self.deadline == deadline && self.waker.will_wake(waker)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
