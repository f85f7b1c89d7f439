//! The contract of `anyio-core`, clause by clause, on both kinds of tokio runtime.

use std::cell::Cell;
use std::future::{self, Future};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use tokio::runtime::Builder;

use anyio_backend_tokio::{Tokio, TokioError, TokioHandle};
use anyio_core::{Backend, BlockOn, Blocking, Clock, Run, Spawn, Task, Timer};

/// Runs each case on each kind of runtime.
macro_rules! cases {
    ($($kind:ident = $recipe:expr => [$($case:ident),* $(,)?];)*) => {
        $(mod $kind {
            use super::*;
            $(#[test] fn $case() { watched(|| super::$case($recipe)); })*
        })*
    };
}

cases! {
    current_thread = Tokio::current_thread() => [
        a_task_spawned_from_outside_runs,
        a_task_is_never_polled_inline,
        a_destructor_may_spawn,
        a_task_may_be_woken_from_outside,
        checkpoints_let_others_run,
        checkpoints_pass_in_a_foreign_block_on,
        a_timer_fires_beside_a_task_that_computes,
        a_timer_is_never_early,
        a_past_deadline_fires_at_once,
        a_deadline_may_be_far_away,
        a_timer_can_be_reset,
        a_fired_timer_stays_fired_until_reset,
        the_latest_waker_is_woken,
        a_timer_may_be_used_outside,
        timers_do_not_disturb_each_other,
        a_waker_may_use_the_runtime,
        a_job_runs_by_itself,
        jobs_do_not_hold_tasks_up,
        shutdown_drops_the_tasks,
        spawning_after_shutdown_drops_the_task,
        timers_outlive_the_runtime,
        shutdown_drops_tasks_that_are_being_woken,
        shutdown_waits_for_running_jobs,
        an_asynchronous_context_may_drop_the_runtime,
    ];
    multi_thread = Tokio::multi_thread().worker_threads(2) => [
        a_task_spawned_from_outside_runs,
        a_task_is_never_polled_inline,
        a_destructor_may_spawn,
        a_task_may_be_woken_from_outside,
        checkpoints_let_others_run,
        checkpoints_pass_in_a_foreign_block_on,
        a_timer_fires_beside_a_task_that_computes,
        a_timer_is_never_early,
        a_past_deadline_fires_at_once,
        a_deadline_may_be_far_away,
        a_timer_can_be_reset,
        a_fired_timer_stays_fired_until_reset,
        the_latest_waker_is_woken,
        a_timer_may_be_used_outside,
        timers_do_not_disturb_each_other,
        a_waker_may_use_the_runtime,
        a_job_runs_by_itself,
        jobs_do_not_hold_tasks_up,
        shutdown_drops_the_tasks,
        spawning_after_shutdown_drops_the_task,
        timers_outlive_the_runtime,
        shutdown_drops_tasks_that_are_being_woken,
        shutdown_waits_for_running_jobs,
        an_asynchronous_context_may_drop_the_runtime,
    ];
}

// Tasks.

/// A task that is spawned on a thread unknown to the runtime runs.
fn a_task_spawned_from_outside_runs(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (sender, receiver) = oneshot::channel();
    let outside = thread::spawn(move || backend.spawn(Task::new(async { sender.send(()).unwrap() })));
    block_on(&*runtime, receiver).unwrap();
    outside.join().unwrap();
}

/// No task is polled inside the call that spawns it.
fn a_task_is_never_polled_inline(recipe: impl Run) {
    thread_local!(static SPAWNING: Cell<bool> = const { Cell::new(false) });
    let (runtime, backend) = start(recipe);
    block_on(&*runtime, async {
        let (sender, receiver) = oneshot::channel();
        SPAWNING.set(true);
        backend.spawn(Task::new(async { sender.send(SPAWNING.get()).unwrap() }));
        SPAWNING.set(false);
        assert!(!receiver.await.unwrap());
    });
}

/// A destructor may spawn.
fn a_destructor_may_spawn(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (sender, receiver) = oneshot::channel();
    let successor = backend.clone();
    let spawn = OnDrop::new(move || successor.spawn(Task::new(async { sender.send(()).unwrap() })));
    backend.spawn(Task::new(async move { drop(spawn) }));
    block_on(&*runtime, receiver).unwrap();
}

/// A task is polled again after a wake from a thread unknown to the runtime.
fn a_task_may_be_woken_from_outside(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (into, event) = oneshot::channel();
    let (sender, receiver) = oneshot::channel();
    backend.spawn(Task::new(async { sender.send(event.await.unwrap()).unwrap() }));
    let outside = thread::spawn(move || into.send("woken").unwrap());
    assert_eq!(block_on(&*runtime, receiver), Ok("woken"));
    outside.join().unwrap();
}

// Checkpoints.

/// A task that only ever passes checkpoints lets tasks and timers go on.
fn checkpoints_let_others_run(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let done = Arc::new(AtomicBool::new(false));
    for _ in 0..4 {
        let (spinner, done) = (backend.clone(), done.clone());
        backend.spawn(Task::new(async move {
            while !done.load(SeqCst) {
                checkpoint(&*spinner).await;
            }
        }));
    }
    let (sender, receiver) = oneshot::channel();
    let timer = backend.timer(backend.now() + TICK);
    backend.spawn(Task::new(async {
        sleep(timer).await;
        sender.send(()).unwrap();
    }));
    block_on(&*runtime, receiver).unwrap();
    done.store(true, SeqCst);
}

/// A task that computes between its checkpoints does not keep a timer waiting for more than a few of them.
fn a_timer_fires_beside_a_task_that_computes(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let fired = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = oneshot::channel();
    let (timer, told) = (backend.timer(backend.now() + Duration::from_millis(1)), fired.clone());
    backend.spawn(Task::new(async move {
        sleep(timer).await;
        told.store(true, SeqCst);
    }));
    let computing = backend.clone();
    backend.spawn(Task::new(async move {
        let mut turns = 0;
        while !fired.load(SeqCst) && turns < 100 {
            thread::sleep(Duration::from_millis(1)); // as if it computed
            checkpoint(&*computing).await;
            turns += 1;
        }
        _ = sender.send(turns);
    }));
    let turns = block_on(&*runtime, receiver).unwrap();
    assert!(turns < 30, "the timer fired after {turns} turns");
}

/// A checkpoint is passed also inside a foreign `block_on` on one of the runtime's threads.
fn checkpoints_pass_in_a_foreign_block_on(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (sender, receiver) = oneshot::channel();
    let inside = backend.clone();
    backend.spawn(Task::new(async move {
        futures::executor::block_on(checkpoint(&*inside));
        sender.send(()).unwrap();
    }));
    block_on(&*runtime, receiver).unwrap();
}

// Timers.

/// No timer fires early, in the order of the deadlines or not.
fn a_timer_is_never_early(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    block_on(&*runtime, async {
        for micros in [1, 300, 1000, 1001, 2500, 10_700] {
            let deadline = backend.now() + Duration::from_micros(micros);
            sleep(backend.timer(deadline)).await;
            assert!(backend.now() >= deadline);
        }
    });
}

/// A timer whose deadline is past fires at its first poll.
fn a_past_deadline_fires_at_once(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    block_on(&*runtime, async {
        for deadline in [backend.now(), backend.now() - Duration::from_millis(1)] {
            assert!(poll(&mut backend.timer(deadline), Waker::noop()).is_ready());
        }
    });
}

/// A deadline may be hundreds of years away.
fn a_deadline_may_be_far_away(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    block_on(&*runtime, async {
        let mut far = backend.timer(backend.now() + 500 * YEAR);
        assert!(poll(&mut far, Waker::noop()).is_pending());
        sleep(backend.timer(backend.now() + TICK)).await;
        assert!(poll(&mut far, Waker::noop()).is_pending());
        far.as_mut().reset(backend.now() + 400 * YEAR);
        assert!(poll(&mut far, Waker::noop()).is_pending());
        far.as_mut().reset(backend.now() + TICK);
        sleep(far).await;
    });
}

/// A reset moves the deadline in both directions, whether or not the timer was polled before.
fn a_timer_can_be_reset(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    block_on(&*runtime, async {
        let start = backend.now();
        for polled in [false, true] {
            let mut sooner = backend.timer(backend.now() + YEAR);
            let mut later = backend.timer(backend.now() + TICK);
            if polled {
                assert!(poll(&mut sooner, Waker::noop()).is_pending());
                let _ = poll(&mut later, Waker::noop());
            }
            sooner.as_mut().reset(backend.now() + TICK);
            let deadline = backend.now() + 5 * TICK;
            later.as_mut().reset(deadline);
            sleep(sooner).await;
            sleep(later).await;
            assert!(backend.now() >= deadline);
        }
        assert!(backend.now() < start + YEAR);
    });
}

/// A timer that has fired stays fired until it is reset, and can then fire again.
fn a_fired_timer_stays_fired_until_reset(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    block_on(&*runtime, async {
        let mut timer = backend.timer(backend.now() + TICK);
        future::poll_fn(|cx| timer.as_mut().poll(cx)).await;
        assert!(poll(&mut timer, Waker::noop()).is_ready());
        assert!(poll(&mut timer, Waker::noop()).is_ready());
        let deadline = backend.now() + TICK;
        timer.as_mut().reset(deadline);
        future::poll_fn(|cx| timer.as_mut().poll(cx)).await;
        assert!(backend.now() >= deadline);
    });
}

/// The waker of the latest poll is woken, whichever threads the polls were made on.
fn the_latest_waker_is_woken(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (first, _first_woken) = flag();
    let (second, woken) = flag();
    // On a machine that is busy it may fire before the second poll: then once more.
    let timer = loop {
        let mut timer = backend.timer(backend.now() + 3 * TICK);
        let begun = poll(&mut timer, &first).is_pending();
        let second = second.clone();
        let outside = thread::spawn(move || (poll(&mut timer, &second).is_pending(), timer));
        let (sleeps, timer) = outside.join().unwrap();
        if begun && sleeps {
            break timer;
        }
    };
    block_on(&*runtime, woken).unwrap();
    drop(timer);
}

/// A timer may be made, polled, reset and dropped on threads unknown to the runtime.
fn a_timer_may_be_used_outside(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (sender, receiver) = oneshot::channel();
    let outside = thread::spawn(move || {
        let mut timer = backend.timer(backend.now() + YEAR);
        assert!(poll(&mut timer, Waker::noop()).is_pending());
        let deadline = backend.now() + TICK;
        timer.as_mut().reset(deadline);
        futures::executor::block_on(sleep(timer));
        assert!(backend.now() >= deadline);
        sender.send(()).unwrap();
    });
    block_on(&*runtime, receiver).unwrap();
    outside.join().unwrap();
}

/// A timer goes on when others are reset or dropped.
fn timers_do_not_disturb_each_other(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    block_on(&*runtime, async {
        let deadline = backend.now() + 2 * TICK;
        let mut timers: Vec<_> = (0..30).map(|_| backend.timer(deadline)).collect();
        let (wakers, mut woken): (Vec<_>, Vec<_>) = timers.iter().map(|_| flag()).unzip();
        for (timer, waker) in timers.iter_mut().zip(&wakers) {
            assert!(poll(timer, waker).is_pending());
        }
        let kept = timers.split_off(20);
        for timer in &mut timers[..10] {
            timer.as_mut().reset(backend.now() + YEAR);
        }
        drop(timers.split_off(10));
        for woken in woken.split_off(20) {
            woken.await.unwrap();
        }
        drop(kept);
    });
}

/// A waker may use the runtime inside the wake: spawn, and make, reset and drop timers.
fn a_waker_may_use_the_runtime(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (sender, receiver) = oneshot::channel();
    let mut dropped = backend.timer(backend.now() + YEAR);
    let mut moved = backend.timer(backend.now() + YEAR);
    assert!(poll(&mut dropped, Waker::noop()).is_pending());
    assert!(poll(&mut moved, Waker::noop()).is_pending());
    let inside = backend.clone();
    let waker = once_waker(move || {
        drop(dropped);
        moved.as_mut().reset(inside.now());
        inside.spawn(Task::new(async {
            sleep(moved).await;
            sender.send(()).unwrap();
        }));
    });
    let mut timer = backend.timer(backend.now() + TICK);
    assert!(poll(&mut timer, &waker).is_pending());
    block_on(&*runtime, receiver).unwrap();
}

// Blocking jobs.

/// A job runs although nobody waits for it, and not inside the call.
fn a_job_runs_by_itself(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (sender, receiver) = oneshot::channel();
    let outside = thread::spawn(move || {
        let here = thread::current().id();
        backend.spawn_blocking(Box::new(move || {
            assert_ne!(thread::current().id(), here);
            sender.send(()).unwrap();
        }));
    });
    block_on(&*runtime, receiver).unwrap();
    outside.join().unwrap();
}

/// A job may block for as long as it likes without keeping tasks from running.
fn jobs_do_not_hold_tasks_up(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (release, released) = mpsc::channel::<()>();
    let (sender, receiver) = oneshot::channel();
    backend.spawn_blocking(Box::new(move || released.recv().unwrap()));
    backend.spawn(Task::new(async { sender.send(()).unwrap() }));
    block_on(&*runtime, receiver).unwrap();
    release.send(()).unwrap();
}

// Shutdown.

/// Tasks that are left are dropped, whether they wait, spin, or were never polled; their destructors may spawn.
fn shutdown_drops_the_tasks(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (sender, dropped) = mpsc::channel();
    let guard = || {
        let (sender, backend) = (sender.clone(), backend.clone());
        OnDrop::new(move || {
            let sender = OnDrop::new(move || sender.send(()).unwrap());
            backend.spawn(Task::new(async move { drop(sender) }));
        })
    };
    let (waiting, spinning) = (guard(), guard());
    backend.spawn(Task::new(async move { _ = (&waiting, future::pending::<()>().await) }));
    let spinner = backend.clone();
    backend.spawn(Task::new(async move {
        let _spinning = spinning;
        loop {
            checkpoint(&*spinner).await;
        }
    }));
    block_on(&*runtime, sleep(backend.timer(backend.now() + TICK)));
    let unpolled = guard();
    backend.spawn(Task::new(async move { _ = (&unpolled, future::pending::<()>().await) }));
    drop(runtime);
    for _ in 0..3 {
        dropped.recv().unwrap();
    }
}

/// Once the runtime has shut down, a task that is spawned is dropped inside the call.
fn spawning_after_shutdown_drops_the_task(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    drop(runtime);
    let (sender, dropped) = mpsc::channel();
    let guard = OnDrop::new(move || sender.send(()).unwrap());
    backend.spawn(Task::new(async move { drop(guard) }));
    assert_eq!(dropped.try_recv(), Ok(()));
}

/// A timer that is polled from elsewhere fires although the runtime has shut down, and not early.
fn timers_outlive_the_runtime(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let deadline = backend.now() + 5 * TICK;
    let mut armed = backend.timer(deadline);
    assert!(poll(&mut armed, Waker::noop()).is_pending());
    drop(runtime);
    let new = backend.timer(deadline);
    futures::executor::block_on(async {
        sleep(armed).await;
        assert!(backend.now() >= deadline);
        sleep(new).await;
    });
}

/// A wake on another thread does not save a task from being dropped.
fn shutdown_drops_tasks_that_are_being_woken(recipe: impl Run + Clone) {
    for _ in 0..50 {
        let (runtime, backend) = start(recipe.clone());
        let (sender, dropped) = mpsc::channel::<()>();
        let (waker_sender, wakers) = mpsc::channel();
        for _ in 0..100 {
            let (guard, waker_sender) = (sender.clone(), waker_sender.clone());
            backend.spawn(Task::new(async move {
                let _guard = guard;
                future::poll_fn(|cx| {
                    _ = waker_sender.send(cx.waker().clone());
                    Poll::<()>::Pending
                })
                .await;
            }));
        }
        block_on(&*runtime, sleep(backend.timer(backend.now() + Duration::from_millis(1))));
        let outside = thread::spawn(move || wakers.try_iter().for_each(Waker::wake));
        drop((runtime, sender));
        assert!(dropped.recv().is_err());
        outside.join().unwrap();
    }
}
/// Shutting down waits for a job that runs.
fn shutdown_waits_for_running_jobs(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (sender, started) = oneshot::channel();
    let finished = Arc::new(AtomicBool::new(false));
    let finish = finished.clone();
    backend.spawn_blocking(Box::new(move || {
        sender.send(()).unwrap();
        thread::sleep(5 * TICK);
        finish.store(true, SeqCst);
    }));
    block_on(&*runtime, started).unwrap();
    drop(runtime);
    assert!(finished.load(SeqCst));
}

/// A runtime may be dropped in an asynchronous context of another, also while a job of it runs.
fn an_asynchronous_context_may_drop_the_runtime(recipe: impl Run) {
    let (runtime, backend) = start(recipe);
    let (sender, dropped) = mpsc::channel();
    let guard = OnDrop::new(move || sender.send(()).unwrap());
    backend.spawn(Task::new(async move { _ = (&guard, future::pending::<()>().await) }));
    let (release, released) = mpsc::channel::<()>();
    backend.spawn_blocking(Box::new(move || _ = released.recv()));
    let (around, _) = start(Tokio::current_thread());
    block_on(&*around, async { drop(runtime) });
    dropped.recv().unwrap();
    drop(release);
}

// Handles.

/// A handle finds the runtime around it, and tells it from others.
#[test]
fn the_runtime_around_is_found() {
    let (one, _) = start(Tokio::current_thread());
    let (other, _) = start(Tokio::multi_thread());
    let id = |runtime: &dyn BlockOn| block_on(runtime, async { TokioHandle::current().unwrap().id() });
    assert_eq!(id(&*one), id(&*one));
    assert_ne!(id(&*one), id(&*other));
    assert_eq!(TokioHandle::current().unwrap_err(), TokioError::NotInRuntime);
}

/// A runtime without timers or without I/O is refused, with the remedy.
#[test]
fn a_runtime_that_lacks_something_is_refused() {
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let bare = builder.build().unwrap();
        let error = TokioHandle::new(bare.handle().clone()).unwrap_err();
        assert_eq!(error, TokioError::NoTime);
        assert!(error.to_string().contains("enable_time") && error.to_string().contains("enable_all"));

        let timeless = builder.enable_io().build().unwrap();
        assert_eq!(timeless.block_on(async { TokioHandle::current().unwrap_err() }), TokioError::NoTime);
    }
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let mute = builder.enable_time().build().unwrap();
        let error = mute.block_on(async { TokioHandle::current().unwrap_err() });
        assert_eq!(error, TokioError::NoIo);
        assert!(error.to_string().contains("enable_io") && error.to_string().contains("enable_all"));
    }
}

