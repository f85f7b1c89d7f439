//! Cases of the laws B: groups whose tasks borrow. What goes wrong in them is in `scoped_failures`.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use anyio::{
    CancelReason, CancelScope, Event, Plain, ScopedGroup, Spawner, TaskError, TaskHandle, TaskStatus, Unhandled,
    checkpoint, enter, is_cancelled, local_scoped_group, scoped_group, shield, sleep, sleep_forever, task_group,
    timeout, try_scoped_group,
};
use futures::future::join;
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::fixture::{Drops, LONG, SHORT, Wakes, hooked, in_own_run, poll_times};
use crate::steps::{after, forever, gate, on_thread, pass, says, turns, until};

/// B1: Tasks borrow what is around the group, and so do their values.
pub async fn tasks_borrow_what_outlives_the_call() {
    let words = [String::from("one"), String::from("three")];
    let longest = scoped_group(async |s| {
        let tasks: Vec<_> = words.iter().map(|word| s.spawn(async move { word.as_str() })).collect();
        let mut longest = "";
        for task in tasks {
            let word = task.value().await;
            longest = if word.len() > longest.len() { word } else { longest };
        }
        longest
    })
    .await
    .unwrap();
    assert_eq!(longest, "three");
}

/// B1: A task borrows mutably, and the caller has the thing back when the group is over.
pub async fn a_task_borrows_mutably() {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    scoped_group(async |s| {
        let left = &mut left;
        s.spawn(async move {
            checkpoint().await;
            left.push(1);
        });
        right.push(2);
    })
    .await
    .unwrap();
    left.append(&mut right);
    assert_eq!(left, [1, 2]);
}

/// B1: A local group takes tasks that are not Send, which spawn more of their kind.
pub async fn a_local_group_takes_what_is_not_send() {
    let log = Rc::new(RefCell::new(Vec::new()));
    local_scoped_group(async |s| {
        let (siblings, writes) = (s.clone(), log.clone());
        s.spawn(async move {
            let more = writes.clone();
            siblings.spawn(async move { more.borrow_mut().push("sibling") });
            checkpoint().await;
            writes.borrow_mut().push("task");
        });
    })
    .await
    .unwrap();
    let log = Rc::try_unwrap(log).expect("the tasks are gone").into_inner();
    assert_eq!(log.len(), 2);
}

/// B1: A helper is written once for groups of every kind.
pub async fn a_helper_spawns_into_any_group() {
    fn double<'env, S: Spawner<'env, Kind = Plain>>(group: &S, number: &'env AtomicUsize) -> TaskHandle<usize> {
        group.spawn(async { number.fetch_add(1, Ordering::SeqCst) * 2 })
    }
    static SHARED: AtomicUsize = AtomicUsize::new(3);
    let own = AtomicUsize::new(4);
    assert_eq!(scoped_group(async |s| double(&s, &own).value().await).await, Ok(8));
    assert_eq!(local_scoped_group(async |s| double(&s, &own).value().await).await, Ok(10));
    assert_eq!(task_group(async |tg| double(&tg, &SHARED).value().await % 2).await, Ok(0));
}

/// B1, B2: A group is a future like any other: it may be spawned, with all that its tasks borrow.
pub async fn a_group_that_borrows_may_be_spawned() {
    let sum = task_group(async |tg| {
        let inner = async {
            let numbers = [1, 2, 3];
            scoped_group(async |s| {
                let tasks: Vec<_> = numbers.iter().map(|number| s.spawn(async move { number * 2 })).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.value().await;
                }
                sum
            })
            .await
        };
        tg.spawn(inner).value().await
    });
    assert_eq!(sum.await, Ok(Ok(12)));
}

