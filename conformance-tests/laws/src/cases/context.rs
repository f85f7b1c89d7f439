//! Cases of the laws X: what is current where, nested runtimes, runtimes that shut down, and busy loops.

use std::any::Any;
use std::future::{Future, pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use anyio::{
    CancelScope, EffectiveDeadline, Event, OwnedTaskGroup, RunError, Runtime, StartError, Started, TaskError,
    TaskStatus, Unhandled, cancelled, checkpoint, current_effective_deadline, enter, finally, finally_detached,
    interval, is_cancelled, now, protect, shield, shield_for, sleep, sleep_forever, sleep_until, task_group, timeout,
    try_run,
};
use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Spawn, Task, Timer};
use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt as _;

use crate::fixture::{Dropped, Drops, Heard, LONG, SHORT, block_on, hooked, in_own_run, panic_of, poll_times, recipe};
use crate::steps::{Other, block, ended_by_shutdown, is_alive, is_shutdown, on_thread};

/// What is seen of the scopes around: whether they are cancelled, and whether one has a deadline.
fn seen() -> (bool, bool) {
    (is_cancelled(), matches!(current_effective_deadline(), EffectiveDeadline::At(_)))
}

/// The backend of the case under another name, which may be down: then it drops every task inside the call of `spawn`,
/// and every job, like a runtime that has shut down.
struct Wrapper {
    backend: Arc<dyn Backend>,
    is_down: bool,
    _token: Dropped,
}

impl Spawn for Wrapper {
    fn spawn(&self, task: Task) {
        if !self.is_down {
            self.backend.spawn(task);
        }
    }
}

impl Blocking for Wrapper {
    fn spawn_blocking(&self, job: Job) {
        if !self.is_down {
            self.backend.spawn_blocking(job);
        }
    }
}

impl Checkpoint for Wrapper {
    fn checkpoint(&self, waker: &Waker) {
        self.backend.checkpoint(waker);
    }
}

impl Clock for Wrapper {
    fn now(&self) -> Instant {
        self.backend.now()
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        self.backend.timer(deadline)
    }

    fn is_virtual(&self) -> bool {
        self.backend.is_virtual()
    }

    fn follow_real_time(&self) -> Option<Box<dyn Any + Send + Sync>> {
        self.backend.follow_real_time()
    }
}

impl Backend for Wrapper {
    fn name(&self) -> &'static str {
        "wrapper"
    }
}

/// The runtime of the case, wrapped.
fn wrapped(is_down: bool, token: Dropped) -> Runtime {
    let backend = Runtime::current().unwrap().backend().clone();
    Runtime::new(Wrapper { backend, is_down, _token: token })
}

/// A runtime that drops whatever is spawned.
async fn down() -> (Runtime, Heard) {
    enter(wrapped(true, Drops::new().token()), async { hooked() }).await
}

fn never_ran(outcome: &Unhandled) -> bool {
    matches!(outcome, Unhandled::NeverRan { .. })
}

/// Runs `body` on a thread of its own, whose executor knows nothing of any runtime and has no budget.
async fn on_a_plain_thread<T: Send + 'static, F: Future<Output = T>>(body: impl FnOnce() -> F + Send + 'static) -> T {
    let runtime = Runtime::current().unwrap();
    let (sender, receiver) = oneshot::channel();
    on_thread(move || {
        let _ = sender.send(block_on(enter(runtime, async { body().await })));
    });
    receiver.await.expect("the thread does not panic")
}

async fn panicking() {
    panic!("over");
}

