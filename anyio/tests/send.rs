//! The futures that a library builds of anyio's pieces can be spawned, whatever they borrow inside.
//!
//! That is more than that each piece is `Send`: rustc decides it for the whole, after it has forgotten all lifetimes in it
//! (rust-lang/rust#110338), and bounds in the wrong places keep it from seeing it.

use std::error::Error;
use std::io;
use std::time::Duration;

use anyio::sync::CapacityLimiter;
use anyio::{
    CancelScope, ContextVar, FutureExt as _, GroupError, OwnedTaskGroup, as_completed, bracket, checkpoint, finally,
    for_each_concurrent, gather, gather_settled, map_concurrent, portal, race, race_ok, race_staggered, scoped_group,
    shield, task_group, timeout, to_thread, try_gather, try_map_concurrent, try_scoped_group, try_task_group, wait_any,
};

type BoxError = Box<dyn Error + Send + Sync>;

/// What every function that spawns asks for.
fn spawnable<F: Future + Send + 'static>(_future: F) {}

fn lines() -> Vec<String> {
    vec![String::from("one"), String::from("two")]
}

async fn sum(lines: &[String]) -> usize {
    let sum = task_group(async |tg| {
        let lengths: Vec<_> = lines.iter().cloned().map(|line| tg.spawn(async move { line.len() })).collect();
        let mut sum = 0;
        for length in lengths {
            sum += length.value().await;
        }
        sum
    });
    sum.await.unwrap()
}

#[test]
fn a_group_that_borrows() {
    spawnable(async { sum(&lines()).await });
}

#[test]
fn a_group_in_a_timeout_in_a_scope_in_a_shield() {
    async fn library(lines: &[String]) -> usize {
        let mut sum = 0;
        let group = task_group(async |_| {
            checkpoint().await;
            sum += lines.len();
        });
        let scope = CancelScope::new().run(timeout(Duration::MAX, group));
        shield(scope).await.unwrap().unwrap().unwrap();
        sum
    }
    spawnable(async { library(&lines()).await });
}

#[test]
fn groups_in_a_foreign_join() {
    async fn library(lines: &[String]) -> usize {
        let first = task_group(async |_| lines.len());
        let second = task_group(async |_| sum(lines).await).timeout(Duration::MAX);
        let (first, second) = futures::join!(first, second);
        first.unwrap() + second.unwrap().unwrap()
    }
    spawnable(async { library(&lines()).await });
}

#[test]
fn a_group_that_fails_with_a_clean_up_that_borrows() {
    async fn library(lines: &[String], log: &mut Vec<usize>) -> Result<usize, GroupError<io::Error>> {
        let group = try_task_group(async |tg| {
            tg.spawn(async { Ok(()) });
            Ok(sum(lines).await)
        });
        let clean_up = async {
            checkpoint().await;
            log.push(lines.len());
        };
        finally(timeout(Duration::MAX, group), clean_up).await.unwrap().unwrap()
    }
    spawnable(async { library(&lines(), &mut Vec::new()).await });
}

#[test]
fn a_bracket_in_a_scope() {
    async fn library(lines: &[String]) -> usize {
        let body = async |text: &mut String| {
            checkpoint().await;
            text.push_str(&lines[0]);
            text.len()
        };
        CancelScope::new().run(bracket(String::new(), body, async |text: String| drop(text))).await.unwrap().unwrap()
    }
    spawnable(async { library(&lines()).await });
}

#[test]
fn a_group_of_boxed_errors() {
    async fn library(lines: &[String]) -> Result<usize, BoxError> {
        let sum = try_task_group(async |tg| {
            tg.spawn(async { Ok("1".parse::<usize>()?) });
            checkpoint().await;
            Ok::<_, BoxError>(lines.len())
        });
        Ok(timeout(Duration::MAX, sum).await??)
    }
    spawnable(async { library(&lines()).await });
}

#[test]
fn nested_groups_of_boxed_errors_that_start_and_spawn_from_tasks() {
    let group = try_task_group(async |tg| {
        let siblings = tg.clone();
        tg.spawn(async move {
            checkpoint().await;
            siblings.spawn(async { Ok::<(), BoxError>(()) });
            Ok(())
        });
        tg.spawn(async {
            let inner = try_task_group(async |tg| {
                tg.spawn(async { Ok::<(), BoxError>(()) });
                checkpoint().await;
                Ok(())
            });
            Ok(inner.await?)
        });
        let started = tg.start(async |started| {
            checkpoint().await;
            started.started(1).ok();
            Ok::<(), BoxError>(())
        });
        started.await.ok();
        Ok(())
    });
    let library = async { group.await.is_ok() };
    spawnable(library);
}

