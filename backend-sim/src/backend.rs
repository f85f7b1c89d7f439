//! The handle through which anyio uses a simulation.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Settle, Spawn, Task, Timer};

use crate::recording::Event;
use crate::report;
use crate::timer::SimTimer;
use crate::world::World;

/// A simulation, seen through the contract and from inside.
///
/// # Examples
///
/// ```
/// use std::pin::pin;
/// use std::time::Duration;
///
/// use anyio_backend_sim::{Sim, SimHandle};
/// use anyio_core::{Clock, Run};
///
/// let simulation = Box::new(Sim::new().paused()).start()?;
/// simulation.block_on(pin!(async {
///     let handle = SimHandle::current().unwrap();
///     handle.advance(Duration::from_secs(86_400)).await;
///     assert_eq!(handle.elapsed(), Duration::from_secs(86_400));
/// }));
/// # Ok::<(), anyio_core::StartError>(())
/// ```
#[derive(Clone)]
pub struct SimHandle(pub(crate) Arc<World>);

thread_local! {
    /// The simulation that the thread in `block_on` drives.
    static CURRENT: RefCell<Option<SimHandle>> = const { RefCell::new(None) };
    /// Its number. It needs no destructor, which every look at it would have to ask for.
    static NUMBER: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Makes a simulation current until it is dropped.
pub(crate) struct Entered(Option<SimHandle>);

impl Drop for Entered {
    fn drop(&mut self) {
        NUMBER.set(self.0.as_ref().map(SimHandle::id));
        CURRENT.set(self.0.take());
    }
}

impl SimHandle {
    /// The simulation that polls the current thread's task, if one does.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// The [number](Self::id) of the simulation that polls the current thread's task, if one does.
    #[inline]
    #[must_use]
    pub fn current_id() -> Option<u64> {
        NUMBER.get()
    }

    pub(crate) fn enter(self) -> Entered {
        NUMBER.set(Some(self.id()));
        Entered(CURRENT.replace(Some(self)))
    }

    /// The number of the simulation, unique within the process.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// How far the clock has moved since the simulation began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now() - self.0.start
    }

    /// Moves the clock by `by`, stopping at each timer on the way and letting all that it wakes go on until it waits
    /// again.
    ///
    /// # Cancel safety
    ///
    /// Dropping it leaves the clock where it is by then.
    pub async fn advance(&self, by: Duration) {
        let target = self.now() + by;
        loop {
            self.settled().await;
            if self.0.advance(target) {
                return self.settled().await;
            }
        }
    }

    /// Waits until nothing but whoever waits like this can go on, before the clock moves any further.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn settled(&self) {
        let mut ticket = None;
        poll_fn(|cx| self.poll_settled(&mut ticket, cx)).await;
    }

    /// How many tasks and jobs there are that have not ended. Jobs that run beside everything else do not count.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.0.lock().cells.iter().filter(|(_, cell)| !cell.runs_beside()).count()
    }

    /// The tree of tasks and jobs that have not ended: what each waits for, and where a task was spawned.
    #[must_use]
    pub fn report(&self) -> String {
        report::tree(&self.0.lock())
    }

    /// Keeps the clock from moving by itself: only [`advance`](Self::advance) moves it, until it is
    /// [resumed](Self::resume).
    pub fn pause(&self) {
        let mut state = self.0.lock();
        state.now();
        state.paused = true;
    }

    /// Lets the clock jump to the next timer whenever all tasks wait.
    pub fn resume(&self) {
        let mut state = self.0.lock();
        state.paused = false;
        state.set_anchor();
        drop(state);
        self.0.notify();
    }

    /// Has the clock follow real time until the guard is dropped, since a thread from outside is at work: then it is no
    /// deadlock that all tasks wait, blocking jobs run beside the tasks, and timers take the time that they take.
    ///
    /// What happens is up to the machine then, and no schedule repeats it.
    pub fn follow_real_time(&self) -> Outsider {
        self.0.note(|| Event::Outsider);
        self.0.lock().join(false);
        self.0.notify();
        Outsider(self.0.clone())
    }
}

/// The clock follows real time while this lives: see [`SimHandle::follow_real_time`].
#[must_use = "the clock follows real time until this is dropped"]
pub struct Outsider(Arc<World>);

impl Drop for Outsider {
    fn drop(&mut self) {
        self.0.lock().leave(false);
        self.0.notify();
    }
}

impl Spawn for SimHandle {
    fn spawn(&self, task: Task) {
        self.0.spawn(task);
    }
}

impl Checkpoint for SimHandle {
    fn checkpoint(&self, waker: &Waker) {
        waker.wake_by_ref();
    }
}

impl Clock for SimHandle {
    fn now(&self) -> Instant {
        self.0.lock().now()
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(SimTimer::new(self.0.clone(), deadline))
    }

    fn is_virtual(&self) -> bool {
        true
    }

    fn follow_real_time(&self) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(self.follow_real_time()))
    }
}

impl Blocking for SimHandle {
    fn spawn_blocking(&self, job: Job) {
        self.0.spawn_blocking(job);
    }

    fn wait_in_job(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) -> bool {
        self.0.wait_in_job(future)
    }
}

impl Backend for SimHandle {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn settle(&self) -> Option<&dyn Settle> {
        Some(self)
    }
}

impl Settle for SimHandle {
    fn poll_settled(&self, ticket: &mut Option<u64>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_settled(ticket, cx.waker())
    }
}

impl fmt::Debug for SimHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimHandle").field("schedule", &self.0.settings.schedule).finish_non_exhaustive()
    }
}

impl fmt::Debug for Outsider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outsider(..)")
    }
}
