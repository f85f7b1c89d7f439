//! Taking the first.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::collections::SameBranches;
use super::combined::Combined;
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
pub fn race<B: SameBranches>(branches: B) -> Combined<Racing<B::Lanes, B::Output>, Result<B::Output, Cancelled>> {
    let (lanes, count) = branches.into_lanes();
    assert!(count > 0, "race of no branches: nothing can be the first");
    let set = Set::<B::Lanes, Infallible>::new(lanes, count, Location::caller());
    Combined::new((set, None, None), |(set, winner, alone), cx| {
        ready!(set.poll_enter(cx));
        set.poll_branches(cx, |set, index, end| match end {
            End::Value if winner.is_none() => {
                *winner = B::output(set.lanes(), index);
                set.decide();
            }
            // What a loser returned stays where it is until the race is over.
            End::Value | End::CutWithAll => {}
            End::CutAlone(reason) => drop(alone.get_or_insert(reason)),
            End::Panicked(payload) => set.panicked(index, payload),
        });
        set.poll_exit(cx, |_| winner.take().ok_or(alone.clone())).map(Plain::into_outcome)
    })
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
pub fn race_ok<B, T, E>(branches: B) -> Combined<Trying<B::Lanes, T, E>, Result<T, RaceError<E>>>
where
    B: SameBranches<Output = Result<T, E>>,
{
    let (lanes, count) = branches.into_lanes();
    let set = Set::<B::Lanes, Infallible>::new(lanes, count, Location::caller());
    Combined::new((set, Heats::new()), |(set, heats), cx| {
        ready!(set.poll_enter(cx));
        set.poll_branches(cx, |set, index, end| heats.ended(set, index, end, B::output));
        set.poll_exit(cx, |_| heats.result()).map(into_race)
    })
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
pub fn race_staggered<I, A, T, E>(
    delay: Duration,
    attempts: I,
) -> Combined<Staggered<I::IntoIter, A, T, E>, Result<T, RaceError<E>>>
where
    I: IntoIterator<Item = A>,
    A: Future<Output = Result<T, E>>,
{
    let set = Set::<Vec<Lane<A>>, Infallible>::new(Vec::new(), 0, Location::caller());
    let patience = Box::pin(sleep(delay));
    let race = Staggered { set, attempts: attempts.into_iter(), heats: Heats::new(), delay, patience, next: Next::Due };
    Combined::new(race, |race, cx| {
        ready!(race.set.poll_enter(cx));
        ready!(race.poll_attempts(cx));
        race.set.poll_exit(cx, |_| race.heats.result()).map(into_race)
    })
}

/// The branches, the winner's output, and why one was cut short alone.
type Racing<L, T> = (Set<L, Infallible>, Option<T>, Option<Cancelled>);

/// The branches, and how the race stands.
type Trying<L, T, E> = (Set<L, Infallible>, Heats<T, E>);

/// When the next attempt begins.
#[derive(PartialEq)]
enum Next {
    Due,
    Later,
    Never,
}

/// A race whose branches begin one after the other.
pub struct Staggered<I, A, T, E> {
    set: Set<Vec<Pin<Box<Branch<A, Result<T, E>>>>>, Infallible>,
    attempts: I,
    heats: Heats<T, E>,
    delay: Duration,
    /// How long the latest attempt has before the next begins.
    patience: Pin<Box<Sleep>>,
    next: Next,
}

impl<I, A, T, E> Staggered<I, A, T, E>
where
    I: Iterator<Item = A>,
    A: Future<Output = Result<T, E>>,
{
    fn poll_attempts(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.next == Next::Due && !self.set.is_over() {
                ready!(context::poll_budget(cx));
                self.begin_next();
            }
            let failed = self.heats.errors.len();
            let heats = &mut self.heats;
            self.set.poll_branches(cx, |set, index, end| {
                heats.ended(set, index, end, |lanes, index| lanes[index].as_mut().output().take())
            });
            if self.next == Next::Later && !self.set.is_over() {
                let is_due = self.heats.errors.len() > failed || self.set.left() == 0;
                if is_due || self.patience.as_mut().poll(cx).is_ready() {
                    self.next = Next::Due;
                }
            }
            if self.next != Next::Due || self.set.is_over() {
                break;
            }
        }
        // What is left untried was cut short as well.
        self.heats.cut |= self.set.is_over() && self.next != Next::Never;
        Poll::Ready(())
    }

    /// Begins the next attempt, if there is one. A panic of the iterator is that of the attempt.
    fn begin_next(&mut self) {
        let index = self.set.lanes().len();
        self.next = Next::Never;
        if let Some(Some(attempt)) = self.set.inside(index, || self.attempts.next()) {
            self.set.lanes().push(Branch::new(attempt));
            self.set.added(index);
            self.patience.set(sleep(self.delay));
            self.next = Next::Later;
        }
    }
}

/// How a race for the first success stands.
pub struct Heats<T, E> {
    winner: Option<T>,
    /// The errors of those that have failed, with their places.
    errors: Vec<(usize, E)>,
    /// Whether a branch was cut short from outside.
    cut: bool,
    /// Why a branch was cut short alone.
    alone: Option<Cancelled>,
}

impl<I, A, T, E> fmt::Debug for Staggered<I, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staggered").field("delay", &self.delay).finish_non_exhaustive()
    }
}

impl<T, E> fmt::Debug for Heats<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heats").field("failed", &self.errors.len()).finish_non_exhaustive()
    }
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
