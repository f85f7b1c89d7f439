//! Wakes that go missing, or go to the wrong ones.

use std::future::{Future, poll_fn};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use anyio::channel::watch;
use anyio::{sync, task_group};
use parking_lot::Mutex;

use super::{Version, round_trip, round_trips};

/// A flag to wait for.
struct Flag {
    version: Version,
    is_set: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Flag {
    async fn wait(&self) {
        poll_fn(|cx| {
            if self.is_set.load(Ordering::Acquire) {
                return Poll::Ready(());
            }
            let mut waiting = self.waiting.lock();
            if !self.version.is_fixed() {
                waiting.clear(); // there is room for one
            }
            waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn set(&self) {
        self.is_set.store(true, Ordering::Release);
        let waiting = mem::take(&mut *self.waiting.lock());
        waiting.into_iter().for_each(Waker::wake);
    }
}

pub(crate) async fn lost_wake_up(version: Version) {
    let flag = Arc::new(Flag { version, is_set: AtomicBool::new(false), waiting: Mutex::default() });
    let group = task_group(async |tg| {
        let sets = flag.clone();
        tg.spawn(async move { sets.set() });
        for _ in 0..2 {
            let waits = flag.clone();
            tg.spawn(async move { waits.wait().await });
        }
    });
    group.await.unwrap();
}

/// A service that others wait for.
struct Service {
    version: Version,
    is_up: watch::Sender<bool>,
}

impl Service {
    async fn wait_until_up(&self) {
        let early = self.version.is_fixed().then(|| self.is_up.subscribe());
        if *self.is_up.borrow() {
            return;
        }
        round_trip().await; // writes to the log that it waits
        let mut changes = early.unwrap_or_else(|| self.is_up.subscribe());
        changes.changed().await.expect("the service is there");
    }
}

pub(crate) async fn notified_before_the_wait_is_registered(version: Version) {
    let service = Arc::new(Service { version, is_up: watch::channel(false).0 });
    let group = task_group(async |tg| {
        let waits = service.clone();
        tg.spawn(async move { waits.wait_until_up().await });
        let starts = service.clone();
        tg.spawn(async move {
            round_trips(2).await;
            starts.is_up.send_replace(true);
        });
    });
    group.await.unwrap();
}

/// A lock on which all who wait try again when it becomes free.
struct Herd {
    version: Version,
    taken: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
    /// What hands itself over, in place of the above.
    fair: sync::Mutex<()>,
}

impl Herd {
    async fn exclusively(&self, work: impl Future<Output = ()>) {
        if self.version.is_fixed() {
            let _guard = self.fair.lock().await;
            return work.await;
        }
        poll_fn(|cx| {
            if !self.taken.swap(true, Ordering::AcqRel) {
                return Poll::Ready(());
            }
            self.waiting.lock().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
        work.await;
        self.taken.store(false, Ordering::Release);
        let waiting = mem::take(&mut *self.waiting.lock());
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// How many share the lock.
const SHARERS: usize = 4;

pub(crate) async fn thundering_herd_that_starves_one(version: Version) {
    let (taken, waiting, fair) = (AtomicBool::new(false), Mutex::default(), sync::Mutex::new(()));
    let herd = Arc::new(Herd { version, taken, waiting, fair });
    let served = Arc::new(AtomicUsize::new(0));
    let group = task_group(async |tg| {
        for _ in 0..SHARERS {
            let (herd, served) = (herd.clone(), served.clone());
            tg.spawn(async move {
                for _ in 0..4 {
                    let before = served.load(Ordering::Relaxed);
                    let work = async {
                        let passed = served.fetch_add(1, Ordering::Relaxed) - before;
                        assert!(passed < SHARERS, "{passed} were served before this one");
                        round_trip().await;
                    };
                    herd.exclusively(work).await;
                    round_trip().await;
                }
            });
        }
    });
    group.await.unwrap();
}
