//! A runtime on a thread of its own, reached through a portal.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use anyio_core::Run;

use super::host;
use crate::portal::{BlockingPortal, PortalError, portal};
use crate::run::{RunError, may_wait, try_run};
use crate::runtime::Runtime;
use crate::unhandled::{self, Unhandled};

/// Starts a runtime on a thread of its own, and opens a portal into it, for a program that is not async otherwise.
///
/// It is AnyIO's `start_blocking_portal`. The runtime goes on until what this returns is joined or dropped.
///
/// # Errors
///
/// [`StartPortalError`], when there is no thread to be had, or the runtime cannot be started.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "tokio")] {
/// use std::time::Duration;
/// use anyio::{Tokio, from_thread, sleep};
///
/// let portal = from_thread::start_blocking_portal(Tokio::current_thread()).unwrap();
/// let slow = portal.spawn(async {
///     sleep(Duration::from_millis(5)).await;
///     "slept"
/// });
/// assert_eq!(portal.call(async { 1 + 1 }).unwrap(), 2);
/// assert_eq!(slow.unwrap().join().unwrap(), "slept");
/// portal.join().unwrap();
/// # }
/// ```
pub fn start_blocking_portal(backend: impl Run + Send + 'static) -> Result<PortalThread, StartPortalError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let serve = portal(async move |portal: BlockingPortal| {
        let stopped = portal.clone();
        let _ = sender.send(portal);
        stopped.stopped().await;
    });
    let serve = async move {
        // Whoever calls is a thread that no runtime knows.
        let _outside = Runtime::current().map(|runtime| runtime.backend().follow_real_time());
        serve.await
    };
    let runs = move || try_run(backend, serve).map(|_| ());
    let thread = thread::Builder::new().name("anyio-portal".to_owned()).spawn(runs)?;
    match receiver.recv() {
        Ok(portal) => Ok(PortalThread { portal, thread: Some(thread) }),
        Err(_) => match thread.join() {
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(())) => unreachable!("a run that ends well has opened its portal"),
            Err(payload) => resume_unwind(payload),
        },
    }
}

/// A runtime on a thread of its own: see [`start_blocking_portal`]. It is a [`BlockingPortal`] to that runtime.
///
/// Dropping it stops the portal, waits for the calls under way, and joins the thread; while the current thread is
/// panicking, it cancels the calls. Where waiting is not possible, inside a task or a job of this
/// very runtime, the thread is left to end by itself.
#[must_use = "dropping it stops the runtime"]
pub struct PortalThread {
    portal: BlockingPortal,
    /// Until it is joined.
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

impl PortalThread {
    /// Stops the portal, waits for the calls under way, and for the end of the runtime and its thread. Call
    /// [`cancel`](BlockingPortal::cancel) first to have the calls cancelled.
    ///
    /// # Errors
    ///
    /// [`PortalError::InsideTask`] on a thread that polls a task, which must not wait, and in a job that this very runtime
    /// waits for: the portal is stopped, and the thread ends by itself.
    ///
    /// # Panics
    ///
    /// With the panic of the run, should it panic.
    pub fn join(mut self) -> Result<(), PortalError> {
        self.portal.stop();
        let Some(thread) = self.thread.take().filter(|_| self.may_join()) else {
            return Err(PortalError::InsideTask);
        };
        let ended = thread.join().unwrap_or_else(|payload| resume_unwind(payload));
        debug_assert!(ended.is_ok(), "it had started");
        Ok(())
    }

    /// Whether the current thread may wait for the run, which does not wait for it.
    fn may_join(&self) -> bool {
        may_wait() && !host::runtime().is_some_and(|runtime| self.portal.is_in(&runtime))
    }
}

impl Deref for PortalThread {
    type Target = BlockingPortal;

    fn deref(&self) -> &BlockingPortal {
        &self.portal
    }
}

impl Drop for PortalThread {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        if thread::panicking() {
            self.portal.cancel();
        } else {
            self.portal.stop();
        }
        if self.may_join()
            && let Err(payload) = thread.join()
        {
            unhandled::report(None, Unhandled::panicked(None, payload));
        }
    }
}

impl fmt::Debug for PortalThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalThread").field("portal", &self.portal).finish_non_exhaustive()
    }
}

/// A runtime with a portal could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartPortalError {
    /// There is no thread to be had.
    #[error("no thread can be started for the runtime behind the portal")]
    Thread(#[from] io::Error),
    /// The runtime cannot be started.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The current thread polls a task, which must not wait, or is about to start this very portal.
    #[error(
        "called inside an async task, or while this very portal is being started: open a portal with anyio::portal"
    )]
    InsideTask,
}
