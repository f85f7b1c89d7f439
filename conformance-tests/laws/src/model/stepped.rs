//! A backend around a backend, which knows when everybody waits, and moves a clock of its own only then.
//!
//! Spawning, waking and stepping aside are the inner backend's. What is added: every task is counted while it is being
//! polled, or has been woken and not been polled yet. When the count is 0, nothing happens any more until the time
//! passes; so the clock is moved to the next timer, or, if there is none, the program is stuck. Nothing depends on how
//! long anything takes.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Spawn, Task, Timer};
use futures::task::AtomicWaker;
use parking_lot::Mutex;

use super::program::Tick;

/// How long a tick takes on the clock of a program. Nobody waits for it.
const TICK: Duration = Duration::from_millis(1);

/// How many polls there may be between two moves of the clock (law C9).
const PATIENCE: usize = 100_000;

/// The backend, shared with whoever drives it.
pub(super) struct Stepped {
    inner: Arc<dyn Backend>,
    pub(super) pulse: Arc<Pulse>,
    clock: Arc<StepClock>,
}

impl Stepped {
    /// With `real_timers`, a timer that is due fires by way of a timer of `inner`.
    pub(super) fn new(inner: Arc<dyn Backend>, real_timers: bool) -> Self {
        Stepped { inner, pulse: Arc::default(), clock: Arc::new(StepClock::new(real_timers)) }
    }

    /// The time on the program's clock.
    pub(super) fn tick(&self) -> Tick {
        self.tick_at(self.now())
    }

    pub(super) fn tick_at(&self, at: Instant) -> Tick {
        ((at - self.clock.start).as_nanos() / TICK.as_nanos()) as Tick
    }

    pub(super) fn instant(&self, tick: Tick) -> Instant {
        self.clock.start + span(tick)
    }

    /// Moves the clock to the next timer and fires all that are due; says whether there was one.
    pub(super) fn advance(&self) -> bool {
        let due = self.clock.advance();
        self.pulse.polls.store(0, SeqCst);
        for waker in &due {
            match self.clock.real_timers {
                true => self.fire_really(waker),
                false => waker.wake_by_ref(),
            }
        }
        !due.is_empty()
    }

    fn fire_really(&self, waker: &Waker) {
        let relay = Relay::to(waker, &self.pulse);
        let mut timer = self.inner.timer(self.inner.now() + Duration::from_micros(200));
        if timer.as_mut().poll(&mut Context::from_waker(&relay)).is_ready() {
            relay.wake();
        } else {
            self.clock.fired.lock().push(timer);
        }
    }
}

/// How much `ticks` are on the clock of a program.
pub(super) fn span(ticks: Tick) -> Duration {
    TICK * ticks as u32
}

impl Spawn for Stepped {
    fn spawn(&self, task: Task) {
        self.inner.spawn(Task::new(Counted::new(task, &self.pulse)));
    }
}

impl Checkpoint for Stepped {
    fn checkpoint(&self, waker: &Waker) {
        self.inner.checkpoint(&Relay::to(waker, &self.pulse));
    }
}

impl Blocking for Stepped {
    fn spawn_blocking(&self, job: Job) {
        self.inner.spawn_blocking(job);
    }
}

