//! Timers on the clock of the simulation.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use anyio_core::Timer;

use crate::world::World;

/// A timer, known by its deadline and a number that no other one has.
pub(crate) struct SimTimer {
    key: (Instant, u64),
    world: Arc<World>,
    /// Whether the world may have its waker.
    armed: bool,
}

impl SimTimer {
    pub(crate) fn new(world: Arc<World>, deadline: Instant) -> Self {
        let key = (deadline, world.next_timer());
        SimTimer { key, world, armed: false }
    }

    fn disarm(&mut self) {
        if self.armed {
            self.armed = false;
            drop(self.world.disarm(self.key));
        }
    }
}

impl Timer for SimTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.armed = true;
        self.world.poll_timer(self.key, cx.waker())
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.disarm();
        self.key = (deadline, self.world.next_timer());
    }
}

impl Drop for SimTimer {
    fn drop(&mut self) {
        self.disarm();
    }
}
