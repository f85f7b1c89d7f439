//! Waiting for all.

use std::convert::Infallible;
use std::panic::Location;
use std::task::ready;

use super::collections::{Branches, TryBranches};
use super::combined::Combined;
use super::error::BranchError;
use crate::branches::{End, Lanes, Set};
use crate::reason::Cancelled;
use crate::task_group::{GroupError, Kind as _, PanicPayload, Plain};

/// Runs futures concurrently and waits for all.
///
/// It is asyncio's `gather`, and `join!` of tokio and futures, for a tuple, an array or a `Vec`; the outputs come in the
/// order of the futures. One that returns a `Result` does not stop the others by failing: see [`try_gather`] for that.
/// Of none it is ready at once.
///
/// # Errors
///
/// [`Cancelled`], if a branch was cut short; the others are cancelled then. If that was a scope around, it normally drops
/// the whole, and the error is never seen.
///
/// # Panics
///
/// At the first poll, where there is no runtime. With the first panic of a branch, when the others are gone.
///
/// # Cancel safety
///
/// Dropping the future drops the branches, there and then. What they have spawned is cancelled, and the next scope,
/// group or run around waits for it.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::gather;
///
/// let name = String::from("page");
/// let (number, length) = gather((async { 1 }, async { name.len() })).await?;
/// assert_eq!((number, length), (1, 4));
///
/// let squares = gather((1..=3).map(|n| async move { n * n }).collect::<Vec<_>>()).await?;
/// assert_eq!(squares, [1, 4, 9]);
/// # Ok::<(), anyio::Cancelled>(())
/// # }).unwrap();
/// ```
#[track_caller]
pub fn gather<B: Branches>(branches: B) -> Combined<Gathering<B::Lanes, Infallible>, Result<B::Outputs, Cancelled>> {
    let (lanes, count) = branches.into_lanes();
    let set = Set::<B::Lanes, Infallible>::new(lanes, count, Location::caller());
    Combined::new((set, None), |(set, alone), cx| {
        ready!(set.poll_enter(cx));
        set.poll_branches(cx, |set, index, end| stop_unless_value(set, index, end, alone));
        set.poll_exit(cx, |lanes| B::outputs(lanes).ok_or(alone.clone())).map(Plain::into_outcome)
    })
}

/// Runs futures concurrently and waits for all; the first that fails cancels the others.
///
/// It is asyncio's `TaskGroup`, and `try_join!` of tokio and futures, for a tuple, an array or a `Vec`; the values come in
/// the order of the futures. *Compared to* these: the others are not dropped half-way, their clean-ups and groups run to
/// their end first, and no error is lost.
///
/// # Errors
///
/// [`GroupError`] with all errors, in the order in which they happened; each names its branch and where `try_gather` was
/// called. Errors beat cancellation. [`first_error`](GroupError::first_error) gives one of your own.
///
/// # Panics
///
/// As [`gather`]; errors that cannot be returned for a panic go to the unhandled-outcome hook.
///
/// # Cancel safety
///
/// As [`gather`]; errors that were collected go to the hook.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::try_gather;
///
/// let parse = async |text: &str| text.parse::<u32>();
/// let (one, two) = try_gather((parse("1"), parse("2"))).await.unwrap();
/// assert_eq!(one + two, 3);
///
/// let error = try_gather([parse("1"), parse("two")]).await.unwrap_err();
/// assert_eq!(error.to_string(), "invalid digit found in string");
/// # });
/// ```
#[track_caller]
pub fn try_gather<B: TryBranches>(
    branches: B,
) -> Combined<Gathering<B::Lanes, B::Error>, Result<B::Values, GroupError<B::Error>>>
where
    B::Error: Send + 'static,
{
    let (lanes, count) = branches.into_lanes();
    let set = Set::<B::Lanes, B::Error>::new(lanes, count, Location::caller());
    Combined::new((set, None), |(set, alone), cx| {
        ready!(set.poll_enter(cx));
        set.poll_branches(cx, |set, index, end| {
            if let End::Value = end
                && let Some(error) = B::error(set.lanes(), index)
            {
                return set.fail(index, error);
            }
            stop_unless_value(set, index, end, alone);
        });
        set.poll_exit(cx, |lanes| B::values(lanes).ok_or(alone.clone()))
    })
}

/// Runs futures concurrently, waits for all, and tells what became of each, whatever that is.
///
/// It is asyncio's `gather(return_exceptions=True)`: a panic is an outcome like any other, and cancels nobody.
///
/// # Errors
///
/// [`Cancelled`], if the whole was cut short by a cancellation around it. For each branch: [`BranchError`], if it
/// panicked, or was cancelled alone.
///
/// # Panics
///
/// At the first poll, where there is no runtime.
///
/// # Cancel safety
///
/// As [`gather`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let oops = async { panic!("oops") };
/// let (fine, oops) = anyio::gather_settled((async { 1 }, oops)).await.unwrap();
/// assert_eq!(fine.unwrap(), 1);
/// let _: () = match oops {
///     Ok(value) => value,
///     Err(error) => assert_eq!(error.to_string(), "panicked: oops"),
/// };
/// # });
/// ```
#[track_caller]
pub fn gather_settled<B: Branches>(branches: B) -> Combined<Settling<B::Lanes>, Result<B::Outcomes, Cancelled>> {
    let (lanes, count) = branches.into_lanes();
    let set = Set::<B::Lanes, Infallible>::new(lanes, count, Location::caller());
    let errors: Vec<Option<BranchError>> = (0..count).map(|_| None).collect();
    Combined::new((set, errors), |(set, errors), cx| {
        ready!(set.poll_enter(cx));
        set.poll_branches(cx, |_, index, end| match end {
            End::Value | End::CutWithAll => {}
            End::CutAlone(reason) => errors[index] = Some(BranchError::Cancelled(reason)),
            End::Panicked(payload) => errors[index] = Some(BranchError::Panicked(PanicPayload::new(payload))),
        });
        let outcomes = |lanes: &mut B::Lanes| B::outcomes(lanes, |index| errors[index].take()).ok_or(None);
        set.poll_exit(cx, outcomes).map(Plain::into_outcome)
    })
}

/// The branches, and why one was cut short alone.
type Gathering<L, E> = (Set<L, E>, Option<Cancelled>);

/// The branches, and what went wrong in them.
type Settling<L> = (Set<L, Infallible>, Vec<Option<BranchError>>);

/// Goes on if the branch has a value; without one there is no whole.
fn stop_unless_value<L: Lanes, E: Send + 'static>(
    set: &mut Set<L, E>,
    index: usize,
    end: End,
    alone: &mut Option<Cancelled>,
) {
    match end {
        End::Value | End::CutWithAll => {}
        End::Panicked(payload) => set.panicked(index, payload),
        End::CutAlone(reason) => {
            alone.get_or_insert(reason.clone());
            set.cancel(reason);
        }
    }
}
