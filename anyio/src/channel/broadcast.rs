//! A channel in which every receiver gets every value.
//!
//! A receiver gets what is sent from when it subscribed. The constructor has to be told what happens when the slowest one
//! falls behind by more than the channel keeps: [`Overflow::Lag`] or [`Overflow::Wait`].
//!
//! tokio's `broadcast` knows the first; asyncio, Trio and AnyIO have no broadcast channel.
//!
//! # Examples
//!
//! ```
//! # #[cfg(feature = "smol")]
//! # anyio::block_on(async {
//! use anyio::channel::broadcast::{self, Overflow, RecvError};
//!
//! let (sender, mut receiver) = broadcast::channel(2, Overflow::Lag);
//! let mut another = sender.subscribe();
//! for n in 1..=3 {
//!     sender.send(n).await.unwrap();
//! }
//! assert_eq!(receiver.recv().await, Err(RecvError::Lagged(1)));
//! assert_eq!(receiver.recv().await, Ok(2));
//! assert_eq!(another.recv().await, Err(RecvError::Lagged(1)));
//! # });
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::mem;
use std::sync::Arc;

use crate::lock::Mutex;

use crate::line::{Left, Visitor, Wait, Waiters, Wakes, change};
use crate::operation::Operation;
use crate::until::{Notify, Until};

/// What happens when a value is sent and the slowest receiver has not got the oldest that the channel keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest value is dropped, and whoever did not get it is told how many it missed. Senders never wait.
    Lag,
    /// The sender waits until every receiver has got it. A receiver that does not receive stops all senders.
    Wait,
}

/// A channel that keeps up to `capacity` values until every receiver has got them. A capacity of 0 counts as 1.
#[must_use]
pub fn channel<T>(capacity: usize, overflow: Overflow) -> (Sender<T>, Receiver<T>) {
    let state = State {
        kept: VecDeque::new(),
        first: 0,
        capacity: capacity.max(1),
        overflow,
        reserved: 0,
        senders: 1,
        receivers: 1,
        sending: Waiters::new(),
    };
    let shared = Arc::new(Shared { state: Mutex::new(state), sent: Notify::new() });
    (Sender { shared: shared.clone() }, Receiver { shared, next: 0 })
}

/// There are no receivers. Gives the value back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are no receivers")]
pub struct SendError<T>(pub T);

/// Nothing can be sent at once. Gives the value back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// A receiver has not got the oldest value, or others are waiting to send.
    #[error("a receiver has fallen behind: wait for it with `send`")]
    Full(T),
    /// There are no receivers.
    #[error("there are no receivers")]
    NoReceivers(T),
}

/// There is no next value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// That many values were dropped before this receiver got them. It goes on with the oldest that is kept.
    #[error("the receiver fell behind and missed {0} values")]
    Lagged(u64),
    /// All senders are gone, and all that they sent was received.
    #[error("all senders are gone and nothing is left to receive")]
    EndOfStream,
}

/// There is no next value at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TryRecvError {
    /// It was not sent yet.
    #[error("nothing was sent yet: wait for it with `recv`")]
    Empty,
    /// That many values were dropped before this receiver got them. It goes on with the oldest that is kept.
    #[error("the receiver fell behind and missed {0} values")]
    Lagged(u64),
    /// All senders are gone, and all that they sent was received.
    #[error("all senders are gone and nothing is left to receive")]
    EndOfStream,
}

/// What a broadcast channel looks like at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many values are kept.
    pub buffered: usize,
    /// How many senders there are.
    pub open_senders: usize,
    /// How many receivers there are.
    pub open_receivers: usize,
    /// How many tasks wait until they can send.
    pub tasks_waiting_to_send: usize,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Notified when there is a new value, or no sender any more.
    sent: Notify,
}

struct State<T> {
    /// What somebody has not got yet, in order.
    kept: VecDeque<Kept<T>>,
    /// The number of the first value that is kept; values are numbered from 0.
    first: u64,
    capacity: usize,
    overflow: Overflow,
    /// How many places were promised to senders that were told to go on.
    reserved: usize,
    senders: usize,
    receivers: usize,
    sending: Waiters<(), Sent>,
}

struct Kept<T> {
    value: Arc<T>,
    /// How many receivers have not got it.
    unread: usize,
}

