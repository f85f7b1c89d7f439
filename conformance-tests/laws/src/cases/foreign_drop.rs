//! Cases of the laws F: what becomes of tasks whose group was dropped, aborted or forgotten by foreign code.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::hint;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use anyio::{
    CancelReason, CancelScope, Event, OwnedTaskGroup, Runtime, Started, TaskError, TaskGroup, TaskHandle, TryTaskGroup,
    Unhandled, checkpoint, enter, finally, finally_detached, protect, scoped_group, shield, shield_for, sleep,
    sleep_forever, task_group, timeout, try_task_group,
};
use anyio_core::Task;
use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::{AbortHandle, abortable, select};

use crate::fixture::{Drops, LONG, SHORT, caught, hooked, in_own_run, panic_of, poll_times};
use crate::steps::{block, on_thread};

/// Tasks that never end by themselves.
#[derive(Clone, Default)]
struct Endless {
    made: Arc<AtomicUsize>,
    drops: Drops,
}

impl Endless {
    fn task(&self) -> impl Future<Output = ()> + Send + use<> {
        self.made.fetch_add(1, Ordering::SeqCst);
        let token = self.drops.token();
        async move {
            let _token = token;
            sleep_forever().await;
        }
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    fn left(&self) -> usize {
        self.made() - self.drops.count()
    }

    /// A group that has one of them more after each of its first three polls, and drains from the fourth on.
    fn group(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let endless = self.clone();
        Box::pin(async move {
            let _ = task_group(async |tg| {
                for _ in 0..3 {
                    tg.spawn(endless.task());
                    checkpoint().await;
                }
            })
            .await;
        })
    }
}

/// Forgets `future` after so many polls.
async fn forget_after(polls: usize, future: impl Future) {
    let unfinished = poll_times(polls, Box::pin(future)).await.err();
    mem::forget(unfinished.expect("it is not done yet"));
}

/// Drops `future` after so many polls.
async fn drop_after(polls: usize, future: impl Future) {
    let unfinished = poll_times(polls, Box::pin(future)).await.err();
    drop(unfinished.expect("it is not done yet"));
}

fn stalled(outcome: &Unhandled) -> bool {
    matches!(outcome, Unhandled::Stalled)
}

/// A runtime of little patience, and an event that happens when it complains.
fn impatient() -> (Runtime, Arc<AtomicUsize>, Arc<Event>) {
    let complaints = Arc::new(AtomicUsize::new(0));
    let complained = Arc::new(Event::new());
    let (count, event) = (complaints.clone(), complained.clone());
    let runtime = Runtime::current().unwrap().with_patience(SHORT).with_hook(move |outcome| {
        count.fetch_add(usize::from(stalled(&outcome)), Ordering::SeqCst);
        event.set();
    });
    (runtime, complaints, complained)
}

/// Drops a group half-way, one of whose tasks still has to do what it does under a shield; then lets it do that, and
/// waits until it has.
async fn orphan<F>(runtime: &Runtime, end: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let (began, go) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let (begins, goes) = (began.clone(), go.clone());
    let group = try_task_group(async move |tg: TryTaskGroup<String>| {
        tg.spawn(async move {
            begins.set();
            shield(goes.wait()).await;
            end().await
        });
        pending::<Result<(), _>>().await
    });
    let group = Box::pin(enter(runtime.clone(), group));
    drop(select(group, Box::pin(began.wait())).await);
    go.set();
    assert!(runtime.quiesce(LONG).await);
}

/// F1, F2: A group dropped at whatever poll leaves no task behind when the scope around it is over.
pub async fn a_group_dropped_at_any_poll_leaves_no_task_behind() {
    for polls in 0..=4 {
        let endless = Endless::default();
        let outcome = CancelScope::new().run(drop_after(polls, endless.group())).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(endless.made(), polls.min(3));
        assert_eq!(endless.left(), 0, "dropped after {polls} polls");
    }
}

/// F1, F2, C5: A group that is dropped while a thread is cancelling it leaves no task behind, which nobody would cancel again.
pub async fn a_group_dropped_while_a_thread_cancels_it_leaves_no_task_behind() {
    let (groups, received) = mpsc::channel::<(TaskGroup, Arc<AtomicBool>)>();
    let thread = on_thread(move || {
        for (group, go) in received {
            while !go.load(Ordering::Acquire) {
                hint::spin_loop();
            }
            group.cancel();
        }
    });
    for round in 0..400 {
        let (endless, go) = (Endless::default(), Arc::new(AtomicBool::new(false)));
        let mut group = Box::pin(task_group(async |tg| {
            tg.spawn(endless.task());
            groups.send((tg, go.clone())).expect("the thread lives");
            pending::<()>().await
        }));
        assert!(futures::poll!(group.as_mut()).is_pending());
        go.store(true, Ordering::Release);
        (0..round % 100 * 4).for_each(|_| hint::spin_loop());
        drop(group);
        let gone = async {
            while endless.left() > 0 {
                checkpoint().await;
            }
        };
        assert!(timeout(Duration::from_secs(10), gone).await.is_ok(), "a task goes on in round {round}");
    }
    drop(groups);
    thread.join().expect("it does not panic");
}

/// F1, C12: A group that is dropped while its last task ends is not taken for one that was left where it stood.
pub async fn a_group_dropped_while_its_last_task_ends_is_not_left_behind() {
    let (runtime, heard) = hooked();
    let rounds = task_group(async |tg| {
        tg.spawn(async {
            for round in 0..400 {
                let ends = Arc::new(Event::new());
                let waits = ends.clone();
                let mut group = Box::pin(task_group(async move |tg| {
                    tg.spawn(async move { waits.wait().await });
                }));
                for _ in 0..3 {
                    assert!(futures::poll!(group.as_mut()).is_pending());
                    checkpoint().await;
                }
                let thread = on_thread(move || ends.set());
                (0..round % 100 * 40).for_each(|_| hint::spin_loop());
                drop(group);
                thread.join().expect("it does not panic");
            }
        });
    });
    assert_eq!(enter(runtime, rounds).await, Ok(()));
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::PolledByReference)), 0);
}

