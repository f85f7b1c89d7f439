//! Cases of the law X6: values that belong to what is going on.

use std::sync::Arc;

use anyio::{
    ContextVar, Event, OwnedTaskGroup, RunVar, Runtime, Started, TaskError, Unhandled, checkpoint, enter, finally,
    finally_detached, from_thread, gather, protect, shield, task_group, timeout, to_thread,
};
use anyio_core::Task;
use futures::channel::oneshot;
use futures::future::{join, join_all};
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::fixture::{Dropped, Drops, LONG, Wakes, block_on, caught, hooked, in_own_run, panic_of, poll_times};
use crate::steps::{after, forever, gate, on_thread, pass, turns, until};

static NUMBER: ContextVar<u32> = ContextVar::new();
static OTHER: ContextVar<u32> = ContextVar::new();
static TOKEN: ContextVar<Bomb> = ContextVar::new();

async fn read() -> Option<u32> {
    NUMBER.get()
}

/// Tells an event of its drop, and panics then if it is to.
struct Bomb(bool, #[expect(dead_code, reason = "it counts its drop")] Dropped);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 {
            panic!("a value's destructor");
        }
    }
}

/// Looks at the value when it is dropped.
struct LooksOnDrop(Option<oneshot::Sender<Option<u32>>>);

impl LooksOnDrop {
    fn new() -> (Self, oneshot::Receiver<Option<u32>>) {
        let (sender, receiver) = oneshot::channel();
        (LooksOnDrop(Some(sender)), receiver)
    }
}

impl Drop for LooksOnDrop {
    fn drop(&mut self) {
        let _ = self.0.take().unwrap().send(NUMBER.get());
    }
}

/// X6: A value is in effect inside its scope, across suspensions, and not outside; inner ones come before outer ones.
pub async fn a_value_is_in_effect_inside_its_scope() {
    assert_eq!(NUMBER.get(), None);
    let outer = NUMBER.scope(1, async {
        assert_eq!((NUMBER.get(), OTHER.get()), (Some(1), None));
        checkpoint().await;
        let inner = OTHER.scope(
            5,
            NUMBER.scope(2, async {
                turns(3).await;
                (NUMBER.get(), OTHER.get())
            }),
        );
        assert_eq!(inner.await, (Some(2), Some(5)));
        assert_eq!((NUMBER.get(), OTHER.get()), (Some(1), None));
        NUMBER.sync_scope(3, || assert_eq!(NUMBER.with(|number| number.copied()), Some(3)));
        NUMBER.get()
    });
    assert_eq!(outer.await, Some(1));
    assert_eq!(NUMBER.get(), None);
}

/// X6: It is put back after a panic, in async code and in synchronous code.
pub async fn a_value_is_put_back_after_a_panic() {
    let inside = NUMBER.scope(1, async {
        let panicking = NUMBER.scope(2, async {
            checkpoint().await;
            panic!("inside");
        });
        let _: Result<(), _> = caught(panicking).await;
        assert_eq!(NUMBER.get(), Some(1));
        panic_of(|| NUMBER.sync_scope(3, || panic!("inside")));
        assert_eq!(NUMBER.get(), Some(1));
    });
    inside.await;
    assert_eq!(NUMBER.get(), None);
}

/// X6: Tasks inherit what is in effect where they are spawned, whatever the group was opened under, and keep it.
pub async fn tasks_inherit_the_values_of_whoever_spawns_them() {
    let outcome = NUMBER.scope(
        1,
        task_group(async |tg| {
            let (may_end, opens) = gate();
            let spawn = || tg.spawn(after(pass(may_end), ()).then_read());
            let kept = NUMBER.scope(2, async { [spawn()] }).await;
            let grandchild = task_group(async |tg| tg.spawn(read()).value().await);
            let seen = [
                tg.spawn(read()).value().await,
                tg.spawn(async { grandchild.await.unwrap() }).value().await,
                NUMBER.sync_scope(3, || tg.spawn(read())).value().await,
            ];
            opens.set();
            let [kept] = kept;
            (seen, kept.value().await)
        }),
    );
    assert_eq!(outcome.await.unwrap(), ([Some(1), Some(1), Some(3)], Some(2)));
}

