//! S1, S2: the simulator: how fast it polls, and how fast it goes through schedules.

use std::sync::Arc;

use anyio::testing::Explorer;
use anyio::{Sim, Tokio, run};

use crate::comparison::{Comparison, Contender, TO_BE_SEEN};
use crate::ground::{Ground, Grounds};
use crate::measure::{Reading, Stopwatch};

/// Tasks that yield, and how often each does.
const TASKS: usize = 100;
const YIELDS: usize = 100;

/// S1: polls of tasks that do nothing but yield.
pub fn polls(_: &Grounds) -> Vec<Comparison> {
    let on = |name: &str, once: fn()| contender(name, move |rounds| timed_runs(rounds, once));
    vec![
        Comparison::new(&Ground::Own, "S1", "a poll of a task that yields")
            .per("poll", TASKS * (YIELDS + 1))
            .our_contender(on("simulator", || run(Sim::new(), yielding())))
            .contender(TO_BE_SEEN, on("anyio on tokio ct", || run(Tokio::current_thread(), yielding()))),
    ]
}

/// S2: a program of ten tasks under one schedule after the other, each in a simulation of its own.
pub fn schedules(_: &Grounds) -> Vec<Comparison> {
    let explore = |rounds: usize| {
        let watch = Stopwatch::start();
        Explorer::new().schedules(rounds).run(|sim| run(sim, ten_tasks())).expect("it holds");
        vec![per_round(watch.stop(), rounds)]
    };
    let on_tokio = |rounds| timed_runs(rounds, || run(Tokio::current_thread(), ten_tasks()));
    vec![
        Comparison::new(&Ground::Own, "S2", "ten tasks under one schedule")
            .per("schedule", 1)
            .our_contender(contender("simulator", explore))
            .contender(TO_BE_SEEN, contender("anyio on tokio ct", on_tokio)),
    ]
}

fn contender(name: &str, run: impl Fn(usize) -> Vec<Reading> + 'static) -> Contender {
    Contender { name: name.to_owned(), run: Box::new(run) }
}

fn timed_runs(rounds: usize, once: impl Fn()) -> Vec<Reading> {
    let watch = Stopwatch::start();
    (0..rounds).for_each(|_| once());
    vec![per_round(watch.stop(), rounds)]
}

fn per_round(all: Reading, rounds: usize) -> Reading {
    let rounds = rounds as f64;
    Reading { value: all.value / rounds, cpu: all.cpu / rounds, left_behind: 0 }
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
