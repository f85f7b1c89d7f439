//! Tasks of groups and what tokio allows one poll to do.

#![cfg(feature = "tokio")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

/// Counts how often a future is polled.
async fn counted<F: Future>(polls: Arc<AtomicUsize>, future: F) -> F::Output {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        future.as_mut().poll(cx)
    })
    .await
}

/// What 64 tasks take from full channels of tokio's is more than one poll may take. Those who come after the one that has
/// taken the last of it are polled when there is more to be had.
async fn tasks_are_polled_when_they_may_go_on() {
    let polls = Arc::new(AtomicUsize::new(0));
    anyio::task_group(async |tg| {
        for _ in 0..64 {
            let (sender, mut receiver) = mpsc::channel(20);
            (0..20).for_each(|number| sender.try_send(number).unwrap());
            tg.spawn(counted(polls.clone(), async move {
                for _ in 0..20 {
                    receiver.recv().await.unwrap();
                }
            }));
        }
    })
    .await
    .unwrap();
    let polls = polls.load(Ordering::Relaxed);
    assert!(polls < 80, "64 tasks were polled {polls} times");
}

#[tokio::test]
async fn a_task_is_polled_when_it_may_go_on() {
    tasks_are_polled_when_they_may_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_task_of_a_worker_is_polled_when_it_may_go_on() {
    tokio::spawn(tasks_are_polled_when_they_may_go_on()).await.unwrap();
}

/// After one that has used up what one poll may do nobody is polled in the same turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_beside_another_is_polled_when_it_may_go_on() {
    let both = async {
        let polls = Arc::new(AtomicUsize::new(0));
        anyio::task_group(async |tg| {
            for _ in 0..2 {
                tg.spawn(counted(polls.clone(), async {
                    for _ in 0..1280 {
                        tokio::task::consume_budget().await;
                    }
                }));
            }
        })
        .await
        .unwrap();
        polls.load(Ordering::Relaxed)
    };
    let polls = tokio::spawn(both).await.unwrap();
    assert!(polls < 30, "they were polled {polls} times");
}
