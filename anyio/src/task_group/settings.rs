//! What a group was told about how to treat its tasks.

use std::fmt;
use std::sync::Arc;

use super::error::Failure;
use super::limit::Slots;

/// Who hears of failures in place of the group.
pub(crate) type Supervisor<E> = Arc<dyn Fn(Failure<E>) + Send + Sync>;

/// The settings of one group. Most have none.
pub(crate) struct Settings<E>(Option<Box<Custom<E>>>);

/// Settings that differ from the usual ones.
pub(crate) struct Custom<E> {
    pub(crate) name: Option<Arc<str>>,
    /// Whether a panic is a failure like any other, instead of being resumed in the host.
    pub(crate) panics_are_errors: bool,
    pub(crate) supervisor: Option<Supervisor<E>>,
    /// For as many tasks as may run at a time.
    pub(crate) slots: Option<Arc<Slots>>,
}

impl<E> Settings<E> {
    pub(crate) fn edit(&mut self) -> &mut Custom<E> {
        self.0.get_or_insert_default()
    }

    /// For tasks that cannot fail: a panic is no error, there being none.
    pub(crate) fn infallible(mut self) -> Self {
        if let Some(custom) = &mut self.0 {
            custom.panics_are_errors = false;
        }
        self
    }

    #[inline]
    pub(crate) fn name(&self) -> Option<&Arc<str>> {
        self.0.as_ref()?.name.as_ref()
    }

    pub(crate) fn panics_are_errors(&self) -> bool {
        self.0.as_ref().is_some_and(|custom| custom.panics_are_errors)
    }

    pub(crate) fn supervisor(&self) -> Option<&Supervisor<E>> {
        self.0.as_ref()?.supervisor.as_ref()
    }

    #[inline]
    pub(crate) fn slots(&self) -> Option<&Arc<Slots>> {
        self.0.as_ref()?.slots.as_ref()
    }
}

impl<E> Default for Settings<E> {
    fn default() -> Self {
        Settings(None)
    }
}

impl<E> Default for Custom<E> {
    fn default() -> Self {
        Custom { name: None, panics_are_errors: false, supervisor: None, slots: None }
    }
}

impl<E> fmt::Debug for Settings<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("name", &self.name())
            .field("panics_are_errors", &self.panics_are_errors())
            .field("supervised", &self.supervisor().is_some())
            .field("slots", &self.slots())
            .finish()
    }
}
