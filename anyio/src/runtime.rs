//! [`Runtime`]: a handle to the backend in use.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use anyio_core::Backend;
use parking_lot::RwLock;

use crate::carrier::{Carriers, Employed};
use crate::context;
use crate::detect;
use crate::locals::RunValues;
use crate::reminder::BackendId;
use crate::sleepers::Sleepers;
use crate::sync::CapacityLimiter;
use crate::tree::{Ext, Link, Node, Stalls, erase};
use crate::unhandled::{self, Hook, Unhandled};
use crate::until::{Notify, Until};

/// A cheap, cloneable handle to a runtime, through which task groups and scopes use it.
///
/// Most programs never name it: [`task_group`](crate::task_group()), [`timeout`](crate::timeout()) and their like find
/// the runtime they are in. It is for handing a runtime to code that runs elsewhere ([`enter`](crate::enter)), for
/// nominating a default ([`set_default`]) and for settings that belong to one runtime.
///
/// # Which runtime is used
///
/// The first that applies:
///
/// 1. the one given explicitly: to [`run`](crate::run), to [`enter`](crate::enter), or the one a group was opened with;
/// 2. the one of the scope, group or task that is being polled;
/// 3. the runtime that the current thread is inside: tokio's `Handle::try_current`, async-std's current task (each
///    where the feature makes that backend available);
/// 4. the one that has started the job in this thread: see [`to_thread`](crate::to_thread);
/// 5. the default nominated by the application with [`set_default`];
/// 6. smol, where its feature makes it available: its global executor can be used from anywhere.
///
/// Features make backends *available*; they never choose one.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")] {
/// use anyio::Runtime;
///
/// anyio::block_on(async {
///     let runtime = Runtime::current().unwrap();
///     assert_eq!(runtime.name(), "smol");
/// });
/// # }
/// ```
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    backend: Arc<dyn Backend>,
    /// That of the backend, which is asked for with each timeout.
    backend_id: BackendId,
    /// Whether its clock is the system's, which is read without a way round.
    is_always_real: bool,
    /// Those who sleep, if it is.
    sleepers: Option<Arc<Sleepers>>,
    /// What polls the tasks of groups, if the backend leaves that to anyio.
    carriers: Arc<Employed>,
    /// Counts whatever lives in no scope; lists nothing and cannot be cancelled.
    root: Link,
    /// The main future, if this runtime was entered by [`run`](crate::run).
    main: Arc<OnceLock<Weak<Node>>>,
    hook: Option<Hook>,
    patience: Duration,
    /// The cancelled units that wait, each for `patience`.
    stalls: Arc<Stalls>,
    /// The values of [`RunVar`](crate::RunVar)s.
    values: Arc<RunValues>,
    /// What bounds [`to_thread::run`](crate::to_thread::run).
    threads: CapacityLimiter,
    /// What bounds [`to_thread::run_cpu`](crate::to_thread::run_cpu), where the machine's cores do not.
    cores: CapacityLimiter,
    /// How many jobs run, or wait to, that may be abandoned. Nothing else is ordered by it.
    abandonable: Arc<AtomicUsize>,
    /// Notified when nothing is live below the root.
    idle: Arc<Idle>,
}

/// That nothing is live below the root, for those who wait for it.
struct Idle {
    reached: Notify,
    /// Whether anybody has ever waited for it. Set before the root is looked at, under its lock, and read after that was
    /// changed, under the same lock: whoever finds something live there is told.
    is_awaited: AtomicBool,
}

/// There is no runtime to run on: neither is the current thread inside one that anyio knows, nor was a default
/// nominated, nor is smol compiled in.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoBackend {
    /// Nothing was found.
    #[error(
        "no async runtime found: enable one of anyio's features \"tokio\" or \"smol\" and call this inside that \
         runtime, or start one with anyio::run, hand one in with anyio::enter, or nominate one with anyio::set_default"
    )]
    NotFound,
    /// A runtime was found that cannot be used as it was built.
    #[error("the async runtime cannot be used: {0}")]
    Unusable(String),
}

struct RootExt {
    idle: Arc<Idle>,
}

impl Ext for RootExt {
    fn known(&self) -> &dyn Any {
        self
    }

    fn emptied(&self, _node: &Link) {
        if self.idle.is_awaited.load(Ordering::Relaxed) {
            self.idle.reached.notify_all();
        }
    }
}

/// The runtime nominated by the application.
static DEFAULT: RwLock<Option<Runtime>> = RwLock::new(None);

/// Nominates the runtime that is used where none is to be found otherwise: see [`Runtime`] for the order.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")] {
/// anyio::set_default(anyio::Runtime::new(anyio::SmolHandle::global()));
/// # }
/// ```
pub fn set_default(runtime: Runtime) {
    // What is replaced may run anything as it is dropped, so not under the lock.
    let old = DEFAULT.write().replace(runtime);
    drop(old);
}

pub(crate) fn default() -> Option<Runtime> {
    DEFAULT.read().clone()
}

