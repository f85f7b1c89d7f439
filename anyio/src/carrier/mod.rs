//! Carriers: few tasks of the runtime, within which the tasks of groups are polled.
//!
//! A task of its own costs a runtime more than most tasks do: memory, a place in its lists, and the end of it. Where the
//! backend allows it ([`Sharing`]), a group's task is put into the queue of its runtime's carriers instead. Here is the
//! queue, and who is woken for it; `queue` is in order of readiness, and a task is in it, or with a carrier, at most once
//! ([`Exclusive`]).
//!
//! During its turn a carrier has a batch of the queue with it, and so it has those who are woken or spawned in its thread
//! ([`push_here`]): without the lock that all want. Where there is one thread nobody else needs to find them; where there
//! are more they lie in a [`List`]. After the turn everything is back in the queue.
//!
//! # Invariants
//!
//! 1. **On its way.** While a task is in the queue or in a list, a carrier is being polled in the only thread there is, or
//!    one is on its way to be polled (`coming`). Where there are more threads two are on their way if there is work for
//!    two: a runtime may keep the task that was woken last for the thread that woke it, which may be blocked. For the same
//!    reason nobody relies on one that is `late`: unless the thread that had called it has called, after it, the one that
//!    came first. How many come is known without the lock, too ([`Carriers::publish`]). One that yields counts as on its way,
//!    although tokio keeps it for the thread in which it yielded: should that thread be blocked just then, and have called
//!    the other one, both are held up until somebody has work for carriers or another thread looks for some.
//! 2. **Turns.** A carrier polls at most [`BATCH`] tasks, and none any more when the runtime finds it has done enough,
//!    before it lets others have their turn. A task that was woken while it was polled, as one that yields is, is polled
//!    again after that; where there are more threads it may be by another carrier, so that it does not wait for a thread
//!    that is blocked. At the end of the turn those who were taken from the queue and not polled are again the first in it,
//!    and those who were woken since are the last: however often some wake each other, others have their turn.
//! 3. **Nobody is kept.** A carrier that finds nothing in the queue takes half of what another one has. Those who always
//!    find something look, as their turns begin, whether another one has polled nothing since the last look, and put what
//!    it has into the queue.
//! 4. **The end.** The runtime goes down by dropping a carrier. From then on every task is dropped instead of polled, by
//!    whoever finds it in the queue first, one after another; what is in lists is put there, and nobody is put into them any
//!    more. All tasks of the groups that are known in `groups`, and those that such a group has left behind (`orphans`),
//!    are put there; whoever is being polled meanwhile is by its carrier.
//! 5. **No locks.** While the lock is held nothing is woken, dropped, spawned or polled. The lock of a list may be taken
//!    under it, not the other way round.

mod exclusive;
mod hands;
#[cfg(all(test, anyio_loom))]
mod model;
mod runner;

use std::collections::VecDeque;
use std::iter;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::task::Waker;

use anyio_core::{Backend, Sharing, Task};
use slab::Slab;

pub(crate) use self::exclusive::{Exclusive, Turn, Vacant, downcast, take_turn};
pub(crate) use self::hands::Home;
use self::hands::{List, Thread, push_here};
use self::runner::Runner;
use crate::runtime::Runtime;
use crate::tree::{AtomicBool, AtomicUsize, Link, Mutex, MutexGuard, Node, Ordering, wake};
use crate::unit::discard;

/// How many polls make a carrier's turn: about as many as tokio's workers make between two looks at timers and sockets.
const BATCH: usize = 64;

/// How many carriers wait for work; more than these end when there is none.
const KEPT: usize = 4;

/// How many carriers may be late. A runtime has as many threads that are blocked, or more to do than it can.
const LATE: usize = 16;

/// A task that is carried.
pub(crate) trait Carry: Send + Sync {
    /// Gives the task its turn; gives it back if it is to be queued again.
    fn carry(self: Arc<Self>) -> Option<Arc<dyn Carry>>;

    /// Drops the task instead.
    fn abandon(self: Arc<Self>);

    /// The runtime that it runs on.
    fn runtime(&self) -> &Runtime;
}

/// The carriers of a runtime, and what they have to do.
pub(crate) struct Carriers {
    /// How many carriers should be on their way while there is enough to do.
    ahead: usize,
    /// How many carriers are on their way, and whether several are at work, as `state` has it: see [`Self::publish`].
    crew: AtomicUsize,
    /// Whether the runtime goes down, as `state` has it.
    is_down: AtomicBool,
    state: Mutex<State>,
}

