//! The lock and the atomics of the tree: the ordinary ones, or those of the model checker.

#[cfg(not(anyio_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicUsize, Ordering};

#[cfg(not(anyio_loom))]
pub(crate) use crate::lock::Guarded;
#[cfg(not(anyio_loom))]
pub(crate) use crate::lock::{Mutex, MutexGuard};
#[cfg(anyio_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicUsize, Ordering};

#[cfg(anyio_loom)]
pub(crate) use loom::cell::UnsafeCell;

#[cfg(not(anyio_loom))]
pub(crate) use self::plain::UnsafeCell;

#[cfg(anyio_loom)]
pub(crate) use self::modelled::{Guarded, Mutex, MutexGuard};

use super::{Flags, State};

#[cfg(not(anyio_loom))]
pub(super) type Guard<'a, T> = crate::lock::Guard<'a, Flags, T>;
#[cfg(anyio_loom)]
pub(super) type Guard<'a, T> = MutexGuard<'a, T>;

/// Locks a node below one that is locked, if that can be had at once: which keeps the order of locks, as nobody waits.
#[cfg(not(anyio_loom))]
#[inline]
pub(super) fn try_lock_below(lock: &Guarded<Flags, State>) -> Option<Guard<'_, State>> {
    lock.try_lock()
}

/// With `loom` there is none: its `try_lock` waits for whoever gets the lock at the same time.
#[cfg(anyio_loom)]
pub(super) fn try_lock_below(_lock: &Guarded<Flags, State>) -> Option<Guard<'_, State>> {
    None
}

#[cfg(not(anyio_loom))]
mod plain {
    /// The standard cell with `loom`'s face.
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) fn new(value: T) -> Self {
            UnsafeCell(std::cell::UnsafeCell::new(value))
        }

        #[inline]
        pub(crate) fn with_mut<R>(&self, run: impl FnOnce(*mut T) -> R) -> R {
            run(self.0.get())
        }
    }
}

#[cfg(anyio_loom)]
mod modelled {
    pub(crate) use loom::sync::MutexGuard;

    /// `loom`'s mutex with `parking_lot`'s face.
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    /// With something beside it, which is not guarded.
    pub(crate) struct Guarded<B, T> {
        beside: B,
        value: Mutex<T>,
    }

    impl<B, T> Guarded<B, T> {
        pub(crate) fn new(beside: B, value: T) -> Self {
            Guarded { beside, value: Mutex::new(value) }
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.value.lock()
        }

        pub(crate) fn beside(&self) -> &B {
            &self.beside
        }
    }

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("the model never panics under a lock")
        }

        pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok()
        }
    }
}
