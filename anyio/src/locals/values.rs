//! The values in effect: a list that is never changed, shared by all who were started under it.

use std::any::Any;
use std::cell::Cell;
use std::sync::Arc;

thread_local! {
    /// The values of what is being polled or run in this thread.
    static CURRENT: Cell<Values> = const { Cell::new(Values(None)) };
    /// Whether there are any. To look at this costs less, since it needs no destructor.
    static ANY: Cell<bool> = const { Cell::new(false) };
}

/// Values that are in effect together. To have none costs nothing.
#[derive(Clone, Default)]
pub(crate) struct Values(Option<Arc<Set>>);

/// One value, set for what is inside.
struct Set {
    key: usize,
    value: Shared,
    /// What was in effect outside.
    outer: Values,
}

pub(crate) type Shared = Arc<dyn Any + Send + Sync>;

impl Values {
    /// Those in effect here.
    #[inline]
    pub(crate) fn current() -> Self {
        if Self::any() { Self::shared() } else { Values::default() }
    }

    #[inline(never)]
    fn shared() -> Self {
        CURRENT
            .try_with(|current| {
                let values = current.take();
                current.set(values.clone());
                values
            })
            .unwrap_or_default()
    }

    /// Whether any are in effect here.
    #[inline]
    pub(crate) fn any() -> bool {
        ANY.get()
    }

    /// Puts these into effect, and takes those that were.
    #[inline]
    fn swap(&mut self) {
        let any = !self.is_empty();
        let swapped = CURRENT.try_with(|current| *self = current.replace(std::mem::take(self)));
        if swapped.is_ok() {
            ANY.set(any);
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Puts these into effect until the guard is dropped. They move out of the slot and back: no reference is counted on
    /// the way.
    #[inline]
    pub(crate) fn enter(&mut self) -> Entered<'_> {
        self.swap();
        Entered { slot: self }
    }

    /// [`enter`](Self::enter), if there are any among these or in effect.
    #[inline]
    pub(crate) fn enter_if_any(&mut self) -> Option<Entered<'_>> {
        (!self.is_empty() || Self::any()).then(|| self.enter())
    }

    /// Puts these into effect; gives those that were, which the caller has to put back.
    #[must_use]
    pub(crate) fn replace(mut self) -> Self {
        self.swap();
        self
    }

    /// Puts `value` into effect, on top of what is, until the guard is dropped.
    ///
    /// These have to be what the same call left before. They are built anew only if something else is around now.
    pub(super) fn enter_on_top(&mut self, key: usize, value: &Shared) -> Entered<'_> {
        let mut outer = Values::default();
        outer.swap();
        let fits = self.0.as_ref().is_some_and(|set| set.outer.is(&outer));
        let old = (!fits).then(|| {
            let set = Set { key, value: value.clone(), outer: outer.clone() };
            self.0.replace(Arc::new(set))
        });
        self.swap();
        *self = outer;
        let entered = Entered { slot: self };
        drop(old);
        entered
    }

    pub(super) fn find(&self, key: usize) -> Option<&Shared> {
        let sets = std::iter::successors(self.0.as_deref(), |set| set.outer.0.as_deref());
        sets.filter(|set| set.key == key).map(|set| &set.value).next()
    }

    fn is(&self, other: &Values) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Drop for Set {
    /// Without recursion: the list may be 100,000 values long.
    fn drop(&mut self) {
        let mut next = self.outer.0.take();
        while let Some(set) = next {
            next = Arc::into_inner(set).and_then(|mut set| set.outer.0.take());
        }
    }
}

/// Puts back what was in effect before, which is in the slot meanwhile.
#[must_use]
pub(crate) struct Entered<'a> {
    slot: &'a mut Values,
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        self.slot.swap();
    }
}