/// F1, C1: A group that is kept when it has ended, and dropped later, does not keep a cancellation from another one.
pub async fn a_group_that_is_kept_when_it_has_ended_is_in_nobodys_way() {
    let panicking = task_group(async |tg| {
        tg.spawn(async {
            checkpoint().await;
            panic!("on purpose")
        });
    });
    let around_a_group = scoped_group(async |_| {
        let shielded = task_group(async |tg| {
            tg.spawn(shield(sleep(SHORT)));
        });
        drop_after(4, shielded).await;
    });
    let in_a_task = task_group(async |tg| {
        tg.spawn(async {
            kept_in_front_of_another(panicking).await;
            kept_in_front_of_another(around_a_group).await;
        });
    });
    assert_eq!(in_a_task.await, Ok(()));
}

/// Keeps a future that has ended, or has panicked, until another group is open at its place, and then cancels what is around.
async fn kept_in_front_of_another<T>(kept: impl Future<Output = T>) {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let body = async {
        let mut kept = Box::pin(kept);
        let _ = caught(kept.as_mut()).await;
        let mut other = Box::pin(task_group(async |tg| {
            tg.spawn(sleep_forever());
        }));
        assert!(futures::poll!(other.as_mut()).is_pending());
        drop(kept);
        handle.cancel();
        let _ = other.await;
    };
    assert!(scope.run(body).await.is_err());
}

/// F1, F2: A scope dropped at whatever poll, with a timeout, a shield and a group inside, leaves no task behind when
/// the scope around it is over.
pub async fn a_scope_dropped_at_any_poll_leaves_no_task_behind() {
    for polls in 0..=4 {
        let endless = Endless::default();
        let inner = CancelScope::new().run(timeout(LONG, shield(endless.group())));
        let outcome = CancelScope::new().run(drop_after(polls, inner)).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(endless.made(), polls.min(3));
        assert_eq!(endless.left(), 0, "dropped after {polls} polls");
    }
}

/// F1: The tasks of a group that loses a foreign select are cancelled, and say that their group was dropped.
pub async fn a_group_that_loses_a_foreign_select_cancels_its_tasks() {
    let mut task = None;
    let group = Box::pin(task_group(async |tg| {
        task = Some(tg.spawn(sleep_forever()));
        pending::<()>().await;
    }));
    drop(select(group, Box::pin(sleep(SHORT))).await);
    let error = task.unwrap().await.unwrap_err();
    let TaskError::Cancelled(cancelled) = error else { panic!("{error}") };
    assert!(matches!(cancelled.reason(), CancelReason::GroupDropped), "{cancelled}");
}

/// F1, F2: A foreign abort of the future around a group cancels its tasks.
pub async fn a_group_in_an_aborted_future_cancels_its_tasks() {
    let endless = Endless::default();
    let scope = CancelScope::new().run(async {
        let (group, handle) = abortable(endless.group());
        let abort = async {
            checkpoint().await;
            handle.abort();
        };
        let (outcome, ()) = futures::join!(group, abort);
        assert!(outcome.is_err());
    });
    assert_eq!(scope.await, Ok(()));
    assert!(endless.made() > 0);
    assert_eq!(endless.left(), 0);
}