/// X3: The context is that of the innermost scope in its polls and its destructors, and outside it is that of the
/// outside again.
pub async fn the_context_is_restored_after_every_poll_and_drop() {
    struct Look<'a>(&'a AtomicUsize);
    impl Drop for Look<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(usize::from(is_cancelled()), Ordering::Relaxed);
        }
    }
    let looks = AtomicUsize::new(0);
    let inner = CancelScope::new();
    inner.handle().cancel();
    let watched = poll_fn(|cx| {
        drop(Look(&looks));
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    let body = async {
        let _look = Look(&looks);
        futures::join!(shield(pending::<()>()), watched);
    };
    let polled = poll_times(3, Box::pin(inner.run(body))).await.unwrap_err();
    assert_eq!((looks.load(Ordering::Relaxed), seen()), (3, (false, false)));
    drop(polled);
    assert_eq!((looks.load(Ordering::Relaxed), seen()), (4, (false, false)));
}

/// X3: The context is restored after a panic, whatever was around it.
pub async fn the_context_is_restored_after_a_panic() {
    async fn survives(future: impl Future) {
        assert!(AssertUnwindSafe(future).catch_unwind().await.is_err());
        assert_eq!(seen(), (false, false));
    }
    let scope = CancelScope::new().with_timeout(LONG);
    scope.handle().cancel();
    survives(scope.run(panicking())).await;
    survives(timeout(LONG, panicking())).await;
    survives(timeout(LONG, shield(panicking()))).await;
    survives(timeout(LONG, finally(panicking(), panicking()))).await;
    survives(timeout(LONG, finally(checkpoint(), panicking()))).await;
    survives(timeout(LONG, task_group(async |_| panicking().await))).await;
    survives(timeout(LONG, task_group(async |tg| tg.spawn(panicking()).value().await))).await;
    survives(timeout(LONG, enter(Runtime::current().unwrap(), panicking()))).await;
    survives(timeout(LONG, anyio::FutureExt::bind(panicking()))).await;
}

/// X3: A task that the runtime itself polls sees nothing of scopes elsewhere, although it is polled on the same thread.
pub async fn a_foreign_task_sees_no_context() {
    let (sender, receiver) = oneshot::channel();
    let scope = CancelScope::new().with_timeout(LONG);
    scope.handle().cancel();
    let outcome = scope.run(async {
        assert!(is_cancelled());
        let foreign = async {
            let before = seen();
            checkpoint().await;
            sender.send([before, seen()]).unwrap();
        };
        Runtime::current().unwrap().backend().spawn(Task::new(foreign));
        shield(receiver).await.unwrap()
    });
    assert_eq!(outcome.await, Ok([(false, false); 2]));
}

/// X3: A task sees the scopes around its group, and not those around the code that has spawned it.
pub async fn a_task_sees_the_scopes_of_its_group() {
    let outcome = task_group(async |tg| {
        let inner = CancelScope::new().with_timeout(LONG);
        inner.handle().cancel();
        let mut task = None;
        let spawning = inner.run(async { task = Some(tg.spawn(async { seen() })) });
        assert_eq!(spawning.await, Ok(()));
        let within = timeout(LONG, task_group(async |tg| tg.spawn(async { seen() }).value().await)).await;
        (task.unwrap().value().await, within.unwrap().unwrap())
    });
    assert_eq!(outcome.await, Ok(((false, false), (false, true))));
}

/// X3: Other threads see no context, nor do executors that run there.
pub async fn another_thread_sees_no_context() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let outcome = scope.run(async {
        assert!(is_cancelled());
        let elsewhere = on_thread(|| [seen(), block_on(async { seen() })]);
        elsewhere.join().unwrap()
    });
    assert_eq!(outcome.await, Ok([(false, false); 2]));
}

/// X3: An executor that is driven inside a poll inherits the context: its tasks are in the scope.
pub async fn an_executor_inside_a_poll_inherits_the_context() {
    let drops = Drops::new();
    let outcome = timeout(LONG, async {
        assert_eq!(block_on(async { seen() }), (false, true));
        let mut pool = LocalPool::new();
        let token = drops.token();
        let group = task_group(async move |tg| {
            tg.spawn(async move {
                let _token = token;
                sleep_forever().await;
            });
            pending::<()>().await;
        });
        pool.spawner().spawn_local(group.map(drop)).unwrap();
        pool.run_until_stalled();
    });
    assert_eq!(outcome.await, Ok(()));
    assert_eq!(drops.count(), 1);
}

/// X3: What was entered explicitly is current inside, and what was current before is so again outside.
pub async fn an_entered_runtime_is_current_inside() {
    let outside = Runtime::current().unwrap();
    let names = enter(wrapped(false, Drops::new().token()), async {
        let entered = Runtime::current().unwrap().name();
        checkpoint().await;
        let nested = enter(outside.clone(), async { Runtime::current().unwrap().name() }).await;
        (entered, nested, Runtime::current().unwrap().name())
    });
    assert_eq!(names.await, ("wrapper", outside.name(), "wrapper"));
    assert_eq!(Runtime::current().unwrap().name(), outside.name());
}

