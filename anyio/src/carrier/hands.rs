//! What a carrier at work has at hand: in this thread, where its tasks find it without the lock of all carriers.

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;

use super::{Carriers, Carry};
use crate::tree::{AtomicUsize, Mutex, Ordering};

#[cfg(not(anyio_loom))]
thread_local! {
    // Needs no destructor, which every look at it would have to ask for: it is empty between the turns of carriers.
    static HERE: Here = const { Here::new() };
}

#[cfg(anyio_loom)]
loom::thread_local! {
    static HERE: Here = Here::new();
}

/// The carrier that is being polled in this thread.
struct Here {
    hands: ManuallyDrop<Cell<Option<Box<Hands>>>>,
    /// Whose carrier it is.
    home: Cell<Home>,
}

/// Which [`Carriers`]: their address, for as long as there is somebody whom they carry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home(usize);

impl Home {
    const NOBODY: Home = Home(0);

    pub(super) fn of(carriers: &Arc<Carriers>) -> Self {
        Home(Arc::as_ptr(carriers).addr())
    }
}

/// A thread, for as long as it lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Thread(usize);

impl Thread {
    #[inline]
    pub(super) fn current() -> Self {
        here(|here| Thread(std::ptr::from_ref(here).addr()))
    }
}

/// Where tasks are put that are woken in this thread.
pub(super) enum Hands {
    /// Where one thread polls all carriers.
    Private(VecDeque<Arc<dyn Carry>>),
    /// Where others may help themselves.
    Shared(Arc<List>, Arc<Carriers>),
}

/// The tasks of a carrier that others may take. Its lock is taken under that of [`Carriers`], never the other way round.
pub(super) struct List {
    /// How many there are.
    len: AtomicUsize,
    tasks: Mutex<Tasks>,
}

/// Tasks in the order in which a carrier polls them.
#[derive(Default)]
pub(super) struct Tasks {
    /// First those that were here when the turn began or were taken since, then those that were woken here.
    ready: VecDeque<Arc<dyn Carry>>,
    /// How many the former are.
    taken: usize,
    /// How many have been polled from here, ever.
    polled: usize,
    /// Those that were woken during their own poll; they are not polled again in this turn.
    again: VecDeque<Arc<dyn Carry>>,
    /// Whether nothing more may be woken here: the runtime goes down.
    is_closed: bool,
}

impl Tasks {
    pub(super) fn len(&self) -> usize {
        self.ready.len() + self.again.len()
    }

    /// Whether one may be polled in this turn.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Puts a task behind those that are ready; says how many there are then.
    fn push(&mut self, task: Arc<dyn Carry>) -> Result<usize, Arc<dyn Carry>> {
        if self.is_closed {
            return Err(task);
        }
        self.ready.push_back(task);
        Ok(self.len())
    }

    /// Puts a task back that was taken last.
    pub(super) fn put_back(&mut self, task: Arc<dyn Carry>) {
        self.ready.push_front(task);
        self.taken += 1;
    }

    /// Notes who is to be polled `again`, and gives the next one, with the number of those who are left.
    #[inline]
    pub(super) fn turn(&mut self, again: Option<Arc<dyn Carry>>) -> (Option<Arc<dyn Carry>>, usize) {
        if let Some(again) = again {
            self.again.push_back(again);
        }
        (self.next(), self.len())
    }

    /// [`turn`](Self::turn) where nobody is next in this turn.
    pub(super) fn keep(&mut self, again: Option<Arc<dyn Carry>>) -> (Option<Arc<dyn Carry>>, usize) {
        self.again.extend(again);
        (None, self.len())
    }

    pub(super) fn next(&mut self) -> Option<Arc<dyn Carry>> {
        self.taken = self.taken.saturating_sub(1);
        self.polled = self.polled.wrapping_add(1);
        self.ready.pop_front()
    }

    /// Takes tasks from the queue, behind those that are ready here: `least` if there are so many, or half of them, or all
    /// if no other carrier `shares` them.
    pub(super) fn take(&mut self, queue: &mut VecDeque<Arc<dyn Carry>>, least: usize, shares: bool) {
        let count = if shares { queue.len().div_ceil(2).max(least) } else { queue.len() };
        if count < queue.len() {
            self.ready.extend(queue.drain(..count));
        } else if self.ready.is_empty() {
            mem::swap(&mut self.ready, queue);
        } else {
            self.ready.append(queue);
        }
        self.taken = self.ready.len();
    }

    /// A turn begins: those that were woken during their own poll in the last one are the last.
    pub(super) fn begin(&mut self) {
        self.ready.append(&mut self.again);
        self.taken = self.ready.len();
    }

    /// Gives all of them to the queue: what had been in it before all others, the rest behind them.
    pub(super) fn leave_to(&mut self, queue: &mut VecDeque<Arc<dyn Carry>>) {
        let taken = mem::take(&mut self.taken);
        if self.len() > 0 {
            self.ready.drain(..taken).rev().for_each(|task| queue.push_front(task));
            queue.append(&mut self.ready);
            queue.append(&mut self.again);
        }
    }

