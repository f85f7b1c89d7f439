//! Random programs on every backend that anyio comes with, against the reference model.
//!
//! - `ANYIO_MODEL_PROGRAMS`: how many programs per backend; 200 if it is not set.
//! - `ANYIO_MODEL_SEED`: the seed that a failure has printed, to meet the same programs again.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyio_conformance::Recipe;
use anyio_conformance::model::{check, programs};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

#[test]
fn tokio_multi_thread_does_what_the_model_says() {
    does_what_the_model_says(Arc::new(|| Box::new(anyio::Tokio::multi_thread().worker_threads(2))));
}

#[test]
fn tokio_current_thread_does_what_the_model_says() {
    does_what_the_model_says(Arc::new(|| Box::new(anyio::Tokio::current_thread())));
}

#[test]
fn smol_global_does_what_the_model_says() {
    does_what_the_model_says(Arc::new(|| Box::new(anyio::Smol::global())));
}

#[test]
fn smol_owned_does_what_the_model_says() {
    does_what_the_model_says(Arc::new(|| Box::new(anyio::Smol::current_thread())));
}

#[test]
fn async_std_does_what_the_model_says() {
    does_what_the_model_says(Arc::new(|| Box::new(anyio::AsyncStd::global())));
}

#[test]
fn the_simulator_does_what_the_model_says() {
    does_what_the_model_says(Arc::new(|| Box::new(anyio::Sim::new())));
}

/// Each program under a schedule of its own.
#[test]
fn the_simulator_does_what_the_model_says_under_any_schedule() {
    let next = AtomicU64::new(number("ANYIO_MODEL_SEED").unwrap_or_else(nanoseconds));
    does_what_the_model_says(Arc::new(move || Box::new(anyio::Sim::seeded(next.fetch_add(1, Ordering::Relaxed)))));
}

fn does_what_the_model_says(recipe: Recipe) {
    let seed = number("ANYIO_MODEL_SEED").unwrap_or_else(|| u64::from(std::process::id()) ^ nanoseconds());
    let cases = number("ANYIO_MODEL_PROGRAMS").unwrap_or(200) as u32;
    let config = Config {
        cases,
        failure_persistence: None,
        max_local_rejects: u32::MAX,
        max_shrink_iters: 20_000,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, rng(seed));
    let ran = runner.run(&programs(), |program| check(&program, recipe.clone()).map_err(TestCaseError::fail));
    match ran {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => {
            panic!("ANYIO_MODEL_SEED={seed} finds a program that does not do it:\n{reason}")
        }
        Err(aborted) => panic!("ANYIO_MODEL_SEED={seed}: {aborted}"),
    }
}

fn rng(seed: u64) -> TestRng {
    let bytes: Vec<u8> = seed.to_le_bytes().into_iter().cycle().take(32).collect();
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

fn nanoseconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::from(since.subsec_nanos()))
}
