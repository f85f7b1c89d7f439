//! Timeouts, sleeping and intervals. All times are on the clock of the runtime in use.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use anyio_core::Timer;
use pin_project_lite::pin_project;

use crate::cancel_scope::{Limit, Timed};
use crate::context;
use crate::operation::begin;
use crate::runtime::Runtime;
use crate::sleepers::Sleeper;
use crate::unit::{Entry, noted};

/// The time was up before the future was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("timed out")]
#[non_exhaustive]
pub struct TimedOut;

/// Gives `future` at most `limit`, counted from the first poll.
///
/// A future that completes has completed, even if it does so late in a single poll: a limit of zero around a future
/// that is ready at once is `Ok`. A future that suspends once the time is up is dropped there, unless a shield or a task
/// group inside is still busy; then it goes on until that has ended. (With a limit of a second or more it is the runtime's
/// timer that tells: a future that has kept its thread busy until after the limit may be polled once more.)
///
/// The deadline acts on time although `future` is woken without pause, although nobody polls it (tasks that it has
/// spawned are cancelled on time, on whatever thread they run), and together with those of scopes and timeouts
/// around it. `Duration::MAX` means no limit.
///
/// *Compared to* tokio's `timeout`: it also cancels and waits for task groups inside, respects shields, and cannot be
/// starved by a busy future. *Compared to* [`move_on_after`]: the same with an `Option`. *Compared to*
/// [`CancelScope::with_timeout`](crate::CancelScope::with_timeout): a scope can also be cancelled and edited from outside,
/// and says so in its output.
///
/// It is AnyIO's `fail_after`, under the name that Rust has for it.
///
/// # Errors
///
/// [`TimedOut`], only if this very deadline was the cause. When a scope around is cancelled as well, that one acts.
///
/// # Panics
///
/// At the first poll, where there is no runtime; with the panic of `future`.
///
/// # Cancel safety
///
/// Dropping it drops `future`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{TimedOut, sleep_forever, timeout};
///
/// assert_eq!(timeout(Duration::from_secs(60), async { 1 }).await, Ok(1));
/// assert!(timeout(Duration::from_millis(5), sleep_forever()).await.is_err());
/// # });
/// ```
pub fn timeout<F: Future>(limit: Duration, future: F) -> Timeout<F> {
    Timeout { timed: Timed::new(Limit::After(limit), future) }
}

/// [`timeout`] with a deadline instead of a limit.
///
/// # Errors
///
/// As [`timeout`].
///
/// # Panics
///
/// As [`timeout`].
///
/// # Cancel safety
///
/// As [`timeout`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let deadline = anyio::now() + std::time::Duration::from_millis(5);
/// assert!(anyio::timeout_at(deadline, anyio::sleep_forever()).await.is_err());
/// # });
/// ```
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout { timed: Timed::new(Limit::At(deadline), future) }
}

/// [`timeout`], under the name that it has in AnyIO and Trio.
///
/// # Errors
///
/// As [`timeout`].
///
/// # Panics
///
/// As [`timeout`].
///
/// # Cancel safety
///
/// As [`timeout`].
pub fn fail_after<F: Future>(limit: Duration, future: F) -> Timeout<F> {
    timeout(limit, future)
}

/// [`timeout_at`], under the name that it has in Trio.
///
/// # Errors
///
/// As [`timeout`].
///
/// # Panics
///
/// As [`timeout`].
///
/// # Cancel safety
///
/// As [`timeout`].
pub fn fail_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    timeout_at(deadline, future)
}

/// Gives `future` at most `limit`, and `None` if that was not enough: [`timeout`] for results that may be missing.
///
/// # Panics
///
/// As [`timeout`].
///
/// # Cancel safety
///
/// As [`timeout`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{move_on_after, sleep_forever};
///
/// assert_eq!(move_on_after(Duration::from_millis(5), sleep_forever()).await, None);
/// # });
/// ```
pub fn move_on_after<F: Future>(limit: Duration, future: F) -> MoveOn<F> {
    MoveOn { timed: Timed::new(Limit::After(limit), future) }
}

