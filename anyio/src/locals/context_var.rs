//! [`ContextVar`]: a value for a scope, and for whatever is started inside.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::Key;
use super::values::{Shared, Values};

/// A variable whose value is set for a scope, and is seen by everything inside: the id of a request, a tenant, a locale.
///
/// What is polled inside the scope sees the value; and so does, with no further ado, what is *started* inside: tasks of
/// groups, [protected](crate::protect) work and clean-ups, jobs of [`to_thread`](crate::to_thread) and of
/// [`spawn_blocking`](crate::TaskGroup::spawn_blocking), and what these call by [`from_thread`](crate::from_thread). They
/// keep what was in effect where they were started, also when the scope has ended since.
///
/// The value is in effect during the polls of the scope's future, wherever these are made: it moves along with the future
/// to another task or thread, and siblings in a `join!` or a `FuturesUnordered` do not see it. What is set further out is
/// what is around the poll.
///
/// *Compared to* a `thread_local!`, it follows the work and not the thread. *Compared to* tokio's `task_local!`, children
/// inherit it, as they do with Python's `contextvars`. *Compared to* the latter, there is no way to set a value without
/// saying where it ends. Reading looks through the values that are set around; where none are, starting a task costs
/// nothing.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::ContextVar;
///
/// static REQUEST: ContextVar<u64> = ContextVar::new();
///
/// async fn log(line: &str) -> String {
///     format!("[{}] {line}", REQUEST.get().unwrap_or_default())
/// }
///
/// let lines = REQUEST.scope(7, anyio::task_group(async |tg| {
///     let child = tg.spawn(log("from a task"));
///     let thread = anyio::to_thread::run(|| REQUEST.get());
///     (child.value().await, thread.await)
/// }));
/// assert_eq!(lines.await, Ok(("[7] from a task".to_owned(), Some(7))));
/// assert_eq!(log("outside").await, "[0] outside");
/// # });
/// ```
pub struct ContextVar<T: 'static> {
    key: Key,
    value: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> ContextVar<T> {
    /// A variable without a value, for a `static`.
    #[must_use]
    pub const fn new() -> Self {
        ContextVar { key: Key::new(), value: PhantomData }
    }

    /// Runs `future` with `value` as that of this variable.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops `future`, which still sees the value as it is dropped.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> WithValue<F> {
        WithValue { key: self.key.get(), value: Some(Arc::new(value)), values: Values::default(), future: Some(future) }
    }

    /// Calls `run` with `value` as that of this variable. Works on every thread.
    ///
    /// # Examples
    ///
    /// ```
    /// static USER: anyio::ContextVar<&str> = anyio::ContextVar::new();
    ///
    /// assert_eq!(USER.sync_scope("ada", || USER.get()), Some("ada"));
    /// assert_eq!(USER.get(), None);
    /// ```
    pub fn sync_scope<R>(&'static self, value: T, run: impl FnOnce() -> R) -> R {
        let value: Shared = Arc::new(value);
        let mut values = Values::default();
        let _entered = values.enter_on_top(self.key.get(), &value);
        run()
    }

    /// The value in effect here, if there is one.
    #[must_use]
    pub fn get(&'static self) -> Option<T>
    where
        T: Clone,
    {
        self.with(|value| value.cloned())
    }

    /// Looks at the value in effect here, if there is one.
    ///
    /// # Examples
    ///
    /// ```
    /// static NAMES: anyio::ContextVar<Vec<String>> = anyio::ContextVar::new();
    ///
    /// assert_eq!(NAMES.with(|names| names.map_or(0, Vec::len)), 0);
    /// ```
    pub fn with<R>(&'static self, look: impl FnOnce(Option<&T>) -> R) -> R {
        let values = Values::current();
        let value = values.find(self.key.get());
        look(value.map(|value| value.downcast_ref().expect("a variable has one type")))
    }
}

impl<T: Send + Sync + 'static> Default for ContextVar<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + Sync + fmt::Debug + 'static> fmt::Debug for ContextVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = Values::current();
        let value = values.find(self.key.get()).and_then(|value| value.downcast_ref::<T>());
        f.debug_tuple("ContextVar").field(&value).finish()
    }
}

pin_project! {
    /// The future returned by [`ContextVar::scope`].
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct WithValue<F> {
        key: usize,
        // Until the future is done.
        value: Option<Shared>,
        // What was in effect in the last poll.
        values: Values,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for WithValue<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(value) = this.value {
                let _entered = this.values.enter_on_top(*this.key, value);
                this.future.set(None);
            }
        }
    }
}

impl<F: Future> Future for WithValue<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let value = this.value.as_ref().expect("a scope is not polled after it is done");
        let entered = this.values.enter_on_top(*this.key, value);
        let future = this.future.as_mut().as_pin_mut();
        let output = ready!(future.expect("the future is there until it is done").poll(cx));
        this.future.set(None);
        drop(entered);
        *this.values = Values::default();
        *this.value = None;
        Poll::Ready(output)
    }
}

impl<F> fmt::Debug for WithValue<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithValue").finish_non_exhaustive()
    }
}
