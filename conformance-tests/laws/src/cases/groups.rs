//! Cases of the laws G: task groups.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use anyio::{
    CancelReason, CancelScope, Event, Failure, FailureKind, GroupBuilder, GroupError, OwnedTaskGroup, Runtime,
    TaskError, TaskGroup, TaskInfo, TaskStatus, TryTaskGroup, Unhandled, cancelled, checkpoint, enter, protect, shield,
    sleep, sleep_forever, task_group, timeout, try_task_group,
};
use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Spawn, Task, Timer};
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::join;
use parking_lot::Mutex;

use crate::fixture::{Drops, LONG, SHORT, caught, hooked, in_own_run, poll_times};
use crate::steps::{OnDrop, Sent, after, block, bomb, forever, gate, on_thread, panics, pass, says, turns, until};

fn errors<E: Copy>(error: &GroupError<E>) -> Vec<E> {
    error.errors().copied().collect()
}

/// Which failures are secondary, in their order.
fn secondary<E>(error: &GroupError<E>) -> Vec<bool> {
    error.failures().map(Failure::is_secondary).collect()
}

/// The names of the tasks that failed, in their order.
fn names<E>(error: &GroupError<E>) -> Vec<Option<&str>> {
    error.failures().map(|failure| failure.task()?.name()).collect()
}

/// Where the tasks were spawned that failed, in their order.
fn places<E>(error: &GroupError<E>) -> Vec<Option<(&str, u32)>> {
    let places = error.failures().map(|failure| failure.task().map(TaskInfo::location));
    places.map(|place| place.map(|place| (place.file(), place.line()))).collect()
}

/// Runs `body` and, while that is pending, `then`.
async fn beside<F: Future>(body: F, then: impl Future<Output = ()>) -> F::Output {
    join(body, then).await.0
}

/// Random numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 >> 32).expect("it has 32 bits") % sides
    }

    fn fork(&mut self) -> Dice {
        self.roll(1);
        Dice(self.0 ^ 0x5851_F42D_4C95_7F2D)
    }
}

/// Some work, which spawns more of it, below itself and beside itself, and ends in some way. It keeps `alive`.
fn work(tg: TryTaskGroup<u32>, mut dice: Dice, depth: u32, alive: Arc<()>) -> Sent<Result<(), u32>> {
    Box::pin(async move {
        turns(dice.roll(3) as usize).await;
        if depth > 0 && dice.roll(3) == 0 {
            tg.spawn(work(tg.clone(), dice.fork(), depth - 1, alive.clone()));
        }
        let orphans = dice.roll(4) as usize;
        match dice.roll(8) {
            0 => Err(depth),
            1 => pending().await,
            2 => shield(after(turns(3), Ok(()))).await,
            3 => poll_times(orphans, Box::pin(grove(dice, depth, alive))).await.map_or(Ok(()), |_| Err(depth)),
            4 | 5 => grove(dice, depth, alive).await.map_err(|_| depth),
            _ => Ok(()),
        }
    })
}

/// A group with some work in it.
async fn grove(mut dice: Dice, depth: u32, alive: Arc<()>) -> Result<(), GroupError<u32>> {
    try_task_group(async |tg| {
        let _alive = alive.clone();
        for _ in 0..dice.roll(4).min(depth) {
            tg.spawn(work(tg.clone(), dice.fork(), depth - 1, alive.clone()));
        }
        turns(dice.roll(6) as usize).await;
        if dice.roll(2) == 0 {
            tg.cancel();
        }
        Ok(())
    })
    .await
}

/// G1, G2: A thousand random trees of groups fail, are cancelled and are dropped half-way, and nothing of them is alive
/// when they return.
pub async fn nothing_of_a_random_tree_is_alive_when_it_returns() {
    let (runtime, _heard) = hooked();
    let trees = async {
        for seed in 1..=1000 {
            let alive = Arc::new(());
            let scope = CancelScope::new();
            let handle = scope.handle();
            let end = async {
                turns(seed % 32).await;
                handle.cancel();
            };
            let dice = Dice(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed as u64));
            let _ = beside(scope.run(grove(dice, 4, alive.clone())), end).await;
            assert_eq!(Arc::strong_count(&alive), 1, "tree {seed}");
        }
    };
    enter(runtime, trees).await;
}

/// G1: A task counts until its last destructor has run.
pub async fn a_task_is_dropped_to_its_end_before_its_group_returns() {
    let drops = Drops::new();
    let mut token = Some(drops.token());
    task_group(async |tg| {
        let slow = OnDrop(move || {
            block(SHORT);
            drop(token.take());
        });
        tg.spawn(async move {
            let _slow = slow;
            sleep_forever().await;
        });
        tg.cancel();
    })
    .await
    .unwrap();
    assert_eq!(drops.count(), 1);
}

/// G1: The tasks of a group that foreign code dropped inside a task are waited for by the group of that task.
pub async fn orphans_below_a_task_are_gone_when_the_group_returns() {
    let alive = Arc::new(());
    let token = alive.clone();
    let outcome = task_group(async |tg| {
        tg.spawn(async move {
            let inner = task_group(async move |tg| {
                tg.spawn(shield(async move {
                    turns(20).await;
                    drop(token);
                }));
                sleep_forever().await;
            });
            assert!(poll_times(1, Box::pin(inner)).await.is_err());
        });
    })
    .await;
    assert_eq!((outcome, Arc::strong_count(&alive)), (Ok(()), 1));
}

/// G1: A blocking job runs to its end although its group is cancelled, and the group waits for it.
pub async fn a_blocking_job_is_waited_for() {
    let done = Arc::new(AtomicBool::new(false));
    let ends = done.clone();
    let outcome = task_group(async |tg| {
        let (started, starts) = oneshot::channel();
        tg.spawn_blocking(move || {
            started.send(()).unwrap();
            block(SHORT);
            ends.store(true, Ordering::SeqCst);
        });
        starts.await.unwrap();
        tg.cancel();
    })
    .await;
    assert_eq!((outcome, done.load(Ordering::SeqCst)), (Ok(()), true));
}

/// A backend that keeps its blocking jobs, and leaves everything else to another.
struct KeepsJobs {
    inner: Arc<dyn Backend>,
    jobs: Arc<Mutex<Vec<Job>>>,
}

impl Spawn for KeepsJobs {
    fn spawn(&self, task: Task) {
        self.inner.spawn(task);
    }
}

impl Checkpoint for KeepsJobs {
    fn checkpoint(&self, waker: &Waker) {
        self.inner.checkpoint(waker);
    }
}

impl Clock for KeepsJobs {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        self.inner.timer(deadline)
    }

    fn is_virtual(&self) -> bool {
        self.inner.is_virtual()
    }

    fn follow_real_time(&self) -> Option<Box<dyn Any + Send + Sync>> {
        self.inner.follow_real_time()
    }
}

impl Blocking for KeepsJobs {
    fn spawn_blocking(&self, job: Job) {
        self.jobs.lock().push(job);
    }
}

impl Backend for KeepsJobs {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
}

