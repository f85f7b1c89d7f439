//! The lock and the atomics of the tree: the ordinary ones, or those of the model checker.

use std::ops::{Deref, DerefMut};
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

use super::marks::Marks;
use super::{Flags, State};

/// The lock of a node, with what it guards; and what is looked at without it.
pub(super) type Lock = Guarded<Flags, Marks, State>;

#[cfg(not(anyio_loom))]
type Guard<'a> = crate::lock::Guard<'a, Flags, Marks, State>;
#[cfg(anyio_loom)]
type Guard<'a> = self::modelled::Guard<'a, Marks, State>;

/// A node is locked.
pub(super) struct Locked<'a>(Guard<'a>);

impl Locked<'_> {
    #[inline]
    pub(super) fn marks(&self) -> Marks {
        self.0.small()
    }

    #[inline]
    pub(super) fn set_marks(&mut self, marks: Marks) {
        self.0.set_small(marks);
    }
}

impl Deref for Locked<'_> {
    type Target = State;

    #[inline]
    fn deref(&self) -> &State {
        &self.0
    }
}

impl DerefMut for Locked<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State {
        &mut self.0
    }
}

#[inline]
pub(super) fn lock(lock: &Lock) -> Locked<'_> {
    Locked(lock.lock())
}

/// Locks a node below one that is locked, if that can be had at once: which keeps the order of locks, as nobody waits.
#[cfg(not(anyio_loom))]
#[inline]
pub(super) fn try_lock_below(lock: &Lock) -> Option<Locked<'_>> {
    lock.try_lock().map(Locked)
}

/// With `loom` there is none: its `try_lock` waits for whoever gets the lock at the same time.
#[cfg(anyio_loom)]
pub(super) fn try_lock_below(_lock: &Lock) -> Option<Locked<'_>> {
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
    use std::ops::{Deref, DerefMut};

    pub(crate) use loom::sync::MutexGuard;

    /// `loom`'s mutex with `parking_lot`'s face.
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    /// With something beside it, which is not guarded.
    pub(crate) struct Guarded<B, S, T> {
        beside: B,
        value: Mutex<(S, T)>,
    }

    pub(crate) struct Guard<'a, S, T>(MutexGuard<'a, (S, T)>);

    impl<B, S, T> Guarded<B, S, T> {
        pub(crate) fn new(beside: B, small: S, value: T) -> Self {
            Guarded { beside, value: Mutex::new((small, value)) }
        }

        pub(crate) fn lock(&self) -> Guard<'_, S, T> {
            Guard(self.value.lock())
        }

        pub(crate) fn beside(&self) -> &B {
            &self.beside
        }
    }

    impl<S: Copy, T> Guard<'_, S, T> {
        pub(crate) fn small(&self) -> S {
            self.0.0
        }

        pub(crate) fn set_small(&mut self, small: S) {
            self.0.0 = small;
        }
    }

    impl<S, T> Deref for Guard<'_, S, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0.1
        }
    }

    impl<S, T> DerefMut for Guard<'_, S, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0.1
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
