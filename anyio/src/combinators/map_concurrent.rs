//! Doing something with many items, so many at a time.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;

use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use parking_lot::Mutex;
use pin_project_lite::pin_project;
use slab::Slab;

use super::combined::Combined;
use super::source::Source;
use crate::branches::{Below, Branch, End, Ended, Lanes, Set};
use crate::context;
use crate::reason::Cancelled;
use crate::task_group::{GroupError, Kind as _, Plain};

/// Maps items concurrently, no more than `limit` at a time; the outputs come in the order of the items.
///
/// Items come from an iterator or a [`Stream`], which is asked for one only when there is room for it. *Compared to*
/// `buffered` of futures: the outputs are collected, each branch is a unit of its own, and those that are left when one
/// panics are drained before that is resumed.
///
/// # Errors
///
/// [`Cancelled`], if it was cut short before all items were done. If that was a scope around, it normally drops the whole,
/// and the error is never seen.
///
/// # Panics
///
/// If `limit` is 0: nothing would ever be done. At the first poll, where there is no runtime. With the first panic of a
/// branch, of `map` or of the source, when the others are gone.
///
/// # Cancel safety
///
/// Dropping the future drops source and branches, there and then. What they have spawned is cancelled, and the next scope,
/// group or run around waits for it. Outputs that were there are lost.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::map_concurrent;
///
/// let words = vec![String::from("one"), String::from("three")];
/// let lengths = map_concurrent(&words, 10, async |word| word.len()).await;
/// assert_eq!(lengths, Ok(vec![3, 5]));
///
/// let numbers = futures::stream::iter(1..=3);
/// assert_eq!(map_concurrent(numbers, 2, async |n| n * n).await, Ok(vec![1, 4, 9]));
/// # });
/// ```
#[track_caller]
pub fn map_concurrent<S, M, F, B>(
    source: S,
    limit: usize,
    map: F,
) -> Combined<Mapping<S::Stream, S::Item, F, B, Infallible, Option<B::Output>>, Result<Vec<B::Output>, Cancelled>>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future,
{
    let work = Work::<_, _, _, _, _, Infallible>::new(source.into_stream(), limit, map, Location::caller());
    Combined::new((work, Vec::new()), |(work, outputs), cx| {
        let done = ready!(work.poll(cx, &mut |_, place, output| put(outputs, place, output)));
        Poll::Ready(Plain::into_outcome(done.map(|()| all(outputs))))
    })
}

/// [`map_concurrent`] with the outputs in the order in which they completed.
///
/// # Errors
///
/// As [`map_concurrent`].
///
/// # Panics
///
/// As [`map_concurrent`].
///
/// # Cancel safety
///
/// As [`map_concurrent`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let mut squares = anyio::map_concurrent_unordered(1..=3, 2, async |n| n * n).await.unwrap();
/// squares.sort_unstable();
/// assert_eq!(squares, [1, 4, 9]);
/// # });
/// ```
#[track_caller]
pub fn map_concurrent_unordered<S, M, F, B>(
    source: S,
    limit: usize,
    map: F,
) -> Combined<Mapping<S::Stream, S::Item, F, B, Infallible, B::Output>, Result<Vec<B::Output>, Cancelled>>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future,
{
    let work = Work::<_, _, _, _, _, Infallible>::new(source.into_stream(), limit, map, Location::caller());
    Combined::new((work, Vec::new()), |(work, outputs), cx| {
        let done = ready!(work.poll(cx, &mut |_, _, output| outputs.push(output)));
        Poll::Ready(Plain::into_outcome(done.map(|()| std::mem::take(outputs))))
    })
}

