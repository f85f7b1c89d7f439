//! What a thread remembers of the carriers that it has had to do with last, so that no references have to be counted anew each
//! time: one handle, and one waker, at most, until it has to do with others, or ends.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

use super::hands::Home;
use super::{Carriers, Carry, carriers_of};
use crate::tree::wake;
use crate::unit::discard;

struct Remembered {
    /// Whether carriers are polled here.
    is_theirs: Cell<bool>,
    /// By which one was called last, if they are: it needs a waker again when it comes, as it mostly does in the same thread.
    /// Kept until then, or until one is dropped here, as all are when the runtime goes down.
    waker: Cell<Option<Waker>>,
    carriers: Cell<Option<(Home, Arc<Carriers>)>>,
}

thread_local! {
    static HERE: Remembered = const {
        Remembered { is_theirs: Cell::new(false), waker: Cell::new(None), carriers: Cell::new(None) }
    };
}

/// Calls a carrier.
#[inline]
pub(super) fn call(waker: Waker) {
    if here(|here| here.is_theirs.get()) == Some(true) {
        catch_unwind(AssertUnwindSafe(|| waker.wake_by_ref())).unwrap_or_else(discard);
        drop(here(|here| here.waker.replace(Some(waker))));
    } else {
        wake(Some(waker));
    }
}

/// The waker of the carrier that is polled here with this one: that by which it was called, or a clone.
#[inline]
pub(super) fn waker_of(polled: &Waker) -> Waker {
    let kept = here(|here| {
        here.is_theirs.set(true);
        here.waker.take()
    });
    kept.flatten().filter(|kept| kept.will_wake(polled)).unwrap_or_else(|| polled.clone())
}

/// A carrier is dropped here: there may be nobody left who would be called.
pub(super) fn forget() {
    drop(here(|here| here.waker.take()));
}

/// The carriers of a task, which are at `home` there; to be [given back](give_back).
#[inline]
pub(super) fn carriers_at(home: Home, task: &dyn Carry) -> Arc<Carriers> {
    match here(|here| here.carriers.take()).flatten() {
        Some((known, carriers)) if known == home => carriers,
        _ => carriers_of(task.runtime()).clone(),
    }
}

#[inline]
pub(super) fn give_back(home: Home, carriers: Arc<Carriers>) {
    drop(here(|here| here.carriers.replace(Some((home, carriers)))));
}

/// In the model, whose threads are not threads, there is nothing: it would belong to another run.
#[inline]
fn here<R>(look: impl FnOnce(&Remembered) -> R) -> Option<R> {
    if cfg!(anyio_loom) { None } else { HERE.try_with(look).ok() }
}