/// A handle outlives its runtime.
#[test]
fn a_handle_to_a_dead_runtime_is_harmless() {
    let dead = Builder::new_current_thread().enable_all().build().unwrap().handle().clone();
    let handle = TokioHandle::new(dead).unwrap();
    handle.spawn(Task::new(future::pending()));
    handle.spawn_blocking(Box::new(|| unreachable!("the runtime is gone")));
    let mut timer = handle.timer(handle.now() + YEAR);
    assert!(poll(&mut timer, Waker::noop()).is_pending());
}

// The clock.

/// A clock that was paused, or paused and resumed, is virtual; all others are not.
#[test]
fn a_paused_clock_is_virtual() {
    let paused = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let handle = TokioHandle::new(paused.handle().clone()).unwrap();
    let outside = handle.clone();
    assert!(thread::spawn(move || outside.is_virtual()).join().unwrap());
    paused.block_on(async {
        assert!(handle.is_virtual());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(handle.is_virtual());
        tokio::time::resume();
        assert!(handle.is_virtual(), "it is a minute ahead");
    });
    for recipe in [Tokio::current_thread(), Tokio::multi_thread()] {
        let (runtime, backend) = start(recipe);
        assert!(!backend.is_virtual());
        assert!(!block_on(&*runtime, async { backend.is_virtual() }));
    }
}

