//! [`Semaphore`]: a number of permits.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::lock::Mutex;

use crate::line::{Left, Visitor, Wait, Waiters, Wakes, change};
use crate::operation::{Operation, begin};

/// A number of permits that tasks take and give back.
///
/// It is AnyIO's and Trio's `Semaphore`, with guards: a permit is given back when it is dropped. There is no maximum
/// value to guard against giving back too often, since that cannot happen.
///
/// Permits are handed over in the order in which they were asked for: whoever asks for many is not overtaken by those who
/// ask for few, and nobody barges in while others wait, [`try_acquire`](Semaphore::try_acquire) included. A waiter that
/// is cancelled passes on what it was handed.
///
/// A semaphore without permits is legal: it is opened with [`add_permits`](Semaphore::add_permits).
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::sync::Arc;
/// use anyio::sync::Semaphore;
///
/// let connections = Arc::new(Semaphore::new(2));
/// anyio::task_group(async |tg| {
///     for _ in 0..10 {
///         let connections = connections.clone();
///         tg.spawn(async move {
///             let _permit = connections.acquire().await;
///             anyio::checkpoint().await; // two at a time
///         });
///     }
/// })
/// .await
/// .unwrap();
/// assert_eq!(connections.available_permits(), 2);
/// # });
/// ```
pub struct Semaphore {
    state: Mutex<Permits>,
}

/// What a [`Semaphore`] looks like at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreStatistics {
    /// How many permits are to be had.
    pub available_permits: usize,
    /// How many tasks are waiting.
    pub tasks_waiting: usize,
}

/// There are too few permits, or others are waiting for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not enough permits are available: wait for them with `acquire`")]
pub struct NoPermits;

/// What the lock of a semaphore guards.
pub(super) struct Permits {
    /// Nobody waits who could be served with these.
    available: usize,
    line: Waiters<usize, usize>,
}

impl Semaphore {
    /// A semaphore with this many permits.
    #[must_use]
    pub const fn new(permits: usize) -> Self {
        Semaphore { state: Mutex::new(Permits { available: permits, line: Waiters::new() }) }
    }

    /// Takes one permit, when there is one.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a permit that was handed over in the same moment goes to the next in line. Who is cancelled loses
    /// the place in the line.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = SemaphorePermit<'_>> {
        self.acquire_many(1)
    }

    /// Takes `permits` at once, when that many are available. None are legal, and had at once.
    ///
    /// More than there will ever be are waited for until the task is cancelled.
    ///
    /// # Cancel safety
    ///
    /// That of [`acquire`](Semaphore::acquire).
    #[track_caller]
    pub fn acquire_many(&self, permits: usize) -> impl Future<Output = SemaphorePermit<'_>> {
        Operation::new(self.wait(permits), move |()| self.permit(permits))
    }

    /// [`acquire`](Semaphore::acquire), with a permit that keeps the semaphore alive and borrows nothing.
    ///
    /// # Cancel safety
    ///
    /// That of [`acquire`](Semaphore::acquire).
    #[track_caller]
    pub fn acquire_arc(self: &Arc<Self>) -> impl Future<Output = OwnedSemaphorePermit> + use<> {
        self.acquire_many_arc(1)
    }

    /// [`acquire_many`](Semaphore::acquire_many), with a permit that keeps the semaphore alive and borrows nothing.
    ///
    /// # Cancel safety
    ///
    /// That of [`acquire`](Semaphore::acquire).
    #[track_caller]
    pub fn acquire_many_arc(self: &Arc<Self>, permits: usize) -> impl Future<Output = OwnedSemaphorePermit> + use<> {
        let semaphore = self.clone();
        let begin = begin();
        async move {
            begin.await;
            semaphore.wait(permits).await;
            OwnedSemaphorePermit { semaphore, permits }
        }
    }

    /// Takes one permit if that is possible at once.
    ///
    /// # Errors
    ///
    /// [`NoPermits`], when none is available or others are waiting.
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, NoPermits> {
        self.try_acquire_many(1)
    }

    /// Takes `permits` if that is possible at once.
    ///
    /// # Errors
    ///
    /// [`NoPermits`], when too few are available or others are waiting.
    pub fn try_acquire_many(&self, permits: usize) -> Result<SemaphorePermit<'_>, NoPermits> {
        self.try_take(permits).map(|()| self.permit(permits))
    }

    /// [`try_acquire`](Semaphore::try_acquire), with a permit that keeps the semaphore alive and borrows nothing.
    ///
    /// # Errors
    ///
    /// [`NoPermits`], when none is available or others are waiting.
    pub fn try_acquire_arc(self: &Arc<Self>) -> Result<OwnedSemaphorePermit, NoPermits> {
        self.try_take(1).map(|()| OwnedSemaphorePermit { semaphore: self.clone(), permits: 1 })
    }

    /// Adds new permits. May be called from any thread.
    ///
    /// A semaphore cannot count more than `usize::MAX` of them: should more be given back later, the rest is forgotten.
    ///
    /// # Panics
    ///
    /// If more than `usize::MAX` were available.
    pub fn add_permits(&self, permits: usize) {
        change(&self.state, |state, wakes| {
            let fits = state.available.checked_add(permits).is_some();
            assert!(fits, "a semaphore has usize::MAX permits at most");
            state.release(permits, wakes);
        });
    }

    /// How many permits are to be had.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.state.lock().available
    }

    /// What the semaphore looks like now.
    #[must_use]
    pub fn statistics(&self) -> SemaphoreStatistics {
        let state = self.state.lock();
        SemaphoreStatistics { available_permits: state.available, tasks_waiting: state.line.len() }
    }

    /// The permits of whoever has taken them.
    #[inline]
    pub(super) fn permit(&self, permits: usize) -> SemaphorePermit<'_> {
        SemaphorePermit { semaphore: self, permits }
    }

    /// Waits for permits, which whoever waited owes then.
    #[inline]
    pub(super) fn wait(&self, permits: usize) -> Wait<'_, Acquire> {
        Wait::new(&self.state, Acquire(permits))
    }

    /// Takes permits, which the caller owes then.
    #[inline]
    pub(super) fn try_take(&self, permits: usize) -> Result<(), NoPermits> {
        self.state.lock().try_take(permits).ok_or(NoPermits)
    }

    #[inline]
    pub(super) fn release(&self, permits: usize) {
        change(&self.state, |state, wakes| state.release(permits, wakes));
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SemaphoreStatistics { available_permits, tasks_waiting } = self.statistics();
        f.debug_struct("Semaphore")
            .field("available_permits", &available_permits)
            .field("tasks_waiting", &tasks_waiting)
            .finish()
    }
}

