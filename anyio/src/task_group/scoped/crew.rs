//! The tasks of a scoped group: how they arrive, and how they are polled.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use slab::Slab;

use crate::branches::{Ready, Wakeup};

/// Where tasks arrive that were spawned, from whatever thread.
pub(crate) struct Door<C> {
    state: Mutex<Arrivals<C>>,
    ready: Arc<Ready>,
}

struct Arrivals<C> {
    waiting: Vec<C>,
    /// How many were admitted, and are not here yet.
    expected: usize,
    closed: bool,
}

impl<C> Door<C> {
    /// Admits a task, which then has to enter; `false`: the door is closed.
    pub(crate) fn admit(&self) -> bool {
        let mut state = self.state.lock();
        state.expected += usize::from(!state.closed);
        !state.closed
    }

    /// Lets an admitted task in. If the group was dropped meanwhile, so is the task.
    pub(crate) fn enter(&self, task: C) {
        let mut state = self.state.lock();
        state.expected -= 1;
        let refused = if state.closed {
            Some(task)
        } else {
            state.waiting.push(task);
            None
        };
        drop(state);
        drop(refused);
        self.ready.tell();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Closes the door if nobody stands in it, or is about to.
    fn try_close(&self) -> bool {
        let mut state = self.state.lock();
        state.closed |= state.expected == 0 && state.waiting.is_empty();
        state.closed
    }

    /// Closes the door; gives those who stand in it.
    fn shut(&self) -> Vec<C> {
        let mut state = self.state.lock();
        state.closed = true;
        std::mem::take(&mut state.waiting)
    }

    fn take(&self, into: &mut Vec<C>) {
        std::mem::swap(&mut self.state.lock().waiting, into);
    }
}

/// The tasks of a group, which polls them.
pub(crate) struct Crew<C> {
    door: Arc<Door<C>>,
    tasks: Slab<Member<C>>,
    ready: Arc<Ready>,
    arriving: Vec<C>,
}

struct Member<C> {
    task: C,
    wakeup: Wakeup,
}

impl<C> Crew<C> {
    pub(crate) fn new() -> Self {
        let ready = Ready::new();
        let arrivals = Arrivals { waiting: Vec::new(), expected: 0, closed: false };
        let door = Arc::new(Door { state: Mutex::new(arrivals), ready: ready.clone() });
        Crew { door, tasks: Slab::new(), ready, arriving: Vec::new() }
    }

    pub(crate) fn door(&self) -> &Arc<Door<C>> {
        &self.door
    }

    pub(crate) fn ready(&self) -> &Arc<Ready> {
        &self.ready
    }

    /// Closes the door if there is nobody left; says whether it is closed.
    pub(crate) fn try_close(&self) -> bool {
        self.tasks.is_empty() && self.door.try_close()
    }

    /// Drops the tasks, and closes the door.
    pub(crate) fn dismiss(&mut self) {
        // By value: the index of a task that was dropped must not be given away by its destructor.
        let tasks = std::mem::take(&mut self.tasks);
        let waiting = self.door.shut();
        drop((tasks, waiting));
    }
}

impl<C: Future<Output = ()> + Unpin> Crew<C> {
    /// Takes in those who have arrived, and polls them for the first time; says whether any has ended. Who arrives
    /// meanwhile waits for the next poll.
    pub(crate) fn take_in(&mut self) -> bool {
        let mut arriving = std::mem::take(&mut self.arriving);
        self.door.take(&mut arriving);
        let mut ended = false;
        for task in arriving.drain(..) {
            let entry = self.tasks.vacant_entry();
            let index = entry.key();
            entry.insert(Member { task, wakeup: Wakeup::new(index, &self.ready) });
            ended |= self.poll(index);
        }
        self.arriving = arriving;
        ended
    }

    /// Polls a task; says whether it has ended.
    pub(crate) fn poll(&mut self, index: usize) -> bool {
        let Some(member) = self.tasks.get_mut(index) else {
            return false;
        };
        let mut cx: Context<'_> = member.wakeup.begin();
        let ended = matches!(Pin::new(&mut member.task).poll(&mut cx), Poll::Ready(()));
        if ended {
            drop(self.tasks.remove(index));
        }
        ended
    }
}