impl Clock for Stepped {
    fn now(&self) -> Instant {
        self.clock.timers.lock().now
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(StepTimer { clock: self.clock.clone(), deadline, number: None })
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

impl Backend for Stepped {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
}

/// Who is busy.
#[derive(Default)]
pub(super) struct Pulse {
    /// The tasks that are being polled or have to be, and the wakes that are on their way.
    busy: AtomicUsize,
    /// The tasks that are not over.
    pub(super) alive: AtomicUsize,
    /// The polls since the clock was moved.
    polls: AtomicUsize,
    /// Whether everybody has to drop what they are doing: the program is given up.
    dead: AtomicBool,
    /// Woken when nobody is busy.
    pub(super) idle: AtomicWaker,
    tasks: Mutex<Vec<Weak<State>>>,
}

impl Pulse {
    pub(super) fn is_idle(&self) -> bool {
        self.busy.load(SeqCst) == 0
    }

    /// Whether there were so many polls that it can only be a spin.
    pub(super) fn is_spinning(&self) -> bool {
        self.polls.load(SeqCst) > PATIENCE
    }

    /// Gives the program up: every task is dropped at its next poll, and polled once more.
    pub(super) fn give_up(&self) {
        self.dead.store(true, SeqCst);
        let tasks = self.tasks.lock().clone();
        tasks.iter().filter_map(Weak::upgrade).for_each(Wake::wake);
    }

    fn begin(&self) {
        self.busy.fetch_add(1, SeqCst);
    }

    fn end(&self) {
        if self.busy.fetch_sub(1, SeqCst) == 1 {
            self.idle.wake();
        }
    }
}

/// Whether a task is counted as busy, which is so in all stages but the first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Woken,
    Polled,
    PolledAndWoken,
    Over,
}

struct State {
    pulse: Arc<Pulse>,
    stage: Mutex<(Stage, Option<Waker>)>,
}

impl Wake for State {
    fn wake(self: Arc<Self>) {
        let mut stage = self.stage.lock();
        stage.0 = match stage.0 {
            Stage::Waiting => {
                self.pulse.begin();
                Stage::Woken
            }
            Stage::Polled => Stage::PolledAndWoken,
            other => other,
        };
        let waker = stage.1.clone();
        drop(stage);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A future that is counted while it is busy.
pub(super) struct Counted<F> {
    future: Option<Pin<Box<F>>>,
    state: Arc<State>,
}

impl<F: Future<Output = ()>> Counted<F> {
    pub(super) fn new(future: F, pulse: &Arc<Pulse>) -> Self {
        pulse.begin();
        pulse.alive.fetch_add(1, SeqCst);
        let state = Arc::new(State { pulse: pulse.clone(), stage: Mutex::new((Stage::Woken, None)) });
        pulse.tasks.lock().push(Arc::downgrade(&state));
        Counted { future: Some(Box::pin(future)), state }
    }

    /// Whether a poll has something to do.
    pub(super) fn is_woken(&self) -> bool {
        self.state.stage.lock().0 == Stage::Woken
    }
}

impl<F> Counted<F> {
    /// Drops the future, and counts it out after that.
    fn finish(&mut self) {
        if self.future.take().is_some() {
            let was = std::mem::replace(&mut *self.state.stage.lock(), (Stage::Over, None));
            self.state.pulse.alive.fetch_sub(1, SeqCst);
            if was.0 != Stage::Waiting {
                self.state.pulse.end();
            }
        }
    }
}

impl<F: Future<Output = ()>> Future for Counted<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let state = self.state.clone();
        {
            let mut stage = state.stage.lock();
            stage.1 = Some(cx.waker().clone());
            if stage.0 == Stage::Waiting {
                // A poll that nobody asked for: legal, and counted like any other.
                state.pulse.begin();
            }
            stage.0 = Stage::Polled;
        }
        state.pulse.polls.fetch_add(1, SeqCst);
        let spinning = state.pulse.is_spinning();
        let polled = match &mut self.future {
            Some(future) if !spinning && !state.pulse.dead.load(SeqCst) => {
                future.as_mut().poll(&mut Context::from_waker(&Waker::from(state.clone())))
            }
            _ => Poll::Ready(()),
        };
        if polled.is_ready() {
            self.finish();
            return Poll::Ready(());
        }
        let mut stage = state.stage.lock();
        let woken = stage.0 == Stage::PolledAndWoken;
        stage.0 = if woken { Stage::Woken } else { Stage::Waiting };
        drop(stage);
        if !woken {
            state.pulse.end();
        }
        Poll::Pending
    }
}

impl<F> Drop for Counted<F> {
    fn drop(&mut self) {
        self.finish();
    }
}

/// A waker on its way: somebody is busy until it is woken, or dropped.
struct Relay {
    target: Waker,
    pulse: Arc<Pulse>,
    arrived: AtomicBool,
}

impl Relay {
    fn to(target: &Waker, pulse: &Arc<Pulse>) -> Waker {
        pulse.begin();
        let arrived = AtomicBool::new(false);
        Waker::from(Arc::new(Relay { target: target.clone(), pulse: pulse.clone(), arrived }))
    }

    fn arrive(&self) {
        if !self.arrived.swap(true, SeqCst) {
            self.pulse.end();
        }
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.target.wake_by_ref();
        self.arrive();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.arrive();
    }
}

struct StepClock {
    start: Instant,
    real_timers: bool,
    timers: Mutex<Timers>,
    /// Timers of the inner backend that fire in the place of ours.
    fired: Mutex<Vec<Pin<Box<dyn Timer>>>>,
}

struct Timers {
    now: Instant,
    next_number: u64,
    set: BTreeMap<(Instant, u64), Waker>,
}

impl StepClock {
    fn new(real_timers: bool) -> Self {
        let now = Instant::now();
        let timers = Mutex::new(Timers { now, next_number: 0, set: BTreeMap::new() });
        StepClock { start: now, real_timers, timers, fired: Mutex::default() }
    }

    /// Moves the clock to the next timer; whoever has to be woken then.
    fn advance(&self) -> Vec<Waker> {
        self.fired.lock().clear();
        let mut timers = self.timers.lock();
        if let Some(((at, _), _)) = timers.set.first_key_value() {
            timers.now = *at;
        }
        let now = timers.now;
        let later = timers.set.split_off(&(now, u64::MAX));
        std::mem::replace(&mut timers.set, later).into_values().collect()
    }
}

struct StepTimer {
    clock: Arc<StepClock>,
    deadline: Instant,
    /// Its number among the timers that are set.
    number: Option<u64>,
}

impl StepTimer {
    fn unset(&mut self) {
        if let Some(number) = self.number.take() {
            let waker = self.clock.timers.lock().set.remove(&(self.deadline, number));
            drop(waker);
        }
    }
}

impl Timer for StepTimer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.unset();
        let mut timers = self.clock.timers.lock();
        if timers.now >= self.deadline {
            return Poll::Ready(());
        }
        let number = timers.next_number;
        timers.next_number += 1;
        timers.set.insert((self.deadline, number), cx.waker().clone());
        drop(timers);
        self.number = Some(number);
        Poll::Pending
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.unset();
        self.deadline = deadline;
    }
}

impl Drop for StepTimer {
    fn drop(&mut self) {
        self.unset();
    }
}
