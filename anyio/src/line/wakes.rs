//! [`Wakes`]: wakers to be woken, or dropped, when the lock has been released.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use crate::tree;
use crate::unit;

/// Collected under the lock of a primitive, and woken after it.
#[derive(Default)]
pub(crate) struct Wakes {
    /// Most changes wake one at most, which takes no allocation.
    first: Option<Waker>,
    more: Vec<Waker>,
    /// Wakers that are not needed any more. Their destructors are not to be run under the lock either.
    replaced: Option<Waker>,
}

impl Wakes {
    pub(crate) fn push(&mut self, waker: Waker) {
        match &self.first {
            None => self.first = Some(waker),
            Some(_) => self.more.push(waker),
        }
    }

    /// Drops a waker later. There is one at most in each change.
    pub(crate) fn discard(&mut self, waker: Waker) {
        self.replaced = Some(waker);
    }

    /// [`discard`](Wakes::discard), if there is one.
    pub(crate) fn discard_some(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.discard(waker);
        }
    }

    /// [`push`](Wakes::push), if there is one.
    pub(crate) fn extend(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.push(waker);
        }
    }

    /// Wakes in the order of the line, whatever the wakers do.
    pub(crate) fn wake(self) {
        tree::wake(self.first);
        self.more.into_iter().for_each(|waker| tree::wake(Some(waker)));
        if let Some(replaced) = self.replaced {
            catch_unwind(AssertUnwindSafe(|| drop(replaced))).unwrap_or_else(unit::discard);
        }
    }
}
