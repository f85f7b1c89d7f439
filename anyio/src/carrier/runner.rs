//! A carrier, as the runtime polls it.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::hands::{Hands, List, Shown, Thread, show};
use super::shift::Shift;
use super::{BATCH, Carriers, Carry, KEPT, Keeper, LOOK, Listed, State, remembered};
use crate::runtime::Runtime;
use crate::tree::{MutexGuard, Ordering};
use crate::unit::discard;

/// A task of the runtime that polls tasks of groups.
pub(super) struct Runner {
    carriers: Arc<Carriers>,
    seat: Seat,
    /// Shown to those who are polled in a turn.
    hands: Option<Box<Hands>>,
}

struct Seat {
    number: usize,
    stage: Stage,
    stock: Stock,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Coming,
    Idle,
    Over,
}

/// The tasks of a turn; there are none between turns.
enum Stock {
    /// Where one thread polls all carriers.
    Private(Private),
    /// Where others may help themselves.
    Shared(Shared),
}

struct Shared {
    list: Arc<List>,
    /// What the others know it by, unless they do.
    unlisted: Option<Listed>,
    /// How many pieces of its turns have begun since it has looked at others.
    pieces: usize,
}

#[derive(Default)]
struct Private {
    ready: VecDeque<Arc<dyn Carry>>,
    /// Whether they were woken in this turn, and not taken from the queue.
    is_woken: bool,
    /// Those that were woken during their own poll.
    again: VecDeque<Arc<dyn Carry>>,
}

impl Runner {
    pub(super) fn new(carriers: Arc<Carriers>, number: usize) -> Self {
        let (stock, hands) = if carriers.is_single {
            (Stock::Private(Private::default()), Hands::Private(VecDeque::new()))
        } else {
            let list = List::new();
            (Stock::Shared(Shared::new(list.clone())), Hands::Shared(list, carriers.clone()))
        };
        let seat = Seat { number, stage: Stage::Coming, stock };
        Runner { carriers, seat, hands: Some(Box::new(hands)) }
    }
}

impl Seat {
    fn poll(&mut self, carriers: &Arc<Carriers>, hands: &mut Option<Box<Hands>>, waker: Waker) -> Poll<()> {
        let shown = show(carriers.home(), hands);
        let mut state = self.begin(carriers);
        if !self.stock.is_kept() && !carriers.is_single && state.one_yields_here() {
            // It will have what there is.
            drop(shown);
            return self.rest(carriers, state, waker);
        }
        state = self.work(carriers, state, &shown);
        self.end(&mut state, &shown);
        drop(shown);
        if state.is_left() {
            drop(state);
            carriers.drop_queued();
            return self.rest(carriers, carriers.lock(), waker);
        }
        if state.queue.is_empty() && !carriers.is_single {
            // Before the lists are looked into: whoever puts something there after that knows.
            state.rely_on_nobody();
            carriers.publish(&state);
        }
        let waiting = if self.stock.finds_nothing(&state) { None } else { state.waiting() };
        match waiting {
            Some(runtime) if carriers.is_single || !state.one_yields_here() => {
                self.yield_to_others(carriers, state, &runtime, &waker)
            }
            _ => self.rest(carriers, state, waker),
        }
    }

    /// Polls tasks until it is enough for this turn, or there are none.
    fn work<'a>(
        &mut self,
        carriers: &'a Arc<Carriers>,
        mut state: MutexGuard<'a, State>,
        shown: &Shown<'_>,
    ) -> MutexGuard<'a, State> {
        let mut shift = Shift::new(carriers.is_single);
        state.working += 1;
        loop {
            self.stock.begin(&mut state);
            state = self.work_a_piece(carriers, state, shown, &mut shift);
            if state.is_down || !self.stock.has_more() || !shift.goes_on() {
                return state;
            }
        }
    }

    /// Polls tasks until it is enough for this piece of the turn, or none are ready.
    fn work_a_piece<'a>(
        &mut self,
        carriers: &'a Arc<Carriers>,
        mut state: MutexGuard<'a, State>,
        shown: &Shown<'_>,
        shift: &mut Shift,
    ) -> MutexGuard<'a, State> {
        while shift.left() > 0 && !state.is_down {
            let Some(first) = self.stock.take(&mut state, shift.left()) else { break };
            let summons = if self.stock.finds_nothing(&state) { None } else { carriers.summons(&mut state, 0) };
            drop(state);
            if let Some(summons) = summons {
                carriers.summon(summons, Some(first.runtime()));
                carriers.call_for_more(0);
            }
            self.stock.carry_all(carriers, shown, first, shift);
            state = carriers.lock();
        }
        state
    }

    /// Begins a turn.
    #[inline]
    fn begin<'a>(&mut self, carriers: &'a Carriers) -> MutexGuard<'a, State> {
        let mut state = carriers.lock();
        if state.has_come(self.number) {
            carriers.publish(&state);
        } else if let Some(index) = state.idle.iter().position(|(number, _)| *number == self.number) {
            // Nobody has called it: a runtime may poll what it likes.
            let unused = state.idle.swap_remove(index);
            drop(state);
            drop(unused);
            state = carriers.lock();
        }
        state
    }

    /// Ends a turn.
    #[inline]
    fn end(&mut self, state: &mut State, shown: &Shown<'_>) {
        state.working -= 1;
        match &mut self.stock {
            Stock::Private(private) => private.leave_to(&mut state.queue, shown),
            Stock::Shared(shared) if state.is_down => shared.leave(state),
            Stock::Shared(_) => {}
        }
    }

    /// Waits to be called, or ends.
    fn rest<'a>(&mut self, carriers: &'a Carriers, mut state: MutexGuard<'a, State>, waker: Waker) -> Poll<()> {
        if let Stock::Shared(shared) = &mut self.stock {
            shared.leave(&mut state);
        }
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

    /// Gives the others their turn, and comes again.
    fn yield_to_others<'a>(
        &mut self,
        carriers: &'a Arc<Carriers>,
        mut state: MutexGuard<'a, State>,
        runtime: &Runtime,
        waker: &Waker,
    ) -> Poll<()> {
        state.expect(self.number, Keeper::Yielded(Thread::current()));
        carriers.publish(&state);
        self.stage = Stage::Coming;
        drop(state);
        runtime.backend().checkpoint(waker);
        Poll::Pending
    }
}

