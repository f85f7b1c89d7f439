//! [`Light`]: a timeout that needs no node.
//!
//! As long as nothing inside asks for a place in the tree, there is nothing that it could cancel but its body, in the
//! poll in which it notices that the time is up. So it allocates nothing, and while it runs there is nobody who could
//! hold it, or wait for it.

use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::context;
use crate::reminder::{BackendId, Reminder};
use crate::runtime::{NoBackend, Runtime};
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
    limit: Limit,
    stage: Stage,
}

enum Stage {
    /// Not polled yet.
    Fresh,
    /// Polled, with a deadline if there is one that can be reached.
    Begun { deadline: Option<Instant>, backend: BackendId },
    /// Waiting.
    Set { deadline: Instant, reminder: Reminder },
    /// Done, after it has waited.
    Ended,
}

impl Light {
    pub(super) fn new(limit: Limit) -> Self {
        Light { limit, stage: Stage::Fresh }
    }

    /// Begins a poll; says whether the time is up, so that from now on a node is needed.
    ///
    /// # Panics
    ///
    /// At the first poll, where there is no runtime.
    #[inline]
    pub(super) fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        match &self.stage {
            Stage::Fresh => {
                ready!(context::poll_budget(cx));
                Poll::Ready(self.begin().unwrap_or_else(|error| panic!("{error}")))
            }
            Stage::Begun { .. } | Stage::Ended => Poll::Ready(false),
            Stage::Set { reminder, .. } => Poll::Ready(reminder.has_rung()),
        }
    }

    /// Lets the time begin; says whether it is up at once.
    fn begin(&mut self) -> Result<bool, NoBackend> {
        let limit = self.limit;
        Runtime::with_current(|runtime| {
            let now = runtime.now();
            let deadline = match limit {
                Limit::After(limit) => now.checked_add(limit),
                Limit::At(deadline) => Some(deadline),
            };
            self.stage = Stage::Begun { deadline, backend: BackendId::of(runtime.backend()) };
            deadline.is_some_and(|deadline| deadline <= now)
        })
    }

    #[inline]
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Fresh | Stage::Ended => None,
            Stage::Begun { deadline, .. } => *deadline,
            Stage::Set { deadline, .. } => Some(*deadline),
        }
    }

    /// The body is pending: sees to being woken when the time is up; says whether it is.
    ///
    /// A limit of some length is not compared with the clock here, which would cost as much as all the rest: the timer
    /// tells, as soon as the runtime gets round to it, if a body has kept its thread busy until after that; at once if it
    /// was set only then.
    #[inline]
    pub(super) fn has_passed(&mut self, cx: &Context<'_>) -> bool {
        if let Stage::Begun { deadline, backend } = self.stage {
            let Some(deadline) = deadline else { return false };
            self.stage = Stage::Set { deadline, reminder: Reminder::kept(backend).unwrap_or_else(fresh) };
        }
        let Stage::Set { deadline, reminder } = &self.stage else { return false };
        if self.limit.is_short() && *deadline <= reminder.now() {
            return true;
        }
        reminder.set(*deadline, cx.waker());
        reminder.has_rung()
    }

    /// The body has returned: there is no deadline any more, although the future may be kept (law D9).
    #[inline]
    pub(super) fn end(&mut self) {
        if let Stage::Set { .. } = self.stage {
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

#[cold]
fn fresh() -> Reminder {
    Runtime::with_current(|runtime| Reminder::new(runtime.backend())).expect("it was there when the poll began")
}
