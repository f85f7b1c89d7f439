//! [`Permit`]: room for one item.

use std::fmt;

use super::error::SendError;
use super::sender::Sender;

/// Room for one item in a channel, kept until it is used or dropped: see [`Sender::reserve`].
#[must_use = "a permit that is not used gives its room back"]
pub struct Permit<'a, T> {
    /// There until the room is used.
    sender: Option<&'a Sender<T>>,
}

impl<'a, T> Permit<'a, T> {
    /// For a slot that is reserved.
    pub(super) fn new(sender: &'a Sender<T>) -> Self {
        Permit { sender: Some(sender) }
    }

    /// Sends the item, which does not wait.
    ///
    /// # Errors
    ///
    /// [`SendError`], with the item: when all receivers are gone, or the sender was closed, since there was room.
    pub fn send(mut self, item: T) -> Result<(), SendError<T>> {
        let sender = self.sender.take().expect("a permit is used once");
        sender.send_reserved(item)
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        if let Some(sender) = self.sender {
            sender.give_slot_back();
        }
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
