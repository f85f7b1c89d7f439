//! [`Waiters`]: a line of waiting tasks that may be left in the middle.

use std::fmt;
use std::mem;
use std::num::NonZeroUsize;
use std::task::Waker;

use super::Wakes;

/// Above how many slots an empty line gives its memory back.
const KEPT: usize = 32;

/// Waiting tasks in the order of their arrival, and what those were granted who have not collected it yet.
///
/// Slots are written and read field by field: to move them as a whole, as a slab does, takes an eighth of the time that an
/// item takes through a channel of capacity 1.
pub(crate) struct Waiters<W, G> {
    slots: Vec<Slot<W, G>>,
    first: Option<Key>,
    last: Option<Key>,
    /// The first of the slots that are free.
    free: Option<Key>,
    /// How many stand in line.
    len: usize,
    /// How many slots are not free: those that stand in line, and those that hold grants.
    taken: usize,
}

/// Where a waiter finds itself: one more than the index of its slot. Valid until it has collected or left.
pub(crate) type Key = NonZeroUsize;

struct Slot<W, G> {
    stage: Stage<W, G>,
    /// There while it stands in line.
    waker: Option<Waker>,
    ahead: Option<Key>,
    /// Who is behind in line, or the next free slot.
    behind: Option<Key>,
}

enum Stage<W, G> {
    Free,
    Waiting(W),
    Granted(G),
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
        Waiters { slots: Vec::new(), first: None, last: None, free: None, len: 0, taken: 0 }
    }

    /// How many are waiting.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the first in line waits for.
    #[inline]
    pub(crate) fn front(&self) -> Option<&W> {
        Some(self.slots[index(self.first?)].want())
    }

    /// Goes to the end of the line.
    #[inline]
    pub(crate) fn join(&mut self, want: W, waker: Waker) -> Key {
        let key = self.take_slot();
        let slot = &mut self.slots[index(key)];
        slot.stage = Stage::Waiting(want);
        slot.waker = Some(waker);
        slot.ahead = self.last;
        slot.behind = None;
        match self.last.replace(key) {
            Some(last) => self.slots[index(last)].behind = Some(key),
            None => self.first = Some(key),
        }
        self.len += 1;
        key
    }

    /// Serves the first in line, if there is one, and hands out what it was waiting for.
    #[inline]
    pub(crate) fn serve(&mut self, grant: G, wakes: &mut Wakes) -> Option<W> {
        Some(self.serve_at(self.first?, |want| (grant, want), wakes))
    }

    /// Serves the first in line, if there is one, with something made of what it was waiting for.
    #[inline]
    pub(crate) fn serve_with(&mut self, grant: impl FnOnce(W) -> G, wakes: &mut Wakes) {
        if let Some(key) = self.first {
            self.serve_at(key, |want| (grant(want), ()), wakes);
        }
    }

    /// Serves those in line that are `meant`. Takes a time that grows with the line.
    pub(crate) fn serve_some(&mut self, meant: impl Fn(&W) -> bool, mut grant: impl FnMut(W) -> G, wakes: &mut Wakes) {
        let mut next = self.first;
        while let Some(key) = next {
            let slot = &self.slots[index(key)];
            next = slot.behind;
            if meant(slot.want()) {
                self.serve_at(key, |want| (grant(want), ()), wakes);
            }
        }
    }

    #[inline]
    fn serve_at<R>(&mut self, key: Key, grant: impl FnOnce(W) -> (G, R), wakes: &mut Wakes) -> R {
        self.unlink(key);
        let slot = &mut self.slots[index(key)];
        if let Some(waker) = slot.waker.take() {
            wakes.push(waker);
        }
        let Stage::Waiting(want) = mem::replace(&mut slot.stage, Stage::Free) else { not_in_line() };
        let (grant, result) = grant(want);
        slot.stage = Stage::Granted(grant);
        result
    }

    /// What the waiter was served with, which ends its wait; otherwise `waker` is the one to wake from now on.
    #[inline]
    pub(crate) fn collect(&mut self, key: Key, waker: &Waker, wakes: &mut Wakes) -> Option<G> {
        let slot = &mut self.slots[index(key)];
        if let Some(known) = &mut slot.waker {
            if !known.will_wake(waker) {
                wakes.discard(mem::replace(known, waker.clone()));
            }
            return None;
        }
        match self.give_slot_back(key) {
            Stage::Granted(grant) => Some(grant),
            _ => not_in_line(),
        }
    }

    /// Ends the wait of one who does not want to go on.
    pub(crate) fn leave(&mut self, key: Key, wakes: &mut Wakes) -> Left<W, G> {
        if let Some(waker) = self.slots[index(key)].waker.take() {
            wakes.discard(waker);
            self.unlink(key);
        }
        match self.give_slot_back(key) {
            Stage::Granted(grant) => Left::Grant(grant),
            Stage::Waiting(want) => Left::Want(want),
            Stage::Free => not_in_line(),
        }
    }

    /// A slot that was free, and is the caller's now.
    #[inline]
    fn take_slot(&mut self) -> Key {
        self.taken += 1;
        let Some(key) = self.free else { return self.add_slot() };
        self.free = self.slots[index(key)].behind;
        key
    }

    fn add_slot(&mut self) -> Key {
        self.slots.push(Slot { stage: Stage::Free, waker: None, ahead: None, behind: None });
        Key::new(self.slots.len()).expect("it has got a slot just now")
    }

    /// What was in a slot, which is free from now on.
    #[inline]
    fn give_slot_back(&mut self, key: Key) -> Stage<W, G> {
        let slot = &mut self.slots[index(key)];
        let stage = mem::replace(&mut slot.stage, Stage::Free);
        slot.behind = self.free.replace(key);
        self.taken -= 1;
        if self.taken == 0 && self.slots.capacity() > KEPT {
            self.slots = Vec::new();
            self.free = None;
        }
        stage
    }

    /// Takes a waiter out of the line; its slot stays.
    #[inline]
    fn unlink(&mut self, key: Key) {
        let slot = &self.slots[index(key)];
        let (ahead, behind) = (slot.ahead, slot.behind);
        match ahead {
            Some(ahead) => self.slots[index(ahead)].behind = behind,
            None => self.first = behind,
        }
        match behind {
            Some(behind) => self.slots[index(behind)].ahead = ahead,
            None => self.last = ahead,
        }
        self.len -= 1;
    }
}

impl<W, G> Slot<W, G> {
    /// What it waits for, which stands in line.
    #[inline]
    fn want(&self) -> &W {
        match &self.stage {
            Stage::Waiting(want) => want,
            _ => not_in_line(),
        }
    }
}

#[inline]
fn index(key: Key) -> usize {
    key.get() - 1
}

#[cold]
fn not_in_line() -> ! {
    unreachable!("those in line wait, and others were served")
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
