//! Waiting in line: the one building block of locks, semaphores, conditions, barriers and channels.
//!
//! # Invariants
//!
//! 1. **One lock.** All that a primitive knows, the line of its waiters included, is in one state under one lock, and
//!    changes from one consistent state to the next while that is held.
//! 2. **Order.** Those in line stand in the order in which they began to wait. The first is served first, and nobody who
//!    comes later is served before the line is empty.
//! 3. **Hand-off.** Serving a waiter takes what it is granted out of the state and puts it into the waiter's slot, in the
//!    same step. So it is in exactly one place at any time.
//! 4. **Nothing is lost.** A waiter collects its grant in a poll or, if it is dropped first, gives it up in its
//!    destructor: back to the state, which serves the next in line with it in the same step.
//! 5. **Nothing of anybody else's runs under the lock**: wakers are woken and dropped, and values dropped and cloned,
//!    after it was released.
//!
//! Joining, serving and leaving take constant time each, wherever in the line.

mod waiters;
mod wakes;

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::lock::Mutex;

pub(crate) use self::waiters::{Key, Left, Waiters};
pub(crate) use self::wakes::Wakes;

/// One who may have to wait in line.
pub(crate) trait Visitor {
    /// The state of the primitive.
    type State;
    /// What is known of one who waits.
    type Want;
    /// What one who has waited is served with.
    type Grant;
    /// What the wait comes to.
    type Output;

    /// The line to wait in.
    fn line(state: &mut Self::State) -> &mut Waiters<Self::Want, Self::Grant>;

    /// Does without waiting, if that is possible and nobody is ahead.
    fn try_now(&mut self, state: &mut Self::State, wakes: &mut Wakes) -> Option<Self::Output>;

    /// What to wait for, since there was nothing to be had.
    fn want(&mut self, state: &mut Self::State) -> Self::Want;

    /// It has joined the line.
    fn joined(&mut self, _state: &mut Self::State, _wakes: &mut Wakes) {}

    /// Makes something of what it was served with.
    fn collect(&mut self, state: &mut Self::State, grant: Self::Grant, wakes: &mut Wakes) -> Self::Output;

    /// It has left the line, or does not want what it was served with any more.
    fn give_up(&mut self, state: &mut Self::State, left: &Left<Self::Want, Self::Grant>, wakes: &mut Wakes);
}

/// Changes the state, then wakes whoever was served.
#[inline]
pub(crate) fn change<S, R>(state: &Mutex<S>, act: impl FnOnce(&mut S, &mut Wakes) -> R) -> R {
    let mut wakes = Wakes::default();
    let result = act(&mut state.lock(), &mut wakes);
    if !wakes.is_empty() {
        wakes.wake();
    }
    // Nothing is left in there to be dropped.
    mem::forget(wakes);
    result
}

/// Polls a visitor, which is in line if there is a key.
#[inline]
pub(crate) fn poll<V: Visitor>(
    state: &Mutex<V::State>,
    visitor: &mut V,
    key: &mut Option<Key>,
    cx: &Context<'_>,
) -> Poll<V::Output> {
    change(state, |state, wakes| match key.take() {
        None => {
            if let Some(output) = visitor.try_now(state, wakes) {
                return Poll::Ready(output);
            }
            let want = visitor.want(state);
            *key = Some(V::line(state).join(want, cx.waker().clone()));
            visitor.joined(state, wakes);
            Poll::Pending
        }
        Some(known) => match V::line(state).collect(known, cx.waker(), wakes) {
            Some(grant) => Poll::Ready(visitor.collect(state, grant, wakes)),
            None => {
                *key = Some(known);
                Poll::Pending
            }
        },
    })
}

/// Takes a visitor out of the line, if it is in there.
pub(crate) fn leave<V: Visitor>(state: &Mutex<V::State>, visitor: &mut V, key: &mut Option<Key>) {
    let Some(key) = key.take() else { return };
    let left = change(state, |state, wakes| {
        let left = V::line(state).leave(key, wakes);
        visitor.give_up(state, &left, wakes);
        left
    });
    drop(left);
}

/// Waits until the visitor is served; gives up in its destructor.
#[must_use = "futures do nothing unless polled"]
pub(crate) struct Wait<'a, V: Visitor> {
    state: &'a Mutex<V::State>,
    visitor: V,
    /// Its place in the line, while it has one.
    key: Option<Key>,
}

impl<'a, V: Visitor> Wait<'a, V> {
    pub(crate) fn new(state: &'a Mutex<V::State>, visitor: V) -> Self {
        Wait { state, visitor, key: None }
    }
}

impl<V: Visitor + Unpin> Future for Wait<'_, V> {
    type Output = V::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<V::Output> {
        let this = &mut *self;
        poll(this.state, &mut this.visitor, &mut this.key, cx)
    }
}

impl<V: Visitor> Drop for Wait<'_, V> {
    #[inline]
    fn drop(&mut self) {
        if self.key.is_some() {
            leave(self.state, &mut self.visitor, &mut self.key);
        }
    }
}