/// G8: Once all is over in a runtime, nothing of it is kept alive: not by scopes, groups, starts, shields or clean-ups,
/// whether they have ended well or were cut short.
pub async fn nothing_keeps_a_runtime_alive_when_all_is_over() {
    async fn all() {
        let _ = task_group(async |tg| {
            let _ = tg.start(async |started: Started<()>| _ = started.started(())).await;
            tg.spawn(finally(checkpoint(), checkpoint()).grace(LONG));
            tg.spawn_blocking(|| ());
            let _ = finally_detached(checkpoint(), checkpoint()).grace(LONG).await;
            let _ = shield_for(LONG, timeout(LONG, protect(checkpoint()))).await;
            let _ = OwnedTaskGroup::in_group(&tg).close().await;
            let _ = timeout(SHORT, tg.start(async |_started: Started<()>| sleep_forever().await)).await;
            sleep_forever().await;
        })
        .await;
    }
    let drops = Drops::new();
    let runtime = wrapped(false, drops.token());
    assert!(enter(runtime.clone(), timeout(3 * SHORT, all())).await.is_err());
    drop(poll_times(2, Box::pin(enter(runtime.clone(), all()))).await);
    assert!(runtime.quiesce(LONG).await);
    drop(runtime);
    while drops.count() == 0 {
        sleep(SHORT).await; // A task is counted out before the thread that has polled it lets go of it.
    }
}

/// D5, G8: A timeout that waits keeps no runtime alive, and passes at its own time although nobody has a handle to its
/// runtime any more, also by a timer that was armed for another one.
pub async fn a_timeout_passes_although_the_handles_to_its_runtime_are_gone() {
    let drops = Drops::new();
    let runtime = wrapped(false, drops.token());
    let (start, limit) = (now(), 6 * SHORT);
    let mut limited = Box::pin(timeout(limit, pending::<()>()));
    let begin = async {
        assert!(timeout(2 * SHORT, checkpoint()).await.is_ok());
        assert!(futures::poll!(limited.as_mut()).is_pending());
    };
    enter(runtime.clone(), begin).await;
    drop(runtime);
    assert_eq!(drops.count(), 1);
    assert!(limited.await.is_err());
    assert!(now() - start >= limit);
}

/// X3: `run` inside a poll of ours is a clear error, wherever that is, and leaves the context as it was.
pub async fn a_run_inside_a_poll_is_a_clear_error() {
    let recipe = recipe();
    let nested = move || matches!(try_run(recipe(), async {}), Err(RunError::Nested));
    assert!(nested(), "in the main future");
    let scoped = timeout(LONG, async { (nested(), seen()) });
    assert_eq!(scoped.await, Ok((true, (false, true))));
    assert!(block_on(async { nested() }), "in an executor inside");
    let in_task = nested.clone();
    let outcome = task_group(async |tg| (nested(), tg.spawn(async move { in_task() }).value().await));
    assert_eq!(outcome.await, Ok((true, true)));
}

/// X3: The panics of `run` and `block_on` inside a poll of ours say what to do instead.
pub async fn run_and_block_on_inside_a_poll_say_what_to_do_instead() {
    let recipe = recipe();
    let said = panic_of(|| anyio::run(recipe(), async {}));
    assert!(said.contains("await the future instead"), "{said}");
    let said = panic_of(|| anyio::block_on(async {}));
    assert!(said.contains("await the future instead"), "{said}");
}

/// X3: `run` inside a destructor that runs in a poll is a clear error too.
pub async fn a_run_inside_a_destructor_is_a_clear_error() {
    struct Runs<'a>(crate::Recipe, &'a mut bool);
    impl Drop for Runs<'_> {
        fn drop(&mut self) {
            *self.1 = matches!(try_run((self.0)(), async {}), Err(RunError::Nested));
        }
    }
    let (recipe, mut nested) = (recipe(), false);
    let body = async {
        let _runs = Runs(recipe, &mut nested);
        sleep_forever().await;
    };
    assert!(timeout(SHORT, body).await.is_err());
    assert!(nested);
}