/// What a sender in line is served with.
enum Sent {
    /// A place, which is reserved for it.
    Place,
    /// There is nobody left to send to.
    NoReceivers,
}

/// Sends to all receivers. It may be cloned.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sends a value; with [`Overflow::Wait`] it waits while a receiver has fallen behind.
    ///
    /// # Errors
    ///
    /// [`SendError`], with the value, when there are no receivers.
    ///
    /// # Cancel safety
    ///
    /// A send that is dropped before it has completed did not happen, and its value is dropped with it.
    #[track_caller]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let wait = Wait::new(&self.shared.state, Send { value: Some(value) });
        Operation::new(wait, |sent: Result<_, _>| sent.map(|dropped| self.announce(dropped)))
    }

    /// Sends a value if that is possible at once, which with [`Overflow::Lag`] it is.
    ///
    /// # Errors
    ///
    /// [`TrySendError`], with the value: when a receiver has fallen behind, others are waiting to send, or there are no
    /// receivers.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let sent = self.shared.state.lock().try_send(value);
        sent.map(|dropped| self.announce(dropped))
    }

    /// Something was sent, and an old value perhaps dropped for it: both have consequences outside the lock.
    fn announce(&self, dropped: Option<Kept<T>>) {
        self.shared.sent.notify_all();
        drop(dropped);
    }

    /// One more receiver, of what is sent from now on.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<T> {
        let mut state = self.shared.state.lock();
        state.receivers += 1;
        Receiver { shared: self.shared.clone(), next: state.end() }
    }

    /// What the channel looks like now.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared.state.lock().statistics()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.state.lock().senders += 1;
        Sender { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.senders -= 1;
        let was_last = state.senders == 0;
        drop(state);
        if was_last {
            self.shared.sent.notify_all();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("statistics", &self.statistics()).finish()
    }
}

/// Gets every value that is sent. It may be cloned; a clone gets what the original has not got yet.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The number of the next value.
    next: u64,
}

impl<T: Clone> Receiver<T> {
    /// Receives the next value; waits until there is one. The last receiver to get a value gets it without a clone.
    ///
    /// # Errors
    ///
    /// [`RecvError`]: when values were missed, or all senders are gone and nothing is left.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Result<T, RecvError>> {
        let Receiver { shared, next } = self;
        let look = || match shared.try_recv(next) {
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Lagged(missed)) => Some(Err(RecvError::Lagged(missed))),
            Err(TryRecvError::EndOfStream) => Some(Err(RecvError::EndOfStream)),
            Ok(value) => Some(Ok(value)),
        };
        Operation::new(Until::new(&shared.sent, look), |received: Result<_, _>| received.map(Arc::unwrap_or_clone))
    }

    /// Receives the next value if there is one.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`]: when there is none yet, values were missed, or all senders are gone and nothing is left.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.shared.try_recv(&mut self.next).map(Arc::unwrap_or_clone)
    }
}

impl<T> Receiver<T> {
    /// How many values are there for this receiver, those that it missed included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shared.state.lock().end() - self.next
    }

    /// Whether nothing is there for this receiver.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the channel looks like now.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared.state.lock().statistics()
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let mut state = self.shared.state.lock();
        state.receivers += 1;
        state.unread_from(self.next).for_each(|kept| kept.unread += 1);
        drop(state);
        Receiver { shared: self.shared.clone(), next: self.next }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let dropped = change(&self.shared.state, |state, wakes| {
            state.unread_from(self.next).for_each(|kept| kept.unread -= 1);
            state.receivers -= 1;
            if state.receivers == 0 {
                state.first = state.end();
                state.sending.serve_some(|()| true, |()| Sent::NoReceivers, wakes);
                return mem::take(&mut state.kept);
            }
            std::iter::from_fn(|| state.forget_read(wakes)).collect()
        });
        drop(dropped);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}

impl<T> Shared<T> {
    fn try_recv(&self, next: &mut u64) -> Result<Arc<T>, TryRecvError> {
        let (received, forgotten) = change(&self.state, |state, wakes| {
            let received = state.try_recv(next);
            // Whoever reads it last has it for itself: others have read all that is before it.
            (received, state.forget_read(wakes))
        });
        drop(forgotten);
        received
    }
}