/// B2, G1: When the group returns, every task in it, and every task below those, has finished and been dropped.
pub async fn nothing_is_left_when_the_group_returns() {
    let drops = Drops::new();
    let outcome = scoped_group(async |s| {
        for _ in 0..3 {
            s.spawn(async {
                let token = drops.token();
                let _ = task_group(async |tg| {
                    tg.spawn(async {
                        turns(5).await;
                        drop(token);
                    });
                })
                .await;
                turns(3).await;
            });
        }
        let orphan = task_group(async |tg| {
            let token = drops.token();
            tg.spawn(shield(after(turns(20), token)));
            sleep_forever().await;
        });
        s.spawn(async { assert!(poll_times(1, Box::pin(orphan)).await.is_err()) });
    })
    .await;
    assert_eq!((outcome, drops.count()), (Ok(()), 4));
}

/// B2: Body and tasks are polled by the same poll: a body that awaits a task, a task that awaits a sibling, and a body
/// that waits for what a task sends, all go on.
pub async fn bodies_and_tasks_wait_for_each_other() {
    let (hears, says) = gate();
    let outcome = scoped_group(async |s| {
        let first = s.spawn(async { after(hears.wait(), 1).await });
        let second = s.spawn(async { first.value().await + 1 });
        checkpoint().await;
        says.set();
        second.value().await
    });
    assert_eq!(outcome.await, Ok(2));
}

/// A future that counts its polls, and is ready when it was told to.
struct Counted {
    polls: Arc<AtomicUsize>,
    waker: Arc<parking_lot::Mutex<Option<Waker>>>,
    done: Arc<Event>,
}

impl Future for Counted {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.polls.fetch_add(1, Ordering::SeqCst);
        *self.waker.lock() = Some(cx.waker().clone());
        if self.done.is_set() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// B2: Ten thousand tasks cost as many polls as there were wakes: each has a waker of its own, and neither a sibling's
/// wake nor the host's polls it; nor do they poll the body.
pub async fn only_what_was_woken_is_polled() {
    const MANY: usize = 10_000;
    let (polls, body_polls) = (Arc::new(AtomicUsize::new(0)), Cell::new(0));
    let (done, wakers) = (Arc::new(Event::new()), RefCell::new(Vec::new()));
    let mut group = Box::pin(scoped_group(async |s| {
        for _ in 0..MANY {
            let waker = Arc::default();
            wakers.borrow_mut().push(Arc::clone(&waker));
            s.spawn(Counted { polls: polls.clone(), waker, done: done.clone() });
        }
        poll_fn(|_| {
            body_polls.set(body_polls.get() + 1);
            if done.is_set() { Poll::Ready(()) } else { Poll::<()>::Pending }
        })
        .await;
    }));
    let host = Wakes::new();
    assert!(host.poll(&mut group).is_pending());
    assert_eq!((polls.load(Ordering::SeqCst), body_polls.get()), (MANY, 1));
    assert!(host.poll(&mut group).is_pending());
    let before = host.count();
    for round in 1..=100 {
        let waker = wakers.borrow()[round * 7].lock().clone().unwrap();
        waker.wake_by_ref();
        waker.wake();
        assert!(host.poll(&mut group).is_pending());
        assert!(host.poll(&mut group).is_pending());
        assert_eq!((polls.load(Ordering::SeqCst), body_polls.get()), (MANY + round, 1));
    }
    assert_eq!(host.count() - before, 100, "the host is woken once for each poll that is to come");
    for waker in &*wakers.borrow() {
        waker.lock().clone().unwrap().wake();
    }
    assert_eq!(host.count() - before, 101);
    assert!(host.poll(&mut group).is_pending());
    assert_eq!(polls.load(Ordering::SeqCst), 2 * MANY + 100);
    drop(group);
    assert_eq!(Arc::strong_count(&done), 1);
}

/// B2: A wake is not lost, wherever it comes from: eight threads wake tasks while the group is being polled.
pub async fn wakes_from_eight_threads_are_not_lost() {
    for _ in 0..20 {
        let numbers = (0..8).collect::<Vec<usize>>();
        let outcome = scoped_group(async |s| {
            let tasks: Vec<_> = numbers
                .iter()
                .map(|number| {
                    let (waits, wakes) = futures::channel::oneshot::channel();
                    let thread = on_thread(move || waits.send(()).unwrap());
                    s.spawn(async move {
                        wakes.await.unwrap();
                        thread.join().unwrap();
                        *number
                    })
                })
                .collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.value().await;
            }
            sum
        });
        assert_eq!(outcome.await, Ok(28));
    }
}

