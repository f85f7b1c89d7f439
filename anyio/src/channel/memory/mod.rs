//! Channels that hand items from any number of senders to any number of receivers.

mod error;
mod permit;
mod receiver;
mod sender;
mod state;

use std::sync::Arc;

use crate::lock::Mutex;

pub use self::error::{RecvError, SendError, TryRecvError, TrySendError};
pub use self::permit::Permit;
pub use self::receiver::Receiver;
pub use self::sender::Sender;
use self::state::State;

/// What a channel looks like at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many items may be in the buffer; `None`: any number.
    pub capacity: Option<usize>,
    /// How many items are in the buffer.
    pub buffered: usize,
    /// The most items that were in the buffer at a time.
    pub peak_buffered: usize,
    /// How many senders are open.
    pub open_senders: usize,
    /// How many receivers are open.
    pub open_receivers: usize,
    /// How many tasks wait until they can send.
    pub tasks_waiting_to_send: usize,
    /// How many tasks wait for an item.
    pub tasks_waiting_to_receive: usize,
}

/// A channel without a buffer: a sender waits until a receiver is there for its item, and a receiver until a sender is.
///
/// It is AnyIO's memory object stream with a `max_buffer_size` of 0, and Trio's memory channel. When `send` has completed,
/// a receiver has the item, or was waiting for it; should that one be cancelled before it has run, the item is the next
/// receiver's.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::channel;
///
/// let (sender, receiver) = channel::rendezvous();
/// anyio::task_group(async |tg| {
///     tg.spawn(async move { sender.send("hello").await });
///     assert_eq!(receiver.recv().await, Ok("hello"));
/// })
/// .await
/// .unwrap();
/// # });
/// ```
#[must_use]
pub fn rendezvous<T>() -> (Sender<T>, Receiver<T>) {
    bounded(0)
}

/// A channel that keeps up to `capacity` items; when it is full, senders wait.
///
/// It is AnyIO's memory object stream with that `max_buffer_size`. With a capacity of 0 it is a [`rendezvous`]. Nothing is
/// allocated in advance.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::channel;
///
/// let (sender, receiver) = channel::bounded(2);
/// sender.send(1).await.unwrap();
/// sender.send(2).await.unwrap();
/// assert_eq!(sender.try_send(3).unwrap_err().into_inner(), 3);
/// drop(sender);
/// assert_eq!((receiver.recv().await, receiver.recv().await), (Ok(1), Ok(2)));
/// assert_eq!(receiver.recv().await, Err(channel::RecvError::EndOfStream));
/// # });
/// ```
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    channel(Some(capacity))
}

/// A channel that keeps any number of items: senders never wait.
///
/// It is AnyIO's memory object stream with a `max_buffer_size` of infinity. Nothing keeps a fast sender from filling the
/// memory: prefer [`bounded`] where that could be.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = anyio::channel::unbounded();
/// (0..1000).for_each(|n| sender.try_send(n).unwrap());
/// assert_eq!(receiver.statistics().buffered, 1000);
/// ```
#[must_use]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    channel(None)
}

/// What both ends share.
type Shared<T> = Arc<Mutex<State<T>>>;

fn channel<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Mutex::new(State::new(capacity)));
    (Sender::open(shared.clone()), Receiver::open(shared))
}
