//! Every interleaving of waking, polling, queueing and going down, walked by loom.
//!
//! `RUSTFLAGS="--cfg anyio_loom" cargo test -p anyio --lib --release carrier::model`

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Sharing, Spawn, Task, Timer};
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Condvar, Mutex};
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

#[test]
fn another_thread_may_give_the_next_turn() {
    loom::model(|| {
        let future = Arc::new(Exclusive::new(0));
        let kept = Arc::new(Mutex::new(false));
        let first = thread::spawn({
            let (future, kept) = (future.clone(), kept.clone());
            move || {
                let again = turn(&future, |polls| *polls += 1) == Turn::Again;
                *kept.lock().unwrap() = again;
            }
        });
        let has_right = future.wake() || std::mem::take(&mut *kept.lock().unwrap());
        if has_right {
            // `loom` would tell if what the first turn has left were not seen.
            turn(&future, |polls| *polls += 1);
        }
        first.join().unwrap();
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

/// Threads of a runtime, with the carriers that are to be polled by any of them.
struct Threads {
    hand: Arc<ByHand>,
    crew: Mutex<Vec<Hired>>,
    news: Condvar,
}

/// A task that puts another one into the hands of its carrier, and blocks its thread until that one was polled.
struct Blocks {
    runtime: Runtime,
    carriers: Arc<Carriers>,
    other: Arc<Cargo>,
    threads: Arc<Threads>,
}

impl Carry for Blocks {
    fn carry(self: Arc<Self>) -> Option<Arc<dyn Carry>> {
        self.carriers.push(self.other.clone(), &self.runtime);
        self.threads.notice_news();
        let mut crew = self.threads.crew.lock().unwrap();
        while self.other.ends() == (0, 0) {
            crew = self.threads.news.wait(crew).unwrap();
        }
        None
    }

    fn abandon(self: Arc<Self>) {}

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

impl Threads {
    /// Something may have been spawned or woken, or have ended.
    fn notice_news(&self) {
        let mut crew = self.crew.lock().unwrap();
        crew.extend(hired(&self.hand));
        drop(crew);
        self.news.notify_all();
    }

    /// Polls whoever is woken until `task` has ended.
    fn run_until_ended(&self, task: &Cargo) {
        loop {
            let mut crew = self.crew.lock().unwrap();
            let woken = loop {
                if task.ends() != (0, 0) {
                    return;
                }
                if let Some(index) = crew.iter().position(|carrier| carrier.woken.0.load(Ordering::SeqCst)) {
                    break crew.swap_remove(index);
                }
                crew = self.news.wait(crew).unwrap();
            };
            drop(crew);
            let mut carrier = woken;
            let (_, is_done) = carrier.run();
            if !is_done {
                self.crew.lock().unwrap().push(carrier);
            }
            self.notice_news();
        }
    }
}

/// Loom tells of a deadlock if nobody comes for it.
#[test]
fn what_lies_with_a_carrier_that_is_blocked_is_found() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(4);
    model.check(|| {
        let (carriers, hand, runtime) = crew(Sharing::ManyThreads);
        let (other, third) = (Cargo::new(&runtime), Cargo::new(&runtime));
        let threads = Arc::new(Threads { hand, crew: Mutex::default(), news: Condvar::new() });
        let blocks = Blocks {
            runtime: runtime.clone(),
            carriers: carriers.clone(),
            other: other.clone(),
            threads: threads.clone(),
        };
        carriers.push(third.clone(), &runtime);
        carriers.push(Arc::new(blocks), &runtime);
        threads.notice_news();
        let thread = thread::spawn({
            let (threads, other) = (threads.clone(), other.clone());
            move || threads.run_until_ended(&other)
        });
        threads.run_until_ended(&other);
        thread.join().unwrap();
        let mut crew = std::mem::take(&mut *threads.crew.lock().unwrap());
        run_all(&threads.hand, &mut crew);
        assert_eq!((other.ends(), third.ends()), ((1, 0), (1, 0)));
        carriers.dismiss();
        run_all(&threads.hand, &mut crew);
        assert!(crew.is_empty(), "a carrier stays behind");
    });
}

/// A task during whose poll another carrier comes and goes, before it has a task for its own.
struct Meanwhile {
    runtime: Runtime,
    carriers: Arc<Carriers>,
    other: Arc<Cargo>,
    comes: Mutex<Option<Hired>>,
}

impl Carry for Meanwhile {
    fn carry(self: Arc<Self>) -> Option<Arc<dyn Carry>> {
        let mut comes = self.comes.lock().unwrap().take().unwrap();
        assert_eq!(comes.run(), (true, false));
        self.carriers.push(self.other.clone(), &self.runtime);
        assert!(comes.woken.0.load(Ordering::SeqCst), "somebody is relied on who was given up");
        *self.comes.lock().unwrap() = Some(comes);
        None
    }

    fn abandon(self: Arc<Self>) {}

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

#[test]
fn who_has_been_given_up_is_not_relied_on() {
    loom::model(|| {
        let (carriers, hand, runtime) = crew(Sharing::ManyThreads);
        let tasks = [(); 3].map(|()| Cargo::new(&runtime));
        let meanwhile = Arc::new(Meanwhile {
            runtime: runtime.clone(),
            carriers: carriers.clone(),
            other: tasks[0].clone(),
            comes: Mutex::new(None),
        });
        carriers.push(meanwhile.clone(), &runtime);
        tasks[1..].iter().for_each(|task| carriers.push(task.clone(), &runtime));
        let mut crew = hired(&hand);
        *meanwhile.comes.lock().unwrap() = crew.pop();
        assert_eq!(crew.len(), 1);
        crew[0].run();
        // A third one has been spawned, and is never polled.
        let late = hired(&hand);
        assert_eq!(late.len(), 1);
        crew.extend(meanwhile.comes.lock().unwrap().take());
        run_all(&hand, &mut crew);
        assert!(tasks.iter().all(|task| task.ends() == (1, 0)));
        late.into_iter().for_each(std::mem::forget);
        carriers.dismiss();
        run_all(&hand, &mut crew);
    });
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
