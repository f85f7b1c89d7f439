//! The default that an application nominates, and what comes before and after it (law X2). It is one for the whole
//! process, hence the file and the single test of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use anyio::{
    AsyncStd, CancelScope, Runtime, Smol, SmolHandle, Tokio, TokioHandle, Unhandled, enter, set_default, shield, sleep,
    task_group, timeout,
};
use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Spawn, Task, Timer};

/// smol under another name, which counts what it spawns.
struct Nominated {
    name: &'static str,
    smol: SmolHandle,
    spawned: Arc<AtomicUsize>,
}

impl Spawn for Nominated {
    fn spawn(&self, task: Task) {
        self.spawned.fetch_add(1, Ordering::SeqCst);
        self.smol.spawn(task);
    }
}

impl Checkpoint for Nominated {
    fn checkpoint(&self, waker: &Waker) {
        self.smol.checkpoint(waker);
    }
}

impl Clock for Nominated {
    fn now(&self) -> Instant {
        self.smol.now()
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        self.smol.timer(deadline)
    }
}

impl Blocking for Nominated {
    fn spawn_blocking(&self, job: Job) {
        self.smol.spawn_blocking(job);
    }
}

impl Backend for Nominated {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Nominates a runtime of this name; returns how many tasks it has spawned.
fn nominate(name: &'static str) -> Arc<AtomicUsize> {
    let spawned = Arc::new(AtomicUsize::new(0));
    set_default(Runtime::new(Nominated { name, smol: SmolHandle::global(), spawned: spawned.clone() }));
    spawned
}

fn name() -> &'static str {
    Runtime::current().unwrap().name()
}

async fn spawn_one() {
    task_group(async |tg| tg.spawn(async {}).value().await).await.unwrap();
}

fn the_default_beats_smol() {
    assert_eq!(name(), "smol");
    let spawned = nominate("first");
    assert_eq!(name(), "first");
    assert_eq!(smol::block_on(async { name() }), "first");
    anyio::block_on(spawn_one());
    futures::executor::block_on(spawn_one());
    assert_eq!(spawned.load(Ordering::SeqCst), 2);
}

fn the_runtime_around_beats_the_default() {
    let tokio = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(tokio.block_on(async { name() }), "tokio");
    assert_eq!(async_std::task::block_on(async { name() }), "async-std");
    let _inside = tokio.enter();
    assert_eq!(name(), "tokio");
}

fn the_context_and_what_is_explicit_beat_the_default() {
    assert_eq!(anyio::run(Smol::current_thread(), async { name() }), "smol");
    assert_eq!(anyio::run(AsyncStd::global(), async { name() }), "async-std");
    assert_eq!(anyio::run(Tokio::current_thread(), async { name() }), "tokio");
    let smol = Runtime::new(SmolHandle::global());
    assert_eq!(futures::executor::block_on(enter(smol, async { name() })), "smol");
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let handle = Runtime::new(TokioHandle::new(tokio.handle().clone()).unwrap());
    assert_eq!(futures::executor::block_on(enter(handle, async { name() })), "tokio");
}

fn a_group_keeps_the_default_that_it_was_opened_with() {
    let first = nominate("first");
    let counted = futures::executor::block_on(task_group(async |tg| {
        let second = nominate("second");
        assert_eq!(name(), "first");
        tg.spawn(async { assert_eq!(name(), "first") }).value().await;
        spawn_one().await;
        second
    }));
    assert_eq!(name(), "second");
    assert_eq!((first.load(Ordering::SeqCst), counted.unwrap().load(Ordering::SeqCst)), (2, 0));
}

fn block_on_keeps_the_settings_of_the_default() {
    let (stalls, heard) = std::sync::mpsc::channel();
    let tell = move |outcome| _ = stalls.send(matches!(outcome, Unhandled::Stalled));
    set_default(Runtime::new(SmolHandle::global()).with_hook(tell).with_patience(Duration::from_millis(1)));
    let scope = CancelScope::new();
    scope.handle().cancel();
    let told = async {
        while heard.try_recv() != Ok(true) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    // Which is before the patience of 10 s that it would have of itself.
    let held = scope.run(shield(timeout(Duration::from_secs(8), told)));
    assert_eq!(anyio::block_on(held), Ok(Ok(())));
}

fn a_tokio_that_cannot_be_used_does_not_fall_back_to_the_default() {
    let bare = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(bare.block_on(async { Runtime::current() }).is_err());
}

#[test]
fn the_default_comes_after_what_is_around_and_before_smol() {
    the_default_beats_smol();
    the_runtime_around_beats_the_default();
    the_context_and_what_is_explicit_beat_the_default();
    a_group_keeps_the_default_that_it_was_opened_with();
    block_on_keeps_the_settings_of_the_default();
    a_tokio_that_cannot_be_used_does_not_fall_back_to_the_default();
}
