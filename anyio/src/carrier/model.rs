//! Every interleaving of waking, polling, queueing and going down, walked by loom.
//!
//! `RUSTFLAGS="--cfg anyio_loom" cargo test -p anyio --lib --release carrier::model`

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Sharing, Spawn, Task, Timer};
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use super::{Carriers, Carry, Exclusive, Turn};
use crate::runtime::Runtime;

/// What wakers do without a carrier: the future is to be polled once more.
fn wake(future: &Exclusive<u32>, queued: &AtomicUsize) {
    if future.wake() {
        queued.fetch_add(1, Ordering::Relaxed);
    }
}

fn turn(future: &Exclusive<u32>, poll: impl FnOnce(&mut u32)) -> Turn {
    #[expect(unsafe_code, reason = "as in the nodes of tasks")]
    // SAFETY: it is not moved, and would not mind.
    unsafe {
        future.turn(|polls| {
            poll(polls.get_mut());
            Poll::Pending
        })
    }
}

/// Polls a future while another thread has news for it, until nobody has woken it since.
fn poll_beside_a_waker(future: impl Fn() -> Exclusive<u32> + Send + Sync + 'static) {
    loom::model(move || {
        let future = Arc::new(future());
        let queued = Arc::new(AtomicUsize::new(0));
        // Nothing but the wake orders it.
        let news = Arc::new(AtomicBool::new(false));
        let waker = thread::spawn({
            let (future, queued, news) = (future.clone(), queued.clone(), news.clone());
            move || {
                news.store(true, Ordering::Relaxed);
                wake(&future, &queued);
            }
        });
        let mut seen = false;
        let mut look = |_: &mut u32| seen = news.load(Ordering::Relaxed);
        let mut again = turn(&future, &mut look) == Turn::Again;
        waker.join().unwrap();
        let mut left = queued.load(Ordering::Relaxed);
        while again || left > 0 {
            left -= usize::from(!again);
            again = turn(&future, &mut look) == Turn::Again;
        }
        assert!(seen, "the last poll was before the wake");
    });
}

#[test]
fn a_wake_before_the_first_poll_is_not_missed() {
    poll_beside_a_waker(|| Exclusive::new(0));
}

#[test]
fn a_wake_beside_another_is_not_missed() {
    poll_beside_a_waker(|| {
        let future = Exclusive::new(0);
        turn(&future, |_| ());
        assert!(future.wake());
        future
    });
}

#[test]
fn one_thread_at_a_time_polls() {
    loom::model(|| {
        let future = Arc::new(Exclusive::new(0));
        let queued = Arc::new(AtomicUsize::new(0));
        turn(&future, |polls| *polls += 1);
        let poll_if_woken = move |future: &Exclusive<u32>, queued: &AtomicUsize| {
            wake(future, queued);
            // `loom` would tell if two threads were in here at once.
            while queued.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok() {
                while turn(future, |polls| *polls += 1) == Turn::Again {}
            }
        };
        let other = thread::spawn({
            let (future, queued) = (future.clone(), queued.clone());
            move || poll_if_woken(&future, &queued)
        });
        poll_if_woken(&future, &queued);
        other.join().unwrap();
    });
}

/// A runtime whose tasks are polled by hand.
#[derive(Default)]
struct ByHand {
    spawned: Mutex<Vec<Task>>,
}

struct Never;

impl Timer for Never {
    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn reset(self: Pin<&mut Self>, _deadline: Instant) {}
}

struct Hand(Arc<ByHand>);

impl Spawn for Hand {
    fn spawn(&self, task: Task) {
        self.0.spawned.lock().unwrap().push(task);
    }
}

impl Checkpoint for Hand {
    fn checkpoint(&self, waker: &Waker) {
        waker.wake_by_ref();
    }
}

impl Clock for Hand {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn timer(&self, _deadline: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(Never)
    }
}

impl Blocking for Hand {
    fn spawn_blocking(&self, _job: Job) {}
}

impl Backend for Hand {
    fn name(&self) -> &'static str {
        "by hand"
    }
}