/// F1, F2: A group in a foreign task that is aborted cancels its tasks, which the implicit root has counted.
pub async fn a_group_in_an_aborted_foreign_task_cancels_its_tasks() {
    let endless = Endless::default();
    let (runtime, heard) = hooked();
    let (running, runs) = oneshot::channel();
    let group = endless.group();
    let (foreign, handle): (_, AbortHandle) = abortable(enter(runtime.clone(), async move {
        let announce = async { running.send(()).unwrap() };
        futures::join!(group, announce);
    }));
    runtime.backend().spawn(Task::new(foreign.map(|_| ())));
    runs.await.unwrap();
    handle.abort();
    assert!(runtime.quiesce(LONG).await);
    assert!(endless.made() > 0);
    assert_eq!(endless.left(), 0);
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// F1, F2: A group that is dropped on another thread cancels its tasks, and the scope around waits for them.
pub async fn a_group_dropped_on_another_thread_cancels_its_tasks() {
    let endless = Endless::default();
    let scope = CancelScope::new().run(async {
        let group = poll_times(1, endless.group()).await.unwrap_err();
        on_thread(move || drop(group)).join().unwrap();
    });
    assert_eq!(scope.await, Ok(()));
    assert_eq!((endless.made(), endless.left()), (1, 0));
}

/// F1: A group that was never polled has started nothing, and dropping it does nothing.
pub async fn a_group_dropped_before_its_first_poll_owes_nothing() {
    let endless = Endless::default();
    let (runtime, heard) = hooked();
    let mut opened = false;
    enter(runtime, async {
        drop(task_group(async |tg| {
            opened = true;
            tg.spawn(endless.task());
        }));
    })
    .await;
    assert!(!opened);
    assert_eq!(endless.made(), 0);
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// F2: Every barrier waits for tasks that were orphaned inside it: a scope, a timeout, and a group whose body or task
/// the orphan's group was dropped in.
pub async fn every_barrier_waits_for_the_orphans_inside_it() {
    let endless = Endless::default();
    assert_eq!(CancelScope::new().run(drop_after(2, endless.group())).await, Ok(()));
    assert_eq!(endless.left(), 0, "scope");
    assert_eq!(timeout(LONG, drop_after(2, endless.group())).await, Ok(()));
    assert_eq!(endless.left(), 0, "timeout");
    assert_eq!(task_group(async |_| drop_after(2, endless.group()).await).await, Ok(()));
    assert_eq!(endless.left(), 0, "group");
    let group = endless.group();
    let outcome = task_group(async |tg| drop(tg.spawn(drop_after(2, group)))).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(endless.left(), 0, "task");
    assert_eq!(endless.made(), 8);
}

/// F2: Tasks of tasks of a dropped group are waited for as well.
pub async fn grandchildren_of_a_dropped_group_are_waited_for() {
    let endless = Endless::default();
    let began = Arc::new(Event::new());
    let scope = CancelScope::new().run(async {
        let (begins, grandchild) = (began.clone(), endless.task());
        let family = task_group(async |tg| {
            let inner = task_group(async move |tg| {
                tg.spawn(grandchild);
                begins.set();
            });
            tg.spawn(async { drop(inner.await) });
        });
        drop(select(Box::pin(family), Box::pin(began.wait())).await);
    });
    assert_eq!(scope.await, Ok(()));
    assert_eq!((endless.made(), endless.left()), (1, 0));
}

/// F2: Blocking work of a dropped group is waited for, since a thread cannot be stopped.
pub async fn blocking_work_of_a_dropped_group_is_waited_for() {
    let over = Arc::new(AtomicUsize::new(0));
    let (go, goes) = mpsc::channel::<()>();
    let scope = CancelScope::new().run(async {
        let over = over.clone();
        let group = task_group(async move |tg| {
            let _go = go; // dropped with the group
            tg.spawn_blocking(move || {
                assert!(goes.recv().is_err());
                block(SHORT);
                over.store(1, Ordering::SeqCst);
            });
            pending::<()>().await;
        });
        drop_after(1, group).await;
    });
    assert_eq!(scope.await, Ok(()));
    assert_eq!(over.load(Ordering::SeqCst), 1);
}

/// F2: What a dropped group's task still does under a shield is waited for.
pub async fn a_shield_in_an_orphan_is_waited_for() {
    let ended = Drops::new();
    let [began, go] = [(); 2].map(|()| Arc::new(Event::new()));
    let scope = CancelScope::new().run(async {
        let (begins, goes, end) = (began.clone(), go.clone(), ended.token());
        let group = task_group(async |tg| {
            tg.spawn(shield(async move {
                begins.set();
                goes.wait().await;
                sleep(SHORT).await;
                drop(end);
                checkpoint().await;
            }));
        });
        drop(select(Box::pin(group), Box::pin(began.wait())).await);
        assert_eq!(ended.count(), 0);
        go.set();
    });
    assert_eq!(scope.await, Ok(()));
    assert_eq!(ended.count(), 1);
}

/// F2: A forgotten group is waited for like a dropped one, whether its body was still running or not, by every barrier.
pub async fn a_forgotten_group_is_cancelled_and_waited_for_at_the_next_barrier() {
    for polls in 1..=4 {
        let endless = Endless::default();
        assert_eq!(CancelScope::new().run(forget_after(polls, endless.group())).await, Ok(()));
        assert_eq!(endless.left(), 0, "scope, {polls} polls");
        assert_eq!(timeout(LONG, forget_after(polls, endless.group())).await, Ok(()));
        assert_eq!(endless.left(), 0, "timeout, {polls} polls");
        assert_eq!(task_group(async |_| forget_after(polls, endless.group()).await).await, Ok(()));
        assert_eq!(endless.left(), 0, "group, {polls} polls");
        assert_eq!(endless.made(), 3 * polls.min(3));
    }
}

/// F2: A group forgotten inside a task is waited for by the task's group.
pub async fn a_group_forgotten_in_a_task_is_waited_for_by_the_group_of_the_task() {
    let endless = Endless::default();
    let group = endless.group();
    let outcome = task_group(async |tg| drop(tg.spawn(forget_after(2, group)))).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!((endless.made(), endless.left()), (2, 0));
}

/// F2: A forgotten scope or timeout around a group does not hide the group's tasks from the next barrier.
pub async fn a_group_forgotten_together_with_its_scope_is_waited_for() {
    for polls in 1..=4 {
        let endless = Endless::default();
        let scoped = CancelScope::new().run(timeout(LONG, endless.group()));
        assert_eq!(CancelScope::new().run(forget_after(polls, scoped)).await, Ok(()));
        assert_eq!((endless.made(), endless.left()), (polls.min(3), 0));
    }
}

/// F2: No task outlives the run: not those of groups that were dropped or forgotten in its main future, nor those of a
/// forgotten owned group.
pub async fn no_task_outlives_the_run() {
    let endless = Endless::default();
    let inside = endless.clone();
    in_own_run(move || async move {
        drop_after(2, inside.group()).await;
        forget_after(2, inside.group()).await;
        let owned = OwnedTaskGroup::new();
        owned.spawn(inside.task());
        mem::forget(owned);
        drop(OwnedTaskGroup::new().spawn(inside.task()));
    });
    assert_eq!((endless.made(), endless.left()), (6, 0));
}

/// F2: No task outlives the run that ends in a panic, or in a foreign drop of everything in its main future.
pub async fn no_task_outlives_a_run_that_panics() {
    let endless = Endless::default();
    let inside = endless.clone();
    let said = panic_of(|| {
        in_own_run(move || async move {
            drop_after(2, inside.group()).await;
            let group = task_group(async |tg| {
                tg.spawn(inside.task());
                panic!("over");
            });
            let () = group.await.unwrap();
        });
    });
    assert_eq!(said, "over");
    assert_eq!((endless.made(), endless.left()), (3, 0));
}

/// F2: Outside any run the root of the runtime counts the tasks of a dropped group, and `quiesce` waits for them.
pub async fn outside_a_run_quiesce_waits_for_the_tasks_of_a_dropped_group() {
    let endless = Endless::default();
    let (runtime, _heard) = hooked();
    let (elsewhere, group) = (runtime.clone(), endless.group());
    let outside = on_thread(move || block_on(enter(elsewhere, drop_after(2, group))));
    outside.join().unwrap();
    assert!(runtime.quiesce(LONG).await);
    assert_eq!((endless.made(), endless.left()), (2, 0));
}

/// F2: Outside any run the root of the runtime counts the tasks of a forgotten group as well: they live on, since the
/// root cannot be cancelled, and `quiesce` says so.
pub async fn outside_a_run_quiesce_sees_the_tasks_of_a_forgotten_group() {
    let (runtime, _heard) = hooked();
    let go = Arc::new(Event::new());
    let goes = go.clone();
    let group = task_group(async move |tg| {
        tg.spawn(async move { goes.wait().await });
        pending::<()>().await;
    });
    forget_after(1, enter(runtime.clone(), group)).await;
    assert!(!runtime.quiesce(SHORT).await);
    go.set();
    assert!(runtime.quiesce(LONG).await);
}

/// F2: `quiesce` gives up after its timeout, and works on a thread that no runtime is around.
pub async fn quiesce_gives_up_after_its_timeout() {
    let (runtime, _heard) = hooked();
    let go = Arc::new(Event::new());
    let goes = go.clone();
    let work = protect(async move { goes.wait().await });
    enter(runtime.clone(), drop_after(1, work)).await;
    let (waited, waits) = oneshot::channel();
    let elsewhere = runtime.clone();
    on_thread(move || waited.send(block_on(elsewhere.quiesce(SHORT))).unwrap());
    assert!(!waits.await.unwrap());
    go.set();
    assert!(runtime.quiesce(LONG).await);
    assert!(runtime.quiesce(Duration::ZERO).await);
}

/// F2: A group that is dropped outside any run leaves its neighbours alone: the root cannot be cancelled.
pub async fn dropping_a_group_at_the_root_cancels_no_other() {
    let (runtime, _heard) = hooked();
    let endless = Endless::default();
    let go = Arc::new(Event::new());
    let goes = go.clone();
    let neighbour = enter(
        runtime.clone(),
        task_group(async |tg| {
            let task = tg.spawn(async move { goes.wait().await });
            task.value().await;
            7
        }),
    );
    let neighbour = poll_times(1, Box::pin(neighbour)).await.unwrap_err();
    enter(runtime, drop_after(3, endless.group())).await;
    go.set();
    assert_eq!(neighbour.await, Ok(7));
}

/// F1, F2: Whatever a tree of groups, scopes, timeouts, shields, starts and clean-ups looks like, and wherever parts of it
/// are dropped, forgotten or cancelled, no task is left behind when the scope around is over.
pub async fn no_tree_of_futures_leaves_a_task_behind() {
    let (runtime, _heard) = hooked();
    for seed in 1..200 {
        let endless = Endless::default();
        let tree = Tree { endless: endless.clone(), seed, forgotten: false };
        let scope = CancelScope::new().with_timeout(Duration::from_millis(2));
        let _ = enter(runtime.clone(), scope.run(tree.grow(5))).await;
        assert_eq!(endless.left(), 0, "seed {seed}");
    }
}

/// Grows futures at random.
#[derive(Clone)]
struct Tree {
    endless: Endless,
    seed: u64,
    /// Whether it may be forgotten, so that nothing in it may be shielded for ever.
    forgotten: bool,
}

type Branch = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Tree {
    fn random(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    fn grow(mut self, depth: u32) -> Branch {
        if depth == 0 {
            return Box::pin(checkpoint());
        }
        let (polls, mut inner) = (self.random(5) as usize, self.clone());
        match self.random(10) {
            0..3 => Box::pin(self.group(depth)),
            3 => Box::pin(self.scope().run(inner.grow(depth - 1)).map(drop)),
            4 => Box::pin(timeout(SHORT / 100, inner.grow(depth - 1)).map(|_| ())),
            5 => Box::pin(async move { drop(poll_times(polls, inner.grow(depth - 1)).await) }),
            6 => Box::pin(async move {
                inner.forgotten = true;
                mem::forget(poll_times(polls, inner.grow(depth - 1)).await);
            }),
            7 if self.forgotten => Box::pin(shield_for(SHORT / 100, inner.grow(depth - 1))),
            7 => Box::pin(shield(checkpoint())),
            8 => Box::pin(async move {
                let _ = finally(inner.grow(depth - 1), checkpoint()).grace(SHORT / 100).await;
            }),
            _ => Box::pin(futures::future::join(inner.clone().grow(depth - 1), self.group(depth)).map(drop)),
        }
    }

    fn scope(&mut self) -> CancelScope {
        let scope = CancelScope::new();
        if self.random(3) == 0 {
            scope.handle().cancel();
        }
        scope
    }

    /// A group that has tasks of all kinds.
    fn group(mut self, depth: u32) -> impl Future<Output = ()> + Send + use<> {
        let group = task_group(async move |tg| {
            for _ in 0..self.random(3) {
                tg.spawn(self.endless.task());
                let (mut inner, endless) = (self.clone(), self.endless.task());
                inner.seed += 1;
                tg.spawn(inner.grow(depth - 1));
                if self.random(3) == 0 {
                    let starting = tg.start(async move |started: Started<()>| {
                        checkpoint().await;
                        let _ = started.started(());
                        endless.await;
                    });
                    let _ = poll_times(2, Box::pin(starting)).await;
                }
            }
            self.grow(depth - 1).await;
        });
        async { drop(group.await) }
    }
}

/// F3: The error of a task whose group was dropped reaches the hook, with the task and the error.
pub async fn the_error_of_an_orphan_reaches_the_hook() {
    let (runtime, heard) = hooked();
    orphan(&runtime, || async { Err("late".to_owned()) }).await;
    let told = heard.count(|outcome| match outcome {
        Unhandled::Failed { task: Some(_), error, .. } => error.downcast_ref::<String>().unwrap() == "late",
        _ => false,
    });
    assert_eq!((told, heard.texts().len()), (1, 1), "{:?}", heard.texts());
}

/// F3: The panic of a task whose group was dropped reaches the hook.
pub async fn the_panic_of_an_orphan_reaches_the_hook() {
    let (runtime, heard) = hooked();
    orphan(&runtime, || async { panic!("late") }).await;
    let told = heard.count(|outcome| match outcome {
        Unhandled::Panicked { task: Some(_), message, .. } => message == "late",
        _ => false,
    });
    assert_eq!((told, heard.texts().len()), (1, 1), "{:?}", heard.texts());
}

/// F3: The panic of an orphan's destructor reaches the hook.
pub async fn the_panic_of_an_orphans_destructor_reaches_the_hook() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let (runtime, heard) = hooked();
    orphan(&runtime, || async {
        let _bomb = Bomb;
        sleep_forever().await;
        Ok(())
    })
    .await;
    let told = heard.count(|outcome| matches!(outcome, Unhandled::Panicked { task: Some(_), .. }));
    assert_eq!((told, heard.texts().len()), (1, 1), "{:?}", heard.texts());
}

/// F3: An orphan that is cancelled, or ends well, is no news for the hook.
pub async fn the_hook_does_not_hear_of_orphans_that_end_well() {
    let (runtime, heard) = hooked();
    orphan(&runtime, || async { Ok(()) }).await;
    orphan(&runtime, || async {
        sleep_forever().await;
        Ok(())
    })
    .await;
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// F3: What a group had collected when it was dropped reaches the hook: errors of tasks and of the body.
pub async fn the_errors_that_a_dropped_group_had_collected_reach_the_hook() {
    let (runtime, heard) = hooked();
    let (go, ends) = (Arc::new(Event::new()), Event::new());
    let goes = go.clone();
    let group = try_task_group(async |tg| {
        tg.spawn_ok(shield(async move { goes.wait().await }));
        let failing: TaskHandle<()> = tg.spawn(async { Err("the task's") });
        while !failing.is_finished() {
            shield(checkpoint()).await;
        }
        ends.set();
        Err::<(), _>("the body's")
    });
    let group = Box::pin(enter(runtime.clone(), group));
    drop(select(group, Box::pin(ends.wait())).await);
    go.set();
    assert!(runtime.quiesce(LONG).await);
    assert_eq!(heard.count(|outcome| failed_with(outcome, "the task's")), 1, "{:?}", heard.texts());
    assert_eq!(heard.count(|outcome| failed_with(outcome, "the body's")), 1, "{:?}", heard.texts());
}

fn failed_with(outcome: &Unhandled, expected: &str) -> bool {
    match outcome {
        Unhandled::Failed { error, .. } => error.downcast_ref::<&str>() == Some(&expected),
        _ => false,
    }
}

/// F3: What an owned group had collected when it was dropped, and what its tasks still come to, reaches the hook.
pub async fn the_errors_of_a_dropped_owned_group_reach_the_hook() {
    let (runtime, heard) = hooked();
    let (go, goes) = oneshot::channel::<()>();
    enter(runtime.clone(), async {
        let owned = OwnedTaskGroup::fallible();
        let early = owned.spawn(async { Err::<(), _>("early") });
        let late = owned.spawn(shield(async {
            goes.await.unwrap();
            Err::<(), _>("late")
        }));
        assert!(early.await.is_err());
        drop((owned, late));
    })
    .await;
    assert_eq!(heard.count(|outcome| failed_with(outcome, "early")), 1, "{:?}", heard.texts());
    go.send(()).unwrap();
    assert!(runtime.quiesce(LONG).await);
    assert_eq!(heard.count(|outcome| failed_with(outcome, "late")), 1, "{:?}", heard.texts());
}

/// F3: The errors of a forgotten group reach the hook, at the latest when the barrier is passed that waits for it.
pub async fn the_errors_of_a_forgotten_group_reach_the_hook() {
    let (runtime, heard) = hooked();
    let (go, goes) = oneshot::channel();
    let group = try_task_group(async |tg| {
        tg.spawn(shield(async {
            goes.await.unwrap();
            Err::<(), _>("forgotten")
        }));
        pending::<Result<(), _>>().await
    });
    let scope = CancelScope::new().run(async {
        forget_after(1, group).await;
        go.send(()).unwrap();
    });
    assert_eq!(enter(runtime.clone(), scope).await, Ok(()));
    assert_eq!(heard.count(|outcome| failed_with(outcome, "forgotten")), 1, "{:?}", heard.texts());
}

/// F5: A forgotten group does not keep the scope around from being cancelled, whatever it was doing.
pub async fn a_forgotten_group_does_not_hold_the_scope_around() {
    for polls in 1..=4 {
        let endless = Endless::default();
        let scope = CancelScope::new();
        let handle = scope.handle();
        let outcome = scope.run(async {
            forget_after(polls, endless.group()).await;
            handle.cancel();
            sleep_forever().await;
        });
        assert!(outcome.await.is_err());
        assert_eq!((endless.made(), endless.left()), (polls.min(3), 0));
    }
}

/// F5: A forgotten `shield_for` holds the scope around for its grace and no longer.
pub async fn a_forgotten_shield_for_holds_for_its_grace() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut cancelled = None;
    let outcome = scope.run(async {
        forget_after(1, shield_for(SHORT, pending::<()>())).await;
        cancelled = Some(anyio::now());
        handle.cancel();
        sleep_forever().await;
    });
    assert!(outcome.await.is_err());
    assert!(anyio::now() - cancelled.unwrap() >= SHORT);
}

/// F5: A graced `finally` that was forgotten during its body does not keep the scope around from being cancelled.
pub async fn a_graced_finally_forgotten_during_its_body_holds_for_its_grace() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope.run(async {
        forget_after(1, finally(pending::<()>(), pending()).grace(SHORT)).await;
        handle.cancel();
        sleep_forever().await;
    });
    assert!(outcome.await.is_err());
}

/// F5: The same when the scope was cancelled before.
pub async fn a_graced_finally_forgotten_in_a_cancelled_scope_holds_for_its_grace() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let outcome = scope.run(async {
        forget_after(1, finally(pending::<()>(), pending()).grace(SHORT)).await;
        sleep_forever().await;
    });
    assert!(outcome.await.is_err());
}

