//! Cases of the laws W: threads, and calls from them.

use std::any::Any;
use std::cell::Cell;
use std::future::{Future, poll_fn, ready};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use anyio::from_thread::{
    self, BlockingPortal, BlockingPortalProvider, FromThreadError, PortalError, StartPortalError, check_cancelled,
    start_blocking_portal,
};
use anyio::sync::{Borrower, CapacityLimiter};
use anyio::to_thread::{self, cpu_limiter, default_limiter};
use anyio::{
    CancelHandle, CancelReason, CancelScope, EffectiveDeadline, Event, Runtime, Started, TaskError, Unhandled,
    checkpoint, current_effective_deadline, enter, is_cancelled, portal, run, shield, sleep, task_group, timeout,
    try_run,
};
use anyio_core::{Backend, BlockOn, Blocking, Checkpoint, Clock, Job, Run, Spawn, StartError, Task, Timer};
use futures::future::{join, join_all};
use futures::stream::{FuturesUnordered, StreamExt as _};
use parking_lot::Mutex;

use crate::Recipe;
use crate::fixture::{Drops, Heard, LONG, SHORT, Wakes, caught, hooked, in_own_run, panic_of, poll_times, recipe};
use crate::steps::{block, forever, gate, on_thread, outside, panics, pass, says, turns, until};

/// Blocks a thread until it is opened or dropped.
struct Latch(mpsc::Receiver<()>);

impl Latch {
    fn new() -> (mpsc::Sender<()>, Self) {
        let (opens, receiver) = mpsc::channel();
        (opens, Latch(receiver))
    }

    fn pass(&self) {
        let _ = self.0.recv();
    }
}

/// A job that says when it has begun, and goes on when its latch is opened.
struct Slow {
    begun: Arc<AtomicBool>,
    opens: mpsc::Sender<()>,
    /// What the job waits for is known to no runtime.
    _outside: Option<Box<dyn Any + Send + Sync>>,
}

impl Slow {
    fn new<T>(value: impl FnOnce() -> T) -> (Self, impl FnOnce() -> T) {
        let (opens, latch) = Latch::new();
        let begun = Arc::new(AtomicBool::new(false));
        let begins = begun.clone();
        let job = move || {
            begins.store(true, Ordering::SeqCst);
            latch.pass();
            value()
        };
        (Slow { begun, opens, _outside: outside() }, job)
    }

    async fn has_begun(&self) {
        shield(until(|| self.begun.load(Ordering::SeqCst))).await;
    }

    fn open(self) {
        drop(self.opens);
    }
}

fn panicked(outcome: &Unhandled) -> bool {
    matches!(outcome, Unhandled::Panicked { .. })
}

fn failed(outcome: &Unhandled) -> bool {
    matches!(outcome, Unhandled::Failed { .. })
}

fn never_ran(outcome: &Unhandled) -> bool {
    matches!(outcome, Unhandled::NeverRan { .. })
}

fn is_idle(limiter: &CapacityLimiter) -> bool {
    let statistics = limiter.statistics();
    (statistics.borrowed, statistics.waiting) == (0, 0)
}

/// W1: A job runs on another thread, and its value comes back; what it has captured is gone by then.
pub async fn a_job_has_its_value() {
    let (here, drops) = (thread::current().id(), Drops::new());
    let token = drops.token();
    let there = to_thread::run(move || {
        let _token = token;
        thread::current().id()
    });
    assert_ne!(there.await, here);
    assert_eq!(drops.count(), 1);
    assert_eq!(to_thread::try_run(|| Err::<(), _>("failed")).name("job").await, Err("failed"));
    assert!(is_idle(&default_limiter()));
}

/// W1, C6: The wait for a token can be cancelled, and then nothing has happened; a cancelled scope starts nothing.
pub async fn the_wait_for_a_token_can_be_cancelled() {
    let limiter = CapacityLimiter::new(0);
    let ran = Arc::new(AtomicBool::new(false));
    let job = || {
        let runs = ran.clone();
        to_thread::run(move || runs.store(true, Ordering::SeqCst))
    };
    assert!(timeout(SHORT, job().limiter(&limiter)).await.is_err());
    assert!(is_idle(&limiter));
    let scope = CancelScope::new();
    scope.handle().cancel();
    assert!(scope.run(job()).await.is_err());
    limiter.set_total(1);
    let held = limiter.try_acquire().unwrap();
    let mut waiting = job().limiter(&limiter);
    assert!(Wakes::new().poll(&mut waiting).is_pending());
    drop(held);
    drop(waiting); // it was handed the token
    assert!(is_idle(&limiter) && !ran.load(Ordering::SeqCst));
    assert!(is_idle(&default_limiter()));
}

/// W1, C7: A job that has begun is waited for although its scope was cancelled; its value is there, and the cancellation
/// is seen at the next suspension.
pub async fn a_job_that_has_begun_is_waited_for() {
    let (slow, job) = Slow::new(|| 42);
    let (scope, value, ran_on) = (CancelScope::new(), Cell::new(None), Cell::new(false));
    let (handle, ended) = (scope.handle(), Cell::new(false));
    let host = async {
        let outcome = scope.run(async {
            value.set(Some(to_thread::run(job).await));
            assert!(is_cancelled());
            checkpoint().await;
            ran_on.set(true);
        });
        assert!(says(&outcome.await.unwrap_err(), "enough"));
        ended.set(true);
    };
    let canceller = async {
        slow.has_begun().await;
        handle.cancel_with("enough");
        turns(20).await;
        assert!(!ended.get());
        slow.open();
    };
    join(host, canceller).await;
    assert_eq!((value.get(), ran_on.get()), (Some(42), false));
}

/// W1, C7: So is that of a job which cancels its host and is over before the host first looks.
pub async fn a_job_that_is_over_at_once_has_its_value() {
    let backend = Kept::here();
    backend.0.prompt.store(true, Ordering::SeqCst);
    let values = async {
        for limiter in [CapacityLimiter::new(1), cpu_limiter()] {
            let scope = CancelScope::new();
            let handle = scope.handle();
            let job = to_thread::try_run(move || {
                handle.cancel();
                Err::<(), _>("value")
            });
            assert_eq!(scope.run(job.limiter(&limiter)).await.unwrap(), Err("value"));
        }
    };
    enter(Runtime::new(backend), values).await;
}

/// W1, S1: It holds without hiding: what is beside it in a foreign combinator goes on, and knows that it was cancelled.
pub async fn a_job_holds_without_hiding() {
    let (slow, job) = Slow::new(check_cancelled);
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope.run(join(to_thread::run(job), async {
        slow.has_begun().await;
        handle.cancel();
        assert!(is_cancelled());
        slow.open();
        shield(checkpoint()).await;
    }));
    let (seen, ()) = outcome.await.unwrap();
    assert!(matches!(seen, Err(FromThreadError::Cancelled(_))));
}

