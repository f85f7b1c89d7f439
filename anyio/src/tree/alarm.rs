//! Timers that ring at a node, whether or not its future is being polled.
//!
//! The waker of the backend's timer leads to the node itself, so a deadline acts on whatever thread the timer fires,
//! also when the future around it is snoozed in a foreign combinator or has moved to another task (law D5).
//!
//! Two threads may want the timer at once: one sets it, the other was woken by it. The one that comes second does not
//! wait, since it may be inside the backend, called by the first: it leaves a note (`rung`) and the first looks again
//! after it has let go.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use anyio_core::Timer;

use super::{AtomicBool, Link, Mutex, Node, Ordering};

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bell {
    Deadline,
    Grace,
    Stall,
}

/// The alarms of a node.
pub(super) struct Alarms {
    /// Rings at the deadline, or at the end of a grace: no node has both.
    timing: Alarm,
    /// Rings when a cancelled unit has waited too long for what leans on it.
    stall: Alarm,
}

/// A timer of the backend's that is kept where it may be moved and asked from several threads.
pub(crate) struct Alarm {
    /// Somebody wants the timer looked at. Set before trying the lock, cleared under it, and read after letting go, each
    /// time by a read-modify-write with AcqRel: either the one who sets it gets the lock, or the one who has it sees it
    /// afterwards.
    rung: AtomicBool,
    /// Whether it was ever armed.
    used: AtomicBool,
    armed: Mutex<Option<Armed>>,
}

/// A timer, which is kept when it has fired.
struct Armed {
    timer: Pin<Box<dyn Timer>>,
    /// For when it is set, unless it has fired since.
    at: Option<Instant>,
    bell: Waker,
}

impl<X: ?Sized> Node<X> {
    /// Whether no deadline and no grace was ever set.
    #[inline]
    pub(super) fn is_timeless(&self) -> bool {
        self.alarms().is_none_or(|alarms| alarms.timing.is_fresh())
    }

    #[inline]
    fn alarms(&self) -> Option<&Alarms> {
        self.annex.get()?.alarms.get()
    }
}

impl Node {
    /// Sets the alarm of this kind, or moves it. If it is due already nothing will ring, and for when it was set is
    /// returned: somebody else may have moved it meanwhile.
    pub(super) fn arm(self: &Link, bell: Bell, at: Instant) -> Option<Instant> {
        let timer = || self.runtime().backend().timer(at);
        let rope = || Waker::from(Arc::new(Rope { node: Arc::downgrade(self), bell }));
        self.annex().alarms.get_or_init(Box::default).of(bell).arm(at, timer, rope)
    }

    pub(super) fn disarm(&self, bell: Bell) {
        if let Some(alarms) = self.alarms() {
            alarms.of(bell).disarm();
        }
    }
}

impl Alarms {
    fn of(&self, bell: Bell) -> &Alarm {
        match bell {
            Bell::Deadline | Bell::Grace => &self.timing,
            Bell::Stall => &self.stall,
        }
    }
}

impl Default for Alarms {
    fn default() -> Self {
        Alarms { timing: Alarm::new(), stall: Alarm::new() }
    }
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Alarm { rung: AtomicBool::new(false), used: AtomicBool::new(false), armed: Mutex::new(None) }
    }

    /// Whether this alarm was never armed.
    #[inline]
    fn is_fresh(&self) -> bool {
        !self.used.load(Ordering::Relaxed)
    }

    /// Sets the alarm, or moves it; at first `timer` makes the timer that it needs, and `bell` who is pulled when it rings. If
    /// it is due already nothing will ring, and for when it was set is returned: somebody else may have moved it meanwhile.
    pub(crate) fn arm(
        &self,
        at: Instant,
        timer: impl FnOnce() -> Pin<Box<dyn Timer>>,
        bell: impl FnOnce() -> Waker,
    ) -> Option<Instant> {
        self.used.store(true, Ordering::Relaxed);
        let mut armed = self.armed.lock();
        match &mut *armed {
            Some(armed) => armed.reset(at),
            None => *armed = Some(Armed { timer: timer(), at: Some(at), bell: bell() }),
        }
        drop(armed);
        self.answer()
    }

    pub(crate) fn disarm(&self) {
        if !self.is_fresh() {
            let armed = self.armed.lock().take();
            drop(armed);
        }
    }

    /// Looks whether the timer has fired, and for when it was set; otherwise it will wake the bell.
    pub(crate) fn answer(&self) -> Option<Instant> {
        self.rung.swap(true, Ordering::AcqRel);
        loop {
            let mut slot = self.armed.try_lock()?;
            self.rung.swap(false, Ordering::AcqRel);
            let fired = slot.as_mut().and_then(Armed::fired);
            drop(slot);
            if fired.is_some() {
                return fired;
            }
            if !self.rung.fetch_or(false, Ordering::AcqRel) {
                return None;
            }
        }
    }
}

impl Armed {
    fn reset(&mut self, at: Instant) {
        self.timer.as_mut().reset(at);
        self.at = Some(at);
    }

    /// For when it was set, if it has fired since anybody asked.
    fn fired(&mut self) -> Option<Instant> {
        self.at?;
        match self.timer.as_mut().poll(&mut Context::from_waker(&self.bell)) {
            Poll::Ready(()) => self.at.take(),
            Poll::Pending => None,
        }
    }
}

/// What the timer pulls.
struct Rope {
    node: Weak<Node>,
    bell: Bell,
}

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(node) = self.node.upgrade() else {
            return;
        };
        let alarms = node.alarms().expect("it was armed");
        if let Some(at) = alarms.of(self.bell).answer() {
            node.ring(self.bell, at);
        }
    }
}

#[cfg(all(test, anyio_loom))]
impl Node {
    /// What the backend's timer does when it fires.
    pub(super) fn ring_for_test(self: &Link) {
        Arc::new(Rope { node: Arc::downgrade(self), bell: Bell::Deadline }).wake();
    }

    /// When the backend's timer is to fire.
    pub(super) fn armed_for_test(&self) -> Option<Instant> {
        self.alarms()?.timing.armed_for_test()
    }
}

#[cfg(all(test, anyio_loom))]
impl Alarm {
    /// When the backend's timer is to fire.
    pub(crate) fn armed_for_test(&self) -> Option<Instant> {
        self.armed.lock().as_ref().and_then(|armed| armed.at)
    }
}
