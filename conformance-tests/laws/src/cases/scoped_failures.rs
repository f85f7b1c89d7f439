//! Cases of law B2 that concern what goes wrong in scoped groups: failures, panics, foreign drops, handles and starts.

use std::cell::{Cell, RefCell};
use std::future::{Future, ready};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use anyio::{
    CancelReason, CancelScope, Failure, FailureKind, GroupBuilder, GroupError, ScopedGroup, StartError, TaskError,
    TaskHandle, TaskInfo, TaskStatus, Try, Unhandled, checkpoint, enter, finally, local_scoped_group, protect,
    scoped_group, shield, sleep, sleep_forever, task_group, timeout, try_local_scoped_group, try_scoped_group,
};
use futures::future::{join, select};

use crate::fixture::{Drops, LONG, SHORT, caught, hooked, poll_times};
use crate::steps::{OnDrop, after, bomb, forever, gate, on_thread, panics, pass, polled, says, turns, until, waits};

fn errors<E: Copy>(error: &GroupError<E>) -> Vec<E> {
    error.errors().copied().collect()
}

fn secondary<E>(error: &GroupError<E>) -> Vec<bool> {
    error.failures().map(Failure::is_secondary).collect()
}

/// B2, G2: Errors come in the order of completion, with name and place, and the later ones are secondary.
pub async fn errors_come_in_the_order_of_completion_with_name_and_place() {
    let (late_may_end, opens) = gate();
    let mut line = 0;
    let outcome = try_scoped_group(async |s| {
        let late = s.spawn(async {
            pass(late_may_end).await;
            Err::<(), _>("late")
        });
        line = line!() + 1;
        let early = s.task().name("early").spawn(ready(Err::<(), _>("early")));
        assert!(matches!(shield(early).await, Err(TaskError::Failed)));
        opens.set();
        assert!(shield(late).await.is_err());
        Err::<(), _>("body")
    });
    let error = outcome.await.unwrap_err();
    assert_eq!((errors(&error), secondary(&error)), (vec!["early", "late", "body"], vec![false, true, true]));
    let first = error.failures().next().and_then(Failure::task).unwrap();
    assert_eq!((first.name(), first.location().file(), first.location().line()), (Some("early"), file!(), line));
}

/// B2, G2: The first failure cancels the other tasks and the body, which are told which it was; all of it is dropped in
/// the same poll.
pub async fn the_first_failure_cancels_the_rest() {
    let (drops, seen) = (Drops::new(), RefCell::new(None));
    let outcome = try_local_scoped_group(async |s| {
        let mut sleepers: Vec<TaskHandle<()>> = (0..100).map(|_| s.spawn(after(sleep_forever(), Ok(())))).collect();
        let token = drops.token();
        s.spawn_ok(async {
            let _token = token;
            sleep_forever().await;
        });
        checkpoint().await;
        s.task().name("bad").spawn(ready(Err::<(), _>("bad")));
        *seen.borrow_mut() = shield(sleepers.pop().unwrap()).await.err();
        forever::<Result<(), _>>().await
    });
    assert_eq!(errors(&outcome.await.unwrap_err()), ["bad"]);
    let Some(TaskError::Cancelled(cancelled)) = seen.take() else { panic!("the sleeper was not cancelled") };
    let CancelReason::SiblingFailed(Some(task)) = cancelled.reason() else { panic!("{cancelled}") };
    assert_eq!((task.name(), drops.count()), (Some("bad"), 1));
}

/// B2, G3: Errors beat cancellation: a failure in the poll in which a scope around is cancelled is returned, though tasks
/// that wait are still to be dropped, and though the dropping spawns more of them.
pub async fn errors_beat_a_cancellation_in_the_same_poll() {
    let (scope, inner) = (CancelScope::new(), RefCell::new(None));
    let (handle, spawned) = (scope.handle(), Cell::new(0));
    let _ = scope
        .run(async {
            let outcome = try_local_scoped_group(async |s| {
                for _ in 0..5 {
                    let more = OnDrop(|| {
                        spawned.set(spawned.get() + 1);
                        s.spawn_ok(sleep_forever());
                    });
                    let more = s.spawn(after(sleep_forever(), Ok(()))).is_finished().then_some(more);
                    drop(more);
                    s.spawn(after(sleep_forever(), Ok(())));
                }
                checkpoint().await;
                s.spawn(async {
                    handle.cancel();
                    Err::<(), _>("failed")
                });
                forever::<Result<(), _>>().await
            });
            *inner.borrow_mut() = Some(outcome.await);
        })
        .await;
    let error = inner.take().expect("the errors are returned").unwrap_err();
    assert_eq!(errors(&error), ["failed"]);
    assert!(error.cancelled().is_some());
}

