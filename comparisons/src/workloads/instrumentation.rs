//! I1: what it costs that somebody listens to `tracing`.

use std::io;

use tracing::Dispatch;
use tracing::level_filters::LevelFilter;

use super::spawn_join::{join_set, ours};
use crate::comparison::{Comparison, Contender, TO_BE_SEEN};
use crate::ground::Grounds;
use crate::measure::timed;

const TASKS: usize = 100;
const TIMES: usize = 10;

/// I1.
pub fn listening(grounds: &Grounds) -> Vec<Comparison> {
    let ct = &grounds.ct;
    let anyio = |name| ct.ours(name, || timed(TIMES, || ours(TASKS)));
    let theirs = |name| ct.theirs(name, || timed(TIMES, || join_set(TASKS)));
    vec![
        Comparison::new(ct, "I1", format!("spawn and join {TASKS} tasks under a subscriber that takes everything"))
            .per("task", TASKS * TIMES)
            .our_contender(under_a_subscriber(anyio("anyio")))
            .contender(TO_BE_SEEN, anyio("anyio, nobody listens"))
            .contender(TO_BE_SEEN, under_a_subscriber(theirs("JoinSet")))
            .contender(TO_BE_SEEN, theirs("JoinSet, nobody listens")),
    ]
}

/// The contender, while a subscriber takes and writes all that this thread tells.
fn under_a_subscriber(contender: Contender) -> Contender {
    let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(io::sink).finish();
    let listening = Dispatch::new(subscriber);
    let run = move |rounds| tracing::dispatcher::with_default(&listening, || (contender.run)(rounds));
    Contender { name: contender.name, run: Box::new(run) }
}