/// [`map_concurrent`] for what may fail: the first failure cancels the rest, and no more items are taken.
///
/// # Errors
///
/// [`GroupError`] with all errors, in the order in which they happened.
///
/// # Panics
///
/// As [`map_concurrent`].
///
/// # Cancel safety
///
/// As [`map_concurrent`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::try_map_concurrent;
///
/// let parse = async |text: &str| text.parse::<u32>();
/// assert_eq!(try_map_concurrent(["1", "2"], 8, parse).await.unwrap(), [1, 2]);
/// assert!(try_map_concurrent(["1", "two"], 8, parse).await.is_err());
/// # });
/// ```
#[track_caller]
pub fn try_map_concurrent<S, M, F, B, T, E>(
    source: S,
    limit: usize,
    map: F,
) -> Combined<Mapping<S::Stream, S::Item, F, B, E, Option<T>>, Result<Vec<T>, GroupError<E>>>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future<Output = Result<T, E>>,
    E: Send + 'static,
{
    let work = Work::<_, _, _, _, _, E>::new(source.into_stream(), limit, map, Location::caller());
    Combined::new((work, Vec::new()), |(work, outputs), cx| {
        let done = ready!(work.poll(cx, &mut fallibly(|place, value| put(outputs, place, value))));
        Poll::Ready(done.map(|()| all(outputs)))
    })
}

/// [`try_map_concurrent`] with the values in the order in which they completed.
///
/// # Errors
///
/// As [`try_map_concurrent`].
///
/// # Panics
///
/// As [`map_concurrent`].
///
/// # Cancel safety
///
/// As [`map_concurrent`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let parse = async |text: &str| text.parse::<u32>();
/// let numbers = anyio::try_map_concurrent_unordered(["7"], 8, parse).await;
/// assert_eq!(numbers.unwrap(), [7]);
/// # });
/// ```
#[track_caller]
pub fn try_map_concurrent_unordered<S, M, F, B, T, E>(
    source: S,
    limit: usize,
    map: F,
) -> Combined<Mapping<S::Stream, S::Item, F, B, E, T>, Result<Vec<T>, GroupError<E>>>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future<Output = Result<T, E>>,
    E: Send + 'static,
{
    let work = Work::<_, _, _, _, _, E>::new(source.into_stream(), limit, map, Location::caller());
    Combined::new((work, Vec::new()), |(work, outputs), cx| {
        let done = ready!(work.poll(cx, &mut fallibly(|_, value| outputs.push(value))));
        Poll::Ready(done.map(|()| std::mem::take(outputs)))
    })
}

/// Does something with each item, concurrently, no more than `limit` at a time.
///
/// As [`map_concurrent`], of which it keeps nothing: it may go on for ever.
///
/// # Errors
///
/// As [`map_concurrent`].
///
/// # Panics
///
/// As [`map_concurrent`].
///
/// # Cancel safety
///
/// As [`map_concurrent`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let sum = AtomicUsize::new(0);
/// anyio::for_each_concurrent(1..=10, 4, async |n| {
///     anyio::checkpoint().await;
///     sum.fetch_add(n, Ordering::Relaxed);
/// })
/// .await
/// .unwrap();
/// assert_eq!(sum.into_inner(), 55);
/// # });
/// ```
#[track_caller]
pub fn for_each_concurrent<S, M, F, B>(
    source: S,
    limit: usize,
    act: F,
) -> Combined<Work<S::Stream, S::Item, F, B, B::Output, Infallible>, Result<(), Cancelled>>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future<Output = ()>,
{
    let work = Work::<_, _, _, _, _, Infallible>::new(source.into_stream(), limit, act, Location::caller());
    Combined::new(work, |work, cx| work.poll(cx, &mut |_, _, ()| {}).map(Plain::into_outcome))
}

/// [`for_each_concurrent`] for what may fail: the first failure cancels the rest, and no more items are taken.
///
/// # Errors
///
/// As [`try_map_concurrent`].
///
/// # Panics
///
/// As [`map_concurrent`].
///
/// # Cancel safety
///
/// As [`map_concurrent`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let outcome = anyio::try_for_each_concurrent(1..=10, 4, async |n| if n < 5 { Ok(()) } else { Err(n) }).await;
/// assert!(outcome.unwrap_err().errors().any(|n| *n == 5));
/// # });
/// ```
#[track_caller]
pub fn try_for_each_concurrent<S, M, F, B, E>(
    source: S,
    limit: usize,
    act: F,
) -> Combined<Work<S::Stream, S::Item, F, B, B::Output, E>, Result<(), GroupError<E>>>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future<Output = Result<(), E>>,
    E: Send + 'static,
{
    let work = Work::<_, _, _, _, _, E>::new(source.into_stream(), limit, act, Location::caller());
    Combined::new(work, |work, cx| work.poll(cx, &mut fallibly(|_, ()| {})))
}

