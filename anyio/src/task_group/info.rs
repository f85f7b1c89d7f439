//! Who a task is.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyio_core::Label;

/// The number of a task, unique within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(u64);

/// How many numbers a thread takes at a time, so that threads that spawn do not wait for each other's.
const BLOCK: u64 = 64;

thread_local! {
    /// The number that this thread gives out next, and where its block ends.
    static BLOCK_LEFT: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

impl TaskId {
    #[inline]
    pub(crate) fn next() -> Self {
        let (next, end) = BLOCK_LEFT.try_with(Cell::get).unwrap_or_default();
        let (next, end) = if next < end { (next, end) } else { Self::next_block() };
        let _ = BLOCK_LEFT.try_with(|left| left.set((next + 1, end)));
        TaskId(next)
    }

    #[cold]
    fn next_block() -> (u64, u64) {
        // Only uniqueness matters, so no order with anything else is needed.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let next = NEXT.fetch_add(BLOCK, Ordering::Relaxed);
        (next, next + BLOCK)
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
    /// What it and its group are called, if either was given a name.
    names: Option<Arc<Names>>,
    location: &'static Location<'static>,
}

/// What the node of a task keeps of it, beside the [`Names`] that few have.
pub(super) struct Badge {
    id: TaskId,
    location: &'static Location<'static>,
}

impl Badge {
    #[inline]
    pub(super) fn id(&self) -> TaskId {
        self.id
    }

    pub(super) fn with(&self, names: Option<&Arc<Names>>) -> TaskInfo {
        TaskInfo { id: self.id, names: names.cloned(), location: self.location }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    task: Option<Arc<str>>,
    group: Option<Arc<str>>,
}

impl Names {
    pub(super) fn task(&self) -> Option<&str> {
        self.task.as_deref()
    }

    #[cold]
    fn in_group(known: Option<Arc<Names>>, group: Option<&Arc<str>>) -> Arc<Self> {
        Arc::new(Names { task: known.and_then(|known| known.task.clone()), group: group.cloned() })
    }
}

impl TaskInfo {
    #[inline(always)]
    pub(crate) fn new(name: Option<Arc<str>>, location: &'static Location<'static>) -> Self {
        let names = name.map(|name| Arc::new(Names { task: Some(name), group: None }));
        TaskInfo { id: TaskId::next(), names, location }
    }

    #[inline(always)]
    pub(super) fn split(self) -> (Badge, Option<Arc<Names>>) {
        let TaskInfo { id, names, location } = self;
        (Badge { id, location }, names)
    }

    /// What a runtime is told of the task, which stands below the one with the number `parent`.
    pub(crate) fn label(&self, parent: Option<TaskId>) -> Label {
        let mut label = Label::new(self.id.0, self.location);
        label.parent = parent.map(|parent| parent.0);
        label.name = self.names().task.clone();
        label.group = self.names().group.clone();
        label
    }

    /// Says what the group of the task is called.
    #[inline(always)]
    pub(crate) fn of_group(self, group: Option<&Arc<str>>) -> Self {
        let TaskInfo { id, mut names, location } = self;
        if group.is_some() || names.is_some() {
            names = Some(Names::in_group(names, group));
        }
        TaskInfo { id, names, location }
    }

    fn names(&self) -> &Names {
        static NONE: Names = Names { task: None, group: None };
        self.names.as_deref().unwrap_or(&NONE)
    }

    /// The task's number.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The name that it was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.names().task()
    }

    /// The [name of its group](crate::GroupBuilder::name), if that was given one.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.names().group.as_deref()
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
        if let Some(name) = self.name() {
            write!(f, " {name:?}")?;
        }
        if let Some(group) = self.group() {
            write!(f, " of {group:?}")?;
        }
        write!(f, " (spawned at {})", self.location)
    }
}
