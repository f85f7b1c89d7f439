//! Carriers: few tasks of the runtime, within which the tasks of groups are polled.
//!
//! A task of its own costs a runtime more than most tasks do: memory, a place in its lists, and the end of it. Where the
//! backend allows it ([`Sharing`]), a group's task is put into the queue of its runtime's carriers instead. Here is the
//! queue, and who is woken for it; `queue` is in order of readiness, and a task is in it, or with a carrier, at most once
//! ([`Exclusive`]).
//!
//! Where there is one thread a carrier has a batch of the queue with it during its turn, and so it has those who are woken
//! or spawned in its thread ([`push_here`]): without the lock that all want. After the turn everything is back in the queue.
//! Where there are more threads they lie in a [`List`], where others find them, and stay there over the turns of the carrier
//! for as long as it yields and does not rest: so a task stays on its core, and the queue has those who are woken elsewhere.
//!
//! # Invariants
//!
//! 1. **On its way.** While a task is in the queue or in a list, a carrier is being polled in the only thread there is, or
//!    one is on its way to be polled (`coming`). Where there are more threads, the thread in which something is woken or
//!    polled may be blocked by it, and it may keep from the others ([`Keeper`]) the carriers that have yielded in it, as
//!    tokio wakes those when the thread has nothing else to do, and the one that it has called last, for which tokio has a
//!    slot of its own. Therefore a task is polled only when one is on its way whom nobody may keep, or nothing else waits in
//!    the list of that thread; so it is when something is put there, but for the only one in it: that may be kept if nobody
//!    but this thread comes for it, as tokio keeps whom a task has woken last. What is put into the queue has one coming whom
//!    no other thread than this one may keep. A thread that calls another carrier keeps none that it has called before. When
//!    one finds nothing to do, those who may be kept are not relied on any more: what comes is news to them. Nobody need come
//!    once [`MANY`] are on their way. Who comes is known without the lock, too ([`Carriers::publish`]).
//! 2. **Turns.** A carrier polls at most [`BATCH`] tasks, and none any more when the runtime finds it has done enough,
//!    before it lets others have their turn. A task that was woken while it was polled, as one that yields is, is polled
//!    again after that. Where there is one thread, those who were taken from the queue and not polled are the first in it at
//!    the end of the turn, and those who were woken since are the last. Where there are more, a turn has as many such pieces
//!    as begin within some microseconds ([`Shift`](shift::Shift)): so much longer do the runtime's other tasks, its timers
//!    and sockets wait than for one piece, also for one that yields until another task has done something. As a piece
//!    begins, those in the queue are put into the list, behind those that were ready in it, and before those who have
//!    yielded: at least as many as a piece polls, and half of them. However often some wake each other, others have their
//!    turn.
//! 3. **Nobody is kept.** A carrier that finds nothing in the queue takes half of what another one has, and all look, once in
//!    so many pieces ([`LOOK`]), whether another one has polled nothing since the last look, and put what it has into the
//!    queue.
//! 4. **One yields in a thread.** A carrier that comes to a thread in which another one has yielded, and has nothing with
//!    it, rests at once: what there is is left to the other one, as this thread is not blocked. It does not yield there
//!    either. So the thread has nothing of ours to do after the turn of one, and looks at its timers and sockets; and there
//!    are not many more carriers than threads.
//! 5. **The end.** The runtime goes down by dropping a carrier. From then on every task is dropped instead of polled, by
//!    whoever finds it in the queue first, one after another; what is in lists is put there, also in those of carriers that
//!    yield, and nobody is put into them any more. All tasks of the groups that are known in `groups`, and those that such a
//!    group has left behind (`orphans`), are put there; whoever is being polled meanwhile is by its carrier.
//! 6. **No locks.** While the lock is held nothing is woken, dropped, spawned or polled. The lock of a list may be taken
//!    under it, not the other way round. Into a list nobody puts anything but the carrier whose list it is, and those whom
//!    this carrier polls: it knows without a lock that its list is empty, while the others ask under its lock.

mod exclusive;
mod hands;
#[cfg(all(test, anyio_loom))]
mod model;
mod remembered;
mod runner;
mod shift;

use std::collections::VecDeque;
use std::iter;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::task::Waker;

use anyio_core::{Backend, Sharing, Task};
use slab::Slab;

pub(crate) use self::exclusive::{Exclusive, Turn, downcast, take_turn};
pub(crate) use self::hands::Home;
use self::hands::{List, Thread, push_here};
use self::runner::Runner;
use crate::runtime::Runtime;
use crate::tree::{AtomicBool, AtomicUsize, Link, Mutex, MutexGuard, Node, Ordering, wake};
use crate::unit::discard;

/// How many polls make a carrier's turn, or a piece of it: about as many as tokio's workers make between two looks at timers
/// and sockets.
const BATCH: usize = 64;

/// In how many pieces of its turns a carrier looks once whether another one is blocked.
const LOOK: usize = 16;