/// G1, W4: A blocking job that its runtime drops unrun counts until what it has captured is dropped; the hook hears of
/// it, and of a destructor that panics then.
pub async fn a_blocking_job_that_never_ran_is_dropped_before_it_is_counted_out() {
    let (jobs, closed) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(AtomicBool::new(false)));
    let backend = KeepsJobs { inner: Runtime::current().unwrap().backend().clone(), jobs: jobs.clone() };
    let unrun = Arc::new(AtomicUsize::new(0));
    let hears = unrun.clone();
    let runtime = Runtime::new(backend).with_hook(move |outcome| {
        hears.fetch_add(matches!(outcome, Unhandled::NeverRan { .. }).into(), Ordering::SeqCst);
    });
    let group = task_group(async |tg| {
        let (looks, closed) = (tg.clone(), closed.clone());
        let looks = OnDrop(move || closed.store(looks.is_closed(), Ordering::SeqCst));
        tg.spawn_blocking(move || drop(looks));
        let bomb = bomb("unrun");
        tg.spawn_blocking(move || drop(bomb));
    });
    let shut_down = async {
        turns(1).await;
        jobs.lock().clear();
    };
    assert_eq!(caught(enter(runtime, beside(group, shut_down))).await.unwrap_err(), "unrun");
    assert_eq!((closed.load(Ordering::SeqCst), unrun.load(Ordering::SeqCst)), (false, 2));
}

/// G2: The failure of a blocking job, and its panic, are those of a task.
pub async fn a_blocking_job_fails_like_a_task() {
    let failed = try_task_group(async |tg| {
        tg.spawn_blocking(|| Err::<(), _>("job"));
        sleep_forever().await;
        Ok(())
    })
    .await;
    assert_eq!(errors(&failed.unwrap_err()), ["job"]);
    let panicked = task_group(async |tg| {
        tg.spawn_blocking(|| panic!("job"));
        sleep_forever().await;
    });
    assert_eq!(caught(panicked).await.unwrap_err(), "job");
}

/// G2: The first failure cancels the other tasks and the body, and they are told which task it was.
pub async fn the_first_failure_cancels_the_rest() {
    let (drops, seen) = (Drops::new(), RefCell::new(None));
    let outcome = try_task_group(async |tg| {
        let token = drops.token();
        let sleeper = tg.spawn(async {
            let _token = token;
            sleep_forever().await;
            Ok(())
        });
        tg.task().name("bad").spawn(async { Err::<(), _>("bad") });
        *seen.borrow_mut() = shield(sleeper).await.err();
        sleep_forever().await;
        Ok(())
    })
    .await;
    assert_eq!(errors(&outcome.unwrap_err()), ["bad"]);
    let Some(TaskError::Cancelled(cancelled)) = seen.take() else { panic!("the sleeper was not cancelled") };
    let CancelReason::SiblingFailed(Some(task)) = cancelled.reason() else { panic!("{cancelled}") };
    assert_eq!((task.name(), drops.count()), (Some("bad"), 1));
}

/// G2, C5: Of many tasks that fail at the same time one is the first: it alone is not secondary, and it is the one that
/// the others were cancelled for.
pub async fn of_many_failures_one_is_the_first() {
    for _ in 0..1000 {
        let sleeper = RefCell::new(None);
        let outcome = try_task_group(async |tg| {
            *sleeper.borrow_mut() = Some(tg.spawn_ok(sleep_forever()));
            (0..8).for_each(|number| drop(tg.spawn(async move { Err::<(), _>(number) })));
            forever::<Result<(), _>>().await
        });
        let error = outcome.await.unwrap_err();
        let Err(TaskError::Cancelled(cancelled)) = sleeper.take().unwrap().await else {
            panic!("it was not cancelled")
        };
        let first = error.failures().next().unwrap();
        assert_eq!(cancelled.reason(), &CancelReason::SiblingFailed(first.task().cloned()));
        assert!(secondary(&error).iter().enumerate().all(|(place, secondary)| *secondary == (place > 0)));
        let mut numbers = errors(&error);
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}

/// G2: Errors come in the order in which the tasks ended, with their names and where they were spawned.
pub async fn errors_come_in_the_order_of_completion_with_name_and_place() {
    let (late_may_end, opens) = gate();
    let mut lines = [0; 2];
    let outcome = try_task_group(async |tg| {
        lines[0] = line!() + 1;
        let late = tg.spawn(async {
            pass(late_may_end).await;
            Err::<(), _>("late")
        });
        lines[1] = line!() + 1;
        let early = tg.task().name("early").spawn(ready(Err::<(), _>("early")));
        assert!(shield(early).await.is_err());
        opens.set();
        assert!(shield(late).await.is_err());
        Err::<(), _>("body")
    })
    .await;
    let error = outcome.unwrap_err();
    assert_eq!(errors(&error), ["early", "late", "body"]);
    assert_eq!(names(&error), [Some("early"), None, None]);
    assert_eq!(places(&error), [Some((file!(), lines[1])), Some((file!(), lines[0])), None]);
}

/// G2: What fails after the first failure is secondary, the body too.
pub async fn what_fails_after_the_first_failure_is_secondary() {
    let (may_end, opens) = gate();
    let outcome = try_task_group(async |tg| {
        let second = tg.spawn(after(pass(may_end), Err::<(), _>(())));
        let first = tg.spawn(ready(Err::<(), _>(())));
        assert!(shield(first).await.is_err());
        opens.set();
        assert!(shield(second).await.is_err());
        Err::<(), _>(())
    })
    .await;
    assert_eq!(secondary(&outcome.unwrap_err()), [false, true, true]);
}

/// G2: What fails after the group was cancelled is secondary, even if it is the first to fail.
pub async fn what_fails_after_the_groups_cancellation_is_secondary() {
    let body = try_task_group(async |tg: TryTaskGroup<_>| {
        tg.cancel();
        Err::<(), _>("body")
    });
    assert_eq!(secondary(&body.await.unwrap_err()), [true]);
    let task = try_task_group(async |tg| {
        tg.cancel();
        tg.spawn(ready(Err::<(), _>("task")));
        Ok(())
    });
    assert_eq!(secondary(&task.await.unwrap_err()), [true]);
}

/// G2, G3: What fails after a scope around was cancelled is secondary, whether it is a task or the body.
pub async fn what_fails_after_an_outer_cancellation_is_secondary() {
    for body_fails in [false, true] {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let group = try_task_group(async |tg| {
            handle.cancel();
            if body_fails {
                return Err("body");
            }
            tg.spawn(ready(Err::<(), _>("task")));
            Ok(())
        });
        let error = scope.run(group).await.unwrap().unwrap_err();
        assert_eq!(secondary(&error), [true], "{error}");
    }
}

/// G2: The error of the body cancels the tasks, which are told so.
pub async fn the_error_of_the_body_cancels_the_tasks() {
    let mut sleeper = None;
    let outcome = try_task_group(async |tg| {
        sleeper = Some(tg.spawn_ok(sleep_forever()));
        Err::<(), _>("body")
    })
    .await;
    let error = outcome.unwrap_err();
    assert_eq!((errors(&error), secondary(&error), names(&error)), (vec!["body"], vec![false], vec![None]));
    let Err(TaskError::Cancelled(cancelled)) = sleeper.unwrap().await else { panic!("it was not cancelled") };
    assert_eq!(cancelled.reason(), &CancelReason::SiblingFailed(None));
}

/// G2: The group waits for all, also after a failure.
pub async fn a_group_that_failed_waits_for_all() {
    let alive = Arc::new(());
    let token = alive.clone();
    let outcome = try_task_group(async |tg| {
        tg.spawn(async move {
            shield(turns(20)).await;
            drop(token);
            Ok(())
        });
        Err::<(), _>("body")
    })
    .await;
    assert_eq!((outcome.is_err(), Arc::strong_count(&alive)), (true, 1));
}

/// G2: Tasks that are cut short are no errors, however many there are and whatever the cause.
pub async fn cancelled_tasks_are_no_errors() {
    let failed = try_task_group(async |tg| {
        for _ in 0..10 {
            tg.spawn_ok(sleep_forever());
        }
        Err::<(), _>("body")
    });
    assert_eq!(errors(&failed.await.unwrap_err()), ["body"]);
    let cancelled = try_task_group(async |tg| {
        let sleeper = tg.spawn(forever::<Result<(), ()>>());
        sleeper.cancel();
        tg.spawn(forever::<Result<(), ()>>());
        assert!(sleeper.await.is_err());
        tg.cancel();
        Ok("value")
    });
    assert_eq!(cancelled.await.unwrap(), "value");
}

/// G2, G9: A destructor that panics is its task's panic, when the task completes and when it is cut short.
pub async fn a_panic_in_a_destructor_is_its_tasks() {
    let completes = task_group(async |tg| {
        let task = tg.spawn(async { drop(bomb("at the end")) });
        assert!(matches!(shield(task).await, Err(TaskError::Panicked)));
    });
    assert_eq!(caught(completes).await.unwrap_err(), "at the end");
    let is_cut = task_group(async |tg| {
        let bomb = bomb("on the way");
        let task = tg.spawn(async move {
            let _bomb = bomb;
            sleep_forever().await;
        });
        task.cancel();
        assert!(matches!(shield(task).await, Err(TaskError::Panicked)));
    });
    assert_eq!(caught(is_cut).await.unwrap_err(), "on the way");
}

/// G2, G8: A panic in the destructor of a value that nobody wants is the panic of its task.
pub async fn a_panic_in_the_destructor_of_an_unwanted_value_is_its_tasks() {
    let outcome = GroupBuilder::new().panics_are_errors().run(async |tg| {
        let (unwanted, opens) = gate();
        tg.task().name("careless").spawn(after(pass(unwanted), Ok(bomb("unwanted"))));
        opens.set();
        Ok::<(), &str>(())
    });
    let error = outcome.await.unwrap_err();
    assert_eq!((error.to_string(), names(&error)), ("panicked: unwanted".to_owned(), vec![Some("careless")]));
}

/// G2, G9: A future that panics, and panics again as it is dropped, loses neither: the second goes to the hook.
pub async fn a_second_panic_of_a_task_goes_to_the_hook() {
    struct Twice {
        _bomb: OnDrop<fn()>,
    }
    impl Future for Twice {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
            panic!("first")
        }
    }
    let (runtime, heard) = hooked();
    let group = task_group(async |tg| drop(tg.spawn(Twice { _bomb: OnDrop(|| panic!("second")) })));
    assert_eq!(caught(enter(runtime, group)).await.unwrap_err(), "first");
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::Panicked { message, .. } if message == "second")), 1);
}