/// Timers follow a paused clock, which moves to the next of them and no further.
#[test]
fn timers_follow_a_paused_clock() {
    let paused = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let handle = TokioHandle::new(paused.handle().clone()).unwrap();
    let (began, clock) = (Instant::now(), handle.now());
    paused.block_on(async {
        drop(handle.timer(clock + Duration::from_secs(1)));
        sleep(handle.timer(clock + Duration::from_secs(3600))).await;
        assert_eq!(handle.now(), clock + Duration::from_secs(3600));
        let mut timer = handle.timer(clock + Duration::from_secs(3660));
        assert!(poll(&mut timer, Waker::noop()).is_pending());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(poll(&mut timer, Waker::noop()).is_ready());
    });
    assert!(began.elapsed() < Duration::from_secs(60));
}

// The cooperative budget.

/// A timer fires also for a task that has used its budget up.
#[tokio::test]
async fn a_timer_needs_no_budget() {
    let handle = TokioHandle::current().unwrap();
    let mut timer = handle.timer(handle.now() + TICK);
    assert!(poll(&mut timer, Waker::noop()).is_pending());
    thread::sleep(2 * TICK);
    let mut starved = handle.timer(handle.now() + YEAR);
    while tokio::task::coop::has_budget_remaining() {
        assert!(poll_once(tokio::task::coop::consume_budget()).is_ready());
    }
    let (waker, woken) = flag();
    assert!(poll(&mut timer, Waker::noop()).is_ready());
    starved.as_mut().reset(handle.now() + TICK);
    assert!(poll(&mut starved, &waker).is_pending());
    woken.await.unwrap();
    assert!(poll(&mut starved, Waker::noop()).is_ready(), "it was woken for the budget's sake");
}