/// W1: The panic of a job, and its error, come to its caller, whether or not it was cancelled meanwhile.
pub async fn what_a_job_ends_with_comes_to_its_caller() {
    assert_eq!(caught(to_thread::run(|| panic!("job"))).await, Err::<(), _>("job".to_owned()));
    let (runtime, heard) = hooked();
    let ends = async {
        let (slow, job) = Slow::new(|| -> () { panic!("late") });
        assert_eq!(caught(cancelled_meanwhile(slow, to_thread::run(job))).await.unwrap_err(), "late");
        let (slow, job) = Slow::new(|| Err::<(), _>("late"));
        assert_eq!(cancelled_meanwhile(slow, to_thread::try_run(job)).await, Err("late"));
    };
    enter(runtime, ends).await;
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// What the job came to, whose scope was cancelled while it ran.
async fn cancelled_meanwhile<T>(slow: Slow, job: impl Future<Output = T>) -> T {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let cancels = async {
        slow.has_begun().await;
        handle.cancel();
        turns(3).await;
        slow.open();
    };
    join(scope.run(job), cancels).await.0.expect("the value wins")
}

/// W1, F2: A job whose future foreign code drops, at any poll, or forgets, is waited for by the scope around; its token
/// comes back when it has ended.
pub async fn a_dropped_job_is_waited_for() {
    for forget in [false, true] {
        let (slow, job) = Slow::new(|| ());
        let limiter = CapacityLimiter::new(1);
        let ended = Cell::new(false);
        let scope = async {
            let scope = CancelScope::new().run(async {
                let running = poll_times(1, to_thread::run(job).limiter(&limiter)).await.unwrap_err();
                if forget { std::mem::forget(running) } else { drop(running) }
            });
            let _ = scope.await;
            ended.set(true);
        };
        let opens = async {
            slow.has_begun().await;
            turns(20).await;
            assert_eq!((ended.get(), limiter.statistics().borrowed), (false, 1));
            slow.open();
        };
        join(scope, opens).await;
        assert!(is_idle(&limiter));
    }
}

/// W1, F3: What nobody is left to receive reaches the hook: the panic, and with `try_run` the error. A value is dropped.
pub async fn what_a_dropped_job_ends_with_reaches_the_hook() {
    for abandon in [false, true] {
        let (runtime, heard) = hooked();
        let values = Drops::new();
        let drops = async {
            let token = values.token();
            let (slow, job) = Slow::new(move || token);
            drop_running(slow, to_thread::run(job), abandon).await;
            let (slow, job) = Slow::new(|| -> () { panic!("job") });
            drop_running(slow, to_thread::run(job), abandon).await;
            let (slow, job) = Slow::new(|| Err::<(), _>("error"));
            drop_running(slow, to_thread::try_run(job), abandon).await;
            assert!(abandon || (heard.texts().len(), values.count()) == (2, 1));
        };
        enter(runtime, drops).await;
        until(|| (heard.texts().len(), values.count()) == (2, 1)).await;
        assert_eq!((heard.count(panicked), heard.count(failed)), (1, 1), "{:?}", heard.texts());
    }
}

/// Drops a job that has begun, and waits for it unless it is abandoned.
async fn drop_running<F, T>(slow: Slow, job: to_thread::ToThread<F, T>, abandon: bool)
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let job = if abandon { job.abandon_on_cancel() } else { job };
    let scope = CancelScope::new().run(async {
        let running = poll_times(1, job).await;
        slow.has_begun().await;
        drop(running);
        slow.open();
    });
    scope.await.unwrap();
}

/// W1: An abandoned job returns at once: nobody waits for it but `quiesce`, and its token is kept until it has ended.
pub async fn an_abandoned_job_returns_at_once() {
    let backend = Runtime::current().unwrap().backend().clone();
    let runtime = Runtime::from_backend(backend);
    let limiter = CapacityLimiter::new(1);
    let (slow, job) = Slow::new(|| ());
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = enter(
        runtime.clone(),
        task_group(async |_| {
            let job = to_thread::run(job).limiter(&limiter).abandon_on_cancel();
            let cancels = async {
                slow.has_begun().await;
                handle.cancel_with("enough");
                forever::<()>().await;
            };
            scope.run(join(job, cancels)).await.map(drop)
        }),
    );
    assert!(says(&outcome.await.unwrap().unwrap_err(), "enough"));
    assert_eq!(limiter.statistics().borrowed, 1);
    assert!(limiter.try_acquire().is_err());
    assert!(!runtime.quiesce(SHORT).await);
    slow.open();
    assert!(runtime.quiesce(LONG).await);
    assert!(is_idle(&limiter));
}

/// W1, F2: A run does not wait for an abandoned job.
pub async fn a_run_does_not_wait_for_an_abandoned_job() {
    let backend = Runtime::current().unwrap().backend().clone();
    let (slow, job) = Slow::new(|| ());
    let ended = in_plain_run(backend, async move {
        let job = poll_times(1, to_thread::run(job).abandon_on_cancel()).await;
        slow.has_begun().await;
        drop(job);
        slow
    });
    // The run is over, and the job is not.
    shield(until(|| ended.is_finished())).await;
    ended.join().unwrap().open();
}

/// W1: Nor does the runtime that was started for it, as it shuts down, whatever it does about other threads.
pub async fn a_runtime_shuts_down_beside_an_abandoned_job() {
    let slow = in_own_run(|| async {
        let (slow, job) = Slow::new(|| ());
        let job = poll_times(1, to_thread::run(job).abandon_on_cancel()).await;
        slow.has_begun().await;
        drop(job);
        slow
    });
    slow.open();
}

/// Runs `body` as a run of its own, on a runtime that is there already, on a thread of its own.
fn in_plain_run<T: Send + 'static>(
    backend: Arc<dyn Backend>,
    body: impl Future<Output = T> + Send + 'static,
) -> thread::JoinHandle<T> {
    struct Lent(Arc<dyn Backend>);
    impl Run for Lent {
        fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
            Ok(self)
        }
    }
    impl BlockOn for Lent {
        fn backend(&self) -> Arc<dyn Backend> {
            self.0.clone()
        }
        fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
            crate::fixture::block_on(future);
        }
    }
    on_thread(move || run(Lent(backend), body))
}