/// G2: A group of more than thirty tasks fails at once: it does not matter how many are waited for.
pub async fn many_tasks_fail_as_fast_as_few() {
    for count in [1, 31, 1000] {
        let outcome = try_task_group(async |tg| {
            let mut tasks: Vec<_> = (0..count).map(|_| tg.spawn_ok(sleep_forever())).collect();
            tasks.push(tg.spawn(async { Err("fast") }));
            for task in tasks {
                task.value().await;
            }
            Ok(())
        });
        assert_eq!(errors(&outcome.await.unwrap_err()), ["fast"]);
    }
}

/// G3: The value of the body is returned when nothing failed and nothing was cut short from outside.
pub async fn a_group_in_which_nothing_went_wrong_returns_the_value() {
    let plain = task_group(async |tg| {
        let alone = tg.spawn(sleep_forever());
        alone.cancel();
        tg.spawn(turns(3));
        "plain"
    });
    assert_eq!(plain.await, Ok("plain"));
    let fallible = try_task_group(async |tg| {
        tg.spawn(after(turns(3), Ok::<_, ()>(())));
        tg.spawn_ok(turns(3));
        Ok("fallible")
    });
    assert_eq!(fallible.await.unwrap(), "fallible");
}

/// G3: A task that was cut short by a cause from outside takes the place of the value, although the body completed.
pub async fn a_task_cut_short_from_outside_means_no_value() {
    let (scope, seen) = (CancelScope::new(), RefCell::new(None));
    let handle = scope.handle();
    let body = async {
        let (resolved, held) = gate();
        let group = async {
            let outcome = task_group(async |tg| drop(tg.spawn(sleep_forever()))).await;
            *seen.borrow_mut() = Some(outcome);
            resolved.set();
        };
        let cancel = async {
            turns(2).await;
            handle.cancel_with("outer");
            pass(held).await;
        };
        join(group, cancel).await;
    };
    assert!(scope.run(body).await.is_ok());
    assert!(says(&seen.take().unwrap().unwrap_err(), "outer"));
}

/// G3, C4: Without errors the outer reason is told, also if the group's own cancellation came first.
pub async fn the_outer_reason_beats_the_groups_own() {
    let (scope, seen) = (CancelScope::new(), RefCell::new(None));
    let handle = scope.handle();
    let body = async {
        let (resolved, held) = gate();
        let group = async {
            let outcome = task_group(async |tg| {
                tg.scope().cancel_with("own");
                handle.cancel_with("outer");
                sleep_forever().await;
            });
            *seen.borrow_mut() = Some(outcome.await);
            resolved.set();
        };
        join(group, pass(held)).await;
    };
    assert!(scope.run(body).await.is_ok());
    assert!(says(&seen.take().unwrap().unwrap_err(), "outer"));
}

/// G3, C4: A group that was cut short from outside, without errors, is dropped there: code after it does not run.
pub async fn a_group_cut_short_from_outside_offers_itself_first() {
    for in_body in [false, true] {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let mut reached = false;
        let outcome = scope.run(async {
            let group = task_group(async |tg| {
                tg.spawn(sleep_forever());
                handle.cancel_with("outer");
                if in_body {
                    sleep_forever().await;
                }
            });
            let _ = group.await;
            reached = true;
        });
        assert!(says(&outcome.await.unwrap_err(), "outer"));
        assert!(!reached, "in the body: {in_body}");
    }
}

/// G3: Errors beat an outer cancellation; the code after the group gets them, and both can be told apart.
pub async fn errors_beat_an_outer_cancellation_and_split_gives_both() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut split = None;
    let outcome = scope.run(async {
        let group = try_task_group(async |tg| {
            tg.spawn_ok(sleep_forever());
            handle.cancel_with("outer");
            tg.spawn(ready(Err::<(), _>("late")));
            Ok(())
        });
        split = Some(group.await.unwrap_err().split());
        sleep_forever().await;
    });
    assert!(says(&outcome.await.unwrap_err(), "outer"));
    let (cancelled, failures) = split.unwrap();
    assert!(says(&cancelled.unwrap(), "outer"));
    assert_eq!(failures.iter().map(|failure| failure.error()).collect::<Vec<_>>(), [Some(&"late")]);
}

