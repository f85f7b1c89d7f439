//! C1: the first use in a fresh process, on tokio's current-thread runtime, and the next few, beside which [P1](super::spawn_join) is the steady state.

use std::process::Command;

use super::spawn_join::{join_set, ours};
use crate::comparison::{Comparison, Contender, TO_BE_SEEN};
use crate::ground::{Ground, Grounds};
use crate::measure::{Reading, timed};

const TASKS: usize = 100;

/// How often the job is done in a fresh process.
const ROUNDS: usize = 10;

/// The argument that makes a fresh process do the job; then comes who does it.
pub const ARGUMENT: &str = "--cold-start";

/// C1.
pub fn fresh_process(_: &Grounds) -> Vec<Comparison> {
    let job = |case: &str, what: &str, pick: fn(&[f64]) -> f64| {
        Comparison::new(&Ground::Own, case, format!("spawn and join {TASKS} tasks, {what}"))
            .per("task", TASKS)
            .our_contender(in_fresh_process("anyio", pick))
            .contender(TO_BE_SEEN, in_fresh_process("JoinSet", pick))
    };
    vec![
        job("C1/first", "for the first time in a process", |rounds| rounds[0]),
        job("C1/warming", "2nd to 10th time in a process", |rounds| mean(&rounds[1..])),
    ]
}

/// Does the job in this process, which is fresh, and prints what each round took.
pub fn print_rounds(who: &str) {
    let ground = Ground::tokio_ct();
    let contender = match who {
        "anyio" => ground.ours(who, || timed(1, || ours(TASKS))),
        _ => ground.theirs(who, || timed(1, || join_set(TASKS))),
    };
    for reading in (contender.run)(ROUNDS) {
        println!("{}", reading.value);
    }
}

fn in_fresh_process(who: &'static str, pick: fn(&[f64]) -> f64) -> Contender {
    let run = move |rounds| (0..rounds).map(|_| Reading::of(pick(&rounds_of(who)))).collect();
    Contender { name: who.to_owned(), run: Box::new(run) }
}

/// What each round takes in a process of its own.
fn rounds_of(who: &str) -> Vec<f64> {
    let program = std::env::current_exe().expect("this program can be found");
    let output = Command::new(program).args([ARGUMENT, who]).output().expect("this program can be run");
    let told = String::from_utf8(output.stdout).expect("it tells numbers");
    told.lines().map(|line| line.parse().expect("it tells numbers")).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