/// W1: An abandoned job learns that nobody waits for it, with the reason; it cannot call its host any more.
pub async fn an_abandoned_job_learns_of_it() {
    for drop_it in [false, true] {
        let (tell, told) = mpsc::channel();
        let (slow, job) = Slow::new(move || {
            let called = (check_cancelled(), from_thread::run(async {}), from_thread::run_sync(|| ()));
            tell.send(called).unwrap();
        });
        let job = to_thread::run(job).abandon_on_cancel();
        if drop_it {
            let job = poll_times(1, job).await;
            slow.has_begun().await;
            drop(job);
        } else {
            let scope = CancelScope::new();
            let handle = scope.handle();
            let cancels = async {
                slow.has_begun().await;
                handle.cancel_with("enough");
            };
            assert!(join(scope.run(job), cancels).await.0.is_err());
        }
        slow.open();
        let told = to_thread::run(move || told.recv().unwrap()).await;
        let (Err(one), Err(two), Err(three)) = told else { panic!("{told:?}") };
        for error in [one, two, three] {
            let FromThreadError::Cancelled(cancelled) = error else { panic!("{error}") };
            let dropped = matches!(cancelled.reason(), CancelReason::GroupDropped);
            assert_eq!((dropped, says(&cancelled, "enough")), (drop_it, !drop_it));
        }
    }
}

/// W1, C7: Dropped after any number of polls, a job that runs or not, no token is lost and nothing captured is leaked.
pub async fn jobs_may_be_dropped_at_every_poll() {
    let (limiter, drops) = (CapacityLimiter::new(1), Drops::new());
    for round in 0..60 {
        let scope = CancelScope::new().run(async {
            let token = drops.token();
            let job = to_thread::run(move || drop(token)).limiter(&limiter);
            let job = if round % 2 == 0 { job } else { job.abandon_on_cancel() };
            let polls = poll_times(round % 5, job);
            // Wakes it again and again.
            let mut polls = Box::pin(polls);
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                polls.as_mut().poll(cx).map(drop)
            })
            .await;
        });
        scope.await.unwrap();
        until(|| is_idle(&limiter)).await;
        assert_eq!(drops.count(), round + 1);
    }
}

/// W1: In a runtime, no more jobs run at a time than the default limiter allows: 40, unless that is changed.
pub async fn the_default_limiter_bounds_the_jobs() {
    assert_eq!(default_limiter().total(), 40);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let runtime = Runtime::from_backend(Runtime::current().unwrap().backend().clone());
    let bounded = async {
        default_limiter().set_total(2);
        let jobs = (0..10).map(|_| {
            let (now, most) = (now.clone(), most.clone());
            to_thread::run(move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                block(Duration::from_millis(1));
                now.fetch_sub(1, Ordering::SeqCst);
            })
        });
        join_all(jobs).await; // of one task: each has a token of its own
    };
    enter(runtime, bounded).await;
    assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    assert_eq!(default_limiter().total(), 40);
}

/// W1: Work that computes and work that blocks do not use up each other's threads.
pub async fn computing_and_blocking_are_apart() {
    let _outside = outside();
    let runtime = Runtime::from_backend(Runtime::current().unwrap().backend().clone());
    enter(runtime, async {
        let (opens, latch) = Latch::new();
        let latch = Arc::new(Mutex::new(latch));
        default_limiter().set_total(1);
        let blocked = to_thread::run(move || latch.lock().pass());
        let computes = async {
            until(|| default_limiter().statistics().borrowed == 1).await;
            let sum = to_thread::run_cpu(|| 1 + 1).await;
            let failed = to_thread::try_run_cpu(|| Err::<(), _>("failed")).await;
            drop(opens);
            (sum, failed)
        };
        assert_eq!(join(blocked, computes).await.1, (2, Err("failed")));
    })
    .await;
    assert!(cpu_limiter().total() >= 1);
}

/// A backend that keeps its blocking jobs and its tasks for itself when it is told to, and leaves everything else to
/// another.
struct Keeps {
    inner: Arc<dyn Backend>,
    jobs: Mutex<Option<Vec<Job>>>,
    tasks: Mutex<Option<Vec<Task>>>,
    /// Whether jobs are over when they have been accepted.
    prompt: AtomicBool,
}

#[derive(Clone)]
struct Kept(Arc<Keeps>);

impl Kept {
    fn here() -> Self {
        let inner = Runtime::current().unwrap().backend().clone();
        Kept(Arc::new(Keeps { inner, jobs: Mutex::default(), tasks: Mutex::default(), prompt: AtomicBool::new(false) }))
    }
}

impl Spawn for Kept {
    fn spawn(&self, task: Task) {
        match &mut *self.0.tasks.lock() {
            Some(tasks) => tasks.push(task),
            None => self.0.inner.spawn(task),
        }
    }
}

impl Checkpoint for Kept {
    fn checkpoint(&self, waker: &Waker) {
        self.0.inner.checkpoint(waker);
    }
}

impl Clock for Kept {
    fn now(&self) -> Instant {
        self.0.inner.now()
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        self.0.inner.timer(deadline)
    }

    fn is_virtual(&self) -> bool {
        self.0.inner.is_virtual()
    }

    fn follow_real_time(&self) -> Option<Box<dyn Any + Send + Sync>> {
        self.0.inner.follow_real_time()
    }
}

impl Blocking for Kept {
    fn spawn_blocking(&self, job: Job) {
        if self.0.prompt.load(Ordering::SeqCst) {
            return on_thread(job).join().unwrap();
        }
        match &mut *self.0.jobs.lock() {
            Some(jobs) => jobs.push(job),
            None => self.0.inner.spawn_blocking(job),
        }
    }

    fn wait_in_job(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) -> bool {
        self.0.inner.wait_in_job(future)
    }
}

impl Backend for Kept {
    fn name(&self) -> &'static str {
        self.0.inner.name()
    }
}

/// What became of a host whose job the runtime drops before it began.
async fn host_of_an_unrun_job(captured: impl Send + 'static) -> (Result<Result<(), anyio::Cancelled>, String>, Heard) {
    let (backend, limiter) = (Kept::here(), CapacityLimiter::new(1));
    *backend.0.jobs.lock() = Some(Vec::new());
    let (runtime, heard) = enter(Runtime::new(backend.clone()), async { hooked() }).await;
    let host = caught(CancelScope::new().run(to_thread::run(move || drop(captured)).limiter(&limiter)));
    let shut_down = async {
        until(|| backend.0.jobs.lock().as_ref().is_some_and(|jobs| !jobs.is_empty())).await;
        let jobs = backend.0.jobs.lock().take();
        drop(jobs);
    };
    let (outcome, ()) = enter(runtime, join(host, shut_down)).await;
    assert!(is_idle(&limiter));
    (outcome, heard)
}

/// W1, W4, X4: When the runtime drops a job before it began, its caller is cancelled by the shutdown, the token comes back
/// and the hook hears of it.
pub async fn a_job_that_never_ran_cancels_its_caller() {
    let drops = Drops::new();
    let (outcome, heard) = host_of_an_unrun_job(drops.token()).await;
    let cancelled = outcome.unwrap().unwrap_err();
    assert!(matches!(cancelled.reason(), CancelReason::Shutdown));
    assert_eq!((drops.count(), heard.count(never_ran), heard.texts().len()), (1, 1, 1), "{:?}", heard.texts());
}

