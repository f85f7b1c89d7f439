//! Cases of the law X4: runtimes that shut down under scoped groups, combinators, channels, locks and portals.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use anyio::channel::{self, RecvError, SendError, broadcast, oneshot as answer, watch};
use anyio::from_thread::{BlockingPortal, PortalError, PortalTask};
use anyio::sync::{Borrower, CapacityLimiter, Condition, Mutex, RwLock, Semaphore};
use anyio::{
    Cancelled, TaskGroup, TaskHandle, as_completed, enter, gather, gather_settled, local_scoped_group, map_concurrent,
    portal, race, scoped_group, sleep, sleep_forever, task_group,
};
use futures::channel::oneshot;
use futures::future::join;

use crate::fixture::{Dropped, Drops, SHORT, block_on};
use crate::steps::{Other, Sent, ended_by_shutdown, is_shutdown, on_thread, until};

/// Has what `work` makes polled by a task of another runtime, which shuts down once `work` has sent something outside.
///
/// Gives what was sent, and whether the runtime has shut down: where it never does the task was cancelled instead.
async fn goes_down<S: Send + 'static, W>(work: impl FnOnce(oneshot::Sender<S>) -> W) -> (S, bool)
where
    W: Future<Output = ()> + Send + 'static,
{
    let other = Other::start();
    let (begun, begins) = oneshot::channel();
    let (opened, opens) = oneshot::channel();
    let work = work(begun);
    let waiter = other.wait_for(task_group(|tg: TaskGroup| async move {
        let task = tg.spawn(work);
        assert!(opened.send((tg, task)).is_ok());
        sleep_forever().await;
    }));
    let (group, task) = opens.await.unwrap();
    let sent = begins.await.unwrap();
    let down = !other.shut_down().await;
    if !down {
        group.cancel();
    }
    assert_eq!(ended_by_shutdown(task.await), down);
    assert_eq!(waiter.join().unwrap().is_err_and(|cancelled| is_shutdown(&cancelled)), down);
    (sent, down)
}

async fn keep(token: Dropped) {
    let _token = token;
    sleep_forever().await
}

/// A group that ends with its task, which lets the outside see it; what it comes to is a value here.
async fn group_of_one(opened: oneshot::Sender<TaskGroup>, token: Dropped) -> Result<(), Cancelled> {
    task_group(|tg| async move {
        tg.spawn(keep(token));
        assert!(opened.send(tg).is_ok());
    })
    .await
}

/// Whether a group was told that its runtime has shut down.
fn is_told(outcome: &Result<(), Cancelled>) -> bool {
    outcome.as_ref().is_err_and(is_shutdown)
}

/// X4: Whoever sleeps by the clock of a runtime wakes in time although that shuts down, and so does whoever lies down only then.
pub async fn sleepers_wake_although_their_runtime_has_shut_down() {
    let other = Other::start();
    let [mut before, after] = [2, 1].map(|n| Box::pin(enter(other.runtime.clone(), sleep(n * SHORT))));
    assert!(futures::poll!(before.as_mut()).is_pending());
    other.shut_down().await;
    join(before, after).await;
}

/// X4, B2: A scoped group goes down with the runtime that polls it: its handles tell the reason outside, and what its body
/// and its tasks have is dropped.
pub async fn a_scoped_group_goes_down_with_its_runtime() {
    let drops = Drops::new();
    let [body, first, second] = [(); 3].map(|()| drops.token());
    let (tasks, down) = goes_down(|begun| async move {
        let group = scoped_group(|s| async move {
            let _body = body;
            let tasks = [s.spawn(keep(first)), s.spawn(keep(second))];
            assert!(begun.send(tasks).is_ok());
            sleep_forever().await;
        });
        drop(group.await);
    })
    .await;
    assert_eq!(drops.count(), 3);
    for task in tasks {
        assert_eq!(ended_by_shutdown(task.await), down);
    }
}

/// X4, B2, F2: So does one that is at its end and waits for its tasks, one of them with a group of the runtime's inside.
pub async fn a_draining_scoped_group_goes_down_with_its_runtime() {
    let drops = Drops::new();
    let [first, second] = [(); 2].map(|()| drops.token());
    let (_group, _down) = goes_down(|begun| async move {
        let group = scoped_group(|s| async move {
            s.spawn(keep(first));
            s.spawn(group_of_one(begun, second));
        });
        drop(group.await);
    })
    .await;
    assert_eq!(drops.count(), 2);
}

