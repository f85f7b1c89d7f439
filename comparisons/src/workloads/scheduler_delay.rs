//! D1: how late a sleep of a millisecond ends beside work that never waits: in a task, and in a thread.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::comparison::{Comparison, TO_BE_SEEN};
use crate::ground::Grounds;
use crate::measure::{Reading, Statistic, Stopwatch};

const TICK: Duration = Duration::from_millis(1);

/// How long the work goes on without a suspension.
const CHUNK: Duration = Duration::from_millis(5);

/// D1.
pub fn beside_work(grounds: &Grounds) -> Vec<Comparison> {
    let job = |case: &str, what: &str| {
        Comparison::new(&grounds.ct, case, format!("a tick beside work of 5 ms, {what}"))
            .per("tick, p99 of lateness", 1)
            .statistic(Statistic::P99)
    };
    vec![
        job("D1/task", "in a task").ours(ours_in_a_task).rival("tokio::spawn", TO_BE_SEEN, tokios_in_a_task),
        job("D1/thread", "in a thread").ours(ours_in_a_thread).rival(
            "tokio::task::spawn_blocking",
            TO_BE_SEEN,
            tokios_in_a_thread,
        ),
    ]
}

async fn ours_in_a_task() -> Reading {
    let work = |stop: Arc<AtomicBool>| async move {
        while !stop.load(Ordering::Relaxed) {
            spin();
            anyio::checkpoint().await;
        }
    };
    our_tick(work).await
}

async fn ours_in_a_thread() -> Reading {
    let work = |stop: Arc<AtomicBool>| async move {
        while !stop.load(Ordering::Relaxed) {
            anyio::to_thread::run_cpu(spin).await;
        }
    };
    our_tick(work).await
}

async fn our_tick<W: Future<Output = ()> + Send + 'static>(work: impl FnOnce(Arc<AtomicBool>) -> W) -> Reading {
    let stop = Arc::new(AtomicBool::new(false));
    let group = anyio::task_group(async |tg| {
        tg.spawn(work(stop.clone()));
        let late = lateness(anyio::sleep(TICK)).await;
        stop.store(true, Ordering::Relaxed);
        late
    });
    group.await.expect("nobody cancels it")
}

async fn tokios_in_a_task() -> Reading {
    let work = |stop: Arc<AtomicBool>| async move {
        while !stop.load(Ordering::Relaxed) {
            spin();
            tokio::task::yield_now().await;
        }
    };
    tokios_tick(work).await
}

async fn tokios_in_a_thread() -> Reading {
    let work = |stop: Arc<AtomicBool>| async move {
        while !stop.load(Ordering::Relaxed) {
            tokio::task::spawn_blocking(spin).await.expect("it does not panic");
        }
    };
    tokios_tick(work).await
}

async fn tokios_tick<W: Future<Output = ()> + Send + 'static>(work: impl FnOnce(Arc<AtomicBool>) -> W) -> Reading {
    let stop = Arc::new(AtomicBool::new(false));
    let working = tokio::spawn(work(stop.clone()));
    let late = lateness(tokio::time::sleep(TICK)).await;
    stop.store(true, Ordering::Relaxed);
    working.await.expect("it does not panic");
    late
}

/// How much longer a sleep takes than it should.
async fn lateness(sleep: impl Future) -> Reading {
    let watch = Stopwatch::start();
    sleep.await;
    let took = watch.stop();
    Reading { value: took.value - TICK.as_nanos() as f64, ..took }
}

/// Work that does not wait.
fn spin() {
    let start = Instant::now();
    while start.elapsed() < CHUNK {
        std::hint::spin_loop();
    }
}
