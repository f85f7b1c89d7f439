//! Watching for cancelled units that wait too long for what leans on them (law F5).
//!
//! All of a runtime wait for the same time, so they stand in one line, and one timer is enough for the first of it. Who is
//! gone leaves no gap to be found: when those are more than half of the line, they go.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Instant;

use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use super::{Bell, Link, Node, WATCHED};
use crate::reminder::Reminder;
use crate::unhandled::Unhandled;

/// The units of a runtime that wait.
pub(crate) struct Stalls {
    line: Mutex<Line>,
    /// For the first in line, or for one who was.
    reminder: OnceCell<Reminder>,
    /// What the reminder wakes.
    call: Waker,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<(Instant, Weak<Node>)>,
    /// How long the line may get before it is looked for those who are gone.
    look_at: usize,
}

/// How long a line is left alone at least.
const SHORT: usize = 64;

impl Stalls {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Stalls {
            line: Mutex::default(),
            reminder: OnceCell::new(),
            call: Waker::from(Arc::new(Call(this.clone()))),
        })
    }

    fn add(&self, node: &Link, at: Instant) {
        let mut line = self.line.lock();
        if line.waiting.len() >= line.look_at.max(SHORT) {
            line.waiting.retain(|(_, node)| node.strong_count() > 0);
            line.look_at = 2 * line.waiting.len();
        }
        let is_first = line.waiting.is_empty();
        line.waiting.push_back((at, Arc::downgrade(node)));
        drop(line);
        if is_first {
            let reminder = self.reminder.get_or_init(|| Reminder::new(node.runtime().backend()));
            reminder.set(at, &self.call);
        }
    }

    /// The time of the first in line may be over.
    fn look(&self) {
        let Some(reminder) = self.reminder.get() else { return };
        let Some(now) = reminder.now() else { return };
        let mut due = Vec::new();
        let mut line = self.line.lock();
        while line.waiting.front().is_some_and(|(at, node)| *at <= now || node.strong_count() == 0) {
            due.extend(line.waiting.pop_front().and_then(|(_, node)| node.upgrade()));
        }
        let next = line.waiting.front().map(|(at, _)| *at);
        drop(line);
        if let Some(next) = next {
            reminder.set(next, &self.call);
        }
        due.into_iter().for_each(|node| node.has_stalled());
    }
}

/// Leads to the line, and does not keep it.
struct Call(Weak<Stalls>);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.upgrade().into_iter().for_each(|stalls| stalls.look());
    }
}

impl Node {
    /// Sees to it that the hook hears once if this unit, having been cancelled, waits too long for what is inside. If it is
    /// inside another one of the task that waits for the same, that one tells.
    #[inline]
    pub(crate) fn watch_for_stall(self: &Link) {
        if self.is_eff() && !self.has_noted(WATCHED) {
            self.begin_to_watch();
        }
    }

    fn begin_to_watch(self: &Link) {
        if self.doomed_above().is_some() {
            return;
        }
        self.note(WATCHED, true);
        let runtime = self.runtime();
        let Some(at) = runtime.now().checked_add(runtime.patience()) else { return };
        // A clock that jumps to the next timer must not find one for somebody who is gone (law D9).
        if runtime.backend().is_virtual() {
            self.arm(Bell::Stall, at);
        } else {
            runtime.stalls().add(self, at);
        }
    }

    pub(super) fn has_stalled(self: &Link) {
        if self.is_eff() && !self.is_gone() {
            self.runtime().report(Unhandled::Stalled);
        }
    }
}
