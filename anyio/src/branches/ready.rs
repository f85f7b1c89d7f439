//! Which branches were woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Wake, Waker};

use parking_lot::Mutex;

use crate::tree::wake;

/// The branches of one owner that were woken, in the order in which that happened.
#[derive(Default)]
pub(crate) struct Ready(Mutex<List>);

#[derive(Default)]
struct List {
    woken: Vec<usize>,
    /// Whether the owner was woken since its last poll began.
    told: bool,
    /// Whoever polls the owner.
    owner: Option<Waker>,
}

impl Ready {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A poll of the owner begins, which takes what there is.
    pub(crate) fn begin(&self, cx: &Context<'_>) {
        let mut list = self.0.lock();
        list.told = false;
        let news = !list.owner.as_ref().is_some_and(|owner| owner.will_wake(cx.waker()));
        let old = news.then(|| list.owner.replace(cx.waker().clone()));
        drop(list);
        drop(old);
    }

    /// Moves what is awake to `into`, which is empty.
    pub(crate) fn take(&self, into: &mut Vec<usize>) {
        debug_assert!(into.is_empty());
        std::mem::swap(&mut self.0.lock().woken, into);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().woken.is_empty()
    }

    /// Wakes the owner, unless it was since its last poll began.
    pub(crate) fn tell(&self) {
        self.add(None);
    }

    fn add(&self, index: Option<usize>) {
        let mut list = self.0.lock();
        list.woken.extend(index);
        let was_told = std::mem::replace(&mut list.told, true);
        let owner = list.owner.clone().filter(|_| !was_told);
        drop(list);
        wake(owner);
    }
}

/// The waker of one branch.
pub(crate) struct Wakeup {
    waker: Waker,
    state: Arc<State>,
}

struct State {
    index: usize,
    ready: Arc<Ready>,
    /// [`IDLE`], [`AWAKE`] or [`OVER`]. The swap to `AWAKE` releases what the waking side did to the poll, whose swap to
    /// `IDLE` acquires it.
    stage: AtomicU8,
}

/// It waits.
const IDLE: u8 = 0;
/// It stands in the list.
const AWAKE: u8 = 1;
/// It has ended: its index may be another's.
const OVER: u8 = 2;

impl Wakeup {
    /// The waker of a new branch, which its owner is about to poll.
    pub(crate) fn new(index: usize, ready: &Arc<Ready>) -> Self {
        let state = Arc::new(State { index, ready: ready.clone(), stage: AtomicU8::new(IDLE) });
        Wakeup { waker: Waker::from(state.clone()), state }
    }

    /// The waker of a new branch, which is awake.
    pub(crate) fn awake(index: usize, ready: &Arc<Ready>) -> Self {
        let wakeup = Self::new(index, ready);
        wakeup.wake();
        wakeup
    }

    /// Has the branch polled.
    pub(crate) fn wake(&self) {
        self.state.wake_by_ref();
    }

    /// A poll of the branch begins.
    pub(crate) fn begin(&self) -> Context<'_> {
        self.state.stage.swap(IDLE, Ordering::AcqRel);
        Context::from_waker(&self.waker)
    }
}

impl Drop for Wakeup {
    fn drop(&mut self) {
        self.state.stage.store(OVER, Ordering::Relaxed);
    }
}

impl Wake for State {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let known = self.stage.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |stage| {
            // Also if it is awake already: the poll that is to come has to see what was done before this wake.
            (stage != OVER).then_some(AWAKE)
        });
        if known == Ok(IDLE) {
            self.ready.add(Some(self.index));
        }
    }
}
