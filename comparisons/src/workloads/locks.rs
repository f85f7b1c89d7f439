//! L1, L2: mutexes and semaphores: alone, and with others who want in.

use std::sync::Arc;

use futures::future::join_all;

use super::bodies::yields;
use crate::comparison::{Comparison, TO_BE_SEEN};
use crate::ground::Grounds;
use crate::measure::{Stopwatch, timed};

/// How often a lock is taken in a round, by all together.
const TIMES: usize = 1_000;

/// How many want it.
const CROWD: usize = 8;

/// Takes a lock that is free, again and again.
macro_rules! alone {
    ($lock:expr, $acquire:ident) => {
        async || {
            let lock = $lock;
            let reading = timed(TIMES, async || drop(lock.$acquire().await)).await;
            reading
        }
    };
}

/// Several futures of one task take a lock in turns, and yield while they have it.
macro_rules! crowd {
    ($lock:expr, $acquire:ident) => {
        async || {
            let lock = Arc::new($lock);
            let in_turns = || {
                let lock = lock.clone();
                async move {
                    for _ in 0..TIMES / CROWD {
                        let _held = lock.$acquire().await;
                        yields(1).await;
                    }
                }
            };
            let watch = Stopwatch::start();
            join_all((0..CROWD).map(|_| in_turns())).await;
            watch.stop()
        }
    };
}

/// L1.
pub fn mutexes(grounds: &Grounds) -> Vec<Comparison> {
    let job = |case: &str, what: &str| Comparison::new(&grounds.ct, case, what).per("lock", TIMES);
    vec![
        job("L1/alone", "a mutex that is free")
            .ours(alone!(anyio::sync::Mutex::new(()), lock))
            .rival("tokio::sync::Mutex", TO_BE_SEEN, alone!(tokio::sync::Mutex::new(()), lock))
            .rival("async_lock::Mutex", TO_BE_SEEN, alone!(async_lock::Mutex::new(()), lock)),
        job("L1/crowd", "a mutex that eight want")
            .ours(crowd!(anyio::sync::Mutex::new(()), lock))
            .rival("tokio::sync::Mutex", TO_BE_SEEN, crowd!(tokio::sync::Mutex::new(()), lock))
            .rival("async_lock::Mutex (lets barge in)", TO_BE_SEEN, crowd!(async_lock::Mutex::new(()), lock)),
    ]
}

/// L2.
pub fn semaphores(grounds: &Grounds) -> Vec<Comparison> {
    let job = |case: &str, what: &str| Comparison::new(&grounds.ct, case, what).per("permit", TIMES);
    vec![
        job("L2/alone", "a semaphore with a permit")
            .ours(alone!(anyio::sync::Semaphore::new(1), acquire))
            .rival("tokio::sync::Semaphore", TO_BE_SEEN, alone!(tokio::sync::Semaphore::new(1), acquire))
            .rival("async_lock::Semaphore", TO_BE_SEEN, alone!(async_lock::Semaphore::new(1), acquire)),
        job("L2/crowd", "a semaphore that eight want")
            .ours(crowd!(anyio::sync::Semaphore::new(1), acquire))
            .rival("tokio::sync::Semaphore", TO_BE_SEEN, crowd!(tokio::sync::Semaphore::new(1), acquire))
            .rival("async_lock::Semaphore (lets barge in)", TO_BE_SEEN, crowd!(async_lock::Semaphore::new(1), acquire)),
    ]
}
