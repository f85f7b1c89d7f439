//! [`Wakes`]: wakers to be woken, or dropped, when the lock has been released.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use crate::tree;
use crate::unit;

/// Collected under the lock of a primitive, and woken after it.
#[derive(Default)]
pub(crate) struct Wakes {
    /// Most changes wake one at most, which takes no allocation.
    first: Option<Waker>,
    /// A waker that is not needed any more. Its destructor is not to be run under the lock either.
    replaced: Option<Waker>,
    more: Vec<Waker>,
}

impl Wakes {
    #[inline]
    pub(crate) fn push(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.more.push(waker);
        }
    }

    /// Drops a waker later. There is one at most in each change.
    #[inline]
    pub(crate) fn discard(&mut self, waker: Waker) {
        self.replaced = Some(waker);
    }

    /// [`discard`](Wakes::discard), if there is one.
    #[inline]
    pub(crate) fn discard_some(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.discard(waker);
        }
    }

    /// [`push`](Wakes::push), if there is one.
    #[inline]
    pub(crate) fn extend(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.push(waker);
        }
    }

    /// Whether there is nothing to be done with it.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.replaced.is_none()
    }

    /// Wakes in the order of the line, whatever the wakers do. Nothing is left in here.
    pub(crate) fn wake(&mut self) {
        tree::wake(self.first.take());
        if !self.more.is_empty() {
            mem::take(&mut self.more).into_iter().for_each(|waker| tree::wake(Some(waker)));
        }
        if let Some(replaced) = self.replaced.take() {
            catch_unwind(AssertUnwindSafe(|| drop(replaced))).unwrap_or_else(unit::discard);
        }
    }
}
