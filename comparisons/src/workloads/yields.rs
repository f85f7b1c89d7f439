//! P2: spawning tasks that yield ten times, and waiting for all of them.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::task::JoinSet;

use super::bodies;
use crate::comparison::{Comparison, TO_BE_SEEN, ratio};
use crate::ground::{Grounds, SmolSpawn};
use crate::measure::timed;

const TASKS: usize = 100;
const YIELDS: usize = 10;

/// How often the job is done in a round.
const TIMES: usize = 5;

/// P2.
pub fn ten(grounds: &Grounds) -> Vec<Comparison> {
    let job = |ground| {
        Comparison::new(ground, "P2", format!("spawn, {YIELDS} yields, join of {TASKS} tasks"))
            .per("task", TASKS * TIMES)
            .ours(|| timed(TIMES, ours))
    };
    let executor = grounds.executor();
    vec![
        job(&grounds.ct).rival("JoinSet", ratio(1.0, 0.85), || timed(TIMES, join_set)).rival(
            "FuturesUnordered (no tasks)",
            TO_BE_SEEN,
            || timed(TIMES, unordered),
        ),
        job(&grounds.mt).rival("JoinSet", ratio(1.1, 0.85), || timed(TIMES, join_set)),
        job(&grounds.smol).rival("Vec<Task> on the same Executor", TO_BE_SEEN, move || {
            let executor = executor.clone();
            timed(TIMES, move || smol_tasks(executor.clone()))
        }),
    ]
}

async fn ours() {
    let group = anyio::task_group(async |tg| {
        for _ in 0..TASKS {
            tg.spawn(bodies::yields(YIELDS));
        }
    });
    group.await.expect("nobody cancels it");
}

async fn join_set() {
    let mut set = JoinSet::new();
    for _ in 0..TASKS {
        set.spawn(bodies::yields(YIELDS));
    }
    while let Some(joined) = set.join_next().await {
        joined.expect("no task panics");
    }
}

async fn unordered() {
    let mut futures: FuturesUnordered<_> = (0..TASKS).map(|_| bodies::yields(YIELDS)).collect();
    while futures.next().await.is_some() {}
}

async fn smol_tasks<S: SmolSpawn>(executor: S) {
    let spawned: Vec<_> = (0..TASKS).map(|_| executor.spawn(bodies::yields(YIELDS))).collect();
    for task in spawned {
        task.await;
    }
}
