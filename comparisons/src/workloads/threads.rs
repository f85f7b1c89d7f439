//! P8: to a thread for blocking work, and back.

use crate::comparison::{Comparison, ratio};
use crate::ground::Grounds;
use crate::measure::timed;

/// How often in a round.
const TIMES: usize = 50;

/// P8.
pub fn round_trip(grounds: &Grounds) -> Vec<Comparison> {
    let goal = ratio(1.1, 1.0);
    let job = |ground| {
        Comparison::new(ground, "P8", "to a thread and back").per("round trip", TIMES).ours(|| timed(TIMES, ours))
    };
    let on_tokio = |ground| job(ground).rival("tokio::task::spawn_blocking", goal, || timed(TIMES, tokios));
    vec![
        on_tokio(&grounds.ct),
        on_tokio(&grounds.mt),
        job(&grounds.smol).rival("smol::unblock", goal, || timed(TIMES, || smol::unblock(|| ()))),
    ]
}

async fn ours() {
    anyio::to_thread::run(|| ()).await;
}

async fn tokios() {
    tokio::task::spawn_blocking(|| ()).await.expect("it does not panic");
}