    /// Gives half of them, those who are first, to another carrier.
    fn share_with(&mut self, other: &mut Tasks) {
        let count = self.len().div_ceil(2);
        let ready = count.min(self.ready.len());
        other.ready.extend(self.ready.drain(..ready));
        other.ready.extend(self.again.drain(..count - ready));
        self.taken = self.taken.saturating_sub(ready);
        other.taken = other.ready.len();
    }

    pub(super) fn polled(&self) -> usize {
        self.polled
    }

    pub(super) fn front(&self) -> Option<&Arc<dyn Carry>> {
        self.ready.front().or(self.again.front())
    }
}

impl List {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(List { len: AtomicUsize::new(0), tasks: Mutex::new(Tasks::default()) })
    }

    #[inline]
    pub(super) fn with<R>(&self, run: impl FnOnce(&mut Tasks) -> R) -> R {
        let mut tasks = self.tasks.lock();
        let outcome = run(&mut tasks);
        self.len.store(tasks.len(), Ordering::Relaxed);
        outcome
    }

    /// Whether nothing is here, as the carrier sees it whose list this is: nobody else puts anything here.
    #[inline]
    pub(super) fn is_empty_here(&self) -> bool {
        self.len.load(Ordering::Relaxed) == 0
    }

    /// Gives half of what is here to another carrier that has nothing.
    pub(super) fn share_with(&self, other: &mut Tasks) {
        if other.len() == 0 {
            self.with(|tasks| tasks.share_with(other));
        }
    }

    /// The runtime goes down: whoever is here is put into the queue, and nobody is woken here any more.
    pub(super) fn close(&self, queue: &mut VecDeque<Arc<dyn Carry>>) {
        self.with(|tasks| {
            tasks.is_closed = true;
            tasks.leave_to(queue);
        });
    }
}

impl Hands {
    /// Puts a task behind those that are ready; gives the carriers if others of them have to be called.
    #[inline]
    fn push(&mut self, task: Arc<dyn Carry>) -> Result<Option<Arc<Carriers>>, Arc<dyn Carry>> {
        match self {
            Hands::Private(woken) => {
                woken.push_back(task);
                Ok(None)
            }
            Hands::Shared(list, carriers) => {
                let count = list.with(|tasks| tasks.push(task))?;
                Ok(if carriers.are_enough_for(count, 1) { None } else { Some(carriers.clone()) })
            }
        }
    }
}

/// Puts a task into the hands of the carrier that is being polled in this thread, if it is one of those of its runtime.
#[inline]
pub(crate) fn push_here(home: Home, task: Arc<dyn Carry>) -> Result<(), Arc<dyn Carry>> {
    here(|here| {
        if here.home.get() != home {
            return Err(task);
        }
        let Some(mut hands) = here.hands.take() else { return Err(task) };
        let pushed = hands.push(task);
        here.hands.set(Some(hands));
        if let Some(carriers) = pushed? {
            carriers.call_for_more(1);
        }
        Ok(())
    })
}

/// Puts `hands` where those who are polled meanwhile find them; until the guard is dropped, by which they are back.
pub(super) fn show(home: Home, hands: &mut Option<Box<Hands>>) -> Shown<'_> {
    let outer = here(|here| here.swap(home, hands));
    Shown { slot: hands, outer }
}

#[must_use]
pub(super) struct Shown<'a> {
    /// What was shown before.
    slot: &'a mut Option<Box<Hands>>,
    outer: Home,
}

impl Shown<'_> {
    /// Takes all tasks that were put into private hands, in exchange for none.
    #[inline]
    pub(super) fn take_woken(&self, woken: &mut VecDeque<Arc<dyn Carry>>) {
        here(|here| {
            let mut hands = here.hands.take();
            if let Some(Hands::Private(tasks)) = hands.as_deref_mut()
                && !tasks.is_empty()
            {
                mem::swap(tasks, woken);
            }
            here.hands.set(hands);
        });
    }
}

impl Drop for Shown<'_> {
    #[inline]
    fn drop(&mut self) {
        here(|here| here.swap(self.outer, self.slot));
    }
}

#[inline(always)]
fn here<R>(look: impl FnOnce(&Here) -> R) -> R {
    HERE.try_with(look).unwrap_or_else(|_| unreachable!("what has no destructor is always there"))
}

impl Here {
    const fn new() -> Self {
        Here { hands: ManuallyDrop::new(Cell::new(None)), home: Cell::new(Home::NOBODY) }
    }

    fn swap(&self, home: Home, hands: &mut Option<Box<Hands>>) -> Home {
        *hands = self.hands.replace(hands.take());
        self.home.replace(home)
    }
}