/// A task that counts its ends.
struct Cargo {
    runtime: Runtime,
    carried: AtomicUsize,
    dropped: AtomicUsize,
}

impl Cargo {
    fn new(runtime: &Runtime) -> Arc<Self> {
        Arc::new(Cargo { runtime: runtime.clone(), carried: AtomicUsize::new(0), dropped: AtomicUsize::new(0) })
    }

    fn ends(&self) -> (usize, usize) {
        (self.carried.load(Ordering::SeqCst), self.dropped.load(Ordering::SeqCst))
    }
}

impl Carry for Cargo {
    fn carry(self: Arc<Self>) -> Option<Arc<dyn Carry>> {
        self.carried.fetch_add(1, Ordering::SeqCst);
        None
    }

    fn abandon(self: Arc<Self>) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A carrier of the runtime, with its waker.
struct Hired {
    task: Task,
    woken: Arc<Woken>,
}

impl Hired {
    /// Polls it if it was woken; says whether it did, and whether it is done.
    fn run(&mut self) -> (bool, bool) {
        if !self.woken.0.swap(false, Ordering::SeqCst) {
            return (false, false);
        }
        let waker = Waker::from(self.woken.clone());
        let polled = Pin::new(&mut self.task).poll(&mut Context::from_waker(&waker));
        (true, polled.is_ready())
    }
}

fn crew(sharing: Sharing) -> (Arc<Carriers>, Arc<ByHand>, Runtime) {
    let hand = Arc::new(ByHand::default());
    let runtime = Runtime::new(Hand(hand.clone()));
    (Carriers::new(sharing).unwrap(), hand, runtime)
}

fn hired(hand: &ByHand) -> Vec<Hired> {
    let tasks = std::mem::take(&mut *hand.spawned.lock().unwrap());
    tasks.into_iter().map(|task| Hired { task, woken: Arc::new(Woken(AtomicBool::new(true))) }).collect()
}

/// Polls carriers until none is woken.
fn run_all(hand: &ByHand, crew: &mut Vec<Hired>) {
    loop {
        crew.extend(hired(hand));
        let mut polled = false;
        crew.retain_mut(|carrier| {
            let (ran, done) = carrier.run();
            polled |= ran;
            !done
        });
        if !polled {
            return;
        }
    }
}

fn push_while_a_carrier_rests(sharing: Sharing) {
    loom::model(move || {
        let (carriers, hand, runtime) = crew(sharing);
        let (first, second) = (Cargo::new(&runtime), Cargo::new(&runtime));
        carriers.push(first.clone(), &runtime);
        let pusher = thread::spawn({
            let (carriers, second, runtime) = (carriers.clone(), second.clone(), runtime.clone());
            move || carriers.push(second, &runtime)
        });
        let mut crew = hired(&hand);
        crew.iter_mut().for_each(|carrier| {
            carrier.run();
        });
        pusher.join().unwrap();
        run_all(&hand, &mut crew);
        assert_eq!((first.ends(), second.ends()), ((1, 0), (1, 0)));
        carriers.dismiss();
        run_all(&hand, &mut crew);
        assert!(crew.is_empty(), "a carrier stays behind");
    });
}

#[test]
fn no_task_is_left_in_the_queue() {
    push_while_a_carrier_rests(Sharing::OneThread);
}

#[test]
fn no_task_is_left_in_the_queue_of_many_threads() {
    push_while_a_carrier_rests(Sharing::ManyThreads);
}

#[test]
fn each_task_ends_once_when_the_runtime_goes_down() {
    loom::model(|| {
        let (carriers, hand, runtime) = crew(Sharing::ManyThreads);
        let (first, second) = (Cargo::new(&runtime), Cargo::new(&runtime));
        carriers.push(first.clone(), &runtime);
        let pusher = thread::spawn({
            let (carriers, second, runtime) = (carriers.clone(), second.clone(), runtime.clone());
            move || carriers.push(second, &runtime)
        });
        drop(hired(&hand));
        pusher.join().unwrap();
        drop(hired(&hand));
        assert_eq!((first.ends(), second.ends()), ((0, 1), (0, 1)));
    });
}