/// Permits of a [`Semaphore`], given back when this is dropped.
#[derive(Debug)]
#[must_use = "permits that are not kept are given back at once"]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

impl SemaphorePermit<'_> {
    /// How many permits these are.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Never gives them back.
    pub fn forget(mut self) {
        self.permits = 0;
    }
}

impl Drop for SemaphorePermit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release(self.permits);
    }
}

/// Permits of a [`Semaphore`] that keep it alive, given back when this is dropped.
#[derive(Debug)]
#[must_use = "permits that are not kept are given back at once"]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    permits: usize,
}

impl OwnedSemaphorePermit {
    /// How many permits these are.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Never gives them back.
    pub fn forget(mut self) {
        self.permits = 0;
    }
}

impl Drop for OwnedSemaphorePermit {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release(self.permits);
    }
}

impl Permits {
    #[inline]
    fn try_take(&mut self, permits: usize) -> Option<()> {
        if permits > 0 && !self.line.is_empty() {
            return None;
        }
        self.available = self.available.checked_sub(permits)?;
        Some(())
    }

    /// Happens in destructors, so it does not panic.
    #[inline]
    fn release(&mut self, permits: usize, wakes: &mut Wakes) {
        if permits > 0 {
            self.available = self.available.saturating_add(permits);
            self.serve(wakes);
        }
    }

    /// Serves those in line as far as the permits go.
    #[inline]
    fn serve(&mut self, wakes: &mut Wakes) {
        while let Some(&wanted) = self.line.front() {
            let Some(rest) = self.available.checked_sub(wanted) else { return };
            self.available = rest;
            self.line.serve(wanted, wakes);
        }
    }
}

/// Wants that many permits.
pub(super) struct Acquire(usize);

impl Visitor for Acquire {
    type State = Permits;
    type Want = usize;
    type Grant = usize;
    type Output = ();

    #[inline]
    fn line(state: &mut Permits) -> &mut Waiters<usize, usize> {
        &mut state.line
    }

    #[inline]
    fn try_now(&mut self, state: &mut Permits, _wakes: &mut Wakes) -> Option<()> {
        state.try_take(self.0)
    }

    #[inline]
    fn want(&mut self, _state: &mut Permits) -> usize {
        self.0
    }

    #[inline]
    fn collect(&mut self, _state: &mut Permits, _granted: usize, _wakes: &mut Wakes) {}

    #[inline]
    fn give_up(&mut self, state: &mut Permits, left: &Left<usize, usize>, wakes: &mut Wakes) {
        match left {
            Left::Grant(permits) => state.release(*permits, wakes),
            // The first in line may have asked for more than the next.
            Left::Want(_) => state.serve(wakes),
        }
    }
}