/// W1, W4: The panic of what such a job had captured is that of the job.
pub async fn the_captured_value_of_a_job_that_never_ran_may_panic() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("unrun");
        }
    }
    let (outcome, heard) = host_of_an_unrun_job(Bomb).await;
    assert_eq!(outcome.unwrap_err(), "unrun");
    assert_eq!((heard.count(never_ran), heard.texts().len()), (1, 1), "{:?}", heard.texts());
}

/// W1, X4: Outside of all units there is nothing to cancel: there the caller panics, with a clear text.
pub async fn a_job_that_never_ran_panics_where_nothing_can_be_cancelled() {
    let backend = Kept::here();
    let (runtime, _heard) = enter(Runtime::new(backend.clone()), async { hooked() }).await;
    *backend.0.jobs.lock() = Some(Vec::new());
    let mut job = Box::pin(enter(runtime, to_thread::run(|| ())));
    let there = on_thread(move || {
        assert!(Wakes::new().poll(&mut job).is_pending());
        *backend.0.jobs.lock() = None;
        panic_of(|| Wakes::new().poll(&mut job))
    });
    assert!(there.join().unwrap().contains("to_thread: there is no value"));
}

/// W1: Many jobs in a foreign stream, with siblings that are idle, all end; a cancellation waits for those that run.
pub async fn many_jobs_in_a_foreign_stream() {
    let ran = Arc::new(AtomicUsize::new(0));
    let limiter = CapacityLimiter::new(4);
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope.run(async {
        let mut many: FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send>>> = FuturesUnordered::new();
        for _ in 0..50 {
            let runs = ran.clone();
            many.push(Box::pin(to_thread::run(move || _ = runs.fetch_add(1, Ordering::SeqCst)).limiter(&limiter)));
            many.push(Box::pin(forever()));
        }
        for _ in 0..20 {
            many.next().await;
        }
        handle.cancel();
        while many.next().await.is_some() {}
    });
    assert!(outcome.await.is_err());
    assert!(is_idle(&limiter) && ran.load(Ordering::SeqCst) >= 20);
}

/// W2: A job may ask whether its host was cancelled; a shield hides it, and a deadline counts.
pub async fn a_job_may_ask_for_the_cancellation() {
    let _outside = outside();
    let waits = || {
        to_thread::run(|| {
            loop {
                if let Err(error) = check_cancelled() {
                    break error;
                }
                thread::yield_now();
            }
        })
    };
    let seen = Cell::new(None);
    let _ = timeout(SHORT, async { seen.set(Some(waits().await)) }).await;
    let Some(FromThreadError::Cancelled(cancelled)) = seen.take() else { panic!("it was cancelled") };
    assert!(matches!(cancelled.reason(), CancelReason::DeadlinePassed));
    let scope = CancelScope::new();
    let handle = scope.handle();
    let hidden = scope.run(shield(to_thread::run(move || {
        handle.cancel();
        check_cancelled()
    })));
    assert!(hidden.await.unwrap().is_ok());
}

/// W2: So may the blocking jobs of groups, which may call their hosts as well.
pub async fn blocking_jobs_of_groups_have_hosts() {
    let outcome = task_group(async |tg| {
        let cancels = tg.scope();
        let job = tg.spawn_blocking(move || {
            assert!(check_cancelled().is_ok());
            let number = from_thread::run(async { checkpoint().await }).map(|()| 1).unwrap();
            assert_eq!(from_thread::run_sync(|| 2).unwrap(), 2);
            cancels.cancel_with("enough");
            (number, check_cancelled())
        });
        shield(job).await.unwrap()
    });
    let (number, Err(FromThreadError::Cancelled(cancelled))) = outcome.await.unwrap() else {
        panic!("it was cancelled")
    };
    assert!(number == 1 && says(&cancelled, "enough"));
}

/// W2: A future may block its thread for a moment, by what sleeps as the thread itself does: it is polled again all the
/// same.
pub async fn a_future_that_blocks_misses_no_wake() {
    let mut polls = 0;
    let blocks = poll_fn(move |cx| {
        polls += 1;
        if polls == 2 {
            return Poll::Ready(polls);
        }
        cx.waker().wake_by_ref();
        // As the channels of std do, say; it returns at once.
        thread::current().unpark();
        thread::park();
        Poll::Pending
    });
    assert_eq!(to_thread::run(move || from_thread::run(blocks)).await.unwrap(), 2);
}

/// W2: A future runs in the scope of the host: with its deadline, on its runtime; it may borrow, and open groups.
pub async fn a_future_runs_in_the_scope_of_the_host() {
    let (runtime, _heard) = hooked();
    let name = runtime.name();
    let called = timeout(
        LONG,
        to_thread::run(move || {
            let mut seen = Vec::new();
            let called = from_thread::run(async {
                sleep(SHORT).await;
                seen.push(Runtime::current().unwrap().name());
                let deadline = matches!(current_effective_deadline(), EffectiveDeadline::At(_));
                let sum =
                    task_group(async |tg| tg.spawn(async { 1 }).value().await + tg.spawn(async { 2 }).value().await);
                (deadline, sum.await.unwrap())
            });
            (called.unwrap(), seen)
        }),
    );
    assert_eq!(enter(runtime, called).await.unwrap(), ((true, 3), vec![name]));
}

/// W2: Threads in calls in threads in calls: each is waited for.
pub async fn threads_and_calls_may_be_nested() {
    fn nested(levels: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
        Box::pin(to_thread::run(move || match levels {
            0 => 0,
            _ => from_thread::run(nested(levels - 1)).unwrap() + 1,
        }))
    }
    assert_eq!(nested(8).await, 8);
    assert!(is_idle(&default_limiter()));
}

/// W2, C2: A future that a job runs is cancelled with the host, at a suspension: it gets its first poll in any case, and
/// what it has started is waited for.
pub async fn a_future_of_a_job_is_cancelled_with_the_host() {
    let drops = Drops::new();
    let scope = CancelScope::new();
    let handle = scope.handle();
    let token = drops.token();
    let job = to_thread::run(move || {
        let begun = handle.clone();
        let first: Result<(), _> = from_thread::run(task_group(async |tg| {
            tg.spawn(async move {
                let _token = token;
                forever::<()>().await;
            });
            turns(3).await;
            begun.cancel_with("enough");
            forever::<()>().await
        }))
        .map(|_| ());
        let count = drops.count();
        let second = from_thread::run(async { 42 });
        let third = from_thread::run(checkpoint());
        let fourth = from_thread::run(shield(turns(3)));
        (first, count, second, third, fourth)
    });
    let (first, count, second, third, fourth) = scope.run(job).await.unwrap();
    let Err(FromThreadError::Cancelled(cancelled)) = first else { panic!("it was cancelled") };
    assert!(says(&cancelled, "enough"));
    assert_eq!((count, second.unwrap()), (1, 42));
    assert!(third.is_err() && fourth.is_ok());
}

