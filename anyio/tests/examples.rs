//! Runs every example: each asserts what it shows, and ends by itself.

#[path = "../examples/async_clean_up.rs"]
mod async_clean_up;
#[path = "../examples/call_in_from_threads.rs"]
mod call_in_from_threads;
#[path = "../examples/connection_pool.rs"]
mod connection_pool;
#[path = "../examples/cpu_bound_work.rs"]
mod cpu_bound_work;
#[path = "../examples/error_groups.rs"]
mod error_groups;
#[path = "../examples/fan_out_fan_in.rs"]
mod fan_out_fan_in;
#[path = "../examples/graceful_shutdown.rs"]
mod graceful_shutdown;
#[path = "../examples/hedged_request.rs"]
mod hedged_request;
#[path = "../examples/periodic_job.rs"]
mod periodic_job;
#[path = "../examples/portable_library.rs"]
mod portable_library;
#[path = "../examples/start_handshake.rs"]
mod start_handshake;
#[path = "../examples/testing_a_protocol.rs"]
mod testing_a_protocol;
#[path = "../examples/timeout_tree.rs"]
mod timeout_tree;
#[path = "../examples/worker_pool.rs"]
mod worker_pool;

#[test]
fn async_clean_up() {
    async_clean_up::main();
}

#[test]
fn call_in_from_threads() {
    call_in_from_threads::main();
}

#[test]
fn connection_pool() {
    connection_pool::main();
}

#[test]
fn cpu_bound_work() {
    cpu_bound_work::main();
}

#[test]
fn error_groups() {
    error_groups::main();
}

#[test]
fn fan_out_fan_in() {
    fan_out_fan_in::main();
}

#[test]
fn graceful_shutdown() {
    graceful_shutdown::main();
}

#[test]
fn hedged_request() {
    hedged_request::main();
}

#[test]
fn periodic_job() {
    periodic_job::main();
}

#[test]
fn portable_library() {
    portable_library::main();
}

#[test]
fn start_handshake() {
    start_handshake::main();
}

#[test]
fn testing_a_protocol() {
    testing_a_protocol::main();
}

#[test]
fn timeout_tree() {
    timeout_tree::main();
}

#[test]
fn worker_pool() {
    worker_pool::main();
}

#[test]
fn every_example_is_here() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for example in std::fs::read_dir(folder).unwrap() {
        let name = example.unwrap().file_name().into_string().unwrap();
        assert!(include_str!("examples.rs").contains(&format!("\"../examples/{name}\"")), "{name} is not run");
    }
}