#[test]
fn an_owned_group_of_boxed_errors() {
    spawnable(async {
        let tasks = OwnedTaskGroup::fallible();
        tasks.spawn(async { Err::<(), BoxError>("gone".into()) });
        checkpoint().await;
        tasks.close().await
    });
}

#[test]
fn primitives_that_are_borrowed() {
    use anyio::channel::broadcast::Overflow;
    use anyio::channel::{bounded, broadcast, oneshot, watch};
    use anyio::sync::{Barrier, Condition, Event, Mutex, OnceCell, RwLock, Semaphore};

    async fn library(lines: &mut Vec<String>) -> usize {
        let (event, barrier, condition) = (Event::new(), Barrier::new(1), Condition::new());
        event.set();
        event.wait().await;
        barrier.wait().await;
        let (mutex, lock, semaphore) = (Mutex::new(&mut *lines), RwLock::new(1), Semaphore::new(1));
        let permit = semaphore.acquire().await;
        let guard = condition.wait_while(mutex.lock().await, |lines| lines.is_empty()).await;
        let reading = lock.read().await;
        let cell = OnceCell::new();
        let length = cell.get_or_init(async || guard.len()).await;
        drop((permit, reading));
        lock.write().await.clone_from(length);
        *length
    }
    async fn channels(lines: &[String]) -> usize {
        let (sender, mut receiver) = bounded(1);
        sender.reserve().await.unwrap().send(lines).unwrap();
        let (one, answer) = oneshot::channel();
        one.send(receiver.next().await.unwrap().len()).unwrap();
        let (setting, mut latest) = watch::channel(0);
        setting.send(answer.await.unwrap()).unwrap();
        latest.changed().await.unwrap();
        let (news, mut heard) = broadcast::channel(1, Overflow::Wait);
        news.send(*latest.borrow()).await.unwrap();
        sender.send(&[]).await.unwrap();
        receiver.recv().await.unwrap();
        heard.recv().await.unwrap()
    }
    spawnable(async { library(&mut lines()).await + channels(&lines()).await });
}

