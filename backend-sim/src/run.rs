//! The recipe for running in a simulation.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyio_core::{Backend, BlockOn, Run, StartError, Waiting};
use parking_lot::Mutex;

use crate::backend::SimHandle;
use crate::quiet;
use crate::recording::Recording;
use crate::schedule::Schedule;
use crate::watchdog;
use crate::world::World;

/// A recipe for running in a simulation: what `anyio::run` takes.
///
/// Everything happens on the thread that starts it, in the order that the [`Schedule`] decides, with a clock that jumps.
///
/// # Reports
///
/// A simulation that cannot go on panics, out of `anyio::run`, with a report of the tree of tasks: what each waits for,
/// where it was spawned, and how to have the same again. It cannot go on when
///
/// - all tasks wait and there is no timer: a deadlock, or a wake that was lost;
/// - tasks go on and on ([`poll_limit`](Sim::poll_limit));
/// - a blocking job neither ends nor waits for a task ([`watchdog`](Sim::watchdog), in real time).
///
/// A task that blocks the thread cannot be stopped: the watchdog prints the report and aborts the process.
///
/// # Examples
///
/// ```
/// use std::pin::pin;
///
/// use anyio_backend_sim::{Schedule, Sim};
/// use anyio_core::Run;
///
/// let simulation = Box::new(Sim::new().schedule(Schedule::random(7))).start()?;
/// simulation.block_on(pin!(async {}));
/// # Ok::<(), anyio_core::StartError>(())
/// ```
#[must_use = "a recipe does nothing until it is started"]
pub struct Sim {
    settings: Settings,
    interruption: Option<Interruption>,
}

/// What a simulation was told.
pub(crate) struct Settings {
    pub(crate) schedule: Schedule,
    pub(crate) paused: bool,
    /// The most that a poll takes of virtual time.
    pub(crate) slow_polls: Duration,
    /// In real time.
    pub(crate) watchdog: Duration,
    pub(crate) poll_limit: u64,
    pub(crate) recording: Option<Recording>,
    /// What was taken at each choice, and of how many.
    pub(crate) taken: Option<Taken>,
}

/// What was taken at each choice, and of how many.
pub(crate) type Taken = Arc<Mutex<Vec<(u32, u32)>>>;

impl Settings {
    pub(crate) fn note_choice(&self, chosen: usize, ready: usize) {
        if let Some(taken) = &self.taken {
            let number = |index| u32::try_from(index).unwrap_or(u32::MAX);
            taken.lock().push((number(chosen), number(ready)));
        }
    }

    /// How to have the same again.
    pub(crate) fn replay(&self) -> String {
        match self.schedule.seed() {
            Some(seed) => format!("ANYIO_SIM_SEED={seed}"),
            None => format!("ANYIO_SIM_SCHEDULE={}", self.schedule),
        }
    }
}

/// What is to be done at a suspension.
pub(crate) struct Interruption {
    /// How many suspensions there are until then, with that one.
    pub(crate) left: u64,
    pub(crate) act: Box<dyn FnOnce(Suspension) + Send>,
}

/// A place where a task was suspended.
#[derive(Clone, Debug)]
pub struct Suspension {
    task: String,
    waiting: Option<Waiting>,
}

impl Suspension {
    pub(crate) fn new(task: String, waiting: Option<Waiting>) -> Self {
        Suspension { task, waiting }
    }

    /// Which task it was, with those that it stands below.
    #[must_use]
    pub fn task(&self) -> &str {
        &self.task
    }

    /// What it waits for, if that is anyio's.
    #[must_use]
    pub fn waiting(&self) -> Option<Waiting> {
        self.waiting
    }
}

impl fmt::Display for Suspension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.waiting {
            Some(waiting) => write!(f, "{}, which waited {waiting}", self.task),
            None => write!(f, "{}, which waited for something that is not anyio's", self.task),
        }
    }
}

impl Sim {
    /// A simulation with the schedule that the [environment asks for](Schedule::from_env), or else one in which what was
    /// woken first goes first.
    pub fn new() -> Self {
        let settings = Settings {
            schedule: Schedule::default(),
            paused: false,
            slow_polls: Duration::ZERO,
            watchdog: Duration::from_secs(10),
            poll_limit: 20_000_000,
            recording: None,
            taken: None,
        };
        Sim { settings, interruption: None }
    }

    /// Number `seed` of a [mixture of schedules](Schedule::seeded).
    pub fn seeded(seed: u64) -> Self {
        Sim::new().schedule(Schedule::seeded(seed))
    }

    /// Lets `schedule` decide which task goes next.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.settings.schedule = schedule;
        self
    }

    /// The clock does not move by itself: only [`SimHandle::advance`] moves it.
    pub fn paused(mut self) -> Self {
        self.settings.paused = true;
        self
    }

    /// Every poll of a task takes a random part of `most` of virtual time: timers fire although tasks are ready, as they do
    /// on a busy machine. A clock that is paused does not move for that.
    pub fn slow_polls(mut self, most: Duration) -> Self {
        self.settings.slow_polls = most;
        self
    }

    /// How long, in real time, a poll may block, a job may run, and nothing may happen while [threads from
    /// outside](SimHandle::follow_real_time) are at work, before that counts as a failure. The default is 10 s; for work
    /// in a debugger, and for a portal that rests for longer, [`Duration::MAX`].
    pub fn watchdog(mut self, limit: Duration) -> Self {
        self.settings.watchdog = limit;
        self
    }

    /// How many polls there may be in all, before that counts as a failure: something goes on for ever. The default is
    /// 20,000,000.
    pub fn poll_limit(mut self, limit: u64) -> Self {
        self.settings.poll_limit = limit;
        self
    }

    /// Records what happens in `recording`.
    pub fn record(mut self, recording: &Recording) -> Self {
        self.settings.recording = Some(recording.clone());
        self
    }

    /// Does `act` after the poll that is number `suspension` of those that leave a task suspended, counted from 1, and
    /// before the next one. If that wakes the main future, it goes next, whatever the schedule says.
    pub fn at_suspension(mut self, suspension: u64, act: impl FnOnce(Suspension) + Send + 'static) -> Self {
        self.interruption = Some(Interruption { left: suspension.max(1), act: Box::new(act) });
        self
    }

    /// Notes what is taken at each choice.
    pub(crate) fn note_choices(mut self, taken: &Taken) -> Self {
        self.settings.taken = Some(taken.clone());
        self
    }
}

impl Default for Sim {
    fn default() -> Self {
        Sim::new()
    }
}

impl Run for Sim {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        let world = World::new(self.settings);
        watchdog::watch(&world);
        Ok(Box::new(Started { backend: SimHandle(world), interruption: RefCell::new(self.interruption) }))
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("schedule", &self.settings.schedule).finish_non_exhaustive()
    }
}

/// A simulation that was started by [`Sim`].
struct Started {
    backend: SimHandle,
    interruption: RefCell<Option<Interruption>>,
}

impl BlockOn for Started {
    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(self.backend.clone())
    }

    fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        assert!(SimHandle::current().is_none(), "this thread is in a simulation already");
        let _entered = self.backend.clone().enter();
        let mut interruption = self.interruption.take();
        self.backend.0.block_on(future, &mut interruption);
        self.interruption.replace(interruption);
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if std::thread::panicking() && !quiet::is_quiet() {
            eprintln!("this was simulated; the same again: {}", self.backend.0.settings.replay());
        }
        let _entered = SimHandle::current().is_none().then(|| self.backend.clone().enter());
        self.backend.0.close();
    }
}
