//! What goes wrong in combinators.

use std::fmt;

use crate::reason::Cancelled;
use crate::task_group::PanicPayload;

/// Why a branch of [`gather_settled`](super::gather_settled) has no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum BranchError {
    /// It panicked.
    Panicked(PanicPayload),
    /// It was cancelled by itself, the others were not: it waited for the value of a task that has none.
    Cancelled(Cancelled),
}

impl fmt::Display for BranchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BranchError::Panicked(payload) => write!(f, "panicked: {}", payload.message()),
            BranchError::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl std::error::Error for BranchError {}

/// Why [`race_ok`](super::race_ok) and [`race_staggered`](super::race_staggered) have no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum RaceError<E> {
    /// All have failed: their errors, in the order of the branches. There is none if there was no branch.
    Failed(Vec<E>),
    /// The race was cut short.
    Cancelled(Cancelled),
}

impl<E> RaceError<E> {
    /// The errors, in the order of the branches.
    #[must_use]
    pub fn into_errors(self) -> Vec<E> {
        match self {
            RaceError::Failed(errors) => errors,
            RaceError::Cancelled(_) => Vec::new(),
        }
    }
}

impl<E: fmt::Display> fmt::Display for RaceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RaceError::Cancelled(cancelled) => cancelled.fmt(f),
            RaceError::Failed(errors) => match &errors[..] {
                [] => f.write_str("there was nothing to try"),
                [only] => only.fmt(f),
                [first, rest @ ..] => write!(f, "all of {} failed; the first: {first}", rest.len() + 1),
            },
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for RaceError<E> {}

impl<E> From<Cancelled> for RaceError<E> {
    fn from(cancelled: Cancelled) -> Self {
        RaceError::Cancelled(cancelled)
    }
}