/// B2, G2, G3: What fails after a scope around was cancelled is secondary, and split gives both.
pub async fn errors_and_an_outer_cancellation_are_both_told() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let inner = RefCell::new(None);
    let _ = scope
        .run(async {
            let group = try_scoped_group(async |s| {
                s.spawn_ok(sleep_forever());
                s.spawn(async {
                    handle.cancel_with("outer");
                    shield(turns(3)).await;
                    Err::<(), _>("late")
                });
                Ok(())
            });
            *inner.borrow_mut() = Some(group.await);
        })
        .await;
    let error = inner.take().unwrap().unwrap_err();
    assert_eq!(secondary(&error), [true]);
    let (cancelled, failures) = error.split();
    assert!(says(&cancelled.unwrap(), "outer"));
    assert_eq!(failures.len(), 1);
}

/// B2, G3, C4: Cut short from outside there is no value; the group offers itself to the scope around first, and tells its
/// reason if something else keeps that from acting.
pub async fn a_group_cut_short_from_outside_offers_itself_first() {
    let seen = Cell::new(false);
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope.run(async {
        let _ = scoped_group(async |s| {
            s.spawn(sleep_forever());
            handle.cancel();
        })
        .await;
        seen.set(true);
    });
    assert!(outcome.await.is_err());
    assert!(!seen.get());
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope.run(async {
        let (ended, ends) = gate();
        let group = async {
            let outcome = scoped_group(async |s| {
                s.spawn(sleep_forever());
                handle.cancel_with("outer");
                s.cancel();
            })
            .await;
            ends.set();
            outcome
        };
        join(group, pass(ended)).await.0
    });
    assert!(says(&outcome.await.unwrap().unwrap_err(), "outer"));
}

/// B2, G9: A panic cancels the rest, the group drains, all else goes to the hook, and the first panic is resumed.
pub async fn the_first_panic_is_resumed_after_the_drain() {
    let (runtime, heard) = hooked();
    let drained = AtomicUsize::new(0);
    let group = try_scoped_group(async |s| {
        s.spawn(async {
            shield(turns(5)).await;
            drained.fetch_add(1, Ordering::SeqCst);
            Err::<(), _>("error")
        });
        s.spawn(after(shield(turns(3)), ()).then_panics("second"));
        s.spawn_ok(panics::<()>("first"));
        forever::<Result<(), _>>().await
    });
    assert_eq!(caught(enter(runtime, group)).await.unwrap_err(), "first");
    assert_eq!(drained.load(Ordering::SeqCst), 1);
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::Failed { .. })), 1);
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::Panicked { message, .. } if message == "second")), 1);
}

