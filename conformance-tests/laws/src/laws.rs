//! The laws: what every operation means, on every backend.
//!
//! The model is Trio's; where it had to be restated for futures, which are cancelled by being dropped, the law says what
//! a Trio user and a Rust user would both expect.
//!
//! Words used in the laws:
//!
//! - a *scope* is a region that can be cancelled; it is *cancelled* once it was asked to stop, or once a scope around it
//!   is cancelled with no shield in between. This never ends;
//! - a *unit* is a future that may drop what it wraps and whose output can say so: a scope, a group, a task, a clean-up.
//!   Timeouts are units for their own deadline only: a cancellation around them passes through;
//! - what *holds* keeps the units around it from dropping their bodies. A *shield* holds, and hides cancellation as well;
//! - a *barrier* is the exit of a scope, a timeout, a group or a run;
//! - *foreign* is whatever is not of anyio: another crate's `select!` or timeout, `drop`, an abort;
//! - the *hook* is the unhandled-outcome hook;
//! - an *operation* is a wait of anyio's that waits for one thing: a sleep, a checkpoint, a handle, an event.

/// A law.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Its number, such as `"C4"`: the letter of its family and a number.
    pub number: &'static str,
    /// What it says.
    pub text: &'static str,
    /// Whether it has to have cases; otherwise it is not built yet.
    pub built: bool,
    /// Where its cases are, if they are not among those that every backend runs.
    pub elsewhere: Option<&'static str>,
}

impl Law {
    /// The name of the family that the law belongs to.
    #[must_use]
    pub fn family(&self) -> &'static str {
        match self.number.as_bytes()[0] {
            b'C' => "cancel scopes",
            b'S' => "shields",
            b'D' => "deadlines and time",
            b'G' => "task groups",
            b'H' => "handles",
            b'R' => "start",
            b'F' => "foreign drop",
            b'L' => "clean-up",
            b'B' => "borrowing groups",
            b'X' => "context and backends",
            b'W' => "threads",
            _ => "primitives",
        }
    }
}

const fn law(number: &'static str, text: &'static str) -> Law {
    Law { number, text, built: true, elsewhere: None }
}

