//! P5, P5a, P5b: timeouts that do not fire.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures::future::{Either, select};
use tokio_util::sync::CancellationToken;

use super::bodies::yields;
use crate::comparison::{Comparison, Goal, TO_BE_SEEN, ratio};
use crate::ground::{Ground, Grounds};
use crate::measure::{Reading, Stopwatch, timed};

const LIMIT: Duration = Duration::from_secs(10);

/// How often a timeout is set in a round.
const TIMES: usize = 1000;

/// P5: around what is ready after one yield.
pub fn around_a_yield(grounds: &Grounds) -> Vec<Comparison> {
    around(grounds, "P5", "a timeout around one yield", 1, ratio(0.75, 0.5))
}

/// P5a: around what is ready at once.
pub fn around_nothing(grounds: &Grounds) -> Vec<Comparison> {
    around(grounds, "P5a", "a timeout around a future that is ready", 0, ratio(1.0, 0.7))
}

fn around(grounds: &Grounds, case: &str, what: &str, times: usize, goal: Option<Goal>) -> Vec<Comparison> {
    let job = |ground: &Ground| {
        Comparison::new(ground, case, what).per("timeout", TIMES).ours(move || timed(TIMES, move || ours(times)))
    };
    let on_tokio = |ground| {
        job(ground)
            .rival("tokio::time::timeout", goal, move || timed(TIMES, move || tokios(times)))
            .floor("no timeout", move || timed(TIMES, move || yields(times)))
    };
    vec![
        on_tokio(&grounds.ct),
        on_tokio(&grounds.mt),
        job(&grounds.smol)
            .rival("select with async_io::Timer", goal, move || timed(TIMES, move || async_ios(times)))
            .floor("no timeout", move || timed(TIMES, move || yields(times))),
        job(&Ground::AsyncStd)
            .rival("async_std::future::timeout", TO_BE_SEEN, move || timed(TIMES, move || async_stds(times))),
    ]
}

pub(crate) async fn ours(times: usize) {
    anyio::timeout(LIMIT, yields(times)).await.expect("it does not fire");
}

async fn tokios(times: usize) {
    tokio::time::timeout(LIMIT, yields(times)).await.expect("it does not fire");
}

/// As async-io's documentation has it, but with a `select` that polls the work first.
async fn async_ios(times: usize) {
    let work = std::pin::pin!(yields(times));
    match select(work, async_io::Timer::after(LIMIT)).await {
        Either::Left(((), _)) => {}
        Either::Right(_) => unreachable!("it does not fire"),
    }
}

async fn async_stds(times: usize) {
    async_std::future::timeout(LIMIT, yields(times)).await.expect("it does not fire");
}

/// So many timeouts at once, each around a future that is ready when all have been polled.
pub(crate) async fn ours_at_once(count: usize) -> Reading {
    at_once((0..count).map(|_| anyio::timeout(LIMIT, yields(1)))).await
}

/// As [`ours_at_once`].
pub(crate) async fn tokios_at_once(count: usize) -> Reading {
    at_once((0..count).map(|_| tokio::time::timeout(LIMIT, yields(1)))).await
}

/// Polls all, each of which sets its timer; then all again, which is their end.
async fn at_once<F: Future>(timeouts: impl Iterator<Item = F>) -> Reading {
    let mut timeouts: Vec<Pin<Box<F>>> = timeouts.map(Box::pin).collect();
    let watch = Stopwatch::start();
    while !timeouts.is_empty() {
        poll_fn(|cx| {
            timeouts.retain_mut(|timeout| timeout.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        yields(1).await;
    }
    watch.stop()
}

/// How often a tower of timeouts is set up in a round.
const TOWERS: usize = 100;

/// P5b: 8 and 32 around each other, around one yield.
pub fn nested(grounds: &Grounds) -> Vec<Comparison> {
    let job = |ground, levels: usize| {
        Comparison::new(ground, format!("P5b/{levels}"), format!("{levels} nested timeouts around one yield"))
            .per("tower", TOWERS)
    };
    let eight = |ground| {
        job(ground, 8)
            .ours(|| timed(TOWERS, || discarded(our_8(yields(1)))))
            .rival("tokio::time::timeout", ratio(0.8, 0.4), || timed(TOWERS, || discarded(tokios_8(yields(1)))))
            .rival("child tokens (no clock)", TO_BE_SEEN, || timed(TOWERS, || under_tokens(8)))
    };
    let thirty_two = |ground| {
        job(ground, 32)
            .ours(|| timed(TOWERS, || discarded(our_8(our_8(our_8(our_8(yields(1))))))))
            .rival("tokio::time::timeout", ratio(0.5, 0.25), || {
                timed(TOWERS, || discarded(tokios_8(tokios_8(tokios_8(tokios_8(yields(1)))))))
            })
            .rival("child tokens (no clock)", TO_BE_SEEN, || timed(TOWERS, || under_tokens(32)))
    };
    grounds.tokios().flat_map(|ground| [eight(ground), thirty_two(ground)]).collect()
}

/// Eight calls of a function around each other, without a block or a box between them.
macro_rules! tower_of_8 {
    ($around:path, $future:expr) => {
        $around(
            LIMIT,
            $around(
                LIMIT,
                $around(LIMIT, $around(LIMIT, $around(LIMIT, $around(LIMIT, $around(LIMIT, $around(LIMIT, $future)))))),
            ),
        )
    };
}

fn our_8<F: Future<Output: Send>>(future: F) -> impl Future<Output: Send> {
    tower_of_8!(anyio::timeout, future)
}

fn tokios_8<F: Future<Output: Send>>(future: F) -> impl Future<Output: Send> {
    tower_of_8!(tokio::time::timeout, future)
}

async fn discarded<F: Future>(future: F) {
    black_box(future.await);
}

/// A token per level, each the child of the one around, and the work under the innermost: cheaper than under all of them, as
/// it hears of a cancellation at any level.
async fn under_tokens(levels: usize) {
    let mut tokens = vec![CancellationToken::new()];
    for level in 1..levels {
        tokens.push(tokens[level - 1].child_token());
    }
    tokens[levels - 1].run_until_cancelled(yields(1)).await.expect("nobody cancels it");
}
