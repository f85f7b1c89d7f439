//! [`Barrier`]: tasks that wait for each other.

use std::fmt;
use std::future::Future;

use crate::lock::Mutex;

use crate::line::{Left, Visitor, Wait, Waiters, Wakes};
use crate::operation::Operation;

/// A number of tasks that wait until all of them are there.
///
/// It is asyncio's and tokio's `Barrier`. It can be used again: when all have come, all go on, and the next to come wait
/// for each other anew. What differs from both: a wait that is cancelled before all are there is as if it had never come,
/// and breaks nothing.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::sync::Barrier;
///
/// static BARRIER: Barrier = Barrier::new(3);
///
/// let leaders = anyio::task_group(async |tg| {
///     let tasks: Vec<_> = (0..3).map(|_| tg.spawn(BARRIER.wait())).collect();
///     let mut leaders = 0;
///     for task in tasks {
///         leaders += usize::from(task.value().await.is_leader());
///     }
///     leaders
/// })
/// .await;
/// assert_eq!(leaders, Ok(1));
/// # });
/// ```
pub struct Barrier {
    size: usize,
    arrived: Mutex<Waiters<(), ()>>,
}

/// What a [`Barrier`] looks like at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BarrierStatistics {
    /// How many tasks have come and are waiting for the others.
    pub tasks_waiting: usize,
}

/// Tells one of those who passed a [`Barrier`] together from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    is_leader: bool,
}

impl BarrierWaitResult {
    /// Whether this is the one who came last, for whom the others were waiting.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}

impl Barrier {
    /// A barrier for `size` tasks. With 0 and 1 nobody ever waits, and everybody leads.
    #[must_use]
    pub const fn new(size: usize) -> Self {
        Barrier { size, arrived: Mutex::new(Waiters::new()) }
    }

    /// For how many tasks it is.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Comes, and waits until all have come.
    ///
    /// # Cancel safety
    ///
    /// A wait that is cancelled before all have come did not happen: the barrier waits for another in its stead. When all
    /// have come the barrier is passed, whatever becomes of the waits.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> {
        Operation::new(Wait::new(&self.arrived, Arrive(self.size)), |is_leader| BarrierWaitResult { is_leader })
    }

    /// What the barrier looks like now.
    #[must_use]
    pub fn statistics(&self) -> BarrierStatistics {
        BarrierStatistics { tasks_waiting: self.arrived.lock().len() }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.statistics().tasks_waiting;
        f.debug_struct("Barrier").field("size", &self.size).field("tasks_waiting", &waiting).finish()
    }
}

/// Comes to a barrier of that size.
struct Arrive(usize);

impl Visitor for Arrive {
    type State = Waiters<(), ()>;
    type Want = ();
    type Grant = ();
    /// Whether it leads.
    type Output = bool;

    fn line(state: &mut Self::State) -> &mut Waiters<(), ()> {
        state
    }

    fn try_now(&mut self, state: &mut Self::State, wakes: &mut Wakes) -> Option<bool> {
        if state.len() + 1 < self.0 {
            return None;
        }
        state.serve_some(|()| true, |()| (), wakes);
        Some(true)
    }

    fn want(&mut self, _state: &mut Self::State) {}

    fn collect(&mut self, _state: &mut Self::State, (): (), _wakes: &mut Wakes) -> bool {
        false
    }

    fn give_up(&mut self, _state: &mut Self::State, _left: &Left<(), ()>, _wakes: &mut Wakes) {}
}