/// F5: A graced `finally` that was forgotten during its clean-up does not keep the scope around from being cancelled.
pub async fn a_graced_finally_forgotten_during_its_clean_up_holds_for_its_grace() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope.run(async {
        forget_after(1, finally(async {}, pending()).grace(SHORT)).await;
        handle.cancel();
        sleep_forever().await;
    });
    assert!(outcome.await.is_err());
}

/// F5: A graced `finally_detached` that was forgotten does not keep the scope around from being cancelled, whatever it
/// was doing.
pub async fn a_graced_finally_detached_that_was_forgotten_holds_for_its_grace() {
    let (runtime, _heard) = hooked();
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope.run(async {
        forget_after(1, finally_detached(pending::<()>(), pending()).grace(SHORT)).await;
        forget_after(1, finally_detached(async {}, pending()).grace(SHORT)).await;
        handle.cancel();
        sleep_forever().await;
    });
    assert!(enter(runtime.clone(), outcome).await.is_err());
    assert!(runtime.quiesce(LONG).await);
}

/// F5: A forgotten start does not keep the scope around from being cancelled: the task that it waited for is.
pub async fn a_forgotten_start_does_not_hold_the_scope_around() {
    let endless = Endless::default();
    let outcome = task_group(async |tg| {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let inner = scope.run(async {
            let task = endless.task();
            let start = tg.start(async move |_started: Started<()>| task.await);
            forget_after(1, start).await;
            handle.cancel();
            sleep_forever().await;
        });
        assert!(inner.await.is_err());
    });
    assert_eq!(outcome.await, Ok(()));
    assert_eq!((endless.made(), endless.left()), (1, 0));
}