/// X3: In a task of the runtime's own a `run` either works or says that it cannot: the runtime's own panic never comes
/// out.
pub async fn a_run_inside_a_foreign_task_works_or_is_a_clear_error() {
    let recipe = recipe();
    let (sender, receiver) = oneshot::channel();
    let foreign = async move {
        let ran = std::panic::catch_unwind(AssertUnwindSafe(|| try_run(recipe(), async { 7 })));
        sender.send(matches!(ran, Ok(Ok(7) | Err(RunError::Nested)))).unwrap();
    };
    Runtime::current().unwrap().backend().spawn(Task::new(foreign));
    assert!(receiver.await.unwrap());
}

/// X3: `run` works on threads where blocking is allowed, and on plain threads, while another run goes on.
pub async fn a_run_on_a_blocking_thread_works() {
    let work = |recipe: crate::Recipe| {
        move || {
            let group = task_group(async |tg| {
                tg.spawn(async {
                    sleep(SHORT).await;
                    7
                })
                .value()
                .await
            });
            try_run(recipe(), group).unwrap()
        }
    };
    let (here, there) = (recipe(), recipe());
    let outcome = task_group(async |tg| tg.spawn_blocking(work(here)).value().await);
    assert_eq!(outcome.await, Ok(Ok(7)));
    assert_eq!(on_thread(work(there)).join().unwrap(), Ok(7));
}

/// X1: In a foreign `block_on` inside a task a checkpoint is passed, and a requested cancellation reaches the scopes, groups
/// and waits in there.
pub async fn a_cancellation_reaches_what_a_nested_executor_runs() {
    let mut tasks = Vec::new();
    let outcome = task_group(async |tg| {
        let scope = tg.scope();
        tasks.push(tg.spawn(async {
            block_on(async {
                checkpoint().await;
                true
            })
        }));
        tasks.push(tg.spawn(async { block_on(CancelScope::new().run(sleep_forever())).is_err() }));
        tasks.push(tg.spawn(async { block_on(task_group(async |_| sleep_forever().await)).is_err() }));
        tasks.push(tg.spawn(async { block_on(finally(sleep_forever(), checkpoint())).is_err() }));
        tasks.push(tg.spawn(async { block_on(cancelled()).to_string().starts_with("cancelled: enough") }));
        on_thread(move || {
            block(SHORT);
            scope.cancel_with("enough");
        });
        sleep_forever().await;
    });
    assert_eq!(outcome.await.unwrap_err().to_string().split(" (").next(), Some("cancelled: enough"));
    for task in tasks {
        assert!(task.await.unwrap());
    }
}

/// X4: Where the runtime drops a task inside the call of spawn, its handle and its group say that it has shut down, and
/// the hook hears of it.
pub async fn a_task_that_spawn_drops_ends_by_shutdown() {
    let (runtime, heard) = down().await;
    let drops = Drops::new();
    let (mut task, mut job) = (None, None);
    let group = task_group(async |tg| {
        let token = drops.token();
        task = Some(tg.spawn(async move { drop(token) }));
        job = Some(tg.spawn_blocking(|| ()));
        assert_eq!(drops.count(), 1);
        assert_eq!(task.as_ref().map(|task| task.status()), Some(TaskStatus::Cancelled));
    });
    assert!(is_shutdown(&enter(runtime, group).await.unwrap_err()));
    assert!(ended_by_shutdown(task.unwrap().await));
    assert!(ended_by_shutdown(job.unwrap().await));
    assert_eq!((heard.count(never_ran), heard.texts().len()), (2, 2), "{:?}", heard.texts());
}

/// X4: The hook hears of a task that the runtime dropped before it began also when the task was cancelled already.
pub async fn a_cancelled_task_that_never_ran_reaches_the_hook() {
    let (runtime, heard) = down().await;
    let group = task_group(async |tg| {
        tg.cancel();
        tg.spawn(async {});
    });
    assert_eq!(enter(runtime, group).await, Ok(()));
    assert_eq!((heard.count(never_ran), heard.texts().len()), (1, 1), "{:?}", heard.texts());
}

