//! P1, P1a: spawning tasks that do nothing, and waiting for all of them.

use std::rc::Rc;

use async_executors::TokioCt;
use async_nursery::{NurseExt as _, Nursery};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use futures_concurrency::future::FutureGroup;
use smol::LocalExecutor;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::comparison::{Comparison, Goal, TO_BE_SEEN, Unit, absolute, ratio};
use crate::ground::{GlobalExecutor, Ground, Grounds, SmolSpawn};
use crate::measure::{Reading, counting_allocations, timed};

/// P1: many tasks.
pub fn many(grounds: &Grounds) -> Vec<Comparison> {
    let of = |tasks: usize| {
        vec![
            on_ct(&grounds.ct, tasks, ratio(0.75, 0.60)),
            on_tokio(&grounds.mt, tasks, ratio(0.95, 0.80)),
            on_smol(grounds, tasks, ratio(1.3, 1.1)),
            on_smol_global(tasks),
            on_async_std(tasks),
        ]
    };
    grounds.sizes(&[100, 10_000]).into_iter().flat_map(of).collect()
}

/// P1: how often tasks allocate.
pub fn allocations(grounds: &Grounds) -> Vec<Comparison> {
    const TASKS: usize = 1_000;
    let ct = &grounds.ct;
    let anyio = ct.ours("anyio", || timed(1, || ours(TASKS)));
    let theirs = ct.theirs("JoinSet", || timed(1, || join_set(TASKS)));
    vec![
        Comparison::new(ct, "P1/allocations", format!("allocations to spawn and join {TASKS} tasks"))
            .per("task", TASKS)
            .unit(Unit::Allocations)
            .exact()
            .goal(absolute(2.0, 1.0))
            .our_contender(counting_allocations(anyio))
            .contender(TO_BE_SEEN, counting_allocations(theirs)),
    ]
}

/// P1a: one task.
pub fn one(grounds: &Grounds) -> Vec<Comparison> {
    vec![
        on_tokio(&grounds.ct, 1, ratio(0.95, 0.80)),
        on_tokio(&grounds.mt, 1, ratio(0.95, 0.80)),
        on_smol(grounds, 1, TO_BE_SEEN),
    ]
}

fn job(ground: &Ground, tasks: usize) -> Comparison {
    let (case, what) = match tasks {
        1 => ("P1a".to_owned(), "spawn and join 1 task".to_owned()),
        _ => (format!("P1/{tasks}"), format!("spawn and join {tasks} tasks")),
    };
    Comparison::new(ground, case, what)
        .per("task", tasks * times(tasks))
        .ours(move || timed(times(tasks), move || ours(tasks)))
}

/// How often the job is done in a round: reading the clocks must not count.
fn times(tasks: usize) -> usize {
    (1000 / tasks).max(1)
}

fn on_tokio(ground: &Ground, tasks: usize, goal: Option<Goal>) -> Comparison {
    let times = times(tasks);
    job(ground, tasks).rival("JoinSet", goal, move || timed(times, move || join_set(tasks))).rival(
        "TaskTracker",
        TO_BE_SEEN,
        move || timed(times, move || tracker(tasks)),
    )
}

/// On one thread those can be seen as well who need one, or have no tasks at all.
fn on_ct(ground: &Ground, tasks: usize, goal: Option<Goal>) -> Comparison {
    let times = times(tasks);
    on_tokio(ground, tasks, goal)
        .rival("FuturesUnordered (no tasks)", TO_BE_SEEN, move || timed(times, move || unordered(tasks)))
        .rival("FutureGroup (no tasks)", TO_BE_SEEN, move || timed(times, move || future_group(tasks)))
        .contender(TO_BE_SEEN, ground.local("async_nursery", move || timed(times, move || nursery(tasks))))
        .contender(TO_BE_SEEN, ground.local("moro (no tasks)", move || timed(times, move || moro(tasks))))
}