/// [`move_on_after`] with a deadline instead of a limit.
///
/// # Panics
///
/// As [`timeout`].
///
/// # Cancel safety
///
/// As [`timeout`].
pub fn move_on_at<F: Future>(deadline: Instant, future: F) -> MoveOn<F> {
    MoveOn { timed: Timed::new(Limit::At(deadline), future) }
}

pin_project! {
    /// The future returned by [`timeout`] and [`timeout_at`].
    #[must_use = "futures do nothing unless they are awaited"]
    #[derive(Debug)]
    pub struct Timeout<F: Future> {
        #[pin]
        timed: Timed<F>,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimedOut>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().timed.poll_timed(cx).map_err(|_| TimedOut)
    }
}

pin_project! {
    /// The future returned by [`move_on_after`] and [`move_on_at`].
    #[must_use = "futures do nothing unless they are awaited"]
    #[derive(Debug)]
    pub struct MoveOn<F: Future> {
        #[pin]
        timed: Timed<F>,
    }
}

impl<F: Future> Future for MoveOn<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().timed.poll_timed(cx).map(Result::ok)
    }
}

/// The time on the clock of the runtime in use.
///
/// # Panics
///
/// Where there is no runtime.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let before = anyio::now();
/// assert!(anyio::now() >= before);
/// # });
/// ```
#[must_use]
pub fn now() -> Instant {
    here().now()
}

fn here() -> Runtime {
    Runtime::current().unwrap_or_else(|error| panic!("{error}"))
}

/// Waits for `duration`, counted from the first poll. Never shorter; `Duration::ZERO` yields to the runtime exactly
/// once; `Duration::MAX` waits for ever.
///
/// # Panics
///
/// Where there is no runtime.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
///
/// let start = anyio::now();
/// anyio::sleep(Duration::from_millis(5)).await;
/// assert!(anyio::now() - start >= Duration::from_millis(5));
/// # });
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep::new(Alarm::After(duration))
}

/// Waits until `deadline`. One that is past yields to the runtime exactly once.
///
/// # Panics
///
/// Where there is no runtime.
///
/// # Cancel safety
///
/// Nothing is lost.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::new(Alarm::At(deadline))
}

/// Waits until it is cancelled.
///
/// # Cancel safety
///
/// Nothing is lost.
#[track_caller]
pub fn sleep_forever() -> Sleep {
    Sleep::new(Alarm::Never)
}

/// The future returned by [`sleep`], [`sleep_until`] and [`sleep_forever`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct Sleep {
    entry: Entry,
    alarm: Alarm,
}

/// What a sleeper waits for.
enum Alarm {
    /// Not polled yet.
    After(Duration),
    /// Not polled yet.
    At(Instant),
    /// The one yield of a sleeper whose time has come before it started.
    Yielded,
    Sleeper(Sleeper),
    /// Where the clock is not the system's.
    Timer(Pin<Box<dyn Timer>>),
    Never,
}

/// How a sleeper starts.
enum Start {
    Never,
    Late,
    /// With a timer that others have, too, and whether that is due.
    Among(Sleeper, bool),
    Alone(Pin<Box<dyn Timer>>),
}

impl Sleep {
    #[track_caller]
    fn new(alarm: Alarm) -> Self {
        Sleep { entry: Entry::new(), alarm }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        noted(|| self.poll_sleep(cx))
    }
}

