//! Cases of the laws H: task handles.

use std::cell::Cell;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyio::{
    CancelReason, CancelScope, Cancelled, Event, GroupBuilder, OwnedTaskGroup, Runtime, TaskError, TaskGroup,
    TaskHandle, TaskStatus, Unhandled, checkpoint, enter, finally, shield, sleep, sleep_forever, task_group, timeout,
    try_task_group,
};
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::{join, join_all};
use futures::stream::{FuturesUnordered, StreamExt as _};
use parking_lot::Mutex;

use crate::fixture::{Drops, LONG, SHORT, Wakes, caught, hooked, poll_times};
use crate::steps::{after, block, forever, gate, on_thread, panics, pass, says, turns, until};

/// The reason why a task was cancelled.
fn cancelled<T>(result: Result<T, TaskError>) -> Cancelled {
    match result {
        Err(TaskError::Cancelled(cancelled)) => cancelled,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("there is a value"),
    }
}

/// The line on which it was requested.
fn line_of(cancelled: &Cancelled) -> u32 {
    match cancelled.reason() {
        CancelReason::Requested { location, .. } => location.line(),
        reason => panic!("{reason} was not requested"),
    }
}

/// H1: A handle has the value, before and after the end of the task and of its group.
pub async fn a_handle_has_the_value() {
    let (may_end, opens) = gate();
    let handles = task_group(async |tg| {
        let (slow, fast) = (tg.spawn(after(pass(may_end), "slow")), tg.spawn(ready("fast")));
        until(|| fast.is_finished()).await;
        opens.set();
        assert_eq!(slow.await.unwrap(), "slow");
        [fast]
    });
    let [fast] = handles.await.unwrap();
    assert_eq!(fast.await.unwrap(), "fast");
}

/// H1: The value is there once: a handle that is polled after it has completed panics.
pub async fn a_handle_has_the_value_once() {
    let outcome = task_group(async |tg| {
        let mut task = tg.spawn(ready(1));
        assert_eq!((&mut task).await.unwrap(), 1);
        assert_eq!(task.status(), TaskStatus::Completed);
        caught(task).await.unwrap_err()
    });
    assert!(outcome.await.unwrap().contains("after it had completed"));
}

/// H1, H3: A handle tells why there is no value: failed, panicked, cancelled, closed; so does its status.
pub async fn a_handle_tells_why_there_is_no_value() {
    let (runtime, _heard) = hooked();
    let tell = async {
        let closed = task_group(async |tg| tg).await.unwrap();
        let group = GroupBuilder::new().panics_are_errors().run(async |tg| {
            let mut failed = tg.spawn(ready(Err::<(), _>("failed")));
            let mut panicked = tg.spawn_ok(panics::<()>("panicked"));
            let mut cancelled = tg.spawn_ok(sleep_forever());
            let mut refused = closed.spawn(ready(()));
            let errors = shield(async {
                let errors = (&mut failed, &mut panicked, &mut cancelled, &mut refused);
                (errors.0.await, errors.1.await, errors.2.await, errors.3.await)
            });
            use TaskError::{Cancelled, Closed, Failed, Panicked};
            assert!(matches!(errors.await, (Err(Failed), Err(Panicked), Err(Cancelled(_)), Err(Closed))));
            use TaskStatus as Status;
            assert_eq!((failed.status(), panicked.status()), (Status::Failed, Status::Panicked));
            assert_eq!((cancelled.status(), refused.status()), (Status::Cancelled, Status::Closed));
            Ok(())
        });
        assert!(group.await.is_err());
    };
    enter(runtime, tell).await;
}

/// H1: When the handle of a task that failed completes, its group has been cancelled for that, and has the error.
pub async fn a_failure_is_recorded_before_the_handle_completes() {
    for round in 0..1000 {
        let (send, receive) = oneshot::channel();
        let group = try_task_group(async |tg| {
            let failing = tg.spawn(after(turns(round % 4), Err::<(), _>(round)));
            send.send((tg.scope(), failing)).ok().unwrap();
            forever::<Result<(), _>>().await
        });
        let watching = async {
            let (scope, failing) = receive.await.unwrap();
            assert!(matches!(failing.await, Err(TaskError::Failed)));
            assert!(matches!(scope.reason().unwrap().reason(), CancelReason::SiblingFailed(Some(_))));
        };
        let (outcome, ()) = join(group, watching).await;
        assert!(outcome.unwrap_err().errors().eq([&round]));
    }
}

