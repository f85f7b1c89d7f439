//! [`Waiters`]: a line of waiting tasks that may be left in the middle.

use std::fmt;
use std::mem;
use std::task::Waker;

use slab::Slab;

use super::Wakes;

/// Above how many slots an empty line gives its memory back.
const KEPT: usize = 32;

/// Waiting tasks in the order of their arrival, and what those were granted who have not collected it yet.
pub(crate) struct Waiters<W, G> {
    slots: Slab<Slot<W, G>>,
    first: Option<Key>,
    last: Option<Key>,
    /// How many stand in line. The other slots hold grants.
    len: usize,
}

/// Where a waiter finds itself. Valid until it has collected or left.
pub(crate) type Key = usize;

enum Slot<W, G> {
    Waiting {
        want: W,
        waker: Waker,
        ahead: Option<Key>,
        behind: Option<Key>,
    },
    Granted(G),
    /// For a moment within [`Waiters::serve_at`].
    BeingServed,
}

/// What a waiter left behind.
pub(crate) enum Left<W, G> {
    /// It was waiting for this.
    Want(W),
    /// It had been served with this.
    Grant(G),
}

impl<W, G> Waiters<W, G> {
    pub(crate) const fn new() -> Self {
        Waiters { slots: Slab::new(), first: None, last: None, len: 0 }
    }

    /// How many are waiting.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the first in line waits for.
    pub(crate) fn front(&self) -> Option<&W> {
        match &self.slots[self.first?] {
            Slot::Waiting { want, .. } => Some(want),
            _ => unreachable!("those in line wait"),
        }
    }

    /// Goes to the end of the line.
    pub(crate) fn join(&mut self, want: W, waker: Waker) -> Key {
        let key = self.slots.insert(Slot::Waiting { want, waker, ahead: self.last, behind: None });
        match self.last.replace(key) {
            Some(last) => *self.behind(last) = Some(key),
            None => self.first = Some(key),
        }
        self.len += 1;
        key
    }

    /// Serves the first in line, if there is one, and hands out what it was waiting for.
    pub(crate) fn serve(&mut self, grant: G, wakes: &mut Wakes) -> Option<W> {
        Some(self.serve_at(self.first?, |want| (grant, want), wakes))
    }

    /// Serves the first in line, if there is one, with something made of what it was waiting for.
    pub(crate) fn serve_with(&mut self, grant: impl FnOnce(W) -> G, wakes: &mut Wakes) {
        if let Some(key) = self.first {
            self.serve_at(key, |want| (grant(want), ()), wakes);
        }
    }

    /// Serves those in line that are `meant`. Takes a time that grows with the line.
    pub(crate) fn serve_some(&mut self, meant: impl Fn(&W) -> bool, mut grant: impl FnMut(W) -> G, wakes: &mut Wakes) {
        let mut next = self.first;
        while let Some(key) = next {
            let Slot::Waiting { want, behind, .. } = &self.slots[key] else { unreachable!("those in line wait") };
            next = *behind;
            if meant(want) {
                self.serve_at(key, |want| (grant(want), ()), wakes);
            }
        }
    }

    fn serve_at<R>(&mut self, key: Key, grant: impl FnOnce(W) -> (G, R), wakes: &mut Wakes) -> R {
        self.unlink(key);
        let slot = &mut self.slots[key];
        match mem::replace(slot, Slot::BeingServed) {
            Slot::Waiting { want, waker, .. } => {
                wakes.push(waker);
                let (grant, result) = grant(want);
                *slot = Slot::Granted(grant);
                result
            }
            _ => unreachable!("those in line wait"),
        }
    }

    /// What the waiter was served with, which ends its wait; otherwise `waker` is the one to wake from now on.
    pub(crate) fn collect(&mut self, key: Key, waker: &Waker, wakes: &mut Wakes) -> Option<G> {
        if let Slot::Waiting { waker: known, .. } = &mut self.slots[key] {
            if !known.will_wake(waker) {
                wakes.discard(mem::replace(known, waker.clone()));
            }
            return None;
        }
        match self.take(key) {
            Slot::Granted(grant) => Some(grant),
            _ => unreachable!("looked at above"),
        }
    }

    /// Ends the wait of one who does not want to go on.
    pub(crate) fn leave(&mut self, key: Key, wakes: &mut Wakes) -> Left<W, G> {
        if let Slot::Waiting { .. } = &self.slots[key] {
            self.unlink(key);
        }
        match self.take(key) {
            Slot::Granted(grant) => Left::Grant(grant),
            Slot::Waiting { want, waker, .. } => {
                wakes.discard(waker);
                Left::Want(want)
            }
            Slot::BeingServed => unreachable!("that is over"),
        }
    }

    fn take(&mut self, key: Key) -> Slot<W, G> {
        let slot = self.slots.remove(key);
        if self.slots.is_empty() && self.slots.capacity() > KEPT {
            self.slots = Slab::new();
        }
        slot
    }

    /// Takes a waiter out of the line; its slot stays.
    fn unlink(&mut self, key: Key) {
        let Slot::Waiting { ahead, behind, .. } = &self.slots[key] else { unreachable!("those in line wait") };
        let (ahead, behind) = (*ahead, *behind);
        match ahead {
            Some(ahead) => *self.behind(ahead) = behind,
            None => self.first = behind,
        }
        match behind {
            Some(behind) => *self.ahead(behind) = ahead,
            None => self.last = ahead,
        }
        self.len -= 1;
    }

    fn ahead(&mut self, key: Key) -> &mut Option<Key> {
        match &mut self.slots[key] {
            Slot::Waiting { ahead, .. } => ahead,
            _ => unreachable!("those in line wait"),
        }
    }

    fn behind(&mut self, key: Key) -> &mut Option<Key> {
        match &mut self.slots[key] {
            Slot::Waiting { behind, .. } => behind,
            _ => unreachable!("those in line wait"),
        }
    }
}

impl<W, G> Default for Waiters<W, G> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W, G> fmt::Debug for Waiters<W, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiters").field("len", &self.len).finish_non_exhaustive()
    }
}
