//! A carrier, as the runtime polls it.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyio_core::Backend;

use super::{BATCH, Carriers, Carry, KEPT, State};
use crate::tree::MutexGuard;
use crate::unit::discard;

/// A task of the runtime that polls tasks of groups.
pub(super) struct Runner {
    carriers: Arc<Carriers>,
    number: usize,
    stage: Stage,
    /// The tasks that were taken from the queue, during a poll of this carrier.
    taken: VecDeque<Arc<dyn Carry>>,
    /// The tasks that were woken while they were polled, during a poll of this carrier.
    again: Vec<Arc<dyn Carry>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Coming,
    Idle,
    Over,
}

impl Runner {
    pub(super) fn new(carriers: Arc<Carriers>, number: usize) -> Self {
        Runner { carriers, number, stage: Stage::Coming, taken: VecDeque::new(), again: Vec::new() }
    }

    fn begin<'a>(&self, carriers: &'a Carriers) -> MutexGuard<'a, State> {
        let mut state = carriers.lock();
        if let Some(index) = state.idle.iter().position(|(number, _)| *number == self.number) {
            // Nobody has called it: a runtime may poll what it likes.
            let unused = state.idle.swap_remove(index);
            drop(state);
            drop(unused);
            state = carriers.lock();
        } else if let Some(index) = state.coming.iter().position(|number| *number == self.number) {
            state.coming.remove(index);
            state.give_up(index);
        } else {
            state.late.retain(|number| *number != self.number);
        }
        state.at_work += 1;
        state
    }

    /// Polls what is in the queue.
    fn work<'a>(&mut self, carriers: &'a Arc<Carriers>) -> MutexGuard<'a, State> {
        let mut state = self.begin(carriers);
        let (mut left, mut backend) = (BATCH, None);
        loop {
            left = self.offer_again(carriers, &mut state, left);
            self.take(carriers, &mut state, left);
            let Some(first) = self.taken.front() else { break };
            let summons = carriers.summons(&mut state);
            drop(state);
            if let Some(summons) = summons {
                carriers.summon(summons, first.runtime());
            }
            let backend = backend.get_or_insert_with(|| first.runtime().backend().clone());
            left = self.carry_taken(left, &**backend);
            state = carriers.lock();
            self.give_back(&mut state);
        }
        state.at_work -= 1;
        state.queue.extend(self.again.drain(..));
        state
    }

    /// Puts the tasks that are to be polled again where other carriers find them, since the next task may block the thread;
    /// says how many of `left` polls are left then, which are for those before them.
    fn offer_again(&mut self, carriers: &Carriers, state: &mut State, left: usize) -> usize {
        if carriers.is_single() || self.again.is_empty() {
            return left;
        }
        let left = left.min(state.queue.len());
        state.queue.extend(self.again.drain(..));
        left
    }

    /// Takes tasks from the queue, `most` at most: a single one, if another carrier may come for the others.
    fn take(&mut self, carriers: &Carriers, state: &mut State, most: usize) {
        if state.is_down || most == 0 {
            return;
        }
        if !carriers.is_single() {
            self.taken.extend(state.queue.pop_front());
        } else if state.queue.len() <= most {
            mem::swap(&mut self.taken, &mut state.queue);
        } else {
            self.taken.extend(state.queue.drain(..most));
        }
    }

    /// Polls what was taken; says how many of `left` polls are left.
    fn carry_taken(&mut self, mut left: usize, backend: &dyn Backend) -> usize {
        while !self.taken.is_empty() && !backend.is_exhausted() {
            self.taken.pop_front().into_iter().for_each(|task| self.carry(task));
            left -= 1;
        }
        if self.taken.is_empty() { left } else { 0 }
    }

    /// Puts back what was taken and not polled, before all others.
    fn give_back(&mut self, state: &mut State) {
        while let Some(task) = self.taken.pop_back() {
            state.queue.push_front(task);
        }
    }

    #[inline]
    fn carry(&mut self, task: Arc<dyn Carry>) {
        match catch_unwind(AssertUnwindSafe(|| task.carry())) {
            Ok(again) => self.again.extend(again),
            Err(payload) => discard(payload),
        }
    }

    /// Waits to be called. What was queued since nobody is at work has called another carrier.
    fn rest(&mut self, carriers: &Carriers, cx: &Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = carriers.lock();
        if state.is_over || state.is_down || state.idle.len() >= KEPT {
            self.stage = Stage::Over;
            let is_down = state.is_down;
            drop(state);
            if is_down {
                // What was polled here for the first time meanwhile could not be woken yet.
                carriers.go_down();
            }
            return Poll::Ready(());
        }
        self.stage = Stage::Idle;
        state.idle.push((self.number, waker));
        Poll::Pending
    }
}

impl Future for Runner {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let carriers = this.carriers.clone();
        let mut state = this.work(&carriers);
        if state.is_left() {
            drop(state);
            carriers.drop_queued();
            return this.rest(&carriers, cx);
        }
        let Some(task) = state.queue.front() else {
            // Whoever is still on its way may be held up: the next task must not rely upon it.
            let all = state.coming.len();
            state.give_up(all);
            drop(state);
            return this.rest(&carriers, cx);
        };
        let runtime = task.runtime().clone();
        state.coming.push(this.number);
        let summons = if state.is_crowded() { None } else { carriers.summons(&mut state) };
        this.stage = Stage::Coming;
        drop(state);
        runtime.backend().checkpoint(cx.waker());
        if let Some(summons) = summons {
            carriers.summon(summons, &runtime);
        }
        Poll::Pending
    }
}

impl Drop for Runner {
    /// Before its end: the runtime goes down.
    fn drop(&mut self) {
        if mem::replace(&mut self.stage, Stage::Over) != Stage::Over {
            self.carriers.go_down();
        }
    }
}
