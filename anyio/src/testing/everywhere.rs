//! [`cancel_everywhere`]: interrupting a future at each of its suspensions.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use anyio_backend_sim::{Schedule, Sim, Suspension, attempt};
use parking_lot::Mutex;

use super::leaks::Watch;
use crate::cancel_scope::{CancelHandle, CancelScope};
use crate::run::{enter, run};
use crate::sync::Event;
use crate::task_group::try_task_group;
use crate::timeout::now;
use crate::unhandled::Unhandled;

/// Runs a future once for each suspension of it and of the tasks in it, and interrupts it there: cancels it, drops it,
/// lets it time out, lets a sibling fail, lets a sibling panic. Every time, what is to hold
/// [afterwards](Trial::afterwards) is checked.
///
/// This is how the author of a library proves that it can be cancelled anywhere. `make` makes the state and the future
/// anew for each run, in the simulator, and returns a [`Trial`], or the future alone.
///
/// Besides what the trial checks, these have to hold after every interruption:
///
/// - the run comes to an end: nothing waits for what never happens;
/// - nothing is left behind, in the sense of [`assert_no_leaks`](super::assert_no_leaks): no task, no token, no forgotten
///   future, no clean-up that was skipped, no error that nobody received. (Where the trial is *dropped*, clean-ups are
///   skipped and the errors of its tasks are lost by nature.)
///
/// [`CancelEverywhere`] has more settings.
///
/// # Panics
///
/// With the [`EverywhereFailure`], which names the suspension by its place in the source and its task.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use anyio::sync::Semaphore;
/// use anyio::testing::{Trial, cancel_everywhere};
///
/// let done = cancel_everywhere(|| {
///     let permits = Arc::new(Semaphore::new(1));
///     let uses = permits.clone();
///     Trial::new(async move {
///         let _permit = uses.acquire().await;
///         anyio::checkpoint().await;
///     })
///     .afterwards(async move { assert_eq!(permits.available_permits(), 1) })
/// });
/// assert!(done.suspensions() > 0);
/// ```
#[track_caller]
pub fn cancel_everywhere<T: IntoTrial>(make: impl Fn() -> T) -> Everywhere {
    match CancelEverywhere::new().run(make) {
        Ok(done) => done,
        Err(failure) => panic!("{failure}"),
    }
}

/// A future to be interrupted, and what has to hold afterwards.
#[must_use = "a trial does nothing until it is run"]
pub struct Trial<'a> {
    future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    afterwards: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
}

impl<'a> Trial<'a> {
    /// A trial of `future`, whose output does not matter.
    pub fn new<F: Future + 'a>(future: F) -> Self {
        Trial { future: Box::pin(async { drop(future.await) }), afterwards: None }
    }

    /// Runs `check` when the future is gone, with all that was in it, in the same run. It panics where what has to hold does
    /// not. Nothing interrupts it.
    pub fn afterwards(mut self, check: impl Future<Output = ()> + 'a) -> Self {
        self.afterwards = Some(Box::pin(check));
        self
    }
}

impl fmt::Debug for Trial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trial(..)")
    }
}

/// What can be tried: a [`Trial`], or a future alone.
pub trait IntoTrial {
    /// Makes a trial of it.
    fn into_trial<'a>(self) -> Trial<'a>
    where
        Self: 'a;
}

impl IntoTrial for Trial<'_> {
    fn into_trial<'a>(self) -> Trial<'a>
    where
        Self: 'a,
    {
        self
    }
}

impl<F: Future> IntoTrial for F {
    fn into_trial<'a>(self) -> Trial<'a>
    where
        Self: 'a,
    {
        Trial::new(self)
    }
}

/// A way to interrupt a future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Interruption {
    /// The scope around it is cancelled.
    Cancel,
    /// It is dropped, as a foreign `select!` does.
    Drop,
    /// The deadline of the scope around it passes.
    Timeout,
    /// A task beside it, in the group whose body it is, fails.
    SiblingFails,
    /// A task beside it, in the group whose body it is, panics.
    SiblingPanics,
}

impl Interruption {
    /// All of them.
    pub const ALL: [Interruption; 5] = [
        Interruption::Cancel,
        Interruption::Drop,
        Interruption::Timeout,
        Interruption::SiblingFails,
        Interruption::SiblingPanics,
    ];
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Interruption::Cancel => "cancelled",
            Interruption::Drop => "dropped",
            Interruption::Timeout => "timed out",
            Interruption::SiblingFails => "cancelled by a sibling that fails",
            Interruption::SiblingPanics => "cancelled by a sibling that panics",
        })
    }
}

