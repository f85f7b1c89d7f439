//! What is current during this poll: the innermost node, and how much may be done before others get a turn.
//!
//! The context exists only while one of anyio's futures is being polled or dropped. It is kept in the thread for that
//! long and put back by a guard, also on a panic; nothing is kept across an `.await`, so futures stay `Send`.
//!
//! A timeout has no node of its own as long as nobody needs one: while it is being polled its deadline stands here, and
//! whoever asks for the current node, to stand below it, makes one.

mod bare;

use std::cell::Cell;
use std::mem::{self, ManuallyDrop};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

pub(crate) use self::bare::Bare;
use crate::reminder::BackendId;
use crate::runtime::{NoBackend, Runtime};
use crate::task_group::TaskId;
use crate::tree::{Link, Node, Place, Role};

/// What is found if a link that was put somewhere is not there any more.
const AS_IT_WAS: &str = "a poll leaves the current node as it was";

/// What may be spent in a task before it steps aside once (law X5).
const BUDGET: u32 = 2048;

/// What an operation costs that begins.
const OPERATION: u32 = 16;

/// What a timeout costs that begins: little, as what is done inside it has its own price, and as to step aside costs some
/// hundred times more in a runtime with several threads.
const TIMEOUT: u32 = 1;

/// For how long timeouts go on beginning when the budget is used up and the task is not cancelled: one that does nothing
/// else would spend a sixth of its time on stepping aside.
const OVERTIME: Duration = Duration::from_millis(2);

/// After how many timeouts the clock is looked at meanwhile.
const OVERTIME_BUDGET: u32 = 1024;

thread_local! {
    // Needs no destructor, which every look at it would have to ask for.
    static HERE: Here = const {
        Here {
            link: ManuallyDrop::new(Cell::new(None)),
            count: Cell::new(0),
            given: Cell::new(0),
            relied_on: Cell::new(0),
            hidden: Cell::new(0),
            budget: Cell::new(BUDGET),
            standing: Cell::new(Standing::new(false)),
        }
    };
}

/// What is current in this thread.
struct Here {
    /// The innermost node; none between polls, and so none to be dropped when the thread ends.
    link: ManuallyDrop<Cell<Option<Link>>>,
    /// How many timeouts are being polled that are [bare], or were when their poll began.
    count: Cell<usize>,
    /// How many of those have got a node since.
    given: Cell<usize>,
    /// On which of those another one has relied in this poll to be woken: a bit for each of the outermost ones.
    relied_on: Cell<u64>,
    /// How many of those stand around `link`, and not inside it.
    hidden: Cell<usize>,
    budget: Cell<u32>,
    standing: Cell<Standing>,
}

/// What a task does beyond its budget; in one word, as it is put aside at each poll. The lowest bit: it has stepped aside in
/// vain, being cancelled where something held it. The others: since when timeouts have gone on beginning although the budget
/// was used up, in microseconds since [`EPOCH`].
#[derive(Clone, Copy)]
struct Standing(u64);

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Standing {
    const fn new(is_overdue: bool) -> Self {
        Standing(is_overdue as u64)
    }

    #[inline]
    fn is_overdue(self) -> bool {
        self.0 & 1 != 0
    }

    fn in_overtime_since(self) -> Option<Duration> {
        Some(Duration::from_micros(self.0 >> 1)).filter(|since| !since.is_zero())
    }

    fn in_overtime(self, since: Duration) -> Self {
        let since = (since.as_micros() as u64).max(1);
        Standing(since << 1 | self.0 & 1)
    }
}

#[inline(always)]
fn here<R>(look: impl FnOnce(&Here) -> R) -> R {
    HERE.try_with(look).unwrap_or_else(|_| unreachable!("what has no destructor is always there"))
}

/// Makes the node of `slot` current until the guard is dropped; what was current is in the slot meanwhile. So no reference
/// is counted on the way.
#[inline]
pub(crate) fn enter(slot: &mut Option<Link>) -> Entered<'_> {
    let hidden = here(|here| here.swap(slot, here.count.get()));
    Entered { slot, hidden }
}

