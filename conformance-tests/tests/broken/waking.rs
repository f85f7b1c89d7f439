//! What can be wrong with waking, and with stepping aside.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use anyio_core::{BlockOn, Task};

use super::{Fault, Good};

/// Loses the wakes of a task that come from other threads than the one that polled it.
pub(crate) struct LosesWakesAcrossThreads;

impl Fault for LosesWakesAcrossThreads {
    fn spawn(&self, good: &Good, task: Task) {
        good.spawn(Task::new(deaf_to_other_threads(task)));
    }
}

/// Loses the wakes of the main future that come from other threads.
pub(crate) struct LosesWakesOfTheMain;

impl Fault for LosesWakesOfTheMain {
    fn block_on(&self, good: &dyn BlockOn, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        good.block_on(pin!(deaf_to_other_threads(future)));
    }
}

fn deaf_to_other_threads<F: Future + Unpin>(mut future: F) -> impl Future<Output = F::Output> {
    poll_fn(move |cx| {
        let waker = Waker::from(Arc::new(SameThread { waker: cx.waker().clone(), thread: thread::current().id() }));
        Pin::new(&mut future).poll(&mut Context::from_waker(&waker))
    })
}

struct SameThread {
    waker: Waker,
    thread: ThreadId,
}

impl Wake for SameThread {
    fn wake(self: Arc<Self>) {
        if thread::current().id() == self.thread {
            self.waker.wake_by_ref();
        }
    }
}

/// Loses the wakes of a task that come while it is polled.
pub(crate) struct LosesWakesDuringPolls;

impl Fault for LosesWakesDuringPolls {
    fn spawn(&self, good: &Good, mut task: Task) {
        good.spawn(Task::new(poll_fn(move |cx| {
            let watch = Arc::new(Watch::new(cx.waker(), false));
            let polled = Pin::new(&mut task).poll(&mut Context::from_waker(&watch.clone().into()));
            watch.polling.store(false, Ordering::SeqCst);
            polled
        })));
    }
}

/// How long it goes on.
const GREED: Duration = Duration::from_secs(20);

/// Polls a future that was woken during its own poll again at once, and so on, for longer than any test watches: nobody
/// else gets a turn.
pub(crate) struct Greedy;

impl Fault for Greedy {
    fn spawn(&self, good: &Good, task: Task) {
        good.spawn(Task::new(polled_again_and_again(task)));
    }

    fn block_on(&self, good: &dyn BlockOn, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        good.block_on(pin!(polled_again_and_again(future)));
    }
}

fn polled_again_and_again<F: Future + Unpin>(mut future: F) -> impl Future<Output = F::Output> {
    poll_fn(move |cx| {
        let watch = Arc::new(Watch::new(cx.waker(), true));
        let waker = Waker::from(watch.clone());
        let (mut polled, start) = (Poll::Pending, Instant::now());
        while polled.is_pending() && start.elapsed() < GREED && watch.woken.swap(false, Ordering::SeqCst) {
            polled = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
        }
        watch.polling.store(false, Ordering::SeqCst);
        // A wake that is left is not lost: that would be another fault.
        if watch.woken.load(Ordering::SeqCst) {
            cx.waker().wake_by_ref();
        }
        polled
    })
}

/// Notes the wakes that come during a poll, and passes on those that come later.
struct Watch {
    waker: Waker,
    polling: AtomicBool,
    woken: AtomicBool,
}

impl Watch {
    fn new(waker: &Waker, woken: bool) -> Self {
        Watch { waker: waker.clone(), polling: AtomicBool::new(true), woken: AtomicBool::new(woken) }
    }
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        if !self.polling.load(Ordering::SeqCst) {
            self.waker.wake_by_ref();
        }
    }
}

/// Never wakes whoever steps aside.
pub(crate) struct NeverComesBack;

impl Fault for NeverComesBack {
    fn checkpoint(&self, _good: &Good, _waker: &Waker) {}
}

/// Hands whoever steps aside to tokio's own queue, which is looked at when the current task has returned.
pub(crate) struct ComesBackWhenTheTaskHasReturned;

impl Fault for ComesBackWhenTheTaskHasReturned {
    fn checkpoint(&self, _good: &Good, waker: &Waker) {
        let polled = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(waker));
        assert!(polled.is_pending(), "it yields once");
    }
}
