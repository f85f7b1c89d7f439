//! What is simulated: the tasks that are ready, the timers and the clock, under one lock.
//!
//! 1. One thread polls: the one in `block_on`. It holds no lock while it polls, wakes or drops anything.
//! 2. A job runs only while that thread waits for it, unless a thread from outside is at work (see `job.rs`).
//! 3. The clock moves only while nothing is ready, or by hand, or when polls take time: because they were told to, or
//!    because there have been very many in a row.
//! 4. Once the world is closed nothing is added to it: tasks and jobs are dropped inside the call, timers fire at once.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyio_core::{Job, Label, Task, take_waiting};
use fastrand::Rng;
use parking_lot::{Condvar, Mutex, MutexGuard};
use slab::Slab;

use crate::job::Phase;
use crate::recording::Event;
use crate::report;
use crate::run::{Interruption, Settings, Suspension};
use crate::schedule::Chooser;
use crate::task::{Cell, Kind};

pub(crate) struct World {
    /// Unique within the process.
    pub(crate) id: u64,
    state: Mutex<State>,
    /// Notified when something becomes ready, when a job stops running, and when it may go on.
    changed: Condvar,
    pub(crate) settings: Settings,
    /// When the clock started.
    pub(crate) start: Instant,
    /// How many polls have begun; what the watchdog looks at.
    pub(crate) polls: AtomicU64,
    /// Whether a poll is going on.
    pub(crate) polling: AtomicBool,
    next_timer: AtomicU64,
}

pub(crate) struct State {
    ready: VecDeque<Arc<Cell>>,
    /// All tasks and jobs that are not over.
    pub(crate) cells: Slab<Arc<Cell>>,
    next_number: u32,
    /// The wakers of timers that were polled, by deadline and number.
    timers: BTreeMap<(Instant, u64), Waker>,
    now: Instant,
    /// A moment of real time and the time of the clock then, while the clock follows real time.
    anchor: Option<(Instant, Instant)>,
    /// Whether the clock does not move by itself.
    pub(crate) paused: bool,
    chooser: Chooser,
    /// What draws how long polls take, where they take time.
    rng: Rng,
    /// Those who wait until nothing can go on, and how often that was the case.
    settling: (u64, Vec<Waker>),
    /// How many of those that are ready, the first, go next, whatever the schedule says.
    urgent: usize,
    /// How many threads from outside were announced to be at work.
    outsiders: usize,
    /// How many jobs run beside everything else.
    beside: usize,
    /// What was chosen last.
    pub(crate) last: Option<Arc<Cell>>,
    /// How many polls there were since all tasks waited.
    busy: u64,
    closed: bool,
}

/// How many polls in a row take no time.
const BRIEF: u64 = 1000;

/// Why a simulation cannot go on.
#[derive(Clone, Copy)]
pub(crate) enum Stuck {
    /// All tasks wait, and there is no timer.
    Deadlock,
    /// All tasks wait, and the clock is paused.
    Paused,
    /// All tasks wait, and so do the threads from outside.
    Silence,
    /// There were too many polls.
    Endless,
    /// A job neither ends nor waits for a task.
    Job,
    /// A poll does not end.
    Poll,
}

impl Stuck {
    /// Whether it is about all tasks, and not about the one that was chosen last.
    pub(crate) fn concerns_all(self) -> bool {
        matches!(self, Stuck::Deadlock | Stuck::Paused | Stuck::Silence)
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stuck::Deadlock => "all tasks wait, and there is no timer",
            Stuck::Paused => "all tasks wait, and the clock is paused",
            Stuck::Silence => "all tasks wait, and the threads from outside that are at work do nothing",
            Stuck::Endless => "tasks go on and on, beyond the limit of polls",
            Stuck::Job => "a blocking job did not come to its end, and did not wait for a task",
            Stuck::Poll => "a task blocks the thread that polls it, and with it everything else",
        })
    }
}

