//! Streams of bytes in memory, on which things go wrong as a test wants them to.

mod duplex;
mod ends;
mod error;
mod faults;
mod pipe;

pub use self::duplex::MemoryStream;
pub use self::ends::{MemoryReceiveStream, MemorySendStream};
pub use self::error::StreamError;
pub use self::faults::Faults;
use self::pipe::{Capacity, connect};

/// The two ends of a connection that keeps any number of bytes: sending never waits.
///
/// It is Trio's `memory_stream_pair`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let (client, server) = anyio::testing::memory_stream_pair();
/// client.send_all(b"hello").await.unwrap();
/// assert_eq!(server.receive_some(100).await.unwrap(), b"hello");
/// # });
/// ```
#[must_use]
pub fn memory_stream_pair() -> (MemoryStream, MemoryStream) {
    two_way(Capacity::Unlimited)
}

/// [`memory_stream_pair`] in one direction only.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let (sender, receiver) = anyio::testing::memory_stream_one_way_pair();
/// sender.send_all(b"hello").await.unwrap();
/// assert_eq!(receiver.receive_some(100).await.unwrap(), b"hello");
/// # });
/// ```
#[must_use]
pub fn memory_stream_one_way_pair() -> (MemorySendStream, MemoryReceiveStream) {
    one_way(Capacity::Unlimited)
}

/// The two ends of a connection that keeps up to `capacity` bytes in each direction, as a socket does; when it is full,
/// sending waits. With a capacity of 0 it is a [`lockstep_stream_pair`].
///
/// It is tokio's `duplex`, which Trio has no like of.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::testing::{assert_pending, bounded_stream_pair};
///
/// let (client, server) = bounded_stream_pair(3);
/// let mut sending = std::pin::pin!(client.send_all(b"hello"));
/// assert_pending(&mut sending);
/// assert_eq!(server.receive_some(100).await.unwrap(), b"hel");
/// sending.await.unwrap();
/// # });
/// ```
#[must_use]
pub fn bounded_stream_pair(capacity: usize) -> (MemoryStream, MemoryStream) {
    two_way(bounded(capacity))
}

/// [`bounded_stream_pair`] in one direction only.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let (sender, receiver) = anyio::testing::bounded_stream_one_way_pair(3);
/// assert_eq!(sender.send_some(b"hello").await, Ok(3));
/// assert_eq!(receiver.receive_some(100).await.unwrap(), b"hel");
/// # });
/// ```
#[must_use]
pub fn bounded_stream_one_way_pair(capacity: usize) -> (MemorySendStream, MemoryReceiveStream) {
    one_way(bounded(capacity))
}

/// The two ends of a connection without any buffer: `send_all` is done when the other end has received all of it.
///
/// It is Trio's `lockstep_stream_pair`. Whatever in a protocol counts on a buffer is found by it, such as two sides that
/// both send before they receive. By [`AsyncWrite`](futures_io::AsyncWrite) a write is done when a read that waits at the
/// other end was handed the bytes, and a flush when they were received.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let (client, server) = anyio::testing::lockstep_stream_pair();
/// let (sent, received) = anyio::gather((client.send_all(b"hello"), server.receive_some(100))).await.unwrap();
/// assert_eq!((sent, received.unwrap()), (Ok(()), b"hello".to_vec()));
/// # });
/// ```
#[must_use]
pub fn lockstep_stream_pair() -> (MemoryStream, MemoryStream) {
    two_way(Capacity::Lockstep)
}

/// [`lockstep_stream_pair`] in one direction only.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let (sender, receiver) = anyio::testing::lockstep_stream_one_way_pair();
/// anyio::task_group(async |tg| {
///     tg.spawn(async move { sender.send_all(b"hello").await });
///     assert_eq!(receiver.receive_some(3).await.unwrap(), b"hel");
///     assert_eq!(receiver.receive_some(3).await.unwrap(), b"lo");
/// })
/// .await
/// .unwrap();
/// # });
/// ```
#[must_use]
pub fn lockstep_stream_one_way_pair() -> (MemorySendStream, MemoryReceiveStream) {
    one_way(Capacity::Lockstep)
}

fn bounded(capacity: usize) -> Capacity {
    if capacity == 0 { Capacity::Lockstep } else { Capacity::Bounded(capacity) }
}

fn one_way(capacity: Capacity) -> (MemorySendStream, MemoryReceiveStream) {
    let [(send, receive)] = connect(capacity);
    (MemorySendStream::new(send), MemoryReceiveStream::new(receive))
}

fn two_way(capacity: Capacity) -> (MemoryStream, MemoryStream) {
    let [there, back] = connect(capacity);
    let end = |send, receive| MemoryStream::new(MemorySendStream::new(send), MemoryReceiveStream::new(receive));
    (end(there.0, back.1), end(back.0, there.1))
}
