//! Where a task waits: what a runtime for tests asks for its reports, with [`take_waiting`].

use std::cell::Cell;
use std::fmt;
use std::panic::Location;

thread_local! {
    /// What was polled last in this thread.
    static WAITING: Cell<Option<Waiting>> = const { Cell::new(None) };
}

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// An operation of anyio that was called at this place.
    Operation(&'static Location<'static>),
    /// The end of the tasks and clean-ups below a scope or group.
    Exit,
    /// Something that is not anyio's.
    Elsewhere,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waiting::Operation(location) => write!(f, "at {location}"),
            Waiting::Exit => f.write_str("for the tasks below it to end"),
            Waiting::Elsewhere => f.write_str("for something that is not anyio's"),
        }
    }
}

/// Notes what the future that is being polled in this thread waits for, in place of what was noted before.
///
/// Costs no more than a store to the thread's own memory.
#[inline]
pub fn note_waiting(waiting: Waiting) {
    let _ = WAITING.try_with(|last| last.set(Some(waiting)));
}

/// What was noted last in this thread since this was asked last.
///
/// **Runtimes** that report where their tasks wait ask before each poll, to forget what does not belong to it, and after
/// it.
#[inline]
pub fn take_waiting() -> Option<Waiting> {
    WAITING.try_with(Cell::take).unwrap_or_default()
}
