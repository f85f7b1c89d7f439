//! [`Sequencer`]: steps of several tasks in one order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::lock::Mutex;

use crate::line::{Wakes, change};
use crate::operation::Operation;

/// Has the steps of several tasks happen in one order: step *n* is entered when step *n* − 1 was left.
///
/// It is Trio's `Sequencer`. The first step is 0. Each step is taken once; clones belong to the same sequence.
///
/// The step lasts until what [`step`](Sequencer::step) returns is dropped, also by a panic or a cancellation. A guard that is
/// forgotten is never left. A wait for a step that is cut short *breaks* the sequence: nobody can come to the steps that
/// remain, so whoever waits for one, now or later, gets an error rather than waits for ever. A step that its task was not
/// allowed to begin waiting for, because it was cancelled already, is still to come.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::testing::Sequencer;
///
/// let sequencer = Sequencer::new();
/// let (sender, receiver) = anyio::channel::unbounded();
/// anyio::task_group(async |tg| {
///     let (first, log) = (sequencer.clone(), sender.clone());
///     tg.spawn(async move {
///         drop(first.step(0).await);
///         let _step = first.step(2).await;
///         log.try_send("and here again").unwrap();
///     });
///     let _step = sequencer.step(1).await;
///     sender.try_send("here").unwrap();
/// })
/// .await
/// .unwrap();
/// assert_eq!(receiver.try_recv(), Ok("here"));
/// assert_eq!(receiver.try_recv(), Ok("and here again"));
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Sequencer {
    shared: Arc<Mutex<State>>,
}

/// A step can not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SequenceError {
    /// Somebody takes this step already, or has taken it.
    #[error("step {step} is taken twice: give each step of a sequence a number of its own")]
    TakenTwice {
        /// The step.
        step: usize,
    },
    /// A wait for an earlier step was cut short, or one for a later step.
    #[error("step {step} will never come: the wait for step {broken_at} was cancelled, which breaks the sequence")]
    Broken {
        /// The step that was asked for.
        step: usize,
        /// The step that nobody waits for any more.
        broken_at: usize,
    },
}

impl Sequencer {
    /// A sequence of which no step was taken.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for its turn and enters the step, which lasts until what this returns is dropped.
    ///
    /// # Panics
    ///
    /// If the step is taken twice, or the sequence is broken. In the task that waits, so that its group says so.
    ///
    /// # Cancel safety
    ///
    /// A wait that is dropped breaks the sequence: see [`Sequencer`].
    #[track_caller]
    pub fn step(&self, step: usize) -> impl Future<Output = SequenceStep> + Send + use<> {
        let caller = Location::caller();
        Operation::new(Turn::new(self, step), move |entered: Result<_, SequenceError>| {
            entered.unwrap_or_else(|error| panic!("{error} (at {caller})"))
        })
    }

    /// [`step`](Sequencer::step) with an error in the place of a panic.
    ///
    /// # Errors
    ///
    /// [`SequenceError`], if the step is taken twice, or the sequence is broken, also while this waits.
    ///
    /// # Cancel safety
    ///
    /// A wait that is dropped breaks the sequence: see [`Sequencer`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use anyio::testing::{SequenceError, Sequencer};
    ///
    /// let sequencer = Sequencer::new();
    /// drop(sequencer.step(0).await);
    /// let again = sequencer.try_step(0).await;
    /// assert_eq!(again.unwrap_err(), SequenceError::TakenTwice { step: 0 });
    /// # });
    /// ```
    #[track_caller]
    pub fn try_step(&self, step: usize) -> impl Future<Output = Result<SequenceStep, SequenceError>> + Send + use<> {
        Operation::new(Turn::new(self, step), |entered| entered)
    }
}

impl fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        let waiting: Vec<_> = state.waiting.keys().collect();
        f.debug_struct("Sequencer").field("next", &state.next).field("waiting", &waiting).finish_non_exhaustive()
    }
}

/// A step of a [`Sequencer`] that is being taken. The next one may begin when it is dropped.
#[must_use = "a step that is not kept is over at once"]
pub struct SequenceStep {
    shared: Arc<Mutex<State>>,
    step: usize,
}

impl SequenceStep {
    /// The number of the step.
    #[must_use]
    pub fn number(&self) -> usize {
        self.step
    }
}

impl Drop for SequenceStep {
    fn drop(&mut self) {
        change(&self.shared, |state, wakes| {
            state.next = self.step + 1;
            wakes.extend(state.waiting.remove(&state.next));
        });
    }
}

impl fmt::Debug for SequenceStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SequenceStep").field(&self.step).finish()
    }
}

/// What all clones share.
#[derive(Default)]
struct State {
    /// The step whose turn it is, or that is being taken.
    next: usize,
    /// The steps that were entered or are waited for.
    taken: BTreeSet<usize>,
    /// Who waits for which step.
    waiting: BTreeMap<usize, Waker>,
    /// The step whose wait was cut short.
    broken_at: Option<usize>,
}

impl State {
    fn take(&mut self, step: usize) -> Result<(), SequenceError> {
        if self.taken.insert(step) { Ok(()) } else { Err(SequenceError::TakenTwice { step }) }
    }

    fn break_at(&mut self, step: usize, wakes: &mut Wakes) {
        self.broken_at.get_or_insert(step);
        for waker in std::mem::take(&mut self.waiting).into_values() {
            wakes.push(waker);
        }
    }
}

/// The wait for a step.
struct Turn {
    shared: Arc<Mutex<State>>,
    step: usize,
    /// Whether the step is taken, and not entered yet.
    waits: bool,
}

impl Turn {
    fn new(sequencer: &Sequencer, step: usize) -> Self {
        Turn { shared: sequencer.shared.clone(), step, waits: false }
    }
}

impl Future for Turn {
    type Output = Result<SequenceStep, SequenceError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (shared, step, waits) = (self.shared.clone(), self.step, &mut self.waits);
        change(&shared, |state, wakes| {
            if let Some(broken_at) = state.broken_at {
                *waits = false;
                return Poll::Ready(Err(SequenceError::Broken { step, broken_at }));
            }
            if !*waits {
                state.take(step)?;
            }
            *waits = state.next != step;
            if *waits {
                wakes.discard_some(state.waiting.insert(step, cx.waker().clone()));
                return Poll::Pending;
            }
            Poll::Ready(Ok(SequenceStep { shared: shared.clone(), step }))
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.waits {
            change(&self.shared, |state, wakes| state.break_at(self.step, wakes));
        }
    }
}
