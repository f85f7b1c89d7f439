//! [`MemoryStream`]: an end of a connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::{Faults, MemoryReceiveStream, MemorySendStream, StreamError};
use crate::operation::Operation;

/// An end of a connection in memory: both directions.
///
/// It is Trio's stapled stream, and an [`AsyncRead`] and [`AsyncWrite`] for code that knows nothing of anyio. Tasks may share
/// it: one that sends and one that receives do not disturb each other. Dropping it closes it.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::testing::memory_stream_pair;
///
/// let (client, server) = memory_stream_pair();
/// client.send_all(b"ping").await.unwrap();
/// client.send_eof().await;
/// assert_eq!(server.receive_some(100).await.unwrap(), b"ping");
/// assert_eq!(server.receive_some(100).await.unwrap(), b"");
/// server.send_all(b"pong").await.unwrap();
/// assert_eq!(client.receive_some(100).await.unwrap(), b"pong");
/// # });
/// ```
#[derive(Debug)]
pub struct MemoryStream {
    sending: MemorySendStream,
    receiving: MemoryReceiveStream,
}

impl MemoryStream {
    pub(super) fn new(sending: MemorySendStream, receiving: MemoryReceiveStream) -> Self {
        MemoryStream { sending, receiving }
    }

    /// [`MemorySendStream::send_all`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// An unknown part of `bytes` has been sent.
    #[track_caller]
    pub fn send_all(&self, bytes: &[u8]) -> impl Future<Output = Result<(), StreamError>> + Send {
        self.sending.send_all(bytes)
    }

    /// [`MemorySendStream::send_some`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// Nothing was sent.
    #[track_caller]
    pub fn send_some(&self, bytes: &[u8]) -> impl Future<Output = Result<usize, StreamError>> + Send {
        self.sending.send_some(bytes)
    }

    /// [`MemoryReceiveStream::receive_some`].
    ///
    /// # Errors
    ///
    /// As there.
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
        self.receiving.receive_some(max)
    }

    /// Closes the direction away from here: when the other end has received what was sent, its stream ends. This end may
    /// still receive. Doing so again does nothing.
    ///
    /// # Cancel safety
    ///
    /// Cancelled in a hook of [`before_close`](Faults::before_close) it stays open, until this end is dropped.
    #[track_caller]
    pub fn send_eof(&self) -> impl Future<Output = ()> + Send {
        self.sending.close()
    }

    /// Closes both directions, as dropping it does.
    ///
    /// # Cancel safety
    ///
    /// Cancelled in a hook of [`before_close`](Faults::before_close), what was not closed yet stays open, until this end is
    /// dropped. The direction away from here is closed first.
    #[track_caller]
    pub fn close(&self) -> impl Future<Output = ()> + Send {
        let closing = async move {
            self.sending.end().start_and_close().await;
            self.receiving.end().start_and_close().await;
        };
        Operation::new(closing, |()| ())
    }

    /// What is to go wrong with what is sent here.
    #[must_use]
    pub fn send_faults(&self) -> Faults {
        self.sending.faults()
    }

    /// What is to go wrong with what is received here.
    #[must_use]
    pub fn receive_faults(&self) -> Faults {
        self.receiving.faults()
    }

    /// Its two directions, each to be closed by itself.
    #[must_use]
    pub fn into_split(self) -> (MemorySendStream, MemoryReceiveStream) {
        (self.sending, self.receiving)
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.receiving).poll_read(cx, buffer)
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.sending).poll_write(cx, bytes)
    }

    /// In lockstep, waits until what was written has been received.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.sending).poll_flush(cx)
    }

    /// Closes the direction away from here, as with a socket.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.sending).poll_close(cx)
    }
}
