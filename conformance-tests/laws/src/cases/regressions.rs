//! What random programs have found (see the reference model), as small as it could be made.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use anyio::{CancelScope, checkpoint, sleep_forever, sleep_until, task_group};
use parking_lot::{Condvar, Mutex};

/// C4: A scope that a group inside is just letting go of, on another thread, drops the unit that comes after the group.
pub async fn a_scope_that_is_being_let_go_drops_the_next_unit() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut reached = false;
    let body = async {
        task_group(async |tg| drop(tg.spawn(checkpoint()))).await.unwrap();
        handle.cancel();
        let _ = CancelScope::new().run(sleep_forever()).await;
        reached = true;
    };
    assert!(polled_while_woken(scope.run(body)).await.is_err());
    assert!(!reached, "the inner scope came back");
}

/// C1, C6: A scope that a group inside is just letting go of, on another thread, cuts off the operation that comes after
/// the group.
pub async fn a_scope_that_is_being_let_go_cuts_the_next_operation_off() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut reached = false;
    let body = async {
        task_group(async |tg| drop(tg.spawn(checkpoint()))).await.unwrap();
        handle.cancel();
        sleep_until(anyio::now()).await;
        reached = true;
    };
    assert!(polled_while_woken(scope.run(body)).await.is_err());
    assert!(!reached, "the operation was done");
}

/// Polls `future` with a waker that does not return, when another thread wakes it, until the future was polled: so that
/// the poll finds whatever the waking thread has not done yet.
async fn polled_while_woken<F: Future>(future: F) -> F::Output {
    let meeting = Arc::new(Meeting::default());
    let mut future = pin!(future);
    poll_fn(|cx| {
        meeting.begin_poll(cx.waker());
        let polled = future.as_mut().poll(&mut Context::from_waker(&Waker::from(meeting.clone())));
        meeting.end_poll();
        polled
    })
    .await
}

#[derive(Default)]
struct Meeting {
    now: Mutex<Now>,
    poll_ended: Condvar,
}

#[derive(Default)]
struct Now {
    /// How many polls have ended.
    polls: usize,
    /// Whether one is going on.
    polling: bool,
    /// Where they are.
    home: Option<ThreadId>,
    waker: Option<Waker>,
}

impl Meeting {
    fn begin_poll(&self, waker: &Waker) {
        let mut now = self.now.lock();
        now.polling = true;
        now.home = Some(thread::current().id());
        now.waker = Some(waker.clone());
    }

    fn end_poll(&self) {
        let mut now = self.now.lock();
        now.polling = false;
        now.polls += 1;
        self.poll_ended.notify_all();
    }
}

impl Wake for Meeting {
    fn wake(self: Arc<Self>) {
        let now = self.now.lock();
        let elsewhere = now.home != Some(thread::current().id());
        let wanted = now.polls + 1 + usize::from(now.polling);
        let waker = now.waker.clone();
        drop(now);
        waker.into_iter().for_each(Waker::wake);
        if elsewhere {
            // Not for ever: there may be nobody to poll any more.
            let mut now = self.now.lock();
            self.poll_ended.wait_while_for(&mut now, |now| now.polls < wanted, Duration::from_secs(1));
        }
    }
}
