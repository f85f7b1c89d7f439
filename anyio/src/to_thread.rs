//! From async code onto threads: for what blocks, and for what computes.
//!
//! | what it does | by | at most |
//! |---|---|---|
//! | blocks: files, DNS, a driver without an async version | [`run`], [`try_run`] | 40 at a time in a runtime: [`default_limiter`] |
//! | computes for longer than some 100 µs | [`run_cpu`], [`try_run_cpu`] | one per core in the process: [`cpu_limiter`] |
//!
//! All of them run on the runtime's own threads for blocking work. What bounds them are two limiters apart, so that
//! neither kind can use up the threads of the other: while a disk hangs, there are threads that compute, and while all
//! cores compute, there are threads that wait for the disk. For work that splits itself up over all cores, call rayon
//! inside of one [`run_cpu`].
//!
//! Inside a job, [`from_thread`](crate::from_thread) asks whether the caller was cancelled, and calls back.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::thread;

use crate::context;
use crate::runtime::Runtime;
use crate::sync::{Acquire, Borrower, CapacityLimiter, LimiterToken};
use crate::task_group::{TaskInfo, cancel_branch, job, protect};
use crate::tree::{Link, Node, Role};
use crate::unhandled::Unhandled;
use crate::unit::Unit;

/// Runs `job` on a thread where blocking is allowed, and waits for its value.
///
/// It is Trio's and AnyIO's `to_thread.run_sync`. The wait for a [token](default_limiter) can be cancelled; a job that has
/// begun cannot be stopped, so it is waited for: the scopes around stay where they are until it ends, its value is there,
/// and the cancellation is seen at the next suspension. A job that is worth it asks
/// [`check_cancelled`](crate::from_thread::check_cancelled) now and then. See [`ToThread::abandon_on_cancel`] for not
/// waiting.
///
/// A job that awaits the result of another one, by way of [`from_thread::run`](crate::from_thread::run), keeps its token
/// meanwhile; if there are no others the two wait for each other.
///
/// # Panics
///
/// At the first poll, where there is no runtime; with the panic of `job`. Should the runtime go down before the job has
/// begun, the hook hears of it, and the code that waits is cancelled, as in
/// [`TaskHandle::value`](crate::TaskHandle::value).
///
/// # Cancel safety
///
/// While it waits for a token, nothing has happened. After that, scopes and groups around do not drop it. If foreign code
/// does, the job goes on to its end, and the next scope, group or run around waits for it; its value is lost, a panic goes
/// to the unhandled-outcome hook.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let manifest = anyio::to_thread::run(|| std::fs::read_to_string("Cargo.toml")).await.unwrap();
/// assert!(manifest.contains("anyio"));
/// # });
/// ```
#[track_caller]
pub fn run<F, T>(job: F) -> ToThread<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    ToThread::new(job, |value, _, _| drop(value))
}

/// [`run`] for a job that may fail: when nobody is left to receive the error, it goes to the unhandled-outcome hook.
///
/// # Errors
///
/// That of `job`.
///
/// # Panics
///
/// As [`run`].
///
/// # Cancel safety
///
/// As of [`run`].
#[track_caller]
pub fn try_run<F, T, E>(job: F) -> ToThread<F, Result<T, E>>
where
    F: FnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    ToThread::new(job, report_error)
}

/// [`run`] for a job that computes, of which no more than there are cores run at a time: see [`cpu_limiter`].
///
/// # Panics
///
/// As [`run`].
///
/// # Cancel safety
///
/// As of [`run`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let sum = anyio::to_thread::run_cpu(|| (0..1_000_000_u64).sum::<u64>()).await;
/// assert_eq!(sum, 499_999_500_000);
/// # });
/// ```
#[track_caller]
pub fn run_cpu<F, T>(job: F) -> ToThread<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    run(job).limiter(&cpu_limiter())
}

/// [`run_cpu`] for a job that may fail: when nobody is left to receive the error, it goes to the unhandled-outcome hook.
///
/// # Errors
///
/// That of `job`.
///
/// # Panics
///
/// As [`run`].
///
/// # Cancel safety
///
/// As of [`run`].
#[track_caller]
pub fn try_run_cpu<F, T, E>(job: F) -> ToThread<F, Result<T, E>>
where
    F: FnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    try_run(job).limiter(&cpu_limiter())
}