trait ThenPanics: Future + Sized {
    /// Panics when it is done.
    async fn then_panics(self, text: &'static str) -> Result<(), &'static str> {
        self.await;
        panic!("{text}")
    }
}

impl<F: Future> ThenPanics for F {}

/// B2, G9: A panic of the body, and of the closure that makes it, is resumed when the tasks are gone.
pub async fn a_panic_of_the_body_is_resumed() {
    let drops = Drops::new();
    let body = scoped_group(async |s| {
        let token = drops.token();
        s.spawn(shield(async move {
            turns(3).await;
            drop(token);
        }));
        panics::<()>("body").await
    });
    assert_eq!(caught(body).await.unwrap_err(), "body");
    assert_eq!(drops.count(), 1);
    let closure = scoped_group(|s| {
        let token = drops.token();
        s.spawn(after(turns(1), token));
        if drops.count() == 1 {
            panic!("closure")
        }
        ready(())
    });
    assert_eq!(caught(closure).await.unwrap_err(), "closure");
    assert_eq!(drops.count(), 2);
}

/// B2, G2, G9: A panicking destructor is its task's panic: of a task that ends, that is cut short, and of a value that
/// nobody wants. By policy panics are errors.
pub async fn panics_of_destructors_are_their_tasks() {
    let outcome = GroupBuilder::new().panics_are_errors().run_scoped(async |s| {
        s.task().name("ends").spawn_ok(async { drop(bomb("at the end")) });
        let on_the_way = bomb("on the way");
        let cut = s.task().name("cut").spawn_ok(async move {
            let _bomb = on_the_way;
            sleep_forever().await;
        });
        cut.cancel();
        s.task().name("unwanted").spawn_ok(ready(bomb("unwanted")));
        assert!(matches!(shield(cut).await, Err(TaskError::Panicked)));
        Ok::<(), &str>(())
    });
    let error = outcome.await.unwrap_err();
    let mut told: Vec<_> =
        error.failures().map(|failure| (failure.task().unwrap().name(), failure.to_string())).collect();
    told.sort();
    let expected = [("cut", "on the way"), ("ends", "at the end"), ("unwanted", "unwanted")];
    assert_eq!(told, expected.map(|(name, text)| (Some(name), format!("panicked: {text}"))));
    assert!(error.failures().all(|failure| matches!(failure.kind(), FailureKind::Panic(_))));
}

/// A group of three tasks, one of which has a task of the runtime below it, and what they hold.
fn busy(drops: &Drops) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
    Box::pin(async move {
        let _ = scoped_group(async |s| {
            let _of_body = drops.token();
            for number in 0..3 {
                let token = drops.token();
                s.spawn(async move {
                    let _token = token;
                    turns(number).await;
                    if number == 1 {
                        let token = drops.token();
                        let _ = task_group(async |tg| {
                            tg.spawn(after(shield(turns(10)), token));
                            sleep_forever().await;
                        })
                        .await;
                    }
                    sleep_forever().await;
                });
                checkpoint().await;
            }
            sleep_forever().await;
        })
        .await;
    })
}

/// B2, F1, F2: A group dropped at whatever poll drops its tasks there and then; what they have spawned is waited for by the
/// scope around.
pub async fn a_group_dropped_at_any_poll_leaves_nothing_behind() {
    for polls in 0..=10 {
        let drops = Drops::new();
        let scope = CancelScope::new().run(async {
            drop(polled(polls, busy(&drops)).await.unwrap());
        });
        assert_eq!(scope.await, Ok(()));
        let count = drops.count();
        turns(5).await;
        assert_eq!(drops.count(), count, "dropped after {polls} polls");
        assert!((polls == 0) == (count == 0) && (polls < 8 || count == 5), "{count} after {polls} polls");
    }
}

/// B2, F1: The tasks of a group that loses a foreign select are gone at once, and their handles say why.
pub async fn a_dropped_group_drops_its_tasks_at_once() {
    let drops = Drops::new();
    let mut task = None;
    let group = Box::pin(scoped_group(async |s| {
        let token = drops.token();
        task = Some(s.spawn(async move {
            let _token = token;
            sleep_forever().await;
        }));
        forever::<()>().await;
    }));
    drop(select(group, Box::pin(sleep(SHORT))).await);
    assert_eq!(drops.count(), 1);
    let task = task.unwrap();
    assert_eq!(task.status(), TaskStatus::Cancelled);
    let Err(TaskError::Cancelled(cancelled)) = task.await else { panic!("it was not cancelled") };
    assert!(matches!(cancelled.reason(), CancelReason::GroupDropped), "{cancelled}");
}

/// B2, F1: A group may be dropped on another thread.
pub async fn a_group_dropped_on_another_thread_leaves_nothing_behind() {
    static DROPS: std::sync::LazyLock<Drops> = std::sync::LazyLock::new(Drops::new);
    let before = DROPS.count();
    let scope = CancelScope::new().run(async {
        let group = polled(6, busy(&DROPS)).await.unwrap();
        on_thread(move || drop(group)).join().unwrap();
    });
    assert_eq!(scope.await, Ok(()));
    assert!(DROPS.count() > before);
}

