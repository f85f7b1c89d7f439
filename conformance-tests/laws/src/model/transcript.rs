//! What happened in a program.

use std::collections::BTreeMap;
use std::fmt;

use super::program::{Id, Tick};

/// What happened in a program, as far as the laws decide it: what every task did and when, but not which of two tasks
/// was first at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// What each task did, in order.
    pub tasks: BTreeMap<Id, Vec<(Tick, Event)>>,
    /// What the hook for unhandled outcomes heard, sorted.
    pub unhandled: Vec<String>,
    /// How it ended.
    pub end: End,
}

/// The end of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The main task returned; an error is the number of the step that made it.
    Returned(Result<(), Id>),
    /// The main task panicked in this step.
    Panicked(Id),
    /// Everybody waits and no timer is set.
    Stuck,
    /// Somebody is polled without end.
    Spinning,
    /// The main task has ended, and others are left.
    Outlived,
}

/// Something that happened in a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A task was polled for the first time, a block was entered, or a clean-up began.
    Began(Id),
    /// A step is done.
    Done(Id, Outcome),
    /// A step was dropped half-way, or a panic went through it.
    Dropped(Id),
    /// What the code was told about itself.
    Observed {
        /// The step.
        id: Id,
        /// What `is_cancelled` said.
        cancelled: bool,
        /// What `current_effective_deadline` said, if there was a deadline.
        deadline: Option<Tick>,
    },
    /// The step is done but tasks of its group were not.
    Leaked(Id),
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The body returned, or the wait is over; an error is the number of the step that made it.
    Returned(Result<(), Id>),
    /// A scope, group, clean-up or task was cut short.
    Cancelled(Reason),
    /// A `timeout` was.
    TimedOut,
    /// A `move_on_after` was.
    MovedOn,
    /// Failures in a group.
    Failed {
        /// What cut the group short as well.
        cancelled: Option<Reason>,
        /// All of them, in order.
        failures: Vec<Failure>,
    },
    /// A task that was awaited failed.
    TaskFailed,
    /// A task that was awaited panicked.
    TaskPanicked,
    /// A task that was awaited was not started: its group had closed.
    TaskClosed,
    /// There is nothing to do the step with.
    Absent,
}

/// A failure in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The task; `None`: the body.
    pub task: Option<Id>,
    /// What happened.
    pub fault: Fault,
    /// Whether the group was being cancelled already.
    pub secondary: bool,
}

/// What made a group fail: the number of the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error.
    Error(Id),
    /// A panic.
    Panic(Id),
}

/// The kind of a `CancelReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The step that asked for it, where it said so.
    Requested(Option<Id>),
    /// A deadline.
    Deadline,
    /// The task that failed; `None`: the body did.
    SiblingFailed(Option<Id>),
    /// Anything that a structured program must not see.
    Unexpected,
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (task, events) in &self.tasks {
            writeln!(f, "  task {task}:")?;
            for (tick, event) in events {
                writeln!(f, "    {tick:7}  {event:?}")?;
            }
        }
        for heard in &self.unhandled {
            writeln!(f, "  unhandled: {heard}")?;
        }
        writeln!(f, "  end: {:?}", self.end)
    }
}
