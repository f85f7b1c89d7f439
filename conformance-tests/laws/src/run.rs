//! Running a case against a backend, under a watchdog.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyio_core::Run;

use crate::{CASES, fixture};

/// What makes the runtimes of a backend.
pub type Recipe = Arc<dyn Fn() -> Box<dyn Run> + Send + Sync>;

/// A case of one or more laws.
#[derive(Clone, Copy)]
pub struct Case {
    /// The family and the name, as in `"cancel::a_cancelled_scope_stays_cancelled"`.
    pub name: &'static str,
    /// The laws that it is a case of.
    pub laws: &'static [&'static str],
    /// What it shows, in one line.
    pub doc: &'static str,
    /// The case itself.
    pub body: fn() -> Pin<Box<dyn Future<Output = ()>>>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("laws", &self.laws).finish_non_exhaustive()
    }
}

/// What became of a case on a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The laws hold.
    Held(Duration),
    /// They do not; what the case said.
    Failed(String),
    /// The case did not end in time.
    Hung,
}

/// Runs one case on a runtime of its own, on a thread of its own, for at most `limit` of real time.
///
/// A case that hangs keeps its thread.
#[must_use]
pub fn run_case(case: &Case, recipe: Recipe, limit: Duration) -> Outcome {
    let (done, end) = mpsc::channel();
    let body = case.body;
    let start = Instant::now();
    let run = move || {
        fixture::set_recipe(recipe.clone());
        let ran = catch_unwind(AssertUnwindSafe(|| anyio::run(recipe(), body())));
        // Nobody may be left to hear of it.
        let _ = done.send(ran.map_err(|payload| message(&*payload)));
    };
    let thread = thread::Builder::new().name(case.name.to_owned());
    thread.spawn(run).expect("a thread can be had");
    match end.recv_timeout(limit) {
        Ok(Ok(())) => Outcome::Held(start.elapsed()),
        Ok(Err(message)) => Outcome::Failed(message),
        Err(_) => Outcome::Hung,
    }
}

/// How long a case may take before it counts as hung: `ANYIO_CONFORMANCE_LIMIT` in seconds, or 60 s.
fn limit() -> Duration {
    let seconds = std::env::var("ANYIO_CONFORMANCE_LIMIT").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(60))
}

/// Runs the case of this name and panics unless it holds.
///
/// # Panics
///
/// With what the case said, or that it hung, or that there is no such case.
pub fn check(name: &str, recipe: Recipe) {
    let case = CASES.iter().find(|case| case.name == name).expect("the list has every case");
    match run_case(case, recipe, limit()) {
        Outcome::Held(_) => {}
        Outcome::Failed(message) => panic!("{} does not hold: {}\n{message}", case.laws.join(", "), case.doc),
        Outcome::Hung => panic!("{} hung: {}", case.laws.join(", "), case.doc),
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "(no message)".to_owned())
}
