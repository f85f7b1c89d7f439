//! Cancel scopes: regions that can be cancelled.

mod bind;
mod checkpoint;
mod light;
mod region;
mod scoped;
mod shield;
mod stop;
mod timed;

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::{Duration, Instant};

pub use self::bind::Bind;
pub use self::checkpoint::{EffectiveDeadline, cancelled, checkpoint, current_effective_deadline, is_cancelled};
pub(crate) use self::light::Limit;
pub use self::scoped::Scoped;
pub use self::shield::{Shield, shield, shield_for};
pub use self::stop::{is_stopping, stopping};
pub(crate) use self::timed::Timed;
use crate::reason::Cancelled;
use crate::tree::{Link, Node, Role};

/// A region that can be cancelled, given a deadline, and shielded from cancellation outside.
///
/// [`run`](CancelScope::run) wraps a future. Once the scope is cancelled, by a [`CancelHandle`], by its deadline, or
/// because a scope around it was, the future is dropped at its next suspension:
///
/// ```text
///             cancel()
///                │
///   body ────────┼──poll──▶ Pending ─┐
///                                    ├─ nothing inside holds? drop the body ─▶ Err(Cancelled)
///                                    └─ a shield or a group inside is busy ──▶ poll on until it ends
///        ────────┼──poll──▶ Ready(v) ──────────────────────────────────────▶ Ok(v): value wins
/// ```
///
/// - **Level-triggered.** Once cancelled, every further suspension inside ends in cancellation; there is no exception to
///   catch and no way back.
/// - **Only at suspensions.** Code between two `await`s is never interrupted, and a body always gets its first poll.
/// - **Value wins.** A body that completes has completed, whatever was requested meanwhile.
/// - **A barrier.** When the scope is over, everything inside it is over: tasks of groups that were dropped inside are
///   cancelled and waited for.
///
/// The semantics are those of [Trio's cancel scopes], restated for futures, which are cancelled by being dropped.
///
/// [Trio's cancel scopes]: https://trio.readthedocs.io/en/stable/reference-core.html#cancellation-and-timeouts
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::CancelScope;
///
/// let scope = CancelScope::new().with_timeout(Duration::from_millis(10));
/// let handle = scope.handle();
/// let outcome = scope.run(anyio::sleep_forever()).await;
///
/// assert!(outcome.is_err());
/// assert!(handle.cancel_requested());
/// # });
/// ```
#[must_use = "a cancel scope does nothing until a future runs in it"]
pub struct CancelScope {
    link: Link,
    /// A deadline that counts from the first poll.
    timeout: Option<Duration>,
}

impl CancelScope {
    /// A scope without deadline or shield.
    pub fn new() -> Self {
        CancelScope { link: Node::new(Role::Scope, ()), timeout: None }
    }

    /// Cancels the scope `timeout` after the first poll of its future, on the runtime's clock. `Duration::ZERO` is
    /// legal (the body gets one poll), and so is `Duration::MAX` (never).
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Cancels the scope at `deadline` of the runtime's clock (see [`now`](crate::now)). A deadline that is past is
    /// legal.
    pub fn with_deadline(self, deadline: Instant) -> Self {
        self.link.set_deadline(Some(deadline));
        self
    }

    /// Hides cancellation outside from what is inside, and holds every scope around in the same task, until the scope
    /// ends or the shield is lowered. The scope's own cancellation and deadline act as ever.
    pub fn shielded(self, shielded: bool) -> Self {
        self.link.set_shield(shielded);
        self
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// A handle that cancels and edits the scope, from anywhere.
    #[must_use]
    pub fn handle(&self) -> CancelHandle {
        CancelHandle { link: self.link.clone() }
    }

    /// Runs `body` in the scope, which it consumes.
    ///
    /// # Errors
    ///
    /// [`Cancelled`], when the body was dropped at a suspension. Its reason is that of the outermost scope that was
    /// cancelled. If that is a scope around this one, it normally drops this one as well, and the error is never seen.
    ///
    /// # Panics
    ///
    /// At the first poll, where there is no runtime; with the panic of `body`, once nothing is left inside.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops `body` and cancels what was spawned inside; the next scope, group or run around it waits
    /// for that.
    pub fn run<F: Future>(self, body: F) -> Scoped<F> {
        Scoped::new(self.link, self.timeout, body)
    }
}

impl Default for CancelScope {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelScope").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Cancels and edits a scope: see [`CancelScope::handle`].
///
/// It may be cloned, kept as long as one likes, and used from any thread, from destructors and from wakers. Once the
/// scope is over it does nothing.
#[derive(Clone)]
pub struct CancelHandle {
    link: Link,
}

impl CancelHandle {
    pub(crate) fn new(link: Link) -> Self {
        CancelHandle { link }
    }