/// F5: A forgotten shield without a grace does keep the scope around from being cancelled, and the hook hears of that
/// once.
pub async fn the_hook_hears_once_of_a_scope_that_a_forgotten_shield_holds() {
    let (runtime, complaints, complained) = impatient();
    let mut over = false;
    enter(runtime, async {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let held = scope.run(async {
            forget_after(1, shield(pending::<()>())).await;
            handle.cancel();
            sleep_forever().await;
        });
        let watching = async {
            complained.wait().await;
            sleep(5 * SHORT).await;
        };
        let first = select(Box::pin(held), Box::pin(watching)).await;
        over = matches!(first, futures::future::Either::Left(_));
    })
    .await;
    assert!(!over);
    assert_eq!(complaints.load(Ordering::SeqCst), 1);
}

/// F2, F5: The end of a scope waits for a task that a forgotten shield keeps from being cancelled, and the hook hears of
/// that once.
pub async fn the_hook_hears_once_of_a_barrier_that_a_forgotten_shield_holds() {
    let (runtime, complaints, complained) = impatient();
    let ended = Arc::new(Event::new());
    let ends = ended.clone();
    let group = task_group(async |tg| {
        tg.spawn(async move {
            complained.wait().await;
            sleep(5 * SHORT).await;
            ends.set();
        });
        pending::<()>().await;
    });
    let scope = CancelScope::new().run(forget_after(1, shield(group)));
    assert_eq!(enter(runtime, scope).await, Ok(()));
    assert!(ended.is_set());
    assert_eq!(complaints.load(Ordering::SeqCst), 1);
}