/// Runs something that does not panic with the node of `slot` as the current one.
#[inline]
pub(crate) fn within<R>(slot: &mut Option<Link>, run: impl FnOnce() -> R) -> R {
    here(|here| {
        let hidden = here.swap(slot, here.count.get());
        let result = run();
        here.swap(slot, hidden);
        result
    })
}

/// [`within`] for a node that is handed in and back by value: were it in a slot, it would be read there just after it was put
/// there in pieces.
#[inline]
pub(crate) fn within_lent<R>(link: Link, run: impl FnOnce() -> R) -> (R, Link) {
    here(|here| {
        let outer = here.link.replace(Some(link));
        let hidden = here.hidden.replace(here.count.get());
        let result = run();
        here.hidden.set(hidden);
        (result, here.link.replace(outer).expect(AS_IT_WAS))
    })
}

/// [`within_lent`] at the root of a task, which starts with a fresh budget; whether it is overdue is kept at its node.
#[inline]
pub(crate) fn within_task<R>(link: Link, run: impl FnOnce() -> R) -> (R, Link) {
    here(|here| {
        let was_overdue = link.is_overdue();
        let standing = Standing::new(was_overdue);
        let (budget, outer_standing) = (here.budget.replace(BUDGET), here.standing.replace(standing));
        let (result, link) = within_lent(link, run);
        let is_overdue = here.standing.replace(outer_standing).is_overdue();
        here.budget.set(budget);
        if is_overdue != was_overdue {
            link.set_overdue(is_overdue);
        }
        (result, link)
    })
}

impl Here {
    /// Makes what is in `slot` current, with all timeouts but the first `hidden` ones inside it, and puts there what was;
    /// gives how many were hidden.
    #[inline]
    fn swap(&self, slot: &mut Option<Link>, hidden: usize) -> usize {
        let inner = slot.take();
        mem::forget(mem::replace(slot, self.link.replace(inner)));
        self.hidden.replace(hidden)
    }
}

struct Borrowed<'a> {
    here: &'a Here,
    link: Option<Link>,
}

impl Drop for Borrowed<'_> {
    #[inline]
    fn drop(&mut self) {
        self.here.put_back(self.link.take());
    }
}

#[must_use]
pub(crate) struct Entered<'a> {
    slot: &'a mut Option<Link>,
    hidden: usize,
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        here(|here| here.swap(self.slot, self.hidden));
    }
}

/// Makes a timeout without a node current while `poll` runs, which must not panic; gives its node, if it has got one.
#[inline(always)]
pub(crate) fn inside_timeout(timeout: Bare, poll: impl FnOnce()) -> Option<Link> {
    here(|here| {
        let index = here.count.get();
        here.count.set(if bare::put(index, timeout) { index + 1 } else { index });
        poll();
        here.count.set(index);
        if here.given.get() == 0 { None } else { here.take_given(index) }
    })
}

/// Relies on the timeout around the code here, if it has no node, to have `waker` woken at this deadline or before; says whether
/// it can be relied on. That one asks [`is_relied_on`] at the end of its poll, and sees to it.
#[inline]
pub(crate) fn rely_on_timeout(deadline: Instant, waker: &Waker, backend: BackendId) -> bool {
    here(|here| {
        let is_relied_on = here.peek_timeout(|timeout| timeout.wakes(deadline, waker, backend)).unwrap_or(false);
        let bit = relied_on(here.count.get().wrapping_sub(1));
        if is_relied_on {
            here.relied_on.set(here.relied_on.get() | bit);
        }
        is_relied_on && bit != 0
    })
}

/// Whether another one relies on the timeout that was polled here just now. It tells once.
#[inline]
pub(crate) fn is_relied_on() -> bool {
    here(|here| {
        let (all, bit) = (here.relied_on.get(), relied_on(here.count.get()));
        let is_relied_on = all & bit != 0;
        if is_relied_on {
            here.relied_on.set(all & !bit);
        }
        is_relied_on
    })
}