/// B2: The group may be moved to another task, whose waker is used from then on.
pub async fn a_group_follows_its_host() {
    let (waits, opens) = gate();
    let mut group = Box::pin(scoped_group(async |s| s.spawn(async move { waits.wait().await }).value().await));
    let (first, second) = (Wakes::new(), Wakes::new());
    assert!(first.poll(&mut group).is_pending());
    assert!(second.poll(&mut group).is_pending());
    let before = (first.count(), second.count());
    opens.set();
    assert_eq!(first.count(), before.0);
    assert!(second.count() > before.1);
    assert_eq!(group.await, Ok(()));
}

/// B2, C9: A busy task does not keep its siblings, nor the host's other work, from going on.
pub async fn a_busy_task_starves_nobody() {
    let turned = Cell::new(0);
    let group = local_scoped_group(async |s| {
        let busy = s.spawn(async {
            loop {
                checkpoint().await;
            }
        });
        s.spawn(turns(50)).value().await;
        busy.cancel();
    });
    let beside = async {
        for _ in 0..50 {
            checkpoint().await;
            turned.set(turned.get() + 1);
        }
    };
    assert_eq!(join(group, beside).await.0, Ok(()));
    assert_eq!(turned.get(), 50);
}

/// B2: Groups nest a thousand deep.
pub async fn groups_nest_a_thousand_deep() {
    fn deep(depth: usize) -> Pin<Box<dyn Future<Output = usize> + Send>> {
        Box::pin(async move {
            if depth == 0 {
                checkpoint().await;
                return 0;
            }
            scoped_group(async |s| s.spawn(deep(depth - 1)).value().await + 1).await.unwrap()
        })
    }
    let depth = thread::Builder::new().stack_size(256 << 20);
    let recipe = crate::fixture::recipe();
    let run = move || anyio::run(recipe(), async { (deep(1000).await, timeout(SHORT, cut_off(1000)).await.is_err()) });
    assert_eq!(depth.spawn(run).unwrap().join().unwrap(), (1000, true));
}

/// A tower of groups with a sleeper at its top.
fn cut_off(depth: usize) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if depth == 0 {
            sleep_forever().await;
        }
        let _ = scoped_group(async |s| drop(s.spawn(cut_off(depth - 1)))).await;
    })
}

/// B2, G6: Tasks spawn siblings, also after the body has ended; the group is open until the last is gone.
pub async fn tasks_spawn_siblings_after_the_body_has_ended() {
    fn chain<'env>(
        s: ScopedGroup<'env>,
        left: usize,
        ran: &'env AtomicUsize,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'env>> {
        Box::pin(async move {
            checkpoint().await;
            ran.fetch_add(1, Ordering::SeqCst);
            if left > 0 {
                drop(s.spawn(chain(s.clone(), left - 1, ran)));
            }
        })
    }
    let ran = AtomicUsize::new(0);
    let outcome = scoped_group(async |s| drop(s.spawn(chain(s.clone(), 99, &ran)))).await;
    assert_eq!((outcome, ran.load(Ordering::SeqCst)), (Ok(()), 100));
}

/// B2, G6: Spawning into a closed group says so, and try_spawn gives the future back.
pub async fn spawning_into_a_closed_group_says_so() {
    let (runtime, heard) = hooked();
    let drops = Drops::new();
    enter(runtime, async {
        let mut kept = None;
        scoped_group(async |s| kept = Some(s)).await.unwrap();
        let s = kept.unwrap();
        assert!(s.is_closed());
        let late = s.spawn(after(ready(()), drops.token()));
        assert_eq!(drops.count(), 1);
        assert_eq!(late.status(), TaskStatus::Closed);
        assert!(matches!(late.await, Err(TaskError::Closed)));
        let refused = s.try_spawn(async { 5 }).unwrap_err();
        assert_eq!(refused.0.await, 5);
        let started = s.start(async |started| started.started(1).unwrap()).await;
        assert_eq!(started.unwrap_err().to_string(), "the task group has closed");
    })
    .await;
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::SpawnedIntoClosedGroup { .. })), 1);
}