/// F5: The hook hears of a cancelled scope that waits too long for a clean-up, and the scope still waits for it.
pub async fn the_hook_hears_of_a_cancelled_scope_that_waits_too_long() {
    let (runtime, complaints, complained) = impatient();
    let mut cleaned = false;
    enter(runtime, async {
        let scope = CancelScope::new();
        scope.handle().cancel();
        let slow = finally(sleep_forever(), async {
            complained.wait().await;
            cleaned = true;
        });
        assert!(scope.run(slow).await.is_err());
    })
    .await;
    assert!(cleaned);
    assert_eq!(complaints.load(Ordering::SeqCst), 1);
}

/// F5: Of a cancelled scope that waits too long the hook hears once, however many scopes, timeouts and groups are
/// inside it around what it waits for.
pub async fn the_hook_hears_once_of_nested_scopes_that_wait_too_long() {
    let (runtime, complaints, complained) = impatient();
    let scope = CancelScope::new();
    scope.handle().cancel();
    let stuck = shield(async {
        complained.wait().await;
        sleep(5 * SHORT).await;
    });
    let nested = task_group(async |_| CancelScope::new().run(timeout(LONG, CancelScope::new().run(stuck))).await);
    assert!(enter(runtime, scope.run(CancelScope::new().run(nested))).await.is_ok());
    assert_eq!(complaints.load(Ordering::SeqCst), 1);
}

