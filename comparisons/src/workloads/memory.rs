//! P11: what idle tasks hold on the heap, and what finished ones leave there.

use std::future::{Future, pending};
use std::pin::Pin;

use anyio::{Runtime, SmolHandle};
use futures::future::select;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bodies::{Arrivals, our_sleep, smol_sleep, tokio_sleep};
use crate::comparison::{Comparison, Contender, TO_BE_SEEN, Unit, absolute, ratio};
use crate::ground::{Ground, Grounds, Scale, SmolSpawn};
use crate::measure::Reading;

/// The idle tasks that live.
static IDLE: Arrivals = Arrivals::none();

/// The tasks that have come to their end.
static FINISHED: Arrivals = Arrivals::none();

/// Something that holds tasks, and goes on for ever.
type Held = Pin<Box<dyn Future<Output = ()>>>;

/// P11: idle tasks.
pub fn idle(grounds: &Grounds) -> Vec<Comparison> {
    let tasks = grounds.sizes(&[10_000])[0];
    let job = |ground: &Ground, case: &str, what: &str| {
        Comparison::new(ground, case, format!("heap of {tasks} tasks, {what}"))
            .per("task", tasks)
            .unit(Unit::Bytes)
            .exact()
    };
    let (ct, smol) = (&grounds.ct, &grounds.smol);
    let executor = grounds.executor();
    let on_executor = move |future: Held| -> Held {
        let runtime = Runtime::new(SmolHandle::with_executor(&executor));
        Box::pin(anyio::enter(runtime, future))
    };
    let other = grounds.executor();
    vec![
        job(ct, "P11/sleeping", "asleep")
            .our_contender(held(ct, "anyio", tasks, move || ours(tasks, our_sleep)))
            .contender(ratio(1.0, 0.85), held(ct, "JoinSet", tasks, move || join_set(tasks, tokio_sleep)))
            .contender(
                TO_BE_SEEN,
                held(ct, "TaskTracker + CancellationToken", tasks, move || tracker(tasks, tokio_sleep)),
            )
            .contender(TO_BE_SEEN, held(ct, "anyio, in tokio::time::sleep", tasks, move || ours(tasks, tokio_sleep))),
        job(ct, "P11/pending", "pending")
            .our_contender(held(ct, "anyio", tasks, move || ours(tasks, pending::<()>)))
            .contender(ratio(1.0, 0.74), held(ct, "JoinSet", tasks, move || join_set(tasks, pending::<()>)))
            .contender(
                TO_BE_SEEN,
                held(ct, "TaskTracker + CancellationToken", tasks, move || tracker(tasks, pending::<()>)),
            ),
        job(smol, "P11/sleeping", "asleep")
            .our_contender(held(smol, "anyio", tasks, move || on_executor(ours(tasks, our_sleep))))
            .contender(
                TO_BE_SEEN,
                held(smol, "Vec<Task> on the same Executor", tasks, move || smol_tasks(tasks, other.clone())),
            ),
    ]
}

/// P11: what is left of finished tasks in a group that stays open.
pub fn finished(grounds: &Grounds) -> Vec<Comparison> {
    let (few, many) = match grounds.scale {
        Scale::Full => (10_000, 10_000_000),
        Scale::Quick => (10_000, 100_000),
        Scale::Tiny => (1_000, 2_000),
    };
    let left = |name: &str, holder: fn(usize) -> Held| {
        let (name, ground) = (name.to_owned(), grounds.ct.clone());
        let run = move |_| vec![Reading::of(grown(&ground, few, many, holder))];
        Contender { name, run: Box::new(run) }
    };
    let what = format!("heap that grew from {few} to {many} finished tasks");
    vec![
        Comparison::new(&grounds.ct, "P11/finished", what)
            .per("group", 1)
            .unit(Unit::Bytes)
            .exact()
            .goal(absolute(65_536.0, 0.0))
            .our_contender(left("anyio", ours_finishing))
            .contender(TO_BE_SEEN, left("JoinSet, emptied by try_join_next", join_set_finishing))
            .contender(TO_BE_SEEN, left("TaskTracker", tracker_finishing)),
    ]
}

fn grown(ground: &Ground, few: usize, many: usize, holder: fn(usize) -> Held) -> f64 {
    let heap = |tasks| heap_of(ground, &FINISHED, tasks, holder(tasks));
    heap(many) - heap(few)
}

