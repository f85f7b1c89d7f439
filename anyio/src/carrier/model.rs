//! Every interleaving of waking, polling, queueing and going down, walked by loom.
//!
//! `RUSTFLAGS="--cfg anyio_loom" cargo test -p anyio --lib --release carrier::model`

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Sharing, Spawn, Task, Timer};
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread::{self, ThreadId};

use super::{Carriers, Carry, Exclusive, Turn};
use crate::runtime::Runtime;

/// Counts its polls, as is done beside it.
type Polls = Exclusive<u32, u32>;

/// What wakers do without a carrier: the future is to be polled once more.
fn wake(future: &Polls, queued: &AtomicUsize) {
    if future.wake() {
        queued.fetch_add(1, Ordering::Relaxed);
    }
}

fn turn(future: &Polls, poll: impl FnOnce(&mut u32)) -> Turn {
    #[expect(unsafe_code, reason = "as in the nodes of tasks")]
    // SAFETY: it is not moved, and would not mind.
    unsafe {
        future.turn(|beside, polls| {
            *beside += 1;
            poll(polls.get_mut());
            Poll::Pending
        })
    }
}

/// Polls a future while another thread has news for it, until nobody has woken it since.
fn poll_beside_a_waker(future: impl Fn() -> Polls + Send + Sync + 'static) {
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
    poll_beside_a_waker(|| Polls::new(0, 0));
}

#[test]
fn a_wake_beside_another_is_not_missed() {
    poll_beside_a_waker(|| {
        let future = Polls::new(0, 0);
        turn(&future, |_| ());
        assert!(future.wake());
        future
    });
}

