//! Every law in the simulator, under many schedules.
//!
//! How many is for the environment variable `ANYIO_SIM_SCHEDULES` to say. Cases that need threads from outside, and those
//! about hundreds of thousands of tasks, are left to the other runs: no schedule repeats the former, and the latter are
//! about scale.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyio::Sim;
use anyio::testing::{Recording, Schedule};
use anyio_conformance::{CASES, Case, Outcome, run_case};

/// How long a run of a case may take, in real time.
const LIMIT: Duration = Duration::from_secs(60);

/// What takes more steps than this under one schedule is about scale.
const BRIEF: usize = 4000;

fn schedules() -> u64 {
    std::env::var("ANYIO_SIM_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// Runs `case` once; `Err` tells what does not hold.
fn run(case: &Case, schedule: &Schedule, recording: Option<&Recording>) -> Result<(), String> {
    let (schedule, recording) = (schedule.clone(), recording.cloned());
    let recipe = move || {
        let sim = Sim::new().schedule(schedule.clone()).watchdog(Duration::from_secs(60));
        Box::new(match &recording {
            Some(recording) => sim.record(recording),
            None => sim,
        }) as Box<dyn anyio_core::Run>
    };
    match run_case(case, Arc::new(recipe), LIMIT) {
        Outcome::Held(_) => Ok(()),
        Outcome::Failed(said) => Err(said),
        Outcome::Hung => Err("it hung".to_owned()),
    }
}

/// Whether the case can be repeated, and is brief enough to be, many times.
fn is_fit(case: &Case) -> bool {
    let recording = Recording::new();
    let held = run(case, &Schedule::fifo(), Some(&recording));
    held.is_ok() && recording.is_repeatable() && recording.steps() < BRIEF
}

/// Does `check` with every fit case, on all cores. Returns how many there are, and says which laws have none.
fn with_each_case(check: impl Fn(&Case) -> Result<(), String> + Sync) -> usize {
    // Cases about panics would print them thousands of times, with backtraces; what fails is told at the end.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, fit) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (laws, failures) = (parking_lot::Mutex::new(BTreeSet::<&str>::new()), parking_lot::Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = CASES.get(next.fetch_add(1, Ordering::Relaxed)) {
            if is_fit(case) {
                fit.fetch_add(1, Ordering::Relaxed);
                laws.lock().extend(case.laws);
                check(case).unwrap_or_else(|said| failures.lock().push(format!("{}: {said}", case.name)));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let (laws, failures) = (laws.into_inner(), failures.into_inner());
    let all: BTreeSet<_> = CASES.iter().flat_map(|case| case.laws).collect();
    println!("laws without a fit case: {:?}", all.into_iter().filter(|law| !laws.contains(*law)).collect::<Vec<_>>());
    println!("{}", failures.join("\n"));
    assert!(failures.is_empty(), "{} cases do not hold", failures.len());
    fit.into_inner()
}

#[test]
fn every_law_holds_under_many_schedules() {
    let (schedules, start) = (schedules(), Instant::now());
    let fit = with_each_case(|case| {
        (0..schedules).try_for_each(|seed| {
            run(case, &Schedule::seeded(seed), None).map_err(|said| format!("ANYIO_SIM_SEED={seed}: {said}"))
        })
    });
    println!("{fit} of {} cases held under {schedules} schedules each, in {:?}", CASES.len(), start.elapsed());
    assert!(fit > CASES.len() * 3 / 4, "only {fit} cases are fit for it");
}

#[test]
fn every_law_repeats_itself_byte_for_byte() {
    with_each_case(|case| {
        (0..6).try_for_each(|seed| {
            let transcript = || {
                let recording = Recording::new();
                run(case, &Schedule::seeded(seed), Some(&recording)).map(|()| recording.to_string())
            };
            let (first, second) = (transcript()?, transcript()?);
            let differs = first.lines().zip(second.lines()).enumerate().find(|(_, (a, b))| a != b);
            match differs {
                None if first == second => Ok(()),
                _ => Err(format!("seed {seed} does not repeat itself: {differs:?}")),
            }
        })
    });
}