fn poll_once(future: impl Future<Output = ()>) -> Poll<()> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

// Helpers.

/// Shorter than anybody would notice, longer than the resolution of the clocks.
const TICK: Duration = Duration::from_millis(4);
const YEAR: Duration = Duration::from_secs(31_556_952);

/// Runs `case` on a thread of its own, and fails when it hangs.
fn watched(case: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = mpsc::channel::<()>();
    let runner = thread::spawn(move || {
        let _sender = sender;
        case();
    });
    let hangs = receiver.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout);
    assert!(!hangs, "the case hangs");
    if let Err(panic) = runner.join() {
        std::panic::resume_unwind(panic);
    }
}

fn start(recipe: impl Run) -> (Box<dyn BlockOn>, Arc<dyn Backend>) {
    let runtime = Box::new(recipe).start().unwrap();
    let backend = runtime.backend();
    (runtime, backend)
}

fn block_on<T>(runtime: &dyn BlockOn, future: impl Future<Output = T>) -> T {
    let mut output = None;
    runtime.block_on(pin!(async { output = Some(future.await) }));
    output.unwrap()
}

fn poll(timer: &mut Pin<Box<dyn Timer>>, waker: &Waker) -> Poll<()> {
    timer.as_mut().poll(&mut Context::from_waker(waker))
}

