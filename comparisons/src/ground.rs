//! Where contenders compete: a runtime, set up once and used by all of them.

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use anyio::{Runtime, SmolHandle};
use smol::{Executor, LocalExecutor, Task};
use tokio::runtime::Builder;

use crate::comparison::Contender;
use crate::measure::Reading;

/// A runtime that contenders share.
#[derive(Clone)]
pub enum Ground {
    /// tokio's current-thread runtime.
    TokioCt(Rc<tokio::runtime::Runtime>),
    /// tokio's multi-thread runtime with two workers.
    TokioMt(Rc<tokio::runtime::Runtime>),
    /// A smol `Executor` that one thread drives.
    Smol(Arc<Executor<'static>>),
    /// A smol `LocalExecutor`; for rivals only: anyio's backend needs an executor that may be shared.
    SmolLocal(Rc<LocalExecutor<'static>>),
    /// smol's global executor, on its one thread.
    SmolGlobal,
    /// async-std.
    AsyncStd,
    /// No runtime: a contender brings what it needs.
    Own,
}

impl fmt::Debug for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Ground {
    /// tokio on one thread.
    ///
    /// # Panics
    ///
    /// If the runtime cannot be built.
    #[must_use]
    pub fn tokio_ct() -> Self {
        Ground::TokioCt(Rc::new(Builder::new_current_thread().enable_all().build().expect("a runtime")))
    }

    /// tokio on two workers.
    ///
    /// # Panics
    ///
    /// If the runtime cannot be built.
    #[must_use]
    pub fn tokio_mt() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Ground::TokioMt(Rc::new(runtime.expect("a runtime")))
    }

    /// Its short name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Ground::TokioCt(_) => "ct",
            Ground::TokioMt(_) => "mt",
            Ground::Smol(_) => "smol",
            Ground::SmolLocal(_) => "smol-local",
            Ground::SmolGlobal => "smol-global",
            Ground::AsyncStd => "async-std",
            Ground::Own => "own",
        }
    }

    /// Whether all happens on the calling thread, which is the one whose allocations are counted.
    #[must_use]
    pub fn is_one_thread(&self) -> bool {
        matches!(self, Ground::TokioCt(_) | Ground::Smol(_) | Ground::SmolLocal(_))
    }

    /// A contender whose rounds find anyio's runtime around them.
    pub fn ours<F, B>(&self, name: &str, round: F) -> Contender
    where
        F: Fn() -> B + Clone + Send + 'static,
        B: Future<Output = Reading> + Send + 'static,
    {
        let runtime = match self {
            Ground::Smol(executor) => Some(Runtime::new(SmolHandle::with_executor(executor))),
            Ground::SmolGlobal => Some(Runtime::new(SmolHandle::global())),
            _ => None, // found by anyio itself
        };
        let ground = self.clone();
        let run = move |rounds| {
            let all = repeated(rounds, round.clone());
            match &runtime {
                Some(runtime) => ground.drive(anyio::enter(runtime.clone(), all)),
                None => ground.drive(all),
            }
        };
        Contender { name: name.to_owned(), run: Box::new(run) }
    }

    /// A contender who knows nothing of anyio.
    pub fn theirs<F, B>(&self, name: &str, round: F) -> Contender
    where
        F: Fn() -> B + Clone + Send + 'static,
        B: Future<Output = Reading> + Send + 'static,
    {
        let ground = self.clone();
        let run = move |rounds| ground.drive(repeated(rounds, round.clone()));
        Contender { name: name.to_owned(), run: Box::new(run) }
    }

    /// A contender whose futures stay on this thread.
    pub fn local<F, B>(&self, name: &str, round: F) -> Contender
    where
        F: Fn() -> B + Clone + 'static,
        B: Future<Output = Reading> + 'static,
    {
        let ground = self.clone();
        let run = move |rounds| ground.drive_local(repeated(rounds, round.clone()));
        Contender { name: name.to_owned(), run: Box::new(run) }
    }

    /// Runs a future to its end, as a task: runtimes poll their main future in another way, and wake it at a higher price.
    ///
    /// # Panics
    ///
    /// With the panic of `future`.
    pub fn drive<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        match self {
            Ground::TokioCt(runtime) | Ground::TokioMt(runtime) => {
                runtime.block_on(async { tokio::spawn(future).await.expect("no round panics") })
            }
            Ground::Smol(executor) => smol::block_on(executor.run(Executor::spawn(executor, future))),
            Ground::SmolLocal(executor) => smol::block_on(executor.run(LocalExecutor::spawn(executor, future))),
            Ground::SmolGlobal => smol::block_on(smol::spawn(future)),
            Ground::AsyncStd => async_std::task::block_on(async_std::task::spawn(future)),
            Ground::Own => smol::block_on(future),
        }
    }

    /// [`drive`](Self::drive) for a future that stays on this thread: a task where that can be had, or else the main future.
    pub fn drive_local<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> T {
        match self {
            Ground::TokioCt(runtime) | Ground::TokioMt(runtime) => runtime.block_on(future),
            Ground::Smol(executor) => smol::block_on(executor.run(future)),
            Ground::SmolLocal(executor) => smol::block_on(executor.run(LocalExecutor::spawn(executor, future))),
            Ground::AsyncStd => async_std::task::block_on(future),
            Ground::SmolGlobal | Ground::Own => smol::block_on(future),
        }
    }
}

