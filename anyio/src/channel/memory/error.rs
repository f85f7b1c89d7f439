//! Why something could not be sent or received.

use std::fmt;

/// Nothing can be sent. Gives the item back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError<T> {
    /// All receivers are gone: AnyIO's `BrokenResourceError`.
    #[error("all receivers are gone")]
    Disconnected(T),
    /// This sender was closed: AnyIO's `ClosedResourceError`.
    #[error("this sender was closed: send through a clone that is open")]
    Closed(T),
}

/// Nothing can be sent at once. Gives the item back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// There is no room, or others are waiting for it: AnyIO's `WouldBlock`.
    #[error("the channel is full: wait for room with `send`")]
    Full(T),
    /// All receivers are gone.
    #[error("all receivers are gone")]
    Disconnected(T),
    /// This sender was closed.
    #[error("this sender was closed: send through a clone that is open")]
    Closed(T),
}

/// Nothing will be received any more.
// As large as a word, so that a result of a word and this is handed around in registers.
#[repr(usize)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// All senders are gone, and all that they sent was received: AnyIO's `EndOfStream`.
    #[error("all senders are gone and nothing is left to receive")]
    EndOfStream,
    /// This receiver was closed: AnyIO's `ClosedResourceError`.
    #[error("this receiver was closed: receive through a clone that is open")]
    Closed,
}

/// Nothing can be received at once.
#[repr(usize)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TryRecvError {
    /// There is nothing, or others are waiting for it: AnyIO's `WouldBlock`.
    #[error("nothing was sent yet: wait for it with `recv`")]
    Empty,
    /// All senders are gone, and all that they sent was received.
    #[error("all senders are gone and nothing is left to receive")]
    EndOfStream,
    /// This receiver was closed.
    #[error("this receiver was closed: receive through a clone that is open")]
    Closed,
}

impl<T> SendError<T> {
    /// The item that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            SendError::Disconnected(item) | SendError::Closed(item) => item,
        }
    }
}

impl<T> TrySendError<T> {
    /// The item that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            TrySendError::Full(item) | TrySendError::Disconnected(item) | TrySendError::Closed(item) => item,
        }
    }

    /// Whether there was no room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, TrySendError::Full(_))
    }
}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(error: SendError<T>) -> Self {
        match error {
            SendError::Disconnected(item) => TrySendError::Disconnected(item),
            SendError::Closed(item) => TrySendError::Closed(item),
        }
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Disconnected(_) => "Disconnected(..)",
            SendError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "Full(..)",
            TrySendError::Disconnected(_) => "Disconnected(..)",
            TrySendError::Closed(_) => "Closed(..)",
        })
    }
}
