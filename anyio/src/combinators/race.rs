//! Taking the first.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, ready};
use std::time::Duration;

use super::collections::SameBranches;
use super::error::RaceError;
use crate::branches::{Branch, End, Lane, Lanes, Set};
use crate::context;
use crate::reason::Cancelled;
use crate::task_group::{GroupError, Kind as _, Plain};
use crate::timeout::{Sleep, sleep};

/// Runs futures concurrently until the first is done, whose output it returns.
///
/// It is `select!` of tokio for a tuple, an array or a `Vec` of futures with the same output. *Compared to* that, the
/// losers are not dropped half-way: they are cancelled, their clean-ups and groups run to their end, and only then `race`
/// returns. If several are done in the same poll, the one that stands first wins; the outputs of the others are dropped
/// when the losers are gone.
///
/// For the first that *succeeds* see [`race_ok`].
///
/// # Errors
///
/// [`Cancelled`], if no branch was done before all of them were cut short.
///
/// # Panics
///
/// If there is nothing to race: of none, no one can be the first, and a wait for ever would hide the mistake. At the first
/// poll, where there is no runtime. With the first panic of a branch, also of a loser, when the others are gone.
///
/// # Cancel safety
///
/// Dropping the future drops the branches, there and then. What they have spawned is cancelled, and the next scope, group
/// or run around waits for it.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{race, sleep};
///
/// let slow = async { sleep(Duration::from_secs(3600)).await; "slow" };
/// let fast = async { sleep(Duration::from_millis(1)).await; "fast" };
/// assert_eq!(race((slow, fast)).await, Ok("fast"));
/// # });
/// ```
#[track_caller]
pub fn race<B: SameBranches>(branches: B) -> impl Future<Output = Result<B::Output, Cancelled>> {
    let (lanes, count) = branches.into_lanes();
    assert!(count > 0, "race of no branches: nothing can be the first");
    let mut set = Set::<B::Lanes, Infallible>::new(lanes, count, Location::caller());
    async move {
        let (mut winner, mut alone) = (None, None);
        poll_fn(|cx| set.poll_enter(cx)).await;
        let outcome = poll_fn(|cx| {
            set.poll_branches(cx, |set, index, end| match end {
                End::Value if winner.is_none() => {
                    winner = B::output(set.lanes(), index);
                    set.decide();
                }
                // What a loser returned stays where it is until the race is over.
                End::Value | End::CutWithAll => {}
                End::CutAlone(reason) => drop(alone.get_or_insert(reason)),
                End::Panicked(payload) => set.panicked(index, payload),
            });
            set.poll_exit(cx, |_| winner.take().ok_or(alone.clone()))
        })
        .await;
        Plain::into_outcome(outcome)
    }
}

/// Runs futures concurrently until the first succeeds, whose value it returns; one that fails is out of the race.
///
/// It is `Promise.any` of JavaScript, and `select_ok` of futures, for a tuple, an array or a `Vec`. The losers are
/// cancelled and gone when it returns, as with [`race`].
///
/// # Errors
///
/// [`RaceError::Failed`] with the errors of all, if none has succeeded; with no errors, if there was nothing to try.
/// [`RaceError::Cancelled`], if that was cut short.
///
/// # Panics
///
/// As [`race`], but not if there is nothing to race.
///
/// # Cancel safety
///
/// As [`race`]; the errors of those that have failed are lost.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::race_ok;
///
/// let mirror = async |reply: Result<&'static str, &'static str>| reply;
/// let page = race_ok([mirror(Err("gone")), mirror(Ok("page"))]).await;
/// assert_eq!(page.unwrap(), "page");
///
/// let none = race_ok([mirror(Err("gone")), mirror(Err("lost"))]).await;
/// assert_eq!(none.unwrap_err().into_errors(), ["gone", "lost"]);
/// # });
/// ```
#[track_caller]
pub fn race_ok<B, T, E>(branches: B) -> impl Future<Output = Result<T, RaceError<E>>>
where
    B: SameBranches<Output = Result<T, E>>,
{
    let (lanes, count) = branches.into_lanes();
    let mut set = Set::<B::Lanes, Infallible>::new(lanes, count, Location::caller());
    async move {
        let mut heats = Heats::new();
        poll_fn(|cx| set.poll_enter(cx)).await;
        let outcome = poll_fn(|cx| {
            set.poll_branches(cx, |set, index, end| heats.ended(set, index, end, B::output));
            set.poll_exit(cx, |_| heats.result())
        })
        .await;
        into_race(outcome)
    }
}