#[test]
fn primitives_are_shared_where_their_contents_may_be() {
    use std::cell::Cell;

    use anyio::channel::{Permit, Receiver, Sender, broadcast, oneshot, watch};
    use anyio::sync::{Mutex, MutexGuard, OnceCell, OwnedMutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<(Mutex<Cell<u8>>, RwLock<u8>, OnceCell<u8>)>();
    shared::<(Sender<Cell<u8>>, Receiver<Cell<u8>>, oneshot::Sender<Cell<u8>>, oneshot::Receiver<Cell<u8>>)>();
    shared::<(watch::Sender<u8>, watch::Receiver<u8>, broadcast::Sender<u8>, broadcast::Receiver<u8>)>();
    sent::<(MutexGuard<'static, u8>, OwnedMutexGuard<u8>, Permit<'static, u8>)>();
    sent::<(RwLockReadGuard<'static, u8>, RwLockWriteGuard<'static, u8>)>();
}

#[test]
fn waiting_for_threads_limiters_and_values() {
    static NUMBER: ContextVar<u32> = ContextVar::new();
    async fn library(lines: &[String]) -> usize {
        let limiter = CapacityLimiter::new(1);
        let _token = limiter.acquire().await;
        let owned = lines.to_vec();
        let job = to_thread::run(move || owned.len()).limiter(&limiter).abandon_on_cancel();
        NUMBER.scope(1, timeout(Duration::MAX, job)).await.unwrap()
    }
    spawnable(async { library(&lines()).await });
}

#[test]
fn a_portal_that_borrows() {
    spawnable(async {
        let lines = lines();
        let first = portal(async |portal| {
            let call = portal.spawn(async { 1 }).expect("it is open");
            (call.await, sum(&lines).await)
        });
        first.await.unwrap()
    });
}

async fn length(line: &str) -> Result<usize, BoxError> {
    checkpoint().await;
    Ok(line.parse::<usize>()?)
}

#[test]
fn a_scoped_group_that_borrows_in_a_timeout_in_a_scope() {
    async fn library(lines: &[String]) -> usize {
        let mut sum = 0;
        let group = scoped_group(async |s| {
            let lengths: Vec<_> = lines.iter().map(|line| s.spawn(async move { line.len() })).collect();
            for length in wait_any(lengths).await.0 {
                sum += length.value().await;
            }
        });
        let scope = CancelScope::new().run(timeout(Duration::MAX, group));
        shield(scope).await.unwrap().unwrap().unwrap();
        sum
    }
    spawnable(async { library(&lines()).await });
}

#[test]
fn scoped_groups_of_boxed_errors_that_start_and_spawn_from_tasks() {
    async fn library(lines: &[String]) -> Result<usize, BoxError> {
        let group = try_scoped_group(async |s| {
            let siblings = s.clone();
            s.spawn(async move {
                checkpoint().await;
                siblings.spawn(async { length(&lines[0]).await });
                Ok(())
            });
            let started = s.start(async |started| {
                checkpoint().await;
                started.started(lines.len()).ok();
                Ok(())
            });
            let inner = try_scoped_group(async |s| {
                s.spawn(async { length(&lines[1]).await });
                checkpoint().await;
                Ok::<_, BoxError>(())
            });
            inner.await?;
            Ok::<_, BoxError>(started.await.unwrap_or_default())
        });
        Ok(timeout(Duration::MAX, group).await??)
    }
    spawnable(async { library(&lines()).await });
}

#[test]
fn combinators_that_borrow() {
    async fn library(lines: &[String]) -> Result<usize, BoxError> {
        let lengths = gather((async { lines.len() }, sum(lines))).timeout(Duration::MAX).await??;
        let (first, _) = gather_settled((sum(lines), sum(lines))).await?;
        let raced = timeout(Duration::MAX, race([sum(lines), sum(lines)])).await??;
        let mut outputs = as_completed(lines.iter().map(async |line| line.len()));
        let any = outputs.next().await.transpose()?;
        Ok(lengths.0 + first? + raced + any.unwrap_or_default())
    }
    spawnable(async { library(&lines()).await });
}

#[test]
fn combinators_of_boxed_errors() {
    async fn library(lines: &[String]) -> Result<usize, BoxError> {
        let (one, two) = timeout(Duration::MAX, try_gather((length(&lines[0]), length(&lines[1])))).await??;
        let tried = timeout(Duration::MAX, race_ok([length(&lines[0]), length(&lines[1])])).await?;
        let staggered = race_staggered(Duration::MAX, lines.iter().map(|line| length(line))).await;
        Ok(one + two + tried.unwrap_or_default() + staggered.unwrap_or_default())
    }
    spawnable(async { library(&lines()).await });
}

#[test]
fn work_on_many_items_that_borrows() {
    async fn library(lines: &[String], offset: &usize) -> Result<usize, BoxError> {
        let lengths = timeout(Duration::MAX, map_concurrent(lines, 2, async |line| line.len() + offset)).await??;
        let parsed = timeout(Duration::MAX, try_map_concurrent(lines, 2, |line| length(line))).await??;
        for_each_concurrent(futures::stream::iter(lines), 2, async |_| checkpoint().await).await?;
        Ok(lengths.len() + parsed.len())
    }
    spawnable(async { library(&lines(), &1).await });
}

#[cfg(feature = "testing")]
mod testing {
    use anyio::testing::{
        Faults, MemoryReceiveStream, MemorySendStream, MemoryStream, SequenceStep, Sequencer, Tally, TallyToken,
        assert_cancel_safe, assert_cancels, assert_checkpoints, assert_no_checkpoints, lockstep_stream_pair,
        wait_all_tasks_blocked,
    };

    use super::{checkpoint, lines, spawnable};

    fn shareable<T: Send + Sync>() {}

    #[test]
    fn the_testing_kit() {
        async fn test(lines: &[String], sequencer: &Sequencer) -> usize {
            let step = sequencer.step(0).await;
            let (client, server) = lockstep_stream_pair();
            client.send_faults().before_each(checkpoint);
            client.send_all(lines[0].as_bytes()).await.unwrap();
            let received = server.receive_some(lines.len()).await.unwrap();
            client.close().await;
            wait_all_tasks_blocked().await;
            assert_checkpoints(checkpoint()).await;
            assert_no_checkpoints(async { step.number() }).await;
            assert_cancels(async { lines.len() }).await.unwrap_or_default() + received.len()
        }
        spawnable(async { test(&lines(), &Sequencer::new()).await });
        spawnable(assert_cancel_safe(async || vec![1], async |numbers: &mut Vec<i32>| numbers.pop()));
        shareable::<(Faults, MemoryReceiveStream, MemorySendStream, MemoryStream)>();
        shareable::<(SequenceStep, Sequencer, Tally, TallyToken)>();
    }
}
