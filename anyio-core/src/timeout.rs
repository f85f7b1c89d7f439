//! What a timeout needs of a runtime: [`Clock`] and [`Timer`].

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// What a timeout needs of a runtime: the time, and timers that fire on it.
///
/// All deadlines are [`Instant`]s of this clock. They need not be instants of the system's clock: a test runtime may
/// move its clock by hand.
///
/// **Implementors must** never let the clock run backwards, on any thread, and make both methods callable from every
/// thread, also from one that the runtime does not know.
///
/// **Callers may** pass deadlines that are past (the timer fires at its first poll) or hundreds of years away.
pub trait Clock {
    /// The current time of this clock.
    fn now(&self) -> Instant;

    /// A timer that fires once `deadline` is reached.
    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>>;

    /// [`timer`](Clock::timer) for somebody who has read this clock just now, polls the timer at once, and has seen that
    /// `deadline` is not reached: the timer need not read the clock again at its first poll. The default is that it does.
    fn timer_ahead(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        self.timer(deadline)
    }

    /// Whether this clock is moved by something else than the passing of time: a simulator, or a paused clock in a
    /// test.
    ///
    /// Where it answers `true`, no timer is kept armed for a deadline that no longer exists, since a clock that jumps
    /// to the next timer would stop there for nothing. The answer may change at run time. The default is `false`.
    fn is_virtual(&self) -> bool {
        false
    }

    /// Whether this is the system's clock, now and for ever: [`now`](Clock::now) gives what [`Instant::now`] does, and
    /// [`is_virtual`](Clock::is_virtual) answers `false`, so that neither has to be asked again. The default is `false`, which costs
    /// a question for each time that is read, and for each timer that is given up.
    fn is_always_real(&self) -> bool {
        false
    }

    /// Has a virtual clock follow real time until the guard that it returns is dropped: a thread that the runtime does
    /// not know is at work, and has to be given the time for it.
    ///
    /// Otherwise a clock that jumps to the next timer when all tasks wait would let every timeout pass before a thread
    /// has even started. Clocks that follow real time anyway return `None`, which is the default.
    fn follow_real_time(&self) -> Option<Box<dyn Any + Send + Sync>> {
        None
    }
}

/// A timer made by [`Clock::timer`].
///
/// **Implementors must**
///
/// - never fire early: when `poll` returns `Ready`, [`Clock::now`] is at or past the deadline on every thread;
/// - after a `Pending`, wake the waker of the latest poll once the deadline is reached, even if the task around it
///   keeps the runtime busy: a timer must not be subject to a cooperative budget that its task has used up;
/// - keep answering `Ready` until it is reset;
/// - go on firing on time after the runtime has shut down, or fire at once then: whoever waits outside must not wait for
///   ever;
/// - keep working when other timers are reset or dropped, and on whichever thread it is polled, reset or dropped;
/// - wake without holding a lock that any method of the runtime needs: the waker may cancel tasks, spawn, reset other
///   timers and read the clock, inside the call.
///
/// **Callers must** poll after [`reset`](Timer::reset), since an earlier registration may or may not survive it, and pass
/// wakers that are cheap to drop: some runtimes drop the waker that is replaced under a lock.
pub trait Timer: Send {
    /// `Ready` once the deadline is reached; otherwise the waker of `cx` is woken then.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;

    /// Moves the deadline, in either direction, also after the timer has fired.
    fn reset(self: Pin<&mut Self>, deadline: Instant);
}
