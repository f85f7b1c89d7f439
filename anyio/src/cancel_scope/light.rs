//! [`Light`]: a timeout that needs no node.
//!
//! As long as nothing inside asks for a place in the tree, there is nothing that it could cancel but its body, in the
//! poll in which it notices that the time is up. So it allocates nothing, and while it runs there is nobody who could
//! hold it, or wait for it.

use std::mem::{forget, replace};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::context::{self, Bare};
use crate::detect;
use crate::reminder::{BackendId, Reminder};
use crate::runtime::Runtime;
use crate::tree::{Link, Node, Role};
use crate::unit::Unit;

/// When the time of a timeout is up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// Counted from the first poll.
    After(Duration),
    At(Instant),
}

impl Limit {
    /// Whether a single poll of a body may well outlast it.
    fn is_short(self) -> bool {
        !matches!(self, Limit::After(limit) if limit >= Duration::from_secs(1))
    }
}

/// A timeout without a node.
pub(super) struct Light {
    stage: Stage,
}

enum Stage {
    /// Not polled yet.
    Fresh(Limit),
    /// Polled, with a deadline if there is one that can be reached.
    Begun { deadline: Option<Instant>, is_short: bool, backend: BackendId },
    /// Waiting.
    Set { deadline: Instant, is_short: bool, reminder: Reminder },
    /// Done, after it has waited.
    Ended,
}

/// What a poll of a timeout begins with.
pub(super) enum Turn {
    /// The task steps aside.
    Aside,
    /// The time is up, so from now on a node is needed.
    Late,
    /// The body is polled.
    Inside(Bare),
}

impl Light {
    pub(super) fn new(limit: Limit) -> Self {
        Light { stage: Stage::Fresh(limit) }
    }

    /// Begins a poll.
    ///
    /// # Panics
    ///
    /// At the first poll, where there is no runtime.
    #[inline(always)]
    pub(super) fn poll_begin(&mut self, cx: &mut Context<'_>) -> Turn {
        match &self.stage {
            // In parts, as it was written: the processor would wait for a copy of the whole.
            Stage::Fresh(Limit::After(limit)) => {
                let limit = Duration::new(limit.as_secs(), limit.subsec_nanos());
                self.begin(Limit::After(limit), cx)
            }
            Stage::Fresh(limit) => self.begin(*limit, cx),
            Stage::Begun { deadline, backend, .. } => Turn::Inside(Bare::new(*deadline, cx.waker(), *backend)),
            Stage::Set { deadline, reminder, .. } if !reminder.has_rung() => {
                Turn::Inside(Bare::new(Some(*deadline), cx.waker(), reminder.backend()))
            }
            Stage::Set { .. } => Turn::Late,
            Stage::Ended => Turn::Inside(Bare::new(None, cx.waker(), BackendId::NONE)),
        }
    }

    /// Lets the time begin.
    #[inline(always)]
    fn begin(&mut self, limit: Limit, cx: &mut Context<'_>) -> Turn {
        let mut backend = BackendId::default();
        let Poll::Ready(now) = poll_now(&mut backend, cx) else { return Turn::Aside };
        let deadline = match limit {
            Limit::After(limit) => now.checked_add(limit),
            Limit::At(deadline) => Some(deadline),
        };
        // There was nothing that needs a drop, which the compiler would look for.
        forget(replace(&mut self.stage, Stage::Begun { deadline, is_short: limit.is_short(), backend }));
        let is_late = deadline.is_some_and(|deadline| deadline <= now);
        if is_late { Turn::Late } else { Turn::Inside(Bare::new(deadline, cx.waker(), backend)) }
    }

    #[inline]
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Fresh(_) | Stage::Ended => None,
            Stage::Begun { deadline, .. } => *deadline,
            Stage::Set { deadline, .. } => Some(*deadline),
        }
    }

    /// The body is pending: sees to being woken when the time is up; says whether it is.
    ///
    /// A limit of some length is not compared with the clock here, which would cost as much as all the rest: the timer
    /// tells, as soon as the runtime gets round to it, if a body has kept its thread busy until after that; at once if it
    /// was set only then.
    ///
    /// A timeout around this one that ends earlier, and waits with the same waker, sees to that for both.
    #[inline]
    pub(super) fn has_passed(&mut self, cx: &Context<'_>) -> bool {
        if let Stage::Begun { deadline, is_short, backend } = self.stage {
            let Some(deadline) = deadline else { return false };
            if context::rely_on_timeout(deadline, cx.waker(), backend) {
                return false;
            }
            let reminder = Reminder::kept(backend).unwrap_or_else(fresh);
            // There was nothing that needs a drop, which the compiler would look for.
            forget(replace(&mut self.stage, Stage::Set { deadline, is_short, reminder }));
        }
        let Stage::Set { deadline, is_short, reminder } = &self.stage else { return false };
        if *is_short && reminder.now().is_some_and(|now| *deadline <= now) {
            return true;
        }
        reminder.set(*deadline, cx.waker());
        reminder.has_rung()
    }

    /// Another one relies on it: if it has the timer, whoever waits is woken when it has that no more. If not, it relies on another
    /// one itself, which does so for both.
    #[inline]
    pub(super) fn note_others(&self) {
        if let Stage::Set { reminder, .. } = &self.stage {
            reminder.note_others();
        }
    }

    /// The body has returned: there is no deadline any more, although the future may be kept (law D9).
    #[inline]
    pub(super) fn end(&mut self) {
        if let Stage::Set { reminder, .. } = &mut self.stage {
            reminder.give_back();
            self.stage = Stage::Ended;
        }
    }

    /// A node in its stead, at the place where the code is.
    pub(super) fn into_unit(self) -> Unit {
        let node: Link = Node::new(Role::Timeout, ());
        node.set_deadline(self.deadline());
        let unit = Unit::new(node);
        unit.enter_here();
        unit
    }
}

/// The time, as soon as a timeout may begin, and in `backend` whose it is: apart from each other, as both together would be
/// handed on through memory, in pieces, for which the processor would wait.
#[inline(always)]
fn poll_now(backend: &mut BackendId, cx: &mut Context<'_>) -> Poll<Instant> {
    let found = match context::try_begin_timeout(|runtime| now_of(runtime, backend)) {
        Some(found) => found
            .or_else(|| now_as_around(backend))
            .or_else(|| detect::with_last_ambient(|runtime| now_of(runtime, backend))),
        None => {
            ready!(context::poll_budget_of_timeout(cx));
            None
        }
    };
    Poll::Ready(found.unwrap_or_else(|| now_elsewhere(backend)))
}

/// The time of the timeout around, in whose runtime this one is, if it is the one that the thread has found last.
#[inline]
fn now_as_around(backend: &mut BackendId) -> Option<Instant> {
    let around = context::backend_of_timeout()?;
    detect::with_last(|runtime| (runtime.backend_id() == around).then(|| now_of(runtime, backend)))
}

#[inline(always)]
fn now_of(runtime: &Runtime, backend: &mut BackendId) -> Instant {
    *backend = runtime.backend_id();
    runtime.now()
}

#[inline(never)]
fn now_elsewhere(backend: &mut BackendId) -> Instant {
    Runtime::with_current(|runtime| now_of(runtime, backend)).unwrap_or_else(|error| panic!("{error}"))
}

#[cold]
fn fresh() -> Reminder {
    Runtime::with_current(|runtime| Reminder::new(runtime.backend())).expect("it was there when the poll began")
}