/// What [`Carriers::crew`] has besides the number of those that are on their way.
const SEVERAL_AT_WORK: usize = 1 << 16;

struct State {
    /// The tasks that are to be polled.
    queue: VecDeque<Arc<dyn Carry>>,
    /// The carriers that wait for work, and their numbers.
    idle: Vec<(usize, Waker)>,
    /// How many carriers there have been.
    hired: usize,
    /// The numbers of the carriers that were spawned or woken, or yield, and have not been polled since, in that order.
    coming: Vec<Coming>,
    /// Those of them that nobody relies on any more, as a later one has come first, or one has found nothing to do.
    late: Vec<usize>,
    /// How many carriers are being polled.
    working: usize,
    /// The lists of those, where others may help themselves.
    lists: Vec<Listed>,
    /// Invariant 4.
    is_down: bool,
    /// Whether somebody is dropping what is in the queue.
    is_dropping: bool,
    /// Whether nobody will ever need the carriers again.
    is_over: bool,
    /// Groups in which a task waits, or has waited, and whose owners are not carried themselves.
    groups: Slab<Weak<Node>>,
    /// Tasks that their groups have left behind.
    orphans: Vec<Weak<Node>>,
}

/// A carrier that is on its way.
struct Coming {
    number: usize,
    /// The thread that has called it, if one has and it does not come by itself.
    caller: Option<Thread>,
}

/// The list of a carrier that is being polled.
struct Listed {
    list: Arc<List>,
    /// What it had polled when another one looked last.
    polled: Option<usize>,
}

/// Who is to come, as the lock must be free for it.
enum Summons {
    /// One that has waited.
    Waiting(Waker),
    /// A new one, and its number.
    New(usize),
}

impl Carriers {
    pub(crate) fn new(sharing: Sharing) -> Option<Arc<Self>> {
        let ahead = match sharing {
            Sharing::OneThread => 1,
            Sharing::ManyThreads => 2,
            _ => return None,
        };
        let state = State {
            queue: VecDeque::new(),
            idle: Vec::new(),
            hired: 0,
            coming: Vec::new(),
            late: Vec::new(),
            working: 0,
            lists: Vec::new(),
            is_down: false,
            is_dropping: false,
            is_over: false,
            groups: Slab::new(),
            orphans: Vec::new(),
        };
        let (crew, is_down) = (AtomicUsize::new(0), AtomicBool::new(false));
        Some(Arc::new(Carriers { ahead, crew, is_down, state: Mutex::new(state) }))
    }

    /// Has a task polled: by the carrier that is being polled in this thread, if there is one, or by any.
    #[inline]
    pub(crate) fn push(self: &Arc<Self>, task: Arc<dyn Carry>, runtime: &Runtime) {
        if let Err(task) = push_here(self.home(), task) {
            self.queue(task, runtime);
        }
    }

    /// Puts a task into the queue.
    #[inline]
    pub(crate) fn queue(self: &Arc<Self>, task: Arc<dyn Carry>, runtime: &Runtime) {
        let mut state = self.lock();
        state.queue.push_back(task);
        let summons = self.summons(&mut state, 0);
        let is_left = state.is_left();
        drop(state);
        if let Some(summons) = summons {
            self.summon(summons, runtime);
        }
        if is_left {
            self.drop_queued();
        }
    }

    /// Puts tasks into the queue in one go.
    fn queue_all(self: &Arc<Self>, tasks: Vec<Arc<dyn Carry>>, runtime: &Runtime) {
        let mut state = self.lock();
        state.queue.extend(tasks);
        let summons: Vec<_> = iter::from_fn(|| self.summons(&mut state, 0)).collect();
        let is_left = state.is_left();
        drop(state);
        summons.into_iter().for_each(|summons| self.summon(summons, runtime));
        if is_left {
            self.drop_queued();
        }
    }

    /// By what the tasks know where they belong.
    pub(crate) fn home(self: &Arc<Self>) -> Home {
        Home::of(self)
    }

    /// Whether one thread polls all carriers.
    fn is_single(&self) -> bool {
        self.ahead == 1
    }

    /// Whether invariant 1 needs another carrier to come, also for `more` tasks; if so it is counted.
    #[inline]
    fn summons(&self, state: &mut State, more: usize) -> Option<Summons> {
        let ahead = self.ahead - usize::from(self.is_single() && state.working > 0);
        let coming = state.coming.len();
        if coming >= ahead || state.is_down || coming >= state.work(ahead, more) {
            return None;
        }
        let (number, summons) = match state.idle.pop() {
            Some((number, waker)) => (number, Summons::Waiting(waker)),
            None => {
                state.hired += 1;
                (state.hired, Summons::New(state.hired))
            }
        };
        state.coming.push(Coming { number, caller: Some(Thread::current()) });
        self.publish(state);
        Some(summons)
    }

