//! anyio on [smol]: the contract of [`anyio_core`] on smol's global executor or on an executor of one's own.
//!
//! Applications use this crate through the feature `smol` of `anyio`. It has two faces:
//!
//! - [`Smol`], a recipe: `anyio::run` starts it, and shuts an executor of one's own down at the end;
//! - [`SmolHandle`], a handle to an executor that exists already: the global one, which needs no start, or any other
//!   that the application drives by itself.
//!
//! # What the runtime must have
//!
//! Nothing: the timers ([`async_io`]) and the threads for blocking work ([`blocking`]) are global to the process,
//! start at the first use and serve every executor.
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
//! use anyio_backend_smol::Smol;
//! use anyio_core::Run;
//!
//! let runtime = Box::new(Smol::current_thread()).start()?;
//! runtime.block_on(pin!(async {
//!     smol::future::yield_now().await; // inside smol
//! }));
//! # Ok::<(), anyio_core::StartError>(())
//! ```

mod backend;
mod owned;
mod run;
mod timer;

pub use backend::SmolHandle;
pub use run::Smol;