/// Puts an output where it belongs.
fn put<T>(outputs: &mut Vec<Option<T>>, place: usize, output: T) {
    if outputs.len() <= place {
        outputs.resize_with(place + 1, || None);
    }
    outputs[place] = Some(output);
}

/// All outputs, in their places.
fn all<T>(outputs: &mut Vec<Option<T>>) -> Vec<T> {
    std::mem::take(outputs).into_iter().flatten().collect()
}

/// Keeps values, and has the work fail with errors.
fn fallibly<L: Lanes, T, E: Send + 'static>(
    mut keep: impl FnMut(usize, T),
) -> impl FnMut(&mut Set<L, E>, usize, Result<T, E>) {
    move |set, place, output| match output {
        Ok(value) => keep(place, value),
        Err(error) => set.fail(place, error),
    }
}

/// The branch that brings the items.
const SOURCE: usize = 0;

/// Work, and its outputs so far.
type Mapping<S, I, F, B, E, T> = (Work<S, I, F, B, <B as Future>::Output, E>, Vec<T>);

/// Items, of which so many are worked on at a time.
pub struct Work<S, I, F, B, T, E: Send + 'static> {
    set: Set<Shop<S, I, B, T>, E>,
    hopper: Arc<Mutex<Hopper<I>>>,
    limit: usize,
    map: F,
    /// How many items have been taken.
    taken: usize,
    /// Which item a branch works on.
    places: Vec<usize>,
    /// Whether the source has come to its end.
    exhausted: bool,
    /// Whether an item was not done.
    cut: bool,
    /// Why a branch was cut short alone.
    alone: Option<Cancelled>,
}