/// G3, D7: Errors beat a timeout around the group too: a value is a value.
pub async fn errors_beat_a_timeout() {
    let group = try_task_group(async |tg| {
        tg.spawn(async { Err::<(), _>(cancelled().await) });
        forever::<Result<(), _>>().await
    });
    let error = timeout(SHORT, group).await.unwrap().unwrap_err();
    assert_eq!(
        (secondary(&error), error.errors().next().unwrap().reason()),
        (vec![true], &CancelReason::DeadlinePassed)
    );
}

/// G3: Errors alone, and a cancellation alone, are split into what there is.
pub async fn split_gives_what_there_is() {
    let errors = try_task_group(async |_: TryTaskGroup<_>| Err::<(), _>("body")).await;
    let (cancelled, failures) = errors.unwrap_err().split();
    assert_eq!((cancelled, failures.len()), (None, 1));
    let cancelled = try_task_group(async |tg: TryTaskGroup<()>| {
        tg.scope().cancel_with("own");
        forever::<Result<(), _>>().await
    });
    let (cancelled, failures) = cancelled.await.unwrap_err().split();
    assert!(says(&cancelled.unwrap(), "own") && failures.is_empty());
}

/// G3, G5: Tasks that end by themselves under an outer cancellation do not take the value away.
pub async fn tasks_that_end_by_themselves_leave_the_value() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let group = task_group(async |tg| {
        handle.cancel();
        tg.spawn(shield(turns(5)));
        tg.spawn(ready(()));
        "value"
    });
    assert_eq!(scope.run(group).await, Ok(Ok("value")));
}

/// G4: The group's own cancellation cuts tasks and body short, and is told with its text.
pub async fn the_groups_own_cancellation_cuts_tasks_and_body_short() {
    let drops = Drops::new();
    let outcome = task_group(async |tg| {
        for _ in 0..10 {
            let token = drops.token();
            tg.spawn(async {
                let _token = token;
                sleep_forever().await;
            });
        }
        tg.scope().cancel_with("enough");
        sleep_forever().await;
    })
    .await;
    assert!(says(&outcome.unwrap_err(), "enough"));
    assert_eq!(drops.count(), 10);
}

/// G4: When the body has completed, its value survives the group's own cancellation, before and after.
pub async fn a_completed_body_survives_the_groups_own_cancellation() {
    let before = task_group(async |tg| {
        tg.spawn(sleep_forever());
        tg.cancel();
        "before"
    });
    assert_eq!(before.await, Ok("before"));
    let after = async {
        let (send, receive) = oneshot::channel();
        let group = task_group(async |tg| {
            tg.spawn(sleep_forever());
            send.send(tg.clone()).unwrap();
            "after"
        });
        beside(group, async { receive.await.unwrap().cancel() }).await
    };
    assert_eq!(after.await, Ok("after"));
}

/// G5: A group that waits at its exit while a scope around is cancelled returns normally if all tasks end by themselves;
/// the code after it runs to its next suspension.
pub async fn waiting_at_the_exit_is_no_point_of_cancellation() {
    let (scope, steps) = (CancelScope::new(), Cell::new(0));
    let handle = scope.handle();
    let (may_end, opens) = gate();
    let body = async {
        let group = task_group(async |tg| {
            tg.spawn(pass(may_end));
            "value"
        });
        assert_eq!(group.await, Ok("value"));
        steps.set(1);
        checkpoint().await;
        steps.set(2);
    };
    let cancel = async {
        turns(2).await;
        handle.cancel();
        turns(2).await;
        opens.set();
    };
    assert!(beside(scope.run(body), cancel).await.is_err());
    assert_eq!(steps.get(), 1);
}

/// What `act` does, on this thread, while `body` is pending; then pending as well.
async fn amid<F: Future>(body: F, act: impl FnOnce()) {
    let mut act = Some(act);
    let meddle = poll_fn(|_| {
        act.take().into_iter().for_each(|act| act());
        Poll::<()>::Pending
    });
    join(body, meddle).await;
}

/// G5, G3: A group whose last task ends on another thread, in the midst of a poll of the cancelled scope around, has its
/// outcome collected, not dropped.
pub async fn what_ends_in_the_midst_of_a_poll_is_collected() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let (may_end, ends) = oneshot::channel::<()>();
    let (thread, collected) = (Cell::new(None), RefCell::new(None));
    let group = async {
        let outcome = try_task_group(async |tg| {
            let task = tg.attach(shield(async move { Err::<(), _>(ends.await) }));
            thread.set(Some(on_thread(move || block_on(task).is_err())));
            handle.cancel();
            Ok(())
        });
        *collected.borrow_mut() = Some(outcome.await);
    };
    let body = amid(group, || {
        may_end.send(()).unwrap();
        assert!(thread.take().unwrap().join().unwrap());
    });
    assert!(scope.run(body).await.is_err());
    assert_eq!(errors(&collected.take().unwrap().unwrap_err()), [Ok(())]);
}

/// G5: The same with tasks of the runtime, thousands of times: a task ends while the scope around is being cancelled and
/// polled without pause.
pub async fn a_group_that_drains_under_a_busy_host_returns() {
    for round in 0..400 {
        let (scope, reached) = (CancelScope::new(), Cell::new(false));
        let handle = scope.handle();
        let busy = poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        let group = async {
            let outcome = task_group(async |tg| {
                tg.spawn(shield(turns(round % 8)));
                handle.cancel();
            });
            assert_eq!(outcome.await, Ok(()));
            reached.set(true);
        };
        assert!(scope.run(join(group, busy)).await.is_err());
        assert!(reached.get(), "round {round}");
    }
}

/// G5, C3: A group that ends does not cancel the scope around it.
pub async fn the_end_of_a_group_cancels_nothing_around() {
    for _ in 0..1000 {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let group = task_group(async |tg| drop(tg.spawn(ready(()))));
        assert_eq!(scope.run(group).await, Ok(Ok(())));
        assert!(!handle.cancel_requested());
    }
}