/// How many carriers wait for work; more than these end when there is none.
const KEPT: usize = 4;

/// With so many on their way no more are called: a runtime has as many threads that are blocked, or more to do than it can.
const MANY: usize = 16;

/// A task that is to be polled. Whoever has it as such has the right to give it a turn, as nobody else has
/// ([`Exclusive`]).
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
    /// Whether one thread polls all carriers.
    is_single: bool,
    /// How many carriers are on their way, and whether one of them is free, as `state` has it: see [`Self::publish`].
    crew: AtomicUsize,
    /// Whether the runtime goes down, as `state` has it.
    is_down: AtomicBool,
    state: Mutex<State>,
}

/// What [`Carriers::crew`] has besides the number of those that are on their way.
const ONE_IS_FREE: usize = 1 << 16;

struct State {
    /// The tasks that are to be polled.
    queue: VecDeque<Arc<dyn Carry>>,
    /// The carriers that wait for work, and their numbers.
    idle: Vec<(usize, Waker)>,
    /// How many carriers there have been.
    hired: usize,
    /// The carriers that were spawned or woken, or yield, and have not been polled since.
    coming: Vec<Coming>,
    /// How many carriers are being polled.
    working: usize,
    /// The lists of those, and of those that yield, where others may help themselves.
    lists: Vec<Listed>,
    /// Invariant 5.
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
    keeper: Keeper,
    /// Whether nobody has found since that there is nothing to do. It may be kept for long then, and what comes must not
    /// rely on it.
    is_news: bool,
}

/// Who may keep a carrier from being polled that is on its way, by being blocked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeper {
    /// Nobody: any thread that looks for work finds it.
    Nobody,
    /// The thread that has called it, and nobody since.
    Caller(Thread),
    /// The thread in which it has yielded.
    Yielded(Thread),
}

/// The list of a carrier that has been polled.
struct Listed {
    list: Arc<List>,
    /// What it had polled when another one looked last.
    polled: Option<usize>,
}

