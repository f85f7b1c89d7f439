//! Plain threads that call into async code, and a synchronous library with an async one inside.
//!
//! `cargo run -p anyio --example call_in_from_threads --features smol,tokio`

use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use anyio::from_thread::{BlockingPortalProvider, PortalError};
use anyio::{Smol, Started, Tokio, sleep, sleep_forever};

async fn greet(name: String) -> String {
    sleep(Duration::from_millis(1)).await;
    format!("hello, {name}")
}

/// A portal that is open while async code runs: threads of other libraries call in.
async fn serve_threads() {
    let greetings = anyio::portal(async |portal| {
        let threads: Vec<_> = ["ada", "grace"]
            .map(|name| {
                let portal = portal.clone();
                thread::spawn(move || portal.call(greet(name.to_owned())))
            })
            .into();
        anyio::to_thread::run(move || threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()).await
    });
    let greetings: Vec<String> = greetings.await.unwrap();
    assert_eq!(greetings, ["hello, ada", "hello, grace"]);
}

/// What a synchronous library shows; its users know nothing of async. One runtime serves them all while there are any.
fn greet_blocking(name: &str) -> Result<String, PortalError> {
    static RUNTIME: LazyLock<BlockingPortalProvider> =
        LazyLock::new(|| BlockingPortalProvider::new(Tokio::current_thread));
    let portal = RUNTIME.acquire().expect("a runtime can be started");
    portal.call(greet(name.to_owned()))
}

/// A server that runs in the background of a program that is not async.
fn serve_in_background() {
    let portal = anyio::from_thread::start_blocking_portal(Smol::current_thread()).unwrap();
    let (port, server) = portal
        .start(async |started: Started<u16>| {
            let _ = started.started(8080); // it listens now
            sleep_forever().await
        })
        .unwrap();
    assert_eq!(port, 8080);
    server.cancel();
    assert!(matches!(server.join(), Err(PortalError::Cancelled(_))));
    portal.join().unwrap();
}

pub(crate) fn main() {
    anyio::run(Smol::current_thread(), serve_threads());
    let users = ["ada", "grace"].map(|name| thread::spawn(move || greet_blocking(name)));
    assert_eq!(users.map(|user| user.join().unwrap().unwrap()), ["hello, ada", "hello, grace"]);
    serve_in_background();
    println!("every thread was served");
}