/// G6: Tasks may spawn siblings after the body has ended, as long as they are alive themselves.
pub async fn tasks_spawn_siblings_after_the_body_has_ended() {
    let (ended, over) = gate();
    let count = Arc::new(AtomicUsize::new(0));
    let group = task_group(async |tg| {
        let (siblings, count) = (tg.clone(), count.clone());
        tg.spawn(async move {
            ended.wait().await;
            for _ in 0..3 {
                let count = count.clone();
                siblings.spawn(async move { count.fetch_add(1, Ordering::SeqCst) });
            }
        });
    });
    let body_is_over = async {
        turns(1).await;
        over.set();
    };
    assert_eq!(beside(group, body_is_over).await, Ok(()));
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

/// G6, R1: A pending start keeps the group open, although the body and all tasks have ended.
pub async fn a_pending_start_keeps_the_group_open() {
    let (send, receive) = oneshot::channel();
    let (may_start, starts) = gate();
    let group = task_group(async |tg| {
        let first = tg.spawn(sleep_forever());
        send.send((tg.clone(), first)).unwrap();
    });
    let outside = async {
        let (tg, first) = receive.await.unwrap();
        let mut start = Box::pin(tg.start(async move |started| {
            may_start.wait().await;
            started.started("value").unwrap();
        }));
        start = poll_times(1, start).await.err().unwrap();
        assert!(first.cancel_and_join().await.is_err());
        turns(5).await;
        assert!(!tg.is_closed() && tg.spawn(ready(())).await.is_ok());
        starts.set();
        assert_eq!(start.await.unwrap(), "value");
        until(|| tg.is_closed()).await;
    };
    assert_eq!(beside(group, outside).await, Ok(()));
}

/// A group that has closed.
async fn closed() -> TaskGroup {
    task_group(async |tg| tg).await.unwrap()
}

/// G6: Where the group has closed, `spawn` drops the future, the handle says so, and the hook hears of it.
pub async fn spawning_into_a_closed_group_says_so() {
    let (runtime, heard) = hooked();
    let (drops, polled) = (Drops::new(), Arc::new(AtomicBool::new(false)));
    let late = async {
        let (token, polls) = (drops.token(), polled.clone());
        let task = closed().await.task().name("late").spawn(async move {
            let _token = token;
            polls.store(true, Ordering::SeqCst);
        });
        assert_eq!((drops.count(), task.status()), (1, TaskStatus::Closed));
        assert!(matches!(task.await, Err(TaskError::Closed)));
        assert_eq!(closed().await.spawn_blocking(|| ()).status(), TaskStatus::Closed);
    };
    enter(runtime, late).await;
    assert!(!polled.load(Ordering::SeqCst));
    let is_late =
        |outcome: &_| matches!(outcome, Unhandled::SpawnedIntoClosedGroup { task, .. } if task.name() == Some("late"));
    assert_eq!((heard.count(is_late), heard.texts().len()), (1, 2));
}

/// G6: Where the group has closed, `try_spawn` gives the future back, untouched.
pub async fn try_spawn_gives_the_future_back() {
    let (runtime, heard) = hooked();
    let late = async {
        let refused = closed().await.try_spawn(async { 42 }).unwrap_err();
        assert_eq!(refused.0.await, 42);
    };
    enter(runtime, late).await;
    assert!(heard.is_empty());
}

/// G6: A group is closed, to all who look, as soon as it has returned.
pub async fn a_group_that_has_returned_has_closed() {
    assert!(closed().await.is_closed());
    let failed = RefCell::new(None);
    let outcome = try_task_group(async |tg| {
        *failed.borrow_mut() = Some(tg.clone());
        tg.spawn(ready(Err::<(), _>(())));
        forever::<Result<(), _>>().await
    });
    assert!(outcome.await.is_err());
    assert!(failed.take().unwrap().is_closed());
}

/// Spawns up to `count` tasks from a thread of its own, until one is refused; says how many were accepted.
fn spawn_from_thread(tg: TaskGroup, count: u32, ran: &Arc<AtomicUsize>) -> thread::JoinHandle<usize> {
    let ran = ran.clone();
    let accepted = move |_: &u32| {
        let ran = ran.clone();
        thread::yield_now();
        tg.try_spawn(async move { ran.fetch_add(1, Ordering::SeqCst) }).is_ok()
    };
    on_thread(move || (0..count).take_while(accepted).count())
}

/// G6, G1: Eight threads that spawn race with the exit of the group: what was accepted has run when it returns, what was
/// refused never runs.
pub async fn spawning_from_eight_threads_races_with_the_exit() {
    for round in 0..200 {
        let ran = Arc::new(AtomicUsize::new(0));
        let threads = task_group(async |tg| {
            let threads: Vec<_> = (0..8).map(|thread| spawn_from_thread(tg.clone(), 4 * thread, &ran)).collect();
            turns(round % 16).await;
            threads
        });
        let threads = threads.await.unwrap();
        let at_return = ran.load(Ordering::SeqCst);
        let accepted: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!((at_return, ran.load(Ordering::SeqCst)), (accepted, accepted), "round {round}");
    }
}

/// G6, G1: The same with a group deep inside others, all of which are about to close.
pub async fn spawning_from_eight_threads_races_with_the_exit_of_nested_groups() {
    for round in 0..100 {
        let ran = Arc::new(AtomicUsize::new(0));
        let inner = task_group(async |tg| {
            let threads: Vec<_> = (0..8).map(|thread| spawn_from_thread(tg.clone(), 4 * thread, &ran)).collect();
            turns(round % 4).await;
            threads
        });
        let scoped = CancelScope::new().run(task_group(async |_| inner.await.unwrap()));
        let threads = task_group(async |_| scoped.await.unwrap().unwrap()).await.unwrap();
        let at_return = ran.load(Ordering::SeqCst);
        let accepted: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!((at_return, ran.load(Ordering::SeqCst)), (accepted, accepted), "round {round}");
    }
}

/// G6: An accept loop that goes on after its group is over does not panic: the hook hears of every connection that was
/// refused, and the others are served.
pub async fn an_accept_loop_may_outlive_its_group() {
    let (runtime, heard) = hooked();
    let served = Arc::new(AtomicUsize::new(0));
    let group = task_group(async |tg| {
        let (tg, served) = (tg.clone(), served.clone());
        let serve = move |_| {
            let served = served.clone();
            thread::yield_now();
            tg.spawn(async move { served.fetch_add(1, Ordering::SeqCst) }).status() == TaskStatus::Closed
        };
        let accept = on_thread(move || (0..1000).map(serve).filter(|refused| *refused).count());
        turns(20).await;
        accept
    });
    let refused = enter(runtime, group).await.unwrap().join().unwrap();
    let told = heard.count(|outcome| matches!(outcome, Unhandled::SpawnedIntoClosedGroup { .. }));
    assert_eq!((refused, served.load(Ordering::SeqCst)), (told, 1000 - told));
}

/// G7, C2: A task that is spawned into a cancelled, still open group gets exactly one poll.
pub async fn a_task_spawned_into_a_cancelled_group_gets_one_poll() {
    let polls = Arc::new(AtomicUsize::new(0));
    let mut outcomes = Vec::new();
    let group = task_group(async |tg| {
        tg.cancel();
        for _ in 0..10 {
            let polls = polls.clone();
            outcomes.push(tg.spawn(poll_fn(move |cx| {
                polls.fetch_add(1, Ordering::SeqCst);
                cx.waker().wake_by_ref();
                Poll::<()>::Pending
            })));
        }
        outcomes.push(tg.spawn(ready(())));
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(polls.load(Ordering::SeqCst), 10);
    let completed = outcomes.iter().map(|task| task.status() == TaskStatus::Completed);
    assert!(completed.eq((0..11).map(|number| number == 10)));
}

/// G7: Spawning works from a thread that knows no runtime; the task runs on the group's.
pub async fn spawning_works_outside_the_runtime() {
    let value = task_group(async |tg| {
        let (tg, (send, receive)) = (tg.clone(), oneshot::channel());
        let outside = move || {
            let task = tg.spawn(async {
                sleep(SHORT).await;
                Runtime::current().unwrap().name()
            });
            send.send(task).unwrap();
        };
        on_thread(outside);
        receive.await.unwrap().value().await
    });
    assert_eq!(value.await, Ok(Runtime::current().unwrap().name()));
}

/// G7: Destructors may spawn: of the body and of a task, when they complete and when they are cut short.
pub async fn destructors_may_spawn() {
    let ran = Arc::new(AtomicUsize::new(0));
    let spawner = |tg: &TaskGroup| {
        let (tg, ran) = (tg.clone(), ran.clone());
        OnDrop(move || {
            let ran = ran.clone();
            drop(tg.spawn(async move { ran.fetch_add(1, Ordering::SeqCst) }));
        })
    };
    let group = task_group(async |tg| {
        let (in_task, in_cut_task, _in_body) = (spawner(&tg), spawner(&tg), spawner(&tg));
        tg.spawn(async { drop(in_task) });
        tg.spawn(async {
            let _in_cut_task = in_cut_task;
            sleep_forever().await;
        });
        tg.cancel();
        sleep_forever().await;
    });
    assert!(group.await.is_err());
    assert_eq!(ran.load(Ordering::SeqCst), 3);
}

/// G6, G8: The destructor of the value of the last task may spawn: the task is not counted out yet.
pub async fn the_destructor_of_an_unwanted_value_may_spawn() {
    let ran = Arc::new(AtomicBool::new(false));
    let (ended, over) = gate();
    let group = task_group(async |tg| {
        let (siblings, runs) = (tg.clone(), ran.clone());
        tg.spawn(async move {
            ended.wait().await;
            OnDrop(move || {
                let runs = runs.clone();
                assert!(siblings.try_spawn(async move { runs.store(true, Ordering::SeqCst) }).is_ok());
            })
        });
    });
    let body_is_over = async {
        turns(1).await;
        over.set();
    };
    assert_eq!(beside(group, body_is_over).await, Ok(()));
    assert!(ran.load(Ordering::SeqCst));
}

thread_local! {
    /// Whether this thread is inside a call of `spawn`.
    static SPAWNING: Cell<bool> = const { Cell::new(false) };
}

/// G7: `spawn` never polls inside the call, nor does cancelling, from a task, the body or a thread.
pub async fn spawning_never_polls_inline() {
    async fn spawn_some(tg: &TaskGroup, inline: &Arc<AtomicUsize>) {
        for _ in 0..100 {
            let inline = inline.clone();
            SPAWNING.set(true);
            tg.spawn(async move { inline.fetch_add(SPAWNING.get().into(), Ordering::SeqCst) });
            SPAWNING.set(false);
            checkpoint().await;
        }
    }
    let inline = Arc::new(AtomicUsize::new(0));
    let group = task_group(async |tg| {
        let (siblings, count) = (tg.clone(), inline.clone());
        tg.spawn(async move { spawn_some(&siblings, &count).await });
        spawn_some(&tg, &inline).await;
        SPAWNING.set(true);
        tg.cancel();
        SPAWNING.set(false);
        spawn_some(&tg, &inline).await;
    });
    assert!(group.await.is_err());
    assert_eq!(inline.load(Ordering::SeqCst), 0);
}

/// G7: The hook, told of a refused task, may spawn elsewhere and cancel: no lock is held while it runs.
pub async fn the_hook_may_use_groups() {
    let (send, receive) = mpsc::channel::<(TaskGroup, TaskGroup)>();
    let receive = Mutex::new(receive);
    let runtime = Runtime::current().unwrap().with_hook(move |_| {
        let (open, closed) = receive.lock().recv().unwrap();
        assert!(closed.try_spawn(ready(())).is_err());
        drop(open.spawn(ready(())));
        open.cancel();
    });
    let late = task_group(async |tg| {
        let closed = closed().await;
        send.send((tg.clone(), closed.clone())).unwrap();
        drop(closed.spawn(ready(())));
        sleep_forever().await;
    });
    assert!(enter(runtime, late).await.is_err());
}

/// G8: A finished task retains nothing: neither its value, nor its name, nor what it has captured.
pub async fn finished_tasks_retain_nothing() {
    let (drops, name): (_, Arc<str>) = (Drops::new(), "short-lived".into());
    let group = task_group(async |tg| {
        for batch in 1..=50 {
            for _ in 0..200 {
                let (captured, value) = (drops.token(), drops.token());
                tg.task().name(name.clone()).spawn(async move {
                    let _captured = captured;
                    checkpoint().await;
                    value
                });
            }
            until(|| drops.count() == batch * 400 && Arc::strong_count(&name) == 1).await;
        }
    });
    assert_eq!(group.await, Ok(()));
}

/// G8: A value lives as long as its handle, and no longer; one whose handle goes first is dropped in the task.
pub async fn a_value_lives_as_long_as_its_handle() {
    let drops = Drops::new();
    let (kept, unwanted) = (drops.token(), drops.token());
    let mut handles = task_group(async |tg| {
        tg.spawn(ready(unwanted));
        [tg.spawn(ready(kept))]
    })
    .await
    .unwrap();
    assert_eq!(drops.count(), 1);
    let value = (&mut handles[0]).await.unwrap();
    drop(handles);
    assert_eq!(drops.count(), 1);
    drop(value);
    assert_eq!(drops.count(), 2);
}

/// G9: A panic cancels the siblings; the group drains; all other errors and panics go to the hook; then the first panic
/// is resumed in the host.
pub async fn the_first_panic_is_resumed_after_the_drain() {
    let ((runtime, heard), drops) = (hooked(), Drops::new());
    let group = try_task_group(async |tg| {
        let (token, (error, opens)) = (drops.token(), gate());
        let panic = opens.clone();
        tg.spawn(async {
            let _token = token;
            forever::<Result<(), _>>().await
        });
        tg.spawn(after(pass(error), Err::<(), _>(())));
        tg.task().name("second").spawn(async {
            pass(panic).await;
            panics::<Result<(), _>>("second").await
        });
        let first = tg.spawn(panics::<Result<(), _>>("first"));
        assert!(matches!(shield(first).await, Err(TaskError::Panicked)));
        opens.set();
        forever::<Result<(), _>>().await
    });
    assert_eq!(caught(enter(runtime, group)).await.unwrap_err(), "first");
    let named = |task: &Option<TaskInfo>| task.as_ref().and_then(TaskInfo::name) == Some("second");
    let second = |outcome: &_| matches!(outcome, Unhandled::Panicked { task, message, .. } if message == "second" && named(task));
    let error = |outcome: &_| matches!(outcome, Unhandled::Failed { error, .. } if error.is::<()>());
    assert_eq!((heard.count(second), heard.count(error), heard.texts().len(), drops.count()), (1, 1, 2, 1));
}

/// G9: A panic of the body, also while it is made, and a panic after an error, are resumed as well.
pub async fn a_panic_of_the_body_is_resumed() {
    let in_body = task_group(async |tg| {
        tg.spawn(sleep_forever());
        panics::<()>("in the body").await;
    });
    assert_eq!(caught(in_body).await.unwrap_err(), "in the body");
    let at_once = task_group(|tg: TaskGroup| {
        tg.spawn(sleep_forever());
        if !tg.is_closed() {
            panic!("at once");
        }
        ready(())
    });
    assert_eq!(caught(at_once).await.unwrap_err(), "at once");
}

/// G9: A panic beats the errors that came before it, which go to the hook, and an outer cancellation.
pub async fn a_panic_beats_errors_and_cancellation() {
    let ((runtime, heard), scope) = (hooked(), CancelScope::new());
    let handle = scope.handle();
    let group = try_task_group(async |tg| {
        tg.spawn_ok(sleep_forever());
        handle.cancel();
        let failed = tg.spawn(ready(Err::<(), _>("first")));
        assert!(shield(failed).await.is_err());
        panics("late").await
    });
    let outcome: Result<Result<Result<(), _>, _>, _> = caught(enter(runtime, scope.run(group))).await;
    assert_eq!(outcome.unwrap_err(), "late");
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::Failed { error, .. } if error.is::<&str>())), 1);
}