/// B2, G6: Eight threads that spawn while the group ends: each task runs to its end, or was refused.
pub async fn spawning_from_eight_threads_races_with_the_exit() {
    for _ in 0..50 {
        let (ran, accepted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut threads = Vec::new();
        let outcome = scoped_group(async |s: ScopedGroup<'static>| {
            for _ in 0..8 {
                let (s, ran, accepted) = (s.clone(), ran.clone(), accepted.clone());
                threads.push(on_thread(move || {
                    for _ in 0..20 {
                        let ran = ran.clone();
                        let task = async move { _ = ran.fetch_add(1, Ordering::SeqCst) };
                        if s.try_spawn(task).is_ok() {
                            accepted.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                }));
            }
        })
        .await;
        let ran_by_then = ran.load(Ordering::SeqCst);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let counts = (ran.load(Ordering::SeqCst), accepted.load(Ordering::SeqCst));
        assert_eq!((outcome, counts), (Ok(()), (ran_by_then, ran_by_then)));
    }
}

/// B2, G7: A task spawned into a cancelled group gets one poll; spawning never polls inline.
pub async fn a_task_spawned_into_a_cancelled_group_gets_one_poll() {
    let polls = AtomicUsize::new(0);
    let outcome = scoped_group(async |s| {
        s.cancel();
        let task = s.spawn(async {
            polls.fetch_add(1, Ordering::SeqCst);
            sleep_forever().await;
            polls.fetch_add(1, Ordering::SeqCst);
        });
        assert_eq!(polls.load(Ordering::SeqCst), 0);
        let finished = s.spawn(async { polls.fetch_add(1, Ordering::SeqCst) });
        let outcomes = shield(join(task, finished)).await;
        assert!(matches!(outcomes, (Err(TaskError::Cancelled(_)), Ok(_))));
    });
    assert_eq!(outcome.await, Ok(()));
    assert_eq!(polls.load(Ordering::SeqCst), 2);
}

/// Spawns when it is dropped.
struct SpawnsOnDrop<'env>(ScopedGroup<'env>, &'env AtomicUsize);

impl Drop for SpawnsOnDrop<'_> {
    fn drop(&mut self) {
        let ran = self.1;
        self.0.spawn(async { _ = ran.fetch_add(1, Ordering::SeqCst) });
    }
}

/// B2, G7: Destructors spawn: of the body, of tasks that end, and of tasks that are cut short.
pub async fn destructors_may_spawn() {
    let ran = AtomicUsize::new(0);
    let outcome = scoped_group(async |s| {
        let _of_body = SpawnsOnDrop(s.clone(), &ran);
        let of_ended = SpawnsOnDrop(s.clone(), &ran);
        s.spawn(async { drop(of_ended) });
        let of_cut = SpawnsOnDrop(s.clone(), &ran);
        s.spawn(after(forever(), of_cut)).cancel();
        s.spawn(ready(SpawnsOnDrop(s.clone(), &ran)));
        turns(3).await;
    });
    assert_eq!(outcome.await, Ok(()));
    assert_eq!(ran.load(Ordering::SeqCst), 4);
}

/// B2, G8: A finished task retains nothing, and a value that nobody holds a handle for is dropped at once.
pub async fn finished_tasks_retain_nothing() {
    let drops = Drops::new();
    scoped_group(async |s| {
        for round in 1..=1000 {
            let token = drops.token();
            let task = s.spawn(async { drop(token) });
            s.spawn(async { drops.token() });
            task.value().await;
            until(|| drops.count() == 2 * round).await;
        }
    })
    .await
    .unwrap();
}

/// B2, G4: The group's own cancellation cuts tasks and body short; a body that had completed keeps its value.
pub async fn the_groups_own_cancellation_cuts_tasks_and_body_short() {
    let drops = Drops::new();
    let outcome = scoped_group(async |s| {
        s.spawn(after(forever::<()>(), drops.token()));
        let token = drops.token();
        let group = s.clone();
        s.spawn(async move { group.cancel() });
        forever::<()>().await;
        drop(token);
    });
    let cancelled = outcome.await.unwrap_err();
    assert!(matches!(cancelled.reason(), CancelReason::Requested { .. }));
    assert_eq!(drops.count(), 2);
    let kept = scoped_group(async |s| {
        s.spawn(sleep_forever());
        s.cancel();
        "kept"
    });
    assert_eq!(kept.await, Ok("kept"));
}

/// B2, G5: Waiting for the tasks is no point of cancellation of its own.
pub async fn waiting_at_the_exit_is_no_point_of_cancellation() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut after_it = false;
    let outcome = scope
        .run(async {
            let value = scoped_group(async |s| {
                s.spawn(async {
                    handle.cancel();
                    shield(turns(5)).await;
                });
                "value"
            })
            .await;
            assert_eq!(value, Ok("value"));
            after_it = true;
            sleep_forever().await;
        })
        .await;
    assert!(outcome.is_err() && after_it);
}

