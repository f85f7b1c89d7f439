//! Where a node stands in the tree.

#![expect(unsafe_code, reason = "what the cells of once_cell have beside the value takes as much memory as the value")]

use std::cell::UnsafeCell;
use std::mem;
// Those of the standard library in the model, too: it does not know what orders the last look at a place and its end.
use std::sync::atomic::{AtomicU32, Ordering};

use super::annex::Annex;
use super::{Key, LEVELS, Link};
use crate::locals::Values;
use crate::runtime::Runtime;

/// A place in the tree.
pub(crate) struct Place {
    parent: Option<Link>,
    /// The runtime, if this is directly below its root.
    home: Option<Runtime>,
    /// With the runtime that serves everything here, if it is not that of the parent, or on some levels; and with the values of a
    /// task.
    annex: Option<Box<Annex>>,
    /// The number of ancestors.
    depth: u32,
}

/// What a node stands in, in as little memory as a reference to it takes.
enum Around {
    Inside(Link),
    /// The root of the runtime. `None`: it is a root itself, or has no place.
    Outermost(Option<Runtime>),
}

impl Around {
    /// Made at last, where it stays: to move it takes longer than to make it.
    #[inline(always)]
    fn new(parent: Option<Link>, home: Option<Runtime>) -> Self {
        match parent {
            Some(parent) => {
                debug_assert!(home.is_none(), "a place is below a parent, or at home");
                // There is none, and so none to be dropped, which the compiler would look for.
                mem::forget(home);
                Around::Inside(parent)
            }
            None => Around::Outermost(home),
        }
    }
}

impl Place {
    pub(super) fn of_root() -> Self {
        Place { parent: None, home: None, annex: None, depth: 0 }
    }

    /// A place in the runtime of `parent`.
    #[inline]
    pub(crate) fn inside(parent: Link) -> Self {
        let depth = parent.depth() + 1;
        let annex = if depth % LEVELS == 1 { Annex::of_level(&*parent) } else { None };
        Place { parent: Some(parent), home: None, annex, depth }
    }

    /// A place in `runtime`, in no scope. The root is not counted there: the runtime keeps it.
    #[inline]
    pub(crate) fn at_home(runtime: Runtime) -> Self {
        match runtime.main() {
            Some(main) => Place::below(main, runtime),
            None => Place { parent: None, home: Some(runtime), annex: None, depth: 1 },
        }
    }

    /// With the values that are in effect in the task there.
    #[inline(always)]
    pub(crate) fn with_values(mut self, values: Values) -> Self {
        if !values.is_empty() {
            Annex::take_values_in(&mut self.annex, values);
        }
        self
    }

    pub(crate) fn below(parent: Link, runtime: Runtime) -> Self {
        let depth = parent.depth() + 1;
        let is_known = depth % LEVELS != 1 && parent.try_runtime().is_some_and(|known| known.is_equal(&runtime));
        let annex = if is_known { None } else { Some(Annex::of(runtime)) };
        Place { parent: Some(parent), home: None, annex, depth }
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
    fn new(around: Around, depth: u32) -> Self {
        Standing {
            depth: AtomicU32::new(depth),
            key: AtomicU32::new(super::NOT_LISTED),
            around: UnsafeCell::new(around),
        }
    }

    /// That of a node which is given its place when it is made; and what it has to keep beside, if anything.
    #[inline(always)]
    pub(super) fn made(place: Option<Place>) -> (Self, Option<Box<Annex>>) {
        match place {
            Some(Place { parent, home, annex, depth }) => (Standing::new(Around::new(parent, home), depth), annex),
            None => (Standing::new(Around::Outermost(None), NONE), None),
        }
    }

    /// Sets the place; says whether there was none. What the node has to keep beside, if anything, is `kept` before anybody sees
    /// the place.
    #[must_use]
    pub(super) fn set(&self, place: Place, keep: impl FnOnce(Box<Annex>)) -> bool {
        if self.depth.compare_exchange(NONE, BEING_SET, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return false;
        }
        let Place { parent, home, annex, depth } = place;
        if let Some(annex) = annex {
            keep(annex);
        }
        // SAFETY: one thread gets here, once, and nobody looks at the cell before the depth is set. There is nothing in it that
        // would have to be dropped.
        unsafe { self.around.get().write(Around::new(parent, home)) };
        self.depth.store(depth, Ordering::Release);
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
        match self.around()? {
            Around::Inside(parent) => Some(parent),
            Around::Outermost(runtime) => runtime.as_ref().map(Runtime::root),
        }
    }

    /// The runtime, if this is directly below its root; otherwise what it stands in, if there is anything.
    #[inline]
    pub(super) fn runtime_or_parent(&self) -> Result<&Runtime, Option<&Link>> {
        match self.around() {
            Some(Around::Inside(parent)) => Err(Some(parent)),
            Some(Around::Outermost(Some(runtime))) => Ok(runtime),
            Some(Around::Outermost(None)) | None => Err(None),
        }
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
        match mem::replace(self.around.get_mut(), Around::Outermost(None)) {
            Around::Inside(parent) => Some(parent),
            Around::Outermost(_) => None,
        }
    }
}
