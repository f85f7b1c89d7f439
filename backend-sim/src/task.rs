//! What can go on: the main future, tasks and jobs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Wake, Waker};

use anyio_core::{Label, Task, Waiting};
use parking_lot::Mutex;

use crate::job::Phase;
use crate::world::World;

/// Something that can go on whenever it is woken.
pub(crate) struct Cell {
    /// In the order of spawning; the main future has number 0.
    pub(crate) number: u32,
    /// Where it is listed in the world.
    pub(crate) key: usize,
    pub(crate) world: Arc<World>,
    pub(crate) kind: Kind,
    /// Whether it is in the queue of those that are ready.
    queued: AtomicBool,
    /// For schedules that go by it. Only the thread that chooses looks at it.
    priority: AtomicU64,
    pub(crate) label: Option<Label>,
    /// What it waits for, since its last poll.
    pub(crate) waiting: Mutex<Option<Waiting>>,
}

pub(crate) enum Kind {
    /// The future of `block_on`, which whoever is in there polls.
    Main,
    /// A task, until it is finished. Locked while it is polled.
    Task(Mutex<Option<Task>>),
    /// A blocking job. Only touched under the lock of the world, which comes first.
    Job(Mutex<Phase>),
}

impl Cell {
    pub(crate) fn new(
        number: u32,
        key: usize,
        world: Arc<World>,
        priority: u64,
        kind: Kind,
        label: Option<Label>,
    ) -> Self {
        let (queued, priority) = (AtomicBool::new(false), AtomicU64::new(priority));
        Cell { number, key, world, kind, queued, priority, label, waiting: Mutex::new(None) }
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(self.clone())
    }

    /// It was taken from the queue. A wake from now on puts it there again; what came before a wake that did not, since it
    /// stood there, is seen by the poll that follows.
    pub(crate) fn leave_queue(&self) {
        self.queued.swap(false, Ordering::AcqRel);
    }

    /// Its priority, which is set first if there is a new one.
    pub(crate) fn priority(&self, new: Option<u64>) -> u64 {
        new.into_iter().for_each(|new| self.priority.store(new, Ordering::Relaxed));
        self.priority.load(Ordering::Relaxed)
    }
}

impl Wake for Cell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.world.enqueue(self.clone());
        }
    }
}
