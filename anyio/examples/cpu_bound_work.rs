//! Work that computes, kept off the threads that poll tasks, and stopped when it is not wanted any more.
//!
//! `cargo run -p anyio --example cpu_bound_work --features tokio`

use std::time::Duration;

use anyio::from_thread::{FromThreadError, check_cancelled};
use anyio::{Tokio, move_on_after, sleep, task_group, to_thread};

/// How many primes there are below `limit`. Nothing in here is async.
fn primes_below(limit: u32) -> Result<usize, FromThreadError> {
    let mut primes: Vec<u32> = Vec::new();
    for number in 2..limit {
        if number % 1024 == 0 {
            check_cancelled()?; // now and then
        }
        if primes.iter().take_while(|prime| **prime * **prime <= number).all(|prime| number % prime != 0) {
            primes.push(number);
        }
    }
    Ok(primes.len())
}

/// Several at a time: no more than there are cores run, the others wait for their turn.
async fn count_primes() {
    let counts = task_group(async |tg| {
        let jobs = [1_000, 10_000, 100_000].map(|limit| tg.spawn(to_thread::run_cpu(move || primes_below(limit))));
        let heart = tg.spawn(async {
            for _ in 0..3 {
                sleep(Duration::from_millis(1)).await; // the runtime is free meanwhile, also with one thread
            }
            "beating"
        });
        let mut counts = Vec::new();
        for job in jobs {
            counts.push(job.value().await.expect("nobody cancels them"));
        }
        assert_eq!(heart.value().await, "beating");
        counts
    });
    assert_eq!(counts.await, Ok(vec![168, 1_229, 9_592]));
}

/// A job that asks is over soon after its deadline; it is waited for, and says how it went.
async fn give_up() {
    let job = to_thread::run_cpu(|| primes_below(u32::MAX)).name("all primes");
    let outcome = move_on_after(Duration::from_millis(10), job).await;
    assert!(matches!(outcome, Some(Err(FromThreadError::Cancelled(_)))));
}

pub(crate) fn main() {
    anyio::run(Tokio::current_thread(), async {
        count_primes().await;
        give_up().await;
    });
    println!("computed beside the loop");
}
