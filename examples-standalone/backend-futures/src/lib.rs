//! A stranger's backend: anyio on the thread pool of [`futures`] and one thread for timers.
//!
//! 1. Each task sits in a `Slot`, which is polled by jobs of the pool, one for each wake. So a task that wakes itself
//!    goes to the back of the pool's queue. (The pool's own wakers would have it polled again at once.)
//! 2. The pool knows no way to drop a task that waits: such a task is kept by its wakers, wherever they are. The
//!    `Pool` therefore keeps the slots, and empties them when it shuts down.
//! 3. Tasks and wakers are dropped, and wakers woken, with no lock held: foreign code may run then.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, LazyLock, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};
use std::{mem, thread};

use anyio_core::{Backend, BlockOn, Blocking, Checkpoint, Clock, Job, Run, Spawn, StartError, Task, Timer};
use futures::executor::ThreadPool;

/// Numbers slots and timers.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A recipe for a pool with a thread per core.
#[derive(Clone, Debug, Default)]
pub struct FuturesPool;

impl Run for FuturesPool {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        let threads = ThreadPool::new().map_err(|error| StartError::new("futures", error))?;
        Ok(Box::new(Started(Pool { threads: Arc::new(Mutex::new(Some(threads))), slots: Arc::default() })))
    }
}

/// The pool while it runs.
struct Started(Pool);

impl BlockOn for Started {
    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(self.0.clone())
    }
    // That of `futures` would do as well, but it forbids to be called again inside itself.
    fn block_on(&self, mut future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        let (bell, rings) = mpsc::sync_channel(1);
        let waker = Waker::from(Arc::new(Bell(bell)));
        while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            rings.recv().unwrap();
        }
    }
}

/// Wakes the thread in `block_on`. One message that waits there is enough.
struct Bell(mpsc::SyncSender<()>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        _ = self.0.try_send(());
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        _ = self.0.threads.lock().unwrap().take();
        let slots = mem::take(&mut *self.0.slots.lock().unwrap());
        slots.values().for_each(|slot| slot.clear());
    }
}

/// What anyio uses: the threads and the tasks.
#[derive(Clone)]
struct Pool {
    /// The threads that poll; `None` once the pool has shut down.
    threads: Arc<Mutex<Option<ThreadPool>>>,
    /// The tasks that are not finished, by number (2).
    slots: Arc<Mutex<BTreeMap<u64, Arc<Slot>>>>,
}

/// A place for one task.
struct Slot {
    number: u64,
    pool: Pool,
    /// The task, until it is finished. Locked while it is polled.
    task: Mutex<Option<Task>>,
    /// Whether a job to poll the task is under way.
    queued: AtomicBool,
}

impl Slot {
    /// Polls the task, unless it is being polled: then whoever does it looks here again afterwards.
    fn run(self: Arc<Self>) {
        let Ok(mut task) = self.task.try_lock() else { return };
        self.queued.store(false, SeqCst);
        let waker = Waker::from(self.clone());
        let finished = task.take_if(|task| Pin::new(task).poll(&mut Context::from_waker(&waker)).is_ready());
        drop(task);
        if finished.is_some() {
            self.clear();
        } else if self.queued.swap(false, SeqCst) || self.pool.threads.lock().unwrap().is_none() {
            self.wake();
        }
    }

    /// Drops the task, unless it is being polled.
    fn clear(&self) {
        drop(self.task.try_lock().ok().and_then(|mut task| task.take()));
        self.pool.slots.lock().unwrap().remove(&self.number);
    }
}

impl Wake for Slot {
    fn wake(self: Arc<Self>) {
        let threads = self.pool.threads.lock().unwrap().clone();
        match threads {
            Some(_) if self.queued.swap(true, SeqCst) => {}
            Some(threads) => threads.spawn_ok(async { self.run() }),
            None => self.clear(),
        }
    }
}

impl Spawn for Pool {
    fn spawn(&self, task: Task) {
        let (number, task) = (NEXT.fetch_add(1, SeqCst), Mutex::new(Some(task)));
        let slot = Arc::new(Slot { number, pool: self.clone(), task, queued: AtomicBool::new(false) });
        // Before it is queued: the end of the pool is seen there, or else it sees the slot.
        self.slots.lock().unwrap().insert(number, slot.clone());
        slot.wake();
    }
}

impl Checkpoint for Pool {
    fn checkpoint(&self, waker: &Waker) {
        waker.wake_by_ref();
    }
}

impl Blocking for Pool {
    fn spawn_blocking(&self, job: Job) {
        thread::spawn(job);
    }
}

impl Clock for Pool {
    fn now(&self) -> Instant {
        Instant::now()
    }
    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(PoolTimer((deadline, NEXT.fetch_add(1, SeqCst))))
    }
}

impl Backend for Pool {
    fn name(&self) -> &'static str {
        "futures"
    }
}

/// The wakers of all timers, by deadline and number; and what happens when an earlier one comes in.
static ALARMS: LazyLock<Mutex<BTreeMap<(Instant, u64), Waker>>> = LazyLock::new(|| {
    thread::spawn(ring);
    Mutex::default()
});
static EARLIER: Condvar = Condvar::new();

/// A timer, known by its deadline and its number.
struct PoolTimer((Instant, u64));

impl Timer for PoolTimer {
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.0.0 {
            return Poll::Ready(());
        }
        let _replaced = ALARMS.lock().unwrap().insert(self.0, cx.waker().clone());
        EARLIER.notify_one();
        Poll::Pending
    }
    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        *self = PoolTimer((deadline, NEXT.fetch_add(1, SeqCst)));
    }
}

impl Drop for PoolTimer {
    fn drop(&mut self) {
        let _removed = ALARMS.lock().unwrap().remove(&self.0);
    }
}

/// Wakes whoever is due, for ever.
fn ring() {
    loop {
        let mut alarms = ALARMS.lock().unwrap();
        let later = alarms.split_off(&(Instant::now(), u64::MAX));
        let due = mem::replace(&mut *alarms, later);
        drop(alarms);
        due.into_values().for_each(Waker::wake);
        let alarms = ALARMS.lock().unwrap();
        let left = alarms.keys().next().map(|first| first.0.saturating_duration_since(Instant::now()));
        drop(EARLIER.wait_timeout(alarms, left.unwrap_or(Duration::MAX)));
    }
}
