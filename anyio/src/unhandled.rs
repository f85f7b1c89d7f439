//! The unhandled-outcome hook: where outcomes go that nobody is left to receive.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;

use parking_lot::RwLock;

use crate::task_group::TaskInfo;
use crate::unit::{Payload, discard};

/// An outcome that nobody was left to receive: see [`set_unhandled_hook`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Unhandled {
    /// A task, or the body of a group, failed, and its group was dropped or ended in a panic.
    #[non_exhaustive]
    Failed {
        /// The task; `None`: the body of the group.
        task: Option<TaskInfo>,
        /// The error, which may be downcast to its type.
        error: Box<dyn Any + Send>,
        /// The name of the error's type.
        error_type: &'static str,
    },
    /// A task, the body of a group or a clean-up panicked, and there is no host left to resume the panic in, or another
    /// panic is resumed already.
    #[non_exhaustive]
    Panicked {
        /// The task; `None`: the body of a group, or a clean-up.
        task: Option<TaskInfo>,
        /// What the panic said.
        message: String,
    },
    /// `spawn` was called on a group that had closed; the future was dropped.
    #[non_exhaustive]
    SpawnedIntoClosedGroup {
        /// The task that was not started.
        task: TaskInfo,
    },
    /// The runtime dropped a task, or a piece of blocking work, that it had accepted, before it began.
    #[non_exhaustive]
    NeverRan {
        /// The task.
        task: TaskInfo,
    },
    /// The future around an asynchronous clean-up was dropped by foreign code, or its runtime is gone: the clean-up
    /// did not run to its end.
    #[non_exhaustive]
    CleanUpSkipped {
        /// Where the clean-up was set up.
        location: &'static Location<'static>,
    },
    /// An asynchronous clean-up was cancelled because its grace was over.
    #[non_exhaustive]
    CleanUpCutShort {
        /// Where the clean-up was set up.
        location: &'static Location<'static>,
    },
    /// A scope, timeout, group or task ended while a future that had been linked below it was still alive elsewhere.
    PolledByReference,
    /// A cancelled scope has waited longer than [`patience`](crate::Runtime::with_patience) for a shield, a clean-up or
    /// a task inside it.
    Stalled,
}

impl Unhandled {
    pub(crate) fn panicked(task: Option<TaskInfo>, payload: Payload) -> Self {
        let message = panic_message(&*payload);
        discard(payload);
        Unhandled::Panicked { task, message }
    }

    pub(crate) fn failed<E: Send + 'static>(task: Option<TaskInfo>, error: E) -> Self {
        Unhandled::Failed { task, error: Box::new(error), error_type: std::any::type_name::<E>() }
    }
}

/// What a panic said, if it said it with text.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let owned = || payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(owned).unwrap_or("(a panic without a message)").to_owned()
}

impl fmt::Display for Unhandled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unhandled::Failed { task, error_type, .. } => {
                write!(f, "{} failed with a {error_type} that nobody is left to receive", Who(task))
            }
            Unhandled::Panicked { task, message } => {
                write!(f, "{} panicked: {message}", Who(task))
            }
            Unhandled::SpawnedIntoClosedGroup { task } => {
                write!(f, "{task} was not started: its group has closed; use try_spawn to get the future back")
            }
            Unhandled::NeverRan { task } => {
                write!(f, "{task} was dropped by the runtime before it began: the runtime is shutting down")
            }
            Unhandled::CleanUpSkipped { location } => {
                write!(f, "the clean-up set up at {location} did not run to its end: the future around it was dropped")
            }
            Unhandled::CleanUpCutShort { location } => {
                write!(f, "the clean-up set up at {location} was cancelled: its grace was over")
            }
            Unhandled::PolledByReference => {
                f.write_str("a scope ended while a future linked below it lives on (polled by reference: use .bind())")
            }
            Unhandled::Stalled => {
                f.write_str("a cancelled scope is still waiting for a shield, a clean-up or a task inside it")
            }
        }
    }
}

struct Who<'a>(&'a Option<TaskInfo>);

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(task) => task.fmt(f),
            None => f.write_str("the body of a group"),
        }
    }
}

pub(crate) type Hook = Arc<dyn Fn(Unhandled) + Send + Sync>;

static HOOK: RwLock<Option<Hook>> = RwLock::new(None);

/// Sets what is called, in the whole process, with outcomes that nobody is left to receive: the error of a task whose
/// group was dropped by a foreign `select!`, the second panic of a group, a clean-up that could not run.
///
/// The default writes a `tracing` error event, or to the standard error where no subscriber is set: errors are never
/// lost in silence. The hook is called on whatever thread notices the outcome, with no lock held; it must not panic.
/// [`Runtime::with_hook`](crate::Runtime::with_hook) sets one for a single runtime, which then comes before this one.
///
/// # Examples
///
/// ```
/// anyio::set_unhandled_hook(|outcome| eprintln!("unhandled: {outcome}"));
/// ```
pub fn set_unhandled_hook(hook: impl Fn(Unhandled) + Send + Sync + 'static) {
    // What is replaced may run anything as it is dropped, so not under the lock.
    let old = HOOK.write().replace(Arc::new(hook));
    drop(old);
}

/// Calls the runtime's hook, or the process's, or does what is done by default.
pub(crate) fn report(own: Option<&Hook>, outcome: Unhandled) {
    let global = || HOOK.read().clone();
    let hook = own.cloned().or_else(global);
    // A panic, in the hook or in the destructor of an error, must not keep a task from being counted out.
    let reported = catch_unwind(AssertUnwindSafe(move || match hook {
        Some(hook) => hook(outcome),
        None if tracing::dispatcher::has_been_set() => tracing::error!(target: "anyio", "{outcome}"),
        None => eprintln!("anyio: {outcome}"),
    }));
    reported.unwrap_or_else(discard);
}
