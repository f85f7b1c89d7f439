//! Handing out each output as it comes.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::branches::{Branch, End, Set};
use crate::reason::Cancelled;
use crate::task_group::{Kind as _, Plain};

/// Runs futures concurrently and hands out their outputs in the order in which they complete.
///
/// It is asyncio's `as_completed`; *compared to* `FuturesUnordered` of futures, each branch is a unit that is cancelled by
/// itself, and a panic in one is resumed when the others are gone.
///
/// The futures go on only while the stream is being polled: they wait while the loop body does something else, and one
/// that waits under a shield keeps the scopes around from cancelling the loop body. If that is not what you want, spawn
/// them.
///
/// # Panics
///
/// When it is polled: as [`gather`](super::gather).
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{as_completed, sleep};
///
/// let naps = [3, 1, 2].map(async |length| {
///     sleep(Duration::from_millis(20 * length)).await;
///     length
/// });
/// let mut woken = as_completed(naps);
/// let mut order = Vec::new();
/// while let Some(length) = woken.next().await {
///     order.push(length?);
/// }
/// assert_eq!(order.len(), 3);
/// # Ok::<(), anyio::Cancelled>(())
/// # }).unwrap();
/// ```
#[track_caller]
pub fn as_completed<I>(futures: I) -> AsCompleted<I::Item, <I::Item as Future>::Output>
where
    I: IntoIterator<Item: Future>,
{
    let lanes: Vec<_> = futures.into_iter().map(Branch::new).collect();
    let count = lanes.len();
    let set = Set::new(lanes, count, Location::caller());
    AsCompleted { set, done: VecDeque::new(), alone: None, all_completed: true, over: false }
}

/// The stream returned by [`as_completed`].
///
/// After the outputs of all futures that have completed it ends; with one `Err` before that, if any was cut short by a
/// cancellation. Dropping it drops the futures that are left.
#[must_use = "streams do nothing unless they are polled"]
pub struct AsCompleted<F, T> {
    set: Set<Vec<Pin<Box<Branch<F, T>>>>, Infallible>,
    /// The branches that have completed, and were not handed out.
    done: VecDeque<usize>,
    /// Why a branch was cut short alone.
    alone: Option<Cancelled>,
    /// Whether none was cut short.
    all_completed: bool,
    over: bool,
}

impl<F: Future<Output = T>, T> AsCompleted<F, T> {
    /// The next output; `None`: there are no more.
    ///
    /// # Errors
    ///
    /// [`Cancelled`], at the end, if any future was cut short.
    ///
    /// # Panics
    ///
    /// As [`gather`](super::gather).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[expect(clippy::should_implement_trait, reason = "it is what streams call it")]
    pub fn next(&mut self) -> impl Future<Output = Option<Result<T, Cancelled>>> {
        poll_fn(|cx| self.poll_output(cx))
    }

    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Cancelled>>> {
        if self.over {
            return Poll::Ready(None);
        }
        ready!(self.set.poll_enter(cx));
        if self.done.is_empty() {
            self.poll_branches(cx);
        }
        if let Some(index) = self.done.pop_front() {
            let output = self.set.lanes()[index].as_mut().output().take();
            return Poll::Ready(Some(Ok(output.expect("it is handed out once"))));
        }
        let all = self.all_completed;
        let alone = self.alone.clone();
        let outcome = ready!(self.set.poll_exit(cx, |_| if all { Ok(()) } else { Err(alone) }));
        self.over = true;
        Poll::Ready(Plain::into_outcome(outcome).err().map(Err))
    }

    fn poll_branches(&mut self, cx: &mut Context<'_>) {
        let AsCompleted { set, done, alone, all_completed, .. } = self;
        set.poll_branches(cx, |set, index, end| match end {
            End::Value => done.push_back(index),
            End::CutWithAll => *all_completed = false,
            End::CutAlone(reason) => {
                *all_completed = false;
                alone.get_or_insert(reason);
            }
            End::Panicked(payload) => set.panicked(index, payload),
        });
    }
}

impl<F: Future<Output = T>, T> Stream for AsCompleted<F, T> {
    type Item = Result<T, Cancelled>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_output(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.done.len(), Some(self.done.len() + self.set.left() + 1))
    }
}

impl<F, T> fmt::Debug for AsCompleted<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("left", &self.set.left()).finish_non_exhaustive()
    }
}
