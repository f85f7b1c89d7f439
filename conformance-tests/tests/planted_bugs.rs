//! Mistakes that were made on purpose, and how fast the explorers find them.
//!
//! What the explorers are for is to find these. So each is found, within so many runs of the test as the table in the
//! guide says, and by no run in which the first come is the first served; and where the mistake is mended, the same test
//! holds.

mod bugs;

use std::cell::Cell;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, thread};

use anyio::testing::{CancelEverywhere, Explorer, Schedule, Trial, explore_exhaustively};
use anyio::{Sim, run};
use anyio_backend_sim::attempt;

use bugs::{Program, Tool, Version, cancelling, sharing, timing, waking};

/// A mistake.
struct Bug {
    name: &'static str,
    wrong: &'static str,
    /// What the failure says.
    says: &'static str,
    tool: Tool,
    /// Within how many runs of the test it is found.
    within: usize,
}

/// Under how many schedules what is mended holds.
const HOLDS: usize = 1000;

impl Bug {
    fn check(&self) {
        let (found, message) = match self.tool {
            Tool::Explore(program) => explored(|sim, version| run(sim, program(version))),
            Tool::ExploreSlowly(program) => {
                explored(|sim, version| run(sim.slow_polls(timing::SLOW), program(version)))
            }
            Tool::Walk(program) => walked(program),
            Tool::Everywhere(trial) => interrupted(trial),
        };
        println!("{}: found by run {found}: {message}", self.name);
        assert!(message.contains(self.says), "it fails for another reason: {message}");
        assert!(found > 1, "a plain run finds it already");
        assert!(found <= self.within, "found by run {found}, later than within {}", self.within);
    }
}

/// Under which schedule it fails; what is mended holds.
fn explored(test: impl Fn(Sim, Version)) -> (usize, String) {
    test(Sim::new().schedule(Schedule::fifo()), Version::Buggy);
    let explorer = || Explorer::new().schedules(HOLDS);
    let failure = explorer().run(|sim| test(sim, Version::Buggy)).expect_err("the mistake is found");
    for schedule in [failure.schedule().clone(), failure.simplest()] {
        let again = attempt(|| test(Sim::new().schedule(schedule.clone()), Version::Buggy));
        assert!(again.is_err(), "{schedule} finds it again");
    }
    let held = explorer().run(|sim| test(sim, Version::Fixed));
    held.unwrap_or_else(|failure| panic!("what is mended does not hold: {failure}"));
    (failure.tried(), failure.message().to_owned())
}

/// Under which schedule of a walk it fails; what is mended holds.
fn walked(program: fn(Version) -> Program) -> (usize, String) {
    let (runs, found) = (Cell::new(0), Cell::new(None));
    let failure = attempt(|| {
        explore_exhaustively(HOLDS, |sim| {
            runs.set(runs.get() + 1);
            let _found = OnPanic(|| found.set(found.get().or(Some(runs.get()))));
            run(sim, program(Version::Buggy));
        })
    });
    let message = failure.expect_err("the mistake is found");
    let held = explore_exhaustively(HOLDS, |sim| run(sim, program(Version::Fixed)));
    assert!(held.is_complete(), "there are more schedules than {}", held.schedules());
    (found.get().expect("a run has failed"), message)
}

/// Which run finds it when it is interrupted; what is mended stands that.
fn interrupted(trial: fn(Version) -> Trial<'static>) -> (usize, String) {
    let runs = Cell::new(0);
    let make = || {
        runs.set(runs.get() + 1);
        trial(Version::Buggy)
    };
    let failure = CancelEverywhere::new().run(make).expect_err("the mistake is found");
    assert!(failure.interruption().is_some(), "left alone, it holds: {failure}");
    for schedule in [Schedule::fifo(), Schedule::lifo(), Schedule::random(7)] {
        let done = CancelEverywhere::new().schedule(schedule).run(|| trial(Version::Fixed));
        done.unwrap_or_else(|failure| panic!("what is mended does not hold: {failure}"));
    }
    (runs.get(), failure.message().to_owned())
}

/// Does something if it is dropped by a panic.
struct OnPanic<F: Fn()>(F);

impl<F: Fn()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if thread::panicking() {
            (self.0)();
        }
    }
}

