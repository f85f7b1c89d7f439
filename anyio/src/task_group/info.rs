//! Who a task is.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyio_core::Label;

/// The number of a task, unique within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(u64);

impl TaskId {
    pub(crate) fn next() -> Self {
        // Only uniqueness matters, so no order with anything else is needed.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        TaskId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who a task is: its number, its name if it was given one, and where it was spawned.
///
/// Its `Display` reads like `task 7 "fetcher" of "ingest" (spawned at src/main.rs:12:8)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskInfo {
    id: TaskId,
    name: Option<Arc<str>>,
    group: Option<Arc<str>>,
    location: &'static Location<'static>,
}

impl TaskInfo {
    pub(crate) fn new(name: Option<Arc<str>>, location: &'static Location<'static>) -> Self {
        TaskInfo { id: TaskId::next(), name, group: None, location }
    }

    /// What a runtime is told of the task, which stands below the one with the number `parent`.
    pub(crate) fn label(&self, parent: Option<TaskId>) -> Label {
        let mut label = Label::new(self.id.0, self.location);
        label.parent = parent.map(|parent| parent.0);
        label.name = self.name.clone();
        label.group = self.group.clone();
        label
    }

    /// Says what the group of the task is called.
    pub(crate) fn of_group(mut self, name: Option<&Arc<str>>) -> Self {
        self.group = name.cloned();
        self
    }

    /// The task's number.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The name that it was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The [name of its group](crate::GroupBuilder::name), if that was given one.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// Where it was spawned.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        if let Some(group) = &self.group {
            write!(f, " of {group:?}")?;
        }
        write!(f, " (spawned at {})", self.location)
    }
}
