//! [`Sender`]: the sending end of a channel.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::{SendError, TrySendError};
use super::permit::Permit;
use super::state::{Handle, Numbered, Reserve, Send};
use super::{Shared, Statistics};
use crate::line::{Wait, change};
use crate::operation::Operation;

/// The sending end of a channel. It may be cloned; the stream ends for the receivers when the last clone is closed or
/// dropped, after what was sent until then.
///
/// Senders that wait are served in the order in which they began to. Items come out in the order in which they went in.
pub struct Sender<T> {
    shared: Shared<T>,
    number: u64,
    /// Read and written under the lock of the channel.
    is_closed: AtomicBool,
}

impl<T> Sender<T> {
    pub(super) fn open(shared: Shared<T>) -> Self {
        let number = shared.lock().open_sender();
        Sender { shared, number, is_closed: AtomicBool::new(false) }
    }

    /// Sends an item; waits while there is no room.
    ///
    /// # Errors
    ///
    /// [`SendError`], with the item: when all receivers are gone, or this sender was closed, also while it waits.
    ///
    /// # Cancel safety
    ///
    /// A send that is dropped before it has completed did not happen, and its item is dropped with it: to keep the item,
    /// [`reserve`](Sender::reserve) first. There is one exception: in a [`rendezvous`](super::rendezvous) the item of a
    /// sender that waits may be taken by [`try_recv`](super::Receiver::try_recv) in the moment in which it is dropped.
    #[track_caller]
    pub fn send(&self, item: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let wait = Wait::new(&*self.shared, Send { item: Some(item), handle: self });
        Operation::new(wait, |sent| sent)
    }

    /// Sends an item if that is possible at once. In a [`rendezvous`](super::rendezvous) it is while a receiver waits.
    ///
    /// # Errors
    ///
    /// [`TrySendError`], with the item: when there is no room, others are waiting for it, all receivers are gone, or this
    /// sender was closed.
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        change(&self.shared, |state, wakes| state.try_send(item, self.handle(), wakes))
    }

    /// Waits for room, and keeps it for one item. In a [`rendezvous`](super::rendezvous) it waits for a receiver.
    ///
    /// This is the way to send that loses nothing when it is cancelled: the item need not be there before the room is.
    ///
    /// # Errors
    ///
    /// [`SendError`], when all receivers are gone, or this sender was closed, also while it waits.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: room that was given in the same moment is the next sender's.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// let (sender, receiver) = anyio::channel::bounded(1);
    /// let permit = sender.reserve().await.unwrap();
    /// assert!(sender.try_send(1).is_err());
    /// permit.send(2).unwrap();
    /// assert_eq!(receiver.recv().await, Ok(2));
    /// # });
    /// ```
    #[track_caller]
    pub fn reserve(&self) -> impl Future<Output = Result<Permit<'_, T>, SendError<()>>> {
        let wait = Wait::new(&*self.shared, Reserve { handle: self, item: PhantomData });
        Operation::new(wait, |reserved: Result<(), _>| reserved.map(|()| Permit::new(self)))
    }

    /// Keeps room for one item if there is any at once.
    ///
    /// # Errors
    ///
    /// [`TrySendError`]: when there is no room, others are waiting for it, all receivers are gone, or this sender was
    /// closed.
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.shared.lock().try_reserve(self.handle())?;
        Ok(Permit::new(self))
    }

    /// Closes this sender, as dropping it does; its clones stay open. What waits to send through it ends, with the item
    /// back. Closing it again does nothing.
    pub fn close(&self) {
        change(&self.shared, |state, wakes| {
            if !self.is_closed.swap(true, Ordering::Relaxed) {
                state.refuse_sender(self.number, wakes);
                state.close_sender(wakes);
            }
        });
    }

    /// Whether nothing can be sent: this sender was closed, or all receivers are gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.lock().refusal(self.handle()).is_some()
    }

    /// What the channel looks like now.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared.lock().statistics()
    }

    /// Uses a slot that is reserved.
    pub(super) fn send_reserved(&self, item: T) -> Result<(), SendError<T>> {
        change(&self.shared, |state, wakes| state.send_reserved(item, self.handle(), wakes))
    }

    /// Does not use a slot that is reserved.
    pub(super) fn give_slot_back(&self) {
        change(&self.shared, |state, wakes| state.give_slot_back(wakes));
    }
}

impl<T> Numbered for Sender<T> {
    fn handle(&self) -> Handle {
        Handle { number: self.number, is_closed: self.is_closed.load(Ordering::Relaxed) }
    }
}

/// A clone is open if the original is.
impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        let mut state = self.shared.lock();
        let is_closed = self.handle().is_closed;
        let number = if is_closed { self.number } else { state.open_sender() };
        drop(state);
        Sender { shared: self.shared.clone(), number, is_closed: AtomicBool::new(is_closed) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Nothing waits to send through it, since that would borrow it.
        if !*self.is_closed.get_mut() {
            change(&self.shared, |state, wakes| state.close_sender(wakes));
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_closed = self.is_closed.load(Ordering::Relaxed);
        f.debug_struct("Sender").field("is_closed", &is_closed).finish_non_exhaustive()
    }
}
