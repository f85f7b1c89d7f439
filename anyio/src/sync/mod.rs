//! What tasks wait for together: events, locks, semaphores.
//!
//! # Which one?
//!
//! | to | use | asyncio | Trio | AnyIO | tokio |
//! |---|---|---|---|---|---|
//! | tell any number of tasks that something has happened | [`Event`] | `Event` | `Event` | `Event` | `Notify`, `CancellationToken` |
//! | have a value for oneself across an `.await` | [`Mutex`] | `Lock` | `Lock` | `Lock` | `Mutex` |
//! | let many read, or one write | [`RwLock`] | | | | `RwLock` |
//! | wait until what a mutex protects has changed | [`Condition`] | `Condition` | `Condition` | `Condition` | |
//! | let a number of tasks in at a time | [`Semaphore`] | `Semaphore` | `Semaphore` | `Semaphore` | `Semaphore` |
//! | the same, and know who is in, or change the number | [`CapacityLimiter`] | | `CapacityLimiter` | `CapacityLimiter` | |
//! | let tasks wait for each other | [`Barrier`] | `Barrier` | | | `Barrier` |
//! | make a value once, when it is needed | [`OnceCell`] | | | | `OnceCell` |
//! | find out that two tasks use what one may use | [`ResourceGuard`] | | `ConflictDetector` | `ResourceGuard` | |
//!
//! Values that travel from task to task are for [channels](crate::channel).
//!
//! # What they have in common
//!
//! - **They run anywhere.** No runtime is asked for anything: they work between tasks of different runtimes, and under a
//!   foreign executor.
//! - **In order.** Who waits longest is served first. What becomes free is handed over: nobody barges in while others wait.
//! - **Cancelling loses nothing.** A wait that is dropped before it has completed did not happen; if it had been served in
//!   the same moment, the next in line is served in its stead. In a scope that is cancelled already an operation does
//!   nothing at all.
//! - **Every wait is a checkpoint**, from time to time also when there is nothing to wait for.
//! - Joining a line, being served and giving up take constant time, however many wait.
//!
//! A future that is polled once and then left alone keeps its place in the line, and what it is served with, until it is
//! polled again or dropped. So does one that is forgotten.

mod barrier;
mod condition;
mod event;
mod limiter;
mod mutex;
mod once_cell;
mod resource_guard;
mod rw_lock;
mod semaphore;

pub use self::barrier::{Barrier, BarrierStatistics, BarrierWaitResult};
pub use self::condition::{Condition, ConditionStatistics};
pub use self::event::{Event, EventStatistics};
pub(crate) use self::limiter::Acquire;
pub use self::limiter::{
    AlreadyBorrowing, Borrower, CapacityLimiter, LimiterStatistics, LimiterToken, TryAcquireError,
};
pub use self::mutex::{Locked, Mutex, MutexGuard, MutexStatistics, OwnedMutexGuard};
pub use self::once_cell::{OnceCell, SetError};
pub use self::resource_guard::{Busy, ResourceGuard, ResourceUse};
pub use self::rw_lock::{RwLock, RwLockReadGuard, RwLockStatistics, RwLockWriteGuard};
pub use self::semaphore::{NoPermits, OwnedSemaphorePermit, Semaphore, SemaphorePermit, SemaphoreStatistics};
