//! The lock of the engine: for what is looked at for a moment at a time.
//!
//! It is given back by a plain store, while one that has others wait in the kernel has to look, in the same step, whether
//! anybody does. To a processor such a step is as dear as all that is done under the lock; and a task takes a handful of
//! locks in its life, nearly all of them free.
//!
//! Whoever finds it taken spins for some microseconds, then lets other threads run, and then sleeps for longer and longer. So
//! it costs little to wait for a thread that the system has stopped at the wrong moment, and a thread that goes before all
//! others does not keep that one from going on. Nobody is served in order, and so nothing waits under this lock, and nothing
//! of the user's is run, woken or dropped: wakers are cloned, and of backends only timers are set and asked. `parking_lot` has
//! the locks for all else.

#![expect(unsafe_code, reason = "a lock gives exclusive access to what it guards")]

use std::cell::UnsafeCell;
use std::hint;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lock_api::{GuardSend, RawMutex};

pub(crate) type Mutex<T> = lock_api::Mutex<Brief, T>;
pub(crate) type MutexGuard<'a, T> = lock_api::MutexGuard<'a, Brief, T>;
pub(crate) type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, Brief, T>;

/// Whether somebody has the lock.
pub(crate) struct Brief(AtomicBool);

/// What a lock guards, a part of which needs little memory; and what is not guarded: both lie beside the lock, where otherwise
/// nothing would.
pub(crate) struct Guarded<B, S, T> {
    lock: Brief,
    beside: B,
    small: UnsafeCell<S>,
    value: UnsafeCell<T>,
}

/// Somebody has the lock of what is [`Guarded`].
pub(crate) struct Guard<'a, B, S, T>(&'a Guarded<B, S, T>, PhantomData<(&'a mut S, &'a mut T)>);

// SAFETY: a shared one gives access to what is guarded to one thread at a time, which may be another one each time; and to what
// is not to all of them.
unsafe impl<B: Sync, S: Send, T: Send> Sync for Guarded<B, S, T> {}

impl<B, S, T> Guarded<B, S, T> {
    #[inline(always)]
    pub(crate) fn new(beside: B, small: S, value: T) -> Self {
        Guarded { lock: Brief::INIT, beside, small: UnsafeCell::new(small), value: UnsafeCell::new(value) }
    }

    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, B, S, T> {
        self.lock.lock();
        Guard(self, PhantomData)
    }

    #[inline]
    pub(crate) fn try_lock(&self) -> Option<Guard<'_, B, S, T>> {
        self.lock.try_lock().then(|| Guard(self, PhantomData))
    }

    #[inline(always)]
    pub(crate) fn beside(&self) -> &B {
        &self.beside
    }
}

impl<B, S: Copy, T> Guard<'_, B, S, T> {
    #[inline]
    pub(crate) fn small(&self) -> S {
        // SAFETY: the lock is had as long as this is there, and by nobody else.
        unsafe { *self.0.small.get() }
    }

    #[inline]
    pub(crate) fn set_small(&mut self, small: S) {
        // SAFETY: as above.
        unsafe { *self.0.small.get() = small }
    }
}

impl<B, S, T> Deref for Guard<'_, B, S, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: as above.
        unsafe { &*self.0.value.get() }
    }
}

impl<B, S, T> DerefMut for Guard<'_, B, S, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<B, S, T> Drop for Guard<'_, B, S, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the lock is had.
        unsafe { self.0.lock.unlock() }
    }
}

/// How often a thread that finds the lock taken looks again before it lets others run: a pause of the processor each.
const SPINS: u32 = 64;

/// How often it lets others run before it sleeps.
const YIELDS: u32 = 16;

/// For how long it sleeps at first, and at most.
const NAPS: (Duration, Duration) = (Duration::from_micros(10), Duration::from_millis(1));

// SAFETY: to have the lock is to have changed the flag from `false` to `true`, as one thread does until it is `false` again.
// That it is made by who has the lock, with Release, and seen by who gets it, with Acquire.
unsafe impl RawMutex for Brief {
    const INIT: Self = Brief(AtomicBool::new(false));

    type GuardMarker = GuardSend;

    #[inline]
    fn lock(&self) {
        if !self.try_lock() {
            self.wait();
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        self.0.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Brief {
    #[cold]
    fn wait(&self) {
        let mut patience = Patience::default();
        while self.is_locked() || !self.try_lock() {
            patience.wait();
        }
    }
}

/// How long somebody has waited.
#[derive(Default)]
struct Patience(u32);

impl Patience {
    fn wait(&mut self) {
        let (least, most) = NAPS;
        match self.0.checked_sub(SPINS) {
            None => hint::spin_loop(),
            Some(yields) if yields < YIELDS => thread::yield_now(),
            Some(naps) => thread::sleep(most.min(least * (naps - YIELDS + 1))),
        }
        self.0 = self.0.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;

    #[test]
    fn one_thread_at_a_time_has_it() {
        const THREADS: usize = 8;
        const TIMES: usize = 20_000;
        let shared = Arc::new(Mutex::new((0, 0)));
        let add = |shared: Arc<Mutex<(usize, usize)>>| {
            move || {
                for time in 0..TIMES {
                    let mut both = shared.lock();
                    assert_eq!(both.0, both.1, "somebody else is here");
                    both.0 += 1;
                    if time % 1024 == 0 {
                        thread::yield_now();
                    }
                    both.1 += 1;
                }
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| thread::spawn(add(shared.clone()))).collect();
        threads.into_iter().for_each(|thread| thread.join().expect("it is never here with others"));
        assert_eq!(*shared.lock(), (THREADS * TIMES, THREADS * TIMES));
    }

    #[test]
    fn what_lies_beside_is_looked_at_without_it() {
        struct Flag(AtomicBool);
        let guarded = Guarded::new(Flag(AtomicBool::new(false)), 2u8, 1u64);
        let mut guard = guarded.lock();
        guard.set_small(guard.small() + 1);
        guarded.beside().0.store(true, Ordering::Release);
        assert!(guarded.try_lock().is_none());
        drop(guard);
        let guard = guarded.lock();
        assert_eq!((*guard, guard.small()), (1, 3));
        assert!(guarded.beside().0.load(Ordering::Acquire));
        assert_eq!(size_of_val(&guarded), 16);
    }

    #[test]
    fn who_waits_for_long_sleeps_and_is_served() {
        let shared = Arc::new(Mutex::new(0));
        let guard = shared.lock();
        let other = shared.clone();
        let waiting = thread::spawn(move || *other.lock() += 1);
        thread::sleep(Duration::from_millis(50));
        assert!(shared.try_lock().is_none());
        assert!(!waiting.is_finished());
        drop(guard);
        waiting.join().expect("it gets the lock");
        assert_eq!(*shared.lock(), 1);
    }

    #[test]
    fn a_panic_gives_it_back() {
        let shared = Mutex::new(());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _guard = shared.lock();
            panic!("with the lock");
        }));
        assert!(panicked.is_err());
        assert!(shared.try_lock().is_some());
    }

    #[test]
    fn patience_grows_and_has_an_end() {
        let mut patience = Patience(SPINS + YIELDS + 1000);
        let begun = Instant::now();
        patience.wait();
        assert!(begun.elapsed() >= NAPS.1, "it does not sleep");
        assert_eq!(patience.0, SPINS + YIELDS + 1001);
        Patience(u32::MAX).wait();
    }
}