/// The limiter of [`run`] in the current runtime: at first of 40 tokens, as in Trio and AnyIO.
///
/// # Panics
///
/// Where there is no runtime.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// assert_eq!(anyio::to_thread::default_limiter().total(), 40);
/// anyio::to_thread::default_limiter().set_total(100);
/// # });
/// ```
#[must_use]
pub fn default_limiter() -> CapacityLimiter {
    current().threads().clone()
}

/// The limiter of [`run_cpu`]: one for the whole process, whose runtimes share its cores; at first with as many tokens as
/// [`available_parallelism`](std::thread::available_parallelism) says.
///
/// In the simulator it is one for the simulation, with four tokens at first: what happens there depends neither on the
/// machine nor on what else the process does.
#[must_use]
pub fn cpu_limiter() -> CapacityLimiter {
    let simulated = Runtime::current().ok().filter(|runtime| runtime.backend().settle().is_some());
    if let Some(runtime) = simulated {
        return runtime.cores().clone();
    }
    static CORES: LazyLock<CapacityLimiter> =
        LazyLock::new(|| CapacityLimiter::new(thread::available_parallelism().map_or(1, usize::from)));
    CORES.clone()
}

fn current() -> Runtime {
    Runtime::current().unwrap_or_else(|error| panic!("{error}"))
}

/// The future returned by [`run`] and its like, which may be told more before it is awaited.
#[must_use = "futures do nothing unless they are awaited"]
pub struct ToThread<F, T: Send + 'static> {
    /// Until it begins.
    job: Option<F>,
    lost: Lost<T>,
    settings: Settings,
    waiting: Option<Acquire>,
    running: Option<Running<T>>,
}

struct Settings {
    name: Option<Arc<str>>,
    location: &'static Location<'static>,
    limiter: Option<CapacityLimiter>,
    abandon: bool,
}

/// What is done with a value that nobody will receive.
type Lost<T> = fn(T, &Runtime, &TaskInfo);

fn report_error<T, E: Send + 'static>(result: Result<T, E>, runtime: &Runtime, job: &TaskInfo) {
    if let Err(error) = result {
        runtime.report(Unhandled::failed(Some(job.clone()), error));
    }
}

impl<F, T: Send + 'static> ToThread<F, T> {
    #[track_caller]
    fn new(job: F, lost: Lost<T>) -> Self {
        let settings = Settings { name: None, location: Location::caller(), limiter: None, abandon: false };
        ToThread { job: Some(job), lost, settings, waiting: None, running: None }
    }

    /// Takes the token from `limiter`. Each job borrows one for itself, not for the task.
    pub fn limiter(mut self, limiter: &CapacityLimiter) -> Self {
        self.settings.limiter = Some(limiter.clone());
        self
    }

    /// Names the job, for messages.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// Does not wait for the job when the caller is cancelled or dropped: the thread goes on by itself, and nobody gets
    /// its value.
    ///
    /// While the job is inside [`from_thread::run`](crate::from_thread::run), or another call back, it is part of the
    /// caller's scope: what is called is cancelled with the caller, and waited for.
    ///
    /// Its token goes back when it has truly ended. Its panic, and with [`try_run`] its error, go to the
    /// unhandled-outcome hook. No scope, group or run waits for it, nor does the shutdown of a runtime that was
    /// started by [`run`](crate::run); [`Runtime::quiesce`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use std::{sync::mpsc, time::Duration};
    /// use anyio::{Runtime, move_on_after, to_thread};
    ///
    /// let (go, wait) = mpsc::channel::<()>();
    /// let stuck = to_thread::run(move || wait.recv()).abandon_on_cancel();
    /// assert!(move_on_after(Duration::from_millis(5), stuck).await.is_none());
    /// assert_eq!(to_thread::default_limiter().statistics().borrowed, 1);
    ///
    /// drop(go);
    /// assert!(Runtime::current().unwrap().quiesce(Duration::from_secs(5)).await);
    /// assert_eq!(to_thread::default_limiter().statistics().borrowed, 0);
    /// # });
    /// ```
    pub fn abandon_on_cancel(mut self) -> Self {
        self.settings.abandon = true;
        self
    }
}

