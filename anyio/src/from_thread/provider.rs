//! [`BlockingPortalProvider`]: one runtime for all threads that want one.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Weak};
use std::thread::{self, ThreadId};

use anyio_core::Run;
use parking_lot::{Condvar, Mutex};

use super::started::{PortalThread, StartPortalError, start_blocking_portal};
use crate::portal::BlockingPortal;
use crate::run::may_wait;

/// One runtime on a thread of its own that several users share: the first who acquires it starts it, the last who lets
/// go of it stops it.
///
/// It is AnyIO's `BlockingPortalProvider`: for a synchronous library that has async code inside.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")] {
/// use std::thread;
/// use anyio::{Smol, from_thread::BlockingPortalProvider};
///
/// let provider = BlockingPortalProvider::new(Smol::current_thread);
/// thread::scope(|scope| {
///     for _ in 0..3 {
///         scope.spawn(|| {
///             let portal = provider.acquire().unwrap();
///             assert_eq!(portal.call(async { 42 }).unwrap(), 42);
///         });
///     }
/// });
/// assert_eq!(provider.users(), 0);
/// # }
/// ```
pub struct BlockingPortalProvider {
    start: Box<dyn Fn() -> Result<PortalThread, StartPortalError> + Send + Sync>,
    state: Mutex<State>,
    /// Notified when a start is over.
    changed: Condvar,
}

enum State {
    /// It was started. The leases have it: it is gone with the last one.
    Started(Weak<PortalThread>),
    /// This thread is starting it, without the lock.
    Starting(ThreadId),
}

impl BlockingPortalProvider {
    /// A provider that starts what `backend` makes, when it is needed.
    pub fn new<B: Run + Send + 'static>(backend: impl Fn() -> B + Send + Sync + 'static) -> Self {
        BlockingPortalProvider {
            start: Box::new(move || start_blocking_portal(backend())),
            state: Mutex::new(State::Started(Weak::new())),
            changed: Condvar::new(),
        }
    }

    /// The portal, which is started if nobody uses it yet. One that was [stopped](BlockingPortal::stop), or whose runtime
    /// has ended, is left to those who have it, and another is started.
    ///
    /// # Errors
    ///
    /// [`StartPortalError`], when it cannot be started, and where the current thread must not wait for that.
    ///
    /// # Panics
    ///
    /// With a panic of what makes the backend. Others who wait then try themselves.
    pub fn acquire(&self) -> Result<PortalLease<'_>, StartPortalError> {
        if !may_wait() {
            return Err(StartPortalError::InsideTask);
        }
        let mut state = self.state.lock();
        let old = loop {
            match &*state {
                State::Started(portal) => match portal.upgrade() {
                    Some(portal) if !portal.is_closed() => return Ok(PortalLease::new(portal)),
                    old => break old,
                },
                State::Starting(thread) if *thread == thread::current().id() => {
                    return Err(StartPortalError::InsideTask);
                }
                State::Starting(_) => self.changed.wait(&mut state),
            }
        };
        *state = State::Starting(thread::current().id());
        drop(state);
        let mut starting = Starting { provider: self, started: Weak::new() };
        // Should its last user have gone just now, this waits for its end.
        drop(old);
        let portal = Arc::new((self.start)()?);
        starting.started = Arc::downgrade(&portal);
        Ok(PortalLease::new(portal))
    }

    /// How many use the portal now.
    #[must_use]
    pub fn users(&self) -> usize {
        match &*self.state.lock() {
            State::Started(portal) => portal.strong_count(),
            State::Starting(_) => 0,
        }
    }
}

impl fmt::Debug for BlockingPortalProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingPortalProvider").field("users", &self.users()).finish_non_exhaustive()
    }
}

/// A start under way: however it ends, those who wait hear of it.
struct Starting<'a> {
    provider: &'a BlockingPortalProvider,
    started: Weak<PortalThread>,
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        *self.provider.state.lock() = State::Started(mem::take(&mut self.started));
        self.provider.changed.notify_all();
    }
}

/// The use of a [`BlockingPortalProvider`]'s portal, until it is dropped. It is a [`BlockingPortal`].
///
/// Dropping the last one stops the portal, waits for the calls under way, and joins the runtime's thread, as
/// [`PortalThread`] does.
#[must_use = "dropping the last lease stops the runtime"]
pub struct PortalLease<'a> {
    portal: Arc<PortalThread>,
    provider: PhantomData<&'a BlockingPortalProvider>,
}

impl PortalLease<'_> {
    fn new(portal: Arc<PortalThread>) -> Self {
        PortalLease { portal, provider: PhantomData }
    }
}

impl Deref for PortalLease<'_> {
    type Target = BlockingPortal;

    fn deref(&self) -> &BlockingPortal {
        &self.portal
    }
}

impl fmt::Debug for PortalLease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalLease").field("portal", &self.portal).finish_non_exhaustive()
    }
}
