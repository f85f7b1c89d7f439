//! [`Mutex`]: a value that one task at a time has for itself.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::semaphore::{Semaphore, SemaphorePermit};
use crate::operation::{Operation, begin};

/// A value that one task at a time has for itself, also across an `.await`.
///
/// It is AnyIO's and Trio's `Lock` with the value inside, as Rust has it. The lock is handed over in the order in which it
/// was asked for; nobody barges in while others wait, [`try_lock`](Mutex::try_lock) included; a waiter that is cancelled
/// passes it on. A panic while it is locked does not poison it: the next in line finds the value as it was left.
///
/// Where nothing is awaited while the lock is held, `std::sync::Mutex` is cheaper.
///
/// A task that locks what it has locked already waits for itself, until it is cancelled. (AnyIO raises an error there; a
/// future cannot tell whether the guard is in other hands of the same task.)
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::sync::Mutex;
///
/// static LOG: Mutex<Vec<u32>> = Mutex::new(Vec::new());
///
/// anyio::task_group(async |tg| {
///     for n in 0..3 {
///         tg.spawn(async move {
///             let mut log = LOG.lock().await;
///             log.push(n);
///             anyio::checkpoint().await;
///         });
///     }
/// })
/// .await
/// .unwrap();
/// assert_eq!(LOG.lock().await.len(), 3);
/// # });
/// ```
pub struct Mutex<T> {
    /// One permit: whoever has taken it may borrow the value.
    turn: Semaphore,
    /// A cell: only whoever has the turn tries to lock it, so nobody ever waits for it. The value is away while an owned
    /// guard exists.
    value: async_lock::Mutex<Option<T>>,
}

/// What a [`Mutex`] looks like at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MutexStatistics {
    /// Whether it is locked.
    pub locked: bool,
    /// How many tasks are waiting.
    pub tasks_waiting: usize,
}

/// It is locked, or about to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("locked by another task: wait for it with `lock`")]
pub struct Locked;

const BORROWED_ONCE: &str = "one guard exists at a time";
const AT_HOME: &str = "the value is away only while it is locked";
const IN_GUARD: &str = "the value is in its guard";

impl<T> Mutex<T> {
    /// Protects `value`.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Mutex { turn: Semaphore::new(1), value: async_lock::Mutex::new(Some(value)) }
    }

    /// Locks it, when all who asked before are done.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a lock that was handed over in the same moment goes to the next in line. Who is cancelled loses
    /// the place in the line.
    #[track_caller]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        Operation::new(self.turn.wait(1), |()| self.guard())
    }

    /// [`lock`](Mutex::lock), with a guard that keeps the mutex alive and borrows nothing.
    ///
    /// The guard has the value in itself, so the value is moved there and back.
    ///
    /// # Cancel safety
    ///
    /// That of [`lock`](Mutex::lock).
    #[track_caller]
    pub fn lock_arc(self: &Arc<Self>) -> impl Future<Output = OwnedMutexGuard<T>> + use<T> {
        let mutex = self.clone();
        let begin = begin();
        async move {
            begin.await;
            mutex.turn.wait(1).await;
            OwnedMutexGuard::new(mutex)
        }
    }

    /// Locks it if that is possible at once.
    ///
    /// # Errors
    ///
    /// [`Locked`], when it is locked or others are waiting for it.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, Locked> {
        self.turn.try_take(1).map_err(|_| Locked)?;
        Ok(self.guard())
    }

    /// [`try_lock`](Mutex::try_lock), with a guard that keeps the mutex alive and borrows nothing.
    ///
    /// # Errors
    ///
    /// [`Locked`], when it is locked or others are waiting for it.
    pub fn try_lock_arc(self: &Arc<Self>) -> Result<OwnedMutexGuard<T>, Locked> {
        self.turn.try_take(1).map_err(|_| Locked)?;
        Ok(OwnedMutexGuard::new(self.clone()))
    }

    /// The value; nobody else can have locked it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut().as_mut().expect(AT_HOME)
    }

    /// The value, when it needs no protection any more.
    pub fn into_inner(self) -> T {
        self.value.into_inner().expect(AT_HOME)
    }

    /// Whether it is locked.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.statistics().locked
    }

    /// What the lock looks like now.
    #[must_use]
    pub fn statistics(&self) -> MutexStatistics {
        let turn = self.turn.statistics();
        MutexStatistics { locked: turn.available_permits == 0, tasks_waiting: turn.tasks_waiting }
    }

    pub(super) fn turn(&self) -> &Semaphore {
        &self.turn
    }

    /// The guard of whoever has taken the turn.
    pub(super) fn guard(&self) -> MutexGuard<'_, T> {
        let turn = self.turn.permit(1);
        MutexGuard { value: self.value.try_lock().expect(BORROWED_ONCE), turn, mutex: self }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => debug.field("value", &*guard),
            Err(Locked) => debug.field("value", &format_args!("<locked>")),
        };
        debug.finish_non_exhaustive()
    }
}

/// The value of a [`Mutex`], locked until this is dropped.
#[must_use = "a guard that is not kept unlocks at once"]
pub struct MutexGuard<'a, T> {
    /// Comes first: the value is given back before the turn is passed on.
    value: async_lock::MutexGuard<'a, Option<T>>,
    #[expect(dead_code, reason = "gives the turn back when it is dropped")]
    turn: SemaphorePermit<'a>,
    mutex: &'a Mutex<T>,
}

impl<'a, T> MutexGuard<'a, T> {
    /// The mutex that is locked.
    #[must_use]
    pub fn mutex(guard: &Self) -> &'a Mutex<T> {
        guard.mutex
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(AT_HOME)
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect(AT_HOME)
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// The value of a [`Mutex`] that this keeps alive, locked until this is dropped.
#[must_use = "a guard that is not kept unlocks at once"]
pub struct OwnedMutexGuard<T> {
    /// There until the guard is dropped.
    value: Option<T>,
    mutex: Arc<Mutex<T>>,
}

impl<T> OwnedMutexGuard<T> {
    /// The guard of whoever has taken the turn.
    fn new(mutex: Arc<Mutex<T>>) -> Self {
        let value = mutex.value.try_lock().expect(BORROWED_ONCE).take();
        debug_assert!(value.is_some(), "{AT_HOME}");
        OwnedMutexGuard { value, mutex }
    }

    /// The mutex that is locked.
    #[must_use]
    pub fn mutex(guard: &Self) -> &Arc<Mutex<T>> {
        &guard.mutex
    }
}

impl<T> Deref for OwnedMutexGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(IN_GUARD)
    }
}

impl<T> DerefMut for OwnedMutexGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect(IN_GUARD)
    }
}

impl<T> Drop for OwnedMutexGuard<T> {
    fn drop(&mut self) {
        *self.mutex.value.try_lock().expect(BORROWED_ONCE) = self.value.take();
        self.mutex.turn.release(1);
    }
}

impl<T: fmt::Debug> fmt::Debug for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
