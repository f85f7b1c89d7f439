//! Entering a runtime: [`run`], [`block_on`], [`enter`].

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use anyio_core::{Backend, BlockOn, Run, StartError};
use pin_project_lite::pin_project;

use crate::context;
use crate::detect;
use crate::from_thread::host;
use crate::runtime::{NoBackend, Runtime};
use crate::task_group::TaskId;
use crate::tree::{Ext, Link, Node, Role};
use crate::unit::{End, Unit};

/// A future could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The call was made from inside a future that anyio is polling, or where the runtime cannot be entered.
    #[error(
        "anyio::run was called inside a running async task, whose thread it would block: await the future instead, or \
         call run from a plain thread or from spawn_blocking"
    )]
    Nested,
    /// The runtime could not be built.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no backend to run on.
    #[error(transparent)]
    NoBackend(#[from] NoBackend),
}

/// Starts a runtime, runs `future` on it to its end, waits for whatever is left in it, and shuts the runtime down.
///
/// When the future is done, everything that still lives in the run is cancelled and waited for: tasks of groups that
/// were dropped by foreign code, owned groups, futures that were forgotten. Protected clean-ups are waited for and not
/// cancelled. **No task outlives the call.** Then a panic of the future is resumed.
///
/// The future need be neither `Send` nor `'static`.
///
/// # Panics
///
/// With the text of [`RunError`] where [`try_run`] returns it, and with the panic of `future`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "tokio")] {
/// let answer = anyio::run(anyio::Tokio::current_thread(), async { 42 });
/// assert_eq!(answer, 42);
/// # }
/// ```
pub fn run<F: Future>(backend: impl Run + 'static, future: F) -> F::Output {
    try_run(backend, future).unwrap_or_else(|error| panic!("{error}"))
}

/// [`run`] with an error where the runtime cannot be started or entered.
///
/// # Errors
///
/// [`RunError::Nested`] inside a future of anyio's, and on threads where the runtime cannot be entered;
/// [`RunError::Start`] when the runtime cannot be built.
///
/// # Panics
///
/// With the panic of `future`.
pub fn try_run<F: Future>(backend: impl Run + 'static, future: F) -> Result<F::Output, RunError> {
    if context::is_inside() {
        return Err(RunError::Nested);
    }
    let started = Box::new(backend).start()?;
    let runtime = Runtime::from_backend(started.backend());
    let beside = Beside { started: Some(started), runtime: runtime.clone() };
    run_on(beside.started.as_deref().expect("it is there"), runtime, true, future)
}

/// A runtime that is shut down when this is dropped, and does not wait for jobs that were abandoned.
struct Beside {
    started: Option<Box<dyn BlockOn>>,
    runtime: Runtime,
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(started) = self.started.take().filter(|_| self.runtime.has_abandonable_jobs()) {
            started.shut_down_beside_jobs();
        }
    }
}

/// Runs `future`; `owns` says whether the runtime was started for it alone.
fn run_on<F: Future>(started: &dyn BlockOn, runtime: Runtime, owns: bool, future: F) -> Result<F::Output, RunError> {
    let main = Main {
        unit: Unit::new(Node::new(Role::Run, MainTask(TaskId::next()))),
        body: Some(future),
        end: None,
        runtime,
        owns,
    };
    let mut main = pin!(main);
    let mut output = None;
    let mut polled = false;
    // Whatever job this thread runs, what the runtime polls here does not belong to it.
    let _host = host::enter(None);
    let _inside = Inside::enter();
    let entered = catch_unwind(AssertUnwindSafe(|| {
        let driver = async {
            polled = true;
            output = Some(main.as_mut().await);
        };
        started.block_on(pin!(driver));
    }));
    match (entered, output) {
        (Ok(()), Some(output)) => Ok(output.unwrap_or_else(|payload| resume_unwind(payload))),
        (Err(payload), _) if polled => resume_unwind(payload),
        _ => Err(RunError::Nested),
    }
}

thread_local! {
    /// How many runs this thread is inside of.
    static RUNS: Cell<usize> = const { Cell::new(0) };
}

/// While it lives this thread may poll tasks.
struct Inside;

impl Inside {
    fn enter() -> Self {
        let _ = RUNS.try_with(|runs| runs.set(runs.get() + 1));
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = RUNS.try_with(|runs| runs.set(runs.get() - 1));
    }
}

/// Whether the current thread may wait for async code: it is not polling a task, as far as that can be told.
pub(crate) fn may_wait() -> bool {
    let inside = RUNS.try_with(Cell::get).unwrap_or_default() > 0;
    !inside && !context::is_inside() && !detect::in_task() && detect::may_block()
}

