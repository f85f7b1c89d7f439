//! P3a: cancelling sleeping tasks: until the last of them is dropped, whenever the caller is told.

use std::future::Future;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bodies::{Arrivals, Dropped, LastDrop, asleep, our_sleep, tokio_sleep};
use crate::comparison::{Comparison, TO_BE_SEEN, ratio};
use crate::ground::Grounds;
use crate::measure::{Reading, Statistic, Stopwatch};

static ASLEEP: Arrivals = Arrivals::none();

/// P3a.
pub fn of_sleeping(grounds: &Grounds) -> Vec<Comparison> {
    let tasks = grounds.sizes(&[1_000])[0];
    let job = |ground| {
        Comparison::new(ground, "P3a", format!("cancel {tasks} sleeping tasks, last drop"))
            .per("cancellation, p99", 1)
            .statistic(Statistic::P99)
            .ours(move || ours(tasks, our_sleep))
            .rival("JoinSet::shutdown", ratio(1.0, 0.3), move || join_set(tasks))
            .rival("TaskTracker + CancellationToken", TO_BE_SEEN, move || tracker(tasks))
            .rival("anyio, in tokio::time::sleep", TO_BE_SEEN, move || ours(tasks, tokio_sleep))
    };
    grounds.tokios().map(job).collect()
}

fn body<S, F>(last: &Arc<LastDrop>, sleep: S) -> impl Future<Output = ()> + Send + use<S, F>
where
    S: FnOnce() -> F + Send,
    F: Future + Send,
{
    let dropped = Dropped(last.clone());
    async move {
        let _dropped = dropped;
        asleep(&ASLEEP, sleep).await;
    }
}

async fn ours<S, F>(tasks: usize, sleep: S) -> Reading
where
    S: Fn() -> F + Copy + Send + 'static,
    F: Future + Send + 'static,
{
    ASLEEP.reset();
    let last = Arc::new(LastDrop::of(tasks));
    let mut requested = Stopwatch::start();
    let group = anyio::task_group(async |tg| {
        for _ in 0..tasks {
            tg.spawn(body(&last, sleep));
        }
        ASLEEP.until(tasks).await;
        requested = Stopwatch::start();
        tg.cancel();
    });
    group.await.expect("its own cancel is no error");
    requested.until(last.time())
}

async fn join_set(tasks: usize) -> Reading {
    ASLEEP.reset();
    let last = Arc::new(LastDrop::of(tasks));
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        set.spawn(body(&last, tokio_sleep));
    }
    ASLEEP.until(tasks).await;
    let requested = Stopwatch::start();
    set.shutdown().await;
    requested.until(last.time())
}

async fn tracker(tasks: usize) -> Reading {
    ASLEEP.reset();
    let last = Arc::new(LastDrop::of(tasks));
    let (tracker, token) = (TaskTracker::new(), CancellationToken::new());
    for _ in 0..tasks {
        tracker.spawn(token.clone().run_until_cancelled_owned(body(&last, tokio_sleep)));
    }
    ASLEEP.until(tasks).await;
    let requested = Stopwatch::start();
    token.cancel();
    tracker.close();
    tracker.wait().await;
    requested.until(last.time())
}