/// [`cancel_everywhere`] with settings.
///
/// # Examples
///
/// ```
/// use anyio::testing::{CancelEverywhere, Interruption, Schedule};
///
/// let failure = CancelEverywhere::new()
///     .interruptions([Interruption::Drop])
///     .schedule(Schedule::seeded(7))
///     .run(|| async { anyio::checkpoint().await });
/// assert!(failure.is_ok());
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is run"]
pub struct CancelEverywhere {
    interruptions: Vec<Interruption>,
    schedule: Schedule,
}

impl CancelEverywhere {
    /// All interruptions; first come, first served.
    pub fn new() -> Self {
        CancelEverywhere { interruptions: Interruption::ALL.to_vec(), schedule: Schedule::fifo() }
    }

    /// Only these interruptions.
    pub fn interruptions(mut self, interruptions: impl IntoIterator<Item = Interruption>) -> Self {
        self.interruptions = interruptions.into_iter().collect();
        self
    }

    /// Under this schedule.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Runs what `make` makes, undisturbed at first, and then once for each suspension and interruption.
    ///
    /// # Errors
    ///
    /// [`EverywhereFailure`], the first one found.
    pub fn run<T: IntoTrial>(self, make: impl Fn() -> T) -> Result<Everywhere, EverywhereFailure> {
        let failure = |how, message| EverywhereFailure { how, tried: 1, schedule: self.schedule.clone(), message };
        let mut done = Everywhere { suspensions: 0, runs: 1 };
        self.trial(make().into_trial(), None).1.map_err(|message| failure(None, message))?;
        for &interruption in &self.interruptions {
            for suspension in 1.. {
                let (place, result) = self.trial(make().into_trial(), Some((interruption, suspension)));
                let Some(place) = place else {
                    result.map_err(|message| failure(None, message))?;
                    break;
                };
                done.runs += 1;
                done.suspensions = done.suspensions.max(suspension);
                result.map_err(|message| EverywhereFailure {
                    tried: done.runs,
                    ..failure(Some((interruption, suspension, place)), message)
                })?;
            }
        }
        Ok(done)
    }

    /// Runs one trial. Says where it was interrupted, if it was, and what was wrong.
    fn trial(&self, trial: Trial<'_>, how: Option<(Interruption, u64)>) -> (Option<Suspension>, Result<(), String>) {
        let place = Arc::new(Mutex::new(None));
        let trigger = Arc::new(Trigger::default());
        let mut sim = Sim::new().schedule(self.schedule.clone());
        if let Some((_, suspension)) = how {
            let (place, trigger) = (place.clone(), trigger.clone());
            sim = sim.at_suspension(suspension, move |at| {
                if !trigger.over.load(Ordering::Acquire) {
                    *place.lock() = Some(at);
                    trigger.pull();
                }
            });
        }
        let result = attempt(|| run(sim, checked(trial, how.map(|(interruption, _)| interruption), trigger)));
        (place.lock().take(), result)
    }
}

impl Default for CancelEverywhere {
    fn default() -> Self {
        CancelEverywhere::new()
    }
}

/// A trial held wherever it was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Everywhere {
    suspensions: u64,
    runs: usize,
}

impl Everywhere {
    /// At how many suspensions it was interrupted, at most, in one way. Those of a sibling that fails count as well.
    #[must_use]
    pub fn suspensions(&self) -> u64 {
        self.suspensions
    }

    /// How many runs there were.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs
    }
}

/// A trial did not hold when it was interrupted somewhere.
#[derive(Clone, Debug)]
pub struct EverywhereFailure {
    /// `None`: it does not hold when it is left alone either.
    how: Option<(Interruption, u64, Suspension)>,
    tried: usize,
    schedule: Schedule,
    message: String,
}

impl EverywhereFailure {
    /// How it was interrupted; `None`: it fails by itself.
    #[must_use]
    pub fn interruption(&self) -> Option<Interruption> {
        self.how.as_ref().map(|(interruption, ..)| *interruption)
    }

    /// Where it was interrupted; `None`: it fails by itself.
    #[must_use]
    pub fn suspension(&self) -> Option<&Suspension> {
        self.how.as_ref().map(|(_, _, suspension)| suspension)
    }

    /// How many runs there were until it was found, with the first one, which nothing disturbed.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.tried
    }

    /// What was wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for EverywhereFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            None => write!(f, "it fails without being interrupted: {}", self.message)?,
            Some((interruption, number, suspension)) => write!(
                f,
                "it does not stand being {interruption} at suspension {number}, of {suspension}: {}",
                self.message
            )?,
        }
        write!(f, "\n  under the schedule {}", self.schedule)
    }
}

impl Error for EverywhereFailure {}