/// Runs `future` to its end on the runtime that [`Runtime::current`] finds, blocking the current thread.
///
/// For tests, examples and small programs on smol's global executor, for programs that have nominated a default, and
/// for plain and blocking threads that have a runtime around them. What is left in it at the end is cancelled and waited
/// for as in [`run`]. The runtime itself goes on. Its [hook](Runtime::with_hook) and its [patience](Runtime::with_patience)
/// are in effect here too.
///
/// # Panics
///
/// Where there is no runtime, and where the thread must not be blocked: inside a future that anyio or tokio is polling;
/// and with the panic of `future`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// assert_eq!(anyio::block_on(async { 1 + 1 }), 2);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let started = Parked::here().unwrap_or_else(|error| panic!("{error}"));
    run_on(&started, started.0.anew(), false, future).unwrap_or_else(|error| panic!("{error}"))
}

/// A runtime whose threads are its own; this one only waits.
struct Parked(Runtime);

impl Parked {
    fn here() -> Result<Self, RunError> {
        if context::is_inside() || !detect::may_block() {
            return Err(RunError::Nested);
        }
        Ok(Parked(Runtime::current()?))
    }
}

impl BlockOn for Parked {
    fn backend(&self) -> Arc<dyn Backend> {
        self.0.backend().clone()
    }

    fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        host::block_on_in(&self.0, future);
    }
}

/// The main future of a run is a task like any other, as far as limiters are concerned.
struct MainTask(TaskId);

impl Ext for MainTask {
    fn known(&self) -> &dyn Any {
        self
    }

    fn task(&self) -> Option<TaskId> {
        Some(self.0)
    }
}

pin_project! {
    /// The main future of a run: its body, then the barrier.
    struct Main<F: Future> {
        unit: Unit,
        #[pin]
        body: Option<F>,
        end: Option<End<F::Output>>,
        runtime: Runtime,
        // Whether the runtime was started for this future alone.
        owns: bool,
    }
}

impl<F: Future> Future for Main<F> {
    type Output = std::thread::Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !this.unit.is_entered() {
            let main: &Link = this.unit.link();
            main.link_in(this.runtime.root().clone(), this.runtime.clone());
            this.runtime.set_main(main);
            if *this.owns {
                detect::adopt(this.runtime);
            }
        }
        if this.end.is_none() {
            *this.end = Some(ready!(this.unit.poll_body(this.body, cx)));
            this.unit.begin_exit();
        }
        ready!(this.unit.poll_closed(cx));
        let values = this.runtime.values();
        while let Some(value) = values.pop() {
            let dropped = this.unit.inside(|| drop(value));
            dropped.unwrap_or_else(|payload| this.unit.report_panic(payload));
        }
        this.unit.finish();
        Poll::Ready(match this.end.take() {
            Some(End::Value(value)) => Ok(value),
            Some(End::Panicked(payload)) => Err(payload),
            Some(End::Cut) | None => unreachable!("the main future of a run is cancelled by nobody"),
        })
    }
}

/// Runs `future` on `runtime` wherever it is polled: under a foreign executor, or one that anyio cannot detect.
///
/// Inside, task groups spawn on `runtime`, and deadlines are on its clock. The future is linked at the top of the
/// runtime, so scopes and timeouts around `enter` do not cancel what it has spawned other than by dropping it.
///
/// # Cancel safety
///
/// Dropping it drops `future`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")] {
/// use anyio::{Runtime, SmolHandle};
///
/// let runtime = Runtime::new(SmolHandle::global());
/// let name = futures::executor::block_on(anyio::enter(runtime, async {
///     Runtime::current().unwrap().name()
/// }));
/// assert_eq!(name, "smol");
/// # }
/// ```
pub fn enter<F: Future>(runtime: Runtime, future: F) -> Enter<F> {
    Enter { unit: Unit::new(Node::new(Role::Leaf, ())), runtime, future: Some(future) }
}

pin_project! {
    /// The future returned by [`enter`].
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Enter<F> {
        unit: Unit,
        runtime: Runtime,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Enter<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.unit.abandon(this.future);
        }
    }
}

impl<F: Future> Future for Enter<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if !this.unit.is_entered() {
            this.unit.enter_in(this.runtime);
        }
        let value = ready!(this.unit.poll_plain(this.future, cx));
        this.unit.finish();
        Poll::Ready(value)
    }
}

impl<F> fmt::Debug for Enter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enter").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}
