//! How a group treats its tasks: supervised, as daemons, with a limit, under a name (law G10).

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyio::{
    CancelReason, CancelScope, Event, Failure, FailureKind, GroupBuilder, GroupError, TaskError, TaskGroup, TaskStatus,
    Unhandled, checkpoint, enter, finally_detached, protect, shield, sleep, sleep_forever, task_group, try_task_group,
};
use futures::future::{join_all, select};
use parking_lot::Mutex;

use crate::fixture::{Drops, SHORT, Wakes, caught, hooked, in_own_run, poll_times};
use crate::steps::{Sent, SetOnDrop, after, block, forever, gate, on_thread, panics, pass, says, turns, until};

type Seen = Arc<Mutex<Vec<String>>>;

/// A supervisor that remembers, and what it remembers.
fn supervisor() -> (impl Fn(Failure<&'static str>) + Send + Sync + 'static, Seen) {
    let seen = Seen::default();
    let sees = seen.clone();
    (move |failure: Failure<&'static str>| sees.lock().push(failure.to_string()), seen)
}

/// Waits for the cancellation; a shield keeps that from cutting it short before it is seen.
async fn sees_the_cancellation() {
    select(Box::pin(shield(forever::<()>())), Box::pin(anyio::cancelled())).await;
}

/// Counts how many run at a time.
#[derive(Clone, Default)]
struct Gauge(Arc<(AtomicUsize, AtomicUsize)>);

impl Gauge {
    fn rise(&self) {
        let now = self.0.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.1.fetch_max(now, Ordering::SeqCst);
    }

    fn fall(&self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }

    async fn around(self, work: impl Future<Output = ()>) {
        self.rise();
        work.await;
        self.fall();
    }

    fn peak(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }
}

/// G10: In a supervised group the errors and panics of tasks go to the callback: they cancel nothing and are not stored.
pub async fn a_supervised_failure_goes_to_the_callback_alone() {
    let (hears, seen) = supervisor();
    let (heard, reports) = hooked();
    let group = GroupBuilder::new().supervised(hears).run(async |tg| {
        let sibling = tg.spawn(after(turns(20), Ok("sibling")));
        let mut failed = tg.spawn(async { Err::<(), _>("failed") });
        let mut panicked = tg.spawn(panics::<Result<(), _>>("panicked"));
        assert!(matches!((&mut failed).await, Err(TaskError::Failed)));
        assert!(matches!((&mut panicked).await, Err(TaskError::Panicked)));
        Ok(sibling.value().await)
    });
    assert_eq!(enter(heard, group).await.unwrap(), "sibling");
    let mut seen = seen.lock().clone();
    seen.sort_unstable();
    assert_eq!(seen, ["failed", "panicked: panicked"]);
    assert!(reports.is_empty());
}

/// G10: The callback hears before the handle completes, and who it was.
pub async fn a_supervisor_hears_first_and_who_it_was() {
    let (hears, seen) = (Arc::new(Mutex::new(None)), Arc::new(AtomicBool::new(false)));
    let (told, was_told) = (hears.clone(), seen.clone());
    let supervisor = move |failure: Failure<&str>| {
        *told.lock() = failure.task().map(|task| (task.name().map(str::to_owned), failure.is_secondary()));
        was_told.store(true, Ordering::SeqCst);
    };
    let group = GroupBuilder::new().supervised(supervisor).run(async |tg| {
        let failing = tg.task().name("failing").spawn(async { Err::<(), _>("oops") });
        assert!(failing.await.is_err());
        assert!(seen.load(Ordering::SeqCst));
        Ok(())
    });
    group.await.unwrap();
    assert_eq!(*hears.lock(), Some((Some("failing".to_owned()), false)));
}

/// G10: The body's own error fails a supervised group as any other; so does its panic.
pub async fn the_body_of_a_supervised_group_is_not_supervised() {
    let (hears, seen) = supervisor();
    let group = GroupBuilder::new().supervised(hears).run(async |tg| {
        tg.spawn(forever::<Result<(), _>>());
        Err::<(), _>("body")
    });
    assert!(matches!(group.await, Err(GroupError::Failed(failures)) if failures.first().error() == Some(&"body")));
    let (hears, panicked) = supervisor();
    let group = GroupBuilder::new().supervised(hears).run(async |tg| {
        tg.spawn(forever::<Result<(), _>>());
        panics::<Result<(), _>>("body").await
    });
    assert_eq!(caught(group).await.unwrap_err(), "body");
    assert!(seen.lock().is_empty() && panicked.lock().is_empty());
}

/// G10, G9: A callback that panics cancels the group; the panic is resumed in the host when all are gone.
pub async fn a_panicking_supervisor_cancels_the_group() {
    let drops = Drops::new();
    let token = drops.token();
    let supervisor = |failure: Failure<&str>| panic!("cannot bear {failure}");
    let group = GroupBuilder::new().supervised(supervisor).run(async |tg| {
        tg.spawn(after(sleep_forever(), Ok(token)));
        tg.spawn(async { Err::<(), _>("it") });
        sleep_forever().await;
        Ok(())
    });
    assert_eq!(caught(group).await.unwrap_err(), "cannot bear it");
    assert_eq!(drops.count(), 1);
}

/// G10: The callback may spawn the next attempt, also when the failed task was the last.
pub async fn a_supervisor_can_spawn_the_next_attempt() {
    let group_of = Arc::new(Mutex::new(None::<anyio::TryTaskGroup<u32>>));
    let (next, attempts) = (group_of.clone(), Arc::new(AtomicUsize::new(0)));
    let counts = attempts.clone();
    let supervisor = move |failure: Failure<u32>| {
        counts.fetch_add(1, Ordering::SeqCst);
        let left = *failure.error().unwrap();
        let group = next.lock().clone().unwrap();
        group.spawn(async move { if left == 0 { Ok(()) } else { Err(left - 1) } });
    };
    let group = GroupBuilder::new().supervised(supervisor).run(async |tg| {
        *group_of.lock() = Some(tg.clone());
        tg.spawn(async { Err::<(), _>(9) });
        Ok(())
    });
    group.await.unwrap();
    *group_of.lock() = None;
    assert_eq!(attempts.load(Ordering::SeqCst), 10);
}

/// G10, F3: When the group was dropped the callback still hears of the failures of its tasks; the hook does not.
pub async fn a_supervisor_hears_of_orphans() {
    let (hears, seen) = supervisor();
    let (runtime, reports) = hooked();
    let (opened, opens) = gate();
    let scope = CancelScope::new().run(async {
        let group = GroupBuilder::new().supervised(hears).run(async |tg| {
            tg.spawn(after(pass(opened), Err::<(), _>("orphan")));
            sleep_forever().await;
            Ok(())
        });
        drop(poll_times(1, Box::pin(group)).await);
        opens.set();
    });
    enter(runtime, scope).await.unwrap();
    assert_eq!(*seen.lock(), ["orphan"]);
    assert!(reports.is_empty());
}

/// G10: An owned group can be supervised as well.
pub async fn an_owned_group_can_be_supervised() {
    let (hears, seen) = supervisor();
    let group = GroupBuilder::new().supervised(hears).owned();
    let fine = group.spawn(after(turns(10), Ok(7)));
    assert!(group.spawn(async { Err::<(), _>("one") }).await.is_err());
    assert_eq!(fine.await.unwrap(), 7);
    group.close().await.unwrap();
    assert_eq!(*seen.lock(), ["one"]);
}

/// G10: When body and ordinary tasks are done the group closes, and cancels its daemons: that is no error.
pub async fn daemons_are_cancelled_when_all_else_is_done() {
    let (ended, reason) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
    let (ends, keeps) = (ended.clone(), reason.clone());
    let outcome = task_group(async |tg| {
        let daemon = tg.task().daemon().spawn(sleep_forever());
        tg.spawn(async move {
            turns(20).await;
            ends.store(true, Ordering::SeqCst);
        });
        on_thread(move || {
            *keeps.lock() = Some((futures::executor::block_on(daemon), ended.load(Ordering::SeqCst)));
        })
    });
    outcome.await.unwrap().join().unwrap();
    let (result, all_done) = reason.lock().take().unwrap();
    assert!(all_done, "a daemon was cancelled while a task ran");
    let Err(TaskError::Cancelled(cancelled)) = result else { panic!("{result:?}") };
    assert_eq!(*cancelled.reason(), CancelReason::GroupFinished);
}

/// G10, G1: The group waits for its cancelled daemons, for their shields, and for what they left to be protected.
pub async fn a_group_waits_for_its_cancelled_daemons() {
    let (drops, cleaned, protected) =
        (Drops::new(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (token, cleans, protects) = (drops.token(), cleaned.clone(), protected.clone());
    task_group(async |tg| {
        let clean_up = async move {
            turns(10).await;
            cleans.store(true, Ordering::SeqCst);
        };
        tg.task().daemon().spawn(async move {
            let _token = token;
            let _ = finally_detached(sleep_forever(), clean_up).await;
        });
        tg.task().daemon().spawn(async move {
            let work = async move {
                sleep(SHORT * 3).await;
                protects.store(true, Ordering::SeqCst);
            };
            let leaves = shield(async { drop(poll_times(1, Box::pin(protect(work))).await) });
            sees_the_cancellation().await;
            leaves.await;
        });
        turns(3).await;
    })
    .await
    .unwrap();
    assert_eq!((drops.count(), cleaned.load(Ordering::SeqCst), protected.load(Ordering::SeqCst)), (1, true, true));
}

/// G10, G6: With nothing but daemons left, the group has closed: they cannot spawn into it any more.
pub async fn a_group_of_daemons_alone_has_closed() {
    let refused = Arc::new(AtomicBool::new(false));
    let sees = refused.clone();
    task_group(async |tg| {
        let group = tg.clone();
        let daemon = async move {
            sees_the_cancellation().await;
            let is_closed = group.is_closed() && group.try_spawn(async {}).is_err();
            sees.store(is_closed && group.task().daemon().try_spawn(async {}).is_err(), Ordering::SeqCst);
        };
        tg.task().daemon().spawn(daemon);
    })
    .await
    .unwrap();
    assert!(refused.load(Ordering::SeqCst));
}

/// G10: Until then a daemon is a task like any other: it may spawn, be awaited and cancelled, and its failure is the
/// group's.
pub async fn a_daemon_fails_its_group() {
    let outcome = try_task_group(async |tg| {
        let spawner = tg.clone();
        let daemon = tg.task().name("daemon").daemon();
        daemon.spawn(async move {
            spawner.spawn(async { Ok(()) });
            turns(3).await;
            Err::<(), _>("daemon failed")
        });
        sleep_forever().await;
        Ok(())
    });
    let error = outcome.await.unwrap_err();
    assert_eq!(error.to_string(), "daemon failed");
    assert_eq!(error.failures().next().unwrap().task().unwrap().name(), Some("daemon"));
}

/// G10: Groups and clean-ups inside daemons do not keep the group open, and end with them.
pub async fn what_is_below_a_daemon_does_not_count_as_ordinary() {
    let drops = Drops::new();
    let token = drops.token();
    task_group(async |tg| {
        let (begun, begins) = gate();
        tg.task().daemon().spawn(async move {
            let inner = task_group(async move |inner| {
                inner.spawn(after(sleep_forever(), token));
                begins.set();
                sleep_forever().await;
            });
            let _ = inner.await;
        });
        begun.wait().await;
    })
    .await
    .unwrap();
    assert_eq!(drops.count(), 1);
}

/// G10: A group that is built in a group counts as ordinary: its tasks are waited for.
pub async fn daemons_outlive_the_groups_that_belong_to_theirs() {
    let (ended, alive) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
    let (ends, lives) = (ended.clone(), alive.clone());
    task_group(async |tg| {
        tg.task().daemon().spawn(async move {
            sees_the_cancellation().await;
            lives.store(ends.load(Ordering::SeqCst), Ordering::SeqCst);
        });
        let owned = anyio::OwnedTaskGroup::in_group(&tg);
        tg.spawn(async move {
            let ends = ended.clone();
            owned.spawn(async move {
                turns(20).await;
                ends.store(true, Ordering::SeqCst);
            });
            owned.close().await.unwrap();
        });
    })
    .await
    .unwrap();
    assert!(alive.load(Ordering::SeqCst));
}

/// G10: Of spawning a daemon while the last task ends, either the daemon is cancelled or it is refused: none stays.
pub async fn a_daemon_that_races_with_the_end_is_cancelled_or_refused() {
    let (runtime, _heard) = hooked();
    for round in 0..100 {
        let group = task_group(async |tg: TaskGroup| {
            let racing = tg.clone();
            let thread = on_thread(move || {
                for _ in 0..round % 7 {
                    std::hint::spin_loop();
                }
                racing.task().daemon().spawn(sleep_forever());
            });
            turns(round % 3).await;
            thread
        });
        enter(runtime.clone(), group).await.unwrap().join().unwrap();
    }
}

/// G10, G12: An owned group cancels its daemons when it is closed.
pub async fn closing_an_owned_group_cancels_its_daemons() {
    let group = GroupBuilder::new().owned_ok();
    let daemon = group.task().daemon().spawn(sleep_forever());
    let ordinary = group.spawn(after(turns(5), 7));
    group.close().await.unwrap();
    assert_eq!(ordinary.await.unwrap(), 7);
    assert_eq!(daemon.status(), TaskStatus::Cancelled);
}

/// G10: In a group with a limit no more than so many tasks run at a time, and all of them do run.
pub async fn a_limit_is_kept() {
    for limit in [1, 3] {
        let gauge = Gauge::default();
        let outcome = GroupBuilder::new().limit(limit).run_ok(async |tg| {
            let handles: Vec<_> = (0..20).map(|n| tg.spawn(after(gauge.clone().around(turns(n % 4)), n))).collect();
            join_all(handles).await.into_iter().map(Result::unwrap).sum::<usize>()
        });
        assert_eq!(outcome.await, Ok(190));
        assert!((1..=limit).contains(&gauge.peak()), "{} at a time", gauge.peak());
    }
}

/// G10: What queues starts in the order in which it was spawned.
pub async fn what_queues_starts_in_order() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
        for n in 0..50 {
            let order = order.clone();
            tg.spawn(async move {
                order.lock().push(n);
                turns(n % 3).await;
            });
        }
    });
    group.await.unwrap();
    assert_eq!(*order.lock(), (0..50).collect::<Vec<_>>());
}

/// G10: Queued tasks of a cancelled group are dropped unpolled, while the running ones still clean up.
pub async fn queued_tasks_of_a_cancelled_group_are_dropped_unpolled() {
    let (drops, polled) = (Drops::new(), Arc::new(AtomicBool::new(false)));
    let (runtime, reports) = hooked();
    let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
        let (begun, begins) = gate();
        let (end, ends) = gate();
        tg.spawn(async move {
            begins.set();
            pass(end).await;
        });
        begun.wait().await;
        for token in [drops.token(), drops.token()] {
            let polled = polled.clone();
            tg.spawn(async move {
                polled.store(true, Ordering::SeqCst);
                drop(token);
            });
        }
        tg.cancel();
        tg.spawn(after(turns(1), drops.token()));
        let dropped = drops.count();
        ends.set();
        dropped
    });
    assert_eq!(enter(runtime, group).await, Ok(3));
    assert!(!polled.load(Ordering::SeqCst) && reports.is_empty());
}