/// G9: By policy panics are errors, of tasks and of the body; nothing is resumed, nothing goes to the hook.
pub async fn panics_are_errors_by_policy() {
    let (runtime, heard) = hooked();
    let group = GroupBuilder::new().panics_are_errors().run(async |tg| {
        let task = tg.task().name("task").spawn(panics::<Result<(), _>>("in the task"));
        assert!(matches!(shield(task).await, Err(TaskError::Panicked)));
        panics::<Result<(), ()>>("in the body").await
    });
    let error = enter(runtime, group).await.unwrap_err();
    let panics = error.failures().map(|failure| match failure.kind() {
        FailureKind::Panic(payload) => payload.message(),
        kind => panic!("{kind:?}"),
    });
    assert!(panics.eq(["in the task", "in the body"]));
    assert_eq!((secondary(&error), names(&error)), (vec![false, true], vec![Some("task"), None]));
    assert!(heard.is_empty());
}

/// G9: No panic reaches the runtime: its threads go on.
pub async fn the_runtime_survives_panics() {
    for _ in 0..20 {
        let group = task_group(async |tg| {
            for _ in 0..8 {
                tg.spawn(panics::<()>("many"));
            }
            sleep_forever().await;
        });
        let (runtime, _heard) = hooked();
        assert_eq!(caught(enter(runtime, group)).await.unwrap_err(), "many");
    }
    let sum = task_group(async |tg| tg.spawn(async { 1 }).value().await + tg.spawn_blocking(|| 1).value().await);
    assert_eq!(sum.await, Ok(2));
}