/// While it lives a poll is going on.
struct Polling<'a>(&'a AtomicBool);

impl<'a> Polling<'a> {
    fn begin(polling: &'a AtomicBool) -> Self {
        polling.store(true, Ordering::Relaxed);
        Polling(polling)
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl State {
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn remove(&mut self, cell: &Cell) {
        if self.cells.get(cell.key).is_some_and(|listed| listed.number == cell.number) {
            self.cells.remove(cell.key);
        }
    }

    /// A thread from outside is announced, or a job begins to run beside everything else.
    pub(crate) fn join(&mut self, is_job: bool) {
        self.now();
        *(if is_job { &mut self.beside } else { &mut self.outsiders }) += 1;
        self.set_anchor();
    }

    /// It is done.
    pub(crate) fn leave(&mut self, is_job: bool) {
        self.now();
        *(if is_job { &mut self.beside } else { &mut self.outsiders }) -= 1;
        self.set_anchor();
    }

    /// Whether anything goes on that the simulation does not decide.
    fn is_live(&self) -> bool {
        self.outsiders + self.beside > 0
    }

    /// Whether threads from outside are at work, which a job may be waiting for.
    pub(crate) fn has_outsiders(&self) -> bool {
        self.outsiders > 0
    }

    /// Sets the clock, from which it goes on.
    fn set(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.set_anchor();
    }

    /// The clock goes on from here, at the pace of real time if it follows that.
    pub(crate) fn set_anchor(&mut self) {
        self.anchor = self.is_live().then(|| (Instant::now(), self.now));
    }

    /// How far the clock was moved.
    pub(crate) fn time(&self, world: &World) -> Duration {
        self.now - world.start
    }

    pub(crate) fn now(&mut self) -> Instant {
        if let Some((real, then)) = self.anchor.filter(|_| !self.paused) {
            self.now = self.now.max(then + real.elapsed());
        }
        self.now
    }

    /// The next deadline.
    fn next_deadline(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Moves the clock, and takes the wakers of what is due then, in the order of the deadlines.
    fn move_to(&mut self, now: Instant) -> Vec<Waker> {
        self.set(now);
        self.due()
    }

    fn due(&mut self) -> Vec<Waker> {
        let now = self.now();
        if self.next_deadline().is_none_or(|next| next > now) {
            return Vec::new();
        }
        let later = self.timers.split_off(&(self.now, u64::MAX));
        mem::replace(&mut self.timers, later).into_values().collect()
    }

    /// Takes the one that goes next.
    fn take(&mut self, world: &World) -> Option<Arc<Cell>> {
        let is_urgent = self.urgent > 0;
        self.urgent = self.urgent.saturating_sub(1);
        let index = match self.ready.len() {
            0 | 1 => 0,
            _ if is_urgent => 0,
            ready => {
                let cells = &self.ready;
                let chosen = self.chooser.choose(ready, |index, new| cells[index].priority(new));
                world.settings.note_choice(chosen, ready);
                chosen
            }
        };
        self.ready.remove(index)
    }

    /// Lets those go next that have become ready since there were `before`, and then the main future, if it is ready.
    fn hurry(&mut self, before: usize) {
        let woken = self.ready.split_off(before.min(self.ready.len()));
        let main = self.ready.iter().position(|cell| cell.number == 0).and_then(|place| self.ready.remove(place));
        self.urgent = woken.len() + usize::from(main.is_some());
        woken.into_iter().chain(main).rev().for_each(|cell| self.ready.push_front(cell));
    }
}

impl World {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        let start = Instant::now();
        let state = State {
            ready: VecDeque::new(),
            cells: Slab::new(),
            next_number: 1,
            timers: BTreeMap::new(),
            now: start,
            anchor: None,
            paused: settings.paused,
            chooser: Chooser::new(&settings.schedule),
            rng: Rng::with_seed(settings.schedule.polls()),
            settling: (0, Vec::new()),
            urgent: 0,
            outsiders: 0,
            beside: 0,
            last: None,
            busy: 0,
            closed: false,
        };
        // Only uniqueness matters, so no order with anything else is needed.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(World {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            state: Mutex::new(state),
            changed: Condvar::new(),
            settings,
            start,
            polls: AtomicU64::new(0),
            polling: AtomicBool::new(false),
            next_timer: AtomicU64::new(0),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        self.state.try_lock()
    }

    pub(crate) fn notify(&self) {
        self.changed.notify_all();
    }

    pub(crate) fn wait_for_turn(&self, state: &mut MutexGuard<'_, State>) {
        self.changed.wait(state);
    }

    /// Waits in real time, for `time` at most; `false` if there is no such limit, and nothing happened for so long that
    /// nothing is going to.
    pub(crate) fn wait(&self, state: &mut MutexGuard<'_, State>, time: Option<Duration>) -> bool {
        let patience = self.settings.watchdog;
        let timed_out = self.changed.wait_for(state, time.map_or(patience, |time| time.min(patience))).timed_out();
        !timed_out || time.is_some()
    }

    // ---- tasks and jobs

    pub(crate) fn spawn(self: &Arc<Self>, task: Task) {
        let label = task.label();
        self.add(Kind::Task(Mutex::new(Some(task))), label);
    }

    pub(crate) fn spawn_blocking(self: &Arc<Self>, job: Job) {
        self.add(Kind::Job(Mutex::new(Phase::Queued(job))), None);
    }

    fn add(self: &Arc<Self>, kind: Kind, label: Option<Label>) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            drop(kind);
            return;
        }
        let (number, priority) = (state.next_number, state.chooser.priority());
        state.next_number += 1;
        let entry = state.cells.vacant_entry();
        let cell = Arc::new(Cell::new(number, entry.key(), self.clone(), priority, kind, label));
        entry.insert(cell.clone());
        drop(state);
        self.note(|| Event::Spawned { number, label: cell.label.clone() });
        cell.waker().wake();
    }

