//! A channel for one value: the answer to a question.
//!
//! asyncio has `Future` for it and tokio `oneshot`; Trio and AnyIO use a memory channel.
//!
//! # Examples
//!
//! ```
//! # #[cfg(feature = "smol")]
//! # anyio::block_on(async {
//! use anyio::channel::oneshot;
//!
//! let (answer, question) = oneshot::channel();
//! anyio::task_group(async |tg| {
//!     tg.spawn(async move { answer.send(42) });
//!     assert_eq!(question.await, Ok(42));
//! })
//! .await
//! .unwrap();
//! # });
//! ```

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use crate::lock::Mutex;

use crate::line::{Wakes, change};
use crate::operation::Operation;
use crate::unit::{Entry, noted};

/// A channel for one value.
#[must_use = "the channel is its two ends"]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state =
        State { value: None, is_sent: false, sender_gone: false, receiver_gone: false, receiving: None, closed: None };
    let shared = Arc::new(Mutex::new(state));
    (Sender { shared: shared.clone() }, Receiver { shared, entry: Entry::new() })
}

/// No value came, or will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// The sender was dropped without having sent.
    #[error("the sender was dropped without having sent a value")]
    NotSent,
    /// This receiver was closed before anything was sent.
    #[error("this receiver was closed before a value was sent")]
    Closed,
}

/// No value is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TryRecvError {
    /// It may come yet.
    #[error("nothing was sent yet: await the receiver")]
    Empty,
    /// The sender was dropped without having sent.
    #[error("the sender was dropped without having sent a value")]
    NotSent,
    /// This receiver was closed before anything was sent, or the value was received already.
    #[error("this receiver was closed, or has had its value")]
    Closed,
}

struct State<T> {
    value: Option<T>,
    /// Whether a value was put there.
    is_sent: bool,
    sender_gone: bool,
    /// Dropped or closed: nothing can be sent.
    receiver_gone: bool,
    /// Whoever waits for the value.
    receiving: Option<Waker>,
    /// Whoever waits for the receiver to be gone.
    closed: Option<Waker>,
}

/// Sends the value.
#[must_use = "a sender that is dropped tells the receiver that nothing will come"]
pub struct Sender<T> {
    shared: Arc<Mutex<State<T>>>,
}

impl<T> Sender<T> {
    /// Sends the value, which does not wait.
    ///
    /// # Errors
    ///
    /// The value, when the receiver is gone.
    pub fn send(self, value: T) -> Result<(), T> {
        change(&self.shared, |state, wakes| {
            if state.receiver_gone {
                return Err(value);
            }
            state.value = Some(value);
            state.is_sent = true;
            wakes.extend(state.receiving.take());
            Ok(())
        })
    }

    /// Whether the receiver is gone: nobody needs the value any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.lock().receiver_gone
    }

    /// Waits until the receiver is gone, to give up what nobody needs any more.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        let gone = poll_fn(|cx| {
            change(&self.shared, |state, wakes| {
                if state.receiver_gone {
                    return Poll::Ready(());
                }
                register(&mut state.closed, cx, wakes);
                Poll::Pending
            })
        });
        Operation::new(gone, |()| ())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        change(&self.shared, |state, wakes| {
            state.sender_gone = true;
            wakes.extend(state.receiving.take());
            wakes.discard_some(state.closed.take());
        });
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("is_closed", &self.is_closed()).finish()
    }
}

/// Receives the value: a future that is ready when it is there.
///
/// # Errors
///
/// [`RecvError`], when the sender was dropped without having sent, or this was closed.
///
/// # Panics
///
/// When it is polled after it was ready.
///
/// # Cancel safety
///
/// Nothing is lost: it can be awaited by reference, and awaited again. Dropping it drops a value that was sent and not
/// received; [`close`](Receiver::close) first to know.
#[must_use = "futures do nothing unless polled"]
pub struct Receiver<T> {
    shared: Arc<Mutex<State<T>>>,
    entry: Entry,
}

impl<T> Receiver<T> {
    /// The value, if it is there.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`], when it is not.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let mut state = self.shared.lock();
        match state.value.take() {
            Some(value) => Ok(value),
            None if state.is_sent || state.receiver_gone => Err(TryRecvError::Closed),
            None if state.sender_gone => Err(TryRecvError::NotSent),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Keeps the sender from sending. A value that was sent before can still be received.
    pub fn close(&mut self) {
        change(&self.shared, |state, wakes| {
            state.receiver_gone = true;
            wakes.extend(state.closed.take());
            wakes.discard_some(state.receiving.take());
        });
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        noted(|| {
            ready!(self.entry.poll(cx));
            change(&self.shared, |state, wakes| {
                if let Some(value) = state.value.take() {
                    return Poll::Ready(Ok(value));
                }
                assert!(!state.is_sent, "polled after it was ready");
                if state.receiver_gone {
                    return Poll::Ready(Err(RecvError::Closed));
                }
                if state.sender_gone {
                    return Poll::Ready(Err(RecvError::NotSent));
                }
                register(&mut state.receiving, cx, wakes);
                Poll::Pending
            })
        })
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.close();
        let value = self.shared.lock().value.take();
        drop(value);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("is_sent", &self.shared.lock().is_sent).finish_non_exhaustive()
    }
}

/// Has this task woken, and no other.
fn register(known: &mut Option<Waker>, cx: &Context<'_>, wakes: &mut Wakes) {
    if !known.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
        wakes.discard_some(known.replace(cx.waker().clone()));
    }
}