    /// Cancels the scope. Synchronous and idempotent; the first reason counts. Before the scope runs it is remembered.
    #[track_caller]
    pub fn cancel(&self) {
        self.link.cancel(Cancelled::requested(None));
    }

    /// [`cancel`](CancelHandle::cancel) with a reason, which [`Cancelled`] then tells, with the caller's location.
    #[track_caller]
    pub fn cancel_with(&self, reason: impl Into<Cow<'static, str>>) {
        self.link.cancel(Cancelled::requested(Some(reason.into())));
    }

    /// Asks the code in the scope to stop by itself, and cancels the scope when `grace` is over, on the runtime's clock.
    ///
    /// The request reaches everything inside, tasks too, except behind shields: [`stopping`] completes there, and
    /// [`is_stopping`] is true. Whoever does not look at it goes on until the grace is over. That is a deadline of the
    /// scope like any other, so [`current_effective_deadline`] tells how long there is, and
    /// [`set_deadline`](CancelHandle::set_deadline) gives more time, or less. Of several requests, and of a deadline that
    /// there is already, the earliest counts. `Duration::ZERO` cancels at once; `Duration::MAX` only asks. Before the
    /// scope runs it is remembered, and the grace counts from its first poll.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use std::time::Duration;
    /// use anyio::{CancelScope, is_stopping, sleep};
    ///
    /// let scope = CancelScope::new();
    /// scope.handle().stop(Duration::from_secs(5));
    /// let served = scope.run(async {
    ///     let mut served = 0;
    ///     while !is_stopping() {
    ///         sleep(Duration::from_millis(1)).await; // serve one
    ///         served += 1;
    ///     }
    ///     served
    /// });
    /// assert_eq!(served.await, Ok(0));
    /// # });
    /// ```
    #[track_caller]
    pub fn stop(&self, grace: Duration) {
        self.link.request_stop(grace, Location::caller());
    }

    /// Whether this scope itself was cancelled: by a request, or because its deadline passed, which is noticed here if
    /// it was not before.
    ///
    /// The request and the outcome are different questions: a body that completes all the same returns its value.
    /// Whether code *here and now* is cancelled, by any scope, is what [`is_cancelled`] tells.
    #[must_use]
    pub fn cancel_requested(&self) -> bool {
        self.link.is_requested()
    }

    /// Why this scope itself was cancelled, if it was.
    #[must_use]
    pub fn reason(&self) -> Option<Cancelled> {
        self.link.own_reason()
    }

    /// The deadline, if there is one that counts already: one relative to the first poll is none before that.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.link.deadline()
    }

    /// Moves the deadline, or removes it. An earlier one acts at once, also while the body sleeps. A deadline that was
    /// not noticed yet may be moved to the future even if it has passed; once noticed it cannot be revived.
    pub fn set_deadline(&self, deadline: impl Into<Option<Instant>>) {
        self.link.set_deadline(deadline.into());
    }

    /// Raises or lowers the shield. Lowering it delivers at once what it has kept out. Raising it does nothing if a
    /// cancellation from outside is here already.
    pub fn set_shield(&self, shielded: bool) {
        self.link.set_shield(shielded);
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle").field("reason", &self.reason()).finish_non_exhaustive()
    }
}
