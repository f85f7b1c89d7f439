//! [`CapacityLimiter`]: tokens that are lent, one to each borrower.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker, ready};

use crate::lock::Mutex;

use crate::context;
use crate::task_group::TaskId;
use crate::tree::wake;
use crate::unit::Entry;

/// A number of tokens, of which each borrower may hold one at a time.
///
/// It is Trio's and AnyIO's `CapacityLimiter`: a semaphore that knows who holds its tokens, and whose total may be
/// changed at any time. [`to_thread`](crate::to_thread) bounds its threads by one.
///
/// - **One token per borrower.** The borrower is the current task unless
///   [`acquire_on_behalf_of`](CapacityLimiter::acquire_on_behalf_of) names another. One that asks for a second token gets
///   an error at once: with a semaphore it would wait for itself.
/// - **In order.** Whoever waits longest is served first. A token that comes back is handed over to the first in the
///   queue at once, so nobody overtakes. A waiter that is cancelled passes its turn on.
/// - **Adjustable.** [`set_total`](CapacityLimiter::set_total) takes effect at once, also when more tokens are out than
///   the new total allows: then nobody gets one until enough have come back. A total of 0 lends nothing.
///
/// Clones share the tokens. *Compared to* AnyIO's, tokens are given back by dropping a [`LimiterToken`], so none can be
/// given back twice.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::sync::CapacityLimiter;
///
/// let connections = CapacityLimiter::new(2);
/// anyio::task_group(async |tg| {
///     for _ in 0..10 {
///         let connections = connections.clone();
///         tg.spawn(async move {
///             let _connection = connections.acquire().await.expect("this task holds none yet");
///             anyio::checkpoint().await; // at most two tasks are here
///         });
///     }
/// })
/// .await
/// .unwrap();
/// assert_eq!(connections.statistics().borrowed, 0);
/// # });
/// ```
#[derive(Clone)]
pub struct CapacityLimiter(Arc<Mutex<State>>);

struct State {
    total: usize,
    /// How many of `known` hold a token.
    borrowed: usize,
    /// Whoever holds a token, or waits for one.
    known: BTreeMap<Borrower, Standing>,
    /// Those who wait, in the order in which they came. While there are any, `borrowed` is at least `total`.
    queue: BTreeMap<u64, Waiter>,
    /// The next number in the queue.
    next: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Holds,
    Waits,
}

struct Waiter {
    borrower: Borrower,
    waker: Waker,
}

impl CapacityLimiter {
    /// The total of a limiter that lends a token to everybody who asks.
    pub const UNLIMITED: usize = usize::MAX;

    /// A limiter with `total` tokens.
    #[must_use]
    pub fn new(total: usize) -> Self {
        CapacityLimiter(Arc::new(Mutex::new(State {
            total,
            borrowed: 0,
            known: BTreeMap::new(),
            queue: BTreeMap::new(),
            next: 0,
        })))
    }

