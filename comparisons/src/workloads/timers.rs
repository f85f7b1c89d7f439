//! P9: many tasks that sleep at once: created, woken and joined; the processors' time.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::comparison::{Comparison, Unit, ratio};
use crate::ground::{Ground, Grounds, SmolSpawn};
use crate::measure::{Reading, Stopwatch};

/// P9.
pub fn many(grounds: &Grounds) -> Vec<Comparison> {
    let tasks = grounds.sizes(&[100_000])[0];
    let goal = ratio(1.1, 0.9);
    let job = |ground: &Ground| {
        Comparison::new(ground, "P9", format!("{tasks} tasks sleep and wake"))
            .per("task", tasks)
            .unit(Unit::CpuNanoseconds)
            .ours(move || ours(tasks))
    };
    let on_tokio = |ground| job(ground).rival("JoinSet + tokio::time::sleep", goal, move || join_set(tasks));
    let executor = grounds.executor();
    vec![
        on_tokio(&grounds.ct),
        on_tokio(&grounds.mt),
        job(&grounds.smol)
            .rival("Vec<Task> + smol::Timer on the same Executor", goal, move || smol_tasks(tasks, executor.clone())),
    ]
}

/// How long a task sleeps: longer than it takes to create all, and not all the same.
fn nap(task: usize, tasks: usize) -> Duration {
    Duration::from_millis((100 + tasks / 1000 + task % 100) as u64)
}

pub(crate) async fn ours(tasks: usize) -> Reading {
    let watch = Stopwatch::start();
    let group = anyio::task_group(async |tg| {
        for task in 0..tasks {
            tg.spawn(anyio::sleep(nap(task, tasks)));
        }
    });
    group.await.expect("nobody cancels it");
    watch.stop().by_cpu()
}

pub(crate) async fn join_set(tasks: usize) -> Reading {
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    for task in 0..tasks {
        set.spawn(tokio::time::sleep(nap(task, tasks)));
    }
    while let Some(joined) = set.join_next().await {
        joined.expect("no task panics");
    }
    watch.stop().by_cpu()
}

async fn smol_tasks<S: SmolSpawn>(tasks: usize, executor: S) -> Reading {
    let watch = Stopwatch::start();
    let spawned: Vec<_> = (0..tasks).map(|task| executor.spawn(smol::Timer::after(nap(task, tasks)))).collect();
    for task in spawned {
        task.await;
    }
    watch.stop().by_cpu()
}