    pub(crate) fn enqueue(&self, cell: Arc<Cell>) {
        let mut state = self.lock();
        if state.closed {
            drop(state); // the cell may be the last that knows of a task
            return;
        }
        state.ready.push_back(cell);
        drop(state);
        self.notify();
    }

    // ---- the loop

    /// Runs everything until `future` is ready.
    pub(crate) fn block_on(
        self: &Arc<Self>,
        mut future: Pin<&mut (dyn Future<Output = ()> + '_)>,
        interruption: &mut Option<Interruption>,
    ) {
        let main = {
            let mut state = self.lock();
            let priority = state.chooser.priority();
            Arc::new(Cell::new(0, usize::MAX, self.clone(), priority, Kind::Main, None))
        };
        main.waker().wake();
        loop {
            let cell = self.next().unwrap_or_else(|why| self.fail(why, &main));
            cell.leave_queue();
            let polled = match &cell.kind {
                Kind::Main => self.poll(&cell, |cx| future.as_mut().poll(cx)),
                Kind::Task(task) => {
                    let mut slot = task.lock();
                    let Some(task) = slot.as_mut() else { continue };
                    let polled = self.poll(&cell, |cx| Pin::new(task).poll(cx));
                    let finished = polled.is_ready().then(|| slot.take());
                    drop(slot);
                    finished.into_iter().for_each(|task| self.finish(&cell, task));
                    polled
                }
                Kind::Job(_) => {
                    self.run_job(&cell).unwrap_or_else(|why| self.fail(why, &main));
                    continue;
                }
            };
            if matches!(cell.kind, Kind::Main) && polled.is_ready() {
                return;
            }
            self.pass_time();
            if polled.is_pending() {
                self.interrupt(&cell, interruption);
            }
        }
    }

    fn poll(&self, cell: &Arc<Cell>, poll: impl FnOnce(&mut Context<'_>) -> Poll<()>) -> Poll<()> {
        let waker = cell.waker();
        take_waiting();
        self.polls.fetch_add(1, Ordering::Relaxed);
        let polling = Polling::begin(&self.polling);
        let polled = poll(&mut Context::from_waker(&waker));
        drop(polling);
        let waiting = take_waiting();
        if polled.is_pending() && waiting.is_some() {
            *cell.waiting.lock() = waiting;
        }
        self.note(|| Event::Polled { number: cell.number, ready: polled.is_ready(), waiting });
        polled
    }

    fn finish(&self, cell: &Cell, task: Option<Task>) {
        drop(task);
        self.lock().remove(cell);
    }

    /// Where polls take time, one has taken it.
    fn pass_time(&self) {
        let mut state = self.lock();
        if !self.settings.slow_polls.is_zero() && !state.paused {
            let most = u64::try_from(self.settings.slow_polls.as_nanos()).unwrap_or(u64::MAX);
            let took = Duration::from_nanos(state.rng.u64(..=most));
            let to = state.now() + took;
            self.move_clock(state, to);
        }
    }

    /// Something was suspended: if it is the one where that is asked for, interrupts.
    fn interrupt(&self, cell: &Arc<Cell>, interruption: &mut Option<Interruption>) {
        if let Some(Interruption { left, .. }) = interruption {
            *left -= 1;
            if *left == 0 {
                let act = interruption.take().expect("it is there").act;
                let suspension = Suspension::new(report::path(&self.lock(), cell), *cell.waiting.lock());
                let before = self.lock().ready.len();
                act(suspension);
                self.lock().hurry(before);
            }
        }
    }

    /// Waits until something is ready, and takes it; `Err` tells why nothing will be.
    fn next(&self) -> Result<Arc<Cell>, Stuck> {
        let mut state = self.lock();
        loop {
            let due = if state.is_live() { state.due() } else { Vec::new() };
            if !due.is_empty() {
                MutexGuard::unlocked(&mut state, || due.into_iter().for_each(Waker::wake));
            }
            if let Some(cell) = state.take(self) {
                state.last = Some(cell.clone());
                let due = self.count(&mut state)?;
                drop(state);
                due.into_iter().for_each(Waker::wake);
                return Ok(cell);
            }
            let (count, waiting) = &mut state.settling;
            if !waiting.is_empty() {
                *count += 1;
                let waiting = mem::take(waiting);
                MutexGuard::unlocked(&mut state, || waiting.into_iter().for_each(Waker::wake));
                continue;
            }
            let next = state.next_deadline().filter(|_| !state.paused);
            state.busy = 0;
            if state.is_live() {
                self.follow_real_time(&mut state, next)?;
            } else if let Some(next) = next {
                let due = state.move_to(next);
                self.note(|| Event::Time(next - self.start));
                MutexGuard::unlocked(&mut state, || due.into_iter().for_each(Waker::wake));
            } else {
                return Err(if state.timers.is_empty() { Stuck::Deadlock } else { Stuck::Paused });
            }
        }
    }

    /// Counts what goes on while the clock stands. When that is much, time passes all the same, the more the longer it
    /// lasts: whoever keeps the thread busy may be waiting for a timer.
    fn count(&self, state: &mut State) -> Result<Vec<Waker>, Stuck> {
        state.busy += 1;
        if self.polls.load(Ordering::Relaxed) >= self.settings.poll_limit {
            return Err(Stuck::Endless);
        }
        if state.busy <= BRIEF || state.paused {
            return Ok(Vec::new());
        }
        let to = state.now + Duration::from_nanos(state.busy);
        state.set(to);
        let due = state.due();
        if !due.is_empty() {
            self.note(|| Event::Time(state.time(self)));
        }
        Ok(due)
    }

    /// Waits for threads from outside, or for the next timer, in real time.
    fn follow_real_time(&self, state: &mut MutexGuard<'_, State>, next: Option<Instant>) -> Result<(), Stuck> {
        let now = state.now();
        let left = next.map(|next| next.saturating_duration_since(now));
        let heard = self.wait(state, left);
        if heard || !state.ready.is_empty() { Ok(()) } else { Err(Stuck::Silence) }
    }

    // ---- time

    pub(crate) fn next_timer(&self) -> u64 {
        self.next_timer.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn poll_timer(&self, key: (Instant, u64), waker: &Waker) -> Poll<()> {
        let mut state = self.lock();
        if state.closed {
            // Nobody moves it any more, and nobody has to wait for that.
            state.now = state.now.max(key.0);
        }
        if key.0 <= state.now() {
            let old = state.timers.remove(&key);
            drop(state);
            drop(old);
            return Poll::Ready(());
        }
        let is_first = state.next_deadline().is_none_or(|first| key.0 < first);
        let old = state.timers.insert(key, waker.clone());
        let is_watched = is_first && state.is_live();
        drop(state);
        drop(old);
        if is_watched {
            self.notify();
        }
        Poll::Pending
    }

    pub(crate) fn disarm(&self, key: (Instant, u64)) -> Option<Waker> {
        self.lock().timers.remove(&key)
    }

    /// Moves the clock and wakes whoever is due.
    fn move_clock(&self, mut state: MutexGuard<'_, State>, to: Instant) {
        let due = state.move_to(to);
        drop(state);
        due.into_iter().for_each(Waker::wake);
    }

    /// Moves the clock to the next timer, or to `target` if there is none before, unless there is something that can go
    /// on first; says whether the target is reached.
    pub(crate) fn advance(&self, target: Instant) -> bool {
        let mut state = self.lock();
        if !state.ready.is_empty() || state.now() >= target {
            return state.now() >= target;
        }
        let to = state.next_deadline().map_or(target, |next| next.min(target));
        self.note(|| Event::Time(to - self.start));
        self.move_clock(state, to);
        to == target
    }

    pub(crate) fn poll_settled(&self, ticket: &mut Option<u64>, waker: &Waker) -> Poll<()> {
        let mut state = self.lock();
        if state.closed {
            return Poll::Ready(());
        }
        let (count, waiting) = &mut state.settling;
        if ticket.get_or_insert(*count) != count {
            return Poll::Ready(());
        }
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
        Poll::Pending
    }

    // ---- the end

    /// Drops everything that is left.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.notify();
        let ready = mem::take(&mut state.ready);
        let last = state.last.take();
        let settling = mem::take(&mut state.settling.1);
        let due = mem::take(&mut state.timers);
        let cells: Vec<Arc<Cell>> = mem::take(&mut state.cells).into_iter().map(|(_, cell)| cell).collect();
        drop(state);
        drop((ready, last, settling));
        for cell in cells {
            match &cell.kind {
                Kind::Main => {}
                Kind::Task(task) => {
                    let task = task.lock().take();
                    drop(task);
                }
                Kind::Job(phase) => self.drop_job(phase),
            }
        }
        due.into_values().for_each(Waker::wake);
    }

    fn drop_job(&self, phase: &Mutex<Phase>) {
        let state = self.lock();
        let mut phase = phase.lock();
        let unrun = matches!(*phase, Phase::Queued(_)).then(|| mem::replace(&mut *phase, Phase::Ended));
        drop(phase);
        drop(state);
        drop(unrun);
    }

    /// Ends the simulation with a report. No lock is held as it panics: the panic hook may ask for the time.
    fn fail(&self, why: Stuck, main: &Arc<Cell>) -> ! {
        let state = self.lock();
        let about = if why.concerns_all() { Some(main.clone()) } else { state.last.clone() };
        let text = report::report(self, &state, &why, about.as_ref());
        drop(state);
        panic!("{text}");
    }

    pub(crate) fn note(&self, event: impl FnOnce() -> Event) {
        if let Some(recording) = &self.settings.recording {
            recording.note(event());
        }
    }
}
