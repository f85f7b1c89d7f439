//! Runtimes that lack something, that are entered at the wrong place, or that have shut down, and those that somebody
//! else runs: clear errors, and never a panic of the runtime's own (law X2, and X3, X4, F2 where they name tokio).

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyio::from_thread::PortalError;
use anyio::{
    CancelReason, CancelScope, Cancelled, Event, NoBackend, OwnedTaskGroup, RunError, Runtime, Smol, Tokio, TokioError,
    TokioHandle, Unhandled, checkpoint, enter, finally, is_cancelled, portal, protect, shield, sleep, sleep_forever,
    task_group, timeout, try_run,
};
use anyio_core::Task;
use futures::channel::oneshot;
use futures::executor::block_on;
use tokio::runtime::Builder;

/// A time that no test waits for.
const LONG: Duration = Duration::from_secs(3600);

/// A time that a test may wait for.
const SHORT: Duration = Duration::from_millis(10);

/// Both kinds of tokio runtime, with all that they have.
fn whole() -> [tokio::runtime::Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()].map(|mut builder| {
        builder.worker_threads(2);
        builder.enable_all().build().unwrap()
    })
}

/// Both kinds of tokio runtime, without timers and I/O.
fn bare() -> [tokio::runtime::Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()].map(|mut builder| builder.build().unwrap())
}

/// Both kinds of tokio runtime, without I/O.
fn without_io() -> [tokio::runtime::Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()]
        .map(|mut builder| builder.enable_time().build().unwrap())
}

/// What the panic of `run` says.
fn panic_of<T>(run: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(run)).err().expect("a panic");
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap()
}

fn is_shutdown(cancelled: &Cancelled) -> bool {
    matches!(cancelled.reason(), CancelReason::Shutdown)
}

/// Counts up when it is dropped.
struct Counts(Arc<AtomicUsize>);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task that never ends, which counts up when it is dropped.
fn endless(ended: &Arc<AtomicUsize>) -> impl Future<Output = ()> + Send + use<> {
    let counts = Counts(ended.clone());
    async move {
        let _counts = counts;
        sleep_forever().await;
    }
}

#[test]
fn tokio_without_timers_is_a_typed_error() {
    for tokio in bare() {
        let Err(NoBackend::Unusable(said)) = tokio.block_on(async { Runtime::current() }) else {
            panic!("it has none")
        };
        assert!(said.contains("enable_time"), "{said}");
        assert_eq!(TokioHandle::new(tokio.handle().clone()).unwrap_err(), TokioError::NoTime);
    }
}

#[test]
fn tokio_without_io_is_a_typed_error() {
    for tokio in without_io() {
        let Err(NoBackend::Unusable(said)) = tokio.block_on(async { Runtime::current() }) else {
            panic!("it has none")
        };
        assert!(said.contains("enable_io"), "{said}");
        assert_eq!(TokioHandle::new(tokio.handle().clone()).unwrap_err(), TokioError::NoIo);
    }
}

#[test]
fn whatever_needs_a_runtime_says_what_tokio_lacks() {
    let asks = |what: &str, polled: &dyn Fn() -> String| {
        let said = polled();
        assert!(said.starts_with("the async runtime cannot be used: "), "{what}: {said}");
        assert!(said.contains("on its builder"), "{what}: {said}");
    };
    for tokio in bare().into_iter().chain(without_io()) {
        asks("sleep", &|| panic_of(|| tokio.block_on(async { sleep(SHORT).await })));
        asks("now", &|| panic_of(|| tokio.block_on(async { anyio::now() })));
        asks("timeout", &|| panic_of(|| tokio.block_on(async { timeout(SHORT, async {}).await })));
        asks("scope", &|| panic_of(|| tokio.block_on(async { CancelScope::new().run(async {}).await })));
        asks("group", &|| panic_of(|| tokio.block_on(async { task_group(async |_| ()).await })));
        asks("owned group", &|| panic_of(|| tokio.block_on(async { drop(OwnedTaskGroup::new()) })));
        asks("shield", &|| panic_of(|| tokio.block_on(async { shield(async {}).await })));
        asks("clean-up", &|| panic_of(|| tokio.block_on(async { finally(async {}, async {}).await })));
        asks("protect", &|| panic_of(|| tokio.block_on(async { protect(async {}).await })));
    }
}