/// H1, C4: A body that awaits the handle of a task that fails is dropped there: it does not see the failure.
pub async fn a_body_that_awaits_what_fails_is_dropped_there() {
    for already_failed in [false, true] {
        let (seen, dropped) = (Cell::new(false), Drops::new());
        let outcome = try_task_group(async |tg| {
            let _token = dropped.token();
            let mut failing = tg.spawn(ready(Err::<(), _>("failed")));
            if already_failed {
                shield(until(|| failing.is_finished())).await;
            }
            let _ = (&mut failing).await;
            seen.set(true);
            Ok(())
        });
        assert!(outcome.await.is_err());
        assert_eq!((seen.get(), dropped.count()), (false, 1), "{already_failed}");
    }
}

/// H1, C4: The same for a task that awaits the handle of a sibling, and where many are awaited at once.
pub async fn whoever_awaits_what_fails_in_the_same_group_is_dropped_there() {
    let seen = Arc::new(AtomicBool::new(false));
    let outcome = try_task_group(async |tg| {
        let failing = tg.spawn(after(turns(5), Err::<(), _>("failed")));
        let sees = seen.clone();
        tg.spawn(async move {
            let _ = failing.await;
            sees.store(true, Ordering::SeqCst);
            Ok(())
        });
        let many =
            (0..10).map(|number| tg.spawn(async move { if number == 5 { Err("one") } else { forever().await } }));
        let _ = join_all(many.collect::<Vec<TaskHandle<()>>>()).await;
        seen.store(true, Ordering::SeqCst);
        Ok(())
    });
    assert!(outcome.await.is_err());
    assert!(!seen.load(Ordering::SeqCst));
}

/// H1: Under a shield the body sees the failure; the error itself stays with the group.
pub async fn under_a_shield_the_failure_is_seen() {
    let outcome = try_task_group(async |tg| {
        let failing = tg.spawn(ready(Err::<(), _>("failed")));
        assert!(matches!(shield(failing).await, Err(TaskError::Failed)));
        Ok(())
    });
    assert!(outcome.await.unwrap_err().errors().eq([&"failed"]));
}

/// H1: The handle of a cancelled task has the reason, with the place of the request.
pub async fn the_handle_of_a_cancelled_task_has_the_reason() {
    let outcome = task_group(async |tg| {
        let (one, other) = (tg.spawn(sleep_forever()), tg.spawn(sleep_forever()));
        let line = line!() + 1;
        one.cancel();
        assert_eq!(line_of(&cancelled(one.await)), line);
        let line = line!() + 1;
        let joined = other.cancel_and_join();
        assert_eq!(line_of(&cancelled(joined.await)), line);
        let last = tg.spawn(sleep_forever());
        tg.scope().cancel_with("all");
        assert!(says(&cancelled(shield(last).await), "all"));
    });
    assert_eq!(outcome.await, Ok(()));
}

/// H1: `value` gives the value; if there is none the nearest scope around is cancelled, and the code outside goes on.
pub async fn value_cancels_the_branch_that_waits_for_it() {
    let outcome = task_group(async |tg| {
        assert_eq!(tg.spawn(ready(1)).value().await, 1);
        let sleeper = tg.spawn(sleep_forever());
        sleeper.cancel();
        let mut reached = false;
        let branch = CancelScope::new().run(timeout(LONG, async {
            sleeper.value().await;
            reached = true;
        }));
        assert!(matches!(branch.await.unwrap_err().reason(), CancelReason::Requested { .. }));
        assert!(!reached && !anyio::is_cancelled());
        "went on"
    });
    assert_eq!(outcome.await, Ok("went on"));
}

/// H1: Without a scope `value` cancels the group whose body it is in, for the reason of the task.
pub async fn value_in_a_body_cancels_the_group() {
    let outcome = task_group(async |tg| {
        let (sleeper, _other) = (tg.spawn(sleep_forever()), tg.spawn(sleep_forever()));
        sleeper.cancel();
        timeout(LONG, sleeper.value()).await.unwrap();
    });
    assert!(matches!(outcome.await.unwrap_err().reason(), CancelReason::Requested { .. }));
}