/// G10, H2: A queued task that is cancelled alone goes at once, unpolled, and its handle says why.
pub async fn a_queued_task_can_be_cancelled_alone() {
    let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
        let (end, ends) = gate();
        tg.spawn(pass(end));
        let queued = tg.spawn(panics::<()>("it was polled"));
        let last = tg.spawn(async { "last" });
        assert_eq!(queued.status(), TaskStatus::Running);
        assert!(matches!(queued.cancel_and_join().await, Err(TaskError::Cancelled(_))));
        ends.set();
        last.value().await
    });
    assert_eq!(group.await, Ok("last"));
}

/// G10, F1: Dropping a group drops its queue.
pub async fn dropping_a_group_drops_its_queue() {
    let drops = Drops::new();
    let scope = CancelScope::new().run(async {
        let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
            tg.spawn(sleep_forever());
            (0..10).for_each(|_| drop(tg.spawn(after(turns(1), drops.token()))));
            sleep_forever().await;
        });
        drop(poll_times(1, Box::pin(group)).await);
    });
    scope.await.unwrap();
    assert_eq!(drops.count(), 10);
}

/// G10: `spawn_when_ready` waits for a slot, in turn with what queues.
pub async fn spawning_when_ready_waits_for_a_slot() {
    let (gauge, order) = (Gauge::default(), Arc::new(Mutex::new(Vec::new())));
    let group = GroupBuilder::new().limit(2).run_ok(async |tg| {
        for n in 0..20 {
            let (gauge, order) = (gauge.clone(), order.clone());
            let work = async move {
                order.lock().push(n);
                turns(n % 3).await;
            };
            let handle = tg.spawn_when_ready(gauge.around(work)).await;
            assert_eq!(handle.info().location().file(), file!());
        }
    });
    group.await.unwrap();
    assert_eq!(order.lock().len(), 20);
    assert!(gauge.peak() <= 2);
}

