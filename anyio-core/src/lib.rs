//! The contract between [anyio](https://docs.rs/anyio) and an async runtime.
//!
//! Task groups, cancel scopes, shields and deadlines are implemented once, in `anyio`, above the few traits of this
//! crate. A runtime that meets them gets all of it; whoever wants to bring anyio to another runtime reads this crate
//! and nothing else.
//!
//! | trait | what stands on it | methods |
//! |---|---|---|
//! | [`Spawn`] | task groups | `spawn` |
//! | [`Checkpoint`] | cancel scopes | `checkpoint` |
//! | [`Clock`], [`Timer`] | deadlines, timeouts, sleeping | `now`, `timer`; `poll`, `reset` |
//! | [`Blocking`] | blocking work | `spawn_blocking` |
//! | [`Backend`] | the sum of these | `name` |
//! | [`Run`], [`BlockOn`] | entering a runtime | `start`; `backend`, `block_on` |
//!
//! Everything else has a default that suits a runtime which runs on real threads in real time. What a runtime for tests
//! may want besides: [`Label`]s of tasks, [`where they wait`](take_waiting), and the ability to [`Settle`].
//!
//! Whether a backend meets the contract is not a matter of belief: the crate `anyio-conformance` runs every law
//! of anyio against it, each as a test of its own.
//!
//! # A complete backend
//!
//! On the thread pool of `futures`, with a thread per sleeping timer to keep it short:
//!
//! ```
#![doc = include_str!("../examples/complete_backend.rs")]
//! ```

mod backend;
mod blocking;
mod cancel_scope;
mod task_group;
mod timeout;
mod waiting;

pub use backend::{Backend, BlockOn, Run, Settle, StartError};
pub use blocking::{Blocking, Job};
pub use cancel_scope::Checkpoint;
pub use task_group::{Label, Labelled, Sharing, Spawn, Task};
pub use timeout::{Clock, Timer};
pub use waiting::{Waiting, note_waiting, take_waiting};