impl Sleep {
    fn poll_sleep(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.entry.poll(cx));
        match &mut self.alarm {
            Alarm::Sleeper(sleeper) => sleeper.poll(cx),
            Alarm::Timer(timer) => timer.as_mut().poll(cx),
            Alarm::Yielded => Poll::Ready(()),
            Alarm::Never => Poll::Pending,
            Alarm::After(Duration::ZERO) => self.yield_once(cx),
            Alarm::At(deadline) => {
                let deadline = *deadline;
                self.start(|_| Some(deadline), cx)
            }
            Alarm::After(duration) => {
                let duration = *duration;
                self.start(|now| now.checked_add(duration), cx)
            }
        }
    }

    fn start(&mut self, deadline: impl FnOnce(Instant) -> Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloned, and dropped, where that may do anything.
        let mut waker = Some(cx.waker().clone());
        let begin = |runtime: &Runtime| {
            let now = runtime.now();
            let Some(deadline) = deadline(now) else { return Start::Never };
            if deadline <= now {
                return Start::Late;
            }
            let backend = &**runtime.backend();
            match runtime.sleepers().zip(waker.take()) {
                Some((sleepers, waker)) => {
                    let (sleeper, is_due) = sleepers.here().add(deadline, waker, backend);
                    Start::Among(sleeper, is_due)
                }
                None => Start::Alone(backend.timer_ahead(deadline)),
            }
        };
        match Runtime::with_current(begin).unwrap_or_else(|error| panic!("{error}")) {
            Start::Never => self.alarm = Alarm::Never,
            Start::Late => return self.yield_once(cx),
            Start::Among(sleeper, is_due) => match if is_due { sleeper.ring() } else { Some(sleeper) } {
                Some(sleeper) => self.alarm = Alarm::Sleeper(sleeper),
                None => return self.yield_once(cx),
            },
            Start::Alone(mut timer) => {
                let polled = timer.as_mut().poll(cx);
                self.alarm = Alarm::Timer(timer);
                return polled;
            }
        }
        Poll::Pending
    }

    fn yield_once(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.alarm = Alarm::Yielded;
        if self.entry.has_stepped_aside() {
            return Poll::Ready(());
        }
        context::step_aside(cx);
        Poll::Pending
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}

/// What an [`Interval`] does about ticks that nobody was there to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTicks {
    /// Makes up for them, one after the other and at once: as many ticks as there were periods.
    #[default]
    Burst,
    /// Forgets them, and counts the next period from the tick that came late.
    Delay,
    /// Forgets them, and goes on with the next one that is due on the original schedule.
    Skip,
}

/// Ticks every `period`; the first tick is at the first call.
///
/// # Panics
///
/// When `period` is zero.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{MissedTicks, interval};
///
/// let mut ticks = interval(Duration::from_millis(5)).missed_ticks(MissedTicks::Skip);
/// let first = ticks.tick().await;
/// let second = ticks.tick().await;
/// assert_eq!(second - first, Duration::from_millis(5));
/// # });
/// ```
#[must_use]
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "the period of an interval must not be zero");
    Interval { period, missed: MissedTicks::default(), next: Next::Now }
}

/// Ticks at a steady pace: see [`interval`].
#[derive(Debug)]
pub struct Interval {
    period: Duration,
    missed: MissedTicks,
    next: Next,
}

/// When the next tick is due.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// At the first call.
    Now,
    At(Instant),
    /// Beyond the end of time.
    Never,
}

impl Interval {
    /// Sets what is done about ticks that nobody was there to take. The default is [`MissedTicks::Burst`].
    #[must_use]
    pub fn missed_ticks(mut self, missed: MissedTicks) -> Self {
        self.missed = missed;
        self
    }

    /// Waits for the next tick and tells when it was due.
    ///
    /// # Panics
    ///
    /// Where there is no runtime.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a tick that was not returned comes again.
    #[track_caller]
    pub fn tick(&mut self) -> impl Future<Output = Instant> {
        let begin = begin();
        async move {
            begin.await;
            self.next_tick().await
        }
    }

    async fn next_tick(&mut self) -> Instant {
        let due = match self.next {
            Next::Now => now(),
            Next::At(due) => due,
            Next::Never => std::future::pending().await,
        };
        if now() < due {
            sleep_until(due).await;
        }
        self.next = self.after(due, now()).map_or(Next::Never, Next::At);
        due
    }

    /// When the tick after the one that was `due` is due, if that one was taken at `taken`.
    fn after(&self, due: Instant, taken: Instant) -> Option<Instant> {
        let late = taken - due;
        let base = match self.missed {
            MissedTicks::Delay if late >= self.period => taken,
            MissedTicks::Skip => {
                let late = late.as_nanos() % self.period.as_nanos();
                taken - Duration::from_nanos(late.try_into().unwrap_or(u64::MAX))
            }
            MissedTicks::Burst | MissedTicks::Delay => due,
        };
        base.checked_add(self.period)
    }
}
