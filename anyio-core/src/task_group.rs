//! What a task group needs of a runtime: [`Spawn`].

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// A unit of work handed to a runtime by [`Spawn::spawn`].
///
/// A task is opaque: its output is `()`, it never panics when it is polled or dropped, and it reports its result, its
/// failure and even the fact that it was dropped early through channels of its own. A runtime only has to poll it.
///
/// # Examples
///
/// ```
/// use anyio_core::Task;
///
/// let task = Task::new(async { println!("hello") });
/// futures::executor::block_on(task);
/// ```
#[must_use = "a task does nothing until a runtime polls it"]
pub struct Task(Pin<Box<dyn Labelled + Send>>);

impl Task {
    /// Wraps a future that never panics.
    pub fn new(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Task(Box::pin(Nameless { future }))
    }

    /// [`new`](Task::new) for a future that can say which task it is.
    pub fn labelled(future: impl Labelled + Send + 'static) -> Self {
        Task(Box::pin(future))
    }

    /// Which task it is, if it can say so: for messages and reports.
    #[must_use]
    pub fn label(&self) -> Option<Label> {
        self.0.label()
    }
}

/// A future that can say which task it is.
///
/// **Callers may** ask at any time between two polls; most runtimes never do.
pub trait Labelled: Future<Output = ()> {
    /// Which task it is.
    fn label(&self) -> Option<Label>;
}

/// Which task it is: what a runtime for tests writes into its reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// The number of the task, unique within the process.
    pub id: u64,
    /// The number of the task that it stands below in the tree of scopes and groups, if it does.
    pub parent: Option<u64>,
    /// The name that it was given.
    pub name: Option<Arc<str>>,
    /// The name of its group, if that was given one.
    pub group: Option<Arc<str>>,
    /// Where it was spawned.
    pub location: &'static Location<'static>,
}

impl Label {
    /// The label of the task number `id`, spawned at `location`, without a name.
    #[must_use]
    pub fn new(id: u64, location: &'static Location<'static>) -> Self {
        Label { id, parent: None, name: None, group: None, location }
    }
}

pin_project! {
    /// A future that cannot say which task it is.
    struct Nameless<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future<Output = ()>> Future for Nameless<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().future.poll(cx)
    }
}

impl<F: Future<Output = ()>> Labelled for Nameless<F> {
    fn label(&self) -> Option<Label> {
        None
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Task(..)")
    }
}

/// What a task group needs of a runtime: the ability to start a task.
///
/// Everything else about tasks (results, failures, cancellation, waiting) is built above this one method.
///
/// **Implementors must**
///
/// - poll the task to completion on some thread of the runtime, exactly one poll at a time, never again after it
///   returned `Ready`, and drop it then, on the thread that polled it last or on any other;
/// - never poll it inside the call;
/// - accept calls from every thread, also from one that the runtime does not know, also from a destructor;
/// - poll it again after every wake of the waker it was polled with, whichever thread woke it;
/// - when the runtime is going down, drop the task, at once inside the call or later. A task that is dropped says so
///   by itself; a task that is leaked leaves its group waiting for ever.
///
/// **Callers may** spawn from anywhere, with no lock held: a runtime that is going down runs the task's destructors
/// inside the call.
///
/// The trap: keeping the handle that the runtime's own spawn function returns. Some runtimes cancel the task when that
/// handle is dropped, so detach it.
pub trait Spawn {
    /// Starts `task`; returns at once.
    fn spawn(&self, task: Task);

    /// Whether tasks of groups may share tasks of the runtime. The default is [`Sharing::Never`].
    fn sharing(&self) -> Sharing {
        Sharing::Never
    }
}

/// Whether many tasks of groups may be polled within few tasks of a runtime, its *carriers*.
///
/// A carried task costs its group one allocation, and no more of the runtime than a carrier's turn: a carrier polls what
/// is ready, for a bounded number of polls, and then gives the others their turn by a
/// [checkpoint](crate::Checkpoint). Carriers are spawned as they are needed; while a carrier is at work and more is
/// ready, another is always on its way, so that a task that blocks its thread holds up itself alone, as far as the runtime
/// has other threads.
///
/// What is lost is what the runtime knows of its tasks one by one: its own numbers, names and measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sharing {
    /// Each task is one of the runtime's: for runtimes that choose which task runs next, such as simulators.
    Never,
    /// They may, and one thread polls all tasks of the runtime.
    OneThread,
    /// They may, and several threads poll tasks of the runtime.
    ManyThreads,
}
