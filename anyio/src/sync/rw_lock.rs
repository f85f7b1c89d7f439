//! [`RwLock`]: a value that many may read, or one may change.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};

use super::mutex::Locked;
use super::semaphore::{Semaphore, SemaphorePermit};
use crate::operation::Operation;

/// A value that many tasks may read at a time, or one may change, also across an `.await`.
///
/// It is fair: the lock is handed over in the order in which it was asked for, readers that follow each other together.
/// So a writer waits only for those who came before it, and so do readers: neither side starves the other. A waiter that
/// is cancelled passes its turn on, so that the readers behind a writer that gave up are let in. Trio, AnyIO and asyncio
/// have no such lock; tokio's behaves alike.
///
/// A task that reads what it reads already waits for ever if a writer has asked in between: keep one guard.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::sync::RwLock;
///
/// let routes = RwLock::new(vec!["/"]);
/// {
///     let (one, another) = (routes.read().await, routes.read().await);
///     assert_eq!(one.len(), another.len());
/// }
/// routes.write().await.push("/health");
/// assert_eq!(routes.into_inner().len(), 2);
/// # });
/// ```
pub struct RwLock<T> {
    /// Readers take one permit, a writer takes all.
    turns: Semaphore,
    /// A cell: only whoever has the permits tries to lock it, so nobody ever waits for it.
    value: async_lock::RwLock<T>,
}

/// What an [`RwLock`] looks like at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RwLockStatistics {
    /// How many read it.
    pub readers: usize,
    /// Whether somebody may change it.
    pub write_locked: bool,
    /// How many tasks are waiting, to read or to write.
    pub tasks_waiting: usize,
}

/// So many that memory ends first: each reader has a guard.
const ALL: usize = isize::MAX as usize / 2;

const NO_CONFLICT: &str = "whoever has taken the permits may borrow";

impl<T> RwLock<T> {
    /// Protects `value`.
    #[must_use]
    pub const fn new(value: T) -> Self {
        RwLock { turns: Semaphore::new(ALL), value: async_lock::RwLock::new(value) }
    }

    /// Locks it for reading, when all who asked before and want to write are done.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a turn that was handed over in the same moment is passed on. Who is cancelled loses the place in
    /// the line.
    #[track_caller]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        Operation::new(self.turns.wait(1), |()| self.read_guard())
    }

    /// Locks it for writing, when all who asked before are done.
    ///
    /// # Cancel safety
    ///
    /// That of [`read`](RwLock::read).
    #[track_caller]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        Operation::new(self.turns.wait(ALL), |()| self.write_guard())
    }

    /// Locks it for reading if that is possible at once.
    ///
    /// # Errors
    ///
    /// [`Locked`], when it is locked for writing or others are waiting.
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, Locked> {
        self.turns.try_take(1).map_err(|_| Locked)?;
        Ok(self.read_guard())
    }

    /// Locks it for writing if that is possible at once.
    ///
    /// # Errors
    ///
    /// [`Locked`], when it is locked or others are waiting.
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, Locked> {
        self.turns.try_take(ALL).map_err(|_| Locked)?;
        Ok(self.write_guard())
    }

    /// The value; nobody else can have locked it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value, when it needs no protection any more.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    /// What the lock looks like now.
    #[must_use]
    pub fn statistics(&self) -> RwLockStatistics {
        let turns = self.turns.statistics();
        let taken = ALL - turns.available_permits;
        let write_locked = taken == ALL;
        let readers = if write_locked { 0 } else { taken };
        RwLockStatistics { readers, write_locked, tasks_waiting: turns.tasks_waiting }
    }

    fn read_guard(&self) -> RwLockReadGuard<'_, T> {
        let turn = self.turns.permit(1);
        RwLockReadGuard { value: self.value.try_read().expect(NO_CONFLICT), turn }
    }

    fn write_guard(&self) -> RwLockWriteGuard<'_, T> {
        let turn = self.turns.permit(ALL);
        RwLockWriteGuard { value: self.value.try_write().expect(NO_CONFLICT), turn, lock: self }
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => debug.field("value", &*guard),
            Err(Locked) => debug.field("value", &format_args!("<locked>")),
        };
        debug.finish_non_exhaustive()
    }
}

/// The value of an [`RwLock`], locked for reading until this is dropped.
#[must_use = "a guard that is not kept unlocks at once"]
pub struct RwLockReadGuard<'a, T> {
    /// Comes first: the value is given back before the turn is passed on.
    value: async_lock::RwLockReadGuard<'a, T>,
    #[expect(dead_code, reason = "gives the turn back when it is dropped")]
    turn: SemaphorePermit<'a>,
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// The value of an [`RwLock`], locked for writing until this is dropped.
#[must_use = "a guard that is not kept unlocks at once"]
pub struct RwLockWriteGuard<'a, T> {
    /// Comes first: the value is given back before the turn is passed on.
    value: async_lock::RwLockWriteGuard<'a, T>,
    turn: SemaphorePermit<'a>,
    lock: &'a RwLock<T>,
}

impl<'a, T> RwLockWriteGuard<'a, T> {
    /// Goes on reading; nobody writes in between. Readers that are next in line are let in.
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let RwLockWriteGuard { value, turn, lock } = guard;
        drop(value);
        turn.forget();
        let reading = lock.read_guard();
        lock.turns.release(ALL - 1);
        reading
    }
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