/// X4: Where the runtime drops the task of a start, the start says that it has shut down.
pub async fn a_start_whose_task_spawn_drops_ends_by_shutdown() {
    let (runtime, heard) = down().await;
    let group = task_group(async |tg| {
        let start = tg.start(async |started: Started<()>| _ = started.started(()));
        let Err(StartError::Cancelled(cancelled)) = start.await else { panic!("it was dropped") };
        assert!(is_shutdown(&cancelled));
        tg.scope().reason()
    });
    drop(enter(runtime, group).await);
    assert_eq!((heard.count(never_ran), heard.texts().len()), (1, 1), "{:?}", heard.texts());
}

/// X4: Where the runtime drops protected work, the code that waits for it is cancelled for that reason.
pub async fn protected_work_that_spawn_drops_cancels_who_waits_for_it() {
    let (runtime, heard) = down().await;
    let scope = CancelScope::new().run(protect(async {}));
    assert!(is_shutdown(&enter(runtime, scope).await.unwrap_err()));
    assert_eq!(heard.count(never_ran), 1, "{:?}", heard.texts());
}

/// X4: The same where something holds the code that waits for it, so that it is polled on until it can be dropped.
pub async fn protected_work_that_spawn_drops_may_be_polled_on() {
    let (runtime, _heard) = down().await;
    let held = async {
        let holding = shield(async {
            for _ in 0..3 {
                checkpoint().await;
            }
        });
        futures::join!(protect(async {}), holding);
    };
    assert!(is_shutdown(&enter(runtime, CancelScope::new().run(held)).await.unwrap_err()));
}

/// X4: No lock is held while the backend's spawn runs: a destructor that runs in there may do whatever it likes.
pub async fn a_destructor_inside_spawn_may_do_what_it_likes() {
    struct Busy(anyio::TaskGroup, Arc<Event>);
    impl Drop for Busy {
        fn drop(&mut self) {
            let again = self.0.spawn(async {});
            assert!(again.is_finished() && !self.0.is_closed());
            self.0.cancel();
            self.1.set();
        }
    }
    let (runtime, heard) = down().await;
    let over = Arc::new(Event::new());
    let group = task_group(async |tg| {
        let busy = Busy(tg.clone(), over.clone());
        tg.spawn(async move { drop(busy) });
        sleep_forever().await;
    });
    assert!(enter(runtime, group).await.is_err());
    assert!(over.is_set());
    assert_eq!(heard.count(never_ran), 2, "{:?}", heard.texts());
}

