//! Cancelling sleeping tasks: from the request until the last one is gone.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{on_tokio, tokios};
use crate::measure::Pair;

const LONG: Duration = Duration::from_secs(3600);

pub(crate) fn pairs(tasks: usize) -> Vec<Pair> {
    let pair = |(flavour, runtime)| Pair {
        ours: on_tokio(format!("anyio {flavour}"), &runtime, tasks, move || ours(tasks)),
        theirs: on_tokio(format!("JoinSet {flavour}"), &runtime, tasks, move || join_set(tasks)),
    };
    tokios().into_iter().map(pair).collect()
}

async fn ours(tasks: usize) -> Duration {
    let mut requested = Instant::now();
    let group = anyio::task_group(async |tg| {
        for _ in 0..tasks {
            drop(tg.spawn(async { tokio::time::sleep(LONG).await }));
        }
        settle().await;
        requested = Instant::now();
        tg.cancel();
    });
    group.await.expect("its own cancel is no error");
    requested.elapsed()
}

async fn join_set(tasks: usize) -> Duration {
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        set.spawn(async { tokio::time::sleep(LONG).await });
    }
    settle().await;
    let requested = Instant::now();
    set.shutdown().await;
    requested.elapsed()
}

/// Lets all tasks fall asleep.
async fn settle() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
}