/// F5: The hook hears of a task that was cancelled and waits too long, and of the scope around its group, once each.
pub async fn the_hook_hears_once_of_a_task_and_once_of_the_scope_around() {
    let (runtime, complaints, _complained) = impatient();
    let scope = CancelScope::new();
    let handle = scope.handle();
    let counts = complaints.clone();
    let group = task_group(async |tg| {
        let stuck = shield(async move {
            while counts.load(Ordering::SeqCst) < 2 {
                sleep(SHORT).await;
            }
            sleep(5 * SHORT).await;
        });
        tg.spawn(CancelScope::new().run(CancelScope::new().run(stuck)));
        checkpoint().await;
        handle.cancel();
    });
    drop(enter(runtime, scope.run(group)).await);
    assert_eq!(complaints.load(Ordering::SeqCst), 2);
}

/// F1, F2: A group whose future is dropped by one of its own tasks cancels them all, that one as well.
pub async fn a_group_dropped_by_its_own_task_leaves_nothing_behind() {
    let endless = Endless::default();
    let (give, given) = oneshot::channel::<Pin<Box<dyn Future<Output = ()> + Send>>>();
    let (inside, past) = (endless.clone(), Drops::new());
    let token = past.token();
    let outcome = task_group(async |_| {
        let group = task_group(async move |tg| {
            tg.spawn(inside.task());
            tg.spawn(async move {
                drop(given.await);
                checkpoint().await;
                mem::forget(token); // not reached
            });
            pending::<()>().await;
        });
        let group = Box::pin(async { drop(group.await) });
        let group = poll_times(1, group).await.unwrap_err();
        assert!(give.send(group).is_ok());
    });
    assert_eq!(outcome.await, Ok(()));
    assert_eq!((endless.made(), endless.left(), past.count()), (1, 0, 1));
}

