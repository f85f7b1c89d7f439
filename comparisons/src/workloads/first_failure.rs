//! P4: one of many tasks fails: until its siblings are gone and the error is in hand.
//!
//! moro is missing: that its scope was terminated by a job is noticed when something else wakes the scope, and here nothing does.

use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _, join_all};
use futures::stream::FuturesUnordered;
use futures_concurrency::future::TryJoin as _;
use smol::Task;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bodies::{Arrivals, asleep, our_sleep, smol_sleep, tokio_sleep};
use crate::comparison::{Comparison, TO_BE_SEEN, ratio};
use crate::ground::{Ground, Grounds, SmolSpawn};
use crate::measure::{Reading, Stopwatch};

static ASLEEP: Arrivals = Arrivals::none();

/// An error that knows when it came to be.
#[derive(Debug)]
struct Failed(Stopwatch);

/// P4.
pub fn of_many(grounds: &Grounds) -> Vec<Comparison> {
    let tasks = grounds.sizes(&[1_000])[0];
    let job = |ground: &Ground| Comparison::new(ground, "P4", format!("one of {tasks} tasks fails")).per("failure", 1);
    let on_tokio = |ground, goal| {
        job(ground)
            .ours(move || ours(tasks, our_sleep))
            .rival("JoinSet, shut down", goal, move || join_set(tasks))
            .rival("TaskTracker + CancellationToken", TO_BE_SEEN, move || tracker(tasks))
            .rival("anyio, in tokio::time::sleep", TO_BE_SEEN, move || ours(tasks, tokio_sleep))
    };
    let executor = grounds.executor();
    vec![
        on_tokio(&grounds.ct, ratio(0.70, 0.40))
            .rival("FuturesUnordered, dropped (no tasks)", TO_BE_SEEN, move || unordered(tasks))
            .rival("Vec::try_join of futures-concurrency (no tasks)", TO_BE_SEEN, move || try_join(tasks)),
        on_tokio(&grounds.mt, ratio(0.95, 0.40)),
        job(&grounds.smol)
            .ours(move || ours(tasks, our_sleep))
            .rival("FuturesUnordered<Task>, cancelled, on the same Executor", TO_BE_SEEN, move || {
                smol_tasks(tasks, executor.clone())
            })
            .rival("anyio, in smol::Timer", TO_BE_SEEN, move || ours(tasks, smol_sleep)),
    ]
}

/// Fails when all others have fallen asleep.
async fn fails(others: usize) -> Result<(), Failed> {
    ASLEEP.until(others).await;
    Err(Failed(Stopwatch::start()))
}

/// Would succeed, after a long sleep.
async fn sleeps<F: Future>(sleep: impl FnOnce() -> F) -> Result<(), Failed> {
    asleep(&ASLEEP, sleep).await;
    Ok(())
}

async fn ours<F>(tasks: usize, sleep: impl Fn() -> F + Copy + Send + 'static) -> Reading
where
    F: Future + Send + 'static,
{
    ASLEEP.reset();
    let group = anyio::try_task_group(async |tg| {
        for _ in 1..tasks {
            tg.spawn(sleeps(sleep));
        }
        tg.spawn(fails(tasks - 1));
        Ok(())
    });
    let error = group.await.expect_err("a task fails");
    error.errors().next().expect("it is in hand").0.stop()
}

async fn join_set(tasks: usize) -> Reading {
    ASLEEP.reset();
    let mut set = JoinSet::new();
    for _ in 1..tasks {
        set.spawn(sleeps(tokio_sleep));
    }
    set.spawn(fails(tasks - 1));
    while let Some(joined) = set.join_next().await {
        if let Err(error) = joined.expect("no task panics") {
            set.shutdown().await;
            return error.0.stop();
        }
    }
    unreachable!("a task fails")
}

async fn tracker(tasks: usize) -> Reading {
    ASLEEP.reset();
    let (tracker, token) = (TaskTracker::new(), CancellationToken::new());
    let (failed, failure) = oneshot::channel();
    for _ in 1..tasks {
        tracker.spawn(token.clone().run_until_cancelled_owned(asleep(&ASLEEP, tokio_sleep)));
    }
    let cancel = token.clone();
    tracker.spawn(async move {
        let Err(error) = fails(tasks - 1).await else { unreachable!("it fails") };
        failed.send(error).expect("somebody waits for it");
        cancel.cancel();
    });
    tracker.close();
    tracker.wait().await;
    let error = failure.await.expect("a task fails");
    error.0.stop()
}

/// The futures of a task that does not spawn any: those that sleep, and the one that fails.
fn in_place(tasks: usize) -> impl Iterator<Item = BoxFuture<'static, Result<(), Failed>>> {
    let sleeping = (1..tasks).map(|_| sleeps(tokio_sleep).boxed());
    sleeping.chain([fails(tasks - 1).boxed()])
}

async fn unordered(tasks: usize) -> Reading {
    ASLEEP.reset();
    let mut futures: FuturesUnordered<_> = in_place(tasks).collect();
    while let Some(ended) = futures.next().await {
        if let Err(error) = ended {
            drop(futures);
            return error.0.stop();
        }
    }
    unreachable!("one fails")
}

async fn try_join(tasks: usize) -> Reading {
    ASLEEP.reset();
    let futures: Vec<_> = in_place(tasks).collect();
    let error = futures.try_join().await.expect_err("one fails");
    error.0.stop()
}

async fn smol_tasks<S: SmolSpawn>(tasks: usize, executor: S) -> Reading {
    ASLEEP.reset();
    let mut spawned: FuturesUnordered<Task<Result<(), Failed>>> =
        (1..tasks).map(|_| executor.spawn(sleeps(smol_sleep))).collect();
    spawned.push(executor.spawn(fails(tasks - 1)));
    while let Some(ended) = spawned.next().await {
        if let Err(error) = ended {
            join_all(spawned.into_iter().map(Task::cancel)).await;
            return error.0.stop();
        }
    }
    unreachable!("a task fails")
}
