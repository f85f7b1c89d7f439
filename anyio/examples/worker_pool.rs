//! Workers that take jobs from a channel. Asked to stop, each finishes the job that it is at, none takes another one, and
//! the pool says what is left; whoever is not done when the grace is over is cancelled.
//!
//! `cargo run -p anyio --example worker_pool --features tokio`

use std::pin::pin;
use std::time::Duration;

use anyio::channel::{self, Receiver, Sender};
use anyio::{OwnedTaskGroup, TaskHandle, Tokio, sleep, stopping};
use futures::future::{Either, select};

/// A job, and how long it takes.
struct Job {
    number: u32,
    takes: Duration,
}

/// A pool of workers, for as long as it is kept.
struct Pool {
    tasks: OwnedTaskGroup,
    workers: Vec<TaskHandle<Vec<u32>>>,
    jobs: Sender<Job>,
    queue: Receiver<Job>,
}

impl Pool {
    fn new(workers: usize) -> Self {
        let (jobs, queue) = channel::bounded(16);
        let tasks = OwnedTaskGroup::new();
        let workers = (1..=workers).map(|n| tasks.task().name(format!("worker {n}")).spawn(work(queue.clone())));
        Pool { workers: workers.collect(), tasks, jobs, queue }
    }

    /// Waits for room in the queue.
    async fn submit(&self, job: Job) {
        self.jobs.send(job).await.expect("the pool keeps a receiver");
    }

    /// Stops in two steps; tells which jobs were done, and which were never begun.
    async fn stop(self, grace: Duration) -> (Vec<u32>, Vec<u32>) {
        self.tasks.stop(grace);
        let mut done = Vec::new();
        for worker in self.workers {
            // One that the end of the grace has cut short has nothing to tell.
            done.extend(worker.await.unwrap_or_default());
        }
        self.tasks.close().await.expect("workers do not fail");
        let left = std::iter::from_fn(|| self.queue.try_recv().ok()).map(|job| job.number).collect();
        (done, left)
    }
}

/// Does one job after the other until it is asked to stop.
async fn work(queue: Receiver<Job>) -> Vec<u32> {
    let mut done = Vec::new();
    while let Either::Left((Ok(job), _)) = select(pin!(queue.recv()), pin!(stopping())).await {
        sleep(job.takes).await;
        done.push(job.number);
        if anyio::is_stopping() {
            break;
        }
    }
    done
}

pub(crate) fn main() {
    let (mut done, left) = anyio::run(Tokio::default(), async {
        let pool = Pool::new(2);
        for number in 0..8 {
            pool.submit(Job { number, takes: Duration::from_millis(20) }).await;
        }
        sleep(Duration::from_millis(5)).await;
        pool.stop(Duration::from_secs(10)).await
    });
    println!("done: {done:?}, never begun: {left:?}");
    done.extend(left);
    done.sort_unstable();
    assert_eq!(done, (0..8).collect::<Vec<_>>(), "no job is lost, and none is done twice");
}
