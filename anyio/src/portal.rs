//! [`BlockingPortal`]: a way in for threads that no runtime knows.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use crate::channel::oneshot;
use crate::from_thread::host;
use crate::reason::Cancelled;
use crate::run::may_wait;
use crate::runtime::Runtime;
use crate::sync::Event;
use crate::task_group::{OwnedTaskGroup, Started, TaskError, protect, task_group};
use crate::tree::Link;
use crate::unit::Entry;

/// Opens a portal, through which other threads call into this place, and runs `body` with it.
///
/// It is AnyIO's `BlockingPortal`. What is called through the portal runs as a task of its own below the place where the
/// portal was opened, and is cancelled with it. A call that panics is its caller's concern and disturbs nobody else.
///
/// When `body` is done, the portal is [stopped](BlockingPortal::stop): it accepts no more calls, those under way are
/// waited for, and then its value is returned. To cancel them instead, call [`cancel`](BlockingPortal::cancel) first.
///
/// # Errors
///
/// [`Cancelled`], when the body, or what was called, was cut short by a scope around.
///
/// # Panics
///
/// At the first poll, where there is no runtime; with the panic of `body`.
///
/// # Cancel safety
///
/// Dropping it cancels `body` and the calls. Their callers are told.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::thread;
///
/// let answer = anyio::portal(async |portal| {
///     let answers = portal.clone();
///     let caller = thread::spawn(move || {
///         let answer = answers.call(async { 42 });
///         answers.stop();
///         answer
///     });
///     portal.stopped().await; // for as long as it is wanted
///     caller.join().unwrap()
/// });
/// assert_eq!(answer.await.unwrap().unwrap(), 42);
/// # });
/// ```
pub fn portal<T, F, B>(body: F) -> impl Future<Output = Result<T, Cancelled>> + use<T, F, B>
where
    F: FnOnce(BlockingPortal) -> B,
    B: Future<Output = T>,
{
    task_group(|tg| async move {
        let calls = OwnedTaskGroup::in_group(&tg);
        let portal = BlockingPortal::new(&calls);
        let stops = StopOnDrop(portal.clone());
        let value = body(portal).await;
        drop(stops);
        // It is cancelled by those who call through it alone; what happens around is the outer group's to tell.
        let _ = calls.close().await;
        value
    })
}

/// A way for threads to call into async code: see [`portal`](crate::portal()).
///
/// Clones are the same portal. It may be kept after the end of the place where it was opened: then it is closed.
///
/// # Which threads may block
///
/// A call that would block the thread of a task is refused as far as that can be told: in whatever anyio polls, in
/// anything that tokio or async-std polls, and on the threads of smol's global executor. The tasks of another executor
/// that anyio did not start cannot be told from plain threads: a call from one of these blocks its thread, for ever if
/// that is the thread that would have to run the call.
#[derive(Clone)]
pub struct BlockingPortal(Arc<Inner>);

struct Inner {
    /// The group of the calls.
    calls: Link,
    runtime: Runtime,
    /// Set with Release before `stopped`; whoever loads `true` with Acquire is refused. A call that was let in just
    /// before is waited for like all others.
    closed: AtomicBool,
    stopped: Event,
}

impl BlockingPortal {
    fn new(calls: &OwnedTaskGroup) -> Self {
        let calls = calls.link();
        let runtime = calls.runtime().clone();
        BlockingPortal(Arc::new(Inner { calls, runtime, closed: AtomicBool::new(false), stopped: Event::new() }))
    }

