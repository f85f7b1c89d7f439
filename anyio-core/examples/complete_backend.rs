//! A complete backend, on the thread pool of `futures`.

use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use anyio_core::*;
use futures::executor::ThreadPool;

/// The runtime and the handle to it.
#[derive(Clone)]
struct Pool(ThreadPool);

impl Spawn for Pool {
    fn spawn(&self, task: Task) {
        self.0.spawn_ok(task);
    }
}

impl Checkpoint for Pool {
    // Nearly everywhere else `waker.wake_by_ref()` is right; this pool would poll the task again at once.
    fn checkpoint(&self, waker: &Waker) {
        let waker = waker.clone();
        thread::spawn(move || waker.wake());
    }
}

impl Clock for Pool {
    fn now(&self) -> Instant {
        Instant::now()
    }
    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(PoolTimer { deadline, sleeper: None })
    }
}

struct PoolTimer {
    deadline: Instant,
    /// The deadline and the waker of the thread that sleeps for this timer.
    sleeper: Option<(Instant, Waker)>,
}

impl Timer for PoolTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (deadline, waker) = (self.deadline, cx.waker());
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        if !self.sleeper.as_ref().is_some_and(|(at, of)| *at == deadline && of.will_wake(waker)) {
            let (sleeper, waker) = (waker.clone(), waker.clone());
            self.sleeper = Some((deadline, sleeper));
            thread::spawn(move || {
                thread::sleep(deadline.saturating_duration_since(Instant::now()));
                waker.wake();
            });
        }
        Poll::Pending
    }
    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.deadline = deadline;
    }
}

impl Blocking for Pool {
    fn spawn_blocking(&self, job: Job) {
        thread::spawn(job);
    }
}

impl Backend for Pool {
    fn name(&self) -> &'static str {
        "thread-pool"
    }
}

// Nothing shuts this pool down: a task that is left runs on.
impl BlockOn for Pool {
    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(self.clone())
    }
    fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        futures::executor::block_on(future);
    }
}

/// The recipe: what `anyio::run` takes.
struct StartPool;

impl Run for StartPool {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        let pool = ThreadPool::new().map_err(|error| StartError::new("thread-pool", error))?;
        Ok(Box::new(Pool(pool)))
    }
}

fn main() -> Result<(), StartError> {
    let runtime = Box::new(StartPool).start()?;
    let backend = runtime.backend();

    let (sender, receiver) = mpsc::channel();
    backend.spawn(Task::new(async move { sender.send("hello from a task").unwrap() }));
    assert_eq!(receiver.recv(), Ok("hello from a task"));

    let deadline = backend.now() + Duration::from_millis(20);
    let mut timer = backend.timer(deadline);
    runtime.block_on(pin!(std::future::poll_fn(|cx| timer.as_mut().poll(cx))));
    assert!(backend.now() >= deadline);
    Ok(())
}