impl Listed {
    fn new(list: Arc<List>) -> Self {
        Listed { list, polled: None }
    }
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
        let is_single = match sharing {
            Sharing::OneThread => true,
            Sharing::ManyThreads => false,
            _ => return None,
        };
        let state = State {
            queue: VecDeque::new(),
            idle: Vec::new(),
            hired: 0,
            coming: Vec::new(),
            working: 0,
            lists: Vec::new(),
            is_down: false,
            is_dropping: false,
            is_over: false,
            groups: Slab::new(),
            orphans: Vec::new(),
        };
        let (crew, is_down) = (AtomicUsize::new(0), AtomicBool::new(false));
        Some(Arc::new(Carriers { is_single, crew, is_down, state: Mutex::new(state) }))
    }

    /// Has a task polled: by the carrier that is being polled in this thread, if there is one, or by any.
    #[inline]
    pub(crate) fn push(self: &Arc<Self>, task: Arc<dyn Carry>, runtime: &Runtime) {
        if let Err(task) = push_here(self.home(), task) {
            self.queue(task, Some(runtime));
        }
    }

    /// Puts a task into the queue, of this runtime if that is at hand.
    #[inline]
    fn queue(self: &Arc<Self>, task: Arc<dyn Carry>, runtime: Option<&Runtime>) {
        let mut state = self.lock();
        state.queue.push_back(task);
        let summons = self.summons(&mut state, 1);
        let is_more_needed = summons.is_some() && !self.are_enough(&state, 1);
        let is_left = state.is_left();
        let needs_runtime = runtime.is_none() && matches!(summons, Some(Summons::New(_)));
        let found = if needs_runtime { state.waiting() } else { None };
        drop(state);
        if let Some(summons) = summons {
            self.summon(summons, runtime.or(found.as_ref()));
        }
        if is_more_needed {
            self.call_for_more(1);
        }
        if is_left {
            self.drop_queued();
        }
    }

    /// Puts tasks into the queue in one go.
    fn queue_all(self: &Arc<Self>, tasks: Vec<Arc<dyn Carry>>, runtime: &Runtime) {
        let mut state = self.lock();
        state.queue.extend(tasks);
        let summons: Vec<_> = iter::from_fn(|| self.summons(&mut state, 1)).collect();
        let is_left = state.is_left();
        drop(state);
        summons.into_iter().for_each(|summons| self.summon(summons, Some(runtime)));
        if is_left {
            self.drop_queued();
        }
    }

    /// By what the tasks know where they belong.
    pub(crate) fn home(self: &Arc<Self>) -> Home {
        Home::of(self)
    }

    /// Whether invariant 1 needs another carrier to come, where this thread may keep `own` tasks for itself; if so it is
    /// counted.
    #[inline]
    fn summons(&self, state: &mut State, own: usize) -> Option<Summons> {
        if state.is_down || self.are_enough(state, own) {
            return None;
        }
        let (number, summons) = match state.idle.pop() {
            Some((number, waker)) => (number, Summons::Waiting(waker)),
            None => {
                state.hired += 1;
                (state.hired, Summons::New(state.hired))
            }
        };
        state.expect(number, Keeper::Caller(Thread::current()));
        self.publish(state);
        Some(summons)
    }

    /// Whether as many are on their way as invariant 1 needs.
    #[inline]
    fn are_enough(&self, state: &State, own: usize) -> bool {
        if self.is_single {
            return state.working > 0 || !state.coming.is_empty() || state.queue.is_empty();
        }
        state.are_enough(own)
    }

    /// Says who are on their way, to those who have put a task into the list of a carrier.
    ///
    /// Whoever makes them fewer looks into all lists afterwards. So either it finds the task; or it has looked into that
    /// list before the task was there, and then whoever brings the task, having had the lock of the list later, sees here
    /// that there are fewer.
    #[inline]
    fn publish(&self, state: &State) {
        if !self.is_single {
            let is_free = state.coming.iter().any(|coming| coming.keeper == Keeper::Nobody);
            let free = if is_free { ONE_IS_FREE } else { 0 };
            let count = state.coming.iter().filter(|coming| coming.is_news).count();
            self.crew.store(count | free, Ordering::Relaxed);
        }
    }

    /// Whether enough are on their way while `count` tasks are in the list of this thread, of which it may keep `own` for
    /// itself. If it is not sure, the answer is no.
    #[inline]
    fn are_enough_for(&self, count: usize, own: usize) -> bool {
        let crew = self.crew.load(Ordering::Relaxed);
        count == 0 || crew >= ONE_IS_FREE || count <= own && crew > 0
    }

    /// Has as many come as invariant 1 needs for what is in a list, if it still is.
    #[cold]
    fn call_for_more(self: &Arc<Self>, own: usize) {
        loop {
            let mut state = self.lock();
            // Whose list it is may empty it at any time.
            let Some(runtime) = state.waiting() else { return };
            let summons = self.summons(&mut state, own);
            drop(state);
            match summons {
                Some(summons) => self.summon(summons, Some(&runtime)),
                None => return,
            }
        }
    }

    #[cold]
    fn summon(self: &Arc<Self>, summons: Summons, runtime: Option<&Runtime>) {
        match summons {
            Summons::Waiting(waker) => remembered::call(waker),
            Summons::New(number) => {
                let runtime = runtime.expect("something waits, which has one");
                runtime.backend().spawn(Task::new(Runner::new(self.clone(), number)));
            }
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
        // Not those of the task: it may be polled to its end, and dropped, before all is done here.
        let carriers = remembered::carriers_at(home, &*task);
        carriers.queue(task, None);
        remembered::give_back(home, carriers);
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

impl Coming {
    /// Whether nobody but this thread may keep it.
    fn is_of(&self, thread: Thread) -> bool {
        self.is_news && (self.keeper == Keeper::Caller(thread) || self.keeper == Keeper::Yielded(thread))
    }
}

impl State {
    /// How many tasks wait, if they are not more than `most`.
    fn work(&self, most: usize) -> usize {
        let mut work = self.queue.len();
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
    fn relieve_blocked(&mut self, list: &Arc<List>) {
        for listed in self.lists.iter_mut().filter(|listed| !Arc::ptr_eq(&listed.list, list)) {
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

    /// [`Carriers::are_enough`] where there are more threads.
    fn are_enough(&self, own: usize) -> bool {
        if self.coming.iter().any(|coming| coming.keeper == Keeper::Nobody) || self.coming.len() >= MANY {
            return true;
        }
        let work = self.work(own + 1);
        work == 0 || work <= own && self.coming.iter().any(|coming| coming.is_of(Thread::current()))
    }

    /// Notes that a carrier is on its way. A thread that calls another one keeps none of those it has called before.
    fn expect(&mut self, number: usize, keeper: Keeper) {
        if let Keeper::Caller(_) = keeper {
            let before = self.coming.iter_mut().filter(|coming| coming.keeper == keeper);
            before.for_each(|coming| coming.keeper = Keeper::Nobody);
        }
        self.coming.push(Coming { number, keeper, is_news: true });
    }

    /// Notes that a carrier has come; says if it was expected.
    fn has_come(&mut self, number: usize) -> bool {
        let Some(index) = self.coming.iter().position(|coming| coming.number == number) else { return false };
        let last = self.coming.len() - 1;
        if index < last {
            self.coming.swap(index, last);
        }
        self.coming.truncate(last);
        true
    }

    /// Relies no longer on those who are on their way and may be kept: there is nothing to do, as it seems.
    fn rely_on_nobody(&mut self) {
        self.coming.iter_mut().for_each(|coming| coming.is_news = false);
    }

    /// Whether a carrier has yielded in this thread, and was not polled since.
    fn one_yields_here(&self) -> bool {
        let yielded = Keeper::Yielded(Thread::current());
        self.coming.iter().any(|coming| coming.keeper == yielded)
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