/// W2, F2: What foreign code drops in a future that a job runs is waited for before the call returns.
pub async fn a_call_waits_for_what_it_has_left() {
    let drops = Drops::new();
    let token = drops.token();
    let left = to_thread::run(move || {
        let called = from_thread::run(async {
            let group = Box::pin(task_group(async |tg| {
                tg.spawn(async move {
                    let _token = token;
                    shield(turns(20)).await;
                });
                forever::<()>().await;
            }));
            drop(poll_times(1, group).await);
        });
        called.unwrap();
        drops.count()
    });
    assert_eq!(left.await, 1);
}

/// W2: `run_sync` calls on a thread of the runtime, as a task in the scope of the host.
pub async fn a_function_runs_on_the_runtimes_thread() {
    let there = to_thread::run(|| {
        let here = thread::current().id();
        let call = from_thread::run_sync(|| {
            (thread::current().id(), Borrower::current().is_some(), check_cancelled().is_err())
        });
        (here, call.unwrap())
    });
    let (here, (there, is_task, has_no_host)) = there.await;
    assert!(here != there && is_task && has_no_host);
}

/// W2: Panics of what a job calls arrive in the job, and so in its caller.
pub async fn panics_pass_through_calls() {
    let runs = to_thread::run(|| from_thread::run(panics::<()>("in a call")));
    assert_eq!(caught(runs).await.unwrap_err(), "in a call");
    let calls = to_thread::run(|| {
        let said = panic_of(|| from_thread::run_sync(|| panic!("in a function")));
        assert!(check_cancelled().is_ok());
        said
    });
    assert_eq!(calls.await, "in a function");
}

/// W2: On a wrong thread a call is a clear error: on a plain thread, in a task, in a call, and in a run inside the job.
pub async fn calls_from_wrong_threads_are_errors() {
    fn not_a_worker<T>(result: &Result<T, FromThreadError>) -> bool {
        matches!(result, Err(FromThreadError::NotAWorker))
    }
    fn inside_task<T>(result: &Result<T, FromThreadError>) -> bool {
        matches!(result, Err(FromThreadError::InsideTask))
    }
    let plain = on_thread(|| (check_cancelled(), from_thread::run(async {}), from_thread::run_sync(|| ())));
    let (check, runs, calls) = plain.join().unwrap();
    assert!(not_a_worker(&check) && not_a_worker(&runs) && not_a_worker(&calls));
    assert!(not_a_worker(&check_cancelled()));
    assert!(inside_task(&from_thread::run(async {})) && inside_task(&from_thread::run_sync(|| ())));
    let recipe = recipe();
    let in_job = to_thread::run(move || {
        let in_call = from_thread::run(async { (from_thread::run(async {}), check_cancelled()) }).unwrap();
        assert!(inside_task(&in_call.0) && in_call.1.is_ok());
        let in_run = run(recipe(), async { (from_thread::run(async {}), check_cancelled()) });
        assert!(inside_task(&in_run.0) && not_a_worker(&in_run.1));
        check_cancelled()
    });
    assert!(in_job.await.is_ok());
}

/// W2, X3: In a job the runtime is that of its host, whose limiter and values it sees.
pub async fn the_runtime_of_a_job_is_that_of_its_host() {
    let runtime = Runtime::from_backend(Runtime::current().unwrap().backend().clone());
    let seen = enter(runtime, async {
        default_limiter().set_total(7);
        to_thread::run(|| from_thread::run(async { default_limiter().total() }).unwrap()).await
    });
    assert_eq!(seen.await, 7);
}

/// W2, F3: `block_on` in a job tells the hook of the runtime that is found there, whichever that is.
pub async fn block_on_in_a_job_tells_the_hook_of_the_runtime_found() {
    let spawns_too_late = async || {
        let closed = task_group(async |tg| tg).await.unwrap();
        drop(closed.spawn(async {}));
    };
    let (runtime, heard) = hooked();
    let job = to_thread::run(move || {
        let found = Runtime::current().unwrap();
        anyio::block_on(enter(found, spawns_too_late()));
        let told = heard.texts().len();
        anyio::block_on(spawns_too_late());
        (told, heard.texts().len())
    });
    let (told, by_both) = enter(runtime, job).await;
    assert_eq!(by_both, 2 * told);
}

/// W2, X4: A job that calls into a runtime that goes down does not hang.
pub async fn a_call_into_a_runtime_that_goes_down_ends() {
    let backend = Kept::here();
    let called = enter(Runtime::new(backend.clone()), async {
        let job = to_thread::run(|| from_thread::run_sync(|| ()));
        *backend.0.tasks.lock() = Some(Vec::new());
        let shut_down = async {
            until(|| backend.0.tasks.lock().as_ref().is_some_and(|tasks| !tasks.is_empty())).await;
            let tasks = backend.0.tasks.lock().take();
            drop(tasks);
        };
        join(job, shut_down).await.0
    });
    let Err(FromThreadError::Cancelled(cancelled)) = called.await else { panic!("it was dropped") };
    assert!(matches!(cancelled.reason(), CancelReason::Shutdown));
}

/// Runs `caller` on a plain thread with a portal to here, which is stopped when it is done.
async fn with_portal<T: Send + 'static>(caller: impl FnOnce(BlockingPortal) -> T + Send + 'static) -> T {
    let called = portal(async |portal| {
        let to_caller = portal.clone();
        let caller = on_thread(move || {
            let _stops = StopsOnDrop(to_caller.clone());
            caller(to_caller)
        });
        portal.stopped().await;
        caller
    });
    let caller = called.await.unwrap();
    shield(until(|| caller.is_finished())).await;
    caller.join().unwrap_or_else(|payload| resume_unwind(payload))
}

struct StopsOnDrop(BlockingPortal);