#[test]
fn one_thread_at_a_time_polls() {
    loom::model(|| {
        let future = Arc::new(Polls::new(0, 0));
        let queued = Arc::new(AtomicUsize::new(0));
        turn(&future, |polls| *polls += 1);
        let poll_if_woken = move |future: &Polls, queued: &AtomicUsize| {
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
        let future = Arc::new(Polls::new(0, 0));
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
    spawned: Mutex<Vec<(Task, Keeper)>>,
    /// The threads that have spawned or woken tasks, once for each.
    calls: Mutex<Vec<ThreadId>>,
}

/// The thread for which a task is kept.
#[derive(Clone, Copy)]
enum Keeper {
    /// The one that has woken it, in the call of this number, until it wakes another.
    Caller(ThreadId, usize),
    /// The one in which it has yielded.
    Yielded(ThreadId),
}

impl ByHand {
    fn call(&self) -> Keeper {
        let thread = thread::current().id();
        let mut calls = self.calls.lock().unwrap();
        calls.push(thread);
        Keeper::Caller(thread, calls.len())
    }

    /// Whether this thread may poll such a task, as the `last` resort or not.
    fn may_poll(&self, keeper: Keeper, last: bool) -> bool {
        match keeper {
            Keeper::Caller(thread, number) => {
                thread == thread::current().id() || self.calls.lock().unwrap()[number..].contains(&thread)
            }
            Keeper::Yielded(thread) => last && thread == thread::current().id(),
        }
    }
}

struct Never;

impl Timer for Never {
    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn reset(self: Pin<&mut Self>, _deadline: Instant) {}
}

struct Hand(Arc<ByHand>);

loom::thread_local! {
    /// Whether the carrier that is being polled in this thread has yielded.
    static YIELDED: Cell<bool> = Cell::new(false);
}

impl Spawn for Hand {
    fn spawn(&self, task: Task) {
        let keeper = self.0.call();
        self.0.spawned.lock().unwrap().push((task, keeper));
    }
}

impl Checkpoint for Hand {
    fn checkpoint(&self, waker: &Waker) {
        waker.wake_by_ref();
        YIELDED.with(|yielded| yielded.set(true));
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

/// A task that counts its polls and its end.
struct Cargo {
    runtime: Runtime,
    turns: usize,
    carried: AtomicUsize,
    dropped: AtomicUsize,
}

impl Cargo {
    fn new(runtime: &Runtime) -> Arc<Self> {
        Cargo::that_yields(runtime, 0)
    }

    /// One that is done in the poll after so many.
    fn that_yields(runtime: &Runtime, turns: usize) -> Arc<Self> {
        let (carried, dropped) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Cargo { runtime: runtime.clone(), turns, carried, dropped })
    }

    fn is_done(&self) -> bool {
        self.carried.load(Ordering::SeqCst) > self.turns
    }

    fn ends(&self) -> (usize, usize) {
        (self.carried.load(Ordering::SeqCst), self.dropped.load(Ordering::SeqCst))
    }
}

impl Carry for Cargo {
    fn carry(self: Arc<Self>) -> Option<Arc<dyn Carry>> {
        let turns = self.carried.fetch_add(1, Ordering::SeqCst);
        if turns < self.turns { Some(self) } else { None }
    }

    fn abandon(self: Arc<Self>) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

struct Woken {
    hand: Arc<ByHand>,
    keeper: Mutex<Option<Keeper>>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let keeper = self.hand.call();
        *self.keeper.lock().unwrap() = Some(keeper);
    }
}

impl Woken {
    fn may_be_polled(&self, last: bool) -> bool {
        let keeper = *self.keeper.lock().unwrap();
        keeper.is_some_and(|keeper| self.hand.may_poll(keeper, last))
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
        if self.woken.keeper.lock().unwrap().take().is_none() {
            return (false, false);
        }
        let waker = Waker::from(self.woken.clone());
        let polled = Pin::new(&mut self.task).poll(&mut Context::from_waker(&waker));
        if YIELDED.with(|yielded| yielded.replace(false)) {
            *self.woken.keeper.lock().unwrap() = Some(Keeper::Yielded(thread::current().id()));
        }
        (true, polled.is_ready())
    }
}

fn crew(sharing: Sharing) -> (Arc<Carriers>, Arc<ByHand>, Runtime) {
    let hand = Arc::new(ByHand::default());
    let runtime = Runtime::new(Hand(hand.clone()));
    (Carriers::new(sharing).unwrap(), hand, runtime)
}

fn hired(hand: &Arc<ByHand>) -> Vec<Hired> {
    let tasks = std::mem::take(&mut *hand.spawned.lock().unwrap());
    let hired = |(task, keeper)| Hired {
        task,
        woken: Arc::new(Woken { hand: hand.clone(), keeper: Mutex::new(Some(keeper)) }),
    };
    tasks.into_iter().map(hired).collect()
}

/// Polls carriers until none is woken.
fn run_all(hand: &Arc<ByHand>, crew: &mut Vec<Hired>) {
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

/// A task that yields once, then puts others into the hands of its carrier, and blocks its thread until the first of all
/// was polled often enough.
struct Blocks {
    runtime: Runtime,
    carriers: Arc<Carriers>,
    others: Vec<Arc<Cargo>>,
    until: Arc<Cargo>,
    has_yielded: AtomicBool,
    threads: Arc<Threads>,
}

impl Carry for Blocks {
    fn carry(self: Arc<Self>) -> Option<Arc<dyn Carry>> {
        if !self.has_yielded.swap(true, Ordering::SeqCst) {
            return Some(self);
        }
        self.others.iter().for_each(|other| self.carriers.push(other.clone(), &self.runtime));
        self.threads.notice_news();
        let mut crew = self.threads.crew.lock().unwrap();
        while !self.until.is_done() {
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
                if task.is_done() {
                    return;
                }
                let may_poll = |last| crew.iter().position(|carrier| carrier.woken.may_be_polled(last));
                if let Some(index) = may_poll(false).or_else(|| may_poll(true)) {
                    break crew.remove(index);
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

/// Two threads poll tasks until one is done, for which another one blocks its thread; loom tells of a deadlock if nobody
/// comes for it.
fn one_blocks(spawned: impl Fn(&Runtime) -> Vec<Arc<Cargo>>, woken: usize, yields: bool) {
    let (carriers, hand, runtime) = crew(Sharing::ManyThreads);
    let spawned = spawned(&runtime);
    let others: Vec<_> = (0..woken).map(|_| Cargo::new(&runtime)).collect();
    let until = others.iter().chain(&spawned).next().unwrap().clone();
    let threads = Arc::new(Threads { hand, crew: Mutex::default(), news: Condvar::new() });
    let blocks = Blocks {
        runtime: runtime.clone(),
        carriers: carriers.clone(),
        others: others.clone(),
        until: until.clone(),
        has_yielded: AtomicBool::new(!yields),
        threads: threads.clone(),
    };
    spawned.iter().for_each(|task| carriers.push(task.clone(), &runtime));
    carriers.push(Arc::new(blocks), &runtime);
    threads.notice_news();
    let thread = thread::spawn({
        let (threads, until) = (threads.clone(), until.clone());
        move || threads.run_until_ended(&until)
    });
    threads.run_until_ended(&until);
    thread.join().unwrap();
    let mut crew = std::mem::take(&mut *threads.crew.lock().unwrap());
    run_all(&threads.hand, &mut crew);
    assert!(others.iter().chain(&spawned).all(|task| task.ends() == (task.turns + 1, 0)));
    carriers.dismiss();
    run_all(&threads.hand, &mut crew);
    assert!(crew.is_empty(), "a carrier stays behind");
}

fn model(preemptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(run);
}

#[test]
fn what_lies_with_a_carrier_that_is_blocked_is_found() {
    model(3, || one_blocks(|runtime| vec![Cargo::new(runtime)], 2, false));
}

#[test]
fn one_that_yields_beside_one_that_blocks_has_its_turns() {
    model(3, || one_blocks(|runtime| vec![Cargo::that_yields(runtime, 3)], 0, true));
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