    /// Runs `future` as a task behind the portal, and blocks the current thread until it is done.
    ///
    /// [Values](crate::ContextVar) that are set in this thread are set there.
    ///
    /// # Errors
    ///
    /// [`PortalError::Closed`] once the portal was stopped; [`PortalError::InsideTask`] on a thread that polls a task, as
    /// far as that can be told; [`PortalError::Cancelled`] when the task was cut short.
    ///
    /// # Panics
    ///
    /// With the panic of `future`.
    #[track_caller]
    pub fn call<F>(&self, future: F) -> Result<F::Output, PortalError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        check()?;
        self.spawn(future).map_err(|_| PortalError::Closed)?.join()
    }

    /// Starts `future` as a task behind the portal; does not block, and may be called anywhere.
    ///
    /// # Errors
    ///
    /// [`PortalClosed`] with the future, once the portal was stopped.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Result<PortalTask<F::Output>, PortalClosed<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.is_closed() {
            return Err(PortalClosed(future));
        }
        let running = protect::spawn_at(&self.0.calls, &self.0.runtime, Location::caller(), future);
        running.map(|running| PortalTask { running, entry: Entry::new() }).map_err(PortalClosed)
    }

    /// Starts a task behind the portal and blocks the current thread until the task has called
    /// [`started`](Started::started); gives the value passed to that, and the task, which goes on.
    ///
    /// # Errors
    ///
    /// [`PortalError::NotStarted`] when the task ended, or dropped its token, without that; and those of
    /// [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// With the panic of the task, if that comes before.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")] {
    /// use anyio::{Smol, Started, from_thread};
    ///
    /// let portal = from_thread::start_blocking_portal(Smol::global()).unwrap();
    /// let (port, server) = portal
    ///     .start(async |started: Started<u16>| {
    ///         let _ = started.started(8080);
    ///         anyio::sleep_forever().await
    ///     })
    ///     .unwrap();
    /// assert_eq!(port, 8080);
    /// server.cancel();
    /// assert!(server.join().is_err());
    /// # }
    /// ```
    #[track_caller]
    pub fn start<V, F, B>(&self, task: F) -> Result<(V, PortalTask<()>), PortalError>
    where
        F: FnOnce(Started<V>) -> B + Send + 'static,
        B: Future<Output = ()> + Send + 'static,
        V: Send + 'static,
    {
        check()?;
        let (sender, receiver) = oneshot::channel();
        let starting = async move {
            let group = task_group(|tg| async move {
                if let Ok(value) = tg.start(task).await {
                    let _ = sender.send(value);
                }
            });
            // If it was cut short, so is this task, which says so itself.
            let _ = group.await;
        };
        let running = self.spawn(starting).map_err(|_| PortalError::Closed)?;
        match host::block_on(receiver) {
            Ok(value) => Ok((value, running)),
            Err(_) => running.join().and(Err(PortalError::NotStarted)),
        }
    }

    /// Stops the portal: it accepts no more calls, and those under way go on to their end. May be called anywhere;
    /// idempotent.
    pub fn stop(&self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.stopped.set();
    }

    /// [Stops](Self::stop) the portal and cancels the calls that are under way.
    #[track_caller]
    pub fn cancel(&self) {
        self.stop();
        self.0.calls.cancel(Cancelled::requested(None));
    }

    /// Whether the portal accepts no more calls.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire) || self.0.calls.is_closed()
    }

    /// Whether it leads into this runtime.
    pub(crate) fn is_in(&self, runtime: &Runtime) -> bool {
        self.0.runtime.is_same(runtime)
    }

    /// Waits until the portal is stopped.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn stopped(&self) {
        self.0.stopped.wait().await;
    }
}

impl fmt::Debug for BlockingPortal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingPortal").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// Whatever becomes of the body, the portal does not outlive it.
struct StopOnDrop(BlockingPortal);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Whether the current thread may wait for a call.
fn check() -> Result<(), PortalError> {
    if may_wait() { Ok(()) } else { Err(PortalError::InsideTask) }
}

/// A task that was started through a [`BlockingPortal`].
///
/// Dropping this lets the task go on; its value is dropped then, and its panic goes to the unhandled-outcome hook. In
/// async code it may be awaited.
///
/// # Cancel safety
///
/// Dropping the future is dropping this.
#[must_use = "a panic of the task is lost to the hook unless it is joined"]
pub struct PortalTask<T> {
    running: protect::Running<T>,
    /// The beginning of the wait for it.
    entry: Entry,
}

impl<T: Send + 'static> PortalTask<T> {
    /// Blocks the current thread until the task is done, and gives its value.
    ///
    /// # Errors
    ///
    /// [`PortalError::Cancelled`] when the task was cut short; [`PortalError::InsideTask`] on a thread that polls a task,
    /// as far as that can be told: the task goes on then, and its value is lost with this, which is to be awaited there.
    ///
    /// # Panics
    ///
    /// With the panic of the task.
    pub fn join(self) -> Result<T, PortalError> {
        check()?;
        host::block_on(self)
    }

    /// Cancels the task; once it has ended, this does nothing.
    #[track_caller]
    pub fn cancel(&self) {
        self.running.handle().cancel();
    }

    /// Whether it has ended, in whatever way.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.running.handle().is_finished()
    }
}

impl<T: Send + 'static> Future for PortalTask<T> {
    type Output = Result<T, PortalError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.entry.poll(cx));
        let result = ready!(self.running.poll(cx));
        Poll::Ready(result.map_err(|error| match error {
            TaskError::Cancelled(cancelled) => PortalError::Cancelled(cancelled),
            TaskError::OwnHandle => PortalError::InsideTask,
            TaskError::Closed | TaskError::Failed | TaskError::Panicked => PortalError::Closed,
        }))
    }
}

impl<T: Send + 'static> fmt::Debug for PortalTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PortalTask").field(self.running.handle()).finish()
    }
}

/// A call through a [`BlockingPortal`] came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortalError {
    /// The portal was stopped, or the place where it was opened has ended.
    #[error("the portal is closed: it was stopped, or the code that had opened it has ended")]
    Closed,
    /// The current thread polls a task, which the call would block, or which it would wait for itself.
    #[error(
        "called inside an async task, whose thread it would block: await the future itself, or move the call to a thread \
         with anyio::to_thread"
    )]
    InsideTask,
    /// The task was cut short: the portal or the task was cancelled, a scope around it was, or the runtime went down.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The task ended without calling `started`.
    #[error("the task ended without calling started()")]
    NotStarted,
}

/// The portal was closed, so a future could not be started; here it is back.
#[derive(thiserror::Error)]
#[error("the portal is closed: it was stopped, or the code that had opened it has ended")]
#[non_exhaustive]
pub struct PortalClosed<F>(
    /// The future.
    pub F,
);

impl<F> fmt::Debug for PortalClosed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortalClosed(..)")
    }
}