impl Stock {
    /// Whether something may be at hand before a turn begins.
    fn is_kept(&self) -> bool {
        matches!(self, Stock::Shared(Shared { unlisted: None, .. }))
    }

    /// Begins a piece of a turn.
    fn begin(&mut self, state: &mut State) {
        if let Stock::Shared(shared) = self {
            shared.begin(state);
        }
    }

    /// Whether there is something at hand for another piece of the turn.
    fn has_more(&self) -> bool {
        match self {
            Stock::Private(_) => false,
            Stock::Shared(Shared { list, .. }) => !list.is_empty_here(),
        }
    }

    /// Whether nothing waits anywhere, as far as can be seen from here without a look at other lists.
    fn finds_nothing(&self, state: &State) -> bool {
        match self {
            Stock::Private(_) => state.queue.is_empty(),
            Stock::Shared(shared) => shared.finds_nothing(state),
        }
    }

    /// Takes tasks from the queue, `most` at most where one thread polls all, or from other carriers; gives the first.
    fn take(&mut self, state: &mut State, most: usize) -> Option<Arc<dyn Carry>> {
        match self {
            Stock::Private(private) => private.take(&mut state.queue, most),
            Stock::Shared(shared) => shared.take(state),
        }
    }

    /// Polls what is at hand, until it is enough for this piece of the turn.
    fn carry_all(&mut self, carriers: &Arc<Carriers>, shown: &Shown<'_>, first: Arc<dyn Carry>, shift: &mut Shift) {
        if shift.is_over_for(&first) {
            return self.put_back(first);
        }
        let unpolled = match self {
            Stock::Private(private) => {
                carry_each(carriers, first, shift, |again, goes_on| private.next(shown, again, goes_on))
            }
            Stock::Shared(shared) => {
                carry_each(carriers, first, shift, |again, goes_on| shared.next(carriers, again, goes_on))
            }
        };
        unpolled.into_iter().for_each(|task| self.put_back(task));
    }

    /// Puts back the task that was taken last.
    fn put_back(&mut self, task: Arc<dyn Carry>) {
        match self {
            Stock::Private(private) => private.ready.push_front(task),
            Stock::Shared(Shared { list, .. }) => list.with(|tasks| tasks.put_back(task)),
        }
    }
}

impl Shared {
    fn new(list: Arc<List>) -> Self {
        Shared { unlisted: Some(Listed::new(list.clone())), list, pieces: 0 }
    }

    fn finds_nothing(&self, state: &State) -> bool {
        state.queue.is_empty() && self.list.is_empty_here() && state.lists.len() == 1
    }

    /// Begins a piece of a turn: those that were woken during their own poll are ready, and those in the queue before them.
    fn begin(&mut self, state: &mut State) {
        self.pieces += 1;
        if self.pieces == LOOK {
            self.pieces = 0;
            state.relieve_blocked(&self.list);
        }
        if self.unlisted.is_none() && !(self.list.is_empty_here() && state.queue.is_empty()) {
            let shares = state.lists.len() > 1;
            self.list.with(|tasks| {
                tasks.take(&mut state.queue, BATCH, shares);
                tasks.begin();
            });
        }
    }

