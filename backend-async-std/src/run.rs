//! The recipe for running on async-std.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_std::task;

use anyio_core::{Backend, BlockOn, Run, StartError};

use crate::backend::AsyncStdHandle;

/// A recipe for running on async-std: what `anyio::run` takes.
///
/// The default, and the only one, is [`global`](AsyncStd::global). The runtime is never shut down.
///
/// # Examples
///
/// ```
/// use std::pin::pin;
///
/// use anyio_backend_async_std::AsyncStd;
/// use anyio_core::Run;
///
/// let runtime = Box::new(AsyncStd::global()).start()?;
/// runtime.block_on(pin!(async {
///     async_std::task::spawn(async {}).await;
/// }));
/// # Ok::<(), anyio_core::StartError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a recipe does nothing until it is started"]
pub struct AsyncStd {
    /// Leaves room for runtimes that are not global.
    _private: (),
}

impl AsyncStd {
    /// async-std's global runtime, whose tasks run on threads of its own: on one per core, or on as many as the
    /// environment variable `ASYNC_STD_THREAD_COUNT` says.
    pub fn global() -> Self {
        AsyncStd { _private: () }
    }
}

impl Run for AsyncStd {
    fn start(self: Box<Self>) -> Result<Box<dyn BlockOn>, StartError> {
        Ok(Box::new(Started { backend: Arc::new(AsyncStdHandle::global()) }))
    }
}

/// A runtime that was started by [`AsyncStd`].
struct Started {
    /// The handle to it.
    backend: Arc<AsyncStdHandle>,
}

impl BlockOn for Started {
    fn backend(&self) -> Arc<dyn Backend> {
        self.backend.clone()
    }

    fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        task::block_on(future);
    }
}