/// B2, F3: What a dropped group had collected, and what goes wrong while it is dropped, reaches the hook.
pub async fn failures_of_a_dropped_group_reach_the_hook() {
    let (runtime, heard) = hooked();
    enter(runtime, async {
        let group = try_scoped_group(async |s| {
            s.spawn(ready(Err::<(), _>("collected")));
            let bomb = bomb("dropped");
            s.spawn_ok(shield(async move {
                let _bomb = bomb;
                sleep_forever().await;
            }));
            forever::<Result<(), _>>().await
        });
        drop(polled(3, Box::pin(group)).await.unwrap());
    })
    .await;
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::Failed { .. })), 1);
    assert_eq!(
        heard.count(|outcome| matches!(outcome, Unhandled::Panicked { message, .. } if message == "dropped")),
        1
    );
}

/// B2, F2, F5: A forgotten group keeps no scope around it from ending, or from being cancelled; what its tasks have
/// spawned is cancelled and waited for.
pub async fn a_forgotten_group_holds_nobody() {
    let drops = Drops::new();
    for cancelled in [false, true] {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let outcome = scope.run(async {
            let token = drops.token();
            let group = scoped_group(async move |s| {
                s.spawn(async move {
                    let _ = task_group(async |tg| {
                        tg.spawn(after(shield(turns(5)), token));
                        sleep_forever().await;
                    })
                    .await;
                });
                s.spawn(sleep_forever());
            });
            mem::forget(polled(4, Box::pin(group)).await);
            if cancelled {
                handle.cancel();
                sleep_forever().await;
            }
        });
        assert_eq!(outcome.await.is_err(), cancelled);
    }
    assert_eq!(drops.count(), 2);
}

/// B2, F2: A group that is moved out of the scope where it was begun is not waited for there, goes on elsewhere, and the
/// hook is told.
pub async fn a_group_polled_by_reference_is_not_waited_for() {
    let (runtime, heard) = hooked();
    enter(runtime, async {
        let mut group = Box::pin(scoped_group(async |s| s.spawn(turns(5)).value().await));
        let begun = CancelScope::new().run(async { poll_times(1, &mut group).await.is_err() });
        assert_eq!(begun.await, Ok(true));
        let _ = group.await;
    })
    .await;
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::PolledByReference)), 1, "{:?}", heard.texts());
}

/// B2, L1, S7: Clean-ups and protected work in tasks run to their end, whoever cancels them.
pub async fn clean_ups_in_tasks_run_to_their_end() {
    let cleaned = AtomicUsize::new(0);
    let (begun, protected) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let scope = CancelScope::new();
    let handle = scope.handle();
    let group = scoped_group(async |s| {
        for _ in 0..3 {
            s.spawn(finally(sleep_forever(), async {
                turns(5).await;
                cleaned.fetch_add(1, Ordering::SeqCst);
            }));
            let (begins, counts) = (begun.clone(), protected.clone());
            s.spawn(protect(async move {
                begins.fetch_add(1, Ordering::SeqCst);
                sleep(SHORT).await;
                counts.fetch_add(1, Ordering::SeqCst);
            }));
        }
        until(|| begun.load(Ordering::SeqCst) == 3).await;
        handle.cancel();
    });
    assert!(scope.run(group).await.is_err());
    assert_eq!((cleaned.load(Ordering::SeqCst), protected.load(Ordering::SeqCst)), (3, 3));
}

/// B2, H1, H3: A handle that is kept after the group has ended says what became of its task.
pub async fn a_handle_outlives_its_group() {
    let text = String::from("borrowed");
    let [done, cut] = scoped_group(async |s| {
        let done = s.task().name("done").spawn(async { text.as_str() });
        let cut = s.spawn(after(sleep_forever(), ""));
        until(|| done.is_finished()).await;
        assert_eq!(cut.status(), TaskStatus::Running);
        s.cancel();
        [done, cut]
    })
    .await
    .unwrap();
    assert_eq!(
        (done.name(), done.status(), cut.status()),
        (Some("done"), TaskStatus::Completed, TaskStatus::Cancelled)
    );
    assert_eq!(done.await.unwrap(), "borrowed");
    assert!(matches!(cut.await, Err(TaskError::Cancelled(_))));
}

