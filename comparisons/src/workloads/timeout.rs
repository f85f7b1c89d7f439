//! A timeout that does not fire, around next to nothing.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use super::{on_tokio, timed, tokios};
use crate::measure::Pair;

const LIMIT: Duration = Duration::from_secs(10);

/// How often the timeout is set in a round.
const TIMES: usize = 1000;

pub(crate) fn pairs(yields: usize) -> Vec<Pair> {
    let pair = |(flavour, runtime)| Pair {
        ours: on_tokio(format!("anyio {flavour}"), &runtime, TIMES, move || timed(ours(yields))),
        theirs: on_tokio(format!("tokio {flavour}"), &runtime, TIMES, move || timed(tokios_own(yields))),
    };
    tokios().into_iter().map(pair).collect()
}

async fn ours(yields: usize) {
    for _ in 0..TIMES {
        anyio::timeout(LIMIT, pending(yields)).await.expect("it does not fire");
    }
}

async fn tokios_own(yields: usize) {
    for _ in 0..TIMES {
        tokio::time::timeout(LIMIT, pending(yields)).await.expect("it does not fire");
    }
}

/// Pending a number of times.
async fn pending(mut yields: usize) {
    poll_fn(move |cx| {
        if yields == 0 {
            return Poll::Ready(());
        }
        yields -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
