//! What the simulator and its explorers promise, seen from what is built above them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyio::sync::{Mutex, Semaphore};
use anyio::testing::{
    CancelEverywhere, Explorer, Interruption, Recording, Schedule, Trial, assert_no_leaks, cancel_everywhere, explore,
    explore_exhaustively, wait_all_tasks_blocked,
};
use anyio::{
    Event, Runtime, Sim, SimHandle, Tokio, checkpoint, finally, from_thread, now, run, sleep, task_group, timeout,
    to_thread,
};

const DAY: Duration = Duration::from_secs(86_400);

/// What the panic of `test` says.
fn panic_of(test: impl FnOnce()) -> String {
    anyio_backend_sim::attempt(test).unwrap_err()
}

/// The name of the runtime in use.
fn name_here() -> &'static str {
    Runtime::current().unwrap().name()
}

#[test]
fn a_day_takes_no_time() {
    let real = Instant::now();
    let slept = run(Sim::new(), async {
        let start = now();
        sleep(DAY).await;
        now() - start
    });
    assert_eq!(slept, DAY);
    assert!(real.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_thread_is_in_a_simulation_only_while_that_runs() {
    for _ in 0..2 {
        let (id, number) = run(Sim::new(), async { (SimHandle::current().unwrap().id(), SimHandle::current_id()) });
        assert_eq!(number, Some(id));
        assert_eq!(SimHandle::current_id(), None);
        let name = run(Tokio::current_thread(), async { tokio::spawn(async { name_here() }).await.unwrap() });
        assert_eq!(name, "tokio");
    }
}

#[test]
fn the_clock_stands_while_anything_can_go_on() {
    run(Sim::new(), async {
        let start = now();
        let busy = async {
            for _ in 0..500 {
                checkpoint().await;
            }
            now() - start
        };
        assert_eq!(timeout(Duration::from_nanos(1), busy).await, Ok(Duration::ZERO));
    });
}

#[test]
fn a_paused_clock_is_moved_by_hand() {
    let woken = Arc::new(AtomicUsize::new(0));
    let counts = woken.clone();
    run(Sim::new().paused(), async move {
        let sim = SimHandle::current().unwrap();
        let group = task_group(async |tg| {
            for hours in 1..=3 {
                let counts = counts.clone();
                tg.spawn(async move {
                    sleep(Duration::from_secs(3600 * hours)).await;
                    counts.fetch_add(1, Ordering::SeqCst);
                });
            }
            sim.advance(Duration::from_secs(2 * 3600)).await;
            assert_eq!(counts.load(Ordering::SeqCst), 2);
            sim.advance(Duration::from_secs(3600)).await;
            assert_eq!(counts.load(Ordering::SeqCst), 3);
        });
        group.await.unwrap();
        assert_eq!(sim.elapsed(), Duration::from_secs(3 * 3600));
    });
}

#[test]
fn all_tasks_blocked_is_told_before_the_clock_moves() {
    run(Sim::new(), async {
        let start = now();
        let group = task_group(async |tg| {
            tg.spawn(sleep(DAY));
            wait_all_tasks_blocked().await;
            let waited = now() - start;
            tg.cancel();
            waited
        });
        assert_eq!(group.await, Ok(Duration::ZERO));
    });
}

/// A program with tasks, timers, a lock and jobs.
async fn program(log: Arc<std::sync::Mutex<String>>) {
    let lock = Arc::new(Mutex::new(()));
    let group = task_group(async |tg| {
        for n in 0..8_u64 {
            let (log, lock) = (log.clone(), lock.clone());
            tg.spawn(async move {
                sleep(Duration::from_millis(n % 3)).await;
                let guard = lock.lock().await;
                checkpoint().await;
                let job = to_thread::run(move || from_thread::run(async move { n }).unwrap()).await;
                log.lock().unwrap().push_str(&format!("{job} "));
                drop(guard);
            });
        }
    });
    group.await.unwrap();
}

fn transcript(schedule: Schedule) -> (String, String) {
    let (recording, log) = (Recording::new(), Arc::default());
    run(Sim::new().schedule(schedule).record(&recording), program(Arc::clone(&log)));
    let log = log.lock().unwrap().clone();
    (recording.to_string(), log)
}

#[test]
fn the_same_schedule_gives_the_same_transcript() {
    let mut logs = std::collections::HashSet::new();
    for seed in 0..20 {
        let first = transcript(Schedule::seeded(seed));
        assert_eq!(first, transcript(Schedule::seeded(seed)), "seed {seed}");
        logs.insert(first.1);
    }
    assert!(logs.len() > 5, "the schedules differ: {logs:?}");
}

#[test]
fn a_deadlock_is_reported_with_its_tasks() {
    let report = panic_of(|| {
        run(Sim::new(), async {
            let (first, second) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
            let group = task_group(async |tg| {
                for (name, a, b) in [("one", first.clone(), second.clone()), ("two", second, first)] {
                    tg.task().name(name).spawn(async move {
                        let _a = a.lock().await;
                        checkpoint().await;
                        let _b = b.lock().await;
                    });
                }
            });
            group.await.unwrap();
        });
    });
    let line = line!() - 7;
    assert!(report.contains("all tasks wait, and there is no timer"), "{report}");
    for name in ["one", "two"] {
        let waits = report.lines().find(|text| text.contains(name)).unwrap();
        assert!(waits.contains(&format!("simulator.rs:{line}")), "{report}");
    }
    assert!(report.contains("main waits for the tasks below it to end"), "{report}");
    assert!(report.contains("ANYIO_SIM_SCHEDULE=fifo"), "{report}");
}

#[test]
fn a_wake_that_never_comes_is_reported() {
    let report = panic_of(|| run(Sim::new(), std::future::pending()));
    assert!(report.contains("main waits for something that is not anyio's"), "{report}");
}

#[test]
fn a_loop_without_end_is_reported() {
    let report = panic_of(|| {
        run(Sim::new().poll_limit(10_000), async {
            let group = task_group(async |tg| {
                tg.task().name("spinner").spawn(async {
                    loop {
                        checkpoint().await;
                    }
                });
            });
            group.await.unwrap();
        });
    });
    assert!(report.contains("tasks go on and on"), "{report}");
    assert!(report.contains("spinner"), "{report}");
}

#[test]
fn a_job_that_blocks_is_reported() {
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    let never = std::sync::Mutex::new(never);
    let report = panic_of(|| {
        run(Sim::new().watchdog(Duration::from_millis(200)), async {
            to_thread::run(move || _ = never.lock().unwrap().recv_timeout(Duration::from_secs(5))).await;
        });
    });
    assert!(report.contains("a blocking job did not come to its end"), "{report}");
}

/// Two tasks that read, wait and write: an update is lost unless one goes first.
async fn lost_update() {
    let value = Arc::new(AtomicUsize::new(0));
    let group = task_group(async |tg| {
        for _ in 0..2 {
            let value = value.clone();
            tg.spawn(async move {
                let read = value.load(Ordering::SeqCst);
                checkpoint().await;
                value.store(read + 1, Ordering::SeqCst);
            });
        }
    });
    group.await.unwrap();
    assert_eq!(value.load(Ordering::SeqCst), 2);
}

/// A worker that has the value ready only if it goes before the one that asks for it.
async fn order_matters() {
    let ready = Arc::new(AtomicUsize::new(0));
    let asks = ready.clone();
    let group = task_group(async |tg| {
        tg.spawn(async move { ready.store(1, Ordering::SeqCst) });
        tg.spawn(async move { assert_eq!(asks.load(Ordering::SeqCst), 1, "too early") });
    });
    group.await.unwrap();
}

#[test]
fn an_explorer_finds_what_depends_on_the_order() {
    run(Sim::new().schedule(Schedule::fifo()), order_matters());
    let failure = Explorer::new().schedules(100).run(|sim| run(sim, order_matters())).unwrap_err();
    assert!(failure.message().contains("too early"), "{failure}");
    let again = panic_of(|| run(Sim::new().schedule(failure.simplest()), order_matters()));
    assert_eq!(again, failure.message());
    let same = panic_of(|| run(Sim::new().schedule(failure.schedule().clone()), order_matters()));
    assert_eq!(same, failure.message());
    assert!(failure.simplest().to_string().split(',').count() <= 2, "{failure}");
}

#[test]
fn a_walk_finds_what_depends_on_the_order_and_knows_when_it_is_complete() {
    let failure = panic_of(|| _ = explore_exhaustively(10_000, |sim| run(sim, order_matters())));
    assert!(failure.contains("too early"), "{failure}");
    let done = explore_exhaustively(10_000, |sim| {
        run(sim, async {
            let group = task_group(async |tg| {
                for _ in 0..3 {
                    tg.spawn(async {});
                }
            });
            group.await.unwrap();
        })
    });
    assert!(done.is_complete());
    assert_eq!(done.schedules(), 6, "three tasks in any order");
    let cut = explore_exhaustively(4, |sim| {
        run(sim, async {
            let group = task_group(async |tg| {
                for _ in 0..3 {
                    tg.spawn(async {});
                }
            });
            group.await.unwrap();
        })
    });
    assert!(!cut.is_complete());
}

#[test]
#[ignore = "run by the test below, with a schedule in the environment"]
fn run_by_the_test_below() {
    let runs = AtomicUsize::new(0);
    let counted = |sim| {
        runs.fetch_add(1, Ordering::SeqCst);
        run(sim, async {
            let group = task_group(async |tg| (0..3).for_each(|_| drop(tg.spawn(async {}))));
            group.await.unwrap();
        });
    };
    explore(10, counted);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    explore_exhaustively(10, counted);
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[test]
fn the_environment_asks_for_one_run() {
    for (variable, schedule) in [("ANYIO_SIM_SEED", "3"), ("ANYIO_SIM_SCHEDULE", "replay:0=1")] {
        let mut test = std::process::Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "run_by_the_test_below", "--ignored"]).env(variable, schedule);
        let output = test.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn what_holds_is_explored_to_the_end() {
    let explored = explore(200, |sim| {
        run(sim, async {
            let gate = Arc::new(Event::new());
            let group = task_group(async |tg| {
                for _ in 0..4 {
                    let gate = gate.clone();
                    tg.spawn(async move { gate.wait().await });
                }
                gate.set();
            });
            group.await.unwrap();
        })
    });
    assert_eq!(explored.schedules(), 200);
    assert!(explored.distinct() > 10, "{explored:?}");
    assert!(panic_of(|| _ = explore(10, |sim| run(sim, lost_update()))).contains("left: 1"));
}

/// Is in time, unless polls take too long.
fn in_time(sim: Sim) {
    run(sim.slow_polls(Duration::from_millis(2)), async {
        let work = async {
            for _ in 0..10 {
                checkpoint().await;
            }
        };
        timeout(Duration::from_millis(10), work).await.expect("it is fast enough");
    });
}

#[test]
fn polls_may_take_time() {
    let early = Explorer::new().schedules(200).run(in_time);
    let failure = early.expect_err("a busy machine is too slow now and then");
    assert_eq!(panic_of(|| in_time(Sim::new().schedule(failure.simplest()))), failure.message());
}

#[test]
fn what_is_cancel_safe_stands_it_everywhere() {
    let done = cancel_everywhere(|| {
        let permits = Arc::new(Semaphore::new(1));
        let uses = permits.clone();
        Trial::new(async move {
            let group = task_group(async |tg| {
                for _ in 0..3 {
                    let uses = uses.clone();
                    tg.spawn(async move {
                        let _permit = uses.acquire().await;
                        sleep(Duration::from_millis(1)).await;
                    });
                }
            });
            _ = group.await;
        })
        .afterwards(async move { assert_eq!(permits.available_permits(), 1) })
    });
    assert!(done.suspensions() >= 8, "{done:?}");
}

#[test]
fn what_is_lost_when_it_is_interrupted_is_found_with_its_place() {
    let failure = CancelEverywhere::new()
        .run(|| {
            let balance = Arc::new(AtomicUsize::new(10));
            let moves = balance.clone();
            Trial::new(async move {
                moves.fetch_sub(1, Ordering::SeqCst);
                sleep(DAY).await;
                moves.fetch_add(1, Ordering::SeqCst);
            })
            .afterwards(async move { assert_eq!(balance.load(Ordering::SeqCst), 10) })
        })
        .unwrap_err();
    let line = line!() - 6;
    assert_eq!(failure.interruption(), Some(Interruption::Cancel));
    assert!(failure.suspension().unwrap().to_string().contains(&format!("simulator.rs:{line}")), "{failure}");
    assert!(failure.message().contains("left: 9"), "{failure}");
}

#[test]
fn each_way_to_interrupt_is_seen_by_the_body() {
    for interruption in Interruption::ALL {
        let failure = CancelEverywhere::new().interruptions([interruption]).run(|| {
            let done = Arc::new(AtomicUsize::new(0));
            let ends = done.clone();
            Trial::new(async move {
                sleep(DAY).await;
                ends.store(1, Ordering::SeqCst);
            })
            .afterwards(async move { assert_eq!(done.load(Ordering::SeqCst), 1) })
        });
        assert_eq!(failure.unwrap_err().interruption(), Some(interruption));
    }
}

#[test]
fn clean_ups_that_run_stand_all_but_being_dropped_with_what_they_clean_up() {
    let make = || {
        let cleaned = anyio::testing::Tally::new();
        let marks = cleaned.clone();
        Trial::new(async move { _ = finally(sleep(DAY), async move { marks.mark() }).await })
            .afterwards(async move { cleaned.assert_once() })
    };
    let stands = Interruption::ALL.into_iter().filter(|interruption| *interruption != Interruption::Drop);
    CancelEverywhere::new().interruptions(stands).run(make).unwrap();
    let failure = CancelEverywhere::new().run(make).unwrap_err();
    assert_eq!(failure.interruption(), Some(Interruption::Drop));
}

#[test]
fn a_trial_that_fails_by_itself_says_so() {
    let failure = CancelEverywhere::new().run(|| async { panic!("broken") }).unwrap_err();
    assert_eq!((failure.interruption(), failure.message()), (None, "broken"));
}

#[test]
fn what_is_left_behind_is_found() {
    let left = |work: fn() -> std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        panic_of(|| run(Sim::new(), assert_no_leaks(work())))
    };
    let task = left(|| {
        Box::pin(async {
            let group = anyio::OwnedTaskGroup::new();
            group.task().name("forgotten").spawn(anyio::sleep_forever());
            std::mem::forget(group);
        })
    });
    assert!(task.contains("tasks are left") && task.contains("forgotten"), "{task}");
    let clean_up = left(|| {
        Box::pin(async {
            let body = finally(sleep(DAY), async {});
            _ = futures::poll!(Box::pin(body));
        })
    });
    assert!(clean_up.contains("clean-up set up at"), "{clean_up}");
    let future = left(|| {
        Box::pin(async {
            let scope = anyio::CancelScope::new().run(async {
                let mut inner = Box::pin(anyio::shield_for(DAY, sleep(DAY)));
                _ = futures::poll!(&mut inner);
                std::mem::forget(inner);
            });
            _ = scope.await;
        })
    });
    assert!(future.contains("polled by reference"), "{future}");
    assert_eq!(run(Sim::new(), assert_no_leaks(async { 1 })), 1);
}

/// A task that waits for a timer of another runtime.
async fn foreign_timer() {
    let group = task_group(async |tg| {
        tg.task().name("foreigner").spawn(async { _ = smol::Timer::after(Duration::from_millis(20)).await });
    });
    group.await.unwrap();
}

#[test]
fn what_only_another_runtime_wakes_is_reported() {
    let report = panic_of(|| run(Sim::new(), foreign_timer()));
    let line = report.lines().find(|line| line.contains("foreigner")).unwrap();
    assert!(line.contains("waits for something that is not anyio's"), "{report}");
    assert!(report.contains("follow_real_time"), "{report}");
}

#[test]
fn what_another_runtime_wakes_is_waited_for_once_it_is_announced() {
    run(Sim::new(), async {
        let _outside = SimHandle::current().unwrap().follow_real_time();
        foreign_timer().await;
    });
}

#[test]
fn an_outsider_that_does_nothing_is_reported() {
    let report = panic_of(|| {
        run(Sim::new().watchdog(Duration::from_millis(200)), async {
            let _outside = SimHandle::current().unwrap().follow_real_time();
            std::future::pending::<()>().await
        });
    });
    assert!(report.contains("the threads from outside that are at work do nothing"), "{report}");
}

/// To be run in a process of its own.
#[test]
#[ignore = "it blocks its thread, and the watchdog ends the process"]
fn a_task_blocks_its_thread() {
    run(Sim::new().watchdog(Duration::from_millis(300)), async {
        let group = task_group(async |tg| {
            tg.task().name("blocker").spawn(async { std::thread::sleep(Duration::from_secs(60)) });
        });
        group.await.unwrap();
    });
}

#[test]
fn a_task_that_blocks_its_thread_is_named_by_the_watchdog() {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "a_task_blocks_its_thread", "--ignored", "--nocapture"];
    let output = std::process::Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    let named = said.lines().find(|line| line.contains("it concerns")).unwrap_or_default();
    assert!(named.contains("blocker"), "{said}");
}

#[test]
fn a_simulation_inside_another_is_refused() {
    run(Sim::new(), async {
        assert!(matches!(anyio::try_run(Sim::new(), async {}), Err(anyio::RunError::Nested)));
    });
}

#[test]
fn a_started_portal_into_a_simulation_waits_for_its_callers() {
    let portal = from_thread::start_blocking_portal(Sim::new()).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let slept = portal.call(async {
        sleep(Duration::from_millis(5)).await;
        1
    });
    assert_eq!(slept.unwrap(), 1);
    portal.join().unwrap();
}

#[test]
fn a_report_does_not_name_what_is_over() {
    let report = panic_of(|| {
        run(Sim::new(), async {
            checkpoint().await;
            std::future::pending::<()>().await;
        });
    });
    assert!(report.contains("main waits for something that is not anyio's"), "{report}");
}

#[test]
fn who_waits_for_all_to_be_blocked_again_and_again_lets_time_pass() {
    let woken = Arc::new(AtomicUsize::new(0));
    run(Sim::new(), async move {
        let group = task_group(async |tg| {
            let wakes = woken.clone();
            tg.spawn(async move {
                sleep(Duration::from_millis(1)).await;
                wakes.store(1, Ordering::SeqCst);
            });
            while woken.load(Ordering::SeqCst) == 0 {
                wait_all_tasks_blocked().await;
            }
        });
        group.await.unwrap();
    });
}

#[test]
fn time_that_passes_without_end_is_reported() {
    let report = panic_of(|| {
        run(Sim::new().poll_limit(10_000), async {
            let group = task_group(async |tg| {
                tg.spawn(std::future::pending::<()>());
                tg.spawn(async {
                    loop {
                        sleep(Duration::from_secs(1)).await;
                    }
                });
            });
            group.await.unwrap();
        });
    });
    assert!(report.contains("tasks go on and on"), "{report}");
}

#[test]
fn a_timer_is_waited_for_beside_outsiders_however_long_it_takes() {
    run(Sim::new().watchdog(Duration::from_millis(100)), async {
        let _outside = SimHandle::current().unwrap().follow_real_time();
        sleep(Duration::from_millis(400)).await;
    });
}

#[test]
fn a_clock_that_was_moved_goes_on_from_there() {
    let real = Instant::now();
    run(Sim::new(), async {
        let sim = SimHandle::current().unwrap();
        let _outside = sim.follow_real_time();
        sim.advance(DAY).await;
        sleep(Duration::from_millis(5)).await;
        sim.pause();
        let paused = now();
        std::thread::sleep(Duration::from_millis(300));
        sim.resume();
        assert!(now() - paused < Duration::from_millis(250));
    });
    assert!(real.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_portal_that_is_stopped_waits_for_what_its_callers_are_to_do() {
    let portal = from_thread::start_blocking_portal(Sim::new()).unwrap();
    let (sender, receiver) = anyio::channel::oneshot::channel();
    let task = portal.spawn(async move { receiver.await.unwrap() });
    portal.stop();
    std::thread::sleep(Duration::from_millis(50));
    sender.send(7).unwrap();
    assert_eq!(task.unwrap().join().unwrap(), 7);
    portal.join().unwrap();
}

#[test]
fn only_the_trial_is_interrupted() {
    let cancel = CancelEverywhere::new().interruptions([Interruption::Cancel]);
    assert_eq!(cancel.clone().run(|| async {}).unwrap().suspensions(), 0);
    let trial = || Trial::new(sleep(DAY)).afterwards(async { sleep(DAY).await });
    assert_eq!(cancel.run(trial).unwrap().suspensions(), 1);
}

#[test]
fn a_clean_up_may_take_its_time() {
    let make = || async { _ = finally(sleep(DAY), sleep(DAY)).await };
    let stands = Interruption::ALL.into_iter().filter(|interruption| *interruption != Interruption::Drop);
    CancelEverywhere::new().interruptions(stands).run(make).unwrap();
}

#[test]
fn what_computes_is_bounded_alike_on_every_machine() {
    run(Sim::new(), async { assert_eq!(to_thread::cpu_limiter().total(), 4) });
}

#[test]
fn a_sibling_that_fails_does_so_before_anything_else_goes_on() {
    let made = AtomicUsize::new(0);
    let interrupted = CancelEverywhere::new().interruptions([Interruption::SiblingFails]).run(|| {
        // After the first run, which nothing disturbs, each is interrupted one suspension later than the one before.
        let suspension = made.fetch_add(1, Ordering::SeqCst);
        let steps = Arc::new(AtomicUsize::new(0));
        let counts = steps.clone();
        Trial::new(async move {
            for _ in 0..20 {
                counts.fetch_add(1, Ordering::SeqCst);
                checkpoint().await;
            }
        })
        // From suspension 3 on, all are of the body, which gets one more poll as it is cut short.
        .afterwards(async move {
            let late = (3..20).contains(&suspension) && steps.load(Ordering::SeqCst) > suspension;
            assert!(!late, "{steps:?} steps with a failure at suspension {suspension}");
        })
    });
    assert!(interrupted.is_ok(), "{}", interrupted.unwrap_err());
}

#[test]
fn what_is_woken_at_one_moment_goes_on_before_the_next() {
    run(Sim::new().paused(), async {
        let sim = SimHandle::current().unwrap();
        let start = now();
        let group = task_group(async |tg| {
            let woken = tg.spawn(async move {
                sleep(Duration::from_secs(1)).await;
                now() - start
            });
            tg.spawn(sleep(Duration::from_secs(2)));
            futures::join!(sim.advance(Duration::from_secs(3)), sim.advance(Duration::from_secs(3)));
            assert_eq!(woken.value().await, Duration::from_secs(1));
        });
        group.await.unwrap();
    });
}