/// B2, H1: `value` without a value cancels the branch: a body that waits cancels its group, a task itself.
pub async fn value_cancels_the_branch_that_waits_for_it() {
    let outcome = scoped_group(async |s| {
        let cut = s.spawn(sleep_forever());
        cut.cancel();
        s.spawn(sleep_forever());
        cut.value().await;
    });
    assert!(matches!(outcome.await.unwrap_err().reason(), CancelReason::Requested { .. }));
    let outcome = scoped_group(async |s| {
        let cut = s.spawn(sleep_forever());
        cut.cancel();
        let waits = s.spawn(async { cut.value().await });
        let other = s.spawn(turns(5));
        (waits.await.is_err(), other.await.is_ok())
    });
    assert_eq!(outcome.await, Ok((true, true)));
}

/// B2, H1: Awaiting one's own handle is a clear error, also from a group inside the task.
pub async fn awaiting_ones_own_handle_is_a_clear_error() {
    let slot: RefCell<Option<TaskHandle<bool>>> = RefCell::new(None);
    let outcome = local_scoped_group(async |s| {
        let task = s.spawn(async {
            checkpoint().await;
            let own = slot.take().unwrap();
            let nested = local_scoped_group(async |inner| inner.spawn(own).value().await);
            matches!(nested.await, Ok(Err(TaskError::OwnHandle)))
        });
        slot.replace(Some(task));
    });
    assert_eq!(outcome.await, Ok(()));
    assert!(slot.take().is_none());
}

/// B2, H2: cancel_and_join returns when the task is gone, with everything below it.
pub async fn cancel_and_join_waits_until_all_is_gone() {
    let drops = Drops::new();
    scoped_group(async |s| {
        for orphaned in [false, true] {
            let token = drops.token();
            let task = s.spawn(async move {
                let group = task_group(async |tg| {
                    tg.spawn(after(shield(turns(10)), token));
                    sleep_forever().await;
                });
                if orphaned {
                    drop(poll_times(2, Box::pin(group)).await);
                } else {
                    let _ = group.await;
                }
            });
            turns(4).await;
            let _ = task.cancel_and_join().await;
            assert_eq!(drops.count(), 1 + usize::from(orphaned));
        }
    })
    .await
    .unwrap();
}

/// Joins a task, and goes on with that within whatever wakes it.
struct Inline {
    join: parking_lot::Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let Some(mut slot) = self.join.try_lock() else { return };
        let polled = slot.as_mut().map(|join| join.as_mut().poll(&mut Context::from_waker(&waker)));
        if polled.is_some_and(|polled| polled.is_ready()) {
            *slot = None;
        }
    }
}

/// B2, H2: Whoever joins a task within the wake that its end makes, before it is gone, is woken again when it is.
pub async fn a_join_that_comes_before_the_task_is_gone_is_woken_again() {
    let outcome = scoped_group(async |s: ScopedGroup<'static>| {
        let task = s.spawn(sleep_forever());
        turns(2).await;
        let join = Box::pin(async move { _ = task.cancel_and_join().await });
        let inline = Arc::new(Inline { join: parking_lot::Mutex::new(Some(join)) });
        inline.clone().wake();
        until(|| inline.join.lock().is_none()).await;
    });
    assert_eq!(outcome.await, Ok(()));
}

/// B2, C12, F1: A group that is dropped while another thread spawns into it tells the hook of nothing that was polled by
/// reference: what comes too late is dropped.
pub async fn a_group_dropped_amid_spawns_accuses_nobody() {
    let (runtime, heard) = hooked();
    for _ in 0..100 {
        let (drops, kept) = (Drops::new(), Cell::new(None));
        let mut group = Box::pin(enter(
            runtime.clone(),
            scoped_group(async |s: ScopedGroup<'static>| {
                kept.set(Some(s));
                forever::<()>().await
            }),
        ));
        assert!(waits(&mut group));
        let (s, tokens) = (kept.take().unwrap(), drops.clone());
        let spawned = Arc::new(AtomicUsize::new(0));
        let counts = spawned.clone();
        let spawner = on_thread(move || {
            while s.try_spawn(after(forever(), tokens.token())).is_ok() {
                counts.fetch_add(1, Ordering::SeqCst);
            }
        });
        until(|| spawned.load(Ordering::SeqCst) > 2).await;
        drop(group);
        spawner.join().unwrap();
        assert_eq!(drops.count(), spawned.load(Ordering::SeqCst) + 1);
    }
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// B2, R1, R2: `start` returns the value, the task goes on, and what goes wrong before is the caller's, after it the
/// group's.
pub async fn start_keeps_its_laws() {
    let name = String::from("cache");
    let outcome = try_scoped_group(async |s: ScopedGroup<'_, Try<&str>>| {
        let early = s.start::<(), _, _>(async |_started| Err("early")).await;
        assert!(matches!(early, Err(StartError::Failed("early"))));
        let lost = s.start::<(), _, _>(async |started| {
            drop(started);
            forever().await
        });
        assert!(matches!(lost.await, Err(StartError::NotStarted)));
        let length = s.start(async |started| {
            started.started(name.len()).unwrap();
            turns(5).await;
            Err("late")
        });
        assert_eq!(length.await.unwrap(), 5);
        forever::<Result<(), _>>().await
    });
    assert_eq!(errors(&outcome.await.unwrap_err()), ["late"]);
}

