//! [`StreamError`].

use std::io;

use crate::sync::Busy;

/// Nothing can be sent or received.
///
/// The implementations of [`AsyncRead`](futures_io::AsyncRead) and [`AsyncWrite`](futures_io::AsyncWrite) give the
/// [`io::Error`] that it turns into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The other end was closed: Trio's `BrokenResourceError`, [`io::ErrorKind::BrokenPipe`].
    #[error("the other end of the stream is closed")]
    Broken,
    /// This end was closed: Trio's `ClosedResourceError`, [`io::ErrorKind::NotConnected`].
    #[error("this end of the stream was closed")]
    Closed,
    /// The connection broke off, as [`cut_after`](super::Faults::cut_after) says: [`io::ErrorKind::ConnectionReset`].
    #[error("the connection broke off")]
    Reset,
    /// The operation was to fail, as [`fail_next`](super::Faults::fail_next) says.
    #[error("failed as the test had asked for: {0}")]
    Injected(io::ErrorKind),
    /// Another task does the same at this end: Trio's `BusyResourceError`, [`io::ErrorKind::ResourceBusy`].
    #[error(transparent)]
    Busy(#[from] Busy),
}

impl From<StreamError> for io::Error {
    fn from(error: StreamError) -> Self {
        let kind = match error {
            StreamError::Broken => io::ErrorKind::BrokenPipe,
            StreamError::Closed => io::ErrorKind::NotConnected,
            StreamError::Reset => io::ErrorKind::ConnectionReset,
            StreamError::Injected(kind) => kind,
            StreamError::Busy(_) => io::ErrorKind::ResourceBusy,
        };
        io::Error::new(kind, error)
    }
}
