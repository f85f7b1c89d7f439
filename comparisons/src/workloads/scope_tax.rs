//! P12: what one more scope around a future adds to each of its polls.

use std::future::{Future, pending, poll_fn};
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyio::CancelScope;
use tokio_util::sync::CancellationToken;

use crate::comparison::{Comparison, TO_BE_SEEN, absolute};
use crate::ground::Grounds;
use crate::measure::{Reading, Stopwatch};

/// How often the future is polled in a round.
pub const POLLS: usize = 10_000;

/// How many scopes are added, so that a poll of one can be told from noise.
const SCOPES: usize = 8;

/// P12.
pub fn per_poll(grounds: &Grounds) -> Vec<Comparison> {
    let job = |ground| {
        Comparison::new(ground, "P12", format!("one more nested scope, of {SCOPES}, per poll"))
            .per("scope and poll", SCOPES * POLLS)
            .goal(absolute(10.0, 5.0))
            .ours(|| added(pin_scopes, pin_one_scope))
            .rival("run_until_cancelled with a child token", TO_BE_SEEN, || added(pin_tokens, pin_nothing))
    };
    vec![job(&grounds.ct), job(&grounds.smol)]
}

/// Polls through all the scopes.
pub(crate) async fn through_scopes() -> Reading {
    polling(pin_scopes()).await
}

type Pending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How much longer polling the one future takes than polling the other.
async fn added(one: fn() -> Pending, other: fn() -> Pending) -> Reading {
    let (long, short) = (polling(one()).await, polling(other()).await);
    Reading { value: long.value - short.value, cpu: long.cpu - short.cpu, left_behind: 0 }
}

/// Times many polls of a future that stays pending.
async fn polling(mut future: Pending) -> Reading {
    poll_fn(|cx| {
        poll_times(future.as_mut(), cx, 100); // the first of which link it into the tree, and warm up
        let watch = Stopwatch::start();
        poll_times(future.as_mut(), cx, POLLS);
        Poll::Ready(watch.stop())
    })
    .await
}

fn poll_times(mut future: Pin<&mut (dyn Future<Output = ()> + Send)>, cx: &mut Context<'_>, times: usize) {
    for _ in 0..times {
        assert!(black_box(future.as_mut().poll(cx)).is_pending());
    }
}

fn pin_one_scope() -> Pending {
    Box::pin(async { drop(scope(pending::<()>()).await) })
}

/// As [`pin_one_scope`], with eight more scopes inside, and nothing else between them.
fn pin_scopes() -> Pending {
    Box::pin(async { drop(scope(scope(scope(scope(scope(scope(scope(scope(scope(pending::<()>()))))))))).await) })
}

fn scope<F: Future>(body: F) -> impl Future<Output: Send> + use<F>
where
    F::Output: Send,
{
    CancelScope::new().run(body)
}

fn pin_nothing() -> Pending {
    Box::pin(pending())
}

/// Each level with the child token of the one around.
fn pin_tokens() -> Pending {
    let mut pinned = pin_nothing();
    let mut token = CancellationToken::new();
    for _ in 0..SCOPES {
        let child = token.child_token();
        let inner = pinned;
        pinned = Box::pin(async move { token.run_until_cancelled_owned(inner).await.unwrap_or_default() });
        token = child;
    }
    pinned
}
