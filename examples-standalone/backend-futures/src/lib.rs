//! A stranger's backend: anyio on the thread pool of [`futures`] and one thread for timers.
//!
//! 1. Each task sits in a `Slot`, which is polled by jobs of the pool, one for each wake. So a task that wakes itself
//!    goes to the back of the pool's queue. (The pool's own wakers would have it polled again at once.)
//! 2. The pool knows no way to drop a task that waits: such a task is kept by its wakers, wherever they are. The
//!    `Pool` therefore keeps the slots, and empties them when it shuts down.
//! 3. Tasks and wakers are dropped, and wakers woken, with no lock held: foreign code may run then.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

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
        let (threads, slots) = (Mutex::new(Some(threads)), Mutex::default());
        Ok(Box::new(Started(Arc::new(Pool { threads, slots }))))
    }
}

/// The pool while it runs.
struct Started(Arc<Pool>);

impl BlockOn for Started {
    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(PoolHandle(self.0.clone()))
    }
    // That of `futures` would do as well, but it forbids to be called again inside itself.
    fn block_on(&self, mut future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        let parked = Arc::new(Parked(thread::current(), AtomicBool::new(false)));
        let waker = Waker::from(parked.clone());
        while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            while !parked.1.swap(false, SeqCst) {
                thread::park();
            }
        }
    }
}

/// The thread that is in `block_on`, and whether it was woken: what blocks inside a poll takes the thread's own token.
struct Parked(Thread, AtomicBool);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.1.store(true, SeqCst);
        self.0.unpark();
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        _ = self.0.threads.lock().unwrap().take();
        let slots = std::mem::take(&mut *self.0.slots.lock().unwrap());
        slots.values().for_each(|slot| slot.clear());
    }
}

/// The threads and the tasks.
struct Pool {
    /// The threads that poll; `None` once the pool has shut down.
    threads: Mutex<Option<ThreadPool>>,
    /// The tasks that are not finished, by number (2).
    slots: Mutex<HashMap<u64, Arc<Slot>>>,
}

/// A place for one task.
struct Slot {
    number: u64,
    pool: Arc<Pool>,
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
        } else if self.queued.load(SeqCst) || self.pool.threads.lock().unwrap().is_none() {
            self.enqueue();
        }
    }

    fn enqueue(self: Arc<Self>) {
        let threads = self.pool.threads.lock().unwrap().clone();
        match threads {
            Some(threads) => threads.spawn_ok(async { self.run() }),
            None => self.clear(),
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
        if !self.queued.swap(true, SeqCst) {
            self.enqueue();
        }
    }
}

/// What anyio uses.
struct PoolHandle(Arc<Pool>);

impl Spawn for PoolHandle {
    fn spawn(&self, task: Task) {
        let (number, pool) = (NEXT.fetch_add(1, SeqCst), self.0.clone());
        let (task, queued) = (Mutex::new(Some(task)), AtomicBool::new(false));
        let slot = Arc::new(Slot { number, pool, task, queued });
        // Before it is queued: the end of the pool is seen there, or else it sees the slot.
        self.0.slots.lock().unwrap().insert(number, slot.clone());
        slot.wake();
    }
}

impl Checkpoint for PoolHandle {
    fn checkpoint(&self, waker: &Waker) {
        waker.wake_by_ref();
    }
}

impl Blocking for PoolHandle {
    fn spawn_blocking(&self, job: Job) {
        thread::spawn(job);
    }
}

impl Clock for PoolHandle {
    fn now(&self) -> Instant {
        Instant::now()
    }
    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(PoolTimer((deadline, NEXT.fetch_add(1, SeqCst))))
    }
}

impl Backend for PoolHandle {
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
    let mut alarms = ALARMS.lock().unwrap();
    loop {
        let now = Instant::now();
        match alarms.first_entry() {
            Some(first) if first.key().0 <= now => {
                let waker = first.remove();
                drop(alarms);
                waker.wake();
                alarms = ALARMS.lock().unwrap();
            }
            first => {
                let left = first.map_or(Duration::MAX, |first| first.key().0 - now);
                alarms = EARLIER.wait_timeout(alarms, left).unwrap().0;
            }
        }
    }
}