impl Drop for StopsOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// W3: Plain threads call, many at once, and get what the call returns; the calls run as tasks of the runtime.
pub async fn plain_threads_call_through_a_portal() {
    let sum = with_portal(|portal| {
        let name = portal.call(async { (Runtime::current().unwrap().name(), Borrower::current().is_some()) }).unwrap();
        assert!(name.1);
        let callers: Vec<_> = (0..10)
            .map(|number| {
                let portal = portal.clone();
                on_thread(move || {
                    portal.call(async move {
                        sleep(Duration::from_millis(1)).await;
                        number
                    })
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap().unwrap()).sum::<u32>()
    });
    assert_eq!(sum.await, 45);
}

/// W3: A task that a thread spawns may be joined, cancelled, dropped, and awaited elsewhere.
pub async fn a_spawned_task_is_joined_or_awaited() {
    let task = with_portal(|portal| {
        assert_eq!(portal.spawn(ready(1)).unwrap().join().unwrap(), 1);
        let endless = portal.spawn(forever::<()>()).unwrap();
        assert!(!endless.is_finished());
        endless.cancel();
        assert!(matches!(endless.join(), Err(PortalError::Cancelled(_))));
        let (done, told) = mpsc::channel();
        drop(portal.spawn(async move { done.send(3).unwrap() }).unwrap());
        assert_eq!(told.recv().unwrap(), 3);
        portal.spawn(ready(4)).unwrap()
    });
    assert_eq!(task.await.await.unwrap(), 4);
}

/// W3: A task may be started: the value passed to `started` comes back, and the task goes on.
pub async fn a_thread_starts_a_task() {
    with_portal(|portal| {
        let (one, two) = (Arc::new(Event::new()), Arc::new(Event::new()));
        let (waits, sets) = (one.clone(), two.clone());
        let (port, server) = portal
            .start(async move |started: Started<u16>| {
                started.started(80).unwrap();
                waits.wait().await;
                sets.set();
            })
            .unwrap();
        assert!(port == 80 && !two.is_set());
        one.set();
        server.join().unwrap();
        assert!(two.is_set());
        let ends = portal.start(async |started: Started<()>| drop(started));
        assert!(matches!(ends, Err(PortalError::NotStarted)), "{ends:?}");
        let panics = panic_of(|| portal.start(async |_: Started<()>| panic!("before")));
        assert_eq!(panics, "before");
        let (_, endless) =
            portal.start(async |started: Started<()>| (started.started(()).unwrap(), forever().await).1).unwrap();
        endless.cancel();
        assert!(matches!(endless.join(), Err(PortalError::Cancelled(_))));
    })
    .await;
}

/// W3, F3: The panic of a call that nobody has joined when its task is dropped reaches the hook.
pub async fn a_panic_that_was_not_collected_reaches_the_hook() {
    let (runtime, heard) = hooked();
    let opened = portal(async |portal| {
        let task = portal.spawn(panics::<()>("uncollected")).unwrap();
        until(|| task.is_finished()).await;
        drop(task);
    });
    enter(runtime, opened).await.unwrap();
    assert_eq!((heard.count(|outcome| matches!(outcome, Unhandled::Panicked { .. })), heard.texts().len()), (1, 1));
}

/// W3: When the body is done the portal takes no more calls, while those under way are waited for.
pub async fn a_portal_whose_body_is_done_takes_no_more_calls() {
    let ((may_end, opens), kept) = (gate(), Mutex::new(None));
    let opened = portal(async |portal| {
        let call = portal.spawn(pass(may_end)).unwrap();
        *kept.lock() = Some((portal, call));
    });
    let late = async {
        until(|| kept.lock().as_ref().is_some_and(|(portal, _)| portal.is_closed())).await;
        let (portal, call) = kept.lock().take().unwrap();
        assert!(portal.spawn(ready(1)).is_err() && !call.is_finished());
        opens.set();
        call.await.unwrap();
    };
    let (opened, ()) = join(opened, late).await;
    assert_eq!(opened, Ok(()));
}

/// W3: A portal that is stopped takes no more calls, gives their futures back, and waits for those under way.
pub async fn a_stopped_portal_drains() {
    let (may_end, opens) = gate();
    let slow = Arc::new(Mutex::new(None));
    let (keep, kept) = (slow.clone(), Cell::new(None));
    let outer = async {
        portal(async |portal| {
            *keep.lock() = Some(portal.spawn(pass(may_end)).unwrap());
            portal.stop();
            assert!(portal.is_closed());
            let refused = portal.spawn(ready(1)).unwrap_err();
            assert_eq!(refused.0.await, 1);
            kept.set(Some(portal.clone()));
            portal.stopped().await;
        })
        .await
        .unwrap();
        assert!(slow.lock().take().unwrap().is_finished());
    };
    let opens = async {
        turns(20).await;
        assert!(!slow.lock().as_ref().unwrap().is_finished());
        opens.set();
    };
    join(outer, opens).await;
    let kept = kept.take().unwrap();
    let dead = on_thread(move || (kept.call(ready(1)), kept.start(async |_: Started<()>| ()).map(drop)));
    assert!(matches!(dead.join().unwrap(), (Err(PortalError::Closed), Err(PortalError::Closed))));
}

/// W3: A portal that is cancelled ends the calls under way, and not the body; a scope around ends both, and callers are
/// told.
pub async fn a_cancelled_portal_ends_its_calls() {
    let (outcome, told) = cancelled_portal(|portal, _| portal.cancel()).await;
    assert!(outcome.is_ok() && matches!(told, Err(PortalError::Cancelled(_))));
    let (outcome, told) = cancelled_portal(|_, scope| scope.cancel_with("enough")).await;
    let Err(PortalError::Cancelled(cancelled)) = told else { panic!("{told:?}") };
    assert!(outcome.is_err() && says(&cancelled, "enough"));
}

async fn cancelled_portal(
    cancel: fn(&BlockingPortal, &CancelHandle),
) -> (Result<(), anyio::Cancelled>, Result<(), PortalError>) {
    let caller = Cell::new(None);
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope.run(portal(async |portal| {
        let calls = portal.clone();
        let (begins, begun) = mpsc::channel();
        caller.set(Some(on_thread(move || {
            calls.call(async move {
                begins.send(()).unwrap();
                forever().await
            })
        })));
        shield(to_thread::run(move || begun.recv().unwrap())).await;
        cancel(&portal, &handle);
        portal.stopped().await;
    }));
    let outcome = outcome.await.and_then(|inner| inner);
    let caller = caller.take().unwrap();
    until(|| caller.is_finished()).await;
    (outcome, caller.join().unwrap())
}

/// W3, G9: A call that panics panics in its caller, and disturbs nobody else; unheard panics reach the hook. A body that
/// panics cancels the calls.
pub async fn panics_pass_through_portals() {
    let (runtime, heard) = hooked();
    enter(runtime, async {
        let said = with_portal(|portal| {
            let other = portal.spawn(turns(50)).unwrap();
            let said = panic_of(|| portal.call(panics::<()>("in a call")));
            drop(portal.spawn(async { panic!("unheard") }).unwrap());
            other.join().unwrap();
            assert_eq!(portal.call(ready(1)).unwrap(), 1);
            said
        });
        assert_eq!(said.await, "in a call");
        until(|| heard.count(panicked) == 1).await;
        let mut call = None;
        let body = portal(async |portal| {
            call = Some(portal.spawn(forever::<()>()).unwrap());
            checkpoint().await;
            panic!("the body");
        });
        let body: Result<Result<(), _>, _> = caught(body).await;
        assert_eq!(body.unwrap_err(), "the body");
        assert!(matches!(call.unwrap().await, Err(PortalError::Cancelled(_))));
    })
    .await;
    assert_eq!(heard.texts().len(), 1, "{:?}", heard.texts());
}

/// W3: Calls that would block a task are clear errors: from the portal's own runtime, from its calls, and from calls of
/// jobs.
pub async fn calls_inside_tasks_are_errors() {
    fn inside<T>(result: &Result<T, PortalError>) -> bool {
        matches!(result, Err(PortalError::InsideTask))
    }
    let outcome = portal(async |portal| {
        assert!(inside(&portal.call(ready(1))));
        assert!(inside(&portal.spawn(ready(1)).unwrap().join()));
        assert!(inside(&portal.start(async |_: Started<()>| ())));
        let again = portal.clone();
        assert!(inside(&portal.spawn(async move { again.call(ready(1)) }).unwrap().await.unwrap()));
        let again = portal.clone();
        let in_job =
            to_thread::run(move || (from_thread::run(async { again.call(ready(1)) }).unwrap(), again.call(ready(2))));
        let (in_call, in_job) = in_job.await;
        assert!(inside(&in_call) && in_job.unwrap() == 2);
    });
    outcome.await.unwrap();
}

/// W3: A task that waits for itself is a clear error.
pub async fn a_task_behind_a_portal_that_awaits_itself_is_an_error() {
    let outcome = portal(async |portal| {
        let (send, receive) = futures::channel::oneshot::channel();
        let (result, told) = futures::channel::oneshot::channel();
        let task = portal.spawn(async move {
            let own: from_thread::PortalTask<()> = receive.await.unwrap();
            let _ = result.send(matches!(own.await, Err(PortalError::InsideTask)));
        });
        send.send(task.unwrap()).unwrap();
        told.await.unwrap()
    });
    assert!(outcome.await.unwrap());
}

/// W3, C6: In a cancelled scope the value of a task behind a portal is not taken; it is there afterwards.
pub async fn a_cancelled_task_takes_no_value_from_a_portal() {
    let outcome = portal(async |portal| {
        let mut task = portal.spawn(ready(7)).unwrap();
        until(|| task.is_finished()).await;
        let (scope, taken) = (CancelScope::new(), Cell::new(false));
        scope.handle().cancel();
        let cut = scope.run(async {
            let _ = (&mut task).await;
            taken.set(true);
        });
        assert!(cut.await.is_err() && !taken.get());
        task.await
    });
    assert_eq!(outcome.await.unwrap().unwrap(), 7);
}

/// W3, X4: A portal whose runtime drops what is spawned tells its callers.
pub async fn a_portal_to_a_runtime_that_goes_down_tells_its_callers() {
    let backend = Kept::here();
    let outcome = enter(
        Runtime::new(backend.clone()),
        portal(async |portal| {
            *backend.0.tasks.lock() = Some(Vec::new());
            let call = on_thread(move || portal.call(ready(1)));
            until(|| backend.0.tasks.lock().as_ref().is_some_and(|tasks| !tasks.is_empty())).await;
            let tasks = backend.0.tasks.lock().take();
            drop(tasks);
            call
        }),
    );
    let caller = outcome.await.unwrap();
    let Err(PortalError::Cancelled(cancelled)) = caller.join().unwrap() else { panic!("it was dropped") };
    assert!(matches!(cancelled.reason(), CancelReason::Shutdown));
}

/// What starts runtimes like the one of the case.
struct Same(Recipe);

impl Run for Same {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        (self.0)().start()
    }
}

/// One that cannot be started.
struct Fails;

impl Run for Fails {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        Err(StartError::new("broken", "on purpose"))
    }
}

/// Runs on a plain thread.
async fn on_a_thread<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = on_thread(act);
    until(|| thread.is_finished()).await;
    thread.join().unwrap_or_else(|payload| resume_unwind(payload))
}

