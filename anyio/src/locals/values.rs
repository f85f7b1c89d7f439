//! The values in effect: a list that is never changed, shared by all who were started under it.

use std::any::Any;
use std::cell::Cell;
use std::sync::Arc;

thread_local! {
    /// The values of what is being polled or run in this thread.
    static CURRENT: Cell<Values> = const { Cell::new(Values(None)) };
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
    pub(crate) fn current() -> Self {
        CURRENT
            .try_with(|current| {
                let values = current.take();
                current.set(values.clone());
                values
            })
            .unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Puts these into effect until the guard is dropped. They move out of the slot and back: no reference is counted on
    /// the way.
    pub(crate) fn enter(&mut self) -> Entered<'_> {
        let outer = CURRENT.try_with(|current| current.replace(std::mem::take(self))).unwrap_or_default();
        Entered { slot: self, outer }
    }

    /// Puts `value` into effect, on top of what is, until the guard is dropped.
    ///
    /// These have to be what the same call left before. They are built anew only if something else is around now.
    pub(super) fn enter_on_top(&mut self, key: usize, value: &Shared) -> Entered<'_> {
        let outer = CURRENT.try_with(Cell::take).unwrap_or_default();
        let fits = self.0.as_ref().is_some_and(|set| set.outer.is(&outer));
        let old = (!fits).then(|| {
            let set = Set { key, value: value.clone(), outer: outer.clone() };
            self.0.replace(Arc::new(set))
        });
        let _ = CURRENT.try_with(|current| current.set(std::mem::take(self)));
        let entered = Entered { slot: self, outer };
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

/// Puts back what was in effect before.
#[must_use]
pub(crate) struct Entered<'a> {
    slot: &'a mut Values,
    outer: Values,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let outer = std::mem::take(&mut self.outer);
        if let Ok(inner) = CURRENT.try_with(|current| current.replace(outer)) {
            *self.slot = inner;
        }
    }
}
