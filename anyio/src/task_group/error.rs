//! What went wrong in a group.

use std::fmt;

use parking_lot::Mutex;

use super::info::TaskInfo;
use crate::reason::Cancelled;
use crate::unhandled::panic_message;
use crate::unit::Payload;

/// Why a group has no value.
///
/// Every error of the group is in it, in the order in which the tasks ended. A group with one error reads like that
/// error, so `?` into `anyhow::Error` or `Box<dyn Error>` gives a good message; [`first_error`](GroupError::first_error)
/// turns it into an error type of one's own.
///
/// # Examples
///
/// With an enum of one's own:
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::{Cancelled, GroupError, try_task_group};
///
/// #[derive(Debug, thiserror::Error)]
/// enum LoadError {
///     #[error("no such page: {0}")]
///     Missing(&'static str),
///     #[error(transparent)]
///     Cancelled(#[from] Cancelled),
/// }
///
/// async fn load(page: &'static str) -> Result<usize, LoadError> {
///     if page == "nowhere" { Err(LoadError::Missing(page)) } else { Ok(page.len()) }
/// }
///
/// async fn load_both() -> Result<usize, LoadError> {
///     try_task_group(async |tg| {
///         let first = tg.spawn(load("index"));
///         let second = tg.spawn(load("nowhere"));
///         Ok(first.value().await + second.value().await)
///     })
///     .await
///     .map_err(GroupError::first_error)
/// }
///
/// assert_eq!(load_both().await.unwrap_err().to_string(), "no such page: nowhere");
/// # });
/// ```
///
/// With `anyhow` or `Box<dyn Error>`, `?` does it:
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// async fn write() -> anyhow::Result<()> {
///     anyhow::bail!("disk full")
/// }
///
/// async fn nested() -> anyhow::Result<()> {
///     anyio::try_task_group(async |outer| {
///         outer.spawn(async {
///             anyio::try_task_group(async |inner| {
///                 inner.spawn(write());
///                 Ok(())
///             })
///             .await?;
///             anyhow::Ok(())
///         });
///         Ok(())
///     })
///     .await?;
///     Ok(())
/// }
///
/// assert_eq!(nested().await.unwrap_err().to_string(), "disk full");
/// # });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum GroupError<E> {
    /// Nothing failed, but the body or a task was cut short by a cancellation.
    Cancelled(Cancelled),
    /// Something failed.
    Failed(Failures<E>),
}

/// All failures of a group, in the order in which they happened; there is at least one.
#[derive(Debug)]
pub struct Failures<E> {
    failures: Vec<Failure<E>>,
    /// The cancellation from outside that cut the group short as well.
    cancelled: Option<Cancelled>,
}

/// One failure in a group.
#[derive(Debug)]
pub struct Failure<E> {
    /// What happened.
    kind: FailureKind<E>,
    task: Option<TaskInfo>,
    secondary: bool,
}

/// How something failed.
pub enum FailureKind<E> {
    /// It returned an error.
    Error(E),
    /// It panicked; only in groups in which panics are errors.
    Panic(PanicPayload),
}

/// What a panic carried: see [`FailureKind::Panic`].
///
/// Unlike the bare payload it is `Sync`, and so are the errors that it is in: `anyhow::Error` and
/// `Box<dyn Error + Send + Sync>` ask for that.
pub struct PanicPayload(Mutex<Payload>);

impl PanicPayload {
    pub(crate) fn new(payload: Payload) -> Self {
        PanicPayload(Mutex::new(payload))
    }

    /// What the panic said, if it said it with text.
    #[must_use]
    pub fn message(&self) -> String {
        panic_message(&**self.0.lock())
    }

    /// The payload itself, for [`resume_unwind`](std::panic::resume_unwind).
    #[must_use]
    pub fn into_inner(self) -> Box<dyn std::any::Any + Send> {
        self.0.into_inner()
    }
}

impl fmt::Debug for PanicPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PanicPayload").field(&self.message()).finish()
    }
}

impl<E> GroupError<E> {
    pub(crate) fn failed(failures: Vec<Failure<E>>, cancelled: Option<Cancelled>) -> Self {
        GroupError::Failed(Failures { failures, cancelled })
    }