trait ThenRead: Future<Output = ()> + Sized + Send {
    fn then_read(self) -> impl Future<Output = Option<u32>> + Send {
        async {
            self.await;
            NUMBER.get()
        }
    }
}

impl<F: Future<Output = ()> + Send> ThenRead for F {}

/// X6: So do tasks that are started, attached ones, those of owned groups, protected work, and jobs on threads.
pub async fn everything_that_is_started_inherits() {
    let inside = NUMBER.scope(1, async {
        let owned = OwnedTaskGroup::new();
        let in_owned = owned.spawn(read()).value().await;
        owned.close().await.unwrap();
        let in_group = task_group(async |tg| {
            let started = tg.start(async |started: Started<Option<u32>>| _ = started.started(NUMBER.get()));
            let attached = tg.attach(read());
            [
                started.await.unwrap(),
                attached.await.unwrap(),
                tg.spawn_blocking(|| NUMBER.get()).value().await,
                protect(read()).await,
                to_thread::run(|| NUMBER.get()).await,
                to_thread::run(|| from_thread::run(read()).unwrap()).await,
                to_thread::run(|| from_thread::run_sync(|| NUMBER.get()).unwrap()).await,
                to_thread::run(|| {
                    NUMBER.sync_scope(1, || from_thread::run(async { to_thread::run(|| NUMBER.get()).await }))
                })
                .await
                .unwrap(),
            ]
        });
        (in_owned, in_group.await.unwrap())
    });
    let (in_owned, in_group) = inside.await;
    assert_eq!(in_owned, Some(1));
    assert_eq!(in_group, [Some(1); 8]);
    assert_eq!(to_thread::run(|| NUMBER.get()).await, None);
}

/// X6: Clean-ups see the value, also those that are detached from a future that foreign code drops.
pub async fn clean_ups_inherit() {
    let (one, two) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let mut seen = Vec::new();
    NUMBER.scope(1, finally(async {}, async { seen.push(NUMBER.get()) })).await.unwrap();
    assert_eq!(seen, [Some(1)]);
    let (sets, inside) = (one.clone(), two.clone());
    let cut = NUMBER.scope(
        2,
        finally_detached(forever::<()>(), async move {
            assert_eq!(NUMBER.get(), Some(2));
            sets.set();
        }),
    );
    let cut = poll_times(1, Box::pin(cut)).await;
    inside.set();
    drop(cut);
    one.wait().await;
}

/// X6: Siblings in a foreign join or stream do not see it, however they are interleaved.
pub async fn siblings_do_not_see_it() {
    let mut many: FuturesUnordered<_> = (0..100)
        .map(|number| {
            let reads = async move {
                for _ in 0..10 {
                    assert_eq!(NUMBER.get(), Some(number));
                    checkpoint().await;
                }
            };
            NUMBER.scope(number, reads)
        })
        .collect();
    let all = async { while many.next().await.is_some() {} };
    let none = async {
        for _ in 0..20 {
            assert_eq!(NUMBER.get(), None);
            checkpoint().await;
        }
    };
    join(all, none).await;
}

/// X6: A scope that moves to another task takes its value along; what is further out is what is around the poll.
pub async fn a_scope_that_moves_takes_its_value_along() {
    let reads = async {
        let before = (NUMBER.get(), OTHER.get());
        checkpoint().await;
        checkpoint().await;
        (before, (NUMBER.get(), OTHER.get()))
    };
    let scope = Box::pin(NUMBER.scope(1, reads));
    let Err(scope) = OTHER.scope(10, poll_times(1, scope)).await else { panic!("it waits") };
    let outcome = task_group(async |tg| tg.spawn(OTHER.scope(20, scope)).value().await);
    assert_eq!(outcome.await.unwrap(), ((Some(1), Some(10)), (Some(1), Some(20))));
}

/// X6: An executor driven inside a poll inherits it; the tasks that it happens to drive have their own.
pub async fn a_nested_executor_inherits() {
    let seen = NUMBER.scope(1, async {
        let inner = block_on(async {
            checkpoint().await;
            NUMBER.scope(2, read()).await.zip(NUMBER.get())
        });
        (inner, NUMBER.get())
    });
    assert_eq!(seen.await, (Some((2, 1)), Some(1)));
}