impl<F, T> ToThread<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn poll_token(&mut self, cx: &mut Context<'_>) -> Poll<LimiterToken> {
        let limiter = &self.settings.limiter;
        let waiting = self.waiting.get_or_insert_with(|| {
            let limiter = limiter.clone().unwrap_or_else(default_limiter);
            Acquire::new(&limiter, Some(Borrower::new()))
        });
        let token = ready!(Pin::new(waiting).poll(cx));
        self.waiting = None;
        Poll::Ready(token.expect("the borrower is new"))
    }

    fn begin(&mut self, job: F, token: LimiterToken) {
        let runtime = current();
        let info = TaskInfo::new(self.settings.name.clone(), self.settings.location);
        let place = Place::enter(&runtime, !self.settings.abandon);
        let owed = Owed { result: None, lost: self.lost, runtime: runtime.clone(), task: info.clone() };
        let abandonable = self.settings.abandon.then(|| runtime.count_abandonable());
        let work = move || {
            let _held = (token, abandonable);
            owed.of(catch_unwind(AssertUnwindSafe(job)))
        };
        let job = if self.settings.abandon {
            job::abandonable(place.link(), &runtime, info, work)
        } else {
            job::held(place.link(), &runtime, info, work)
        };
        self.running = Some(Running { job, place });
    }
}

impl<F, T> Future for ToThread<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        if this.job.is_some() {
            let token = ready!(this.poll_token(cx));
            if let Some(job) = this.job.take() {
                this.begin(job, token);
            }
        }
        // Lost already: whatever waits for it is cancelled, but something holds it.
        let Some(running) = &mut this.running else {
            return Poll::Pending;
        };
        running.place.0.register(cx);
        let ended = ready!(running.job.poll(cx));
        let info = running.job.handle().info();
        this.running = None;
        match ended {
            Ok(owed) => Poll::Ready(owed.claim().unwrap_or_else(|payload| resume_unwind(payload))),
            Err(error) => {
                cancel_branch("to_thread", "run it in a scope", info, &error);
                Poll::Pending
            }
        }
    }
}

impl<F, T: Send + 'static> Unpin for ToThread<F, T> {}

impl<F, T: Send + 'static> fmt::Debug for ToThread<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("ToThread");
        text.field("name", &self.settings.name).field("location", &self.settings.location);
        text.field("running", &self.running.is_some()).finish_non_exhaustive()
    }
}

/// A job under way. If this is dropped the job goes on; its value is dropped at its end.
struct Running<T: Send + 'static> {
    // Dropped first, so that what the job may still deliver is unwanted before its caller is gone.
    job: protect::Running<Owed<T>>,
    place: Place,
}

/// Where the caller of a job stands, as the job sees it.
struct Place(Unit);

impl Place {
    fn enter(runtime: &Runtime, holds: bool) -> Self {
        let unit = Unit::new(Node::new(Role::Leaf, ()));
        unit.link().set_holding(holds);
        match context::current() {
            Some(caller) => unit.link().link(caller),
            None => unit.enter_in(runtime),
        }
        Place(unit)
    }

    fn link(&self) -> &Link {
        self.0.link()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// The result of a job, which says so if nobody receives it.
struct Owed<T> {
    /// Until it is there, and once it is claimed, there is none.
    result: Option<thread::Result<T>>,
    lost: Lost<T>,
    runtime: Runtime,
    task: TaskInfo,
}

impl<T> Owed<T> {
    fn of(mut self, result: thread::Result<T>) -> Self {
        self.result = Some(result);
        self
    }

    fn claim(mut self) -> thread::Result<T> {
        self.result.take().expect("it is there once the job has ended")
    }
}

impl<T> Drop for Owed<T> {
    fn drop(&mut self) {
        match self.result.take() {
            Some(Ok(value)) => (self.lost)(value, &self.runtime, &self.task),
            Some(Err(payload)) => self.runtime.report(Unhandled::panicked(Some(self.task.clone()), payload)),
            None => {}
        }
    }
}
