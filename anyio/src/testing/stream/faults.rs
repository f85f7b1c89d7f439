//! [`Faults`]: what is to go wrong at an end of a stream.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;

use super::pipe::{End, Side};

/// What is to go wrong at one end of a stream, in one direction.
///
/// Got from the stream, and kept by the test when the stream is handed to the code under test. It takes effect at once,
/// also on what waits already, unless it says otherwise. Faults add up: the first thing in an operation is what is to
/// happen [before each](Faults::before_each), then whether it is to [fail](Faults::fail_next), then how much may pass.
///
/// An *operation* is a call of `send_all`, `send_some` or `receive_some`, or a read or write of
/// [`AsyncRead`](futures_io::AsyncRead) or [`AsyncWrite`](futures_io::AsyncWrite). Those cannot tell a read that was given
/// up from one that goes on: the next one carries on what had begun.
///
/// It does what Trio's `send_all_hook`, `receive_some_hook` and `close_hook` are there for, and ready-made what they are
/// used for most.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::io;
/// use anyio::testing::{StreamError, memory_stream_pair};
///
/// let (client, server) = memory_stream_pair();
/// let faults = client.send_faults();
/// faults.fail_next(io::ErrorKind::TimedOut);
/// assert_eq!(client.send_all(b"lost").await, Err(StreamError::Injected(io::ErrorKind::TimedOut)));
/// assert_eq!(client.send_all(b"sent").await, Ok(()));
/// assert_eq!(server.receive_some(100).await.unwrap(), b"sent");
/// # });
/// ```
#[derive(Clone)]
pub struct Faults {
    end: End,
}

impl Faults {
    pub(super) fn at(end: &End) -> Self {
        Faults { end: end.clone() }
    }

    /// Has the next operation fail, before a byte has passed. Those after it work again.
    pub fn fail_next(&self, kind: io::ErrorKind) {
        self.fail_after(0, kind);
    }

    /// Has an operation fail, before a byte has passed, when so many others have begun from now on.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// let (sender, receiver) = anyio::testing::memory_stream_one_way_pair();
    /// sender.faults().fail_after(2, std::io::ErrorKind::Other);
    /// assert!(sender.send_all(b"first").await.is_ok());
    /// assert!(sender.send_all(b"second").await.is_ok());
    /// assert!(sender.send_all(b"third").await.is_err());
    /// # drop(receiver);
    /// # });
    /// ```
    pub fn fail_after(&self, operations: usize, kind: io::ErrorKind) {
        self.end.plan(|plan| _ = plan.failures.insert(plan.operations.saturating_add(operations), kind));
    }

    /// Breaks the connection off, in both directions, when so many bytes more have passed this end; with 0, at once.
    ///
    /// What has been sent until then, and is not meant for this end to receive, is received. After that everything fails
    /// at both ends with [`StreamError::Reset`](super::StreamError::Reset). It cannot be mended.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use anyio::testing::{StreamError, memory_stream_one_way_pair};
    ///
    /// let (sender, receiver) = memory_stream_one_way_pair();
    /// sender.faults().cut_after(4);
    /// assert_eq!(sender.send_all(b"halfway").await, Err(StreamError::Reset));
    /// assert_eq!(receiver.receive_some(100).await.unwrap(), b"half");
    /// assert_eq!(receiver.receive_some(100).await, Err(StreamError::Reset));
    /// # });
    /// ```
    pub fn cut_after(&self, bytes: usize) {
        self.end.plan(|plan| plan.cut_in = Some(bytes));
    }

    /// Lets at most `max` bytes pass at a time: short reads, short writes.
    ///
    /// # Panics
    ///
    /// If `max` is 0: to let nothing pass, wait in [`before_each`](Faults::before_each).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// let (sender, receiver) = anyio::testing::memory_stream_one_way_pair();
    /// receiver.faults().chunk(3);
    /// sender.send_all(b"chunks").await.unwrap();
    /// assert_eq!(receiver.receive_some(100).await.unwrap(), b"chu");
    /// assert_eq!(receiver.receive_some(100).await.unwrap(), b"nks");
    /// # });
    /// ```
    #[track_caller]
    pub fn chunk(&self, max: usize) {
        assert!(max > 0, "no bytes at a time would never end: wait in `before_each` to let nothing pass");
        self.end.plan(|plan| plan.chunk = Some(max));
    }

