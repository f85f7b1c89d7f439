//! Work that nothing cancels, and that still nobody outlives.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use anyio_core::Task;
use parking_lot::Mutex;
use pin_project_lite::pin_project;

use super::error::{Ending, TaskError};
use super::handle::{TaskHandle, cancel_branch};
use super::info::TaskInfo;
use super::record::{InNode, TaskNode, task_node};
use super::spawned::{Owner, Settle, Spawned};
use crate::context;
use crate::runtime::Runtime;
use crate::tree::{Link, Role, Tenure, erase};
use crate::unhandled::Unhandled;
use crate::unit::{Entry, Payload};

/// Runs `future` as a task of its own that no cancellation reaches, and waits for it.
///
/// A [`shield`](crate::shield) ends when the future around it is dropped by foreign code; this does not: from its first
/// poll on, the work goes on whatever becomes of the code that waits for it. It counts in the nearest task group, or in
/// the run, which wait for it before they end.
///
/// # Panics
///
/// At the first poll, where there is no runtime; with the panic of `future`. If nobody waits for it any more, that goes
/// to the unhandled-outcome hook. Should the runtime go down before the work is done, the code that waits for it is
/// cancelled, as in [`TaskHandle::value`].
///
/// # Cancel safety
///
/// The work goes on to its end; its value is lost.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::time::Duration;
///
/// static WRITTEN: AtomicBool = AtomicBool::new(false);
/// anyio::task_group(async |_| {
///     let write = anyio::protect(async {
///         anyio::sleep(Duration::from_millis(20)).await;
///         WRITTEN.store(true, Ordering::Release);
///     });
///     // Whatever drops it: it goes on, and the group waits for it.
///     let _ = anyio::timeout(Duration::from_millis(1), write).await;
/// })
/// .await
/// .unwrap();
/// assert!(WRITTEN.load(Ordering::Acquire));
/// # });
/// ```
#[track_caller]
pub fn protect<F>(future: F) -> Protect<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Protect { future: Some(future), location: Location::caller(), entry: Entry::new(), running: None }
}

pin_project! {
    /// The future returned by [`protect`].
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Protect<F: Future> {
        // Until it is started; never pinned here.
        future: Option<F>,
        location: &'static Location<'static>,
        entry: Entry,
        running: Option<Running<F::Output>>,
    }
}

/// A task that is its caller's alone, such as a protected one, seen by whoever waits for it.
pub(crate) struct Running<T> {
    handle: TaskHandle<T>,
    runtime: Runtime,
    fate: Arc<Mutex<Fate>>,
}

/// What becomes of a panic.
enum Fate {
    /// Somebody waits for the task.
    Awaited,
    Panicked(Payload),
    /// Nobody does.
    Deserted,
}

/// Starts `future` below `place`, or nearest above it where tasks are still accepted. If it is a clean-up, the hook hears
/// of it when the runtime drops it.
pub(crate) fn spawn<F>(
    place: &Link,
    runtime: &Runtime,
    location: &'static Location<'static>,
    clean_up: Option<&'static Location<'static>>,
    future: F,
) -> Running<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let node = task_node(Tenure::Protected, TaskInfo::new(None, location));
    let link = erase(&node);
    link.set_shield(true);
    adopt(place, runtime, &link);
    launch(node, runtime, clean_up, future)
}

/// Starts `future` as a task at `place`, which is cancelled with it; `Err`: that has closed.
pub(crate) fn spawn_at<F>(
    place: &Link,
    runtime: &Runtime,
    location: &'static Location<'static>,
    future: F,
) -> Result<Running<F::Output>, F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let node = task_node(Tenure::Ordinary, TaskInfo::new(None, location));
    match place.adopt(&erase(&node), runtime) {
        Ok(()) => Ok(launch(node, runtime, None, future)),
        Err(_) => Err(future),
    }
}

fn launch<F>(
    node: TaskNode<F::Output>,
    runtime: &Runtime,
    clean_up: Option<&'static Location<'static>>,
    future: F,
) -> Running<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (running, sink) = watch(&node, runtime, clean_up);
    let task = Spawned::new(erase(&node), InNode, future, Ok::<_, Infallible>, sink, Owner::Backend);
    runtime.backend().spawn(Task::labelled(task));
    running
}

