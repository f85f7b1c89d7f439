//! [`Until`]: waiting for what all who wait are told of.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::lock::Mutex;

use crate::line::{Key, Waiters, change};

/// Tells all who wait that there may be something to be seen.
///
/// Wakers are woken without the lock, as everywhere (see [`line`](crate::line)): a waker may drop whatever waits here, or
/// notify again, and one that panics keeps nobody else from being woken.
#[derive(Debug, Default)]
pub(crate) struct Notify {
    waiters: Mutex<Waiters<(), ()>>,
}

impl Notify {
    pub(crate) const fn new() -> Self {
        Notify { waiters: Mutex::new(Waiters::new()) }
    }

    /// To be called when there is something to be seen: who does not see it by now is in line already, and is woken.
    pub(crate) fn notify_all(&self) {
        change(&self.waiters, |waiters, wakes| waiters.serve_some(|()| true, |()| (), wakes));
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiters.lock().len()
    }
}

/// Looks again whenever the others are notified, until there is something to be seen. Nobody takes a notification from
/// anybody, so a wait may be dropped at any time.
#[must_use = "futures do nothing unless polled"]
pub(crate) struct Until<'a, L> {
    notify: &'a Notify,
    look: L,
    /// Its place in the line, while it has one.
    key: Option<Key>,
}

impl<'a, L> Until<'a, L> {
    pub(crate) fn new(notify: &'a Notify, look: L) -> Self {
        Until { notify, look, key: None }
    }

    /// Goes into the line, or stays in it; whether there is a reason to look (again).
    fn wait(&mut self, cx: &Context<'_>) -> bool {
        let Some(key) = self.key else {
            let waker = cx.waker().clone();
            self.key = Some(self.notify.waiters.lock().join((), waker));
            // It may have happened in between.
            return true;
        };
        let told = change(&self.notify.waiters, |waiters, wakes| waiters.collect(key, cx.waker(), wakes).is_some());
        if told {
            self.key = None;
        }
        told
    }

    fn leave(&mut self) {
        if let Some(key) = self.key.take() {
            change(&self.notify.waiters, |waiters, wakes| _ = waiters.leave(key, wakes));
        }
    }
}

impl<L: FnMut() -> Option<T> + Unpin, T> Future for Until<'_, L> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        loop {
            if let Some(seen) = (self.look)() {
                self.leave();
                return Poll::Ready(seen);
            }
            if !self.wait(cx) {
                return Poll::Pending;
            }
        }
    }
}

impl<L> Drop for Until<'_, L> {
    fn drop(&mut self) {
        self.leave();
    }
}
