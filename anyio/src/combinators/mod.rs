//! Combinators: several futures run concurrently in one task, of which nothing is left when they return.
//!
//! | | stops at the first that fails | goes on |
//! |---|---|---|
//! | **waits for all** | [`try_gather`], [`try_map_concurrent`], [`try_for_each_concurrent`] | [`gather`], [`gather_settled`], [`map_concurrent`], [`for_each_concurrent`] |
//! | **takes the first** | [`race`] (to finish), [`wait_any`] | [`race_ok`] (to succeed), [`race_staggered`] |
//! | **hands out each** | [`wait_first_failure`] | [`as_completed`], [`wait_all`] |
//!
//! | here | asyncio | Trio | tokio, futures |
//! |---|---|---|---|
//! | [`gather`] | `gather` of what does not raise | a nursery | `join!`, `join_all` |
//! | [`try_gather`] | `TaskGroup`; `gather` | a nursery | `try_join!`, `try_join_all` |
//! | [`gather_settled`] | `gather(return_exceptions=True)` | | `join_all` of join handles |
//! | [`race`] | `wait(FIRST_COMPLETED)` and cancel | a nursery that is cancelled | `select!`, `select_all` |
//! | [`race_ok`] | | | `select_ok` |
//! | [`race_staggered`] | `staggered_race`, happy eyeballs | `open_tcp_stream` | |
//! | [`wait_any`] | `wait(FIRST_COMPLETED)` | | `JoinSet::join_next` |
//! | [`wait_first_failure`] | `wait(FIRST_EXCEPTION)` | | |
//! | [`wait_all`] | `wait(ALL_COMPLETED)` | | |
//! | [`as_completed`] | `as_completed` | | `FuturesUnordered` |
//! | [`map_concurrent`] | | `trio.CapacityLimiter` in a nursery | `buffered`, `buffer_unordered` |
//! | [`for_each_concurrent`] | | the same | `for_each_concurrent` |
//!
//! # What all of them promise
//!
//! - **Nothing is orphaned.** Branches that lost, and those that are left when one has failed, are cancelled as by a scope
//!   of their own: what is inside them under a shield, in a clean-up or in a task group runs to its end, and only then the
//!   combinator returns. A foreign `select!` drops them half-way instead.
//! - **Each branch stands by itself.** It has a waker of its own, so that ten thousand branches of which one was woken cost
//!   one poll; a shield in one does not keep another from being cancelled.
//! - **Branches may borrow**, and need not be `Send`. The combinator is `Send` if they are.
//! - **A panic** in a branch cancels the others; when they are gone it is resumed. Any further ones go to the
//!   unhandled-outcome hook.
//! - **What was finished counts.** A branch that completes before the cancellation reaches it is not undone. What such a
//!   loser of a race returned is dropped when the race is over.
//! - **What has not begun does not begin** once the outcome is clear: it is dropped without having been polled.
//!
//! Their errors say, besides, that a branch was cut short by a cancellation around the combinator. Like that of a
//! [`task_group`](crate::task_group()) this is normally never seen: the scope that was cancelled drops the combinator.
//!
//! Branches that are to run in parallel, on several threads, belong into a [`task_group`](crate::task_group()).

#![expect(
    clippy::type_complexity,
    reason = "the parts of each future are spelt out, for the reason given at `Combined`"
)]

mod as_completed;
mod collections;
mod combined;
mod error;
mod gather;
mod map_concurrent;
mod race;
mod source;
mod wait;

pub use self::as_completed::{AsCompleted, as_completed};
pub use self::collections::{Branches, SameBranches, TryBranches};
pub use self::combined::Combined;
pub use self::error::{BranchError, RaceError};
pub use self::gather::{gather, gather_settled, try_gather};
pub use self::map_concurrent::{
    for_each_concurrent, map_concurrent, map_concurrent_unordered, try_for_each_concurrent, try_map_concurrent,
    try_map_concurrent_unordered,
};
pub use self::race::{race, race_ok, race_staggered};
pub use self::source::{FromIterator, FromStream, Source};
pub use self::wait::{wait_all, wait_any, wait_first_failure};
