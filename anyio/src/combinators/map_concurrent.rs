//! Doing something with many items, so many at a time.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use parking_lot::Mutex;
use pin_project_lite::pin_project;
use slab::Slab;

use super::source::Source;
use crate::branches::{Below, Branch, End, Ended, Lane, Lanes, Set};
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
) -> impl Future<Output = Result<Vec<B::Output>, Cancelled>> + use<S, M, F, B>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future,
{
    let work = Work::<_, _, _, Infallible>::new(source.into_stream(), limit, map, Location::caller());
    async move {
        let mut outputs = Vec::new();
        let done = work.run(|_, place, output| put(&mut outputs, place, output)).await;
        Plain::into_outcome(done.map(|()| outputs.into_iter().flatten().collect()))
    }
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
) -> impl Future<Output = Result<Vec<B::Output>, Cancelled>> + use<S, M, F, B>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future,
{
    let work = Work::<_, _, _, Infallible>::new(source.into_stream(), limit, map, Location::caller());
    async move {
        let mut outputs = Vec::new();
        let done = work.run(|_, _, output| outputs.push(output)).await;
        Plain::into_outcome(done.map(|()| outputs))
    }
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
) -> impl Future<Output = Result<Vec<T>, GroupError<E>>> + use<S, M, F, B, T, E>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future<Output = Result<T, E>>,
    E: Send + 'static,
{
    let work = Work::<_, _, _, E>::new(source.into_stream(), limit, map, Location::caller());
    async move {
        let mut outputs = Vec::new();
        let done = work.run(fallibly(|place, value| put(&mut outputs, place, value))).await;
        done.map(|()| outputs.into_iter().flatten().collect())
    }
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
) -> impl Future<Output = Result<Vec<T>, GroupError<E>>> + use<S, M, F, B, T, E>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future<Output = Result<T, E>>,
    E: Send + 'static,
{
    let work = Work::<_, _, _, E>::new(source.into_stream(), limit, map, Location::caller());
    async move {
        let mut outputs = Vec::new();
        work.run(fallibly(|_, value| outputs.push(value))).await.map(|()| outputs)
    }
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
) -> impl Future<Output = Result<(), Cancelled>> + use<S, M, F, B>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future<Output = ()>,
{
    let work = Work::<_, _, _, Infallible>::new(source.into_stream(), limit, act, Location::caller());
    async move { Plain::into_outcome(work.run(|_, _, ()| {}).await) }
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
) -> impl Future<Output = Result<(), GroupError<E>>> + use<S, M, F, B, E>
where
    S: Source<M>,
    F: FnMut(S::Item) -> B,
    B: Future<Output = Result<(), E>>,
    E: Send + 'static,
{
    let work = Work::<_, _, _, E>::new(source.into_stream(), limit, act, Location::caller());
    async move { work.run(fallibly(|_, ()| {})).await }
}

/// Puts an output where it belongs.
fn put<T>(outputs: &mut Vec<Option<T>>, place: usize, output: T) {
    if outputs.len() <= place {
        outputs.resize_with(place + 1, || None);
    }
    outputs[place] = Some(output);
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

/// Items, of which so many are worked on at a time.
struct Work<S: Stream, F, B: Future, E: Send + 'static> {
    set: Set<Shop<S, B>, E>,
    hopper: Arc<Mutex<Hopper<S::Item>>>,
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

impl<S, F, B, E> Work<S, F, B, E>
where
    S: Stream,
    F: FnMut(S::Item) -> B,
    B: Future,
    E: Send + 'static,
{
    #[expect(clippy::arc_with_non_send_sync, reason = "it is Send and Sync where the items are Send")]
    fn new(source: S, limit: usize, map: F, location: &'static Location<'static>) -> Self {
        assert!(limit > 0, "a limit of 0: nothing would ever be done");
        let hopper = Arc::new(Mutex::new(Hopper { item: None, wanted: true }));
        let source = Branch::new(Bring { source, hopper: hopper.clone() });
        let set = Set::new(Shop { source, branches: Slab::new() }, 1, location);
        let (taken, places) = (0, Vec::new());
        Work { set, hopper, limit, map, taken, places, exhausted: false, cut: false, alone: None }
    }

    async fn run(
        mut self,
        mut done: impl FnMut(&mut Set<Shop<S, B>, E>, usize, B::Output),
    ) -> Result<(), GroupError<E>> {
        poll_fn(|cx| self.set.poll_enter(cx)).await;
        poll_fn(|cx| self.poll(cx, &mut done)).await
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        done: &mut impl FnMut(&mut Set<Shop<S, B>, E>, usize, B::Output),
    ) -> Poll<Result<(), GroupError<E>>> {
        loop {
            self.poll_branches(cx, done);
            let begun = self.begin_next();
            if !self.want_more() && !begun {
                break;
            }
        }
        let all = self.exhausted && !self.cut;
        let alone = self.alone.clone();
        self.set.poll_exit(cx, |_| if all { Ok(()) } else { Err(alone) })
    }

    fn poll_branches(
        &mut self,
        cx: &mut Context<'_>,
        done: &mut impl FnMut(&mut Set<Shop<S, B>, E>, usize, B::Output),
    ) {
        let Work { set, places, exhausted, cut, alone, taken, .. } = self;
        set.poll_branches(cx, |set, index, end| {
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
        });
    }

    /// Begins to work on the item that was brought; says whether there was one.
    fn begin_next(&mut self) -> bool {
        let Some(item) = self.hopper.lock().item.take() else {
            return false;
        };
        let place = self.taken;
        self.taken += 1;
        let Some(body) = self.set.inside(place, || (self.map)(item)) else {
            return true;
        };
        let index = self.set.lanes().insert(body);
        if self.places.len() < index {
            self.places.resize(index, 0);
        }
        self.places[index - 1] = place;
        self.set.added(index);
        true
    }

    /// Asks for another item if there is room for it; says whether it did.
    fn want_more(&mut self) -> bool {
        let running = self.set.left() - usize::from(!self.exhausted);
        if self.exhausted || self.set.is_over() || running >= self.limit {
            return false;
        }
        let wants = !std::mem::replace(&mut self.hopper.lock().wanted, true);
        if wants {
            self.set.wake(SOURCE);
        }
        wants
    }
}

/// The source, and the branches that work on what it brought.
struct Shop<S: Stream, B: Future> {
    source: Lane<Bring<S>>,
    /// By their index less one.
    branches: Slab<Lane<B>>,
}

impl<S: Stream, B: Future> Shop<S, B> {
    fn insert(&mut self, body: B) -> usize {
        self.branches.insert(Branch::new(body)) + 1
    }

    fn remove(&mut self, index: usize) -> Option<B::Output> {
        self.branches.remove(index - 1).as_mut().output().take()
    }
}

impl<S: Stream, B: Future> Lanes for Shop<S, B> {
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
    struct Bring<S: Stream> {
        #[pin]
        source: S,
        hopper: Arc<Mutex<Hopper<S::Item>>>,
    }
}

impl<S: Stream> Future for Bring<S> {
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