    /// Gives the next task: of those at hand, of the queue, or of other carriers if there is none.
    fn take(&mut self, state: &mut State) -> Option<Arc<dyn Carry>> {
        state.lists.extend(self.unlisted.take());
        if self.list.is_empty_here() && state.queue.len() <= 1 && state.lists.len() == 1 {
            return state.queue.pop_front();
        }
        let shares = state.lists.len() > 1;
        self.list.with(|tasks| {
            if !tasks.is_ready() {
                tasks.take(&mut state.queue, BATCH, shares);
            }
            if tasks.len() == 0 {
                state.others(&self.list).for_each(|other| other.share_with(tasks));
            }
            tasks.next()
        })
    }

    /// Notes who is to be polled `again`, and gives the next one if the turn goes on.
    #[inline]
    fn next(&self, carriers: &Arc<Carriers>, again: Option<Arc<dyn Carry>>, goes_on: bool) -> Option<Arc<dyn Carry>> {
        if again.is_none() && self.list.is_empty_here() {
            return None;
        }
        let (next, behind) = self.list.with(|tasks| if goes_on { tasks.turn(again) } else { tasks.keep(again) });
        if next.is_some() && !carriers.are_enough_for(behind, 0) {
            carriers.call_for_more(0);
        }
        next
    }

    /// Puts what is at hand into the queue.
    fn leave(&mut self, state: &mut State) {
        if self.unlisted.is_none() {
            let index = state.lists.iter().position(|listed| Arc::ptr_eq(&listed.list, &self.list));
            self.unlisted = index.map(|index| state.lists.swap_remove(index));
        }
        // Something may have been woken here before there was anything to poll.
        if !self.list.is_empty_here() {
            self.list.with(|tasks| tasks.leave_to(&mut state.queue));
        }
    }
}

impl Private {
    fn take(&mut self, queue: &mut VecDeque<Arc<dyn Carry>>, most: usize) -> Option<Arc<dyn Carry>> {
        self.is_woken = false;
        if queue.len() <= 1 {
            return queue.pop_front();
        }
        if most < queue.len() {
            self.ready.extend(queue.drain(..most));
        } else {
            mem::swap(&mut self.ready, queue);
        }
        self.ready.pop_front()
    }

    /// Notes who is to be polled `again`, and gives the next one if the turn goes on.
    #[inline]
    fn next(&mut self, shown: &Shown<'_>, again: Option<Arc<dyn Carry>>, goes_on: bool) -> Option<Arc<dyn Carry>> {
        if let Some(again) = again {
            self.again.push_back(again);
        }
        if goes_on { self.next_ready(shown) } else { None }
    }

    #[inline]
    fn next_ready(&mut self, shown: &Shown<'_>) -> Option<Arc<dyn Carry>> {
        self.ready.pop_front().or_else(|| {
            self.is_woken = true;
            shown.take_woken(&mut self.ready);
            self.ready.pop_front()
        })
    }

    /// Gives all tasks to the queue: what was in it before all others, the rest behind them.
    fn leave_to(&mut self, queue: &mut VecDeque<Arc<dyn Carry>>, shown: &Shown<'_>) {
        if self.ready.is_empty() {
            // Nothing of this turn is left.
        } else if self.is_woken {
            queue.append(&mut self.ready);
        } else {
            self.ready.drain(..).rev().for_each(|task| queue.push_front(task));
        }
        shown.take_woken(&mut self.ready);
        if !self.ready.is_empty() {
            queue.append(&mut self.ready);
        }
        if !self.again.is_empty() {
            queue.append(&mut self.again);
        }
    }
}

/// Polls the `first` task, and those that are `next` after it; gives back one that was not polled, as it was enough.
#[inline]
fn carry_each(
    carriers: &Carriers,
    first: Arc<dyn Carry>,
    shift: &mut Shift,
    mut next: impl FnMut(Option<Arc<dyn Carry>>, bool) -> Option<Arc<dyn Carry>>,
) -> Option<Arc<dyn Carry>> {
    let mut task = first;
    loop {
        let again = carry(task);
        let goes_on = shift.counts() && !carriers.is_down.load(Ordering::Relaxed);
        task = next(again, goes_on)?;
        if shift.is_over_for(&task) {
            return Some(task);
        }
    }
}

#[inline]
fn carry(task: Arc<dyn Carry>) -> Option<Arc<dyn Carry>> {
    catch_unwind(AssertUnwindSafe(|| task.carry())).unwrap_or_else(|payload| {
        discard(payload);
        None
    })
}

impl Future for Runner {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Runner { carriers, seat, hands } = &mut *self;
        seat.poll(carriers, hands, remembered::waker_of(cx.waker()))
    }
}

impl Drop for Runner {
    /// Before its end: the runtime goes down.
    fn drop(&mut self) {
        remembered::forget();
        if mem::replace(&mut self.seat.stage, Stage::Over) != Stage::Over {
            self.carriers.go_down();
        }
    }
}