/// X6: Tasks of the runtime's own, and plain threads, see nothing.
pub async fn foreign_tasks_and_threads_see_nothing() {
    let seen = NUMBER.scope(1, async {
        let (sender, receiver) = oneshot::channel();
        let raw = Task::new(async move { _ = sender.send(NUMBER.get()) });
        Runtime::current().unwrap().backend().spawn(raw);
        (receiver.await.unwrap(), on_thread(|| NUMBER.get()).join().unwrap())
    });
    assert_eq!(seen.await, (None, None));
}

/// X6: What is dropped inside still sees the value: by foreign code at every poll, by a cancellation, and with its task.
pub async fn destructors_see_the_value() {
    for polls in [0, 1] {
        let (looks, seen) = LooksOnDrop::new();
        let body = async {
            let _looks = looks;
            forever::<()>().await;
        };
        let scope = Box::pin(NUMBER.scope(1, body));
        drop(poll_times(polls, scope).await);
        assert_eq!(seen.await.unwrap(), Some(1), "{polls}");
    }
    let (looks, seen) = LooksOnDrop::new();
    let group = task_group(async |tg| {
        NUMBER.sync_scope(2, || {
            tg.spawn(async {
                let _looks = looks;
                forever::<()>().await;
            })
        });
        tg.cancel();
    });
    group.await.unwrap();
    assert_eq!(seen.await.unwrap(), Some(2));
}

/// X6: A branch that foreign code drops, wherever it does, sees the value of the place where it was started.
pub async fn destructors_of_branches_see_the_value() {
    for polled in [false, true] {
        let (looks, seen) = LooksOnDrop::new();
        let branches = NUMBER.sync_scope(1, || {
            let body = async move {
                let _looks = looks;
                forever::<()>().await;
            };
            let mut branches = Box::pin(gather([body]));
            assert!(!polled || Wakes::new().poll(&mut branches).is_pending());
            branches
        });
        drop(branches);
        assert_eq!(seen.await.unwrap(), Some(1), "{polled}");
    }
}

/// X6, G8: A value goes when nobody has it any more: its scope has ended, and all tasks that were started inside.
pub async fn a_value_goes_with_its_last_user() {
    let (drops, (may_end, opens)) = (Drops::new(), gate());
    let outcome = task_group(async |tg| {
        let spawn = async { [tg.spawn(pass(may_end))] };
        let [mut task] = TOKEN.scope(Bomb(false, drops.token()), spawn).await;
        turns(3).await;
        assert_eq!(drops.count(), 0);
        opens.set();
        shield(&mut task).await.unwrap();
        assert_eq!(drops.count(), 1);
        TOKEN.scope(Bomb(false, drops.token()), async {}).await;
        assert_eq!(drops.count(), 2);
    });
    outcome.await.unwrap();
}

/// X6, G2, G9: A value whose destructor panics with the last task that has it is that task's panic.
pub async fn a_values_destructor_that_panics_is_its_tasks_panic() {
    let (drops, (may_end, opens)) = (Drops::new(), gate());
    let group = task_group(async |tg| {
        let bomb = Bomb(true, drops.token());
        let (task, job) = TOKEN.scope(bomb, async { (tg.spawn(pass(may_end)), ()) }).await;
        opens.set();
        assert!(matches!(shield(task).await, Err(TaskError::Panicked)));
        let _: () = job;
        forever::<()>().await;
    });
    assert_eq!(caught(group).await.unwrap_err(), "a value's destructor");
    let job = task_group(async |tg| {
        let bomb = Bomb(true, drops.token());
        TOKEN.sync_scope(bomb, || tg.spawn_blocking(|| NUMBER.get()));
    });
    // The job, or the scope if the job has ended before it.
    assert_eq!(caught(job).await.unwrap_err(), "a value's destructor");
    assert_eq!((NUMBER.get(), drops.count()), (None, 2));
}