/// H1: In a task `value` cancels that task alone; if what it waits for has failed elsewhere, it says which task.
pub async fn value_in_a_task_cancels_that_task() {
    let elsewhere = OwnedTaskGroup::fallible();
    let failing = elsewhere.task().name("elsewhere").spawn(ready(Err::<(), _>("failed")));
    let outcome = task_group(async |tg| {
        let waiting = tg.spawn(failing.value());
        let reason = cancelled(waiting.await);
        let CancelReason::SiblingFailed(Some(task)) = reason.reason() else { panic!("{reason}") };
        assert_eq!(task.name(), Some("elsewhere"));
        turns(3).await;
        "went on"
    });
    assert_eq!(outcome.await, Ok("went on"));
    assert!(elsewhere.close().await.is_err());
}

/// H1: In a body with a clean-up `value` cancels that body, and the clean-up runs.
pub async fn value_in_a_body_with_a_clean_up_cancels_the_body() {
    let mut clean = false;
    let outcome = task_group(async |tg| {
        let sleeper = tg.spawn(sleep_forever());
        sleeper.cancel();
        let outcome = finally(sleeper.value(), async {
            checkpoint().await;
            clean = true;
        });
        assert!(outcome.await.is_err());
    });
    assert_eq!((outcome.await, clean), (Ok(()), true));
}

/// H1: Where there is no value and nothing that could be cancelled, `value` panics and says what to do.
pub async fn value_panics_where_nothing_can_be_cancelled() {
    let no_value = || {
        let group = OwnedTaskGroup::new();
        let sleeper = group.spawn(sleep_forever());
        group.cancel();
        sleeper
    };
    let at_the_top = caught(no_value().value()).await.unwrap_err();
    assert!(at_the_top.contains("await the handle itself"), "{at_the_top}");
    let under_a_shield = task_group(async |_| caught(shield(no_value().value())).await.unwrap_err());
    assert!(under_a_shield.await.unwrap().contains("await the handle itself"));
    let in_a_scope = shield(CancelScope::new().run(no_value().value()));
    assert!(in_a_scope.await.is_err());
}

/// H1, C2: While something else in the branch holds it, `value` that will not come waits; then the branch is cut short.
pub async fn value_waits_for_what_holds_its_branch() {
    let ended = Cell::new(false);
    let outcome = task_group(async |tg| {
        let sleeper = tg.spawn(sleep_forever());
        sleeper.cancel();
        let held = shield(async {
            turns(10).await;
            ended.set(true);
        });
        CancelScope::new().run(join(sleeper.value(), held)).await.is_err()
    });
    assert_eq!((outcome.await, ended.get()), (Ok(true), true));
}

/// H1: A task that awaits its own handle is told so, inside a scope too; with `value` it panics.
pub async fn awaiting_ones_own_handle_is_a_clear_error() {
    async fn ask(own: oneshot::Receiver<TaskHandle<()>>, told: oneshot::Sender<String>) {
        let mut own = own.await.unwrap();
        let scoped = CancelScope::new().run(&mut own).await;
        assert!(matches!(scoped, Ok(Err(TaskError::OwnHandle))));
        told.send(own.await.unwrap_err().to_string()).unwrap();
    }
    let asked = task_group(async |tg| {
        let ((send, own), (tells, told)) = (oneshot::channel(), oneshot::channel());
        send.send(tg.spawn(ask(own, tells))).unwrap();
        told.await.unwrap()
    });
    assert!(asked.await.unwrap().contains("its own handle"));
    let value = task_group(async |tg| {
        let (send, own) = oneshot::channel::<TaskHandle<()>>();
        send.send(tg.spawn(async { own.await.unwrap().value().await })).unwrap();
    });
    assert!(caught(value).await.unwrap_err().contains("its own handle"));
}

