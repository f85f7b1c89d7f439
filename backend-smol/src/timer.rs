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
    /// Whether it has fired, which the entry does not remember.
    fired: bool,
}

impl SmolTimer {
    /// A timer that fires at `deadline`.
    pub(crate) fn new(deadline: Instant) -> Self {
        SmolTimer { timer: async_io::Timer::at(deadline), fired: false }
    }
}

impl Timer for SmolTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // The entry asks the clock itself.
        if !self.fired {
            self.fired = Pin::new(&mut self.timer).poll(cx).is_ready();
        }
        if self.fired { Poll::Ready(()) } else { Poll::Pending }
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.fired = false;
        self.timer.set_at(deadline);
    }
}
