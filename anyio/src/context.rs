//! What is current during this poll: the innermost node, and how much may be done before others get a turn.
//!
//! The context exists only while one of anyio's futures is being polled or dropped. It is kept in the thread for that
//! long and put back by a guard, also on a panic; nothing is kept across an `.await`, so futures stay `Send`.

use std::cell::Cell;
use std::task::{Context, Poll};

use crate::task_group::TaskId;
use crate::tree::Link;

/// How many operations may start in a task before it steps aside once (law X5).
const BUDGET: u32 = 128;

thread_local! {
    static CURRENT: Cell<Option<Link>> = const { Cell::new(None) };
    static BUDGET_LEFT: Cell<u32> = const { Cell::new(BUDGET) };
    /// Whether the task has stepped aside in vain: it is cancelled, but where it did that something held it.
    static OVERDUE: Cell<bool> = const { Cell::new(false) };
}

/// Makes the node of `slot` current until the guard is dropped. The `Arc` moves out of the slot and back: no reference
/// is counted on the way.
pub(crate) fn enter(slot: &mut Option<Link>) -> Entered<'_> {
    let outer = CURRENT.try_with(|current| current.replace(slot.take())).unwrap_or_default();
    Entered { slot, outer }
}

/// [`enter`] at the root of a task, which starts with a fresh budget; whether it is overdue is kept between its polls.
pub(crate) fn enter_task<'a>(slot: &'a mut Option<Link>, overdue: &'a mut bool) -> (Fresh<'a>, Entered<'a>) {
    let outer = BUDGET_LEFT.try_with(|left| left.replace(BUDGET)).unwrap_or(BUDGET);
    let outer_overdue = OVERDUE.try_with(|now| now.replace(*overdue)).unwrap_or_default();
    (Fresh { outer, overdue, outer_overdue }, enter(slot))
}

#[must_use]
pub(crate) struct Entered<'a> {
    slot: &'a mut Option<Link>,
    /// What was current outside.
    outer: Option<Link>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let outer = self.outer.take();
        if let Ok(inner) = CURRENT.try_with(|current| current.replace(outer)) {
            *self.slot = inner;
        }
    }
}

/// Puts the outer task's budget back, for executors driven inside a poll.
#[must_use]
pub(crate) struct Fresh<'a> {
    outer: u32,
    overdue: &'a mut bool,
    outer_overdue: bool,
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        let _ = BUDGET_LEFT.try_with(|left| left.set(self.outer));
        if let Ok(overdue) = OVERDUE.try_with(|overdue| overdue.replace(self.outer_overdue)) {
            *self.overdue = overdue;
        }
    }
}

/// The innermost node of the poll that is going on in this thread.
pub(crate) fn current() -> Option<Link> {
    peek(|link| link.cloned())
}

/// Looks at the current node. `look` must not call into anyio.
pub(crate) fn peek<R>(look: impl FnOnce(Option<&Link>) -> R) -> R {
    let link = CURRENT.try_with(Cell::take).unwrap_or_default();
    let result = look(link.as_ref());
    let _ = CURRENT.try_with(|current| current.set(link));
    result
}

/// The task that is being polled, if it is one of anyio's.
pub(crate) fn task_id() -> Option<TaskId> {
    peek(|link| std::iter::successors(link, |link| link.enclosing()).find_map(|link| link.ext.task()))
}

/// Spends a part of the budget; when it is used up, steps aside once before anything is done.
///
/// A cancelled task that did so under a shield or the like, where nobody may drop it, does it again as soon as it is out
/// of there: a loop whose turns always end under a shield would never be cut short otherwise.
pub(crate) fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    let left = BUDGET_LEFT.get();
    let is_free = || peek(|link| link.is_some_and(|link| link.doomed_by().is_some()));
    if left > 0 && !(OVERDUE.get() && is_free()) {
        BUDGET_LEFT.set(left - 1);
        return Poll::Ready(());
    }
    OVERDUE.set(peek(|link| link.is_some_and(|link| link.is_held_back())));
    BUDGET_LEFT.set(BUDGET);
    step_aside(cx);
    Poll::Pending
}

/// Has the task polled again after others had their turn; the caller returns `Pending`.
pub(crate) fn step_aside(cx: &mut Context<'_>) {
    let runtime = peek(|link| link.and_then(|link| link.try_runtime()).cloned());
    match runtime {
        Some(runtime) => runtime.backend().checkpoint(cx.waker()),
        None => cx.waker().wake_by_ref(),
    }
}