/// Tries one future after the other, without waiting for each for long: the next begins when one has failed, or when
/// nothing has happened for `delay`; the first that succeeds wins.
///
/// It is the *happy eyeballs* of RFC 8305, as in asyncio's `staggered_race` and Trio's `open_tcp_stream`: for addresses of
/// a host, replicas, mirrors. The iterator is asked for an attempt when that is to begin, not before. The losers are
/// cancelled and gone when it returns, as with [`race`]. The delay is one of the runtime's clock.
///
/// # Errors
///
/// As [`race_ok`]; the errors are in the order of the attempts.
///
/// # Panics
///
/// As [`race_ok`].
///
/// # Cancel safety
///
/// As [`race_ok`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{race_staggered, sleep_forever};
///
/// async fn connect(address: &str) -> Result<&str, &'static str> {
///     if address == "unreachable" {
///         sleep_forever().await;
///     }
///     Ok(address)
/// }
///
/// let attempts = ["unreachable", "::1"].map(connect);
/// let connection = race_staggered(Duration::from_millis(5), attempts).await;
/// assert_eq!(connection.unwrap(), "::1");
/// # });
/// ```
#[track_caller]
pub fn race_staggered<I, T, E>(delay: Duration, attempts: I) -> impl Future<Output = Result<T, RaceError<E>>>
where
    I: IntoIterator<Item: Future<Output = Result<T, E>>>,
{
    let mut attempts = attempts.into_iter();
    let mut set = Set::<Vec<Lane<I::Item>>, Infallible>::new(Vec::new(), 0, Location::caller());
    async move {
        let mut heats = Heats::new();
        let mut patience = Box::pin(sleep(delay));
        poll_fn(|cx| set.poll_enter(cx)).await;
        // Whether the next attempt is due; `None`: there is none.
        let mut due = Some(true);
        let outcome = poll_fn(|cx| {
            loop {
                if due == Some(true) && !set.is_over() {
                    ready!(context::poll_budget(cx));
                    due = begin_next(&mut set, &mut attempts).then_some(false);
                    patience.set(sleep(delay));
                }
                let failed = heats.errors.len();
                set.poll_branches(cx, |set, index, end| heats.ended(set, index, end, take));
                if due == Some(false) && !set.is_over() {
                    due = Some(heats.errors.len() > failed || set.left() == 0 || is_over(&mut patience, cx));
                }
                if due != Some(true) || set.is_over() {
                    break;
                }
            }
            if set.is_over() && due.is_some() {
                heats.cut = true;
            }
            set.poll_exit(cx, |_| heats.result())
        })
        .await;
        into_race(outcome)
    }
}

/// Whether there is another attempt, which begins then. A panic of the iterator is that of the attempt.
fn begin_next<I, F: Future>(set: &mut Set<Vec<Lane<F>>, Infallible>, attempts: &mut I) -> bool
where
    I: Iterator<Item = F>,
{
    let index = set.lanes().len();
    let Some(Some(attempt)) = set.inside(index, || attempts.next()) else {
        return false;
    };
    set.lanes().push(Branch::new(attempt));
    set.added(index);
    true
}

fn take<F: Future>(lanes: &mut Vec<Lane<F>>, index: usize) -> Option<F::Output> {
    lanes[index].as_mut().output().take()
}

fn is_over(patience: &mut Pin<Box<Sleep>>, cx: &mut Context<'_>) -> bool {
    patience.as_mut().poll(cx).is_ready()
}

/// How a race for the first success stands.
struct Heats<T, E> {
    winner: Option<T>,
    /// The errors of those that have failed, with their places.
    errors: Vec<(usize, E)>,
    /// Whether a branch was cut short from outside.
    cut: bool,
    /// Why a branch was cut short alone.
    alone: Option<Cancelled>,
}

impl<T, E> Heats<T, E> {
    fn new() -> Self {
        Heats { winner: None, errors: Vec::new(), cut: false, alone: None }
    }

    /// A branch has ended. What a loser returned stays where it is until the race is over.
    fn ended<L: Lanes>(
        &mut self,
        set: &mut Set<L, Infallible>,
        index: usize,
        end: End,
        output: impl FnOnce(&mut L, usize) -> Option<Result<T, E>>,
    ) {
        match end {
            End::Value if self.winner.is_some() => {}
            End::Value => match output(set.lanes(), index).expect("it has just ended") {
                Ok(value) => {
                    self.winner = Some(value);
                    set.decide();
                }
                Err(error) => self.errors.push((index, error)),
            },
            End::CutWithAll => self.cut = true,
            End::CutAlone(reason) => drop(self.alone.get_or_insert(reason)),
            End::Panicked(payload) => set.panicked(index, payload),
        }
    }

    /// The value, or all errors; neither, if the race was cut short.
    #[expect(clippy::type_complexity, reason = "a result in a result, as the set wants it")]
    fn result(&mut self) -> Result<Result<T, Vec<E>>, Option<Cancelled>> {
        if let Some(value) = self.winner.take() {
            return Ok(Ok(value));
        }
        if self.cut || (self.errors.is_empty() && self.alone.is_some()) {
            return Err(self.alone.clone());
        }
        self.errors.sort_by_key(|(index, _)| *index);
        Ok(Err(self.errors.drain(..).map(|(_, error)| error).collect()))
    }
}

fn into_race<T, E>(outcome: Result<Result<T, Vec<E>>, GroupError<Infallible>>) -> Result<T, RaceError<E>> {
    let raced: Result<_, Cancelled> = Plain::into_outcome(outcome);
    raced?.map_err(RaceError::Failed)
}
