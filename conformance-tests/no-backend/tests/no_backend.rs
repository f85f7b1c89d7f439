//! Without a backend there is a typed error with the remedy, and one that is handed in needs no feature (law X2).

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyio::{
    CancelScope, Event, NoBackend, OwnedTaskGroup, RunError, Runtime, checkpoint, current_effective_deadline, enter,
    finally, finally_detached, interval, is_cancelled, move_on_after, protect, shield, shield_for, sleep, sleep_until,
    task_group, timeout, try_run, try_task_group,
};
use anyio_core::Run as _;
use backend_futures::FuturesPool;
use futures::executor::block_on;

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(10);

type Ignored = Pin<Box<dyn Future<Output = ()>>>;

/// The future without its output.
fn ignored<F: Future + 'static>(future: F) -> Ignored {
    Box::pin(async { drop(future.await) })
}

/// What the panic of `run` says.
fn panic_of<T>(run: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(run)).err().expect("a panic");
    *payload.downcast::<String>().expect("a text")
}

/// Whether `text` is the one that says what to enable or call.
fn is_remedy(text: &str) -> bool {
    text == NoBackend::NotFound.to_string()
}

/// Whatever needs a runtime at its first poll.
fn needy() -> Vec<(&'static str, Ignored)> {
    vec![
        ("sleep", ignored(sleep(SHORT))),
        ("sleep_until", ignored(sleep_until(std::time::Instant::now() + LONG))),
        ("interval", ignored(async { interval(SHORT).tick().await })),
        ("timeout", ignored(timeout(SHORT, async {}))),
        ("move_on_after", ignored(move_on_after(SHORT, async {}))),
        ("scope", ignored(CancelScope::new().run(async {}))),
        ("shield", ignored(shield(async {}))),
        ("shield_for", ignored(shield_for(SHORT, async {}))),
        ("cancelled", ignored(anyio::cancelled())),
        ("finally", ignored(finally(async {}, async {}))),
        ("finally_detached", ignored(finally_detached(async {}, async {}))),
        ("protect", ignored(protect(async {}))),
        ("task_group", ignored(task_group(async |_| ()))),
        ("try_task_group", ignored(try_task_group(async |_| Ok::<_, ()>(())))),
        ("owned group", ignored(async { drop(OwnedTaskGroup::new()) })),
        ("owned group that may fail", ignored(async { drop(OwnedTaskGroup::<anyio::Try<()>>::fallible()) })),
        ("now", ignored(async { anyio::now() })),
    ]
}

#[test]
fn without_a_backend_there_is_a_typed_error_with_the_remedy() {
    let error = Runtime::current().unwrap_err();
    assert!(matches!(error, NoBackend::NotFound));
    for remedy in ["\"tokio\"", "\"smol\"", "anyio::run", "anyio::enter", "anyio::set_default"] {
        assert!(error.to_string().contains(remedy), "{remedy}: {error}");
    }
}

#[test]
fn whatever_needs_a_runtime_panics_with_the_remedy() {
    for (name, future) in needy() {
        let said = panic_of(|| block_on(future));
        assert!(is_remedy(&said), "{name}: {said}");
    }
}

#[test]
fn block_on_panics_with_the_remedy() {
    assert!(is_remedy(&panic_of(|| anyio::block_on(async {}))));
}

#[test]
fn a_runtime_that_was_not_made_available_is_not_found() {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    assert!(matches!(tokio.block_on(async { Runtime::current() }), Err(NoBackend::NotFound)));
    for (name, future) in needy() {
        let said = panic_of(|| tokio.block_on(future));
        assert!(is_remedy(&said), "{name}: {said}");
    }
}

#[test]
fn what_needs_no_runtime_works() {
    block_on(async {
        assert!(!is_cancelled());
        assert_eq!(current_effective_deadline(), anyio::EffectiveDeadline::None);
        checkpoint().await;
        sleep(Duration::ZERO).await;
        let event = Arc::new(Event::new());
        event.set();
        for _ in 0..1000 {
            event.wait().await;
        }
        drop(task_group(async |_| ()));
        drop(finally(async {}, async {}));
    });
}

#[test]
fn a_backend_that_is_handed_in_needs_no_feature() {
    let group = || {
        task_group(async |tg| {
            tg.spawn(async {
                sleep(SHORT).await;
                7
            })
            .value()
            .await
        })
    };
    assert_eq!(try_run(FuturesPool, timeout(LONG, group())).unwrap(), Ok(Ok(7)));
    let nested = anyio::run(FuturesPool, async { try_run(FuturesPool, async {}) });
    assert!(matches!(nested, Err(RunError::Nested)));
    let started = Box::new(FuturesPool).start().unwrap();
    let runtime = Runtime::from_backend(started.backend());
    assert_eq!(block_on(enter(runtime.clone(), group())), Ok(7));
    assert!(Runtime::current().is_err());
    assert!(block_on(runtime.quiesce(LONG)));
}

#[test]
fn a_group_keeps_the_backend_that_it_was_opened_with() {
    let (group, task) = anyio::run(FuturesPool, async {
        let group = OwnedTaskGroup::new();
        let spawned = std::thread::spawn(move || (group.spawn(async { 7 }), group));
        let (task, group) = spawned.join().unwrap();
        (group, task.await.unwrap())
    });
    assert_eq!(task, 7);
    assert!(group.try_spawn(async {}).is_err());
}
