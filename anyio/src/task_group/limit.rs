//! A limit to how many tasks of a group run at a time.
//!
//! What is spawned beyond it queues, in the order in which it was spawned. A task of the queue counts as a task of its
//! group already, but its future is given to the backend only with a slot; cancelled before that, it is dropped unpolled.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker, ready};

use parking_lot::Mutex;

use crate::tree::{Link, wake};
use crate::unit::{Entry, discard};

/// The slots of a group.
pub(crate) struct Slots {
    state: Mutex<State>,
}

struct State {
    free: usize,
    /// Those who wait, in their order; nobody waits while a slot is free, except while slots are being given out.
    queue: VecDeque<Arc<Queued>>,
    /// About how many of those do not wait any more: one may be popped before it is counted.
    left: usize,
    /// Whether some thread gives out the slots that are free.
    giving_out: bool,
}

/// Something that waits for a slot.
struct Queued {
    slots: Weak<Slots>,
    /// Until it gets one, or does not want it any more.
    start: Mutex<Option<Start>>,
}

/// What is done with a slot.
type Start = Box<dyn FnOnce(Slot) + Send>;

/// The right to run; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Slots>);

impl Slots {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let state = State { free: limit, queue: VecDeque::new(), left: 0, giving_out: false };
        Arc::new(Slots { state: Mutex::new(state) })
    }

    /// Calls `start` with a slot: now, or when it is its turn. If the task is cancelled before that, `start` is dropped.
    pub(crate) fn enter(self: &Arc<Self>, task: &Link, start: impl FnOnce(Slot) + Send + 'static) {
        let Err(start) = self.try_enter(start) else { return };
        let known = task.clone();
        let queued = self.queued(Box::new(move |slot| {
            // Cancelled just now, by a thread that is about to say so.
            if known.is_eff() { drop(start) } else { start(slot) }
        }));
        // Before it queues: once it is started the task has a waker of its own.
        task.set_waker(&Waker::from(queued.clone()));
        self.enqueue(queued.clone());
        // It may have been cancelled when there was nobody to wake yet.
        if task.is_eff() {
            queued.leave();
        }
    }

    fn try_enter<F: FnOnce(Slot)>(self: &Arc<Self>, start: F) -> Result<(), F> {
        let mut state = self.state.lock();
        if state.free == 0 || !state.queue.is_empty() {
            return Err(start);
        }
        state.free -= 1;
        drop(state);
        start(Slot(self.clone()));
        Ok(())
    }

    fn queued(self: &Arc<Self>, start: Start) -> Arc<Queued> {
        Arc::new(Queued { slots: Arc::downgrade(self), start: Mutex::new(Some(start)) })
    }

    fn enqueue(self: &Arc<Self>, queued: Arc<Queued>) {
        self.state.lock().queue.push_back(queued);
        // A slot may have come back since there was none.
        self.give_out();
    }

    /// Gives the free slots to those who wait. One thread at a time does, in a loop: what it starts may give its slot
    /// back at once, and must not come in here again.
    fn give_out(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.giving_out, true) {
            return;
        }
        while state.free > 0 {
            let Some(queued) = state.queue.pop_front() else { break };
            let Some(start) = queued.take() else {
                state.left = state.left.saturating_sub(1);
                continue;
            };
            state.free -= 1;
            drop(state);
            // A backend that refuses by a panic has dropped the task, which says so; the others must not wait for ever.
            let started = catch_unwind(AssertUnwindSafe(|| start(Slot(self.clone()))));
            started.unwrap_or_else(discard);
            state = self.state.lock();
        }
        state.giving_out = false;
    }

    /// One in the queue does not wait any more. When those are the most of it, they go.
    fn count_out(&self) {
        let mut state = self.state.lock();
        state.left += 1;
        if state.left * 2 > state.queue.len() {
            state.queue.retain(|queued| queued.start.lock().is_some());
            state.left = 0;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.state.lock().free += 1;
        self.0.give_out();
    }
}

impl Queued {
    fn take(&self) -> Option<Start> {
        self.start.lock().take()
    }

    /// Does not wait any more.
    fn leave(&self) {
        let Some(start) = self.take() else { return };
        drop(start);
        self.slots.upgrade().into_iter().for_each(|slots| slots.count_out());
    }
}

impl Wake for Queued {
    /// The task that waits was cancelled: it is dropped unpolled.
    fn wake(self: Arc<Self>) {
        self.leave();
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Slots").field("free", &state.free).field("queued", &state.queue.len()).finish()
    }
}

/// Waits for a slot, in turn with the tasks that wait; where there is no limit, for nothing.
pub(crate) struct Acquire {
    slots: Option<Arc<Slots>>,
    entry: Entry,
    waiting: Option<Turn>,
}

/// One who waits.
struct Turn {
    queued: Arc<Queued>,
    given: Arc<Mutex<Given>>,
}

#[derive(Default)]
struct Given {
    slot: Option<Slot>,
    waker: Option<Waker>,
}

impl Acquire {
    #[track_caller]
    pub(crate) fn new(slots: Option<Arc<Slots>>) -> Self {
        Acquire { slots, entry: Entry::new(), waiting: None }
    }
}

impl Future for Acquire {
    type Output = Option<Slot>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Slot>> {
        ready!(self.entry.poll(cx));
        let this = &mut *self;
        let Some(slots) = &this.slots else { return Poll::Ready(None) };
        let turn = this.waiting.get_or_insert_with(|| Turn::new(slots));
        let mut given = turn.given.lock();
        if let Some(slot) = given.slot.take() {
            return Poll::Ready(Some(slot));
        }
        let old = given.waker.replace(cx.waker().clone());
        drop(given);
        drop(old);
        Poll::Pending
    }
}

impl Turn {
    fn new(slots: &Arc<Slots>) -> Self {
        let given = Arc::new(Mutex::new(Given::default()));
        let receiver = given.clone();
        let queued = slots.queued(Box::new(move |slot| {
            let mut given = receiver.lock();
            given.slot = Some(slot);
            let waker = given.waker.take();
            drop(given);
            wake(waker);
        }));
        slots.enqueue(queued.clone());
        Turn { queued, given }
    }
}

impl Drop for Turn {
    /// Nobody waits any more: a slot that was given meanwhile goes to the next.
    fn drop(&mut self) {
        self.queued.leave();
        let slot = self.given.lock().slot.take();
        drop(slot);
    }
}