/// Both ends of the task whose node is `node`: that of its caller, and that which the task reports to.
pub(super) fn watch<T: Send + 'static>(
    node: &TaskNode<T>,
    runtime: &Runtime,
    clean_up: Option<&'static Location<'static>>,
) -> (Running<T>, Sink) {
    let fate = Arc::new(Mutex::new(Fate::Awaited));
    let sink = Sink { runtime: runtime.clone(), fate: fate.clone(), clean_up };
    (Running { handle: TaskHandle::of_operation(node.clone()), runtime: runtime.clone(), fate }, sink)
}

/// Counts the task in the nearest group that has not closed, else in the run, else at the root, which never closes.
fn adopt(place: &Link, runtime: &Runtime, task: &Link) {
    let mut around = std::iter::successors(Some(place), |link| link.parent());
    let adopted = around.any(|link| {
        let is_home = matches!(link.role(), Role::Group | Role::Owned | Role::Run);
        is_home && link.adopt(task, runtime).is_ok()
    });
    if !adopted {
        runtime.root().adopt(task, runtime).expect("the root never closes");
    }
}

impl<T: Send + 'static> Running<T> {
    /// Waits for the task; resumes its panic.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, TaskError>> {
        let result = ready!(Pin::new(&mut self.handle).poll(cx));
        let fate = std::mem::replace(&mut *self.fate.lock(), Fate::Deserted);
        match fate {
            Fate::Panicked(payload) => resume_unwind(payload),
            Fate::Awaited | Fate::Deserted => Poll::Ready(result),
        }
    }
}

impl<T: Send + 'static> Running<T> {
    /// The task, to be cancelled or asked.
    pub(crate) fn handle(&self) -> &TaskHandle<T> {
        &self.handle
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        let fate = std::mem::replace(&mut *self.fate.lock(), Fate::Deserted);
        if let Fate::Panicked(payload) = fate {
            self.runtime.report(Unhandled::panicked(None, payload));
        }
    }
}

/// Keeps a panic for whoever waits, or hands it to the hook.
pub(super) struct Sink {
    runtime: Runtime,
    fate: Arc<Mutex<Fate>>,
    /// Where it was set up, if it is a clean-up.
    clean_up: Option<&'static Location<'static>>,
}

impl Settle<Infallible> for Sink {
    fn settle(&self, _place: &Link, task: &TaskInfo, ending: Ending<Infallible>) {
        match ending {
            Ending::Panicked(payload) => self.panicked(task, payload),
            Ending::Cut(_) => {
                if let Some(location) = self.clean_up {
                    self.runtime.report(Unhandled::CleanUpSkipped { location });
                }
            }
            Ending::Finished | Ending::Failed(_) => {}
        }
    }
}

impl Sink {
    fn panicked(&self, task: &TaskInfo, payload: Payload) {
        let mut fate = self.fate.lock();
        if matches!(*fate, Fate::Awaited) {
            *fate = Fate::Panicked(payload);
            return;
        }
        drop(fate);
        self.runtime.report(Unhandled::panicked(Some(task.clone()), payload));
    }
}

impl<F> Future for Protect<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        ready!(this.entry.poll(cx));
        if let Some(future) = this.future.take() {
            let runtime = Runtime::current().unwrap_or_else(|error| panic!("{error}"));
            let place = context::current().unwrap_or_else(|| runtime.home());
            *this.running = Some(spawn(&place, &runtime, this.location, None, future));
        }
        // Lost already: whatever waits for it is cancelled, but something holds it.
        let Some(running) = this.running else {
            return Poll::Pending;
        };
        match ready!(running.poll(cx)) {
            Ok(value) => Poll::Ready(value),
            Err(error) => {
                let task = running.handle.info();
                *this.running = None;
                cancel_branch("protect", "run it in a scope", task, &error);
                Poll::Pending
            }
        }
    }
}

impl<F: Future> fmt::Debug for Protect<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protect").field("location", &self.location).finish_non_exhaustive()
    }
}