/// B2, R3, R4: The caller's scope cancels the task that starts, `start` waits until it is gone, with all below; dropped,
/// it cancels it.
pub async fn start_waits_until_its_task_is_gone() {
    let drops = Drops::new();
    scoped_group(async |s| {
        let token = drops.token();
        let started = timeout(
            SHORT,
            s.start::<(), _, _>(async |_started| {
                let group = task_group(async |tg| {
                    tg.spawn(after(shield(turns(20)), token));
                    sleep_forever().await;
                });
                drop(poll_times(1, Box::pin(group)).await);
                shield(turns(3)).await;
                sleep_forever().await;
            }),
        );
        assert!(started.await.is_err());
        assert_eq!(drops.count(), 1);
        let token = drops.token();
        let dropped = s.start::<(), _, _>(async |_started| {
            let _token = token;
            forever().await
        });
        drop(polled(2, Box::pin(dropped)).await.unwrap());
        until(|| drops.count() == 2).await;
    })
    .await
    .unwrap();
}

/// A future that wakes itself for ever.
struct Restless;

impl Future for Restless {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// B2, C9: A shielded task that is woken without pause does not keep a failed group busy within one poll, nor its siblings
/// alive.
pub async fn a_restless_shield_keeps_no_sibling() {
    let drops = Drops::new();
    let outcome = try_local_scoped_group(async |s| {
        s.spawn_ok(async {
            let _ = select(Box::pin(shield(Restless)), Box::pin(until(|| drops.count() == 10))).await;
        });
        for _ in 0..10 {
            let token = drops.token();
            s.spawn_ok(async {
                let _token = token;
                sleep_forever().await;
            });
        }
        checkpoint().await;
        Err::<(), _>("failed")
    });
    let Ok(group) = poll_times(100, Box::pin(timeout(LONG, outcome))).await else { panic!("it does not end") };
    assert_eq!(errors(&group.unwrap().unwrap_err()), ["failed"]);
}

/// B2, G11: Scoped groups and task groups nest in each other, and an inner failure is one error of the outer one.
pub async fn nested_failures_are_one_error_each() {
    let outcome = try_scoped_group(async |s| {
        s.spawn(async {
            let inner = task_group(async |tg| {
                tg.spawn(async {
                    try_scoped_group(async |s| {
                        s.spawn(ready(Err::<(), _>(1)));
                        s.spawn(ready(Err::<(), _>(2)));
                        Ok(())
                    })
                    .await
                })
                .value()
                .await
            });
            inner.await.unwrap()
        });
        Ok(())
    });
    let error: GroupError<GroupError<i32>> = outcome.await.unwrap_err();
    assert_eq!(error.failures().count(), 1);
    assert_eq!(errors(&error.flatten()), [1, 2]);
}

/// B2, H3: Every task has a number of its own and says where it was spawned.
pub async fn tasks_say_who_they_are() {
    scoped_group(async |s| {
        let (first, second) = (s.spawn(ready(())), s.spawn(ready(())));
        assert_ne!(first.id(), second.id());
        let info: TaskInfo = first.info();
        assert_eq!(info.location().file(), file!());
        assert!(format!("{first:?}").contains("Running"), "{first:?}");
    })
    .await
    .unwrap();
}