/// G9, F3: A panic of the hook, or of an error's destructor in it, does not keep a task from being counted out.
pub async fn a_panic_in_the_hook_harms_no_group() {
    let runtime = Runtime::current().unwrap().with_hook(|outcome| {
        drop(outcome);
        panic!("the hook")
    });
    let group = try_task_group(async |tg| {
        tg.spawn(async { Err::<(), _>(bomb("the error")) });
        panics::<Result<(), _>>("the body").await
    });
    assert_eq!(caught(enter(runtime, group)).await.map(|_| ()).unwrap_err(), "the body");
}

/// G11: The failure of a nested group is one error of the outer one; flattening puts its errors in its place.
pub async fn a_nested_failure_is_one_error_until_it_is_flattened() {
    let outcome = try_task_group(async |outer| {
        let inner = outer.task().name("inner").spawn(try_task_group(async |tg| {
            let first = tg.task().name("first").spawn(ready(Err::<(), _>(1)));
            assert!(shield(first).await.is_err());
            Err::<(), _>(2)
        }));
        assert!(shield(inner).await.is_err());
        try_task_group(async |_: TryTaskGroup<_>| Err::<(), _>(3)).await
    });
    let error = outcome.await.unwrap_err();
    assert_eq!((names(&error), secondary(&error)), (vec![Some("inner"), None], vec![false, true]));
    let flat = error.flatten();
    assert_eq!((errors(&flat), secondary(&flat)), (vec![1, 2, 3], vec![false, true, true]));
    assert_eq!(names(&flat), [Some("first"), None, None]);
}

/// G11, G3: What a nested group was cancelled by survives flattening, beside errors and alone.
pub async fn flattening_keeps_cancellations() {
    let alone = try_task_group(async |_: TryTaskGroup<_>| {
        try_task_group(async |tg: TryTaskGroup<()>| {
            tg.scope().cancel_with("alone");
            forever::<Result<(), _>>().await
        })
        .await
    });
    let GroupError::Cancelled(cancelled) = alone.await.unwrap_err().flatten() else { panic!("there was no error") };
    assert!(says(&cancelled, "alone"));
    let beside = try_task_group(async |tg| {
        let cancelled = tg.spawn(try_task_group(async |tg: TryTaskGroup<u32>| {
            tg.scope().cancel_with("beside");
            forever::<Result<(), _>>().await
        }));
        assert!(shield(cancelled).await.is_err());
        try_task_group(async |_: TryTaskGroup<_>| Err::<(), _>(1)).await
    });
    let (cancelled, failures) = beside.await.unwrap_err().flatten().split();
    assert!(says(&cancelled.unwrap(), "beside"));
    assert_eq!(failures.len(), 1);
}

/// G11: A nested failure that is dealt with does not concern the outer group.
pub async fn a_nested_failure_that_is_dealt_with_is_none() {
    let outcome = try_task_group(async |outer| {
        let sibling = outer.spawn(after(turns(5), Ok(())));
        let inner = try_task_group(async |tg| {
            tg.spawn(ready(Err::<(), _>(())));
            forever::<Result<(), _>>().await
        });
        assert!(inner.await.is_err());
        sibling.value().await;
        Ok::<_, ()>("dealt with")
    });
    assert_eq!(outcome.await.unwrap(), "dealt with");
}

/// G12: Scopes and timeouts around the constructor of an owned group do not contain it.
pub async fn an_owned_group_leaves_the_scopes_around_its_constructor() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let made = task_group(async |_| {
        let make = async {
            let group = OwnedTaskGroup::new();
            let task = group.spawn(sleep_forever());
            handle.cancel();
            (group, task)
        };
        timeout(LONG, scope.run(make)).await.unwrap().unwrap()
    });
    let (group, task) = made.await.unwrap();
    turns(5).await;
    assert_eq!((task.status(), group.is_closed()), (TaskStatus::Running, false));
    assert_eq!(group.spawn(async { "later" }).await.unwrap(), "later");
    group.cancel();
    assert_eq!(group.close().await, Ok(()));
    assert_eq!(task.status(), TaskStatus::Cancelled);
}

/// G12, G2: Closing waits for the tasks, and returns their errors with all that belongs to them.
pub async fn closing_an_owned_group_waits_and_returns_errors() {
    let (alive, group) = (Arc::new(()), OwnedTaskGroup::fallible());
    let (token, (end, ends)) = (alive.clone(), gate());
    let first = group.task().name("first").spawn(ready(Err::<(), _>("first")));
    group.task().name("second").spawn(async {
        pass(end).await;
        drop(token);
        Err::<(), _>("second")
    });
    assert!(first.await.is_err());
    ends.set();
    let error = group.close().await.unwrap_err();
    assert_eq!(Arc::strong_count(&alive), 1);
    assert_eq!((errors(&error), names(&error)), (vec!["first", "second"], vec![Some("first"), Some("second")]));
    assert_eq!(secondary(&error), [false, true]);
}

/// G12, G2: A task of an owned group that fails, or panics, cancels the others, also while nobody closes the group.
pub async fn a_failure_in_an_owned_group_cancels_the_rest() {
    let group = OwnedTaskGroup::fallible();
    let sleeper = group.spawn_ok(sleep_forever());
    group.spawn(ready(Err::<(), _>("failed")));
    assert!(matches!(sleeper.await, Err(TaskError::Cancelled(_))));
    assert_eq!(errors(&group.close().await.unwrap_err()), ["failed"]);
    let group = OwnedTaskGroup::new();
    let sleeper = group.spawn(sleep_forever());
    group.spawn(panics::<()>("panicked"));
    assert!(matches!(sleeper.await, Err(TaskError::Cancelled(_))));
    assert_eq!(caught(group.close()).await.unwrap_err(), "panicked");
}