/// G10: It stands in one line with the tasks that queue.
pub async fn spawning_when_ready_queues_with_the_others() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
        let mark = |n| {
            let order = order.clone();
            async move { order.lock().push(n) }
        };
        let (end, ends) = gate();
        tg.spawn(pass(end));
        tg.spawn(mark(1));
        let mut ready = Box::pin(tg.spawn_when_ready(mark(2)));
        assert!(futures::poll!(&mut ready).is_pending());
        tg.spawn(mark(3));
        ends.set();
        ready.await.value().await;
    });
    group.await.unwrap();
    assert_eq!(*order.lock(), [1, 2, 3]);
}

/// G10, C7: A `spawn_when_ready` that is dropped has spawned nothing, and its turn goes to the next.
pub async fn a_dropped_spawn_when_ready_passes_its_turn_on() {
    let drops = Drops::new();
    let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
        let (end, ends) = gate();
        tg.spawn(pass(end));
        let mut waiting: Vec<_> =
            (0..3).map(|_| Box::pin(tg.spawn_when_ready(after(turns(0), drops.token())))).collect();
        for one in &mut waiting {
            assert!(futures::poll!(one).is_pending());
        }
        drop(waiting.remove(1));
        let last = tg.spawn(async { "last" });
        ends.set();
        until(|| waiting.is_empty() || last.is_finished() || drops.count() == 1).await;
        drop(waiting.remove(0)); // it has its slot by now, or gets it
        waiting.remove(0).await.value().await;
        last.value().await
    });
    assert_eq!(group.await, Ok("last"));
    assert_eq!(drops.count(), 3);
}

