//! The workloads, and on which runtimes they run.

mod cancel;
mod simulator;
mod spawn_join;
mod timeout;

use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::measure::{Contender, Pair};

/// A workload, with its number in the list of targets.
pub(crate) struct Workload {
    pub(crate) number: &'static str,
    pub(crate) what: &'static str,
    pub(crate) pairs: fn() -> Vec<Pair>,
}

pub(crate) static WORKLOADS: &[Workload] = &[
    Workload { number: "P1a", what: "spawn and join 1 task", pairs: || spawn_join::pairs(1) },
    Workload { number: "P1/100", what: "spawn and join 100 tasks, per task", pairs: || spawn_join::pairs(100) },
    Workload { number: "P1/10000", what: "spawn and join 10,000 tasks, per task", pairs: || spawn_join::pairs(10_000) },
    Workload { number: "P3/1000", what: "cancel 1,000 sleeping tasks, per task", pairs: || cancel::pairs(1_000) },
    Workload { number: "P3/100000", what: "cancel 100,000 sleeping tasks, per task", pairs: || cancel::pairs(100_000) },
    Workload { number: "P5", what: "timeout around one yield", pairs: || timeout::pairs(1) },
    Workload { number: "S1", what: "simulator: a poll of a task that yields", pairs: simulator::polls },
    Workload { number: "S2", what: "simulator: ten tasks under one schedule", pairs: simulator::schedules },
    Workload { number: "P5a", what: "timeout around a ready future", pairs: || timeout::pairs(0) },
];

/// tokio's two flavours, by name.
fn tokios() -> Vec<(&'static str, Rc<tokio::runtime::Runtime>)> {
    use tokio::runtime::Builder;
    let current = Builder::new_current_thread().enable_time().enable_io().build();
    let multi = Builder::new_multi_thread().worker_threads(2).enable_time().enable_io().build();
    vec![("ct", Rc::new(current.expect("a runtime"))), ("mt", Rc::new(multi.expect("a runtime")))]
}

/// A contender on a tokio runtime: `round` runs as a task and tells how long the part that counts took.
fn on_tokio<F, B>(name: String, runtime: &Rc<tokio::runtime::Runtime>, units: usize, round: F) -> Contender
where
    F: Fn() -> B + Clone + Send + 'static,
    B: Future<Output = Duration> + Send,
{
    let runtime = runtime.clone();
    let run = move |rounds: usize| {
        let round = round.clone();
        let all = async move {
            let mut spent = Duration::ZERO;
            for _ in 0..rounds {
                spent += round().await;
            }
            spent
        };
        runtime.block_on(async { tokio::spawn(all).await.expect("no round panics") })
    };
    Contender { name, run: Box::new(run), units }
}

/// Times all of a future.
async fn timed<F: Future>(future: F) -> Duration {
    let start = Instant::now();
    future.await;
    start.elapsed()
}
