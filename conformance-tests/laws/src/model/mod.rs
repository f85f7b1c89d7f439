//! A reference model: random programs, what the laws say about them, and what anyio does.
//!
//! A [`Program`] is a tree of groups, scopes, timeouts, shields and clean-ups, with tasks that sleep, fail, panic, cancel
//! each other and spawn more of their kind. [`predict`] tells, by a plain interpreter of the laws that knows nothing of
//! futures, what has to happen; [`execute`] lets it happen; the two [`Transcript`]s must be equal on every backend.
//!
//! Nothing in it is a race: a program runs on a clock of its own, which moves only when every task waits, so a run does
//! not depend on how fast anything is. What the laws leave open (which of two tasks that are woken at the same time is
//! first) is left open: programs for which it makes a difference are not generated, and [`check`] accepts whatever any
//! order explains.

mod execute;
mod generate;
mod predict;
mod program;
mod stepped;
mod transcript;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

pub use self::execute::execute;
pub use self::generate::{is_determined, programs};
pub use self::predict::{predict, predict_in_order};
pub use self::program::{Block, END, Id, Kind, Program, Step, Tick, Time, What};
pub use self::transcript::{End, Event, Failure, Fault, Outcome, Reason, Transcript};

use crate::Recipe;

/// How many orders are tried before a transcript is declared wrong.
const ORDERS: u64 = 1_000;

/// Executes `program` on a runtime of its own, on a thread of its own, and compares what happens with what has to.
///
/// # Errors
///
/// The text of the program and of both transcripts, if they differ; or that it hung or panicked.
pub fn check(program: &Program, recipe: Recipe) -> Result<(), String> {
    let (done, end) = mpsc::channel();
    let executed = Arc::new(program.clone());
    let run = move || {
        let ran = catch_unwind(AssertUnwindSafe(|| anyio::run(recipe(), execute(&executed))));
        // Nobody may be left to hear of it.
        let _ = done.send(ran);
    };
    thread::Builder::new().name("program".to_owned()).spawn(run).expect("a thread can be had");
    let transcript = match end.recv_timeout(Duration::from_secs(60)) {
        Ok(Ok(transcript)) => transcript,
        Ok(Err(_)) => return Err(format!("{program}\nit panicked")),
        Err(_) => return Err(format!("{program}\nit hung")),
    };
    let predicted = predict(program);
    if transcript == predicted || (0..ORDERS).any(|seed| predict_in_order(program, seed) == transcript) {
        return Ok(());
    }
    Err(format!("{program}\nit was predicted:\n{predicted}\nthis happened:\n{transcript}"))
}