/// G10, C7: A slot that was given to a `spawn_when_ready` which is dropped before it is polled again goes to the next.
pub async fn a_slot_that_nobody_takes_goes_to_the_next() {
    let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
        let ((end, ends), wakes) = (gate(), Wakes::new());
        tg.spawn(pass(end));
        let mut waiting = Box::pin(tg.spawn_when_ready(async { unreachable!("it is dropped") }));
        assert!(wakes.poll(&mut waiting).is_pending() && wakes.poll(&mut waiting).is_pending());
        let before = wakes.count();
        ends.set();
        until(|| wakes.count() > before).await;
        drop(waiting);
        tg.spawn(async { "next" }).value().await
    });
    assert_eq!(group.await, Ok("next"));
}

/// G10, C6: Where it is cancelled, `spawn_when_ready` spawns nothing.
pub async fn a_doomed_spawn_when_ready_spawns_nothing() {
    for limit in [1, 2] {
        let spawned = Arc::new(AtomicBool::new(false));
        let spawns = spawned.clone();
        let group = GroupBuilder::new().limit(limit).run_ok(async |tg| {
            let scope = CancelScope::new();
            scope.handle().cancel_with("doomed");
            let ready = tg.spawn_when_ready(async move { spawns.store(true, Ordering::SeqCst) });
            scope.run(ready).await.is_err_and(|cancelled| says(&cancelled, "doomed"))
        });
        assert_eq!(group.await, Ok(true));
        assert!(!spawned.load(Ordering::SeqCst));
    }
}

