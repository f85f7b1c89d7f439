//! Where a node stands in the tree.

#![expect(unsafe_code, reason = "what the cells of once_cell have beside the value takes as much memory as the value")]

use std::cell::UnsafeCell;
// Those of the standard library in the model, too: it does not know what orders the last look at a place and its end.
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Key, LEVELS, Link};
use crate::runtime::Runtime;

/// A place in the tree.
pub(crate) struct Place {
    around: Around,
    /// The number of ancestors.
    depth: u32,
}

struct Around {
    /// `None`: this is a root, or directly below that of the `runtime`.
    parent: Option<Link>,
    /// The runtime that serves everything here, if it is not that of the parent, or on some levels.
    runtime: Option<Runtime>,
}

impl Around {
    #[inline]
    fn parent(&self) -> Option<&Link> {
        self.parent.as_ref().or_else(|| self.runtime.as_ref().map(Runtime::root))
    }
}

impl Place {
    pub(super) fn of_root() -> Self {
        Place { around: Around { parent: None, runtime: None }, depth: 0 }
    }

    /// A place in the runtime of `parent`.
    #[inline]
    pub(crate) fn inside(parent: Link) -> Self {
        let depth = parent.depth() + 1;
        let runtime = if depth % LEVELS == 1 { parent.try_runtime().cloned() } else { None };
        Place { around: Around { parent: Some(parent), runtime }, depth }
    }

    /// A place in `runtime`, in no scope. The root is not counted there: the runtime keeps it.
    #[inline]
    pub(crate) fn at_home(runtime: Runtime) -> Self {
        match runtime.main() {
            Some(main) => Place::below(main, runtime),
            None => Place { around: Around { parent: None, runtime: Some(runtime) }, depth: 1 },
        }
    }

    pub(crate) fn below(parent: Link, runtime: Runtime) -> Self {
        let depth = parent.depth() + 1;
        let is_known = depth % LEVELS != 1 && parent.try_runtime().is_some_and(|known| known.is_equal(&runtime));
        Place { around: Around { parent: Some(parent), runtime: (!is_known).then_some(runtime) }, depth }
    }
}

/// The place of a node, which it is given once.
pub(super) struct Standing {
    /// The depth, or one of those below. Stored with Release when the place is there; who has loaded it with Acquire sees that.
    depth: AtomicU32,
    /// Where the parent lists this node; guarded by the parent's lock.
    key: AtomicU32,
    around: UnsafeCell<Around>,
}

/// There is no place yet.
const NONE: u32 = u32::MAX;
/// Somebody is about to set it.
const BEING_SET: u32 = u32::MAX - 1;

// SAFETY: the cell is written by whoever has changed the depth from `NONE` to `BEING_SET`, which is one thread once; and it is
// shared, and never written again, from when the depth is another one. What is shared, and sent where it is dropped, is both
// `Send` and `Sync`.
unsafe impl Send for Standing where Around: Send + Sync {}
// SAFETY: as above.
unsafe impl Sync for Standing where Around: Send + Sync {}

impl Standing {
    #[inline(always)]
    pub(super) fn new(place: Option<Place>) -> Self {
        let none = Place { around: Around { parent: None, runtime: None }, depth: NONE };
        let Place { around, depth } = place.unwrap_or(none);
        Standing {
            depth: AtomicU32::new(depth),
            key: AtomicU32::new(super::NOT_LISTED),
            around: UnsafeCell::new(around),
        }
    }

    /// Sets the place; says whether there was none.
    #[must_use]
    pub(super) fn set(&self, place: Place) -> bool {
        if self.depth.compare_exchange(NONE, BEING_SET, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return false;
        }
        // SAFETY: one thread gets here, once, and nobody looks at the cell before the depth is set. There is nothing in it that
        // would have to be dropped.
        unsafe { self.around.get().write(place.around) };
        self.depth.store(place.depth, Ordering::Release);
        true
    }

    #[inline]
    fn around(&self) -> Option<&Around> {
        if self.depth.load(Ordering::Acquire) >= BEING_SET {
            return None;
        }
        // SAFETY: the place was set, and is not written again but by who has `self` exclusively.
        Some(unsafe { &*self.around.get() })
    }

    #[inline]
    pub(super) fn is_set(&self) -> bool {
        self.around().is_some()
    }

    #[inline]
    pub(super) fn parent(&self) -> Option<&Link> {
        self.around()?.parent()
    }

    #[inline]
    pub(super) fn runtime(&self) -> Option<&Runtime> {
        self.around()?.runtime.as_ref()
    }

    /// The number of ancestors; greater than any if there is no place.
    #[inline]
    pub(super) fn depth(&self) -> u32 {
        self.depth.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn key(&self) -> Key {
        self.key.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_key(&self, key: Key) {
        self.key.store(key, Ordering::Relaxed);
    }

    /// Takes the parent, for destructors.
    #[inline]
    pub(super) fn take_parent(&mut self) -> Option<Link> {
        self.around.get_mut().parent.take()
    }
}