/// X4, B1, B2: A local scoped group on another thread goes on when the runtime shuts down under it: each of its tasks is
/// told by what it waits for.
pub async fn tasks_of_a_local_scoped_group_are_told_by_what_they_wait_for() {
    let other = Other::start();
    let (drops, runtime) = (Drops::new(), other.runtime.clone());
    let token = drops.token();
    let (opened, opens) = oneshot::channel();
    let waiter = on_thread(move || {
        let group = local_scoped_group(|s| async move {
            let local = Rc::new(7);
            let task: TaskHandle<_> = s.spawn(async move { (group_of_one(opened, token).await, *local) });
            task.await.expect("it is not cut short itself")
        });
        block_on(enter(runtime, group))
    });
    let group = opens.await.unwrap();
    let down = !other.shut_down().await;
    if !down {
        group.cancel();
    }
    let (told, local) = waiter.join().unwrap().expect("it is not cut short itself");
    assert_eq!((is_told(&told), local, drops.count()), (down, 7, 1));
}

/// Has `combine` make one of branches that wait, one of them for a group of the runtime's, and the runtime shut down.
async fn branches_go_down<W: Future<Output = ()> + Send + 'static>(combine: impl FnOnce(Vec<Sent<()>>) -> W) {
    let drops = Drops::new();
    let [inside, first, last] = [(); 3].map(|()| drops.token());
    let (_group, _down) = goes_down(|begun| {
        let group: Sent<()> = Box::pin(async move {
            // A runtime with several threads may drop the task in it first, and have it polled once more.
            _ = group_of_one(begun, inside).await;
            sleep_forever().await;
        });
        combine(vec![Box::pin(keep(first)), group, Box::pin(keep(last))])
    })
    .await;
    assert_eq!(drops.count(), 3);
}

/// X4, F4: Combinators go down with the runtime that polls them, and so do their branches, those included that have not
/// begun.
pub async fn combinators_go_down_with_their_runtime() {
    branches_go_down(|branches| async { drop(gather(branches).await) }).await;
    branches_go_down(|branches| async { drop(gather_settled(branches).await) }).await;
    branches_go_down(|branches| async { drop(race(branches).await) }).await;
    branches_go_down(|branches| async { drop(map_concurrent(branches, 2, |branch| branch).await) }).await;
    branches_go_down(|branches| async { drop(as_completed(branches).next().await) }).await;
}

/// X4, F4: Branches of combinators on another thread, whose groups are of a runtime that shuts down, are told; a race
/// drains those that lost.
pub async fn combinators_elsewhere_end_when_the_runtime_shuts_down() {
    let drops = Drops::new();
    let two = || [(); 2].map(|()| (oneshot::channel(), drops.token()));
    for races in [false, true] {
        let other = Other::start();
        let [((first, opens), token), ((second, opens_too), token_too)] = two();
        let branches = [group_of_one(first, token), group_of_one(second, token_too)];
        let waiter = other.wait_for(async move {
            if races { race(branches).await.map(|told| vec![told]) } else { gather(branches).await.map(Vec::from) }
        });
        let groups = [opens.await.unwrap(), opens_too.await.unwrap()];
        let down = !other.shut_down().await;
        if !down {
            groups.iter().for_each(TaskGroup::cancel);
        }
        let told = waiter.join().unwrap().expect("no branch is cut short itself");
        assert!(told.iter().all(|told| is_told(told) == down), "{told:?}");
    }
    assert_eq!(drops.count(), 4);
}

/// X4, Q2: Who sends into a runtime that goes down has the item back, whether it waited or comes later.
pub async fn senders_are_told_that_receivers_went_down() {
    let (sender, receiver) = channel::rendezvous();
    let later = sender.clone();
    let receiving = goes_down(|begun| async move {
        assert_eq!(receiver.recv().await, Ok(1));
        assert!(begun.send(()).is_ok());
        sleep_forever().await;
    });
    let sending = async {
        assert_eq!(sender.send(1).await, Ok(()));
        sender.send(2).await
    };
    let (sent, _down) = futures::join!(sending, receiving);
    assert_eq!(sent, Err(SendError::Disconnected(2)));
    assert_eq!(later.send(3).await, Err(SendError::Disconnected(3)));
}