/// B2, S4, S5: A shield in one task keeps neither its siblings nor the body; it holds the group, and the scope around.
pub async fn a_shield_in_a_task_holds_the_scope_around_and_no_sibling() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let (drops, order) = (Drops::new(), RefCell::new(Vec::new()));
    let outcome = scope
        .run(async {
            let _ = local_scoped_group(async |s| {
                let tokens = (drops.token(), drops.token());
                s.spawn(async {
                    let _token = tokens.0;
                    sleep_forever().await;
                });
                s.spawn(shield(async {
                    until(|| drops.count() == 2).await;
                    sleep(SHORT).await;
                    assert!(!is_cancelled());
                    order.borrow_mut().push("shielded");
                }));
                let _token = tokens.1;
                checkpoint().await;
                handle.cancel();
                sleep_forever().await;
            })
            .await;
            order.borrow_mut().push("after");
        })
        .await;
    assert!(outcome.is_err());
    assert_eq!(*order.borrow(), ["shielded"]);
}

/// B2, S5: A shield in the body does not protect the tasks; one on the group's scope does.
pub async fn a_shield_on_the_group_protects_its_tasks() {
    for shielded in [false, true] {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let ended = Cell::new(None);
        let _ = scope
            .run(local_scoped_group(async |s| {
                s.scope().set_shield(shielded);
                let task = s.spawn(turns(10));
                handle.cancel();
                ended.set(Some(shield(task).await.is_ok()));
            }))
            .await;
        assert_eq!(ended.get(), Some(shielded));
    }
}

/// B2, D1, D5: Deadlines inside tasks pass each by itself, though the group is snoozed in a foreign combinator.
pub async fn deadlines_inside_tasks_pass() {
    let group = scoped_group(async |s| {
        let tasks: Vec<_> = (1..=50).map(|_| s.spawn(timeout(SHORT, sleep_forever()))).collect();
        let whole = s.spawn(timeout(LONG, sleep(SHORT)));
        let mut timed_out = 0;
        for task in tasks {
            timed_out += usize::from(task.value().await.is_err());
        }
        (timed_out, whole.value().await.is_ok())
    });
    let mut branches: FuturesUnordered<Pin<Box<dyn Future<Output = _>>>> = FuturesUnordered::new();
    branches.push(Box::pin(group));
    branches.push(Box::pin(pending()));
    assert_eq!(branches.next().await, Some(Ok((50, true))));
}

/// B2, D1: A timeout around the group is the end of its tasks.
pub async fn a_timeout_around_the_group_cuts_its_tasks_short() {
    let drops = Drops::new();
    let outcome = timeout(
        SHORT,
        scoped_group(async |s| {
            for _ in 0..10 {
                let token = drops.token();
                s.spawn(async move {
                    let _token = token;
                    sleep_forever().await;
                });
            }
        }),
    );
    assert!(outcome.await.is_err());
    assert_eq!(drops.count(), 10);
}

