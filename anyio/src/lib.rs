//! Structured concurrency on any async runtime.
//!
//! Write a library against `anyio` once; the application decides which runtime it runs on. Task groups, cancel scopes,
//! shields, deadlines, error groups and start handshakes behave the same everywhere, because they are implemented once,
//! above the small contract of [`anyio_core`].
//!
//! ```
//! # #[cfg(feature = "smol")]
//! # anyio::block_on(async {
//! use std::time::Duration;
//!
//! let sum = anyio::task_group(async |tg| {
//!     let a = tg.spawn(async { anyio::sleep(Duration::from_millis(5)).await; 40 });
//!     let b = tg.spawn(async { 2 });
//!     a.value().await + b.value().await
//! })
//! .await;
//! assert_eq!(sum, Ok(42));
//! # });
//! ```
//!
//! # What is promised
//!
//! - **Tasks never outlive their group.** When [`task_group`] returns, every task in it, and every task below those, has
//!   finished and been dropped. This holds for groups that foreign code drops, and for forgotten ones: the next scope,
//!   group or run around waits for their tasks.
//! - **Errors are never lost.** [`try_task_group`] returns all of them. What nobody is left to receive goes to the
//!   [unhandled-outcome hook](set_unhandled_hook).
//! - **Cancellation is level-triggered.** Once a [`CancelScope`] is cancelled, every suspension inside ends in
//!   cancellation. There is no exception to swallow.
//! - **Clean-ups run.** [`shield`], [`finally`] and [`bracket`] keep what must not be cut short from being cut short.
//! - **Combinators drain.** [`gather`], [`race`] and [their kin](combinators) return when the branches that lost are gone, with
//!   all that was in them.
//! - **Deadlines compose.** [`timeout`]s nest in scopes and groups, and the one that was the cause reports.
//!
//! # What Rust cannot promise
//!
//! A future can be dropped at any suspension by whoever owns it. A foreign `select!` or timeout that drops one of
//! anyio's futures ends shields inside it, and does not wait; anyio cancels what was spawned and waits for it at the next
//! scope around. Foreign operations cannot look at the cancellation before they act: await [`checkpoint`] before one that
//! must not start in vain. `tokio::spawn` inside a group escapes it: see [`TaskGroup::attach`].
//!
//! Those who come from asyncio, Trio, AnyIO or tokio find what they know in [`coming_from`].
//!
//! # Backends
//!
//! | feature | runtime | used when |
//! |---|---|---|
//! | `tokio` | tokio, multi-thread and current-thread | inside a tokio runtime, or by `run(Tokio::…)` |
//! | `smol` | smol, global or owned executor | by `run(Smol::…)`, and where nothing else is found |
//! | `async-std` | async-std, discontinued upstream | inside an async-std task, or by `run(AsyncStd::…)` |
//!
//! Features make backends available and never choose one: see [`Runtime`] for how it is found. No feature changes what
//! another does. Any other runtime can be brought by implementing [`anyio_core`] and shown to be right with the
//! conformance suite.
//!
//! # Testing
//!
//! The feature `testing` adds the module `testing`, a kit for the tests of libraries: streams in memory that fail where
//! they are told to, steps in a given order, cancellation at every suspension. It works on every backend.
//!
//! The feature `sim` adds a simulator: a clock that jumps, schedules that are explored, interruptions wherever something
//! waits. The guide `testing::guide` begins with the first test.

mod branches;
mod cancel_scope;
mod carrier;
pub mod channel;
pub mod combinators;
#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/coming-from.md")]
pub mod coming_from {}
mod context;
mod detect;
mod finally;
pub mod from_thread;
mod future_ext;
mod line;
mod locals;
mod lock;
mod operation;
mod park;
mod portal;
mod reason;
mod reminder;
mod run;
mod runtime;
mod sleepers;
pub mod sync;
mod task_group;
#[cfg(feature = "testing")]
pub mod testing;
mod timeout;
pub mod to_thread;
mod tree;
mod unhandled;
mod unit;
mod until;

#[cfg(feature = "async-std")]
pub use anyio_backend_async_std::{AsyncStd, AsyncStdHandle};
#[cfg(feature = "sim")]
pub use anyio_backend_sim::{Sim, SimHandle};
#[cfg(feature = "smol")]
pub use anyio_backend_smol::{Smol, SmolHandle};
#[cfg(feature = "tokio")]
pub use anyio_backend_tokio::{Tokio, TokioError, TokioHandle};

pub use crate::cancel_scope::{
    Bind, CancelHandle, CancelScope, EffectiveDeadline, Scoped, Shield, cancelled, checkpoint,
    current_effective_deadline, is_cancelled, is_stopping, shield, shield_for, stopping,
};
pub use crate::combinators::{
    AsCompleted, BranchError, RaceError, as_completed, for_each_concurrent, gather, gather_settled, map_concurrent,
    map_concurrent_unordered, race, race_ok, race_staggered, try_for_each_concurrent, try_gather, try_map_concurrent,
    try_map_concurrent_unordered, wait_all, wait_any, wait_first_failure,
};
pub use crate::finally::{AsyncBody, Finally, bracket, finally, finally_detached};
pub use crate::future_ext::FutureExt;
pub use crate::locals::{ContextVar, RunVar, WithValue};
pub use crate::portal::portal;
pub use crate::reason::{CancelReason, Cancelled};
pub use crate::run::{Enter, RunError, block_on, enter, run, try_run};
pub use crate::runtime::{NoBackend, Runtime, set_default};
pub use crate::sync::Event;
pub use crate::task_group::{
    Attached, Failure, FailureKind, Failures, GroupBuilder, GroupClosed, GroupError, GroupFuture, Kind,
    LocalScopedGroup, LocalScopedTaskBuilder, OwnedTaskGroup, PanicPayload, Plain, Protect, ScopedGroup,
    ScopedGroupFuture, ScopedTaskBuilder, Shape, Spawner, StartError, Started, TaskBuilder, TaskError, TaskGroup,
    TaskHandle, TaskId, TaskInfo, TaskStatus, Try, TryTaskGroup, local_scoped_group, protect, scoped_group, task_group,
    try_local_scoped_group, try_scoped_group, try_task_group,
};
pub use crate::timeout::{
    Interval, MissedTicks, MoveOn, Sleep, TimedOut, Timeout, fail_after, fail_at, interval, move_on_after, move_on_at,
    now, sleep, sleep_forever, sleep_until, timeout, timeout_at,
};
pub use crate::unhandled::{Unhandled, set_unhandled_hook};
