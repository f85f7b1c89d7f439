//! The lock and the atomics of the tree: the ordinary ones, or those of the model checker.

#[cfg(not(anyio_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};

#[cfg(not(anyio_loom))]
pub(crate) use crate::lock::{Mutex, MutexGuard};
#[cfg(anyio_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};

#[cfg(anyio_loom)]
pub(crate) use loom::cell::UnsafeCell;

#[cfg(not(anyio_loom))]
pub(crate) use self::plain::UnsafeCell;

#[cfg(anyio_loom)]
pub(crate) use self::modelled::{Mutex, MutexGuard};

/// Locks a node below one that is locked, if that can be had at once: which keeps the order of locks, as nobody waits.
#[cfg(not(anyio_loom))]
#[inline]
pub(super) fn try_lock_below<T>(lock: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    lock.try_lock()
}

/// With `loom` there is none: its `try_lock` waits for whoever gets the lock at the same time.
#[cfg(anyio_loom)]
pub(super) fn try_lock_below<T>(_lock: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
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