/// The bit for the timeout at this place.
#[inline]
fn relied_on(index: usize) -> u64 {
    if index < u64::BITS as usize { 1 << index } else { 0 }
}

/// The backend of the timeout without a node around the code here, if there is one.
#[inline]
pub(crate) fn backend_of_timeout() -> Option<BackendId> {
    here(|here| here.peek_timeout(Bare::backend))
}

/// The innermost node of the poll that is going on in this thread.
pub(crate) fn current() -> Option<Link> {
    peek_closely(|link| link.cloned())
}

impl Here {
    /// Puts the node back that was taken from here. There is none meanwhile, and so none to be dropped: looking for one
    /// would take longer than all the rest, as the processor waits for what it has just written.
    #[inline]
    fn put_back(&self, link: Option<Link>) {
        mem::forget(self.link.replace(link));
    }

    /// Looks at the innermost timeout around the code here, if it has no node, and nor has one that is further out.
    #[inline]
    fn peek_timeout<R>(&self, look: impl FnOnce(&Bare) -> R) -> Option<R> {
        let count = self.count.get();
        if count <= self.hidden.get() || self.given.get() > 0 {
            return None;
        }
        Some(bare::look(count - 1, look))
    }

    /// The node here, which is put back also if whoever looks at it panics: it may be one that its task was only lent.
    #[inline]
    fn borrow(&self) -> Borrowed<'_> {
        Borrowed { here: self, link: self.link.take() }
    }

    /// Gives nodes to the timeouts around the code here that have none.
    fn give_nodes(&self) {
        if self.count.get() > self.hidden.get() {
            bare::without_node(self.hidden.get()..self.count.get()).for_each(|index| self.give_node(index));
        }
    }

    fn give_node(&self, index: usize) {
        let outer = peek(|link| link.cloned());
        let Some(node) = timeout_below(outer.as_ref(), bare::deadline(index)) else { return };
        bare::give(index, node.clone(), outer);
        self.given.set(self.given.get() + 1);
        self.link.set(Some(node));
    }

    /// The node that the timeout at this place has got, if it has; what was current outside of that is so again.
    #[cold]
    fn take_given(&self, index: usize) -> Option<Link> {
        let (link, outer) = bare::take_given(index)?;
        self.given.set(self.given.get() - 1);
        drop(self.link.replace(outer));
        Some(link)
    }
}

/// A timeout's node below `outer`, or at the top of the runtime that is found here.
fn timeout_below(outer: Option<&Link>, deadline: Option<Instant>) -> Option<Link> {
    let node: Link = Node::new(Role::Timeout, ());
    node.set_deadline(deadline);
    match outer {
        Some(outer) => node.link(outer.clone()),
        None => {
            let runtime = Runtime::current().ok()?;
            node.link_at(Place::at_home(runtime));
        }
    }
    Some(node)
}

/// Where a node stands that is made here: below the current one, or at the top of the runtime that is found here.
pub(crate) fn place() -> Result<Place, NoBackend> {
    if let Some(parent) = current() {
        return Ok(Place::inside(parent));
    }
    Runtime::current().map(Place::at_home)
}

/// Looks at the current node. `look` must not call into anyio.
#[inline]
pub(crate) fn peek<R>(look: impl FnOnce(Option<&Link>) -> R) -> R {
    here(|here| look(here.borrow().link.as_ref()))
}

/// [`peek`], with nodes for the timeouts around, since only at nodes a deadline is seen to pass during a poll.
pub(crate) fn peek_closely<R>(look: impl FnOnce(Option<&Link>) -> R) -> R {
    here(Here::give_nodes);
    peek(look)
}

/// Whether one of anyio's futures is being polled or dropped in this thread.
pub(crate) fn is_inside() -> bool {
    peek(|link| link.is_some()) || here(|here| here.count.get() > 0)
}

/// The task that is being polled, if it is one of anyio's.
pub(crate) fn task_id() -> Option<TaskId> {
    peek(|link| std::iter::successors(link, |link| link.enclosing()).find_map(|link| link.ext.task()))
}

