//! The laws of [anyio](https://docs.rs/anyio), as tests that any backend can run against itself.
//!
//! What task groups, cancel scopes and deadlines mean is written down as numbered [laws](LAWS). Every law has cases: plain
//! `pub async fn`s that name no runtime. A backend meets the contract of [`anyio_core`] when all of them hold on it.
//!
//! # Testing a backend
//!
//! Depending on this crate pulls in no runtime. One line in the backend's `tests/conformance.rs` makes a `#[test]` of
//! every case, each with a runtime and a watchdog of its own:
//!
//! ```ignore
//! anyio_conformance::conformance!(my_backend, MyBackend::default());
//! ```
//!
//! The first argument names the flavour in the test output; the second is an expression that makes a recipe
//! ([`anyio_core::Run`]), evaluated once per test.

pub mod cases;
pub mod fixture;
mod laws;
mod macros;
#[cfg(feature = "model")]
pub mod model;
#[doc(hidden)]
pub mod races;
mod run;
mod steps;

include!(concat!(env!("OUT_DIR"), "/list.rs"));

pub use crate::laws::{LAWS, Law};
pub use crate::run::{Case, Outcome, Recipe, check, run_case};