/// G10: Without a limit `spawn_when_ready` spawns at once; a daemon never waits for a slot, nor takes one.
pub async fn what_needs_no_slot_does_not_wait() {
    task_group(async |tg| tg.spawn_when_ready(async { 7 }).await.value().await).await.unwrap();
    let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
        let (end, ends) = gate();
        tg.spawn(pass(end));
        let daemon = tg.task().daemon().spawn(async { 1 });
        let other = tg.task().daemon().spawn_when_ready(async { 2 }).await;
        let sum = daemon.value().await + other.value().await;
        ends.set();
        sum
    });
    assert_eq!(group.await, Ok(3));
}

/// G10: A limit counts blocking work and started tasks as well.
pub async fn a_limit_counts_blocking_work_and_started_tasks() {
    let gauge = Gauge::default();
    let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
        for _ in 0..3 {
            let gauge = gauge.clone();
            tg.spawn_blocking(move || {
                gauge.rise();
                block(SHORT / 5);
                gauge.fall();
            });
        }
        let started = gauge.clone();
        let start = tg.start(async move |token| started.around(async { token.started(7).unwrap() }).await);
        let value = start.await.unwrap();
        tg.spawn(gauge.clone().around(turns(2)));
        value
    });
    assert_eq!(group.await, Ok(7));
    assert_eq!(gauge.peak(), 1);
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("bomb");
    }
}