/// Spends a part of the budget; when it is used up, steps aside once before anything is done.
///
/// A cancelled task that did so under a shield or the like, where nobody may drop it, does it again as soon as it is out
/// of there: a loop whose turns always end under a shield would never be cut short otherwise.
#[inline]
pub(crate) fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    poll_spend(OPERATION, cx)
}

/// [`poll_budget`] for the beginning of a timeout.
pub(crate) fn poll_budget_of_timeout(cx: &mut Context<'_>) -> Poll<()> {
    poll_spend(TIMEOUT, cx)
}

#[inline]
fn poll_spend(cost: u32, cx: &mut Context<'_>) -> Poll<()> {
    let spent = here(|here| match here.budget.get() {
        left if left >= cost && !here.standing.get().is_overdue() => {
            here.budget.set(left - cost);
            true
        }
        _ => false,
    });
    if spent { Poll::Ready(()) } else { poll_exhausted(cost, cx) }
}

/// [`poll_budget`], if nothing around is cancelled and nothing keeps an operation from beginning; `false`: it has to be
/// looked at more closely. Looks at the context once.
#[inline]
pub(crate) fn try_spend() -> bool {
    here(|here| {
        let is_eff = here.borrow().link.as_ref().is_some_and(|link| link.is_eff());
        match here.budget.get() {
            left if left >= OPERATION && !is_eff && !here.standing.get().is_overdue() => {
                here.budget.set(left - OPERATION);
                true
            }
            _ => false,
        }
    })
}

/// [`poll_budget_of_timeout`], if nothing keeps it from beginning, and a look at the runtime of the node here, if there is
/// one; `None`: it has to be looked at more closely. `look` must not call into anyio.
#[inline]
pub(crate) fn try_begin_timeout<R>(look: impl FnOnce(&Runtime) -> R) -> Option<Option<R>> {
    here(|here| {
        let left = here.budget.get();
        if left < TIMEOUT || here.standing.get().is_overdue() {
            return None;
        }
        here.budget.set(left - TIMEOUT);
        Some(here.borrow().link.as_ref().and_then(|link| link.try_runtime()).map(look))
    })
}

#[cold]
fn poll_exhausted(cost: u32, cx: &mut Context<'_>) -> Poll<()> {
    let (left, is_overdue) = here(|here| (here.budget.get(), here.standing.get().is_overdue()));
    let is_free = || peek(|link| link.is_some_and(|link| link.doomed_by().is_some()));
    if left >= cost && !(is_overdue && is_free()) {
        here(|here| here.budget.set(left - cost));
        return Poll::Ready(());
    }
    if cost == TIMEOUT && !is_overdue && !is_free() && is_within_overtime() {
        here(|here| here.budget.set(OVERTIME_BUDGET - cost));
        return Poll::Ready(());
    }
    let is_overdue = peek(|link| link.is_some_and(|link| link.is_held_back()));
    here(|here| {
        here.standing.set(Standing::new(is_overdue));
        here.budget.set(BUDGET);
    });
    step_aside(cx);
    Poll::Pending
}

/// Whether timeouts may go on beginning although the budget is used up, by a clock that is the system's; the first time, from
/// now on.
fn is_within_overtime() -> bool {
    let now = Runtime::with_current(|runtime| runtime.is_always_real().then(|| runtime.now()));
    let Ok(Some(now)) = now else { return false };
    let now = now.saturating_duration_since(*EPOCH);
    here(|here| {
        let standing = here.standing.get();
        let since = standing.in_overtime_since();
        if since.is_none() {
            here.standing.set(standing.in_overtime(now));
        }
        since.is_none_or(|since| now < since + OVERTIME)
    })
}

/// Has the task polled again after others had their turn; the caller returns `Pending`.
pub(crate) fn step_aside(cx: &mut Context<'_>) {
    // Where there is no node as well: a task that wakes itself has a runtime of several threads look for a thread that
    // takes the task over, and may not let timers fire.
    match Runtime::with_current(|runtime| runtime.backend().clone()) {
        Ok(backend) => backend.checkpoint(cx.waker()),
        Err(_) => cx.waker().wake_by_ref(),
    }
}
