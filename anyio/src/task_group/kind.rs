//! The two kinds of groups: those whose tasks may fail, and those whose tasks cannot.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use super::error::GroupError;
use crate::reason::Cancelled;

/// What the tasks of a group return, and what becomes of it: [`Plain`] or [`Try`].
///
/// It is to groups what the difference between `join!` and `try_join!` is to futures. Nobody but this crate implements
/// it; it is named in helpers that take a group of either kind.
pub trait Kind: Shape<Error: Send + 'static> + Send + Sync + 'static {
    #[doc(hidden)]
    fn into_result<T>(output: Self::Output<T>) -> Result<T, Self::Error>;

    #[doc(hidden)]
    fn into_outcome<T>(result: Result<T, GroupError<Self::Error>>) -> Self::Outcome<T>;
}

/// The types of a [`Kind`].
///
/// They stand apart because looking them up must not ask whether the error is `'static`: while rustc decides whether a
/// future is `Send` it has forgotten all lifetimes, also the one in `Box<dyn Error>`, and could not tell.
pub trait Shape: sealed::Sealed {
    /// The error of a task that failed.
    type Error;
    /// What a task returns to deliver a `T`.
    type Output<T>;
    /// What the group returns to deliver a `T`.
    type Outcome<T>;
}

/// The kind of groups whose tasks cannot fail: [`task_group`](crate::task_group()).
pub enum Plain {}

/// The kind of groups whose tasks may fail with an `E`: [`try_task_group`](crate::try_task_group).
pub struct Try<E>(PhantomData<fn() -> E>, Infallible);

impl Shape for Plain {
    type Error = Infallible;
    type Output<T> = T;
    type Outcome<T> = Result<T, Cancelled>;
}

impl Kind for Plain {
    fn into_result<T>(output: T) -> Result<T, Infallible> {
        Ok(output)
    }

    fn into_outcome<T>(result: Result<T, GroupError<Infallible>>) -> Result<T, Cancelled> {
        result.map_err(|error| match error {
            GroupError::Cancelled(cancelled) => cancelled,
            GroupError::Failed(_) => unreachable!("tasks that cannot fail do not"),
        })
    }
}

impl<E> Shape for Try<E> {
    type Error = E;
    type Output<T> = Result<T, E>;
    type Outcome<T> = Result<T, GroupError<E>>;
}

impl<E: Send + 'static> Kind for Try<E> {
    fn into_result<T>(output: Result<T, E>) -> Result<T, E> {
        output
    }

    fn into_outcome<T>(result: Result<T, GroupError<E>>) -> Result<T, GroupError<E>> {
        result
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl<E> fmt::Debug for Try<E> {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {}
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Plain {}
    impl<E> Sealed for super::Try<E> {}
}
