//! The simulator: how fast it polls, and how fast it goes through schedules.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyio::testing::Explorer;
use anyio::{Sim, Tokio, run};

use crate::measure::{Contender, Pair};

/// Tasks that yield, and how often each does.
const TASKS: usize = 100;
const YIELDS: usize = 100;

/// Polls of tasks that do nothing but yield.
pub(crate) fn polls() -> Vec<Pair> {
    let on = |name: &str, once: fn()| Contender {
        name: name.to_owned(),
        run: Box::new(move |rounds| repeated(rounds, once)),
        units: TASKS * (YIELDS + 1),
    };
    vec![Pair {
        ours: on("simulator", || run(Sim::new(), yielding())),
        theirs: on("anyio on tokio ct", || run(Tokio::current_thread(), yielding())),
    }]
}

/// A program of ten tasks under one schedule after the other, each in a simulation of its own.
pub(crate) fn schedules() -> Vec<Pair> {
    let explore = |rounds: usize| {
        let start = Instant::now();
        Explorer::new().schedules(rounds).run(|sim| run(sim, ten_tasks())).expect("it holds");
        start.elapsed()
    };
    let on_tokio = |rounds| repeated(rounds, || run(Tokio::current_thread(), ten_tasks()));
    vec![Pair {
        ours: Contender { name: "simulator".to_owned(), run: Box::new(explore), units: 1 },
        theirs: Contender { name: "anyio on tokio ct".to_owned(), run: Box::new(on_tokio), units: 1 },
    }]
}

fn repeated(rounds: usize, once: impl Fn()) -> Duration {
    let start = Instant::now();
    (0..rounds).for_each(|_| once());
    start.elapsed()
}

async fn yielding() {
    let group = anyio::task_group(async |tg| {
        for _ in 0..TASKS {
            tg.spawn(async {
                for _ in 0..YIELDS {
                    anyio::checkpoint().await;
                }
            });
        }
    });
    group.await.expect("nobody cancels it");
}

/// Ten tasks that take turns with a lock and a channel.
async fn ten_tasks() {
    let (sender, receiver) = anyio::channel::bounded(2);
    let lock = Arc::new(anyio::sync::Mutex::new(0));
    let group = anyio::task_group(async |tg| {
        for n in 0..5 {
            let (sender, lock) = (sender.clone(), lock.clone());
            tg.spawn(async move {
                *lock.lock().await += n;
                sender.send(n).await.expect("it is received");
            });
            let receiver = receiver.clone();
            tg.spawn(async move { _ = receiver.recv().await.expect("it is sent") });
        }
    });
    group.await.expect("nobody cancels it");
}
