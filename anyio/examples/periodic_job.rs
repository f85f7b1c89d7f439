//! A job that runs every so often beside the work of a service, and ends with it: a daemon on an interval. A run that
//! fails is reported and does not end the service.
//!
//! `cargo run -p anyio --example periodic_job --features smol`

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyio::{Failure, GroupBuilder, MissedTicks, Smol, TryTaskGroup, interval, shield, sleep};

/// What the service counts.
#[derive(Default)]
struct Metrics {
    flushed: AtomicUsize,
    failed: AtomicUsize,
}

/// Sends the metrics away; every third time the network is down.
async fn flush(metrics: &Metrics) -> Result<(), String> {
    sleep(Duration::from_millis(1)).await;
    let run = metrics.flushed.fetch_add(1, Ordering::Relaxed);
    if run % 3 == 2 { Err(format!("run {run}: the network is down")) } else { Ok(()) }
}

/// Starts a run at each tick. One that takes longer than a period makes later ticks wait, it does not pile them up.
async fn flush_for_ever(tg: TryTaskGroup<String>, metrics: Arc<Metrics>) -> Result<(), String> {
    let mut ticks = interval(Duration::from_millis(5)).missed_ticks(MissedTicks::Delay);
    loop {
        ticks.tick().await;
        let metrics = metrics.clone();
        // Daemons come and go with the service; a run that has begun is not cut short.
        tg.task().name("flush").daemon().spawn(async move { shield(flush(&metrics)).await });
    }
}

async fn serve(metrics: Arc<Metrics>) -> usize {
    let counts = metrics.clone();
    let report = move |failure: Failure<String>| {
        eprintln!("{failure}");
        counts.failed.fetch_add(1, Ordering::Relaxed);
    };
    let service = GroupBuilder::new().name("service").supervised(report).run(async |tg| {
        tg.task().name("flusher").daemon().spawn(flush_for_ever(tg.clone(), metrics.clone()));
        while metrics.flushed.load(Ordering::Relaxed) < 5 {
            sleep(Duration::from_millis(5)).await; // serve
        }
        Ok("served")
    });
    assert_eq!(service.await.expect("what fails is reported, and no error of the service"), "served");
    metrics.failed.load(Ordering::Relaxed)
}

pub(crate) fn main() {
    let failed = anyio::run(Smol::default(), serve(Arc::default()));
    println!("{failed} runs failed");
    assert!(failed >= 1);
}