/// W3: A plain thread starts a runtime on a thread of its own, calls it, and joins it; what runs then is waited for.
pub async fn a_plain_thread_starts_and_joins_a_runtime() {
    let recipe = recipe();
    on_a_thread(move || {
        let portal = start_blocking_portal(Same(recipe.clone())).unwrap();
        assert_eq!(
            portal.call(async { task_group(async |tg| tg.spawn(ready(1)).value().await).await }).unwrap(),
            Ok(1)
        );
        let done = Arc::new(AtomicBool::new(false));
        let does = done.clone();
        drop(portal.spawn(async move {
            turns(50).await;
            does.store(true, Ordering::SeqCst);
        }));
        portal.join().unwrap();
        assert!(done.load(Ordering::SeqCst));

        let portal = start_blocking_portal(Same(recipe)).unwrap();
        let endless = portal.spawn(forever::<()>()).unwrap();
        portal.cancel();
        drop(portal);
        assert!(matches!(endless.join(), Err(PortalError::Cancelled(_))));
    })
    .await;
}

/// W3: A runtime that cannot be started is an error; one that is joined, or dropped, in its own task does not hang.
pub async fn runtimes_behind_portals_fail_clearly() {
    let recipe = recipe();
    on_a_thread(move || {
        assert!(matches!(start_blocking_portal(Fails), Err(StartPortalError::Run(_))));
        for join in [false, true] {
            let portal = start_blocking_portal(Same(recipe.clone())).unwrap();
            let handle = BlockingPortal::clone(&portal);
            let task = handle.spawn(async move {
                if !join {
                    drop(portal);
                    return true;
                }
                matches!(portal.join(), Err(PortalError::InsideTask))
            });
            assert!(task.unwrap().join().unwrap());
            assert!(handle.is_closed());
        }
        let panicking = panic_of(|| {
            let portal = start_blocking_portal(Same(recipe)).unwrap();
            let _endless = portal.spawn(forever::<()>()).unwrap();
            panic!("the thread");
        });
        assert_eq!(panicking, "the thread");
    })
    .await;
}

