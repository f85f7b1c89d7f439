//! anyio in a simulator: the contract of [`anyio_core`] on one thread, with a clock that jumps, schedules that are chosen,
//! and explorers that look for the one under which a test fails.
//!
//! What is written against anyio runs here unchanged. Applications use this crate in their tests, through the feature
//! `sim` of `anyio`. It has these faces:
//!
//! - [`Sim`], a recipe: `anyio::run` starts it, and shuts the simulation down at the end;
//! - [`SimHandle`], a handle to the simulation around, to move its clock by hand;
//! - [`explore`] and [`explore_exhaustively`], which run a test under many schedules.
//!
//! # What is simulated
//!
//! - **Time.** The clock stands still while anything can go on, and jumps to the next timer when nothing can. A test
//!   that sleeps for a day takes microseconds. After 1,000 polls in a row without a rest, time passes all the same, by
//!   nanoseconds at first: whoever keeps the thread busy may be waiting for a timer.
//! - **Order.** Whenever more than one task is ready, the [`Schedule`] decides which one goes next, and nothing else
//!   does: the same program under the same schedule does the same, step by step.
//! - **Blocking jobs.** A job has a thread of its own, and while it runs nothing else does. When it starts, and when it
//!   goes on after having waited for a task, is for the schedule to decide.
//!
//! What is not simulated: real I/O, other runtimes, threads that anyio does not know. A simulation in which nothing can
//! go on any more ends at once, with a [report](Sim#reports). If a thread from outside is to help,
//! [say so](SimHandle::follow_real_time).
//!
//! # Examples
//!
//! ```
//! use std::pin::pin;
//!
//! use anyio_backend_sim::Sim;
//! use anyio_core::Run;
//!
//! let simulation = Box::new(Sim::new()).start()?;
//! simulation.block_on(pin!(async {
//!     // inside the simulation
//! }));
//! # Ok::<(), anyio_core::StartError>(())
//! ```

mod backend;
mod explore;
mod job;
mod quiet;
mod recording;
mod report;
mod run;
mod schedule;
mod task;
mod timer;
mod watchdog;
mod world;

pub use backend::{Outsider, SimHandle};
pub use explore::{Exhausted, Explored, Explorer, Failure, explore, explore_exhaustively};
pub use quiet::attempt;
pub use recording::Recording;
pub use run::{Sim, Suspension};
pub use schedule::{Choices, Schedule, ScheduleError};
