//! [`FutureExt`]: the free functions, as methods on every future.

use std::future::Future;
use std::time::Duration;

use crate::cancel_scope::{Bind, CancelScope, Scoped, Shield, shield};
use crate::timeout::{Timeout, timeout};

/// Scopes, timeouts and shields as methods on every future.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::FutureExt as _;
///
/// let outcome = anyio::sleep_forever().timeout(Duration::from_millis(5)).await;
/// assert!(outcome.is_err());
/// # });
/// ```
pub trait FutureExt: Future + Sized {
    /// [`timeout`](crate::timeout()) around this future.
    fn timeout(self, limit: Duration) -> Timeout<Self> {
        timeout(limit, self)
    }

    /// [`shield`](crate::shield) around this future.
    fn shield(self) -> Shield<Self> {
        shield(self)
    }

    /// Runs this future in `scope`: [`CancelScope::run`].
    fn in_scope(self, scope: CancelScope) -> Scoped<Self> {
        scope.run(self)
    }

    /// Binds this future to the place where `bind` is called.
    ///
    /// Scopes, timeouts and groups are linked below whatever is around their *first poll*. That is right for a future
    /// that is awaited where it is polled, and wrong for one that is polled by reference, once inside this timeout and
    /// once inside that one: the first timeout would take it for its own. Bind such a future, and groups that are kept
    /// in a stream, where they are meant to belong.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use std::pin::pin;
    /// use std::time::Duration;
    /// use anyio::FutureExt as _;
    ///
    /// let work = anyio::task_group(async |tg| {
    ///     tg.spawn(anyio::sleep(Duration::from_millis(20)));
    /// });
    /// let mut work = pin!(work.bind());
    /// let mut reports = 0;
    /// while work.as_mut().timeout(Duration::from_millis(5)).await.is_err() {
    ///     reports += 1; // still busy
    /// }
    /// assert!(reports > 0);
    /// # });
    /// ```
    fn bind(self) -> Bind<Self> {
        Bind::new(self)
    }
}

impl<F: Future> FutureExt for F {}