/// G12: Dropping an owned group cancels its tasks, and the run waits for them; the same if it is forgotten.
pub async fn the_run_waits_for_owned_groups() {
    for forgotten in [false, true] {
        let alive = Arc::new(());
        let token = alive.clone();
        in_own_run(move || async move {
            let group = OwnedTaskGroup::new();
            let slow = OnDrop(move || {
                block(SHORT);
                let _ = &token;
            });
            group.spawn(async {
                let _slow = slow;
                sleep_forever().await;
            });
            if forgotten {
                std::mem::forget(group);
            }
        });
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}

/// G12, F3: What failed in an owned group that is dropped, and what fails later, goes to the hook with its task.
pub async fn failures_of_a_dropped_owned_group_go_to_the_hook() {
    let (runtime, heard) = hooked();
    let used = async {
        let (group, other) = (OwnedTaskGroup::fallible(), OwnedTaskGroup::new());
        let early = group.task().name("early").spawn(ready(Err::<(), _>(1)));
        assert!(early.await.is_err());
        let late = group.task().name("late").spawn(async {
            Err::<(), _>(
                shield(async {
                    turns(5).await;
                    2
                })
                .await,
            )
        });
        let panic = other.task().name("panic").spawn(panics::<()>("3"));
        assert!(panic.await.is_err());
        drop((group, other));
        assert!(matches!(late.await, Err(TaskError::Failed)));
    };
    enter(runtime, used).await;
    let mut texts = heard.texts();
    texts.iter_mut().for_each(|text| *text = text.split('"').nth(1).unwrap_or("nobody").to_owned());
    texts.sort();
    assert_eq!(texts, ["early", "late", "panic"]);
}

/// G12, G1: An owned group made in a group belongs to it: the group cancels it and waits for its tasks.
pub async fn an_owned_group_in_a_group_belongs_to_it() {
    let (scope, alive, kept) = (CancelScope::new(), Arc::new(()), RefCell::new(None));
    let handle = scope.handle();
    let parent = task_group(async |tg| {
        let owned = OwnedTaskGroup::in_group(&tg);
        let token = alive.clone();
        owned.spawn(async move {
            let _token = token;
            sleep_forever().await;
        });
        *kept.borrow_mut() = Some(owned);
        handle.cancel_with("outer");
    });
    assert_eq!(scope.run(parent).await, Ok(Ok(())));
    assert_eq!(Arc::strong_count(&alive), 1);
    let owned = kept.take().unwrap();
    assert_eq!(owned.clone().spawn(ready(())).status(), TaskStatus::Closed);
    assert!(says(&owned.close().await.unwrap_err(), "outer"));
}

/// G12: Dropping an owned group made in a group cancels its tasks, not the group around, which waits for them.
pub async fn dropping_an_owned_group_in_a_group_cancels_no_more() {
    let alive = Arc::new(());
    let parent = task_group(async |tg| {
        let owned = OwnedTaskGroup::in_group(&tg);
        let token = alive.clone();
        owned.spawn(shield(async {
            turns(10).await;
            drop(token);
        }));
        let sibling = tg.spawn(turns(5));
        drop(owned);
        sibling.value().await;
        "value"
    });
    assert_eq!(parent.await, Ok("value"));
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// G12, G6: While an owned group is being closed its tasks may spawn; then it has closed for good.
pub async fn an_owned_group_closes_for_good() {
    let (runtime, _heard) = hooked();
    let used = async {
        let (group, ran) = (OwnedTaskGroup::new(), Arc::new(AtomicBool::new(false)));
        let (tg, siblings, runs) = (group.clone(), group.clone(), ran.clone());
        group.spawn(async move {
            turns(5).await;
            siblings.spawn(async move { runs.store(true, Ordering::SeqCst) });
        });
        assert_eq!(group.close().await, Ok(()));
        assert!(ran.load(Ordering::SeqCst) && tg.is_closed());
        assert_eq!(tg.spawn(ready(())).status(), TaskStatus::Closed);
        let dropped = OwnedTaskGroup::new().clone();
        assert_eq!(dropped.spawn(ready(())).status(), TaskStatus::Closed);
    };
    enter(runtime, used).await;
}

/// G12, G6: Eight threads that spawn race with the closing of an owned group, and with its drop: what was accepted runs,
/// what was refused does not.
pub async fn spawning_from_eight_threads_races_with_closing() {
    for round in 0..200 {
        let (group, ran) = (OwnedTaskGroup::new(), Arc::new(AtomicUsize::new(0)));
        let tg = group.clone();
        let threads: Vec<_> = (0..8).map(|thread| spawn_from_thread(tg.clone(), 4 * thread, &ran)).collect();
        turns(round % 8).await;
        if round % 2 == 0 {
            assert_eq!(group.close().await, Ok(()));
        } else {
            drop(group);
            until(|| tg.is_closed()).await;
        }
        let at_close = ran.load(Ordering::SeqCst);
        let accepted: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!((at_close, ran.load(Ordering::SeqCst)), (accepted, accepted), "round {round}");
    }
}

/// G12: An owned group may be closed on a thread that knows no runtime, and given up half-way.
pub async fn an_owned_group_may_be_closed_anywhere() {
    let group = OwnedTaskGroup::new();
    let task = group.spawn(async {
        sleep(SHORT).await;
        "value"
    });
    let (send, receive) = oneshot::channel();
    on_thread(move || send.send(block_on(group.close())));
    assert_eq!(receive.await.unwrap(), Ok(()));
    assert_eq!(task.await.unwrap(), "value");
    let group = OwnedTaskGroup::new();
    let task = group.spawn(sleep_forever());
    drop(poll_times(1, Box::pin(group.close())).await.err().unwrap());
    let Err(TaskError::Cancelled(cancelled)) = task.await else { panic!("it was not cancelled") };
    assert_eq!(cancelled.reason(), &CancelReason::GroupDropped);
}

/// G12: A task may drop the owned group that it is in.
pub async fn a_task_may_drop_its_own_owned_group() {
    let group = OwnedTaskGroup::new();
    let (send, receive) = oneshot::channel::<OwnedTaskGroup>();
    let task = group.spawn(async {
        drop(receive.await.unwrap());
        checkpoint().await;
        unreachable!("it was cancelled");
    });
    send.send(group).unwrap();
    assert!(matches!(task.await, Err::<(), _>(TaskError::Cancelled(_))));
}

/// G12, S7: What is protected in an owned group goes on when that is dropped.
pub async fn dropping_an_owned_group_leaves_what_is_protected() {
    let group = OwnedTaskGroup::new();
    let ((begun, begins), (may_end, opens)) = (gate(), gate());
    let (send, receive) = oneshot::channel();
    group.spawn(protect(async move {
        begins.set();
        may_end.wait().await;
        send.send("done").unwrap();
    }));
    begun.wait().await;
    drop(group);
    opens.set();
    assert_eq!(receive.await.unwrap(), "done");
}

/// Is done at once; dropping it, and nothing else, sets the event.
struct Done(Arc<Event>);

impl Future for Done {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// G8: The runtime drops what it was given once that has ended.
pub async fn the_runtime_drops_what_has_ended() {
    let (gone, sets) = gate();
    Runtime::current().unwrap().backend().spawn(anyio_core::Task::new(Done(sets)));
    gone.wait().await;
}