/// F1, F2: A group that a thread leaves to its thread-local destructors cancels its tasks.
pub async fn a_group_dropped_by_a_thread_local_destructor_cancels_its_tasks() {
    thread_local! {
        static KEPT: RefCell<Option<Pin<Box<dyn Future<Output = ()> + Send>>>> = const { RefCell::new(None) };
    }
    let endless = Endless::default();
    let (runtime, _heard) = hooked();
    let (elsewhere, group) = (runtime.clone(), endless.group());
    let keeps = on_thread(move || {
        KEPT.set(None); // before whatever anyio keeps in the thread, so that it is destroyed after that
        let entered = poll_times(2, Box::pin(enter(elsewhere, group)));
        KEPT.set(Some(Box::pin(block_on(entered).unwrap_err())));
    });
    keeps.join().unwrap();
    assert!(runtime.quiesce(LONG).await);
    assert_eq!((endless.made(), endless.left()), (2, 0));
}

/// F5: The hook does not hear of a scope that was not cancelled, however long it is shielded, nor of one that is over
/// before its patience is.
pub async fn the_hook_does_not_hear_of_scopes_that_are_not_stalled() {
    let (runtime, complaints, _complained) = impatient();
    let calm = CancelScope::new().run(shield(sleep(3 * SHORT)));
    assert_eq!(enter(runtime.clone(), calm).await, Ok(()));
    let quick = CancelScope::new();
    quick.handle().cancel();
    let quick = quick.run(async {
        shield(sleep(3 * SHORT)).await;
        sleep_forever().await;
    });
    assert!(enter(runtime.with_patience(LONG), quick).await.is_err());
    assert_eq!(complaints.load(Ordering::SeqCst), 0);
}

/// F5: The hook hears of each of several scopes that are stalled, of those that begin to wait later as well.
pub async fn the_hook_hears_of_each_scope_that_is_stalled() {
    let (runtime, complaints, _) = impatient();
    let runtime = runtime.with_patience(15 * SHORT); // in which all of them begin to wait
    let stall = |delay| {
        let complaints = complaints.clone();
        async move {
            sleep(delay).await;
            let scope = CancelScope::new();
            scope.handle().cancel();
            let wait = async {
                while complaints.load(Ordering::SeqCst) < 4 {
                    sleep(SHORT / 2).await;
                }
            };
            scope.run(shield(wait)).await
        }
    };
    let stalled = async { task_group(async |tg| (0..4).for_each(|n| drop(tg.spawn(stall(n * 3 * SHORT))))).await };
    assert!(enter(runtime, stalled).await.is_ok());
    assert_eq!(complaints.load(Ordering::SeqCst), 4);
}
