//! A future that any thread may wake and one at a time polls: the only unsafe code of this crate.

#![expect(unsafe_code, reason = "a future lies in the node that wakes it, and is polled without a lock")]

use std::pin::Pin;
use std::task::Poll;

use crate::tree::{AtomicU8, Ordering, UnsafeCell};

/// Not to be polled yet.
const FRESH: u8 = 0;
/// Nobody polls it, and nobody is to.
const IDLE: u8 = 1;
/// Whoever woke it has put it into a queue, or is about to.
const QUEUED: u8 = 2;
/// It is being polled.
const POLLED: u8 = 3;
/// It is being polled, and was woken meanwhile.
const WOKEN: u8 = 4;
/// It is never polled again.
const DONE: u8 = 5;

/// A future, and whose turn it is.
///
/// From `QUEUED` on each change is a read-modify-write with AcqRel: a poll sees what any waker did before it woke the
/// future, and what the last poll has left.
pub(crate) struct Exclusive<F> {
    stage: AtomicU8,
    future: UnsafeCell<F>,
}

// SAFETY: a shared `Exclusive` gives access to the future only in `launch` and `turn`, and there to one thread at a time:
// to the one that has moved `stage` to `POLLED`, from where the same thread moves it on. The thread may be another one each
// time, for which `F` is `Send`.
unsafe impl<F: Send> Sync for Exclusive<F> {}

/// What is to be done after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It waits to be woken.
    Waits,
    /// It was woken during its turn, and has to be queued.
    Again,
    /// It is done.
    Over,
}

impl<F> Exclusive<F> {
    pub(crate) fn new(future: F) -> Self {
        Exclusive { stage: AtomicU8::new(FRESH), future: UnsafeCell::new(future) }
    }

    /// Makes it ready for its first turn, after a last `edit`; the caller puts it into a queue.
    ///
    /// # Panics
    ///
    /// If that was done before.
    #[inline]
    pub(crate) fn launch(&self, edit: impl FnOnce(&mut F)) {
        let claimed = self.stage.compare_exchange(FRESH, POLLED, Ordering::AcqRel, Ordering::Acquire);
        assert!(claimed.is_ok(), "a task is launched once");
        self.future.with_mut(|future| {
            // SAFETY: one thread gets from `FRESH` to `POLLED`, and nobody past that before the end of this function, so
            // there is no other reference to the future. It is not pinned before its first turn.
            edit(unsafe { &mut *future });
        });
        self.stage.swap(QUEUED, Ordering::AcqRel);
    }

    /// Notes that it is to be polled; says if the caller has to put it into a queue.
    #[inline]
    pub(crate) fn wake(&self) -> bool {
        let next = |stage| match stage {
            IDLE => Some(QUEUED),
            POLLED => Some(WOKEN),
            _ => None,
        };
        self.stage.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) == Ok(IDLE)
    }

    /// Gives the future its turn, if it is queued. A `poll` that panics was the last.
    ///
    /// # Safety
    ///
    /// Between the first turn and its drop this must not be moved.
    #[inline]
    pub(crate) unsafe fn turn(&self, poll: impl FnOnce(Pin<&mut F>) -> Poll<()>) -> Turn {
        if self.stage.compare_exchange(QUEUED, POLLED, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Turn::Over;
        }
        let polled = self.future.with_mut(|future| {
            // SAFETY: from `QUEUED` to `POLLED` one thread gets, and nobody gets past `POLLED` or `WOKEN` but that thread,
            // below; so until then there is no other reference to the future. It is pinned, since it lies inside `self`,
            // which the caller does not move.
            poll(unsafe { Pin::new_unchecked(&mut *future) })
        });
        if polled.is_ready() {
            self.stage.swap(DONE, Ordering::AcqRel);
            return Turn::Over;
        }
        match self.stage.compare_exchange(POLLED, IDLE, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Turn::Waits,
            Err(_) => {
                self.stage.swap(QUEUED, Ordering::AcqRel);
                Turn::Again
            }
        }
    }

    /// The future, which has not had a turn.
    ///
    /// # Panics
    ///
    /// If it may have had one.
    pub(crate) fn unpolled(&mut self) -> &mut F {
        assert_eq!(self.stage.load(Ordering::Relaxed), FRESH, "a future that was polled is pinned");
        self.future.with_mut(|future| {
            // SAFETY: `self` is borrowed exclusively.
            unsafe { &mut *future }
        })
    }
}
