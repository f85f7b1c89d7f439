//! [`Event`]: something that happens once.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::operation::Operation;
use crate::until::{Notify, Until};

/// Something that happens once, and that any number of tasks may wait for.
///
/// It is Trio's and AnyIO's `Event`: it cannot be reset, make a new one instead.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::sync::Arc;
/// use anyio::Event;
///
/// let ready = Arc::new(Event::new());
/// anyio::task_group(async |tg| {
///     let announced = ready.clone();
///     tg.spawn(async move { announced.set() });
///     ready.wait().await;
/// })
/// .await
/// .unwrap();
/// # });
/// ```
#[derive(Debug, Default)]
pub struct Event {
    /// Stored with Release before the waiters are notified; a load with Acquire sees what happened before.
    set: AtomicBool,
    waiters: Notify,
}

impl Event {
    /// An event that has not happened.
    #[must_use]
    pub const fn new() -> Self {
        Event { set: AtomicBool::new(false), waiters: Notify::new() }
    }

    /// Lets it happen: wakes all who wait, and whoever waits from now on does not wait at all. Idempotent; may be
    /// called from any thread.
    pub fn set(&self) {
        self.set.store(true, Ordering::Release);
        self.waiters.notify_all();
    }

    /// Whether it has happened.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    /// What the event looks like now.
    #[must_use]
    pub fn statistics(&self) -> EventStatistics {
        let tasks_waiting = if self.is_set() { 0 } else { self.waiters.waiting() };
        EventStatistics { tasks_waiting }
    }

    /// Waits until it has happened.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = ()> + Send + Sync {
        Operation::new(Until::new(&self.waiters, || self.is_set().then_some(())), |()| ())
    }
}

/// What an [`Event`] looks like at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventStatistics {
    /// How many tasks are waiting.
    pub tasks_waiting: usize,
}