    /// The cancellation from outside, if there was one, and all failures.
    #[must_use]
    pub fn split(self) -> (Option<Cancelled>, Vec<Failure<E>>) {
        match self {
            GroupError::Cancelled(cancelled) => (Some(cancelled), Vec::new()),
            GroupError::Failed(failed) => (failed.cancelled, failed.failures),
        }
    }

    /// The failures, in the order in which they happened.
    pub fn failures(&self) -> impl Iterator<Item = &Failure<E>> {
        let failures = match self {
            GroupError::Cancelled(_) => &[][..],
            GroupError::Failed(failed) => &failed.failures,
        };
        failures.iter()
    }

    /// The errors, in the order in which they happened.
    pub fn errors(&self) -> impl Iterator<Item = &E> {
        self.failures().filter_map(Failure::error)
    }

    /// The cancellation from outside, if there was one.
    #[must_use]
    pub fn cancelled(&self) -> Option<&Cancelled> {
        match self {
            GroupError::Cancelled(cancelled) => Some(cancelled),
            GroupError::Failed(failed) => failed.cancelled.as_ref(),
        }
    }

    /// The error that came first, or the cancellation turned into one.
    ///
    /// # Panics
    ///
    /// If the first failure is a panic, which is then resumed.
    pub fn first_error(self) -> E
    where
        E: From<Cancelled>,
    {
        match self {
            GroupError::Cancelled(cancelled) => cancelled.into(),
            GroupError::Failed(failed) => match failed.into_first().kind {
                FailureKind::Error(error) => error,
                FailureKind::Panic(payload) => std::panic::resume_unwind(payload.into_inner()),
            },
        }
    }

    /// Turns every error into another type.
    #[must_use]
    pub fn map<F>(self, mut map: impl FnMut(E) -> F) -> GroupError<F> {
        self.flat_map_errors(|error| Ok(map(error)))
    }

    /// Replaces every error by another, or by those of a whole group.
    fn flat_map_errors<F>(self, mut map: impl FnMut(E) -> Result<F, GroupError<F>>) -> GroupError<F> {
        let failed = match self {
            GroupError::Cancelled(cancelled) => return GroupError::Cancelled(cancelled),
            GroupError::Failed(failed) => failed,
        };
        let mut cancelled = failed.cancelled;
        let mut failures = Vec::with_capacity(failed.failures.len());
        for Failure { kind, task, secondary } in failed.failures {
            let whole = |kind| Failure { kind, task: task.clone(), secondary };
            match kind {
                FailureKind::Panic(payload) => failures.push(whole(FailureKind::Panic(payload))),
                FailureKind::Error(error) => match map(error) {
                    Ok(error) => failures.push(whole(FailureKind::Error(error))),
                    Err(group) => {
                        let (inner_cancelled, inner) = group.split();
                        cancelled = cancelled.or(inner_cancelled);
                        failures.extend(
                            inner
                                .into_iter()
                                .map(|failure| Failure { secondary: secondary || failure.secondary, ..failure }),
                        );
                    }
                },
            }
        }
        match (failures.is_empty(), cancelled) {
            (true, Some(cancelled)) => GroupError::Cancelled(cancelled),
            (_, cancelled) => GroupError::failed(failures, cancelled),
        }
    }
}

impl<E> GroupError<GroupError<E>> {
    /// Puts the failures of groups that failed inside this one in the place of those groups.
    ///
    /// Nothing is flattened unasked: the error of a nested group is one error of the outer one.
    #[must_use]
    pub fn flatten(self) -> GroupError<E> {
        self.flat_map_errors(Err)
    }
}

impl<E> Failures<E> {
    /// The failure that came first, and cancelled the group.
    #[must_use]
    pub fn first(&self) -> &Failure<E> {
        &self.failures[0]
    }

    /// The failures after the first.
    pub fn others(&self) -> impl Iterator<Item = &Failure<E>> {
        self.failures[1..].iter()
    }