/// What interrupts a trial, from outside its tasks.
#[derive(Default)]
struct Trigger {
    pulled: AtomicBool,
    /// Whether there is nothing left to interrupt.
    over: AtomicBool,
    scope: Mutex<Option<(CancelHandle, bool)>>,
    /// Set for a sibling that waits for it.
    event: Event,
    /// Of the future that is to be dropped.
    waker: Mutex<Option<Waker>>,
}

impl Trigger {
    fn pull(&self) {
        self.pulled.store(true, Ordering::Release);
        self.event.set();
        let waker = self.waker.lock().take();
        waker.into_iter().for_each(Waker::wake);
        let scope = self.scope.lock().take();
        match scope {
            Some((handle, true)) => handle.cancel_with("cancel_everywhere"),
            Some((handle, false)) => handle.set_deadline(Some(now())),
            None => {}
        }
    }
}

/// The trial, interrupted, and all checks.
async fn checked(trial: Trial<'_>, interruption: Option<Interruption>, trigger: Arc<Trigger>) {
    let watch = Watch::begin(move |outcome| !is_by_nature(interruption, outcome));
    let Trial { future, afterwards } = trial;
    enter(watch.runtime.clone(), interrupted(future, interruption, &trigger)).await;
    trigger.over.store(true, Ordering::Release);
    if let Some(check) = afterwards {
        check.await;
    }
    watch.end().await;
}

/// Whether there is no way for `interruption` not to have this outcome.
fn is_by_nature(interruption: Option<Interruption>, outcome: &Unhandled) -> bool {
    matches!(
        (interruption, outcome),
        // Time is virtual: what takes long is none the worse for it, and what takes for ever is a deadlock.
        (_, Unhandled::Stalled)
            | (Some(Interruption::Drop), Unhandled::CleanUpSkipped { .. } | Unhandled::Failed { .. })
            | (Some(Interruption::SiblingPanics), Unhandled::Failed { .. })
    )
}

/// Runs the future so that `trigger` can interrupt it, and waits for all that it leaves.
async fn interrupted(
    future: Pin<Box<dyn Future<Output = ()> + '_>>,
    interruption: Option<Interruption>,
    trigger: &Arc<Trigger>,
) {
    let scope = CancelScope::new();
    let handle = scope.handle();
    match interruption {
        None => future.await,
        Some(Interruption::Cancel) => {
            *trigger.scope.lock() = Some((handle, true));
            _ = scope.run(future).await;
        }
        Some(Interruption::Timeout) => {
            *trigger.scope.lock() = Some((handle, false));
            _ = scope.run(future).await;
        }
        Some(Interruption::Drop) => {
            _ = scope.run(dropped(future, trigger)).await;
        }
        Some(Interruption::SiblingFails) => {
            _ = scope.run(beside(future, trigger, || Err(Saboteur))).await;
        }
        Some(Interruption::SiblingPanics) => {
            let sabotaged = scope.run(beside(future, trigger, || std::panic::resume_unwind(Box::new(Saboteur))));
            sabotaged_or_resumed(sabotaged).await;
        }
    }
}

/// The error, and the panic, of the sibling.
#[derive(Debug)]
struct Saboteur;

/// Runs the future as the body of a group, beside a sibling that does what `acts` does once it is told.
async fn beside(
    future: Pin<Box<dyn Future<Output = ()> + '_>>,
    trigger: &Arc<Trigger>,
    acts: fn() -> Result<(), Saboteur>,
) {
    let trigger = trigger.clone();
    let group = try_task_group(async |tg| {
        tg.spawn(async move {
            trigger.event.wait().await;
            acts()
        });
        future.await;
        tg.cancel();
        Ok(())
    });
    _ = group.await;
}

/// Polls the future until it is told to drop it.
async fn dropped(future: Pin<Box<dyn Future<Output = ()> + '_>>, trigger: &Trigger) {
    let mut future = Some(future);
    poll_fn(|cx: &mut Context<'_>| {
        *trigger.waker.lock() = Some(cx.waker().clone());
        if trigger.pulled.load(Ordering::Acquire) {
            future = None;
        }
        match &mut future {
            Some(future) => future.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    })
    .await;
}

/// Catches the panic of the sibling, and no other.
async fn sabotaged_or_resumed<F: Future>(future: F) {
    let mut future = std::pin::pin!(future);
    poll_fn(|cx| {
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| future.as_mut().poll(cx)));
        match polled {
            Ok(polled) => polled.map(drop),
            Err(payload) if payload.is::<Saboteur>() => Poll::Ready(()),
            Err(payload) => std::panic::resume_unwind(payload),
        }
    })
    .await;
}
