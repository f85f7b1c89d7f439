//! What the tasks do: the same for all contenders of a comparison.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

/// So long that nothing ever ends by itself.
pub const LONG: Duration = Duration::from_secs(3600);

/// Sleeps for long, on whatever runtime.
pub async fn our_sleep() {
    anyio::sleep(LONG).await;
}

/// Sleeps for long by tokio's clock.
pub async fn tokio_sleep() {
    tokio::time::sleep(LONG).await;
}

/// Sleeps for long by smol's clock.
pub async fn smol_sleep() {
    smol::Timer::after(LONG).await;
}

/// Pending so many times, and awake at once each time.
pub async fn yields(mut times: usize) {
    poll_fn(move |cx| {
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Counts those who have come to a place. Contenders have their turns one by one, so a `static` will do for each job, and no
/// task has to hold a count.
#[derive(Debug)]
pub struct Arrivals(AtomicUsize);

impl Arrivals {
    /// Nobody has come.
    #[must_use]
    pub const fn none() -> Self {
        Arrivals(AtomicUsize::new(0))
    }

    /// Forgets who has come before.
    pub fn reset(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    /// Somebody comes.
    pub fn arrive(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Somebody leaves.
    pub fn leave(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many are there.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Lets others run until so many have come.
    pub async fn until(&self, wanted: usize) {
        while self.count() != wanted {
            yields(1).await;
        }
    }
}

/// Counts as present until it is dropped.
#[derive(Debug)]
pub struct Present(&'static Arrivals);

impl Present {
    /// Arrives.
    #[must_use]
    pub fn at(place: &'static Arrivals) -> Self {
        place.arrive();
        Present(place)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Arrives, then does as `sleep` does.
pub async fn asleep<F: Future>(place: &'static Arrivals, sleep: impl FnOnce() -> F) {
    place.arrive();
    sleep().await;
}

/// Tells the time at which the last of several was dropped.
#[derive(Debug)]
pub struct LastDrop {
    left: AtomicUsize,
    /// In nanoseconds since `epoch`.
    at: AtomicUsize,
    epoch: Instant,
}

impl LastDrop {
    /// So many are to be dropped.
    #[must_use]
    pub fn of(count: usize) -> Self {
        LastDrop { left: AtomicUsize::new(count), at: AtomicUsize::new(0), epoch: Instant::now() }
    }

    /// When the last was dropped.
    ///
    /// # Panics
    ///
    /// If it was not.
    #[must_use]
    pub fn time(&self) -> Instant {
        assert_eq!(self.left.load(Ordering::SeqCst), 0, "some tasks were not dropped");
        self.epoch + Duration::from_nanos(self.at.load(Ordering::SeqCst) as u64)
    }

    fn one_less(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.at.store(self.epoch.elapsed().as_nanos() as usize, Ordering::SeqCst);
        }
    }
}

/// One of those that a [`LastDrop`] waits for.
#[derive(Debug)]
pub struct Dropped(pub std::sync::Arc<LastDrop>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.one_less();
    }
}