/// A task that ends in one of four ways.
fn ending(way: usize) -> Sent<Result<(), &'static str>> {
    match way % 4 {
        0 => Box::pin(async { Ok(()) }),
        1 => Box::pin(async { Err("failed") }),
        2 => Box::pin(panics("panicked")),
        _ => Box::pin(async {
            let _bomb = Bomb;
            turns(1).await;
            Ok(())
        }),
    }
}

/// G10, G8: A slot comes back however the task ends: with a value, an error, a panic, cancelled, or a panicking destructor.
pub async fn a_slot_comes_back_however_the_task_ends() {
    let (hears, seen) = supervisor();
    let group = GroupBuilder::new().limit(1).supervised(hears).run(async |tg| {
        (0..40).for_each(|way| drop(tg.spawn(ending(way))));
        let cancelled = tg.spawn(forever::<Result<(), _>>());
        cancelled.cancel();
        tg.spawn(async { Ok("still served") }).await.map_err(|_| "none")
    });
    assert_eq!(group.await.unwrap(), "still served");
    assert_eq!(seen.lock().len(), 30);
}

/// G10, C10: A hundred thousand tasks queue, and a hundred thousand are cancelled in the queue.
pub async fn a_hundred_thousand_tasks_queue() {
    const MANY: usize = 100_000;
    let drops = Drops::new();
    let group = GroupBuilder::new().limit(2).run_ok(async |tg| {
        (0..MANY).for_each(|_| drop(tg.spawn(after(turns(0), drops.token()))));
        until(|| drops.count() == MANY).await;
        tg.spawn(sleep_forever());
        tg.spawn(sleep_forever());
        (0..MANY).for_each(|_| drop(tg.spawn(after(turns(0), drops.token()))));
        tg.cancel();
    });
    group.await.unwrap();
    assert_eq!(drops.count(), 2 * MANY);
}