/// How large jobs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// As they should be.
    Full,
    /// The longest is shorter.
    Quick,
    /// Next to nothing: to see whether jobs are done at all.
    Tiny,
}

/// One ground of each kind, and how large the jobs are that are done there.
#[derive(Debug)]
pub struct Grounds {
    /// tokio, current-thread.
    pub ct: Ground,
    /// tokio, two workers.
    pub mt: Ground,
    /// A smol `Executor` on one thread.
    pub smol: Ground,
    /// How large jobs are.
    pub scale: Scale,
}

impl Grounds {
    /// Starts the runtimes.
    #[must_use]
    pub fn new(scale: Scale) -> Self {
        let smol = Ground::Smol(Arc::new(Executor::new()));
        Grounds { ct: Ground::tokio_ct(), mt: Ground::tokio_mt(), smol, scale }
    }

    /// The sizes at which a job is done.
    #[must_use]
    pub fn sizes(&self, sizes: &[usize]) -> Vec<usize> {
        match self.scale {
            Scale::Tiny => vec![sizes[0].min(20)],
            Scale::Full | Scale::Quick => sizes.to_vec(),
        }
    }

    /// tokio's two.
    pub fn tokios(&self) -> impl Iterator<Item = &Ground> {
        [&self.ct, &self.mt].into_iter()
    }

    /// The executor of the smol ground.
    ///
    /// # Panics
    ///
    /// Never: [`smol`](Self::smol) is of that kind.
    #[must_use]
    pub fn executor(&self) -> Arc<Executor<'static>> {
        match &self.smol {
            Ground::Smol(executor) => executor.clone(),
            _ => unreachable!("the smol ground has an executor"),
        }
    }
}

/// What smol's executors have in common.
pub trait SmolSpawn: Clone + 'static {
    /// Spawns a task there.
    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static;
}

impl SmolSpawn for Arc<Executor<'static>> {
    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        Executor::spawn(self, future)
    }
}

impl SmolSpawn for Rc<LocalExecutor<'static>> {
    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        LocalExecutor::spawn(self, future)
    }
}

/// [`smol::spawn`].
#[derive(Clone, Copy, Debug)]
pub struct GlobalExecutor;

impl SmolSpawn for GlobalExecutor {
    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        smol::spawn(future)
    }
}

async fn repeated<F, B>(rounds: usize, round: F) -> Vec<Reading>
where
    F: Fn() -> B,
    B: Future<Output = Reading>,
{
    let mut readings = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        readings.push(round().await);
    }
    readings
}
