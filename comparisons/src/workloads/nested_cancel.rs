//! P6: cancelling the outermost of nested groups, each in a task of the one around, until *all* are gone.
//!
//! Those who say that all is over while tasks of theirs live are timed until these are gone as well, and how many there were
//! is reported.

use std::future::Future;
use std::pin::Pin;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bodies::{Arrivals, Present, tokio_sleep};
use crate::comparison::{Comparison, ratio};
use crate::ground::{Ground, Grounds};
use crate::measure::{Reading, Stopwatch};

type Level = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The levels that live.
static ALIVE: Arrivals = Arrivals::none();

/// P6.
pub fn nested(grounds: &Grounds) -> Vec<Comparison> {
    let of = |depth| grounds.tokios().map(move |ground| job(ground, depth));
    grounds.sizes(&[10, 1_000, 100_000]).into_iter().flat_map(of).collect()
}

fn job(ground: &Ground, depth: usize) -> Comparison {
    Comparison::new(ground, format!("P6/{depth}"), format!("cancel the outermost of {depth} nested groups"))
        .per("level", depth)
        .ours(move || ours(depth))
        .rival("TaskTracker + child tokens", ratio(0.95, 0.75), move || tracker(depth))
        .rival("JoinSet", ratio(1.5, 1.1), move || join_set(depth))
}

pub(crate) async fn ours(depth: usize) -> Reading {
    let mut requested = Stopwatch::start();
    let group = anyio::task_group(async |tg| {
        tg.spawn(our_level(depth - 1));
        ALIVE.until(depth).await;
        requested = Stopwatch::start();
        tg.cancel();
    });
    group.await.expect("its own cancel is no error");
    let reading = until_all_are_gone(requested).await;
    assert_eq!(reading.left_behind, 0, "a group returned before its tasks were gone");
    reading
}

fn our_level(below: usize) -> Level {
    Box::pin(async move {
        let _present = Present::at(&ALIVE);
        if below == 0 {
            return tokio_sleep().await;
        }
        let group = anyio::task_group(async |tg| {
            tg.spawn(our_level(below - 1));
        });
        let _ = group.await;
    })
}

pub(crate) async fn tracker(depth: usize) -> Reading {
    let (tracker, token) = (TaskTracker::new(), CancellationToken::new());
    tracker.spawn(tracked_level(depth - 1, token.child_token()));
    ALIVE.until(depth).await;
    let requested = Stopwatch::start();
    token.cancel();
    tracker.close();
    tracker.wait().await;
    until_all_are_gone(requested).await
}

fn tracked_level(below: usize, token: CancellationToken) -> Level {
    Box::pin(async move {
        let _present = Present::at(&ALIVE);
        if below == 0 {
            token.run_until_cancelled(tokio_sleep()).await;
            return;
        }
        let tracker = TaskTracker::new();
        tracker.spawn(tracked_level(below - 1, token.child_token()));
        tracker.close();
        tracker.wait().await;
    })
}

pub(crate) async fn join_set(depth: usize) -> Reading {
    let mut set = JoinSet::new();
    set.spawn(join_set_level(depth - 1));
    ALIVE.until(depth).await;
    let requested = Stopwatch::start();
    set.shutdown().await;
    until_all_are_gone(requested).await
}

fn join_set_level(below: usize) -> Level {
    Box::pin(async move {
        let _present = Present::at(&ALIVE);
        if below == 0 {
            return tokio_sleep().await;
        }
        let mut set = JoinSet::new();
        set.spawn(join_set_level(below - 1));
        while set.join_next().await.is_some() {}
    })
}

/// Notes how many live now that all should be gone, and waits for them.
async fn until_all_are_gone(requested: Stopwatch) -> Reading {
    let left_behind = ALIVE.count();
    ALIVE.until(0).await;
    requested.stop().leaving(left_behind)
}