/// The list of all mistakes, and a test for each.
macro_rules! bugs {
    ($($name:ident, $tool:ident($module:ident), $within:literal, $wrong:literal, $says:literal;)*) => {
        const BUGS: &[fn() -> Bug] = &[$($name),*];

        $(
            fn $name() -> Bug {
                Bug {
                    name: stringify!($name),
                    wrong: $wrong,
                    says: $says,
                    tool: bugs!(@$tool $module $name),
                    within: $within,
                }
            }
        )*

        mod planted {
            $(
                #[test]
                fn $name() {
                    super::$name().check();
                }
            )*
        }
    };
    (@Everywhere $module:ident $name:ident) => { Tool::Everywhere($module::$name) };
    (@$tool:ident $module:ident $name:ident) => { Tool::$tool(|version| Box::pin($module::$name(version))) };
}

bugs! {
    order_dependence, Walk(sharing), 5,
        "a task takes for granted that another one went before it",
        "the configuration is loaded";
    deadlock_by_lock_order, Walk(sharing), 10,
        "two locks are taken in either order",
        "all tasks wait";
    check_then_act, Explore(sharing), 50,
        "what was found before an await is acted on after it",
        "it is loaded once";
    close_and_send_race, Explore(sharing), 50,
        "a message is accepted after the queue was drained for the last time",
        "what is accepted is delivered";
    start_without_started, Explore(sharing), 50,
        "one path of a task that is waited for ends without `started`",
        "NotStarted";
    aba_in_a_pool, Explore(sharing), 50,
        "a compare-and-set takes a list that has changed twice for one that has not",
        "is given to two";
    lost_wake_up, Explore(waking), 10,
        "there is room for one waker, and two wait",
        "all tasks wait";
    notified_before_the_wait_is_registered, Explore(waking), 50,
        "a change between the look and the subscription is missed",
        "all tasks wait";
    thundering_herd_that_starves_one, Explore(waking), 10,
        "all who wait for a lock try again, and the same one loses",
        "were served before this one";
    timer_race, Explore(timing), 10,
        "an answer comes at the moment of its time-out",
        "an answer belongs to a request";
    lease_that_expires_in_use, ExploreSlowly(timing), 10,
        "a lease is checked, and used after it has expired",
        "somebody else may be writing";
    lock_held_over_a_cancelled_await, Everywhere(cancelling), 5,
        "half of a change is made, and then something is awaited, under a lock",
        "left: 99";
    unbounded_shield, Everywhere(cancelling), 5,
        "a shield waits for an answer from a task that was cancelled",
        "all tasks wait";
    forgotten_finalizer, Everywhere(cancelling), 5,
        "what is to be undone is undone at the end, and not by a guard",
        "nobody is left";
    double_release, Everywhere(cancelling), 5,
        "what was released is noted as released after an await",
        "left: 4";
    message_lost_on_a_cancelled_receive, Everywhere(cancelling), 5,
        "what was received is kept in the future that goes on receiving",
        "all that was sent is received";
    permit_leaked_by_a_cancelled_wait, Everywhere(cancelling), 20,
        "a permit was handed to a wait that is dropped before it looks",
        "permits that are free";
    single_flight_whose_leader_is_cancelled, Everywhere(cancelling), 5,
        "the one who loads a value for all is cancelled, and the others wait for it",
        "all tasks wait";
    answer_to_the_request_before, Everywhere(cancelling), 5,
        "a connection is used again after a request whose answer was not awaited",
        "the answer is that to another";
}

/// The table in the guide.
fn table() -> String {
    let mut table = String::from("| bug | what is wrong | found by | within runs |\n|---|---|---|---:|\n");
    for bug in BUGS {
        let bug = bug();
        let name = bug.name.replace('_', " ");
        writeln!(table, "| {name} | {} | {} | {} |", bug.wrong, bug.tool, bug.within).unwrap();
    }
    table
}

#[test]
fn the_guide_has_the_table() {
    const BEGIN: &str = "<!-- planted bugs -->\n";
    const END: &str = "<!-- end of the planted bugs -->";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../anyio/docs/testing-your-library.md");
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the guide has a place for the table");
    let (_, after) = rest.split_once(END).expect("the place for the table ends");
    let wanted = format!("{before}{BEGIN}\n{}\n{END}{after}", table());
    if text != wanted {
        fs::write(file, wanted).unwrap();
        panic!("the table in the guide was out of date and has been written anew: run the tests again");
    }
}
