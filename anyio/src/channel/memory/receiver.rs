//! [`Receiver`]: the receiving end of a channel.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::error::{RecvError, TryRecvError};
use super::state::{Handle, Numbered, Receive};
use super::{Shared, Statistics};
use crate::line::{self, Key, Wait, change};
use crate::operation::Operation;
use crate::unit::Entry;

/// The receiving end of a channel. It may be cloned; each item goes to one of the clones. When the last one is closed or
/// dropped, senders get their items back, and what was in the buffer is dropped.
///
/// Receivers that wait are served in the order in which they began to, and nobody barges in.
///
/// # As a stream
///
/// A receiver is a [`Stream`] that ends when all senders are gone, or when it is closed. A stream cannot tell whether
/// whoever polled it still wants the item: one that was polled and then left alone keeps its place among the receivers
/// until it is polled again, dropped, or received from directly. In a `select!`, prefer [`next`](Receiver::next) or
/// [`recv`](Receiver::recv), which give their place up when they are dropped.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use futures::StreamExt as _;
///
/// let (sender, receiver) = anyio::channel::bounded(3);
/// for n in 1..=3 {
///     sender.send(n).await.unwrap();
/// }
/// drop(sender);
/// let doubled: Vec<_> = receiver.map(|n| n * 2).collect().await;
/// assert_eq!(doubled, [2, 4, 6]);
/// # });
/// ```
pub struct Receiver<T> {
    shared: Shared<T>,
    number: u64,
    /// Read and written under the lock of the channel.
    is_closed: AtomicBool,
    /// The beginning of the stream's next item.
    entry: Entry,
    /// The place that the stream has in line, or 0. Written by whoever has the receiver for itself, or under
    /// the lock of the channel.
    stream_key: AtomicUsize,
}

impl<T> Receiver<T> {
    pub(super) fn open(shared: Shared<T>) -> Self {
        let number = shared.lock().open_receiver();
        Self::with(shared, number, false)
    }

    fn with(shared: Shared<T>, number: u64, is_closed: bool) -> Self {
        Receiver {
            shared,
            number,
            is_closed: AtomicBool::new(is_closed),
            entry: Entry::new(),
            stream_key: AtomicUsize::new(0),
        }
    }

    /// Receives an item; waits until there is one.
    ///
    /// # Errors
    ///
    /// [`RecvError`]: when all senders are gone and nothing is left, or this receiver was closed, also while it waits.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: an item that was offered in the same moment is the next receiver's.
    #[track_caller]
    pub fn recv(&self) -> impl Future<Output = Result<T, RecvError>> {
        let wait = Wait::new(&*self.shared, Receive { handle: self, item: PhantomData });
        Operation::new(wait, |received| received)
    }

    /// The next item, or `None` when there will be no more: [`recv`](Receiver::recv) with the face of a stream.
    ///
    /// # Cancel safety
    ///
    /// That of [`recv`](Receiver::recv).
    #[expect(clippy::should_implement_trait, reason = "it is StreamExt's name, for the same, with less left behind")]
    #[track_caller]
    pub fn next(&mut self) -> impl Future<Output = Option<T>> {
        let wait = Wait::new(&*self.shared, Receive { handle: &*self, item: PhantomData });
        Operation::new(wait, Result::ok)
    }

    /// Receives an item if that is possible at once. In a [`rendezvous`](super::rendezvous) it is while a sender waits;
    /// should that one be dropped in the same moment, it may not hear that its item was received.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`]: when there is nothing, others are waiting for it, all senders are gone and nothing is left, or
    /// this receiver was closed.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        change(&self.shared, |state, wakes| {
            if let Some(key) = self.take_stream_key() {
                state.stop_receiving(key, wakes);
            }
            match state.try_recv(self.handle(), wakes) {
                Err(TryRecvError::Empty) => state.try_fetch_from_line(wakes).ok_or(TryRecvError::Empty),
                received => received,
            }
        })
    }

    /// Closes this receiver, as dropping it does; its clones stay open. What waits to receive through it ends. Closing it
    /// again does nothing.
    pub fn close(&self) {
        let unreceived = change(&self.shared, |state, wakes| {
            if self.is_closed.swap(true, Ordering::Relaxed) {
                return None;
            }
            state.refuse_receiver(self.number, wakes);
            Some(state.close_receiver(wakes))
        });
        drop(unreceived);
    }

    /// Whether nothing will be received: this receiver was closed, or all senders are gone and nothing is left.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.lock().is_over() || self.handle().is_closed
    }

    /// What the channel looks like now.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared.lock().statistics()
    }
}

impl<T> Numbered for &Receiver<T> {
    fn handle(&self) -> Handle {
        (**self).handle()
    }

    fn take_stream_key(&self) -> Option<Key> {
        (**self).take_stream_key()
    }
}

impl<T> Receiver<T> {
    fn handle(&self) -> Handle {
        Handle { number: self.number, is_closed: self.is_closed.load(Ordering::Relaxed) }
    }

    fn take_stream_key(&self) -> Option<Key> {
        // Nobody else writes it meanwhile.
        let key = Key::new(self.stream_key.load(Ordering::Relaxed))?;
        self.stream_key.store(0, Ordering::Relaxed);
        Some(key)
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        ready!(self.entry.poll(cx));
        let mut visitor = Receive { handle: self.handle(), item: PhantomData };
        let mut key = self.take_stream_key();
        let polled = line::poll(&self.shared, &mut visitor, &mut key, cx);
        *self.stream_key.get_mut() = key.map_or(0, Key::get);
        let received = ready!(polled);
        self.entry = Entry::new();
        Poll::Ready(received.ok())
    }
}

/// A clone is open if the original is.
impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let mut state = self.shared.lock();
        let is_closed = self.handle().is_closed;
        let number = if is_closed { self.number } else { state.open_receiver() };
        drop(state);
        Self::with(self.shared.clone(), number, is_closed)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let unreceived = change(&self.shared, |state, wakes| {
            if let Some(key) = self.take_stream_key() {
                state.stop_receiving(key, wakes);
            }
            // Nothing else waits to receive through it, since that would borrow it.
            if self.handle().is_closed { VecDeque::new() } else { state.close_receiver(wakes) }
        });
        drop(unreceived);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_closed = self.is_closed.load(Ordering::Relaxed);
        f.debug_struct("Receiver").field("is_closed", &is_closed).finish_non_exhaustive()
    }
}
