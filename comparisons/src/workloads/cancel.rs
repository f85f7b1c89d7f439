//! P3: cancelling sleeping tasks: from the request, by way of the last destructor, until the caller is told.

use std::future::Future;

use futures::StreamExt as _;
use futures::future::{FutureExt as _, join_all};
use futures::stream::FuturesUnordered;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bodies::{Arrivals, asleep, our_sleep, smol_sleep, tokio_sleep};
use crate::comparison::{Comparison, Goal, TO_BE_SEEN, ratio};
use crate::ground::{Ground, Grounds, SmolSpawn};
use crate::measure::{Reading, Stopwatch};

/// Those of a round that have fallen asleep.
static ASLEEP: Arrivals = Arrivals::none();

/// P3.
pub fn sleeping(grounds: &Grounds) -> Vec<Comparison> {
    let of = |tasks| {
        vec![on_ct(&grounds.ct, tasks), on_tokio(&grounds.mt, tasks, ratio(0.95, 0.35)), on_smol(grounds, tasks)]
    };
    grounds.sizes(&[1_000, 100_000]).into_iter().flat_map(of).collect()
}

fn job(ground: &Ground, tasks: usize) -> Comparison {
    let what = format!("cancel {tasks} sleeping tasks");
    Comparison::new(ground, format!("P3/{tasks}"), what).per("task", tasks)
}

fn on_tokio(ground: &Ground, tasks: usize, goal: Option<Goal>) -> Comparison {
    job(ground, tasks)
        .ours(move || ours(tasks, our_sleep))
        .rival("JoinSet::shutdown", goal, move || join_set(tasks))
        .rival("TaskTracker + CancellationToken", TO_BE_SEEN, move || tracker(tasks))
        .rival("anyio, in tokio::time::sleep", TO_BE_SEEN, move || ours(tasks, tokio_sleep))
}

fn on_ct(ground: &Ground, tasks: usize) -> Comparison {
    on_tokio(ground, tasks, ratio(0.75, 0.35))
        .rival("FuturesUnordered, dropped (no tasks)", TO_BE_SEEN, move || unordered(tasks))
}

fn on_smol(grounds: &Grounds, tasks: usize) -> Comparison {
    let executor = grounds.executor();
    job(&grounds.smol, tasks)
        .ours(move || ours(tasks, our_sleep))
        .rival("join_all(Task::cancel) on the same Executor", ratio(0.65, 0.35), move || {
            smol_tasks(tasks, executor.clone())
        })
        .rival("anyio, in smol::Timer", TO_BE_SEEN, move || ours(tasks, smol_sleep))
}

pub(crate) async fn ours<S, F>(tasks: usize, sleep: S) -> Reading
where
    S: Fn() -> F + Copy + Send + 'static,
    F: Future + Send + 'static,
{
    ASLEEP.reset();
    let mut requested = Stopwatch::start();
    let group = anyio::task_group(async |tg| {
        for _ in 0..tasks {
            tg.spawn(asleep(&ASLEEP, sleep));
        }
        ASLEEP.until(tasks).await;
        requested = Stopwatch::start();
        tg.cancel();
    });
    group.await.expect("its own cancel is no error");
    requested.stop()
}

pub(crate) async fn join_set(tasks: usize) -> Reading {
    ASLEEP.reset();
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        set.spawn(asleep(&ASLEEP, tokio_sleep));
    }
    ASLEEP.until(tasks).await;
    let requested = Stopwatch::start();
    set.shutdown().await;
    requested.stop()
}

async fn tracker(tasks: usize) -> Reading {
    ASLEEP.reset();
    let (tracker, token) = (TaskTracker::new(), CancellationToken::new());
    for _ in 0..tasks {
        tracker.spawn(token.clone().run_until_cancelled_owned(asleep(&ASLEEP, tokio_sleep)));
    }
    ASLEEP.until(tasks).await;
    let requested = Stopwatch::start();
    token.cancel();
    tracker.close();
    tracker.wait().await;
    requested.stop()
}

/// Its futures are dropped in place, one after the other: what cancelling costs where there are no tasks.
async fn unordered(tasks: usize) -> Reading {
    ASLEEP.reset();
    let mut futures: FuturesUnordered<_> = (0..tasks).map(|_| asleep(&ASLEEP, tokio_sleep)).collect();
    while ASLEEP.count() != tasks {
        assert_eq!(futures.next().now_or_never(), None, "they sleep");
    }
    let requested = Stopwatch::start();
    drop(futures);
    requested.stop()
}

async fn smol_tasks<S: SmolSpawn>(tasks: usize, executor: S) -> Reading {
    ASLEEP.reset();
    let spawned: Vec<_> = (0..tasks).map(|_| executor.spawn(asleep(&ASLEEP, smol_sleep))).collect();
    ASLEEP.until(tasks).await;
    let requested = Stopwatch::start();
    join_all(spawned.into_iter().map(smol::Task::cancel)).await;
    requested.stop()
}