#[test]
fn what_needs_no_runtime_works_in_any_tokio() {
    for tokio in bare() {
        tokio.block_on(async {
            assert!(!is_cancelled());
            let event = Event::new();
            event.set();
            event.wait().await;
            checkpoint().await;
            sleep(Duration::ZERO).await;
        });
    }
}

#[test]
fn a_run_in_the_poll_of_a_foreign_tokio_is_a_clear_error() {
    for tokio in whole() {
        for nested in [Tokio::current_thread(), Tokio::multi_thread()] {
            let again = nested.clone();
            let outcome = tokio.block_on(async { try_run(nested, async {}) });
            assert!(matches!(outcome, Err(RunError::Nested)), "{outcome:?}");
            let task = async { panic_of(|| anyio::run(again, async {})) };
            let said = tokio.block_on(async { tokio::spawn(task).await.unwrap() });
            assert!(said.contains("await the future instead"), "{said}");
        }
    }
}

#[test]
fn a_block_on_in_the_poll_of_a_foreign_tokio_is_a_clear_error() {
    for tokio in whole() {
        let said = tokio.block_on(async { panic_of(|| anyio::block_on(async {})) });
        assert!(said.contains("await the future instead"), "{said}");
        let task = async { panic_of(|| anyio::block_on(async {})) };
        let said = tokio.block_on(async { tokio::spawn(task).await.unwrap() });
        assert!(said.contains("await the future instead"), "{said}");
    }
}

#[test]
fn a_run_where_tokio_allows_blocking_works() {
    let work = || {
        [Tokio::current_thread(), Tokio::multi_thread()]
            .map(|tokio| try_run(tokio, task_group(async |tg| tg.spawn(async { 7 }).value().await)).unwrap())
    };
    let [one, many] = whole();
    assert_eq!(one.block_on(async { tokio::task::spawn_blocking(work).await.unwrap() }), [Ok(7), Ok(7)]);
    assert_eq!(many.block_on(async { tokio::task::spawn_blocking(work).await.unwrap() }), [Ok(7), Ok(7)]);
    assert_eq!(many.block_on(async { tokio::task::block_in_place(work) }), [Ok(7), Ok(7)]);
}

#[test]
fn a_run_in_a_poll_is_refused_also_where_tokio_would_allow_it() {
    let outcome = anyio::run(Tokio::multi_thread(), async {
        tokio::task::block_in_place(|| try_run(Smol::current_thread(), async {}))
    });
    assert!(matches!(outcome, Err(RunError::Nested)), "{outcome:?}");
}

#[test]
fn a_block_on_where_tokio_allows_blocking_is_in_that_tokio() {
    for tokio in whole() {
        let name = || {
            anyio::block_on(task_group(async |tg| {
                tg.spawn(async { tokio::runtime::Handle::current().id() }).value().await
            }))
        };
        let id = tokio.handle().id();
        assert_eq!(tokio.block_on(async { tokio::task::spawn_blocking(name).await.unwrap() }), Ok(id));
    }
}

#[test]
fn a_block_on_does_not_take_in_what_runs_beside_it() {
    for tokio in whole() {
        let [entered, opened, go] = [(); 3].map(|()| Arc::new(Event::new()));
        let (enters, opens, goes) = (entered.clone(), opened.clone(), go.clone());
        let blocking = move || {
            anyio::block_on(async {
                enters.set();
                opens.wait().await;
            });
        };
        let group = async move {
            let group = task_group(async |tg| {
                let task = tg.spawn(async move { goes.wait().await });
                opened.set();
                task.value().await;
            });
            group.await
        };
        let outcome = tokio.block_on(async {
            let blocked = tokio::task::spawn_blocking(blocking);
            entered.wait().await;
            let neighbour = tokio::spawn(group);
            blocked.await.unwrap();
            go.set();
            neighbour.await.unwrap()
        });
        assert_eq!(outcome, Ok(()));
    }
}

