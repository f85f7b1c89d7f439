//! anyio on [tokio]: the contract of [`anyio_core`] on a multi-thread or a current-thread runtime.
//!
//! Applications use this crate through the feature `tokio` of `anyio`. It has two faces:
//!
//! - [`Tokio`], a recipe: `anyio::run` builds a runtime from it, and shuts the runtime down at the end;
//! - [`TokioHandle`], a handle to a runtime that exists already: the one around the current code, as under
//!   `#[tokio::main]`, or any other whose [`Handle`](tokio::runtime::Handle) is at hand.
//!
//! # What the runtime must have
//!
//! Timers and I/O. A runtime that was built without them is refused when the handle is made, by a [`TokioError`] that
//! says what to enable, instead of a panic at the first timeout.
//!
//! # Time
//!
//! The clock is that of tokio, also when a test has paused it (`tokio::time::pause`). Timers have tokio's resolution of
//! one millisecond, never fire early, and are not subject to the cooperative budget of the task that polls them.
//!
//! # Examples
//!
//! ```
//! use std::pin::pin;
//!
//! use anyio_backend_tokio::Tokio;
//! use anyio_core::Run;
//!
//! let runtime = Box::new(Tokio::current_thread()).start()?;
//! runtime.block_on(pin!(async {
//!     tokio::task::yield_now().await; // inside tokio
//! }));
//! # Ok::<(), anyio_core::StartError>(())
//! ```

mod backend;
mod run;
mod timer;
mod yielding;

pub use backend::{TokioError, TokioHandle};
pub use run::Tokio;
