//! A channel for the latest of a series of values: settings, states, progress.
//!
//! Any number of receivers see the latest value and can wait for the next. Values that come faster than a receiver looks
//! are passed over. It is tokio's `watch`; asyncio, Trio and AnyIO have nothing of the kind.
//!
//! What differs from tokio: looking at a value locks nothing. [`borrow`](Receiver::borrow) hands out a share of it, which
//! may be kept across an `.await` and never keeps a sender waiting.
//!
//! # Examples
//!
//! ```
//! # #[cfg(feature = "smol")]
//! # anyio::block_on(async {
//! use anyio::channel::watch;
//!
//! let (sender, mut receiver) = watch::channel("starting");
//! anyio::task_group(async |tg| {
//!     tg.spawn(async move { sender.send("ready").is_ok() });
//!     receiver.changed().await.unwrap();
//!     assert_eq!(*receiver.borrow(), "ready");
//! })
//! .await
//! .unwrap();
//! # });
//! ```

use std::fmt;
use std::future::Future;
use std::mem;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::operation::{Operation, begin};
use crate::until::{Notify, Until};

/// A channel for the latest of a series of values, which begins with `value`. Receivers have seen that one.
#[must_use]
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let state = State { value: Arc::new(value), version: 0, senders: 1, receivers: 1 };
    let shared =
        Shared { state: Mutex::new(state), editing: Mutex::new(()), changed: Notify::new(), closed: Notify::new() };
    let shared = Arc::new(shared);
    (Sender { shared: shared.clone() }, Receiver { shared, seen: 0 })
}

/// All receivers are gone. Gives the value back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("all receivers are gone")]
pub struct SendError<T>(pub T);

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

/// All senders are gone, and the latest value was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all senders are gone: the value will not change any more")]
pub struct RecvError;

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Held while a value is changed in place: one at a time. Comes before the lock of the state.
    editing: Mutex<()>,
    /// Notified when there is a new value, or no sender any more.
    changed: Notify,
    /// Notified when there is no receiver any more.
    closed: Notify,
}

struct State<T> {
    value: Arc<T>,
    /// How many values came after the first.
    version: u64,
    senders: usize,
    receivers: usize,
}

impl<T> Shared<T> {
    /// Sets the value that was made under this lock. Wakers may do anything, so that ends first.
    fn set(&self, value: Arc<T>, editing: MutexGuard<'_, ()>) -> Arc<T> {
        let mut state = self.state.lock();
        state.version += 1;
        let old = mem::replace(&mut state.value, value);
        drop(state);
        drop(editing);
        self.changed.notify_all();
        old
    }
}

/// Sends values. It may be cloned.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sends a value, which does not wait.
    ///
    /// # Errors
    ///
    /// [`SendError`], with the value, when all receivers are gone.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        drop(self.send_replace(value));
        Ok(())
    }

    /// Sends a value, also while nobody receives, and returns the one before.
    pub fn send_replace(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        self.shared.set(value, self.shared.editing.lock())
    }

    /// Sends a changed clone of the value, also while nobody receives.
    ///
    /// Other senders wait meanwhile, with their threads: `change` is to be short, and must not send here itself. If it
    /// panics nothing is sent.
    pub fn send_modify(&self, change: impl FnOnce(&mut T))
    where
        T: Clone,
    {
        let editing = self.shared.editing.lock();
        let mut value = T::clone(&self.borrow());
        change(&mut value);
        drop(self.shared.set(Arc::new(value), editing));
    }

    /// The latest value.
    #[must_use]
    pub fn borrow(&self) -> Arc<T> {
        self.shared.state.lock().value.clone()
    }

    /// One more receiver, which has seen the latest value.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<T> {
        let mut state = self.shared.state.lock();
        state.receivers += 1;
        Receiver { shared: self.shared.clone(), seen: state.version }
    }

    /// How many receivers there are.
    #[must_use]
    pub fn receiver_count(&self) -> usize {
        self.shared.state.lock().receivers
    }

    /// Whether all receivers are gone. There may be new ones later.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until all receivers are gone.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        let is_closed = || self.is_closed().then_some(());
        Operation::new(Until::new(&self.shared.closed, is_closed), |()| ())
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
            self.shared.changed.notify_all();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("value", &self.borrow()).finish_non_exhaustive()
    }
}

/// Sees the latest value. It may be cloned; a clone has seen what the original has.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The version that was seen last.
    seen: u64,
}

impl<T> Receiver<T> {
    /// The latest value, which counts as not seen if it was not.
    #[must_use]
    pub fn borrow(&self) -> Arc<T> {
        self.shared.state.lock().value.clone()
    }

    /// The latest value, which counts as seen from now on.
    #[must_use = "to mark the value as seen alone, use `mark_seen`"]
    pub fn borrow_and_update(&mut self) -> Arc<T> {
        let state = self.shared.state.lock();
        self.seen = state.version;
        state.value.clone()
    }

    /// Counts the latest value as seen.
    pub fn mark_seen(&mut self) {
        self.seen = self.shared.state.lock().version;
    }

    /// Counts the latest value as not seen, so that [`changed`](Receiver::changed) completes at once.
    pub fn mark_changed(&mut self) {
        self.seen = u64::MAX;
    }

    /// Whether there is a value that was not seen.
    ///
    /// # Errors
    ///
    /// [`RecvError`], when there is none and there will not be one.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        let state = self.shared.state.lock();
        match (state.version != self.seen, state.senders) {
            (true, _) => Ok(true),
            (false, 0) => Err(RecvError),
            _ => Ok(false),
        }
    }

    /// Waits until there is a value that was not seen, which counts as seen then.
    ///
    /// # Errors
    ///
    /// [`RecvError`], when all senders are gone and the latest value was seen.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a wait that is dropped has seen nothing.
    #[track_caller]
    pub fn changed(&mut self) -> impl Future<Output = Result<(), RecvError>> {
        let (shared, seen) = (&*self.shared, &mut self.seen);
        let look = move || {
            let state = shared.state.lock();
            if state.version != *seen {
                *seen = state.version;
                return Some(Ok(()));
            }
            (state.senders == 0).then_some(Err(RecvError))
        };
        Operation::new(Until::new(&shared.changed, look), |changed| changed)
    }

    /// Waits until the latest value is as `wanted`, and returns it; it counts as seen. Values that are passed over are not
    /// looked at.
    ///
    /// # Errors
    ///
    /// [`RecvError`], when all senders are gone and the latest value is not as wanted.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[track_caller]
    pub fn wait_for(&mut self, mut wanted: impl FnMut(&T) -> bool) -> impl Future<Output = Result<Arc<T>, RecvError>> {
        let begin = begin();
        async move {
            begin.await;
            loop {
                let value = self.borrow_and_update();
                if wanted(&value) {
                    return Ok(value);
                }
                drop(value);
                self.changed().await?;
            }
        }
    }

    /// Whether all senders are gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.state.lock().senders == 0
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.state.lock().receivers += 1;
        Receiver { shared: self.shared.clone(), seen: self.seen }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.receivers -= 1;
        let was_last = state.receivers == 0;
        drop(state);
        if was_last {
            self.shared.closed.notify_all();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("value", &self.borrow()).finish_non_exhaustive()
    }
}