/// All laws.
pub static LAWS: &[Law] = &[
    law(
        "C1",
        "Cancellation is level-triggered and belongs to a scope: once the scope is cancelled, every further suspension \
         inside it ends in cancellation, until the scope is over.",
    ),
    law(
        "C2",
        "The one rule: poll; if that is pending and the unit is cancelled and nothing holds it, drop the body. So \
         cancellation arrives only at suspensions, a body that completes keeps its value, and every body gets its first \
         poll.",
    ),
    law(
        "C3",
        "A scope returns Ok if its body completed, else Err with the reason. What was requested, what is in effect here \
         and now, and what came of it are three questions with three answers.",
    ),
    law(
        "C4",
        "The outermost cancelled unit reports, by dropping all inside. A unit cut short by a cause around it offers \
         itself first: it is pending once more, and resolves only if the unit around has let the chance pass. It is \
         never parked, and it never spins.",
    ),
    law(
        "C5",
        "Cancelling is synchronous, idempotent and possible from anywhere, destructors, wakers and other threads \
         included. Per scope the first reason counts; what is reported is the reason of the outermost cancelled scope.",
    ),
    law(
        "C6",
        "Check before act: an operation first polled where it would be dropped anyway does nothing, and lets that happen. \
         Polled again it acts. So what was cancelled did not happen.",
    ),
    law("C7", "What was completed before the cancellation is returned; no value is lost or doubled by a race."),
    law(
        "C8",
        "Running a scope consumes it. A handle cancels and edits it: before entry this is remembered, after exit it does \
         nothing.",
    ),
    law(
        "C9",
        "Wakes are bounded: one per request and unit, and one per offer. A loop of units that are cut short ends after \
         one turn; a loop of units that are ready at once ends when the budget is spent.",
    ),
    law(
        "C10",
        "A hundred thousand nested tasks, or siblings, are cancelled and dropped without recursion, in linear time.",
    ),
    law(
        "C11",
        "When a barrier is passed, every destructor inside has run. A destructor that panics is caught and reported.",
    ),
    law(
        "C12",
        "A future is linked where it is first polled, and stays there. A future bound with bind() is linked where it was \
         bound. A barrier that meets a future which it cannot drop tells the hook.",
    ),
    law(
        "S1",
        "A shield hides cancellation around it from what is inside and holds every unit around it in its task until it \
         ends. Scopes and deadlines inside act as ever.",
    ),
    law("S2", "After a shield the code runs on to its next suspension, where what was hidden is delivered."),
    law(
        "S3",
        "A shield with a grace ends that long after a cancellation around it arrived, whether or not it is being polled.",
    ),
    law(
        "S4",
        "A shield in a branch of a foreign combinator counts although that branch is not polled every time; its sibling \
         branches run on until it ends.",
    ),
    law(
        "S5",
        "A shield in the body of a group does not protect the group's tasks. One on the group's scope does, and a failing \
         task still cancels its siblings.",
    ),
    law(
        "S6",
        "The shield of a running scope may be lowered, which delivers at once, and raised as long as no cancellation from \
         around has arrived.",
    ),
    law(
        "S7",
        "A shield that foreign code drops ends. Protected work does not: it is a task of its own, never cancelled, that \
         barriers wait for.",
    ),
    law(
        "D1",
        "A deadline that passes cancels its scope. A relative one counts from the first poll and is read before it.",
    ),
    law("D2", "Never early, on the clock of the backend. A body that is late without having suspended has succeeded."),
    law(
        "D3",
        "A deadline has passed when that is noticed: by its timer, or by asking. Moved to the future before that, it never \
         passed; afterwards it cannot be revived. It may be edited from any thread, and an earlier one acts at once.",
    ),
    law(
        "D4",
        "The effective deadline is the earliest around, up to and including the nearest shield; none, and cancelled \
         already, are answers of their own.",
    ),
    law(
        "D5",
        "Deadlines act although the body is woken without pause, although nobody polls it, and although it has moved to \
         another task.",
    ),
    law(
        "D6",
        "Of nested deadlines the one that was the cause reports; a cancellation around beats a timeout inside; of two \
         noticed at once the outermost reports.",
    ),
    law(
        "D7",
        "A timeout says that it timed out only if its own deadline was the cause. Zero, past and endless are legal.",
    ),
    law("D8", "sleep(0) yields exactly once. An interval ticks at once, and then by its policy: burst, delay or skip."),
    Law {
        elsewhere: Some("../tests/virtual_clock.rs"), // it takes a backend whose clock can be paused
        ..law("D9", "A deadline that does not exist any more never moves a virtual clock.")
    },
    law(
        "G1",
        "When the future of a group returns, every task in it, and every task below those, has finished and been dropped.",
    ),
    law(
        "G2",
        "The first failure cancels the group, which still waits for all. Every error is in the result, in order of \
         completion, with the task's name and place; those that came after the cancellation are marked secondary. \
         Cancelled tasks are no errors.",
    ),
    law(
        "G3",
        "Ok exactly if the body completed, nothing failed, and no task was cut short from outside. Cut short from outside \
         it is Err(Cancelled), offered first. Errors beat cancellation, and split() gives both.",
    ),
    law("G4", "The group's own cancel() cancels tasks and body; a body that had completed keeps its value."),
    law(
        "G5",
        "Waiting at the exit of a group is no cancellation point: if all tasks finish by themselves the group returns \
         normally.",
    ),
    law(
        "G6",
        "A group is open while its body, a task or a pending start is alive, then closed. spawn into a closed group drops \
         the future, says so and tells the hook; try_spawn gives the future back.",
    ),
    law(
        "G7",
        "Spawning works from any thread and from destructors, and never polls inline. In a cancelled group a new task gets \
         its first poll.",
    ),
    law(
        "G8",
        "A finished task retains nothing. A value that nobody holds a handle for is dropped before it is counted out.",
    ),
    law(
        "G9",
        "A panic cancels the group; when it has drained, all else goes to the hook and the first panic is resumed in the \
         host. No panic reaches the runtime. In groups so built panics are errors.",
    ),
    law(
        "G10",
        "A supervised group hands the errors and panics of its tasks to a callback: they are not stored and cancel \
         nothing; the body's error fails it, and a callback that panics cancels it. When body and ordinary tasks are done \
         a group closes and cancels its daemons. A limit counts ordinary tasks that run: what is spawned beyond queues in \
         order, and is dropped unpolled when it is cancelled.",
    ),
    law("G11", "An inner group's failure is one error of the outer group; flattening is explicit."),
    law(
        "G12",
        "An owned group lives under its run, or in the group named when it was built; close() is its exit, and dropping it \
         cancels its tasks.",
    ),
    law(
        "H1",
        "A handle gives the value once, or says why there is none. The failure is recorded, and the group cancelled, before \
         the handle completes. Awaiting one's own handle is an error that says so.",
    ),
    law("H2", "Cancelling a handle concerns that task alone. Dropping a handle changes nothing."),
    law("H3", "Status, name, id and place of a task can be read at any time."),
    law(
        "R1",
        "start() returns the value passed to started(); the task goes on in the group. started() gives the value back if \
         nobody waits any more.",
    ),
    law("R2", "What goes wrong before started() is the caller's, what goes wrong after it is the group's."),
    law(
        "R3",
        "Until started() the caller's scope cancels the task too, and start() waits for it. Ending without started() is an \
         error; cancelled wins over it.",
    ),
    law("R4", "A start() dropped before started() cancels the task; of the two exactly one happens."),
    law("F1", "Dropping the future of a group or scope cancels what was spawned inside; nothing is detached."),
    law(
        "F2",
        "Tasks count in all scopes above them, so the next barrier waits for them, also when their future was forgotten. No \
         task outlives its run; outside any run, quiesce() waits for what is left.",
    ),
    law("F3", "Errors and panics that nobody is left to receive reach the hook."),
    law(
        "F4",
        "The combinators of anyio never orphan: branches that lost are cancelled, their groups, clean-ups and shields run to \
         their end, and they are dropped before the combinator returns. Each branch is a unit of its own.",
    ),
    law(
        "F5",
        "A forgotten group, or a forgotten shield or clean-up with a grace, does not keep scopes around it from being \
         cancelled. The hook hears once of a scope that waits too long.",
    ),
    law(
        "L1",
        "finally() runs its clean-up once, shielded, however the body ended, within the grace if there is one. If foreign \
         code drops it the hook is told.",
    ),
    law(
        "L2",
        "finally_detached() runs its clean-up after a foreign drop too; if the runtime is gone, the hook is told.",
    ),
    law("L3", "bracket() lends a resource to the body and then gives it to the clean-up."),
    law(
        "L4",
        "Stopping gracefully takes two steps: a request that all code below can see, except behind shields, and after a \
         grace the cancellation. The grace is a deadline like any other; of several ends the earliest counts.",
    ),
    law(
        "B1",
        "The tasks of a scoped group may borrow whatever outlives the call, and so may their values. The group is Send if \
         they are; a local form takes tasks that are not.",
    ),
    law(
        "B2",
        "A scoped group keeps the laws of groups. Its tasks and its body are polled by the same poll, in the task of the \
         caller; each is a unit of its own with a waker of its own, and only what was woken is polled.",
    ),
    law(
        "X1",
        "Every law holds on every backend. In a foreign block_on inside a task a requested cancellation is delivered.",
    ),
    Law {
        elsewhere: Some("../tests/bad_use.rs"), // it takes runtimes that are built wrong, or none
        ..law(
            "X2",
            "Where there is no usable backend, an error says what to do about it. The runtime's own panics never surface.",
        )
    },
    law(
        "X3",
        "The context is restored after every poll, also after a panic, and is absent in tasks that are not anyio's. run \
         inside a poll is an error that says so.",
    ),
    law(
        "X4",
        "A runtime that shuts down under live groups: nothing hangs, and whoever waits outside learns the reason.",
    ),
    law("X5", "A loop of operations that are always ready can be cancelled, and lets timers fire."),
    law(
        "X6",
        "A value that is set for a scope is in effect in every poll and in the drop of what is inside, also after a panic, \
         and for whatever is started inside: tasks, protected work, clean-ups, jobs on threads and their calls back. It is \
         in effect nowhere else. Values of a run are seen in all of it, and go at its end.",
    ),
    law(
        "W1",
        "to_thread waits for a token cancellably. A job that has begun holds the units around its caller without hiding \
         anything: its value, its error or its panic comes back, and a cancellation is seen at the next suspension. Where \
         foreign code drops its future it is waited for by all that is around. One that may be abandoned is waited for by \
         quiesce() alone, and keeps its token until it has ended. What nobody receives reaches the hook.",
    ),
    law(
        "W2",
        "Inside a job the cancellation of its host can be asked for, futures run in the host's scope and are cancelled \
         with it, and functions run on the runtime's thread. On any other thread, and in a task, that is a clear error.",
    ),
    law(
        "W3",
        "A portal lets plain threads call, spawn and start, until it is stopped, by cancelling the calls or by waiting for \
         them. A panic arrives on the other side. One runtime may be shared by those who need it. A closed portal, and a \
         call that would wait for itself, are clear errors.",
    ),
    law(
        "W4",
        "Blocking work that was accepted runs, whatever becomes of its handle, unless the runtime shuts down first.",
    ),
    law(
        "Q1",
        "Locks, permits, notifications and turns are handed over in the order in which they were asked for, and nobody \
         barges in. A waiter that is cancelled leaves the line; what it was handed in the same moment goes to the next.",
    ),
    law(
        "Q2",
        "A channel hands items over in order, through a buffer or from hand to hand. When its last sender is gone it ends \
         after what is in the buffer; when its last receiver is gone senders have their items back. Closing an end wakes \
         what waits there.",
    ),
    law(
        "Q3",
        "The total of a limiter may be adjusted at any time, also below what is borrowed: then nobody gets a token until \
         enough have come back; 0 lends nothing. Each borrower, the current task unless another is named, holds one token \
         at most; asking for a second is an error at once. Statistics tell who holds one, and how many wait.",
    ),
];