impl<S, I, F, B, T, E> Work<S, I, F, B, T, E>
where
    S: Stream<Item = I>,
    F: FnMut(I) -> B,
    B: Future<Output = T>,
    E: Send + 'static,
{
    fn new(source: S, limit: usize, map: F, location: &'static Location<'static>) -> Self {
        assert!(limit > 0, "a limit of 0: nothing would ever be done");
        let hopper = Arc::new(Mutex::new(Hopper { item: None, wanted: true }));
        let source = Branch::new(Bring { source, hopper: hopper.clone() });
        let set = Set::new(Shop { source, branches: Slab::new() }, 1, location);
        let (taken, places) = (0, Vec::new());
        Work { set, hopper, limit, map, taken, places, exhausted: false, cut: false, alone: None }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        done: &mut impl FnMut(&mut Set<Shop<S, I, B, T>, E>, usize, T),
    ) -> Poll<Result<(), GroupError<E>>> {
        ready!(self.set.poll_enter(cx));
        self.poll_some(cx, None, done);
        self.fill(cx, done);
        let all = self.exhausted && !self.cut;
        let alone = self.alone.clone();
        self.set.poll_exit(cx, |_| if all { Ok(()) } else { Err(alone) })
    }

    /// Takes items and begins to work on them, until there is no room, or no item. What has ended at once makes room; the
    /// budget puts an end to that.
    fn fill(&mut self, cx: &mut Context<'_>, done: &mut impl FnMut(&mut Set<Shop<S, I, B, T>, E>, usize, T)) {
        loop {
            let begun = self.begin_next();
            if let Some(index) = begun {
                self.poll_some(cx, Some(index), done);
            }
            if self.wants_more() {
                self.poll_some(cx, Some(SOURCE), done);
            } else if begun.is_none() {
                break;
            }
        }
    }

    /// Polls one branch, or what was woken.
    fn poll_some(
        &mut self,
        cx: &mut Context<'_>,
        only: Option<usize>,
        done: &mut impl FnMut(&mut Set<Shop<S, I, B, T>, E>, usize, T),
    ) {
        let Work { set, places, exhausted, cut, alone, taken, .. } = self;
        let ended = |set: &mut Set<Shop<S, I, B, T>, E>, index: usize, end: End| {
            let place = if index == SOURCE { *taken } else { places[index - 1] };
            let output = if index == SOURCE { None } else { set.lanes().remove(index) };
            match end {
                End::Value if index == SOURCE => *exhausted = true,
                End::Value => done(set, place, output.expect("it has just ended")),
                End::Panicked(payload) => set.panicked(place, payload),
                End::CutWithAll => *cut = true,
                End::CutAlone(reason) => {
                    *cut = true;
                    alone.get_or_insert(reason.clone());
                    set.cancel(reason);
                }
            }
        };
        match only {
            Some(index) => set.poll_only(index, ended),
            None => set.poll_branches(cx, ended),
        }
    }

    /// Begins to work on the item that was brought, if there is one; gives the branch. Once it is over nothing begins.
    fn begin_next(&mut self) -> Option<usize> {
        let item = self.hopper.lock().item.take()?;
        let place = self.taken;
        if self.set.is_over() {
            self.cut = true;
            self.set.inside(place, || drop(item));
            return None;
        }
        self.taken += 1;
        let body = self.set.inside(place, || (self.map)(item))?;
        let index = self.set.lanes().insert(body);
        if self.places.len() < index {
            self.places.resize(index, 0);
        }
        self.places[index - 1] = place;
        self.set.added_to_be_polled(index);
        Some(index)
    }

    /// Whether there is room for another item, and none was asked for, which then is.
    fn wants_more(&mut self) -> bool {
        // Unless it is over, the source is one of those that are left.
        if self.exhausted || self.set.is_over() || self.set.left() > self.limit {
            return false;
        }
        let mut hopper = self.hopper.lock();
        debug_assert!(hopper.item.is_none(), "an item that was brought is begun at once");
        !std::mem::replace(&mut hopper.wanted, true)
    }
}

impl<S, I, F, B, T, E: Send + 'static> fmt::Debug for Work<S, I, F, B, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("limit", &self.limit).field("taken", &self.taken).finish_non_exhaustive()
    }
}

/// The source, and the branches that work on what it brought.
struct Shop<S, I, B, T> {
    source: Pin<Box<Branch<Bring<S, I>, ()>>>,
    /// By their index less one.
    branches: Slab<Pin<Box<Branch<B, T>>>>,
}

impl<S, I, B: Future<Output = T>, T> Shop<S, I, B, T> {
    fn insert(&mut self, body: B) -> usize {
        self.branches.insert(Branch::new(body)) + 1
    }

    fn remove(&mut self, index: usize) -> Option<T> {
        self.branches.remove(index - 1).as_mut().output().take()
    }
}

impl<S: Stream<Item = I>, I, B: Future<Output = T>, T> Lanes for Shop<S, I, B, T> {
    fn poll(&mut self, index: usize, below: Below<'_>, cx: &mut Context<'_>) -> Poll<Ended> {
        match index {
            SOURCE => self.source.as_mut().poll_below(below, cx),
            _ => self.branches[index - 1].as_mut().poll_below(below, cx),
        }
    }
}

/// What passes between the source and the work.
struct Hopper<T> {
    item: Option<T>,
    /// Whether there is room for an item.
    wanted: bool,
}

pin_project! {
    /// Brings an item whenever one is wanted; ready when there are no more.
    struct Bring<S, I> {
        #[pin]
        source: S,
        hopper: Arc<Mutex<Hopper<I>>>,
    }
}

impl<S: Stream<Item = I>, I> Future for Bring<S, I> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if !this.hopper.lock().wanted {
            return Poll::Pending;
        }
        ready!(context::poll_budget(cx));
        let Some(item) = ready!(this.source.poll_next(cx)) else {
            return Poll::Ready(());
        };
        *this.hopper.lock() = Hopper { item: Some(item), wanted: false };
        Poll::Pending
    }
}