/// X4: The hook may use anyio: it is called with no lock held.
pub async fn the_hook_may_spawn_and_cancel() {
    let kept: Arc<std::sync::OnceLock<anyio::TaskGroup>> = Arc::default();
    let (found, calls) = (kept.clone(), Arc::new(AtomicUsize::new(0)));
    let counts = calls.clone();
    let (runtime, _heard) = down().await;
    let runtime = runtime.with_hook(move |_| {
        let group = found.get().expect("it was kept");
        group.cancel();
        if counts.fetch_add(1, Ordering::SeqCst) == 0 {
            group.spawn(async {});
        }
    });
    let group = task_group(async |tg| {
        kept.set(tg.clone()).unwrap();
        tg.spawn(async {});
        sleep_forever().await;
    });
    assert!(enter(runtime, group).await.is_err());
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

/// X4: A runtime that shuts down under a live group ends its tasks, and the group that is awaited elsewhere ends with
/// that reason, whatever its body waits for. (One that never shuts down goes on.)
pub async fn a_group_elsewhere_ends_when_its_runtime_shuts_down() {
    let other = Other::start();
    let (opened, opens) = oneshot::channel();
    let waiter = other.wait_for(task_group(async |tg| {
        let task = tg.spawn(sleep_forever());
        assert!(opened.send((tg.clone(), task)).is_ok());
        sleep_forever().await;
    }));
    let (group, task) = opens.await.unwrap();
    let alive = other.shut_down().await;
    if alive {
        group.cancel();
    }
    assert_eq!(!alive, ended_by_shutdown(task.await));
    assert_eq!(!alive, waiter.join().unwrap().is_err_and(|cancelled| is_shutdown(&cancelled)));
}

/// X4: A group that waits at its end for tasks of a runtime that shuts down ends as well, with the destructors of its
/// tasks run.
pub async fn a_draining_group_ends_when_its_runtime_shuts_down() {
    let other = Other::start();
    let drops = Drops::new();
    let token = drops.token();
    let (opened, opens) = oneshot::channel();
    let waiter = other.wait_for(task_group(async |tg| {
        tg.spawn(async {
            let _token = token;
            sleep_forever().await;
        });
        assert!(opened.send(tg.clone()).is_ok());
    }));
    let group = opens.await.unwrap();
    let alive = other.shut_down().await;
    if alive {
        group.cancel();
    }
    let outcome = waiter.join().unwrap();
    assert_eq!(drops.count(), 1);
    assert_eq!(!alive, outcome.is_err_and(|cancelled| is_shutdown(&cancelled)));
}

/// X4: A scope around a group of a runtime that shuts down does not take it for its own cancellation, and its own
/// deadline still acts.
pub async fn deadlines_act_after_the_runtime_has_shut_down() {
    let other = Other::start();
    let runtime = other.runtime.clone();
    if other.shut_down().await {
        return; // Nobody drives it; one that never shuts down is what the other cases run on.
    }
    let waiter = on_thread(move || block_on(enter(runtime, timeout(SHORT, pending::<()>()))));
    assert!(waiter.join().unwrap().is_err());
}

/// X4: A group that another thread awaits in a run ends with the run, for that reason; nothing of it is left.
pub async fn a_group_elsewhere_ends_with_the_run_that_it_is_in() {
    let drops = Drops::new();
    let token = drops.token();
    let (waiter, task) = in_own_run(move || async move {
        let runtime = Runtime::current().unwrap();
        let (opened, opens) = oneshot::channel();
        let group = task_group(async |tg| {
            let endless = async {
                let _token = token;
                sleep_forever().await;
            };
            assert!(opened.send(tg.spawn(endless)).is_ok());
            sleep_forever().await;
        });
        let waiter = on_thread(move || block_on(enter(runtime, group)));
        (waiter, opens.await.unwrap())
    });
    assert_eq!(drops.count(), 1);
    assert!(ended_by_shutdown(task.await));
    assert!(is_shutdown(&waiter.join().unwrap().unwrap_err()));
}

/// X4: Handles that leave the run tell why their tasks have ended, and groups that leave it have closed.
pub async fn handles_and_groups_that_leave_the_run_are_at_their_end() {
    let (group, task) = in_own_run(|| async {
        let group = OwnedTaskGroup::new();
        let task = group.spawn(sleep_forever());
        (group, task)
    });
    assert!(ended_by_shutdown(task.await));
    assert!(group.is_closed());
    assert!(group.try_spawn(async {}).is_err());
    assert!(matches!(group.spawn(async {}).await, Err(TaskError::Closed)));
    group.cancel();
    drop(group.close().await);
}

/// X4: Spawning on a runtime that has shut down ends the task at once and tells the hook. (One that never shuts down runs
/// it.)
pub async fn spawning_after_the_runtime_has_shut_down_tells_the_hook() {
    let (runtime, heard) = in_own_run(|| async { hooked() });
    let alive = is_alive(&runtime).await;
    let outcome = on_a_plain_thread(move || enter(runtime, task_group(async |tg| tg.spawn(async { 7 }).await))).await;
    if alive {
        assert!(matches!(outcome, Ok(Ok(7))));
        assert!(heard.is_empty(), "{:?}", heard.texts());
    } else {
        assert!(is_shutdown(&outcome.unwrap_err()));
        assert_eq!((heard.count(never_ran), heard.texts().len()), (1, 1), "{:?}", heard.texts());
    }
}

/// Loops of `operation`, which is always ready, end with their deadline, when they are cancelled, and let others run;
/// here, and under an executor that has no budget of its own.
async fn loops_of(operation: impl AsyncFn() + Send + Copy + 'static) {
    loops_here(operation).await;
    // What this thread's executor polls need not be `Send`; the closure that makes it is.
    on_a_plain_thread(move || loops_here(operation)).await;
}

async fn loops_here(operation: impl AsyncFn()) {
    let forever = async || loop {
        operation().await;
    };
    assert!(timeout(SHORT, forever()).await.is_err());
    let scope = CancelScope::new();
    scope.handle().cancel();
    assert!(scope.run(forever()).await.is_err());
    let outcome = task_group(async |tg| {
        let ran = Arc::new(Event::new());
        let runs = ran.clone();
        tg.spawn(async move { runs.set() });
        while !ran.is_set() {
            operation().await;
        }
        let scope = tg.scope();
        tg.spawn(async move { scope.cancel() });
        forever().await;
    });
    assert!(outcome.await.is_err());
}

/// X5: Loops of checkpoints are cancellable and let others run.
pub async fn loops_of_checkpoints_yield() {
    loops_of(async || checkpoint().await).await;
}

/// X5: Loops of sleeps that are over before they begin are cancellable and let others run.
pub async fn loops_of_sleeps_without_length_yield() {
    loops_of(async || sleep(Duration::ZERO).await).await;
    loops_of(async || sleep_until(anyio::now()).await).await;
}

/// X5: Loops of waits for an event that has happened are cancellable and let others run.
pub async fn loops_of_waits_for_a_set_event_yield() {
    static SET: Event = Event::new();
    SET.set();
    loops_of(async || SET.wait().await).await;
}

/// X5: Loops of scopes and timeouts around ready futures are cancellable and let others run.
pub async fn loops_of_ready_scopes_and_timeouts_yield() {
    loops_of(async || _ = CancelScope::new().run(async {}).await).await;
    loops_of(async || _ = timeout(LONG, async {}).await).await;
    loops_of(async || _ = anyio::move_on_after(LONG, async {}).await).await;
}

/// X5: Loops of groups that are done at once are cancellable and let others run.
pub async fn loops_of_ready_groups_yield() {
    loops_of(async || _ = task_group(async |_| ()).await).await;
    loops_of(async || _ = OwnedTaskGroup::new().close().await).await;
}

/// X5: Loops of shields and clean-ups around ready futures are cancellable and let others run.
pub async fn loops_of_ready_shields_and_clean_ups_yield() {
    loops_of(async || shield(async {}).await).await;
    loops_of(async || _ = finally(async {}, async {}).await).await;
    static SET: Event = Event::new();
    SET.set();
    loops_of(async || shield(SET.wait()).await).await;
    loops_of(async || _ = finally(async {}, SET.wait()).await).await;
}

/// X5: A loop is cancellable between its shields however much is done under each of them: it does not matter where in
/// a turn it happens to step aside.
pub async fn loops_of_shields_are_cancellable_however_long_a_turn_is() {
    static SET: Event = Event::new();
    SET.set();
    for operations in (0..8).chain(60..70).chain(120..132).chain(250..260) {
        for before in 0..3 {
            let scope = CancelScope::new();
            let handle = scope.handle();
            let looping = scope.run(async {
                for _ in 0..before {
                    SET.wait().await;
                }
                handle.cancel();
                loop {
                    shield(async {
                        for _ in 0..operations {
                            SET.wait().await
                        }
                    })
                    .await;
                }
            });
            let outcome: Result<(), _> = looping.await;
            assert!(outcome.is_err());
        }
    }
}

/// X5: Loops of ticks that are overdue are cancellable and let others run.
pub async fn loops_of_overdue_ticks_yield() {
    loops_of(async || {
        let mut ticks = interval(Duration::from_nanos(1));
        ticks.tick().await;
        block(Duration::from_nanos(10));
        for _ in 0..3 {
            ticks.tick().await;
        }
    })
    .await;
}

/// X5: Awaiting many handles of tasks that have finished yields from time to time.
pub async fn awaiting_many_finished_handles_yields() {
    let mut turns = 0;
    let outcome = task_group(async |tg| {
        let handles: Vec<_> = (0..10_000).map(|n| tg.spawn(async move { n })).collect();
        for handle in &handles {
            while !handle.is_finished() {
                checkpoint().await;
            }
        }
        let mut all = Box::pin(async {
            for (n, handle) in handles.into_iter().enumerate() {
                assert_eq!(handle.value().await, n);
            }
        });
        poll_fn(|cx| {
            turns += 1;
            all.as_mut().poll(cx)
        })
        .await;
    });
    assert_eq!(outcome.await, Ok(()));
    assert!(turns > 10, "{turns}");
}