/// A contender who tells how much is on the heap while `holder` holds its tasks.
fn held(ground: &Ground, name: &str, tasks: usize, holder: impl Fn() -> Held + 'static) -> Contender {
    let ground = ground.clone();
    let run = move |rounds| (0..rounds).map(|_| Reading::of(heap_of(&ground, &IDLE, tasks, holder()))).collect();
    Contender { name: name.to_owned(), run: Box::new(run) }
}

/// How many bytes are on the heap when so many tasks have come to a place, and whoever holds them is still there.
fn heap_of(ground: &Ground, place: &'static Arrivals, tasks: usize, mut holder: Held) -> f64 {
    FINISHED.reset();
    let mut held = None;
    let heap = allocation_counter::measure(|| {
        let driven = ground.drive_local(async move {
            select(holder.as_mut(), Box::pin(place.until(tasks))).await;
            Some(holder)
        });
        held = driven;
    });
    ground.drive_local(async move {
        drop(held);
        IDLE.until(0).await;
    });
    heap.bytes_current as f64
}

/// How many bytes are on the heap after so many tasks of ours have finished, in a group that is still open.
#[must_use]
pub fn heap_after_finished(ground: &Ground, tasks: usize) -> f64 {
    heap_of(ground, &FINISHED, tasks, ours_finishing(tasks))
}

/// Idle until it is dropped, and counted as long; weighs nothing.
async fn idle_as<F: Future>(idle: impl FnOnce() -> F) {
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            IDLE.leave();
        }
    }
    IDLE.arrive();
    let _counted = Counted;
    idle().await;
}

fn ours<F>(tasks: usize, idle: impl Fn() -> F + Copy + Send + 'static) -> Held
where
    F: Future + Send + 'static,
{
    Box::pin(async move {
        let group = anyio::task_group(async |tg| {
            for _ in 0..tasks {
                tg.spawn(idle_as(idle));
            }
        });
        let _ = group.await;
    })
}

fn join_set<F>(tasks: usize, idle: impl Fn() -> F + Copy + Send + 'static) -> Held
where
    F: Future + Send + 'static,
{
    Box::pin(async move {
        let mut set = JoinSet::new();
        for _ in 0..tasks {
            set.spawn(idle_as(idle));
        }
        while set.join_next().await.is_some() {}
    })
}

/// A tracker does not hold its tasks: a token that is cancelled when it is dropped does.
fn tracker<F>(tasks: usize, idle: impl Fn() -> F + Copy + Send + 'static) -> Held
where
    F: Future + Send + 'static,
{
    Box::pin(async move {
        let (tracker, token) = (TaskTracker::new(), CancellationToken::new());
        for _ in 0..tasks {
            tracker.spawn(token.clone().run_until_cancelled_owned(idle_as(idle)));
        }
        let _cancelled_when_dropped = token.drop_guard();
        tracker.close();
        tracker.wait().await;
    })
}

fn smol_tasks<S: SmolSpawn>(tasks: usize, executor: S) -> Held {
    Box::pin(async move {
        let spawned: Vec<_> = (0..tasks).map(|_| executor.spawn(idle_as(smol_sleep))).collect();
        for task in spawned {
            task.await;
        }
    })
}

/// How many tasks are alive at once where many finish.
const BATCH: usize = 1_000;

/// A task that has finished is counted.
async fn counted() {
    FINISHED.arrive();
}

/// A group that stays open, and in which so many tasks finish.
fn ours_finishing(tasks: usize) -> Held {
    Box::pin(async move {
        let group = anyio::task_group(async |tg| {
            for batch in 1..=tasks / BATCH {
                for _ in 0..BATCH {
                    tg.spawn(counted());
                }
                FINISHED.until(batch * BATCH).await;
            }
            pending::<()>().await;
        });
        let _ = group.await;
    })
}

fn join_set_finishing(tasks: usize) -> Held {
    Box::pin(async move {
        let mut set = JoinSet::new();
        for batch in 1..=tasks / BATCH {
            for _ in 0..BATCH {
                set.spawn(counted());
            }
            FINISHED.until(batch * BATCH).await;
            while set.try_join_next().is_some() {}
        }
        pending::<()>().await;
    })
}

fn tracker_finishing(tasks: usize) -> Held {
    Box::pin(async move {
        let tracker = TaskTracker::new();
        for batch in 1..=tasks / BATCH {
            for _ in 0..BATCH {
                tracker.spawn(counted());
            }
            FINISHED.until(batch * BATCH).await;
        }
        pending::<()>().await;
    })
}