/// X4, Q2: A receive that waits in a runtime that goes down leaves the line, and takes nothing from the one behind it.
pub async fn receivers_leave_the_line_when_they_go_down() {
    let (sender, receiver) = channel::bounded(1);
    let (here, senders) = (receiver.clone(), sender.clone());
    let (_, _down) = goes_down(|begun| async move {
        let both = futures::future::join(receiver.recv(), async {
            until(|| senders.statistics().tasks_waiting_to_receive == 1).await;
            assert!(begun.send(()).is_ok());
        });
        _ = both.await;
    })
    .await;
    assert_eq!(sender.statistics().tasks_waiting_to_receive, 0);
    sender.send(1).await.unwrap();
    assert_eq!(here.recv().await, Ok(1));
}

/// X4, Q2: Who receives from a runtime that goes down gets what was in the buffer, and then the end; what waited to be
/// sent is dropped.
pub async fn receivers_are_told_that_senders_went_down() {
    let drops = Drops::new();
    let (sender, receiver) = channel::bounded(1);
    let [buffered, waiting] = [(); 2].map(|()| drops.token());
    let (_, _down) = goes_down(|begun| async move {
        sender.send(buffered).await.unwrap();
        let both = futures::future::join(sender.send(waiting), async {
            until(|| sender.statistics().tasks_waiting_to_send == 1).await;
            assert!(begun.send(()).is_ok());
        });
        _ = both.await;
    })
    .await;
    assert_eq!(drops.count(), 1);
    assert!(receiver.recv().await.is_ok());
    assert_eq!(receiver.recv().await.err(), Some(RecvError::EndOfStream));
    assert_eq!(drops.count(), 2);
}

/// X4, Q2: Who waits for an answer, a change or a message from a runtime that goes down is told that there is none.
pub async fn other_channels_end_when_their_senders_go_down() {
    let (question, asked) = answer::channel::<()>();
    let (writer, mut reader) = watch::channel(0);
    let (speaker, mut listener) = broadcast::channel::<()>(1, broadcast::Overflow::Lag);
    let waiting = async { futures::join!(asked, reader.changed(), listener.recv()) };
    let sending = goes_down(|begun| async move {
        let _senders = (question, writer, speaker);
        assert!(begun.send(()).is_ok());
        sleep_forever().await;
    });
    let ((answered, changed, heard), _down) = futures::join!(waiting, sending);
    assert!(answered.is_err() && changed.is_err());
    assert_eq!(heard, Err(broadcast::RecvError::EndOfStream));
}

/// What may be borrowed, each by one at a time.
struct Borrowed {
    mutex: Mutex<()>,
    lock: RwLock<()>,
    permits: Semaphore,
    limiter: CapacityLimiter,
}

impl Borrowed {
    fn new() -> Arc<Self> {
        let (mutex, lock) = (Mutex::new(()), RwLock::new(()));
        Arc::new(Borrowed { mutex, lock, permits: Semaphore::new(1), limiter: CapacityLimiter::new(1) })
    }

    /// Borrows all of it, waiting in each line at once.
    async fn borrow(&self) -> impl Send + use<'_> {
        let token = self.limiter.acquire_on_behalf_of(Borrower::new());
        futures::join!(self.mutex.lock(), self.lock.write(), self.permits.acquire(), token)
    }

    /// How many wait, in each line.
    fn waiting(&self) -> [usize; 4] {
        [
            self.mutex.statistics().tasks_waiting,
            self.lock.statistics().tasks_waiting,
            self.permits.statistics().tasks_waiting,
            self.limiter.statistics().waiting,
        ]
    }
}

/// X4, Q1: What tasks of a runtime that goes down have borrowed comes back, those of them that wait leave the line, and
/// who waits behind them is served.
pub async fn what_was_borrowed_comes_back_when_its_holder_goes_down() {
    let (here, there) = (Borrowed::new(), Borrowed::new());
    let (all, both) = (here.clone(), there.clone());
    let borrowing = goes_down(|begun| async move {
        let _held = (all.borrow().await, both.borrow().await);
        let waiting = scoped_group(async |s| {
            s.spawn(async { drop(both.borrow().await) });
            until(|| both.waiting() == [2; 4]).await;
            assert!(begun.send(()).is_ok());
            sleep_forever().await;
        });
        drop(waiting.await);
    });
    let behind = async {
        until(|| there.waiting() == [1; 4]).await;
        drop(there.borrow().await);
    };
    futures::join!(borrowing, behind);
    assert_eq!((here.waiting(), there.waiting()), ([0; 4], [0; 4]));
    let _both = (here.borrow().await, there.borrow().await);
}

