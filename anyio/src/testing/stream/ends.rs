//! [`MemorySendStream`] and [`MemoryReceiveStream`]: the ends of one direction.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::lock::Mutex;
use futures_io::{AsyncRead, AsyncWrite};

use super::pipe::End;
use super::{Faults, StreamError};
use crate::operation::Operation;
use crate::sync::ResourceGuard;
use crate::unit::Entry;

/// The sending end of a stream of bytes in memory.
///
/// It is Trio's `MemorySendStream`, and an [`AsyncWrite`] for code that knows nothing of anyio. Dropping it closes it.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let (sender, receiver) = anyio::testing::memory_stream_one_way_pair();
/// sender.send_all(b"hello").await.unwrap();
/// sender.close().await;
/// assert_eq!(receiver.receive_some(100).await.unwrap(), b"hello");
/// assert_eq!(receiver.receive_some(100).await.unwrap(), b""); // the end of the stream
/// # });
/// ```
pub struct MemorySendStream {
    end: End,
    /// One task at a time sends.
    guard: ResourceGuard,
    /// What an [`AsyncWrite`] keeps between polls.
    polled: Mutex<Polled>,
}

impl MemorySendStream {
    pub(super) fn new(end: End) -> Self {
        MemorySendStream { end, guard: ResourceGuard::new("sending on"), polled: Mutex::default() }
    }

    /// Sends all of `bytes`: with a buffer it is done when they are in there, in lockstep when they were received.
    ///
    /// # Errors
    ///
    /// [`StreamError`]. How much was sent before is not known, as with a socket.
    ///
    /// # Cancel safety
    ///
    /// When it is cancelled, an unknown part of `bytes` has been sent, from the beginning: the stream is of no use any more
    /// to a protocol that has messages. [`send_some`](MemorySendStream::send_some) can be cancelled. Cancelled before it
    /// has begun, it has sent nothing.
    #[track_caller]
    pub fn send_all(&self, bytes: &[u8]) -> impl Future<Output = Result<(), StreamError>> + Send {
        let sending = async move {
            let _using = self.guard.enter()?;
            self.end.start().await?;
            let mut left = bytes;
            loop {
                let sent = self.end.wait(|cx| self.end.poll_send(left, cx)).await?;
                left = &left[sent..];
                if left.is_empty() {
                    break;
                }
            }
            self.end.wait(|cx| self.end.poll_received(cx)).await
        };
        Operation::new(sending, |sent| sent)
    }

    /// Sends as many of `bytes` as there is room for, at least one unless there are none; waits for room. Returns how many.
    ///
    /// In lockstep that is as many as a receive at the other end waits for; when this returns they are handed over, and
    /// received when that end gets its turn.
    ///
    /// # Errors
    ///
    /// [`StreamError`]. Nothing was sent.
    ///
    /// # Cancel safety
    ///
    /// Nothing was sent.
    #[track_caller]
    pub fn send_some(&self, bytes: &[u8]) -> impl Future<Output = Result<usize, StreamError>> + Send {
        let sending = async move {
            let _using = self.guard.enter()?;
            self.end.start().await?;
            self.end.wait(|cx| self.end.poll_send(bytes, cx)).await
        };
        Operation::new(sending, |sent| sent)
    }

    /// Closes this end: when the other end has received what was sent, its stream ends. What waits to send here fails.
    /// Closing it again does nothing.
    ///
    /// # Cancel safety
    ///
    /// Cancelled in a hook of [`before_close`](Faults::before_close) it stays open, until it is dropped.
    #[track_caller]
    pub fn close(&self) -> impl Future<Output = ()> + Send {
        Operation::new(self.end.start_and_close(), |()| ())
    }

    pub(super) fn end(&self) -> &End {
        &self.end
    }

    /// What is to go wrong at this end.
    #[must_use]
    pub fn faults(&self) -> Faults {
        Faults::at(&self.end)
    }
}

impl AsyncWrite for MemorySendStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let MemorySendStream { end, polled, .. } = &mut *self;
        let sent = ready!(polled.get_mut().poll(end, cx, |cx| end.poll_send(bytes, cx)))?;
        Poll::Ready(Ok(sent))
    }

    /// In lockstep, waits until what was written has been received.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let MemorySendStream { end, polled, .. } = &mut *self;
        ready!(polled.get_mut().poll_flush(end, cx))?;
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let MemorySendStream { end, polled, .. } = &mut *self;
        polled.get_mut().poll_close(end, cx).map(Ok)
    }
}

impl Drop for MemorySendStream {
    fn drop(&mut self) {
        self.end.close();
    }
}

impl fmt::Debug for MemorySendStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySendStream").field("is_closed", &self.end.is_closed()).finish_non_exhaustive()
    }
}