impl Runtime {
    /// A handle to the runtime behind `backend`.
    ///
    /// It has a root of its own: what is spawned through it is waited for by its own [`quiesce`](Runtime::quiesce).
    pub fn new(backend: impl Backend) -> Self {
        Self::from_backend(Arc::new(backend))
    }

    /// [`new`](Runtime::new) for a backend that is shared already.
    #[must_use]
    pub fn from_backend(backend: Arc<dyn Backend>) -> Self {
        let idle = Arc::new(Idle { reached: Notify::new(), is_awaited: AtomicBool::new(false) });
        Runtime(Arc::new(Inner {
            carriers: Arc::new(Employed::by(&*backend)),
            backend_id: BackendId::of(&backend),
            is_always_real: backend.is_always_real(),
            sleepers: backend.is_always_real().then(Arc::default),
            backend,
            root: erase(&Node::root(RootExt { idle: idle.clone() })),
            main: Arc::default(),
            hook: None,
            patience: Duration::from_secs(10),
            stalls: Stalls::new(),
            values: Arc::default(),
            threads: CapacityLimiter::new(40),
            cores: CapacityLimiter::new(4),
            abandonable: Arc::default(),
            idle,
        }))
    }

    /// The runtime in use here, found in the order given [above](Runtime#which-runtime-is-used).
    ///
    /// # Errors
    ///
    /// [`NoBackend`], when there is none, or when the one around was built without timers or I/O.
    pub fn current() -> Result<Self, NoBackend> {
        Self::with_current(Runtime::clone)
    }

    /// Looks at the runtime in use here. `look` must not call into anyio.
    #[inline]
    pub(crate) fn with_current<R>(look: impl FnOnce(&Runtime) -> R) -> Result<R, NoBackend> {
        let mut look = Some(look);
        let mut look = |runtime: &Runtime| look.take().expect("called once")(runtime);
        if let Some(result) = context::peek(|link| link.and_then(|link| link.try_runtime()).map(&mut look)) {
            return Ok(result);
        }
        detect::with_ambient(look)
    }

    /// The same runtime with a hook of its own for unhandled outcomes (see
    /// [`set_unhandled_hook`](crate::set_unhandled_hook)), for what is run through the handle that this returns.
    #[must_use]
    pub fn with_hook(self, hook: impl Fn(Unhandled) + Send + Sync + 'static) -> Self {
        self.rebuilt(|inner| inner.hook = Some(Arc::new(hook)))
    }