/// W3, W1: A job that joins, or drops, the runtime that waits for it does not wait in turn.
pub async fn a_runtime_is_not_waited_for_by_its_own_job() {
    let recipe = recipe();
    on_a_thread(move || {
        let start = || start_blocking_portal(Same(recipe.clone())).unwrap();
        let portal = start();
        let handle = BlockingPortal::clone(&portal);
        let joined = handle.call(to_thread::run(move || portal.join()));
        assert!(matches!(joined, Ok(Err(PortalError::InsideTask))) && handle.is_closed());
        let portal = start();
        let handle = BlockingPortal::clone(&portal);
        handle.call(to_thread::run(move || drop(portal))).unwrap();
        assert!(handle.is_closed());
        let (portal, other) = (start(), start());
        portal.call(to_thread::run(move || other.join())).unwrap().unwrap();
        let shared: &BlockingPortalProvider =
            Box::leak(Box::new(BlockingPortalProvider::new(move || Same(recipe.clone()))));
        let lease = shared.acquire().unwrap();
        let handle = BlockingPortal::clone(&lease);
        handle.call(to_thread::run(move || drop(lease))).unwrap();
        assert_eq!(shared.users(), 0);
    })
    .await;
}

/// W3: A portal that is shared is started by its first user and stopped by its last; later ones start it anew.
pub async fn a_shared_portal_counts_its_users() {
    let recipe = recipe();
    on_a_thread(move || {
        let starts = Arc::new(AtomicUsize::new(0));
        let counts = starts.clone();
        let provider = Arc::new(BlockingPortalProvider::new(move || {
            counts.fetch_add(1, Ordering::SeqCst);
            Same(recipe.clone())
        }));
        assert_eq!(provider.users(), 0);
        let first = provider.acquire().unwrap();
        let users: Vec<_> = (0..4)
            .map(|_| {
                let provider = provider.clone();
                on_thread(move || provider.acquire().unwrap().call(ready(1)).unwrap())
            })
            .collect();
        assert_eq!(users.into_iter().map(|user| user.join().unwrap()).sum::<u32>(), 4);
        assert_eq!((starts.load(Ordering::SeqCst), provider.users()), (1, 1));
        let endless = BlockingPortal::clone(&first);
        drop(first);
        assert!(endless.is_closed() && provider.users() == 0);
        assert_eq!(provider.acquire().unwrap().call(ready(2)).unwrap(), 2);
        assert_eq!(starts.load(Ordering::SeqCst), 2);
    })
    .await;
}

/// W3: Whoever comes while a shared portal is being started waits for that, and shares it.
pub async fn who_comes_while_a_shared_portal_is_started_waits_for_it() {
    let recipe = recipe();
    on_a_thread(move || {
        let (comes, coming) = mpsc::channel::<()>();
        let coming = Mutex::new(coming);
        let (starts, started) = mpsc::channel();
        let provider = Arc::new(BlockingPortalProvider::new(move || {
            starts.send(()).unwrap();
            coming.lock().recv().unwrap();
            block(SHORT); // most likely until the other one waits
            Same(recipe.clone())
        }));
        let shared = provider.clone();
        let first = on_thread(move || shared.acquire().unwrap().call(ready(1)).unwrap());
        started.recv().unwrap();
        let shared = provider.clone();
        let second = on_thread(move || {
            comes.send(()).unwrap();
            // Should the first one be through already, this starts one again.
            comes.send(()).unwrap();
            shared.acquire().unwrap().call(ready(2)).unwrap()
        });
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (1, 2));
    })
    .await;
}

/// W3: A shared portal that one of its users has stopped, or cancelled, is started anew for those who come later.
pub async fn a_shared_portal_that_was_stopped_is_started_anew() {
    let recipe = recipe();
    on_a_thread(move || {
        let provider = BlockingPortalProvider::new(move || Same(recipe.clone()));
        for end in [BlockingPortal::stop, BlockingPortal::cancel] {
            let first = provider.acquire().unwrap();
            end(&first);
            let second = provider.acquire().unwrap();
            assert_eq!(second.call(ready(1)).unwrap(), 1);
            assert!(first.is_closed());
            drop(first);
            assert_eq!(second.call(ready(2)).unwrap(), 2);
            assert_eq!(provider.users(), 1);
            assert_eq!(provider.acquire().unwrap().call(ready(3)).unwrap(), 3);
        }
        assert_eq!(provider.users(), 0);
    })
    .await;
}

/// W3: Acquiring a shared portal fails clearly where it would wait for itself, and can be tried again after a failure.
pub async fn a_shared_portal_fails_clearly() {
    let recipe = recipe();
    on_a_thread(move || {
        let own = Arc::new(Mutex::new(None::<std::sync::Weak<BlockingPortalProvider>>));
        let failures = Arc::new(AtomicUsize::new(0));
        let (looks, fails) = (own.clone(), failures.clone());
        let provider = Arc::new(BlockingPortalProvider::new(move || {
            let provider = looks.lock().as_ref().and_then(std::sync::Weak::upgrade);
            let again = provider.expect("it is there").acquire().map(drop);
            assert!(matches!(again, Err(StartPortalError::InsideTask)), "{again:?}");
            if fails.fetch_add(1, Ordering::SeqCst) == 0 {
                panic!("no recipe")
            }
            Same(recipe.clone())
        }));
        *own.lock() = Some(Arc::downgrade(&provider));
        assert_eq!(panic_of(|| provider.acquire().map(drop)), "no recipe");
        let lease = provider.acquire().unwrap();
        let inside = provider.clone();
        let inside = lease.call(async move { matches!(inside.acquire(), Err(StartPortalError::InsideTask)) });
        assert!(inside.unwrap());
        drop(lease);
        let broken = BlockingPortalProvider::new(|| Fails);
        for _ in 0..2 {
            assert!(matches!(broken.acquire(), Err(StartPortalError::Run(_))));
        }
    })
    .await;
}

/// W3, X6: What a call sees is what is set in the thread that calls.
pub async fn calls_see_the_values_of_their_callers() {
    static NUMBER: anyio::ContextVar<u32> = anyio::ContextVar::new();
    let seen = NUMBER.scope(
        1,
        with_portal(|portal| {
            let plain = portal.call(async { NUMBER.get() }).unwrap();
            (plain, NUMBER.sync_scope(2, || portal.call(async { NUMBER.get() }).unwrap()))
        }),
    );
    assert_eq!(seen.await, (None, Some(2)));
}

/// W1, W4, X4: When a run ends while jobs of its tasks run, it waits for them; nothing hangs on the way down.
pub async fn a_run_waits_for_jobs() {
    let ended = Arc::new(AtomicBool::new(false));
    let ends = ended.clone();
    in_own_run(move || async move {
        let job = to_thread::run(move || {
            block(SHORT);
            ends.store(true, Ordering::SeqCst);
        });
        drop(poll_times(1, job).await);
    });
    assert!(ended.load(Ordering::SeqCst));
    let refused = in_own_run(|| async { try_run(Fails, async {}).is_err() });
    assert!(refused);
    let cancelled = task_group(async |tg| {
        let task = tg.spawn(to_thread::run(|| 1));
        task.await
    });
    assert!(!matches!(cancelled.await.unwrap(), Err(TaskError::Closed)));
}