/// H1, X1: A handle may be awaited on a thread that knows no runtime.
pub async fn a_handle_may_be_awaited_anywhere() {
    let (send, receive) = oneshot::channel();
    let group = task_group(async |tg| {
        let task = tg.spawn(after(sleep(SHORT), "value"));
        on_thread(move || send.send(block_on(task).unwrap()));
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(receive.await.unwrap(), "value");
}

/// H1: A handle that is awaited by reference loses nothing when that is given up.
pub async fn a_handle_awaited_by_reference_loses_nothing() {
    let (may_end, opens) = gate();
    let outcome = task_group(async |tg| {
        let mut task = tg.spawn(after(pass(may_end), "value"));
        for _ in 0..3 {
            assert!(poll_times(1, &mut task).await.is_err());
            assert!(timeout(SHORT, &mut task).await.is_err());
        }
        opens.set();
        task.value().await
    });
    assert_eq!(outcome.await, Ok("value"));
}

/// H1: Many handles at once, in a stream in order of completion, lose nothing and mix nothing up.
pub async fn many_handles_lose_nothing() {
    let sum = task_group(async |tg| {
        let tasks = (0..1000).map(|number| tg.spawn(after(turns(number % 7), number)));
        let mut tasks: FuturesUnordered<_> = tasks.collect();
        let mut sum = 0;
        while let Some(number) = tasks.next().await {
            sum += number.unwrap();
        }
        sum
    });
    assert_eq!(sum.await, Ok(499_500));
}

/// H2: Cancelling a task touches it alone, and is no failure of the group.
pub async fn cancelling_a_task_touches_it_alone() {
    let drops = Drops::new();
    let outcome = try_task_group(async |tg| {
        let sleeper = |token| async move {
            let _token = token;
            sleep_forever().await;
        };
        let sleepers: Vec<_> = (0..3).map(|_| tg.spawn_ok(sleeper(drops.token()))).collect();
        sleepers[1].cancel();
        until(|| sleepers[1].is_finished()).await;
        turns(5).await;
        let statuses: Vec<_> = sleepers.iter().map(TaskHandle::status).collect();
        assert_eq!(statuses, [TaskStatus::Running, TaskStatus::Cancelled, TaskStatus::Running]);
        assert_eq!((drops.count(), tg.scope().cancel_requested()), (1, false));
        sleepers.iter().for_each(TaskHandle::cancel);
        Ok::<_, ()>("value")
    });
    assert_eq!((outcome.await.unwrap(), drops.count()), ("value", 3));
}

/// H2, C2: A task that is cancelled before its first poll gets that poll all the same, and may complete in it.
pub async fn a_task_cancelled_at_once_gets_its_first_poll() {
    let outcome = task_group(async |tg| {
        for _ in 0..100 {
            let polled = Arc::new(AtomicBool::new(false));
            let polls = polled.clone();
            let (sleeper, ready) = (
                tg.spawn(async move {
                    polls.store(true, Ordering::SeqCst);
                    sleep_forever().await;
                }),
                tg.spawn(ready("value")),
            );
            ready.cancel();
            assert!(sleeper.cancel_and_join().await.is_err());
            assert_eq!((polled.load(Ordering::SeqCst), ready.await.unwrap()), (true, "value"));
        }
    });
    assert_eq!(outcome.await, Ok(()));
}

/// H2: Cancelling a task that has finished does nothing.
pub async fn cancelling_a_finished_task_does_nothing() {
    let outcome = task_group(async |tg| {
        let task = tg.spawn(ready("value"));
        until(|| task.is_finished()).await;
        task.cancel();
        assert_eq!(task.status(), TaskStatus::Completed);
        task.cancel_and_join().await.unwrap()
    });
    assert_eq!(outcome.await, Ok("value"));
}

/// H2: `cancel_and_join` returns when the task is gone, with all below it: also what foreign code has orphaned there.
pub async fn cancel_and_join_waits_until_all_is_gone() {
    let alive = Arc::new(());
    let outcome = task_group(async |tg| {
        let token = alive.clone();
        let (orphaned, orphans) = gate();
        let task = tg.spawn(async move {
            let inner = task_group(async move |tg| {
                tg.spawn(shield(async move { after(turns(20), token).await }));
                sleep_forever().await;
            });
            drop(poll_times(1, Box::pin(inner)).await);
            orphans.set();
            sleep_forever().await;
        });
        orphaned.wait().await;
        assert!(task.cancel_and_join().await.is_err());
        Arc::strong_count(&alive)
    });
    assert_eq!(outcome.await, Ok(1));
}

/// H2, C2: A value that the task returns although it was cancelled is what `cancel_and_join` returns.
pub async fn cancel_and_join_returns_the_value_if_there_is_one() {
    let outcome = task_group(async |tg| {
        let (begun, begins) = gate();
        let task = tg.spawn(shield(async move {
            begins.set();
            after(turns(5), "value").await
        }));
        begun.wait().await;
        task.cancel_and_join().await.unwrap()
    });
    assert_eq!(outcome.await, Ok("value"));
}

/// H2: Cancelling a blocking job does not stop it: its value is there.
pub async fn a_blocking_job_has_its_value_although_it_was_cancelled() {
    let outcome = task_group(async |tg| {
        let job = tg.spawn_blocking(|| {
            block(SHORT);
            "value"
        });
        job.cancel_and_join().await.unwrap()
    });
    assert_eq!(outcome.await, Ok("value"));
}

/// H2: Dropping a handle changes nothing: the task goes on, and its failure is the group's.
pub async fn dropping_a_handle_changes_nothing() {
    let (drops, (may_end, opens)) = (Drops::new(), gate());
    let outcome = try_task_group(async |tg| {
        let token = drops.token();
        let task = tg.spawn(after(pass(may_end), Err::<(), _>(token)));
        turns(2).await;
        drop(task);
        turns(5).await;
        assert_eq!((drops.count(), tg.scope().cancel_requested()), (0, false));
        opens.set();
        Ok(())
    });
    assert_eq!(outcome.await.unwrap_err().errors().count(), 1);
}

/// H2, C7: A cancellation from a thread races with the end of the task: it has its value or was cancelled, nothing is
/// lost and nothing happens twice.
pub async fn a_cancellation_races_with_the_end_of_the_task() {
    let drops = Drops::new();
    let outcome = task_group(async |tg| {
        for round in 0..500 {
            let task = Arc::new(tg.spawn(after(turns(round % 4), drops.token())));
            let cancelled = task.clone();
            let thread = on_thread(move || cancelled.cancel());
            until(|| task.is_finished()).await;
            thread.join().unwrap();
            let completed = task.status() == TaskStatus::Completed;
            assert_eq!(drops.count(), round + usize::from(!completed));
            let result = Arc::into_inner(task).unwrap().await;
            assert_eq!(result.is_ok(), completed);
            drop(result);
            assert_eq!(drops.count(), round + 1);
        }
    });
    assert_eq!(outcome.await, Ok(()));
}

/// H3: Name, number and place are readable at any time: of running, finished and refused tasks, in errors and reasons.
pub async fn a_task_can_be_told_at_any_time() {
    let (runtime, heard) = hooked();
    let told = async {
        let closed = task_group(async |tg| tg).await.unwrap();
        let line = line!() + 1;
        let refused = closed.task().name("refused").spawn(ready(()));
        assert_eq!((refused.name(), refused.info().location().line()), (Some("refused"), line));
        let outcome = task_group(async |tg| {
            let line = line!() + 1;
            let task = tg.spawn(turns(3));
            assert_eq!((task.name(), task.info().location().file()), (None, file!()));
            let before = (task.id(), task.info().to_string());
            until(|| task.is_finished()).await;
            assert_eq!((task.id(), task.info().to_string()), before);
            assert_eq!(before.1, format!("task {} (spawned at {}:{line}:27)", task.id(), file!()));
            assert!(task.id() > refused.id());
        });
        assert_eq!(outcome.await, Ok(()));
    };
    enter(runtime, told).await;
    assert!(heard.texts()[0].contains("\"refused\""));
}

/// H3: No two tasks have the same number, whoever spawns them.
pub async fn every_task_has_a_number_of_its_own() {
    let outcome = task_group(async |tg| {
        let spawn = |tg: TaskGroup| move || (0..100).map(|_| tg.spawn(ready(())).id()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..8).map(|_| on_thread(spawn(tg.clone()))).collect();
        let ids = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        ids.collect::<std::collections::HashSet<_>>().len()
    });
    assert_eq!(outcome.await, Ok(800));
}

/// H3: A task is running as long as its destructors run.
pub async fn a_task_is_running_until_it_is_dropped() {
    struct Looks(Arc<Mutex<Option<TaskHandle<()>>>>, Option<oneshot::Sender<TaskStatus>>);
    impl Drop for Looks {
        fn drop(&mut self) {
            let status = self.0.lock().as_ref().unwrap().status();
            self.1.take().unwrap().send(status).unwrap();
        }
    }
    let outcome = task_group(async |tg| {
        let (own, (tells, told)) = (Arc::new(Mutex::new(None)), oneshot::channel());
        let looks = Looks(own.clone(), Some(tells));
        let task = tg.spawn(async {
            let _looks = looks;
            sleep_forever().await;
        });
        own.lock().insert(task).cancel();
        told.await.unwrap()
    });
    assert_eq!(outcome.await, Ok(TaskStatus::Running));
}

/// H1, G1: A future that is attached to a group and run by a foreign thread is a task of the group: the group waits for
/// it, it is in the group's runtime, and may spawn.
pub async fn an_attached_future_is_a_task_of_the_group() {
    let (ran, name) = (Arc::new(AtomicBool::new(false)), Runtime::current().unwrap().name());
    let (send, receive) = oneshot::channel();
    let group = task_group(async |tg| {
        let (siblings, runs) = (tg.clone(), ran.clone());
        let attached = tg.attach(async move {
            sleep(SHORT).await;
            siblings.spawn(async move { runs.store(true, Ordering::SeqCst) });
            Runtime::current().unwrap().name()
        });
        on_thread(move || send.send(block_on(attached).unwrap()));
    });
    assert_eq!(group.await, Ok(()));
    assert!(ran.load(Ordering::SeqCst));
    assert_eq!(receive.await.unwrap(), name);
}

/// H1, G2: What cancels the group reaches an attached future on its thread; its failure and its panic are the group's.
pub async fn an_attached_future_shares_the_fate_of_the_group() {
    let (send, receive) = oneshot::channel();
    let cancelled = task_group(async |tg| {
        let attached = tg.attach(sleep_forever());
        on_thread(move || send.send(block_on(attached)));
        tg.scope().cancel_with("all");
    });
    assert_eq!(cancelled.await, Ok(()));
    assert!(says(&self::cancelled(receive.await.unwrap()), "all"));
    let failed = try_task_group(async |tg| {
        let attached = tg.attach(after(turns(3), Err::<(), _>("attached")));
        on_thread(move || assert!(matches!(block_on(attached), Err(TaskError::Failed))));
        forever::<Result<(), _>>().await
    });
    assert!(failed.await.unwrap_err().errors().eq([&"attached"]));
    let panicked = task_group(async |tg| {
        let attached = tg.attach(panics::<()>("attached"));
        on_thread(move || assert!(matches!(block_on(attached), Err(TaskError::Panicked))));
        sleep_forever().await;
    });
    assert_eq!(caught(panicked).await.unwrap_err(), "attached");
}

/// H1, G6: An attached future that is dropped ends, and its group does not wait for it; attached to a closed group it
/// says so.
pub async fn an_attached_future_may_be_dropped_or_late() {
    let ((runtime, heard), drops) = (hooked(), Drops::new());
    let token = drops.token();
    let ends = async {
        let outcome = task_group(async |tg| {
            drop(tg.attach(after(sleep_forever(), token)));
            tg
        });
        let _ = outcome.await;
        let closed = task_group(async |tg| tg).await.unwrap();
        assert!(matches!(closed.attach(ready(())).await, Err(TaskError::Closed)));
    };
    enter(runtime, ends).await;
    assert_eq!(drops.count(), 1);
    let late = heard.count(|outcome| matches!(outcome, Unhandled::SpawnedIntoClosedGroup { .. }));
    assert_eq!((late, heard.texts().len()), (1, 1));
}

/// H2, G8: A handle that was awaited and is dropped keeps no waker, whether the task has ended by then or not.
pub async fn a_handle_that_was_awaited_and_dropped_keeps_no_waker() {
    let wakes = Wakes::new();
    let group = task_group(async |tg| {
        for ended in [false, true] {
            let go = Arc::new(Event::new());
            let gate = go.clone();
            let mut handle = tg.spawn(async move { gate.wait().await });
            assert!(wakes.poll(&mut handle).is_pending());
            if ended {
                go.set();
                until(|| handle.status() != TaskStatus::Running).await;
            }
            drop(handle);
            // Another thread may be about to pull the waker that it has taken when the task ended.
            until(|| Arc::strong_count(&wakes) == 1).await;
            go.set();
        }
    });
    assert!(group.await.is_ok());
}