fn on_smol(grounds: &Grounds, tasks: usize, goal: Option<Goal>) -> Comparison {
    let (executor, local) = (grounds.executor(), Rc::new(LocalExecutor::new()));
    let on_local = Ground::SmolLocal(local.clone())
        .local("Vec<Task> on a LocalExecutor", move || timed_smol(tasks, local.clone()));
    job(&grounds.smol, tasks)
        .rival("Vec<Task> on the same Executor", goal, move || timed_smol(tasks, executor.clone()))
        .contender(goal, on_local)
}

fn on_smol_global(tasks: usize) -> Comparison {
    job(&Ground::SmolGlobal, tasks).rival("Vec<Task>", TO_BE_SEEN, move || timed_smol(tasks, GlobalExecutor))
}

fn on_async_std(tasks: usize) -> Comparison {
    let times = times(tasks);
    job(&Ground::AsyncStd, tasks)
        .rival("Vec<JoinHandle>", TO_BE_SEEN, move || timed(times, move || async_std_tasks(tasks)))
}

/// What the tasks do: nothing. The tests count them.
async fn nothing() {
    #[cfg(test)]
    tests::DONE.arrive();
}

pub(crate) async fn ours(tasks: usize) {
    let group = anyio::task_group(async |tg| {
        for _ in 0..tasks {
            tg.spawn(nothing());
        }
    });
    group.await.expect("nobody cancels it");
}

pub(crate) async fn join_set(tasks: usize) {
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        set.spawn(nothing());
    }
    while let Some(joined) = set.join_next().await {
        joined.expect("no task panics");
    }
}

async fn tracker(tasks: usize) {
    let tracker = TaskTracker::new();
    for _ in 0..tasks {
        tracker.spawn(nothing());
    }
    tracker.close();
    tracker.wait().await;
}

async fn nursery(tasks: usize) {
    let runtime = TokioCt::try_current().expect("tokio's current-thread runtime is around");
    let (nursery, mut finished) = Nursery::new(runtime);
    for _ in 0..tasks {
        nursery.nurse(nothing()).expect("it is open");
    }
    nursery.close_nursery();
    while finished.next().await.is_some() {}
}

async fn unordered(tasks: usize) {
    let mut futures: FuturesUnordered<_> = (0..tasks).map(|_| nothing()).collect();
    while futures.next().await.is_some() {}
}

async fn future_group(tasks: usize) {
    let mut group = FutureGroup::with_capacity(tasks);
    for _ in 0..tasks {
        group.insert(nothing());
    }
    while group.next().await.is_some() {}
}

async fn moro(tasks: usize) {
    moro::async_scope!(|scope| {
        for _ in 0..tasks {
            drop(scope.spawn(nothing()));
        }
    })
    .await;
}

async fn timed_smol<S: SmolSpawn>(tasks: usize, executor: S) -> Reading {
    timed(times(tasks), || smol_tasks(tasks, &executor)).await
}

async fn smol_tasks<S: SmolSpawn>(tasks: usize, executor: &S) {
    let spawned: Vec<_> = (0..tasks).map(|_| executor.spawn(nothing())).collect();
    for task in spawned {
        task.await;
    }
}

async fn async_std_tasks(tasks: usize) {
    let spawned: Vec<_> = (0..tasks).map(|_| async_std::task::spawn(nothing())).collect();
    for task in spawned {
        task.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::Scale;
    use crate::workloads::bodies::Arrivals;

    /// The tasks that were run.
    pub(super) static DONE: Arrivals = Arrivals::none();

    #[test]
    fn every_contender_runs_every_task() {
        let grounds = Grounds::new(Scale::Tiny);
        for comparison in many(&grounds).into_iter().chain(one(&grounds)) {
            for contender in comparison.contenders() {
                DONE.reset();
                (contender.run)(3);
                assert_eq!(DONE.count(), 3 * comparison.units, "{}: {}", comparison.id(), contender.name);
            }
        }
    }
}