impl<T> State<T> {
    fn statistics(&self) -> Statistics {
        Statistics {
            buffered: self.kept.len(),
            open_senders: self.senders,
            open_receivers: self.receivers,
            tasks_waiting_to_send: self.sending.len(),
        }
    }

    /// The number of the value that will be sent next.
    fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    /// What is kept that a receiver which wants this value next has not got.
    fn unread_from(&mut self, next: u64) -> impl Iterator<Item = &mut Kept<T>> {
        let got = usize::try_from(next.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.kept.iter_mut().skip(got)
    }

    fn has_place(&self) -> bool {
        self.overflow == Overflow::Lag || self.kept.len() + self.reserved < self.capacity
    }

    /// Sends, and returns what had to go for it.
    fn try_send(&mut self, value: T) -> Result<Option<Kept<T>>, TrySendError<T>> {
        if self.receivers == 0 {
            return Err(TrySendError::NoReceivers(value));
        }
        if !self.sending.is_empty() || !self.has_place() {
            return Err(TrySendError::Full(value));
        }
        Ok(self.push(value))
    }

    fn push(&mut self, value: T) -> Option<Kept<T>> {
        let is_full = self.overflow == Overflow::Lag && self.kept.len() == self.capacity;
        let dropped = if is_full { self.kept.pop_front() } else { None };
        self.first += u64::from(is_full);
        self.kept.push_back(Kept { value: Arc::new(value), unread: self.receivers });
        dropped
    }

    fn try_recv(&mut self, next: &mut u64) -> Result<Arc<T>, TryRecvError> {
        let missed = self.first.saturating_sub(*next);
        if missed > 0 {
            *next = self.first;
            return Err(TryRecvError::Lagged(missed));
        }
        if let Some(kept) = self.unread_from(*next).next() {
            kept.unread -= 1;
            *next += 1;
            return Ok(kept.value.clone());
        }
        Err(if self.senders == 0 { TryRecvError::EndOfStream } else { TryRecvError::Empty })
    }

    /// Takes out the first value if everybody has got it; it is to be dropped without the lock.
    fn forget_read(&mut self, wakes: &mut Wakes) -> Option<Kept<T>> {
        let forgotten = match self.kept.front() {
            Some(kept) if kept.unread == 0 => self.kept.pop_front(),
            _ => None,
        };
        if forgotten.is_some() {
            self.first += 1;
            self.admit(wakes);
        }
        forgotten
    }

    /// Lets senders in line go on as far as there are places.
    fn admit(&mut self, wakes: &mut Wakes) {
        while self.has_place() && self.sending.serve(Sent::Place, wakes).is_some() {
            self.reserved += 1;
        }
    }
}

/// Wants to send a value.
struct Send<T> {
    value: Option<T>,
}

impl<T> Unpin for Send<T> {}

const VALUE: &str = "the value is there until it is sent";

impl<T> Visitor for Send<T> {
    type State = State<T>;
    type Want = ();
    type Grant = Sent;
    type Output = Result<Option<Kept<T>>, SendError<T>>;

    fn line(state: &mut State<T>) -> &mut Waiters<(), Sent> {
        &mut state.sending
    }

    fn try_now(&mut self, state: &mut State<T>, _wakes: &mut Wakes) -> Option<Self::Output> {
        match state.try_send(self.value.take().expect(VALUE)) {
            Ok(dropped) => Some(Ok(dropped)),
            Err(TrySendError::NoReceivers(value)) => Some(Err(SendError(value))),
            Err(TrySendError::Full(value)) => {
                self.value = Some(value);
                None
            }
        }
    }

    fn want(&mut self, _state: &mut State<T>) {}

    fn collect(&mut self, state: &mut State<T>, sent: Sent, _wakes: &mut Wakes) -> Self::Output {
        let value = self.value.take().expect(VALUE);
        // There may be receivers again, but no place was kept for it.
        let Sent::Place = sent else { return Err(SendError(value)) };
        state.reserved -= 1;
        if state.receivers == 0 { Err(SendError(value)) } else { Ok(state.push(value)) }
    }

    fn give_up(&mut self, state: &mut State<T>, left: &Left<(), Sent>, wakes: &mut Wakes) {
        if let Left::Grant(Sent::Place) = left {
            state.reserved -= 1;
            state.admit(wakes);
        }
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "Full(..)",
            TrySendError::NoReceivers(_) => "NoReceivers(..)",
        })
    }
}
