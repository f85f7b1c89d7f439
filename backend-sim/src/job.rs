//! Blocking jobs: each has a thread of its own, and at most one thread of the simulation runs at a time.

use std::cell::RefCell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::thread;

use anyio_core::{Job, take_waiting};
use parking_lot::MutexGuard;

use crate::recording::Event;
use crate::task::{Cell, Kind};
use crate::world::{State, Stuck, World};

thread_local! {
    /// The job that runs in this thread.
    static CURRENT: RefCell<Option<Arc<Cell>>> = const { RefCell::new(None) };
}

/// How far a job has come.
pub(crate) enum Phase {
    /// It has not begun.
    Queued(Job),
    /// It runs, and nothing else does.
    Running,
    /// It runs beside everything else, since a thread from outside is at work, which it may be waiting for.
    Beside {
        /// Whether it was chosen to go on meanwhile.
        again: bool,
    },
    /// It waits for tasks.
    Parked,
    /// It is over.
    Ended,
}

impl Cell {
    /// Whether it is a job that runs beside everything else. To be looked at under the lock of the world.
    pub(crate) fn runs_beside(&self) -> bool {
        matches!(&self.kind, Kind::Job(phase) if matches!(*phase.lock(), Phase::Beside { .. }))
    }

    /// How far the job has come. To be looked at under the lock of the world.
    fn phase(&self) -> MutexGuard<'_, Phase> {
        match &self.kind {
            Kind::Job(phase) => phase.lock(),
            Kind::Main | Kind::Task(_) => unreachable!("only asked of jobs"),
        }
    }
}

impl World {
    /// The job was chosen: it runs until it ends or waits for a task.
    pub(crate) fn run_job(&self, cell: &Arc<Cell>) -> Result<(), Stuck> {
        self.note(|| Event::Job { number: cell.number });
        let mut state = self.lock();
        let phase = mem::replace(&mut *cell.phase(), Phase::Running);
        match phase {
            // Should there be no thread for it, it is dropped in there, with all that this wakes.
            Phase::Queued(job) => MutexGuard::unlocked(&mut state, || start(cell.clone(), job)),
            Phase::Parked => self.notify(),
            Phase::Beside { .. } => *cell.phase() = Phase::Beside { again: true },
            Phase::Running => unreachable!("nothing is chosen while a job runs"),
            Phase::Ended => *cell.phase() = Phase::Ended,
        }
        while matches!(*cell.phase(), Phase::Running) {
            if state.has_outsiders() {
                state.join(true);
                *cell.phase() = Phase::Beside { again: false };
            } else if !self.wait(&mut state, None) {
                return Err(Stuck::Job);
            }
        }
        Ok(())
    }

    /// Polls `future` in the thread of a job to its end, or until the simulation is over.
    pub(crate) fn wait_in_job(&self, mut future: Pin<&mut (dyn Future<Output = ()> + '_)>) -> bool {
        let here = |cell: &Arc<Cell>| std::ptr::eq(self, &*cell.world);
        let Some(cell) = CURRENT.with_borrow(Clone::clone).filter(here) else {
            return false;
        };
        let waker = cell.waker();
        loop {
            take_waiting();
            if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                return true;
            }
            *cell.waiting.lock() = take_waiting();
            if !self.park(&cell) {
                return false;
            }
            *cell.waiting.lock() = None;
        }
    }

    /// Lets others run until the job is chosen to go on; `false` if that will not happen any more.
    fn park(&self, cell: &Cell) -> bool {
        let mut state = self.lock();
        let mut phase = cell.phase();
        if matches!(*phase, Phase::Beside { again: true }) {
            *phase = Phase::Beside { again: false };
            return true;
        }
        state.stop(&mut phase, Phase::Parked);
        drop(phase);
        self.notify();
        while matches!(*cell.phase(), Phase::Parked) && !state.is_closed() {
            self.wait_for_turn(&mut state);
        }
        !state.is_closed()
    }

    fn end(&self, cell: &Cell) {
        let mut state = self.lock();
        state.stop(&mut cell.phase(), Phase::Ended);
        state.remove(cell);
        self.notify();
    }
}

impl State {
    /// The job does not run any more.
    fn stop(&mut self, phase: &mut Phase, next: Phase) {
        if matches!(mem::replace(phase, next), Phase::Beside { .. }) {
            self.leave(true);
        }
    }
}

fn start(cell: Arc<Cell>, job: Job) {
    let thread = thread::Builder::new().name(format!("anyio-sim-job-{}", cell.number));
    let run = move || {
        CURRENT.set(Some(cell.clone()));
        job();
        CURRENT.set(None);
        cell.world.end(&cell);
    };
    thread.spawn(run).expect("a thread can be had for a blocking job");
}