/// G10, X4: A runtime that goes down under a group with a queue leaves nothing behind.
pub async fn a_runtime_that_goes_down_takes_the_queue_along() {
    let drops = Drops::new();
    let tokens: Vec<_> = (0..10).map(|_| drops.token()).collect();
    let group = in_own_run(async move || {
        let group = GroupBuilder::new().limit(1).owned_ok();
        group.spawn(sleep_forever());
        tokens.into_iter().for_each(|token| drop(group.spawn(after(turns(0), token))));
        group
    });
    let outcome = group.close().await;
    assert_eq!(drops.count(), 10);
    assert!(outcome.is_err());
}

/// G10: A limit of none is refused.
pub async fn a_limit_of_none_is_refused() {
    let built = caught(async { GroupBuilder::<()>::new().limit(0) }).await;
    assert!(built.unwrap_err().contains("give it at least 1"));
}

/// G10, H3: Errors and messages tell the names of task and group.
pub async fn names_are_told() {
    let (runtime, reports) = hooked();
    let kept = Cell::new(None);
    let group = GroupBuilder::new().name("ingest").panics_are_errors().run(async |tg| {
        tg.task().name("fetcher").spawn(panics::<Result<(), &str>>("oops"));
        kept.set(Some(tg));
        Ok(())
    });
    let error = enter(runtime, group).await.unwrap_err();
    let failure = error.failures().next().unwrap();
    assert!(matches!(failure.kind(), FailureKind::Panic(_)));
    let task = failure.task().unwrap();
    assert_eq!((task.name(), task.group()), (Some("fetcher"), Some("ingest")));
    assert!(task.to_string().contains("\"fetcher\" of \"ingest\" (spawned at "));
    kept.take().unwrap().task().name("late").spawn(async { Ok(()) });
    let named = |task: &anyio::TaskInfo| task.name() == Some("late") && task.group() == Some("ingest");
    let late = |outcome: &Unhandled| matches!(outcome, Unhandled::SpawnedIntoClosedGroup { task, .. } if named(task));
    assert_eq!(reports.count(late), 1);
}

/// G10, G7: Where a slot is free a task is not polled inside `spawn`, nor inside what gives it its slot.
pub async fn a_slot_does_not_poll_inline() {
    let inside = Arc::new(AtomicBool::new(false));
    let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
        let this_thread = thread::current().id();
        for _ in 0..10 {
            let sees = inside.clone();
            inside.store(true, Ordering::SeqCst);
            tg.spawn(async move {
                let inline = thread::current().id() == this_thread && sees.load(Ordering::SeqCst);
                assert!(!inline, "polled inside spawn");
            });
            inside.store(false, Ordering::SeqCst);
            checkpoint().await;
        }
    });
    group.await.unwrap();
}

/// G10, F2: A body that is dropped while it waits for a slot loses nothing: the scope around waits for the running task.
pub async fn a_group_that_is_dropped_while_it_waits_for_a_slot_is_drained() {
    for polls in [1, 2] {
        let (drops, done) = (Drops::new(), Arc::new(Event::new()));
        let sets = SetOnDrop(done.clone());
        let scope = CancelScope::new().run(async {
            let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
                tg.spawn(after(sleep_forever(), sets));
                tg.spawn(after(turns(1), drops.token()));
                checkpoint().await;
                tg.spawn_when_ready(after(turns(1), drops.token())).await;
            });
            drop(poll_times(polls, Box::pin(group)).await);
        });
        scope.await.unwrap();
        assert!(done.is_set());
        assert_eq!(drops.count(), polls);
    }
}

/// G10, S7: Protected work takes no slot, and is not supervised: its panic is its caller's.
pub async fn protected_work_takes_no_slot() {
    let (hears, seen) = supervisor();
    let group = GroupBuilder::new().limit(1).supervised(hears).run(async |tg| {
        let (end, ends) = gate();
        tg.spawn(after(pass(end), Ok(())));
        let value = protect(after(turns(3), 7)).await;
        let panicked = caught(protect(panics::<()>("protected"))).await;
        ends.set();
        assert_eq!(panicked.unwrap_err(), "protected");
        Ok(value)
    });
    assert_eq!(group.await.unwrap(), 7);
    assert!(seen.lock().is_empty());
}

