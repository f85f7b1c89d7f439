//! E1: many tasks fail at once: until all of their errors are in hand.

use tokio::task::JoinSet;

use super::bodies::Arrivals;
use crate::comparison::{Comparison, TO_BE_SEEN};
use crate::ground::Grounds;
use crate::measure::{Reading, Stopwatch};

static STARTED: Arrivals = Arrivals::none();

/// An error that knows which task it comes from.
#[derive(Debug)]
struct Failed(usize);

/// E1.
pub fn at_once(grounds: &Grounds) -> Vec<Comparison> {
    let tasks = grounds.sizes(&[1_000])[0];
    vec![
        Comparison::new(&grounds.ct, "E1", format!("collect the errors of {tasks} tasks"))
            .per("error", tasks)
            .ours(move || ours(tasks))
            .rival("JoinSet, joined to the end", TO_BE_SEEN, move || join_set(tasks)),
    ]
}

/// Fails when all tasks are there.
async fn fails(task: usize, tasks: usize) -> Result<(), Failed> {
    STARTED.arrive();
    STARTED.until(tasks).await;
    Err(Failed(task))
}

async fn ours(tasks: usize) -> Reading {
    STARTED.reset();
    let watch = Stopwatch::start();
    let group = anyio::try_task_group(async |tg| {
        for task in 0..tasks {
            tg.spawn(fails(task, tasks));
        }
        Ok(())
    });
    let errors = group.await.expect_err("they fail");
    let sum: usize = errors.errors().map(|error| error.0).sum();
    all_there(sum, tasks, watch.stop())
}

async fn join_set(tasks: usize) -> Reading {
    STARTED.reset();
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    for task in 0..tasks {
        set.spawn(fails(task, tasks));
    }
    let mut errors = Vec::new();
    while let Some(joined) = set.join_next().await {
        errors.extend(joined.expect("no task panics").err());
    }
    let sum = errors.iter().map(|error| error.0).sum();
    all_there(sum, tasks, watch.stop())
}

fn all_there(sum: usize, tasks: usize, reading: Reading) -> Reading {
    assert_eq!(sum, tasks * (tasks - 1) / 2, "some errors are missing");
    reading
}
