//! The handle through which anyio uses a tokio runtime.

use std::any::TypeId;
use std::io;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::task::Waker;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Id, RuntimeFlavor};

use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Sharing, Spawn, Task, Timer};

use crate::timer::TokioTimer;
use crate::yielding;

/// A tokio runtime that exists already, seen through the contract.
///
/// A handle does not keep the runtime running. Once the runtime has shut down, tasks and jobs that are passed to it are
/// dropped inside the call, and timers that are polled from elsewhere still fire.
///
/// # Examples
///
/// ```
/// use anyio_backend_tokio::TokioHandle;
/// use anyio_core::{Spawn, Task};
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let (sender, receiver) = tokio::sync::oneshot::channel();
///     TokioHandle::current()?.spawn(Task::new(async { sender.send("done").unwrap() }));
///     assert_eq!(receiver.await?, "done");
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TokioHandle {
    /// The runtime in use.
    handle: Handle,
    /// Whether the runtime's clock may ever differ from the system's: tokio pauses clocks of one-thread runtimes only, and
    /// only where it was compiled for tests.
    pausable: bool,
}

impl TokioHandle {
    /// The runtime behind `handle`.
    ///
    /// # Errors
    ///
    /// [`TokioError::NoTime`] and [`TokioError::NoIo`], when the runtime was built without timers or without I/O. tokio
    /// has no question for this, so the handle tries both out; then, and only then, the panic hook sees the panic by
    /// which tokio refuses. (Where panics abort, the refusal aborts.)
    ///
    /// # Examples
    ///
    /// ```
    /// use anyio_backend_tokio::{TokioError, TokioHandle};
    ///
    /// let bare = tokio::runtime::Builder::new_current_thread().build()?;
    /// let error = TokioHandle::new(bare.handle().clone()).unwrap_err();
    /// assert_eq!(error, TokioError::NoTime);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(handle: Handle) -> Result<Self, TokioError> {
        let inside = handle.enter();
        if catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_err() {
            return Err(TokioError::NoTime);
        }
        if catch_unwind(|| drop(open_socket())).is_err() {
            return Err(TokioError::NoIo);
        }
        drop(inside);
        let this = Self::with_all_enabled(handle);
        if !yielding::is_known() {
            this.spawn(Task::new(async {}));
        }
        Ok(this)
    }

    /// The runtime around the current code.
    ///
    /// # Errors
    ///
    /// [`TokioError::NotInRuntime`] where there is none, and the errors of [`new`](Self::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use anyio_backend_tokio::{TokioError, TokioHandle};
    ///
    /// assert_eq!(TokioHandle::current().unwrap_err(), TokioError::NotInRuntime);
    /// ```
    pub fn current() -> Result<Self, TokioError> {
        Handle::try_current().map_err(|_| TokioError::NotInRuntime).and_then(Self::new)
    }

    /// The runtime behind `handle`, which is known to have timers and I/O.
    pub(crate) fn with_all_enabled(handle: Handle) -> Self {
        let pausable = can_pause() && handle.runtime_flavor() != RuntimeFlavor::MultiThread;
        TokioHandle { handle, pausable }
    }

    #[inline(never)]
    fn now_inside(&self) -> Instant {
        let _inside = self.handle.enter();
        tokio::time::Instant::now().into_std()
    }

    /// What tells this runtime from all others that are running.
    #[must_use]
    pub fn id(&self) -> Id {
        self.handle.id()
    }
}

impl Spawn for TokioHandle {
    fn spawn(&self, task: Task) {
        if yielding::is_known() {
            drop(self.handle.spawn(task));
        } else {
            drop(self.handle.spawn(yielding::Learning(task)));
        }
    }

    fn sharing(&self) -> Sharing {
        match self.handle.runtime_flavor() {
            RuntimeFlavor::MultiThread => Sharing::ManyThreads,
            _ => Sharing::OneThread,
        }
    }
}

impl Checkpoint for TokioHandle {
    fn checkpoint(&self, waker: &Waker) {
        yielding::checkpoint(waker);
    }

    fn is_exhausted(&self) -> bool {
        !tokio::task::coop::has_budget_remaining()
    }
}

impl Clock for TokioHandle {
    // tokio looks for the clock in the runtime around, so a clock that may be paused must be entered first.
    #[inline]
    fn now(&self) -> Instant {
        if self.pausable { self.now_inside() } else { Instant::now() }
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        let _inside = self.handle.enter();
        let sleep = tokio::time::sleep_until(deadline.into());
        Box::pin(TokioTimer::new(sleep, self.pausable.then(|| self.clone())))
    }

    fn timer_ahead(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        let _inside = self.handle.enter();
        let sleep = tokio::time::sleep_until(deadline.into());
        Box::pin(TokioTimer::ahead(sleep, self.pausable.then(|| self.clone())))
    }

    fn is_always_real(&self) -> bool {
        !self.pausable
    }

    fn is_virtual(&self) -> bool {
        if !self.pausable {
            return false;
        }
        let before = Instant::now();
        let here = self.now();
        !(before..=Instant::now()).contains(&here)
    }
}

impl Blocking for TokioHandle {
    fn spawn_blocking(&self, job: Job) {
        drop(self.handle.spawn_blocking(job));
    }
}

impl Backend for TokioHandle {
    fn name(&self) -> &'static str {
        "tokio"
    }
}

/// Whether tokio was compiled with its feature `test-util`, without which no clock is ever paused.
///
/// A crate cannot ask for the features of another. But a name that a glob import brings into a block hides one that stands
/// outside of it: so the name below is tokio's where tokio has it, and the one here otherwise.
fn can_pause() -> bool {
    #[allow(dead_code, reason = "hidden where tokio has it")]
    fn resume() -> Absent {
        Absent
    }
    {
        #[allow(unused_imports, reason = "without the feature nothing is used of it")]
        use tokio::time::*;
        !returns_absent(resume)
    }
}

/// What a function returns that stands in for one that does not exist.
struct Absent;

fn returns_absent<R: 'static>(_function: fn() -> R) -> bool {
    TypeId::of::<R>() == TypeId::of::<Absent>()
}

/// A tokio runtime cannot serve as a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokioError {
    /// The call was made outside of any tokio runtime.
    #[error("not inside a tokio runtime: call this from a task of one, or pass its handle to `TokioHandle::new`")]
    NotInRuntime,
    /// The runtime has no timers.
    #[error("the tokio runtime has no timers: call `enable_time` or `enable_all` on its builder")]
    NoTime,
    /// The runtime has no I/O.
    #[error("the tokio runtime has no I/O: call `enable_io` or `enable_all` on its builder")]
    NoIo,
}

/// Registers a socket of no further use with the I/O of the runtime around.
///
/// # Panics
///
/// When that runtime has no I/O.
fn open_socket() -> io::Result<()> {
    #[cfg(unix)]
    tokio::net::UnixDatagram::unbound()?;
    #[cfg(not(unix))]
    {
        let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        tokio::net::UdpSocket::from_std(socket)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tests are compiled with `test-util`; the shape of the question without it is [`returns_absent`]'s alone.
    #[test]
    fn it_is_known_whether_clocks_may_be_paused() {
        assert!(can_pause());
        assert!(returns_absent(|| Absent));
    }
}
