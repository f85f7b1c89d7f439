//! What a group was told about how to treat its tasks.

use std::fmt;
use std::sync::Arc;

use super::error::Failure;
use super::limit::Slots;

/// Who hears of failures in place of the group.
pub(crate) type Supervisor<E> = Arc<dyn Fn(Failure<E>) + Send + Sync>;

/// The settings of one group.
pub(crate) struct Settings<E> {
    pub(crate) name: Option<Arc<str>>,
    /// Whether a panic is a failure like any other, instead of being resumed in the host.
    pub(crate) panics_are_errors: bool,
    pub(crate) supervisor: Option<Supervisor<E>>,
    /// For as many tasks as may run at a time.
    pub(crate) slots: Option<Arc<Slots>>,
}

impl<E> Settings<E> {
    /// For tasks that cannot fail: a panic is no error, there being none.
    pub(crate) fn infallible(mut self) -> Self {
        self.panics_are_errors = false;
        self
    }
}

impl<E> Default for Settings<E> {
    fn default() -> Self {
        Settings { name: None, panics_are_errors: false, supervisor: None, slots: None }
    }
}

impl<E> fmt::Debug for Settings<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("name", &self.name)
            .field("panics_are_errors", &self.panics_are_errors)
            .field("supervised", &self.supervisor.is_some())
            .field("slots", &self.slots)
            .finish()
    }
}