    /// Waits for a token for the current task.
    ///
    /// The task is the one that polls this first. Outside the tasks of anyio, in a task spawned with the runtime's own
    /// functions for example, nobody is known: every token is borrowed by a borrower of its own there.
    ///
    /// # Errors
    ///
    /// [`AlreadyBorrowing`], when the task holds a token, or waits for one, already.
    ///
    /// # Cancel safety
    ///
    /// The place in the queue is lost. No token is: one that was handed over already goes on to the next.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<LimiterToken, AlreadyBorrowing>> + Send + Sync + use<> {
        Acquire::new(self, None)
    }

    /// Waits for a token for `borrower`.
    ///
    /// # Errors
    ///
    /// [`AlreadyBorrowing`], when it holds a token, or waits for one, already.
    ///
    /// # Cancel safety
    ///
    /// As of [`acquire`](CapacityLimiter::acquire).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use anyio::sync::{Borrower, CapacityLimiter};
    ///
    /// let licences = CapacityLimiter::new(5);
    /// let customer = Borrower::new();
    /// let licence = licences.acquire_on_behalf_of(customer).await.unwrap();
    /// assert!(licences.acquire_on_behalf_of(customer).await.is_err());
    /// drop(licence);
    /// assert!(licences.acquire_on_behalf_of(customer).await.is_ok());
    /// # });
    /// ```
    #[track_caller]
    pub fn acquire_on_behalf_of(
        &self,
        borrower: Borrower,
    ) -> impl Future<Output = Result<LimiterToken, AlreadyBorrowing>> + Send + Sync + use<> {
        Acquire::new(self, Some(borrower))
    }

    /// Takes a token for the current task if that can be done at once.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::Exhausted`], when all tokens are out;
    /// [`TryAcquireError::AlreadyBorrowing`], when the task holds one, or waits for one.
    pub fn try_acquire(&self) -> Result<LimiterToken, TryAcquireError> {
        self.try_acquire_on_behalf_of(Borrower::current().unwrap_or_default())
    }

    /// Takes a token for `borrower` if that can be done at once.
    ///
    /// # Errors
    ///
    /// As of [`try_acquire`](CapacityLimiter::try_acquire).
    pub fn try_acquire_on_behalf_of(&self, borrower: Borrower) -> Result<LimiterToken, TryAcquireError> {
        let mut state = self.0.lock();
        if state.known.contains_key(&borrower) {
            return Err(AlreadyBorrowing(borrower).into());
        }
        if !state.has_tokens() {
            return Err(TryAcquireError::Exhausted);
        }
        state.lend(borrower);
        drop(state);
        Ok(self.token(borrower))
    }

    /// How many tokens there are; [`UNLIMITED`](CapacityLimiter::UNLIMITED) means that there is no limit.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.lock().total
    }

    /// Changes how many tokens there are. New tokens go to those who wait, in their order. When more are out than the
    /// total allows now, nobody gets one until enough have come back.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyio::sync::{Borrower, CapacityLimiter};
    ///
    /// let limiter = CapacityLimiter::new(1);
    /// let token = limiter.try_acquire_on_behalf_of(Borrower::new()).unwrap();
    /// limiter.set_total(0);
    /// drop(token);
    /// assert!(limiter.try_acquire_on_behalf_of(Borrower::new()).is_err());
    /// limiter.set_total(CapacityLimiter::UNLIMITED);
    /// assert!(limiter.try_acquire_on_behalf_of(Borrower::new()).is_ok());
    /// ```
    pub fn set_total(&self, total: usize) {
        let mut state = self.0.lock();
        state.total = total;
        let served = state.serve();
        drop(state);
        wake_all(served);
    }

    /// Who holds tokens, and how many wait: a snapshot.
    #[must_use]
    pub fn statistics(&self) -> LimiterStatistics {
        let state = self.0.lock();
        let holders = state.known.iter().filter(|(_, standing)| **standing == Standing::Holds);
        LimiterStatistics {
            borrowed: state.borrowed,
            total: state.total,
            borrowers: holders.map(|(borrower, _)| *borrower).collect(),
            waiting: state.queue.len(),
        }
    }

    fn token(&self, borrower: Borrower) -> LimiterToken {
        LimiterToken { limiter: self.clone(), borrower }
    }

    /// A token has come back.
    fn take_back(&self, borrower: Borrower) {
        let mut state = self.0.lock();
        state.known.remove(&borrower);
        state.borrowed -= 1;
        let served = state.serve();
        drop(state);
        wake_all(served);
    }
}

impl State {
    fn has_tokens(&self) -> bool {
        self.borrowed < self.total
    }

    fn lend(&mut self, borrower: Borrower) {
        self.borrowed += 1;
        self.known.insert(borrower, Standing::Holds);
    }

    /// Hands the tokens that there are to the first in the queue; gives whom to wake.
    #[must_use]
    fn serve(&mut self) -> Vec<Waker> {
        let mut served = Vec::new();
        while self.has_tokens()
            && let Some((_, waiter)) = self.queue.pop_first()
        {
            self.lend(waiter.borrower);
            served.push(waiter.waker);
        }
        served
    }

    fn enlist(&mut self, borrower: Borrower, waker: Waker) -> u64 {
        let number = self.next;
        self.next += 1;
        self.known.insert(borrower, Standing::Waits);
        self.queue.insert(number, Waiter { borrower, waker });
        number
    }
}

/// Wakers belong to others: they are woken without the lock.
fn wake_all(served: Vec<Waker>) {
    served.into_iter().for_each(|waker| wake(Some(waker)));
}

impl fmt::Debug for CapacityLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        let mut text = f.debug_struct("CapacityLimiter");
        text.field("borrowed", &state.borrowed).field("total", &state.total).field("waiting", &state.queue.len());
        text.finish()
    }
}

/// Somebody who may hold one token of each [`CapacityLimiter`]: a task, or whoever else it is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Borrower(Identity);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Identity {
    Task(TaskId),
    Other(u64),
}

impl Borrower {
    /// A new borrower, different from all others.
    #[must_use]
    pub fn new() -> Self {
        // Only uniqueness matters, so no order with anything else is needed.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Borrower(Identity::Other(NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The task that is being polled; `None` outside the tasks of anyio.
    #[must_use]
    pub fn current() -> Option<Self> {
        context::task_id().map(Self::from)
    }
}

/// A new borrower, different from all others.
impl Default for Borrower {
    fn default() -> Self {
        Self::new()
    }
}

impl From<TaskId> for Borrower {
    fn from(task: TaskId) -> Self {
        Borrower(Identity::Task(task))
    }
}

impl fmt::Display for Borrower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Identity::Task(task) => write!(f, "task {task}"),
            Identity::Other(number) => write!(f, "borrower {number}"),
        }
    }
}