/// G10: The sleeping body of a supervised group sees nothing of failures: it is not even woken.
pub async fn a_supervised_failure_does_not_wake_the_body() {
    let (hears, _seen) = supervisor();
    let (polls, (end, ends)) = (Cell::new(0), gate());
    let group = GroupBuilder::new().supervised(hears).run(async |tg| {
        let failing: Vec<_> = (0..10).map(|_| tg.spawn(after(turns(3), Err::<(), _>("quiet")))).collect();
        tg.spawn(async move {
            join_all(failing).await;
            ends.set();
            Ok(())
        });
        let mut waits = Box::pin(end.wait());
        poll_fn(|cx| {
            polls.set(polls.get() + 1);
            waits.as_mut().poll(cx)
        })
        .await;
        Ok(())
    });
    group.await.unwrap();
    assert!(polls.get() <= 3, "{} polls", polls.get());
}

/// G10, C9: A task that gets its slot while it is being queued is woken by a cancellation like any other.
pub async fn a_task_that_gets_its_slot_while_it_queues_can_be_cancelled() {
    for round in 0..200 {
        let (begun, begins) = gate();
        let group = GroupBuilder::new().limit(1).run_ok(async |tg| {
            tg.spawn(turns(round % 4));
            let spawns = tg.clone();
            let thread = on_thread(move || {
                drop(spawns.spawn(async move {
                    begins.set();
                    sleep_forever().await;
                }));
            });
            begun.wait().await;
            tg.cancel();
            thread
        });
        group.await.unwrap().join().unwrap();
    }
}

/// G10, G9: Where tasks cannot fail there are no errors that panics could be: they are resumed in the host.
pub async fn panics_of_tasks_that_cannot_fail_are_resumed() {
    let group = GroupBuilder::new().panics_are_errors().run_ok(async |tg| drop(tg.spawn(panics::<()>("resumed"))));
    assert_eq!(caught(group).await.unwrap_err(), "resumed");
    let group = GroupBuilder::new().panics_are_errors().owned_ok();
    group.spawn(panics::<()>("owned"));
    assert_eq!(caught(group.close()).await.unwrap_err(), "owned");
}

/// G10, G3: A daemon that a cause from outside cuts short does not cost the group its value.
pub async fn a_daemon_that_is_cut_short_from_outside_costs_nothing() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let group = task_group(async |tg| {
        tg.task().daemon().spawn(async move {
            sees_the_cancellation().await;
            handle.cancel_with("from outside");
            shield(turns(5)).await;
            sleep_forever().await;
        });
        7
    });
    assert_eq!(scope.run(group).await, Ok(Ok(7)));
}

/// G10, G2: What a daemon fails with because its group has finished is secondary.
pub async fn a_daemon_that_fails_at_the_end_is_secondary() {
    let outcome = try_task_group(async |tg| {
        tg.task().daemon().spawn(async {
            sees_the_cancellation().await;
            Err::<(), _>("late")
        });
        Ok(())
    });
    let error = outcome.await.unwrap_err();
    assert!(error.failures().all(Failure::is_secondary));
    assert_eq!(error.to_string(), "late");
}

/// G10, G6: A group inside a daemon that cleans up is open, although the daemon's own group has closed.
pub async fn a_group_inside_a_daemon_that_cleans_up_is_open() {
    let seen = Arc::new(AtomicBool::new(false));
    let sees = seen.clone();
    task_group(async |tg| {
        let clean_up = async move {
            let inner = task_group(async |inner| (inner.is_closed(), inner.spawn(async { 7 }).value().await));
            sees.store(inner.await == Ok((false, 7)), Ordering::SeqCst);
        };
        tg.task().daemon().spawn(async { drop(anyio::finally(sleep_forever(), clean_up).await) });
    })
    .await
    .unwrap();
    assert!(seen.load(Ordering::SeqCst));
}
