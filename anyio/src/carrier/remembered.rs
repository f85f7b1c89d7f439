//! What a thread remembers of the carriers that it has had to do with last, so that no references to it have to be counted
//! anew each time.

use std::cell::Cell;
use std::sync::Arc;
use std::task::Waker;

use super::hands::Home;
use super::{Carriers, Carry, carriers_of};

#[derive(Default)]
struct Remembered {
    /// By which a carrier was called, where one thread polls all: it needs one again when it comes. Kept until then, or until
    /// the carrier is dropped.
    waker: Cell<Option<Waker>>,
    carriers: Cell<Option<(Home, Arc<Carriers>)>>,
}

thread_local! {
    static HERE: Remembered = const { Remembered { waker: Cell::new(None), carriers: Cell::new(None) } };
}

/// Keeps the waker of a carrier that was called in this thread.
#[inline]
pub(super) fn keep(waker: Waker) {
    drop(swap(Some(waker)));
}

/// The waker that was kept, if it wakes whom this one wakes, or else a clone of this one.
#[inline]
pub(super) fn take_or_clone(waker: &Waker) -> Waker {
    swap(None).filter(|kept| kept.will_wake(waker)).unwrap_or_else(|| waker.clone())
}

/// Drops the waker that was kept, as there may be nobody left whom it would wake.
pub(super) fn forget() {
    drop(swap(None));
}

// In the model threads are not threads, and one remembers what belongs to another run.
#[inline]
fn swap(waker: Option<Waker>) -> Option<Waker> {
    if cfg!(anyio_loom) { waker } else { HERE.try_with(|here| here.waker.replace(waker)).unwrap_or_default() }
}

/// The carriers of a task, and at `home` there; to be given back.
#[inline]
pub(super) fn carriers_at(home: Home, task: &dyn Carry) -> Arc<Carriers> {
    let known = HERE.try_with(|here| here.carriers.take()).unwrap_or_default();
    match known {
        Some((known, carriers)) if known == home => carriers,
        _ => carriers_of(task.runtime()).clone(),
    }
}

/// Gives back what was asked for, for the next time.
#[inline]
pub(super) fn give_back(home: Home, carriers: Arc<Carriers>) {
    let old = HERE.try_with(|here| here.carriers.replace(Some((home, carriers))));
    drop(old);
}