/// A token of a [`CapacityLimiter`], which gets it back when this is dropped.
#[must_use = "a token that is dropped goes back at once"]
pub struct LimiterToken {
    limiter: CapacityLimiter,
    borrower: Borrower,
}

impl LimiterToken {
    /// Who holds it.
    #[must_use]
    pub fn borrower(&self) -> Borrower {
        self.borrower
    }
}

impl Drop for LimiterToken {
    fn drop(&mut self) {
        self.limiter.take_back(self.borrower);
    }
}

impl fmt::Debug for LimiterToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimiterToken").field("borrower", &self.borrower).finish_non_exhaustive()
    }
}

/// What a [`CapacityLimiter`] looked like at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimiterStatistics {
    /// How many tokens are out; more than `total`, when that was lowered meanwhile.
    pub borrowed: usize,
    /// How many there are; [`CapacityLimiter::UNLIMITED`] means that there is no limit.
    pub total: usize,
    /// Who holds one.
    pub borrowers: Vec<Borrower>,
    /// How many wait for one.
    pub waiting: usize,
}

/// A borrower asked for a second token of the same limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} already holds or awaits a token of this limiter: drop that one first, or acquire on behalf of another borrower"
)]
pub struct AlreadyBorrowing(Borrower);

impl AlreadyBorrowing {
    /// Who it was.
    #[must_use]
    pub fn borrower(&self) -> Borrower {
        self.0
    }
}

/// There was no token to be had at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// All tokens are out.
    #[error("all tokens of the limiter are borrowed")]
    Exhausted,
    /// The borrower has one.
    #[error(transparent)]
    AlreadyBorrowing(#[from] AlreadyBorrowing),
}

/// The wait for a token.
pub(crate) struct Acquire {
    limiter: CapacityLimiter,
    /// `None`: the task that polls first.
    borrower: Option<Borrower>,
    entry: Entry,
    stage: Stage,
}

enum Stage {
    Beginning,
    /// In the queue under this number, or served.
    Queued(u64, Borrower),
    Done,
}

impl Acquire {
    #[track_caller]
    pub(crate) fn new(limiter: &CapacityLimiter, borrower: Option<Borrower>) -> Self {
        Acquire { limiter: limiter.clone(), borrower, entry: Entry::new(), stage: Stage::Beginning }
    }

    fn begin(&mut self, cx: &Context<'_>) -> Poll<Result<LimiterToken, AlreadyBorrowing>> {
        let borrower = self.borrower.or_else(Borrower::current).unwrap_or_default();
        let waker = cx.waker().clone();
        let mut state = self.limiter.0.lock();
        if state.known.contains_key(&borrower) {
            drop(state);
            return Poll::Ready(Err(AlreadyBorrowing(borrower)));
        }
        if state.has_tokens() {
            state.lend(borrower);
            drop(state);
            return Poll::Ready(Ok(self.limiter.token(borrower)));
        }
        self.stage = Stage::Queued(state.enlist(borrower, waker), borrower);
        Poll::Pending
    }

    /// Whether this has been served; otherwise it will be woken.
    fn is_served(&self, number: u64, cx: &Context<'_>) -> bool {
        let waker = cx.waker().clone();
        let mut state = self.limiter.0.lock();
        let Some(waiter) = state.queue.get_mut(&number) else {
            return true;
        };
        let old = std::mem::replace(&mut waiter.waker, waker);
        drop(state);
        drop(old);
        false
    }
}

impl Future for Acquire {
    type Output = Result<LimiterToken, AlreadyBorrowing>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let acquired = match self.stage {
            Stage::Beginning => {
                ready!(self.entry.poll(cx));
                ready!(self.begin(cx))
            }
            Stage::Queued(number, borrower) => {
                if !self.is_served(number, cx) {
                    return Poll::Pending;
                }
                Ok(self.limiter.token(borrower))
            }
            Stage::Done => panic!("the wait for a token was polled after it was over"),
        };
        self.stage = Stage::Done;
        Poll::Ready(acquired)
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Stage::Queued(number, borrower) = self.stage else {
            return;
        };
        let mut state = self.limiter.0.lock();
        let waiter = state.queue.remove(&number);
        if waiter.is_some() {
            state.known.remove(&borrower);
        }
        drop(state);
        if waiter.is_none() {
            // Served, and gone before it could see that.
            self.limiter.take_back(borrower);
        }
    }
}