/// X6: Looking at a value may look at it again, and set another one.
pub async fn looking_may_look_again() {
    let inside = NUMBER.scope(1, async {
        NUMBER.with(|one| {
            let two = NUMBER.sync_scope(2, || NUMBER.with(|two| two.copied()));
            (one.copied(), two, NUMBER.get())
        })
    });
    assert_eq!(inside.await, (Some(1), Some(2), Some(1)));
}

/// X6, C10: A hundred thousand values may be in effect at once, and go without recursion.
pub async fn a_hundred_thousand_values() {
    let drops = Drops::new();
    let outcome = task_group(async |tg| {
        let owned = OwnedTaskGroup::in_group(&tg);
        let (sender, receiver) = oneshot::channel();
        sink(owned, 100_000, sender);
        assert_eq!(receiver.await.unwrap(), Some(1));
    });
    TOKEN.scope(Bomb(false, drops.token()), outcome).await.unwrap();
    assert_eq!(drops.count(), 1);
}

/// A task that starts the next one under one more value.
fn sink(group: OwnedTaskGroup, left: u32, done: oneshot::Sender<Option<u32>>) {
    let spawner = (*group).clone();
    let next = async move {
        checkpoint().await;
        match left {
            0 => _ = done.send(OTHER.get()),
            _ => OTHER.sync_scope(left, || sink(group, left - 1, done)),
        }
    };
    spawner.spawn(next);
}

/// X6: A value of a run is the run's: made once, shared by its tasks and threads, unknown to others, dropped at its end.
pub async fn a_value_of_a_run_is_shared_in_it() {
    static SHARED: RunVar<(u32, Dropped)> = RunVar::new();
    let drops = Drops::new();
    assert!(SHARED.get().is_none());
    let counts = drops.clone();
    let seen = in_own_run(move || async move {
        let first = SHARED.get_or_init(|| (1, counts.token())).unwrap();
        let again = SHARED.get_or_init(|| unreachable!("it is there")).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let there = task_group(async |tg| tg.spawn(async { SHARED.get().map(|it| it.0) }).value().await).await.unwrap();
        let old = SHARED.set((2, counts.token())).unwrap();
        assert_eq!(old.map(|old| old.0), Some(1));
        (there, to_thread::run(|| SHARED.get().map(|it| it.0)).await)
    });
    assert_eq!((seen, drops.count()), ((Some(1), Some(2)), 2));
    assert!(SHARED.get().is_none());
}

/// X6, F3: A destructor that panics with the values of a run is reported, and the others are still dropped.
pub async fn a_run_drops_all_its_values() {
    static FIRST: RunVar<Bomb> = RunVar::new();
    static SECOND: RunVar<Bomb> = RunVar::new();
    let drops = Drops::new();
    let counts = drops.clone();
    in_own_run(move || async move {
        FIRST.set(Bomb(true, counts.token())).unwrap();
        SECOND.set(Bomb(true, counts.token())).unwrap();
    });
    assert_eq!(drops.count(), 2);
}

/// X6: A value does not follow a group that was spawned into from outside, by whom nothing is set.
pub async fn spawning_from_a_plain_thread_inherits_nothing() {
    let outcome = NUMBER.scope(
        1,
        task_group(async |tg| {
            let spawns = tg.clone();
            on_thread(move || spawns.spawn(read())).join().unwrap().value().await
        }),
    );
    assert_eq!(outcome.await.unwrap(), None);
}

/// X6, L2: It takes no runtime: foreign executors will do.
pub async fn values_need_no_runtime() {
    let there = on_thread(|| block_on(NUMBER.scope(1, join_all([read(), read()]))));
    assert_eq!(there.join().unwrap(), [Some(1), Some(1)]);
}

/// X6: A failing child under a timeout, in a shield, in another runtime handle: the value is there all the way.
pub async fn values_pass_through_scopes_and_timeouts() {
    let (runtime, heard) = hooked();
    let seen = NUMBER.scope(1, enter(runtime, timeout(LONG, shield(after(turns(2), ()).then_read()))));
    assert_eq!(seen.await.unwrap(), Some(1));
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::Panicked { .. })), 0);
    until(|| NUMBER.get().is_none()).await;
}