#[test]
fn groups_in_foreign_tasks_inside_a_run_do_not_outlive_it() {
    for recipe in [Tokio::current_thread(), Tokio::multi_thread()] {
        let ended = Arc::new(AtomicUsize::new(0));
        let (task, opened) = (endless(&ended), Arc::new(Event::new()));
        let opens = opened.clone();
        anyio::run(recipe, async {
            tokio::spawn(async move {
                let group = task_group(async |tg| {
                    tg.spawn(task);
                    opens.set();
                });
                group.await
            });
            opened.wait().await;
        });
        assert_eq!(ended.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn outside_a_run_quiesce_waits_for_what_foreign_tokio_code_has_dropped() {
    for tokio in whole() {
        let ended = Arc::new(AtomicUsize::new(0));
        let group = || {
            let task = endless(&ended);
            task_group(async |tg| {
                tg.spawn(task);
                sleep_forever().await;
            })
        };
        tokio.block_on(async {
            tokio::select! {
                _ = group() => unreachable!("its body never ends"),
                () = tokio::time::sleep(SHORT) => {}
            }
            assert!(tokio::time::timeout(SHORT, group()).await.is_err());
            let (begins, began) = tokio::sync::oneshot::channel();
            let aborted = group();
            let task = tokio::spawn(async move {
                begins.send(()).unwrap();
                aborted.await
            });
            began.await.unwrap();
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            assert!(Runtime::current().unwrap().quiesce(LONG).await);
        });
        assert_eq!(ended.load(Ordering::SeqCst), 3);
    }
}

#[test]
fn a_foreign_tokio_has_one_root_that_nobody_cancels() {
    for tokio in whole() {
        let go = Arc::new(Event::new());
        let goes = go.clone();
        tokio.block_on(async {
            let work = protect(async move { goes.wait().await });
            assert!(tokio::time::timeout(SHORT, work).await.is_err());
            let elsewhere = tokio::task::spawn_blocking(|| anyio::block_on(async {}));
            elsewhere.await.unwrap();
            let there = tokio::spawn(async { Runtime::current().unwrap().quiesce(SHORT).await });
            assert!(!there.await.unwrap());
            go.set();
            assert!(Runtime::current().unwrap().quiesce(LONG).await);
        });
    }
}

#[test]
fn a_group_elsewhere_ends_however_tokio_shuts_down() {
    let ways: [fn(tokio::runtime::Runtime); 3] =
        [drop, |tokio| tokio.shutdown_background(), |tokio| tokio.shutdown_timeout(SHORT)];
    for shut_down in ways {
        for tokio in whole() {
            let runtime = Runtime::new(TokioHandle::new(tokio.handle().clone()).unwrap());
            let ended = Arc::new(AtomicUsize::new(0));
            let (task, (opened, opens)) = (endless(&ended), std::sync::mpsc::channel());
            let group = task_group(async move |tg| {
                tg.spawn(task);
                opened.send(()).unwrap();
                sleep_forever().await;
            });
            let runtime = runtime.with_hook(|_| ());
            let waiter = thread::spawn(move || block_on(enter(runtime, group)));
            opens.recv().unwrap();
            shut_down(tokio);
            assert!(is_shutdown(&waiter.join().unwrap().unwrap_err()));
            assert_eq!(ended.load(Ordering::SeqCst), 1);
        }
    }
}

#[test]
fn spawning_on_a_tokio_that_has_shut_down_tells_the_hook() {
    for tokio in whole() {
        let never_ran = Arc::new(AtomicUsize::new(0));
        let counts = never_ran.clone();
        let runtime = Runtime::new(TokioHandle::new(tokio.handle().clone()).unwrap()).with_hook(move |outcome| {
            counts.fetch_add(usize::from(matches!(outcome, Unhandled::NeverRan { .. })), Ordering::SeqCst);
        });
        drop(tokio);
        let outcome = block_on(enter(
            runtime,
            task_group(async |tg| {
                tg.spawn(async {});
                tg.spawn_blocking(|| ());
            }),
        ));
        assert!(is_shutdown(&outcome.unwrap_err()));
        assert_eq!(never_ran.load(Ordering::SeqCst), 2);
    }
}

#[test]
fn time_goes_on_after_tokio_has_shut_down() {
    for tokio in whole() {
        let runtime = Runtime::new(TokioHandle::new(tokio.handle().clone()).unwrap());
        let (started, starts) = std::sync::mpsc::channel();
        let waits = async move {
            let before = anyio::now();
            let slept = async {
                started.send(()).unwrap();
                sleep(5 * SHORT).await;
                sleep(SHORT).await;
            };
            slept.await;
            assert!(anyio::now() - before >= 6 * SHORT);
            timeout(SHORT, sleep_forever()).await.is_err()
        };
        let waiter = thread::spawn(move || block_on(enter(runtime, waits)));
        starts.recv().unwrap();
        drop(tokio);
        assert!(waiter.join().unwrap());
    }
}

#[test]
fn timers_that_are_set_while_tokio_shuts_down_do_not_panic() {
    for _ in 0..20 {
        for tokio in whole() {
            let runtime = Runtime::new(TokioHandle::new(tokio.handle().clone()).unwrap());
            let (started, starts) = std::sync::mpsc::channel();
            let waits = async move {
                started.send(()).unwrap();
                for _ in 0..100 {
                    let short = timeout(Duration::from_micros(10), sleep(Duration::from_micros(5)));
                    let _ = timeout(LONG, futures::future::join(short, async {})).await;
                }
            };
            let waiter = thread::spawn(move || block_on(enter(runtime, waits)));
            starts.recv().unwrap();
            drop(tokio);
            waiter.join().unwrap();
        }
    }
}

#[test]
fn a_handle_to_a_tokio_that_has_shut_down_is_no_panic() {
    for tokio in whole() {
        let handle = tokio.handle().clone();
        drop(tokio);
        let made = catch_unwind(|| TokioHandle::new(handle));
        assert!(made.is_ok());
    }
}

#[test]
fn a_tokio_entered_by_a_guard_is_found() {
    let [one, many] = whole();
    let _one = one.enter();
    {
        let _many = many.enter();
        assert_eq!(Runtime::current().unwrap().name(), "tokio");
        assert_eq!(anyio::block_on(async { tokio::runtime::Handle::current().id() }), many.handle().id());
    }
    assert_eq!(Runtime::current().unwrap().name(), "tokio");
}

#[test]
fn an_explicit_runtime_beats_the_one_around() {
    let name = || Runtime::current().unwrap().name();
    for tokio in whole() {
        let _inside = tokio.enter();
        assert_eq!(name(), "tokio");
        assert_eq!(anyio::run(Smol::current_thread(), async { (name(), anyio::now(), name()).2 }), "smol");
        let there = tokio.block_on(enter(Runtime::new(anyio::SmolHandle::global()), async {
            checkpoint().await;
            task_group(async |tg| {
                tg.spawn(async move { (name(), tokio::runtime::Handle::try_current().is_ok()) }).value().await
            })
            .await
        }));
        assert_eq!(there, Ok(("smol", false)));
    }
}

#[test]
fn the_context_beats_the_runtime_around() {
    let name = || Runtime::current().unwrap().name();
    let [tokio, _] = whole();
    let handle = tokio.handle().clone();
    let names = anyio::run(Smol::current_thread(), async {
        let _inside = handle.enter();
        let in_main = name();
        let in_scope = CancelScope::new().run(async { name() }).await;
        let ambient = task_group(async |tg| tg.spawn(async move { name() }).value().await).await;
        [Ok(in_main), in_scope, ambient]
    });
    assert_eq!(names, [Ok("smol"), Ok("smol"), Ok("smol")]);
}

#[test]
fn each_runtime_is_found_from_inside() {
    let name = || Runtime::current().unwrap().name();
    for tokio in whole() {
        assert_eq!(tokio.block_on(async { name() }), "tokio");
        assert_eq!(tokio.block_on(async { tokio::spawn(async move { name() }).await.unwrap() }), "tokio");
    }
    assert_eq!(async_std::task::block_on(async { name() }), "async-std");
    assert_eq!(async_std::task::block_on(async_std::task::spawn(async move { name() })), "async-std");
    assert_eq!(thread::spawn(name).join().unwrap(), "smol");
    assert_eq!(anyio::block_on(async { name() }), "smol");
}

/// Calls from a raw task, which anyio knows nothing of: of the runtimes that can tell.
#[test]
fn a_portal_refuses_calls_from_raw_tasks() {
    let raw = || {
        portal(async |portal| {
            let (tell, told) = oneshot::channel();
            let task = Task::new(async move { _ = tell.send(portal.call(async { 1 })) });
            Runtime::current().unwrap().backend().spawn(task);
            told.await.unwrap()
        })
    };
    for tokio in whole() {
        assert!(matches!(tokio.block_on(raw()), Ok(Err(PortalError::InsideTask))));
    }
    assert!(matches!(anyio::block_on(raw()), Ok(Err(PortalError::InsideTask))));
    assert!(matches!(async_std::task::block_on(raw()), Ok(Err(PortalError::InsideTask))));
}
