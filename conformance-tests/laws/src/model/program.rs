//! Programs: trees of groups, scopes and shields, with steps at their leaves.

use std::fmt;

/// The number of a step, of the task it spawns, or of the scope or group it opens. 0 is the main task.
pub type Id = usize;

/// A time, or a span of time, on the clock of a program, which begins at 0.
pub type Tick = u64;

/// When the root scope of a program gives up.
pub const END: Tick = 1_000_000;

/// A structured-concurrency program. Every step is executed once at most: there are no loops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// A scope around everything, whose deadline is [`END`].
    pub root: Step,
    /// Whether a timer that is due fires by way of a timer of the backend, or at once.
    pub real_timers: bool,
}

/// A step of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub id: Id,
    /// What it does.
    pub what: What,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Notes in the transcript that it was reached.
    Mark,
    /// Notes whether the code is cancelled, and until when it may go on.
    Observe,
    /// `checkpoint`.
    Checkpoint,
    /// `sleep` and `sleep_until`.
    Sleep(Time),
    /// `sleep_forever`.
    Forever,
    /// Returns an error, from the closest task or group body around.
    Fail,
    /// Panics.
    Panic,
    /// Cancels a scope, group or task; nothing, if that group or task does not exist yet.
    Cancel(Id),
    /// Moves or removes the deadline of a scope or group.
    SetDeadline(Id, Option<Tick>),
    /// Raises or lowers the shield of a scope or group.
    SetShield(Id, bool),
    /// Spawns a task; nothing, if the group was not opened yet.
    Spawn {
        /// The group.
        group: Id,
        /// The code of the task.
        body: Vec<Step>,
    },
    /// Awaits the handle of a task that this code has spawned.
    Join {
        /// The task.
        task: Id,
        /// Whether to cancel it first.
        cancel: bool,
    },
    /// Runs a body inside something.
    Block(Block),
}

/// A body, and what it runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What it runs in.
    pub kind: Kind,
    /// The body.
    pub body: Vec<Step>,
    /// Whether an outcome that is not the body's own makes the code after it return an error, as `?` does.
    pub raise: bool,
}

/// What a body runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `CancelScope`.
    Scope {
        /// Its deadline.
        deadline: Option<Time>,
        /// Whether it is shielded.
        shielded: bool,
    },
    /// `timeout` and `timeout_at`.
    Timeout(Time),
    /// `move_on_after` and `move_on_at`.
    MoveOn(Time),
    /// `shield`.
    Shield,
    /// `shield_for`.
    ShieldFor(Tick),
    /// `try_task_group`.
    Group {
        /// The policy for panics.
        panics_are_errors: bool,
    },
    /// `finally`.
    Finally {
        /// The number of the clean-up.
        clean_up_id: Id,
        /// The clean-up; an error that it returns is ignored.
        clean_up: Vec<Step>,
        /// The grace of the clean-up.
        grace: Option<Tick>,
    },
}

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Counted from when the step is reached.
    In(Tick),
    /// On the program's clock.
    At(Tick),
}

impl Time {
    /// The point in time, if the step is reached `now`.
    pub(super) fn after(self, now: Tick) -> Tick {
        match self {
            Time::In(span) => now + span,
            Time::At(tick) => tick,
        }
    }
}

impl Step {
    /// Visits this step and all below it, outside in and in the order of the text.
    pub(super) fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Step)) {
        see(self);
        let (body, clean_up) = match &self.what {
            What::Spawn { body, .. } => (&body[..], &[][..]),
            What::Block(Block { kind: Kind::Finally { clean_up, .. }, body, .. }) => (&body[..], &clean_up[..]),
            What::Block(block) => (&block.body[..], &[][..]),
            _ => return,
        };
        body.iter().chain(clean_up).for_each(|step| step.visit(see));
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(f, "{:4} {:depth$}", self.id, "", depth = depth * 4)?;
        match &self.what {
            What::Spawn { group, body } => {
                writeln!(f, "spawn in {group}:")?;
                write_all(f, body, depth + 1)
            }
            What::Block(block) => {
                writeln!(f, "{}{}:", block.kind, if block.raise { " raising" } else { "" })?;
                write_all(f, &block.body, depth + 1)?;
                if let Kind::Finally { clean_up_id, clean_up, .. } = &block.kind {
                    writeln!(f, "{clean_up_id:4} {:depth$}clean-up:", "", depth = depth * 4)?;
                    write_all(f, clean_up, depth + 1)?;
                }
                Ok(())
            }
            plain => writeln!(f, "{plain:?}"),
        }
    }
}

fn write_all(f: &mut fmt::Formatter<'_>, steps: &[Step], depth: usize) -> fmt::Result {
    steps.iter().try_for_each(|step| step.write(f, depth))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Finally { grace, .. } => write!(f, "Finally, grace {grace:?}"),
            plain => write!(f, "{plain:?}"),
        }
    }
}

/// The text of the program, a line for each step.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "timers of the {}:", if self.real_timers { "backend" } else { "program" })?;
        self.root.write(f, 0)
    }
}
