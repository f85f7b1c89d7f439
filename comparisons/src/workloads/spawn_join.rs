//! Spawning trivial tasks and waiting for all of them.

use tokio::task::JoinSet;

use super::{on_tokio, timed, tokios};
use crate::measure::Pair;

pub(crate) fn pairs(tasks: usize) -> Vec<Pair> {
    let pair = |(flavour, runtime)| Pair {
        ours: on_tokio(format!("anyio {flavour}"), &runtime, tasks, move || timed(ours(tasks))),
        theirs: on_tokio(format!("JoinSet {flavour}"), &runtime, tasks, move || timed(join_set(tasks))),
    };
    tokios().into_iter().map(pair).collect()
}

async fn ours(tasks: usize) {
    let group = anyio::task_group(async |tg| {
        for _ in 0..tasks {
            drop(tg.spawn(async {}));
        }
    });
    group.await.expect("nobody cancels it");
}

async fn join_set(tasks: usize) {
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        set.spawn(async {});
    }
    while let Some(joined) = set.join_next().await {
        joined.expect("no task panics");
    }
}