async fn sleep(mut timer: Pin<Box<dyn Timer>>) {
    future::poll_fn(|cx| timer.as_mut().poll(cx)).await;
}

async fn checkpoint(backend: &dyn Backend) {
    let mut passed = false;
    future::poll_fn(|cx| {
        if mem::replace(&mut passed, true) {
            return Poll::Ready(());
        }
        backend.checkpoint(cx.waker());
        Poll::Pending
    })
    .await;
}

/// A waker, and what is ready once it was woken.
fn flag() -> (Waker, oneshot::Receiver<()>) {
    let (sender, receiver) = oneshot::channel();
    (once_waker(move || _ = sender.send(())), receiver)
}

/// A waker that calls `wake` the first time it is woken.
fn once_waker(wake: impl FnOnce() + Send + 'static) -> Waker {
    struct Once<F>(Mutex<Option<F>>);
    impl<F: FnOnce() + Send> Wake for Once<F> {
        fn wake(self: Arc<Self>) {
            let wake = self.0.lock().unwrap().take();
            if let Some(wake) = wake {
                wake();
            }
        }
    }
    Arc::new(Once(Mutex::new(Some(wake)))).into()
}

/// Calls a function when it is dropped.
struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    fn new(call: F) -> Self {
        OnDrop(Some(call))
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}
