//! What can be wrong with the clock and its timers.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use anyio_core::Timer;
use parking_lot::Mutex;

use super::{Fault, Good};

type Inner = Pin<Box<dyn Timer>>;

/// Lets timers fire when half of the time is over.
pub(crate) struct FiresEarly;

struct EarlyTimer {
    good: Good,
    inner: Inner,
}

fn halfway(good: &Good, deadline: Instant) -> Instant {
    let now = good.now();
    now + deadline.saturating_duration_since(now) / 2
}

impl Fault for FiresEarly {
    fn timer(&self, good: &Good, deadline: Instant) -> Inner {
        Box::pin(EarlyTimer { good: good.clone(), inner: good.timer(halfway(good, deadline)) })
    }
}

impl Timer for EarlyTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.as_mut().poll(cx)
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        let deadline = halfway(&self.good, deadline);
        self.inner.as_mut().reset(deadline);
    }
}

/// What a timer does wrong when it is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resets {
    /// It keeps its deadline.
    AreIgnored,
    /// It never fires again.
    AreTheEnd,
    /// It is moved to earlier deadlines, but not to later ones.
    WorkForwardOnly,
    /// It is moved to later deadlines, but not to earlier ones.
    WorkBackwardOnly,
}

struct ResetTimer {
    resets: Resets,
    deadline: Instant,
    ended: bool,
    inner: Inner,
}

impl Fault for Resets {
    fn timer(&self, good: &Good, deadline: Instant) -> Inner {
        Box::pin(ResetTimer { resets: *self, deadline, ended: false, inner: good.timer(deadline) })
    }
}

impl Timer for ResetTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.ended { Poll::Pending } else { self.inner.as_mut().poll(cx) }
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        let moves = match self.resets {
            Resets::AreIgnored => false,
            Resets::AreTheEnd => {
                self.ended = true;
                true
            }
            Resets::WorkForwardOnly => deadline < self.deadline,
            Resets::WorkBackwardOnly => deadline > self.deadline,
        };
        if moves {
            self.deadline = deadline;
            self.inner.as_mut().reset(deadline);
        }
    }
}

/// Knows when a timer is due, but wakes nobody.
pub(crate) struct NeverWakes;

struct SilentTimer(Inner);

impl Fault for NeverWakes {
    fn timer(&self, good: &Good, deadline: Instant) -> Inner {
        Box::pin(SilentTimer(good.timer(deadline)))
    }
}

impl Timer for SilentTimer {
    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.0.as_mut().reset(deadline);
    }
}

/// Wakes whoever polled a timer first, not whoever polled it last.
pub(crate) struct WakesTheFirst;

struct FaithfulTimer {
    inner: Inner,
    first: Option<Waker>,
}

impl Fault for WakesTheFirst {
    fn timer(&self, good: &Good, deadline: Instant) -> Inner {
        Box::pin(FaithfulTimer { inner: good.timer(deadline), first: None })
    }
}

impl Timer for FaithfulTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let first = self.first.get_or_insert_with(|| cx.waker().clone()).clone();
        self.inner.as_mut().poll(&mut Context::from_waker(&first))
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.inner.as_mut().reset(deadline);
    }
}

/// Stops all timers when one of them is dropped before it has fired.
#[derive(Default)]
pub(crate) struct DiesWithOthers(Arc<AtomicUsize>);

struct MortalTimer {
    inner: Inner,
    /// How many were dropped before they had fired.
    dropped: Arc<AtomicUsize>,
    /// How many of them when this one was made.
    before: usize,
    fired: bool,
}

/// Wakes, unless the timer has stopped.
struct MortalWaker {
    waker: Waker,
    dropped: Arc<AtomicUsize>,
    before: usize,
}

impl Fault for DiesWithOthers {
    fn timer(&self, good: &Good, deadline: Instant) -> Inner {
        let before = self.0.load(Ordering::SeqCst);
        Box::pin(MortalTimer { inner: good.timer(deadline), dropped: self.0.clone(), before, fired: false })
    }
}