/// B2, C5: Cancels from eight threads reach tasks, group and scope around while all of it is busy.
pub async fn cancels_from_eight_threads_arrive() {
    for round in 0..50 {
        let scope = CancelScope::new();
        let around = scope.handle();
        let drops = Drops::new();
        let mut threads = Vec::new();
        let outcome = scope
            .run(scoped_group(async |s| {
                for number in 0..8 {
                    let token = drops.token();
                    s.spawn(async move {
                        let _token = token;
                        loop {
                            turns(1).await;
                        }
                    });
                    let cancel = if number == round % 9 { around.clone() } else { s.scope() };
                    threads.push(on_thread(move || cancel.cancel_with("from a thread")));
                }
                sleep_forever().await;
            }))
            .await;
        let reason = outcome.map_or_else(Some, Result::err).unwrap();
        assert!(says(&reason, "from a thread"), "{reason}");
        assert_eq!(drops.count(), 8);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

/// B2, F2: No task outlives the run, though it is one of a group inside tasks of the runtime.
pub async fn a_run_ends_with_its_scoped_groups() {
    let drops = Drops::new();
    let token = drops.token();
    in_own_run(move || async move {
        let (began, begins) = gate();
        let spawned = anyio::OwnedTaskGroup::new();
        spawned.spawn(async move {
            let _ = scoped_group(async |s| {
                s.spawn(async {
                    let _token = token;
                    begins.set();
                    sleep_forever().await;
                });
            })
            .await;
        });
        pass(began).await;
    });
    assert_eq!(drops.count(), 1);
}

/// B2: A group that may fail and one that may not mix: the error of an inner one is handled by the task that it is in.
pub async fn groups_of_both_doors_mix() {
    let limit = 2;
    let outcome = scoped_group(async |s| {
        let task = s.spawn(async {
            try_scoped_group(async |inner| {
                for number in 0..5 {
                    inner.spawn(async move { if number < limit { Ok(number) } else { Err(number) } });
                }
                Ok(())
            })
            .await
        });
        task.value().await.unwrap_err().errors().copied().collect::<Vec<_>>()
    });
    assert_eq!(outcome.await.unwrap(), [2, 3, 4]);
}

/// B2, X5: A cancelled group whose tasks go on behind shields lets others have their turn.
pub async fn a_cancelled_group_that_goes_on_yields() {
    let polls = std::cell::Cell::new(0);
    let scope = anyio::CancelScope::new();
    scope.handle().cancel();
    let mut group = Box::pin(anyio::scoped_group(async |s| {
        let spawns = s.clone();
        s.spawn(anyio::shield(async move {
            for _ in 0..1000 {
                drop(spawns.spawn(async {}));
                foreign_yield().await;
            }
        }));
    }));
    let counted = std::future::poll_fn(|cx| {
        polls.set(polls.get() + 1);
        group.as_mut().poll(cx)
    });
    let _ = scope.run(counted).await;
    assert!(polls.get() > 10, "{} polls", polls.get());
}

/// Yields without anyio.
async fn foreign_yield() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// B2, L4, G10: A scoped group can be asked to stop, have a name, and be supervised.
pub async fn a_scoped_group_has_settings_and_stops() {
    let seen = std::cell::RefCell::new(Vec::new());
    let group = anyio::GroupBuilder::new().name("named").run_local_scoped_ok(async |s| {
        s.spawn(async {
            anyio::stopping().await;
            seen.borrow_mut().push("stopped");
        });
        let handle = s.spawn(async {});
        assert_eq!(handle.info().group(), Some("named"));
        s.stop(crate::fixture::LONG);
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(*seen.borrow(), ["stopped"]);
    let group = anyio::GroupBuilder::new().supervised(|_: anyio::Failure<&str>| {}).run_scoped(async |s| {
        assert!(s.spawn(async { Err::<(), _>("quiet") }).await.is_err());
        Ok(7)
    });
    assert_eq!(group.await.unwrap(), 7);
}