    /// Loses the next `bytes` bytes that pass this end, silently: sending them succeeds, and they never arrive.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// let (sender, receiver) = anyio::testing::memory_stream_one_way_pair();
    /// sender.faults().lose(2);
    /// sender.send_all(b"around").await.unwrap();
    /// assert_eq!(receiver.receive_some(100).await.unwrap(), b"ound");
    /// # });
    /// ```
    pub fn lose(&self, bytes: usize) {
        self.end.plan(|plan| plan.to_lose = bytes);
    }

    /// Runs a hook before each operation that begins from now on, which waits until it is done: a delay, or a gate.
    ///
    /// It takes the place of the hook before. When an operation is cancelled in its hook it has not begun; the hook is
    /// dropped with it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use std::time::Duration;
    /// use anyio::{sleep, timeout};
    ///
    /// let (client, server) = anyio::testing::memory_stream_pair();
    /// client.receive_faults().before_each(|| sleep(Duration::from_secs(3600)));
    /// server.send_all(b"in time?").await.unwrap();
    /// assert!(timeout(Duration::from_millis(5), client.receive_some(100)).await.is_err());
    /// # });
    /// ```
    pub fn before_each<F, Fut>(&self, hook: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let replaced = self.end.plan(|plan| plan.before_each.replace(boxed(hook)));
        drop(replaced);
    }

    /// Runs a hook before this end is closed by `close`, `send_eof` or
    /// [`poll_close`](futures_io::AsyncWrite::poll_close). Dropping the end runs none.
    pub fn before_close<F, Fut>(&self, hook: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let replaced = self.end.plan(|plan| plan.before_close.replace(boxed(hook)));
        drop(replaced);
    }

    /// Lets nothing go wrong any more. A connection that broke off is not mended, and what was lost is lost.
    pub fn clear(&self) {
        let replaced = self.end.plan(|plan| {
            let operations = plan.operations;
            mem::replace(plan, Plan { operations, ..Plan::default() })
        });
        drop(replaced);
    }

    /// How many operations have begun at this end, those that were to fail included.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.end.plan(|plan| plan.operations)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = match self.end.side() {
            Side::Send => "sending",
            Side::Receive => "receiving",
        };
        f.debug_struct("Faults").field("at", &at).field("operations", &self.operations()).finish_non_exhaustive()
    }
}

/// What makes the future to wait for.
pub(super) type Hook = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

fn boxed<F, Fut>(hook: F) -> Hook
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    Arc::new(move || Box::pin(hook()))
}

/// What is to go wrong at an end, as the pipe knows it.
#[derive(Default)]
pub(super) struct Plan {
    /// How many operations have begun.
    operations: usize,
    /// Which of them are to fail.
    failures: BTreeMap<usize, io::ErrorKind>,
    /// How many bytes may still pass until the connection breaks off; `None`: any number, or it has.
    cut_in: Option<usize>,
    /// How many bytes may pass at a time.
    chunk: Option<usize>,
    /// How many bytes will be lost.
    to_lose: usize,
    pub(super) before_each: Option<Hook>,
    pub(super) before_close: Option<Hook>,
}

impl Plan {
    pub(super) fn begin_operation(&mut self) -> Result<(), super::StreamError> {
        let number = self.operations;
        self.operations += 1;
        match self.failures.remove(&number) {
            Some(kind) => Err(super::StreamError::Injected(kind)),
            None => Ok(()),
        }
    }

    /// How many of so many bytes may pass at once.
    pub(super) fn allowed(&self, bytes: usize) -> usize {
        self.allowed_to_pass(bytes).min(self.chunk.unwrap_or(usize::MAX))
    }

    /// How many of so many bytes may pass before the connection breaks off.
    pub(super) fn allowed_to_pass(&self, bytes: usize) -> usize {
        bytes.min(self.cut_in.unwrap_or(usize::MAX))
    }

    /// How many of so many bytes that pass are lost.
    pub(super) fn lose(&mut self, bytes: usize) -> usize {
        let lost = bytes.min(self.to_lose);
        self.to_lose -= lost;
        self.passed(lost);
        lost
    }

    /// So many bytes have passed.
    pub(super) fn passed(&mut self, bytes: usize) {
        if let Some(left) = &mut self.cut_in {
            *left -= bytes;
        }
    }

    /// Whether the connection is to break off now; asked once.
    pub(super) fn is_cut_due(&mut self) -> bool {
        self.cut_in.take_if(|left| *left == 0).is_some()
    }
}
