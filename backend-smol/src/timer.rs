//! Timers on the reactor of `async-io`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use anyio_core::Timer;

/// A timer of the reactor's own.
pub(crate) struct SmolTimer {
    /// The entry in the reactor.
    timer: async_io::Timer,
    /// When to fire. The entry forgets it when it fires.
    deadline: Instant,
}

impl SmolTimer {
    /// A timer that fires at `deadline`.
    pub(crate) fn new(deadline: Instant) -> Self {
        SmolTimer { timer: async_io::Timer::at(deadline), deadline }
    }
}

impl Timer for SmolTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.deadline {
            return Poll::Ready(());
        }
        Pin::new(&mut self.timer).poll(cx).map(drop)
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.deadline = deadline;
        self.timer.set_at(deadline);
    }
}