impl Timer for MortalTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.dropped.load(Ordering::SeqCst) > self.before {
            return Poll::Pending;
        }
        let (waker, dropped, before) = (cx.waker().clone(), self.dropped.clone(), self.before);
        let waker = Waker::from(Arc::new(MortalWaker { waker, dropped, before }));
        let polled = self.inner.as_mut().poll(&mut Context::from_waker(&waker));
        self.fired |= polled.is_ready();
        polled
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.inner.as_mut().reset(deadline);
    }
}

impl Drop for MortalTimer {
    fn drop(&mut self) {
        self.dropped.fetch_add(usize::from(!self.fired), Ordering::SeqCst);
    }
}

impl Wake for MortalWaker {
    fn wake(self: Arc<Self>) {
        if self.dropped.load(Ordering::SeqCst) == self.before {
            self.waker.wake_by_ref();
        }
    }
}

/// Wakes with the lock held that making a timer takes.
#[derive(Default)]
pub(crate) struct WakesUnderItsLock(Arc<Mutex<()>>);

struct LockedTimer {
    inner: Inner,
    lock: Arc<Mutex<()>>,
}

struct LockedWaker {
    waker: Waker,
    lock: Arc<Mutex<()>>,
}

impl Fault for WakesUnderItsLock {
    fn timer(&self, good: &Good, deadline: Instant) -> Inner {
        let _locked = self.0.lock();
        Box::pin(LockedTimer { inner: good.timer(deadline), lock: self.0.clone() })
    }
}

impl Timer for LockedTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = Waker::from(Arc::new(LockedWaker { waker: cx.waker().clone(), lock: self.lock.clone() }));
        self.inner.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        let lock = self.lock.clone();
        let _locked = lock.lock();
        self.inner.as_mut().reset(deadline);
    }
}

impl Drop for LockedTimer {
    fn drop(&mut self) {
        drop(self.lock.lock());
    }
}

impl Wake for LockedWaker {
    fn wake(self: Arc<Self>) {
        let _locked = self.lock.lock();
        self.waker.wake_by_ref();
    }
}

/// Takes a deadline that is more than an hour away for one that has passed: its wheel is too small.
pub(crate) struct HasASmallWheel;

impl Fault for HasASmallWheel {
    fn timer(&self, good: &Good, deadline: Instant) -> Inner {
        let now = good.now();
        let left = deadline.saturating_duration_since(now);
        let reach = Duration::from_secs(3600);
        good.timer(if left > reach { now } else { deadline })
    }
}

/// Forgets that it has fired: it is ready once.
pub(crate) struct IsReadyOnce;

struct OnceTimer {
    inner: Inner,
    fired: AtomicBool,
}

impl Fault for IsReadyOnce {
    fn timer(&self, good: &Good, deadline: Instant) -> Inner {
        Box::pin(OnceTimer { inner: good.timer(deadline), fired: AtomicBool::new(false) })
    }
}

impl Timer for OnceTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.fired.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        let polled = self.inner.as_mut().poll(cx);
        self.fired.store(polled.is_ready(), Ordering::SeqCst);
        polled
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.fired.store(false, Ordering::SeqCst);
        self.inner.as_mut().reset(deadline);
    }
}

/// Every second time it is asked, the clock is back where it was 50 ms ago.
#[derive(Default)]
pub(crate) struct RunsBackwards(AtomicUsize);

impl Fault for RunsBackwards {
    fn now(&self, good: &Good) -> Instant {
        let odd = self.0.fetch_add(1, Ordering::SeqCst) % 2 == 1;
        good.now() - if odd { Duration::from_millis(50) } else { Duration::ZERO }
    }
}

/// Every thread has a clock of its own, which began when the thread first asked.
pub(crate) struct HasAClockPerThread(Instant);

impl Default for HasAClockPerThread {
    fn default() -> Self {
        HasAClockPerThread(Instant::now())
    }
}

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

impl Fault for HasAClockPerThread {
    fn now(&self, good: &Good) -> Instant {
        let now = good.now();
        let began = BEGAN.get().unwrap_or(now);
        BEGAN.set(Some(began));
        self.0 + (now - began)
    }
}
