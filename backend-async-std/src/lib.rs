//! anyio on [async-std](async_std): the contract of [`anyio_core`] on async-std's global runtime.
//!
//! **Legacy.** async-std was discontinued by its authors ([RUSTSEC-2025-0052]), who recommend smol in its place. This
//! backend lets programs that still stand on async-std use anyio, and then move: anyio behaves the same on smol, so it
//! is a change of one line, from `AsyncStd` to `Smol`. New programs should not start here.
//!
//! Applications use this crate through the feature `async-std` of `anyio`, which is off unless it is named. It has two
//! faces:
//!
//! - [`AsyncStd`], a recipe: `anyio::run` starts it;
//! - [`AsyncStdHandle`], a handle to the global runtime, which needs no start.
//!
//! # What the runtime must have
//!
//! Nothing: the threads for tasks, the timers ([`async_io`]) and the threads for blocking work are global to the
//! process and start at the first use.
//!
//! # Time
//!
//! The clock is the system's. Timers are as exact as the system's and never fire early.
//!
//! # Examples
//!
//! ```
//! use std::pin::pin;
//!
//! use anyio_backend_async_std::AsyncStd;
//! use anyio_core::Run;
//!
//! let runtime = Box::new(AsyncStd::global()).start()?;
//! runtime.block_on(pin!(async {
//!     async_std::task::yield_now().await; // inside async-std
//! }));
//! # Ok::<(), anyio_core::StartError>(())
//! ```
//!
//! [RUSTSEC-2025-0052]: https://rustsec.org/advisories/RUSTSEC-2025-0052

mod backend;
mod run;
mod timer;

pub use backend::AsyncStdHandle;
pub use run::AsyncStd;