/// The receiving end of a stream of bytes in memory.
///
/// It is Trio's `MemoryReceiveStream`, and an [`AsyncRead`] for code that knows nothing of anyio. Dropping it closes it.
///
/// # Examples
///
/// See [`MemorySendStream`].
pub struct MemoryReceiveStream {
    end: End,
    /// One task at a time receives.
    guard: ResourceGuard,
    /// What an [`AsyncRead`] keeps between polls.
    polled: Mutex<Polled>,
}

impl MemoryReceiveStream {
    pub(super) fn new(end: End) -> Self {
        MemoryReceiveStream { end, guard: ResourceGuard::new("receiving from"), polled: Mutex::default() }
    }

    /// Receives what is there, at most `max` bytes; waits for at least one. Nothing is there any more, as an empty vector
    /// says, when the other end was closed and all that it had sent was received.
    ///
    /// # Errors
    ///
    /// [`StreamError`]: when this end was closed, also while it waits, when the connection broke off, when another task
    /// receives here, or as the test had asked for.
    ///
    /// # Panics
    ///
    /// If `max` is 0.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[track_caller]
    pub fn receive_some(&self, max: usize) -> impl Future<Output = Result<Vec<u8>, StreamError>> + Send {
        assert!(max > 0, "no bytes would look like the end of the stream: receive at least 1");
        let receiving = async move {
            let _using = self.guard.enter()?;
            self.end.start().await?;
            self.end.wait(|cx| self.end.poll_receive(max, cx)).await
        };
        Operation::new(receiving, |received| received)
    }

    /// Closes this end: what was sent and not received is dropped, and sending at the other end fails. What waits to
    /// receive here fails too. Closing it again does nothing.
    ///
    /// # Cancel safety
    ///
    /// Cancelled in a hook of [`before_close`](Faults::before_close) it stays open, until it is dropped.
    #[track_caller]
    pub fn close(&self) -> impl Future<Output = ()> + Send {
        Operation::new(self.end.start_and_close(), |()| ())
    }

    pub(super) fn end(&self) -> &End {
        &self.end
    }

    /// What is to go wrong at this end.
    #[must_use]
    pub fn faults(&self) -> Faults {
        Faults::at(&self.end)
    }
}

impl AsyncRead for MemoryReceiveStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let MemoryReceiveStream { end, polled, .. } = &mut *self;
        let received = ready!(polled.get_mut().poll(end, cx, |cx| end.poll_receive(buffer.len(), cx)))?;
        buffer[..received.len()].copy_from_slice(&received);
        Poll::Ready(Ok(received.len()))
    }
}

impl Drop for MemoryReceiveStream {
    fn drop(&mut self) {
        self.end.close();
    }
}

impl fmt::Debug for MemoryReceiveStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReceiveStream").field("is_closed", &self.end.is_closed()).finish_non_exhaustive()
    }
}

/// Does what has to be done first.
type Starting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What an end keeps between the polls of an operation that is no future of its own.
#[derive(Default)]
struct Polled {
    /// Begins anew in each poll after one in which the operation had to wait: whoever polls now may be somebody else.
    entry: Entry,
    /// What has to be done before the operation.
    starting: Option<Starting<Result<(), StreamError>>>,
    /// Whether that is done.
    has_started: bool,
    /// What has to be done before the end is closed.
    closing: Option<Starting<()>>,
}

impl Polled {
    fn poll<T>(
        &mut self,
        end: &End,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut Context<'_>) -> Poll<Result<T, StreamError>>,
    ) -> Poll<Result<T, StreamError>> {
        ready!(self.entry.poll(cx));
        ready!(self.poll_start(end, cx))?;
        let polled = act(cx);
        self.entry = Entry::new();
        self.has_started = polled.is_pending();
        polled
    }

    fn poll_start(&mut self, end: &End, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        if self.has_started {
            return Poll::Ready(Ok(()));
        }
        let starting = self.starting.get_or_insert_with(|| Box::pin(end.start()));
        let started = ready!(starting.as_mut().poll(cx));
        self.starting = None;
        self.has_started = started.is_ok();
        Poll::Ready(started)
    }

    fn poll_flush(&mut self, end: &End, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        ready!(self.entry.poll(cx));
        self.entry = Entry::new();
        end.poll_received(cx)
    }

    fn poll_close(&mut self, end: &End, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.entry.poll(cx));
        if !end.is_closed() {
            let closing = self.closing.get_or_insert_with(|| Box::pin(end.start_closing()));
            ready!(closing.as_mut().poll(cx));
            self.closing = None;
            end.close();
        }
        self.entry = Entry::new();
        Poll::Ready(())
    }
}