/// X4, Q1: A task that waits to be notified in a runtime that goes down leaves that line, and gives the lock back.
pub async fn who_waits_for_a_condition_leaves_when_it_goes_down() {
    let kept = Arc::new((Mutex::new(0), Condition::new()));
    let shared = kept.clone();
    let (_, _down) = goes_down(|begun| async move {
        let (mutex, changed) = &*shared;
        let begins = async {
            until(|| changed.statistics().tasks_waiting == 1).await;
            assert!(begun.send(()).is_ok());
        };
        let waiting = async { drop(changed.wait(mutex.lock().await).await) };
        futures::join!(waiting, begins);
    })
    .await;
    kept.1.notify_all();
    assert_eq!(kept.1.statistics().tasks_waiting, 0);
    assert!(kept.0.try_lock().is_ok());
}

/// What calls into a portal, from outside.
struct Callers {
    portal: BlockingPortal,
    call: thread::JoinHandle<Result<(), PortalError>>,
    task: PortalTask<()>,
}

impl Callers {
    /// A thread that waits for a call, and a task, both of them under way.
    async fn call(portal: BlockingPortal, token: Dropped) -> Self {
        let (entered, enters) = oneshot::channel();
        let calls = portal.clone();
        let call = on_thread(move || {
            calls.call(async move {
                assert!(entered.send(()).is_ok());
                keep(token).await;
            })
        });
        enters.await.expect("the call begins");
        let task = portal.spawn(sleep_forever()).expect("the portal is open");
        Callers { portal, call, task }
    }

    /// Both are cut short, because the runtime has shut down or else for another reason.
    async fn are_told(self, down: bool) -> BlockingPortal {
        for result in [self.call.join().unwrap(), self.task.await] {
            let Err(PortalError::Cancelled(cancelled)) = result else { panic!("{result:?}") };
            assert_eq!(is_shutdown(&cancelled), down);
        }
        self.portal
    }
}

/// X4, W3: A portal goes down with the runtime that polls it: threads that wait for their calls are told the reason, and
/// it is closed from then on.
pub async fn a_portal_goes_down_with_its_runtime() {
    let drops = Drops::new();
    let token = drops.token();
    let (callers, down) = goes_down(|begun| async move {
        let portal = portal(|portal| async move {
            assert!(begun.send(Callers::call(portal, token).await).is_ok());
            sleep_forever().await;
        });
        drop(portal.await);
    })
    .await;
    let portal = callers.are_told(down).await;
    assert_eq!(drops.count(), 1);
    assert!(portal.is_closed() && portal.spawn(async {}).is_err());
    let refused = on_thread(move || portal.call(async {})).join().unwrap();
    assert!(matches!(refused, Err(PortalError::Closed)), "{refused:?}");
}

/// X4, W3: A portal that another thread polls tells its callers that the runtime has shut down, those too that come
/// later; it ends when it is stopped.
pub async fn a_portal_elsewhere_tells_its_callers_when_the_runtime_shuts_down() {
    let (drops, other) = (Drops::new(), Other::start());
    let token = drops.token();
    let (opened, opens) = oneshot::channel();
    let waiter = other.wait_for(portal(|portal| async move {
        assert!(opened.send(Callers::call(portal.clone(), token).await).is_ok());
        portal.stopped().await;
    }));
    let callers = opens.await.unwrap();
    let down = !other.shut_down().await;
    if !down {
        callers.portal.cancel();
    }
    let portal = callers.are_told(down).await;
    assert_eq!(drops.count(), 1);
    let later = portal.clone();
    let later = on_thread(move || later.call(async {})).join().unwrap();
    assert_eq!(matches!(&later, Err(PortalError::Cancelled(cancelled)) if is_shutdown(cancelled)), down, "{later:?}");
    assert_eq!(matches!(later, Err(PortalError::Closed)), !down);
    portal.stop();
    assert_eq!(waiter.join().unwrap(), Ok(()));
}
