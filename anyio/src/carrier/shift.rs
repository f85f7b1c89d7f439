//! How long a carrier goes on before others have their turn.

use std::sync::Arc;

use anyio_core::Backend;

use self::clock::Clock;
use super::{BATCH, Carry};

/// A turn of a carrier: invariant 2.
pub(super) struct Shift {
    /// How many polls are left of this piece of it.
    left: usize,
    is_exhausted: bool,
    /// Known when a second task is next: what is over after one needs neither this nor the clock.
    backend: Option<Arc<dyn Backend>>,
    clock: Option<Clock>,
    is_single: bool,
    is_first_piece: bool,
}

impl Shift {
    pub(super) fn new(is_single: bool) -> Self {
        Shift { left: BATCH, is_exhausted: false, backend: None, clock: None, is_single, is_first_piece: true }
    }

    /// How many polls are left of this piece.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Counts a poll; says if there may be another one in this piece.
    #[inline]
    pub(super) fn counts(&mut self) -> bool {
        self.left -= 1;
        self.left > 0
    }

    /// Whether the runtime finds that it is enough for this turn, so that the task that is next is not polled any more.
    #[inline]
    pub(super) fn is_over_for(&mut self, task: &Arc<dyn Carry>) -> bool {
        let is_exhausted = match &self.backend {
            Some(backend) => backend.is_exhausted(),
            None => self.has_polled() && self.look_at_runtime_of(task),
        };
        if is_exhausted {
            self.is_exhausted = true;
            self.left = 0;
        }
        is_exhausted
    }

    fn has_polled(&self) -> bool {
        self.left < BATCH || !self.is_first_piece
    }

    fn look_at_runtime_of(&mut self, task: &Arc<dyn Carry>) -> bool {
        if !self.is_single {
            self.clock.get_or_insert_with(Clock::start);
        }
        self.backend.insert(task.runtime().backend().clone()).is_exhausted()
    }

    /// Begins another piece, if there is to be one.
    pub(super) fn goes_on(&mut self) -> bool {
        if self.is_single || self.is_exhausted || self.clock.get_or_insert_with(Clock::start).is_over() {
            return false;
        }
        self.left = BATCH;
        self.is_first_piece = false;
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