    /// Says how many are on their way, to those who have put a task into the list of a carrier.
    ///
    /// Whoever makes them fewer looks into all lists afterwards. So either it finds the task; or it has looked into that
    /// list before the task was there, and then whoever brings the task, having had the lock of the list later, sees here
    /// that there are fewer.
    #[inline]
    fn publish(&self, state: &State) {
        if !self.is_single() {
            let several = if state.working > 1 { SEVERAL_AT_WORK } else { 0 };
            self.crew.store(state.coming.len() | several, Ordering::Relaxed);
        }
    }

    /// Whether enough are on their way while `count` tasks are in a list. If it is not sure, the answer is no.
    #[inline]
    fn are_enough_for(&self, count: usize) -> bool {
        let crew = self.crew.load(Ordering::Relaxed);
        let needed = if crew >= SEVERAL_AT_WORK { self.ahead } else { self.ahead.min(count) };
        count == 0 || crew % SEVERAL_AT_WORK >= needed
    }

    /// Has as many come as invariant 1 needs for what is in a list, if it still is.
    #[cold]
    fn call_for_more(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            // Whose list it is may empty it at any time.
            let Some(runtime) = state.waiting() else { return };
            let summons = self.summons(&mut state, 0);
            drop(state);
            match summons {
                Some(summons) => self.summon(summons, &runtime),
                None => return,
            }
        }
    }

    #[cold]
    fn summon(self: &Arc<Self>, summons: Summons, runtime: &Runtime) {
        match summons {
            Summons::Waiting(waker) => wake(Some(waker)),
            Summons::New(number) => runtime.backend().spawn(Task::new(Runner::new(self.clone(), number))),
        }
    }

    /// Makes a group known until the guard is dropped. If the runtime has gone down its tasks are woken, to be dropped.
    pub(crate) fn register(self: &Arc<Self>, group: &Link) -> Registered {
        let mut state = self.lock();
        let key = state.groups.insert(Arc::downgrade(group));
        let is_down = state.is_down;
        drop(state);
        if is_down {
            group.wake_tasks();
        }
        Registered { carriers: Arc::downgrade(self), key }
    }

    /// Makes tasks known whose group does not list them any more.
    pub(crate) fn keep_in_sight<'a>(&self, tasks: impl Iterator<Item = &'a Link>) {
        let mut state = self.lock();
        let orphans = &mut state.orphans;
        for task in tasks {
            if orphans.len() == orphans.capacity() {
                orphans.retain(|orphan| orphan.strong_count() > 0);
                orphans.reserve(orphans.len() + 1);
            }
            orphans.push(Arc::downgrade(task));
        }
        let orphans = if state.is_down { mem::take(&mut state.orphans) } else { Vec::new() };
        drop(state);
        wake_all(orphans);
    }

    /// The runtime goes down.
    fn go_down(&self) {
        let mut state = self.lock();
        state.is_down = true;
        self.is_down.store(true, Ordering::Relaxed);
        let State { lists, queue, .. } = &mut *state;
        lists.iter().for_each(|listed| listed.list.close(queue));
        let idle = mem::take(&mut state.idle);
        let groups: Vec<_> = state.groups.iter().filter_map(|(_, group)| group.upgrade()).collect();
        let orphans = state.orphans.clone();
        drop(state);
        drop(idle);
        groups.into_iter().for_each(|group| group.wake_tasks());
        wake_all(orphans);
        self.drop_queued();
    }

    /// Drops the tasks in the queue, if nobody else does.
    fn drop_queued(&self) {
        if mem::replace(&mut self.lock().is_dropping, true) {
            return;
        }
        while let Some(task) = self.next_to_drop() {
            let dropped = catch_unwind(AssertUnwindSafe(|| task.abandon()));
            dropped.unwrap_or_else(discard);
        }
    }

    fn next_to_drop(&self) -> Option<Arc<dyn Carry>> {
        let mut state = self.lock();
        let task = state.queue.pop_front();
        state.is_dropping = task.is_some();
        task
    }

    /// Nobody will need the carriers any more.
    fn dismiss(&self) {
        let mut state = self.lock();
        state.is_over = true;
        let idle = mem::take(&mut state.idle);
        drop(state);
        idle.into_iter().for_each(|(_, waker)| wake(Some(waker)));
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// Has a task polled that was launched before: in this thread, if a carrier of its runtime is being polled here.
#[inline]
pub(crate) fn push(home: Home, task: Arc<dyn Carry>) {
    if let Err(task) = push_here(home, task) {
        // It may be polled to its end, and dropped, before all is done here.
        let kept = task.clone();
        let runtime = kept.runtime();
        carriers_of(runtime).queue(task, runtime);
    }
}

/// Has tasks polled that were launched before, on the same runtime.
pub(crate) fn push_all(tasks: Vec<Arc<dyn Carry>>) {
    if let Some(first) = tasks.first() {
        let runtime = first.runtime().clone();
        carriers_of(&runtime).queue_all(tasks, &runtime);
    }
}

fn carriers_of(runtime: &Runtime) -> &Arc<Carriers> {
    runtime.carriers().expect("a task that is carried was launched by carriers")
}

fn wake_all(orphans: Vec<Weak<Node>>) {
    orphans.into_iter().filter_map(|orphan| orphan.upgrade()).for_each(|orphan| orphan.wake_up());
}

impl State {
    /// How many tasks wait, with `more` that are nowhere yet, if they are not more than `most`.
    fn work(&self, most: usize, more: usize) -> usize {
        let mut work = self.queue.len() + more;
        for listed in &self.lists {
            if work >= most {
                break;
            }
            work += listed.list.with(|tasks| tasks.len());
        }
        work.min(most)
    }

    /// The lists of all that are at work but this one.
    fn others(&self, list: &Arc<List>) -> impl Iterator<Item = &Arc<List>> {
        self.lists.iter().map(|listed| &listed.list).filter(move |other| !Arc::ptr_eq(other, list))
    }

    /// Puts into the queue what those have who have not gone on since the last look: they may be blocked, and the others
    /// may always have enough of their own.
    fn relieve_blocked(&mut self) {
        for listed in &mut self.lists {
            listed.list.with(|tasks| {
                let polled = Some(tasks.polled());
                if mem::replace(&mut listed.polled, polled) == polled {
                    tasks.leave_to(&mut self.queue);
                }
            });
        }
    }

    /// The runtime, if a task waits.
    fn waiting(&self) -> Option<Runtime> {
        let runtime_of = |task: &Arc<dyn Carry>| task.runtime().clone();
        let queued = self.queue.front().map(runtime_of);
        queued.or_else(|| self.lists.iter().find_map(|listed| listed.list.with(|tasks| tasks.front().map(runtime_of))))
    }

    /// Notes that a carrier has come, if it was expected. Whoever should have come before it is not relied on any more, but
    /// for those that the same thread has called: it cannot have kept them, as it called this one after them.
    fn has_come(&mut self, number: usize) -> bool {
        let Some(index) = self.coming.iter().position(|coming| coming.number == number) else { return false };
        let caller = self.coming.remove(index).caller;
        if index > 0 {
            self.give_up(index, |coming| caller.is_none() || coming.caller != caller);
        }
        true
    }

    /// Relies no longer on those of the first `count` on their way that are `held_up`.
    fn give_up(&mut self, count: usize, mut held_up: impl FnMut(&Coming) -> bool) {
        let mut places = count.min(self.coming.len());
        let mut index = 0;
        while places > 0 && self.late.len() < LATE {
            places -= 1;
            if held_up(&self.coming[index]) {
                self.late.push(self.coming.remove(index).number);
            } else {
                index += 1;
            }
        }
    }

    /// Whether enough carriers are about that one more would only be in their way.
    fn is_crowded(&self) -> bool {
        self.coming.len() + self.late.len() > KEPT
    }

    /// Whether nobody cares for what is in the queue.
    fn is_left(&self) -> bool {
        self.is_down && !self.is_dropping
    }
}

/// A group that is known to the carriers of its runtime.
pub(crate) struct Registered {
    carriers: Weak<Carriers>,
    key: usize,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(carriers) = self.carriers.upgrade() {
            let group = carriers.lock().groups.try_remove(self.key);
            drop(group);
        }
    }
}

/// The carriers, for as long as their runtime is used by anyone.
pub(crate) struct Employed(Option<Arc<Carriers>>);

impl Employed {
    pub(crate) fn by(backend: &dyn Backend) -> Self {
        Employed(Carriers::new(backend.sharing()))
    }

    /// For a runtime whose tasks are not to be carried.
    pub(crate) fn nobody() -> Self {
        Employed(None)
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&Arc<Carriers>> {
        self.0.as_ref()
    }
}

impl Drop for Employed {
    fn drop(&mut self) {
        self.0.iter().for_each(|carriers| carriers.dismiss());
    }
}
