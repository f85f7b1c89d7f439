//! Timers on the reactor of `async-io`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use anyio_core::Timer;

/// A timer of the reactor's own.
pub(crate) struct AsyncStdTimer {
    /// The entry in the reactor.
    timer: async_io::Timer,
    /// When to fire. The entry forgets it when it fires.
    deadline: Instant,
}

impl AsyncStdTimer {
    /// A timer that fires at `deadline`.
    pub(crate) fn new(deadline: Instant) -> Self {
        AsyncStdTimer { timer: async_io::Timer::at(deadline), deadline }
    }
}

impl Timer for AsyncStdTimer {
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