    /// The same runtime, with `patience` as the time after which the hook hears of a cancelled scope that still waits
    /// for a shield or a clean-up inside it (the default is 10 s), for what is run through the handle that this returns.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        self.rebuilt(|inner| inner.patience = patience)
    }

    /// The same runtime, with each task of a group as a task of the backend's own, for what is run through the handle that
    /// this returns.
    ///
    /// Unless a backend says otherwise ([`Sharing`](anyio_core::Sharing)), and those of tokio, smol and async-std do, the
    /// tasks of groups are polled within few tasks of the backend. That is faster and takes less memory, and it changes
    /// nothing in what anyio promises. But what the runtime itself knows of its tasks one by one is lost: on tokio, tasks
    /// of groups do not appear in tokio-console and in its metrics, and `tokio::task::id()` is that of whatever task of
    /// tokio's polls them at the time. Code that needs that is run through such a handle.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "tokio")]
    /// # anyio::run(anyio::Tokio::default(), async {
    /// use anyio::Runtime;
    ///
    /// let native = Runtime::current().unwrap().with_native_tasks();
    /// let ids = anyio::task_group(async |tg| {
    ///     let ids = [tg.spawn(async { tokio::task::id() }), tg.spawn(async { tokio::task::id() })];
    ///     let [first, second] = ids;
    ///     (first.value().await, second.value().await)
    /// });
    /// let (first, second) = anyio::enter(native, ids).await.unwrap();
    /// assert_ne!(first, second);
    /// # });
    /// ```
    #[must_use]
    pub fn with_native_tasks(self) -> Self {
        self.rebuilt(|inner| inner.carriers = Arc::new(Employed::nobody()))
    }

    /// A runtime of its own on the same backend, with the settings of this one.
    pub(crate) fn anew(&self) -> Self {
        let (hook, patience) = (self.0.hook.clone(), self.0.patience);
        Self::from_backend(self.0.backend.clone()).rebuilt(|inner| {
            inner.carriers = self.0.carriers.clone();
            inner.sleepers = self.0.sleepers.clone();
            inner.hook = hook;
            inner.patience = patience;
        })
    }

    fn rebuilt(self, edit: impl FnOnce(&mut Inner)) -> Self {
        let old = &self.0;
        let mut inner = Inner {
            backend: old.backend.clone(),
            backend_id: old.backend_id,
            is_always_real: old.is_always_real,
            sleepers: old.sleepers.clone(),
            carriers: old.carriers.clone(),
            root: old.root.clone(),
            main: old.main.clone(),
            hook: old.hook.clone(),
            patience: old.patience,
            stalls: Stalls::new(),
            values: old.values.clone(),
            threads: old.threads.clone(),
            cores: old.cores.clone(),
            abandonable: old.abandonable.clone(),
            idle: old.idle.clone(),
        };
        edit(&mut inner);
        Runtime(Arc::new(inner))
    }

    /// The backend's name, such as `"tokio"`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.backend.name()
    }

    /// The backend behind this handle.
    #[inline]
    #[must_use]
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.0.backend
    }

    #[inline]
    pub(crate) fn backend_id(&self) -> BackendId {
        self.0.backend_id
    }

    /// What polls the tasks of groups, if it is not the backend.
    #[inline]
    pub(crate) fn carriers(&self) -> Option<&Arc<Carriers>> {
        self.0.carriers.get()
    }

    /// Whether the clock is the system's.
    pub(crate) fn is_always_real(&self) -> bool {
        self.0.is_always_real
    }

    /// Those who sleep here, if the clock is the system's.
    #[inline]
    pub(crate) fn sleepers(&self) -> Option<&Arc<Sleepers>> {
        self.0.sleepers.as_ref()
    }

    /// The time on this runtime's clock, on which all its deadlines are.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Instant {
        if self.0.is_always_real { Instant::now() } else { self.0.backend.now() }
    }

    /// Waits until no task, clean-up or blocking work is left that was started through this handle outside any
    /// [`run`](crate::run), for at most `timeout`; says whether that is so.
    ///
    /// Under a foreign `#[tokio::main]` nothing waits for tasks whose group was dropped by a foreign `select!`; this
    /// does, before the program ends.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use std::time::Duration;
    /// use anyio::{Runtime, SmolHandle};
    ///
    /// let runtime = Runtime::new(SmolHandle::global());
    /// assert!(runtime.quiesce(Duration::from_secs(5)).await);
    /// # });
    /// ```
    pub async fn quiesce(&self, timeout: Duration) -> bool {
        self.0.idle.is_awaited.store(true, Ordering::Relaxed);
        let idle = Until::new(&self.0.idle.reached, || self.0.root.is_empty().then_some(()));
        // A timeout has no tasks of its own, so it does not count in the root that is waited for.
        crate::enter(self.clone(), crate::move_on_after(timeout, idle)).await.is_some()
    }

    pub(crate) fn patience(&self) -> Duration {
        self.0.patience
    }

    pub(crate) fn stalls(&self) -> &Stalls {
        &self.0.stalls
    }

    pub(crate) fn threads(&self) -> &CapacityLimiter {
        &self.0.threads
    }

    pub(crate) fn cores(&self) -> &CapacityLimiter {
        &self.0.cores
    }

    /// Counts a job that may be abandoned, until the guard is dropped.
    pub(crate) fn count_abandonable(&self) -> Abandonable {
        self.0.abandonable.fetch_add(1, Ordering::Relaxed);
        Abandonable(self.0.abandonable.clone())
    }

    pub(crate) fn has_abandonable_jobs(&self) -> bool {
        self.0.abandonable.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn values(&self) -> &RunValues {
        &self.0.values
    }

    pub(crate) fn report(&self, outcome: Unhandled) {
        unhandled::report(self.0.hook.as_ref(), outcome);
    }

    /// The main future of the run that this is, while there is one: what is in no scope stands below it, or else at the root.
    pub(crate) fn main(&self) -> Option<Link> {
        self.0.main.get().and_then(Weak::upgrade).filter(|main| !main.is_gone())
    }

    /// Where futures are linked that are in no scope.
    pub(crate) fn home(&self) -> Link {
        self.main().unwrap_or_else(|| self.root().clone())
    }

    /// Whether it is the same handle, with the same settings.
    pub(crate) fn is_equal(&self, other: &Runtime) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether it is the same runtime, whatever the settings of the handles.
    pub(crate) fn is_same(&self, other: &Runtime) -> bool {
        Arc::ptr_eq(&self.0.root, &other.0.root)
    }

    pub(crate) fn root(&self) -> &Link {
        &self.0.root
    }

    /// Makes `main` the place of whatever is in no scope.
    pub(crate) fn set_main(&self, main: &Link) {
        let fresh = self.0.main.set(Arc::downgrade(main)).is_ok();
        debug_assert!(fresh, "a runtime is run once");
    }

    pub(crate) fn downgrade(&self) -> WeakRuntime {
        WeakRuntime(Arc::downgrade(&self.0))
    }
}

/// A job that may be abandoned, as long as it has not ended.
pub(crate) struct Abandonable(Arc<AtomicUsize>);

impl Drop for Abandonable {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A [`Runtime`] that does not keep its backend alive.
pub(crate) struct WeakRuntime(Weak<Inner>);

impl WeakRuntime {
    pub(crate) fn upgrade(&self) -> Option<Runtime> {
        self.0.upgrade().map(Runtime)
    }

    /// Whether it is gone for good; unlike an [`upgrade`](Self::upgrade), this never drops the last handle.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runtime").field(&self.name()).finish()
    }
}