    /// All failures.
    pub fn iter(&self) -> std::slice::Iter<'_, Failure<E>> {
        self.failures.iter()
    }

    fn into_first(self) -> Failure<E> {
        self.failures.into_iter().next().expect("there is at least one failure")
    }
}

impl<E> IntoIterator for Failures<E> {
    type Item = Failure<E>;
    type IntoIter = std::vec::IntoIter<Failure<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.failures.into_iter()
    }
}

impl<'a, E> IntoIterator for &'a Failures<E> {
    type Item = &'a Failure<E>;
    type IntoIter = std::slice::Iter<'a, Failure<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<E> Failure<E> {
    pub(crate) fn new(kind: FailureKind<E>, task: Option<TaskInfo>, secondary: bool) -> Self {
        Failure { kind, task, secondary }
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> &FailureKind<E> {
        &self.kind
    }

    /// The error, unless it was a panic.
    #[must_use]
    pub fn error(&self) -> Option<&E> {
        match &self.kind {
            FailureKind::Error(error) => Some(error),
            FailureKind::Panic(_) => None,
        }
    }

    /// What happened, by value.
    pub fn into_kind(self) -> FailureKind<E> {
        self.kind
    }

    /// The task that failed, or the branch of a combinator; `None`: the body of the group.
    #[must_use]
    pub fn task(&self) -> Option<&TaskInfo> {
        self.task.as_ref()
    }

    /// Whether the group was being cancelled already when this happened, by an earlier failure or from outside; it may
    /// be a consequence of that.
    #[must_use]
    pub fn is_secondary(&self) -> bool {
        self.secondary
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupError::Cancelled(cancelled) => cancelled.fmt(f),
            GroupError::Failed(failed) => failed.fmt(f),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failures<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first().fmt(f)?;
        match self.failures.len() - 1 {
            0 => Ok(()),
            1 => write!(f, " (and another failure: {})", self.failures[1]),
            others => write!(f, " (and {others} other failures)"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FailureKind::Error(error) => error.fmt(f),
            FailureKind::Panic(payload) => write!(f, "panicked: {}", payload.message()),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for FailureKind<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FailureKind::Error(error) => f.debug_tuple("Error").field(error).finish(),
            FailureKind::Panic(payload) => f.debug_tuple("Panic").field(&payload.message()).finish(),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for GroupError<E> {}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Failure<E> {}

/// A group had closed: it was over, and nothing can be spawned into it any more. The future comes back.
#[derive(thiserror::Error)]
#[error("the task group has closed")]
#[non_exhaustive]
pub struct GroupClosed<F>(
    /// The future that was to be spawned.
    pub F,
);

impl<F> fmt::Debug for GroupClosed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupClosed(..)")
    }
}

/// Why a task has no value.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// It returned an error, which is in the result of its group.
    #[error("the task failed; the error is with its group")]
    Failed,
    /// It panicked; its group resumes the panic.
    #[error("the task panicked; the panic is with its group")]
    Panicked,
    /// It was cut short.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// It was never started: its group had closed.
    #[error("the task was not started: its group had closed")]
    Closed,
    /// A task waited for itself.
    #[error("a task awaits its own handle, which can never complete: await it outside the task")]
    OwnHandle,
}

/// Why [`start`](super::TaskGroup::start) has no value.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError<E> {
    /// The task failed before it had started.
    #[error("the task failed before it had started: {0}")]
    Failed(E),
    /// The task ended, or dropped its [`Started`](super::Started), without having said that it had started.
    #[error("the task ended without calling started()")]
    NotStarted,
    /// The task was cancelled before it had started, by its group or by the caller's scope.
    #[error(transparent)]
    Cancelled(Cancelled),
    /// The group had closed.
    #[error("the task group has closed")]
    Closed,
}

impl<E: fmt::Debug> fmt::Debug for StartError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
            StartError::NotStarted => f.write_str("NotStarted"),
            StartError::Cancelled(cancelled) => cancelled.fmt(f),
            StartError::Closed => f.write_str("Closed"),
        }
    }
}

/// How a task ended, on its way to whoever collects it.
pub(crate) enum Ending<E> {
    Finished,
    Failed(E),
    Panicked(Payload),
    Cut(crate::tree::Cause),
}
