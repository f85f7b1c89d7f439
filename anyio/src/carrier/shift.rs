//! How long a carrier goes on before others have their turn.

use std::sync::Arc;

use anyio_core::Backend;

use self::clock::Clock;
use super::{BATCH, Carry};

/// A turn of a carrier: invariant 2.
pub(super) struct Shift {
    /// How many polls are left of this piece of it.
    left: usize,
    is_single: bool,
    is_exhausted: bool,
    /// Known from the second poll on, as is the backend: what is over after one needs neither.
    clock: Option<Clock>,
    backend: Option<Arc<dyn Backend>>,
    has_polled: bool,
}

impl Shift {
    pub(super) fn new(is_single: bool) -> Self {
        Shift { left: BATCH, is_single, is_exhausted: false, clock: None, backend: None, has_polled: false }
    }

    /// How many polls are left of this piece.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Whether a task that is next may be polled now; if so, that is counted.
    #[inline]
    pub(super) fn allows(&mut self, task: &Arc<dyn Carry>) -> bool {
        if self.has_polled && self.is_used_up(task) {
            self.is_exhausted = true;
            self.left = 0;
            return false;
        }
        self.has_polled = true;
        self.left -= 1;
        true
    }

    #[inline]
    fn is_used_up(&mut self, task: &Arc<dyn Carry>) -> bool {
        if !self.is_single && self.clock.is_none() {
            self.clock = Some(Clock::start());
        }
        self.backend.get_or_insert_with(|| task.runtime().backend().clone()).is_exhausted()
    }

    /// Begins another piece, if there is to be one.
    pub(super) fn goes_on(&mut self) -> bool {
        if self.is_single || self.is_exhausted || self.clock.get_or_insert_with(Clock::start).is_over() {
            return false;
        }
        self.left = BATCH;
        true
    }
}

#[cfg(not(anyio_loom))]
mod clock {
    use std::time::{Duration, Instant};

    /// Within so short a time a carrier begins further pieces of its turn. For what waits in the runtime it is no delay; and
    /// what a turn costs beside the polls is little for so many as there are in it.
    const SHORT: Duration = Duration::from_micros(20);

    pub(super) struct Clock(Instant);

    impl Clock {
        pub(super) fn start() -> Self {
            Clock(Instant::now())
        }

        pub(super) fn is_over(&mut self) -> bool {
            self.0.elapsed() >= SHORT
        }
    }
}

#[cfg(anyio_loom)]
mod clock {
    /// Goes on for one piece more, in each run of a model.
    pub(super) struct Clock(bool);

    impl Clock {
        pub(super) fn start() -> Self {
            Clock(false)
        }

        pub(super) fn is_over(&mut self) -> bool {
            std::mem::replace(&mut self.0, true)
        }
    }
}
