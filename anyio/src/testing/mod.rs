//! A kit for the tests of libraries: what waits in which order, what fails where, and what a cancellation leaves behind.
//!
//! Behind the feature `testing`, which belongs into `dev-dependencies`. All of it works on every backend. What needs the
//! simulator is behind the feature `sim`.
//!
//! # Which one?
//!
//! | to | use | Trio |
//! |---|---|---|
//! | have the steps of several tasks happen in one order | [`Sequencer`] | `Sequencer` |
//! | let all other tasks come to where they wait | [`wait_all_tasks_blocked`] | `wait_all_tasks_blocked` |
//! | stand in for a connection | [`memory_stream_pair`], [`bounded_stream_pair`] | `memory_stream_pair` |
//! | the same, without any buffer | [`lockstep_stream_pair`] | `lockstep_stream_pair` |
//! | have a connection fail, stall, break off or lose bytes | [`Faults`] | `send_all_hook` and its kin |
//! | drop an operation at each of its suspensions, and find that nothing was lost | [`assert_cancel_safe`] | |
//! | find out whether a future waits | [`assert_pending`], [`assert_ready`] | |
//! | find out whether a future suspends at all | [`assert_checkpoints`], [`assert_no_checkpoints`] | the same |
//! | find out whether a future can be cancelled | [`assert_cancels`] | |
//! | find what was left behind | [`assert_no_leaks`] | |
//! | count how often a guard or a clean-up ran | [`Tally`] | |
//!
//! With the simulator:
//!
//! | to | use | Trio |
//! |---|---|---|
//! | run without waiting for time to pass | [`Sim`](crate::Sim) | `MockClock` |
//! | move the clock by hand | [`SimHandle::advance`](crate::SimHandle::advance) | `MockClock.jump` |
//! | run a test under many schedules | [`explore`], [`explore_exhaustively`] | |
//! | cancel, drop, fail and time out wherever something waits | [`cancel_everywhere`] | |
//! | have the same again, step by step | [`Schedule`], [`Recording`] | |
//!
//! [Testing your library](guide) goes through all of it.
//!
//! # Examples
//!
//! A function that reads a line, on a connection that delivers one byte at a time and then breaks off:
//!
//! ```
//! # #[cfg(feature = "smol")]
//! # anyio::block_on(async {
//! use std::io;
//! use anyio::testing::memory_stream_pair;
//! use futures::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
//!
//! async fn read_line(connection: impl AsyncRead + Unpin) -> io::Result<String> {
//!     let mut line = String::new();
//!     BufReader::new(connection).read_line(&mut line).await?;
//!     Ok(line)
//! }
//!
//! let (client, server) = memory_stream_pair();
//! server.receive_faults().chunk(1);
//! client.send_all(b"hello\n").await.unwrap();
//! assert_eq!(read_line(server).await.unwrap(), "hello\n");
//!
//! let (client, server) = memory_stream_pair();
//! client.send_faults().cut_after(3);
//! client.send_all(b"hello\n").await.unwrap_err();
//! assert_eq!(read_line(server).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
//! # });
//! ```

#[cfg(feature = "sim")]
pub use anyio_backend_sim::{
    Choices, Exhausted, Explored, Explorer, Failure, Outsider, Recording, Schedule, ScheduleError, Suspension, explore,
    explore_exhaustively,
};

mod assertions;
mod cancel_safe;
#[cfg(feature = "sim")]
mod everywhere;
#[cfg(all(feature = "sim", any(doc, doctest)))]
#[doc = include_str!("../../docs/testing-your-library.md")]
pub mod guide {}
mod leaks;
mod polling;
mod sequencer;
mod settle;
mod stream;
mod tally;

pub use self::assertions::{assert_cancels, assert_checkpoints, assert_no_checkpoints, assert_pending, assert_ready};
pub use self::cancel_safe::assert_cancel_safe;
#[cfg(feature = "sim")]
pub use self::everywhere::{
    CancelEverywhere, Everywhere, EverywhereFailure, Interruption, IntoTrial, Trial, cancel_everywhere,
};
pub use self::leaks::assert_no_leaks;
pub use self::sequencer::{SequenceError, SequenceStep, Sequencer};
pub use self::settle::wait_all_tasks_blocked;
pub use self::stream::{
    Faults, MemoryReceiveStream, MemorySendStream, MemoryStream, StreamError, bounded_stream_one_way_pair,
    bounded_stream_pair, lockstep_stream_one_way_pair, lockstep_stream_pair, memory_stream_one_way_pair,
    memory_stream_pair,
};
pub use self::tally::{Tally, TallyToken};
