//! A future that any thread may wake and one at a time polls.

#![expect(unsafe_code, reason = "a future lies in the node that wakes it, and is polled without a lock")]

use std::any::Any;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use crate::tree::{AtomicU8, Ext, Link, Node, Ordering, UnsafeCell};

/// It has not been polled; it is in a queue for its first turn, or will be.
const FRESH: u8 = 0;
/// Nobody polls it, and nobody is to.
const IDLE: u8 = 1;
/// It was woken, and is to be polled: whoever woke it has put it into a queue, or whoever polls it will.
const WOKEN: u8 = 2;
/// It is being polled, and was not woken since that began.
const POLLED: u8 = 3;
/// It is never polled again.
const DONE: u8 = 4;
/// It is being edited, before its first turn.
const EDITED: u8 = 5;

/// A future, whose turn it is, and what belongs to whoever has the turn, in the memory that is left free beside that.
///
/// There is at most one who may give it a turn. At first it is whoever made it. A turn uses this right up; it comes back
/// with [`Turn::Again`], or arises anew when somebody [wakes](Self::wake) a future that waits.
///
/// Each change but the last is a read-modify-write with AcqRel, also the one of a waker that changes nothing: a poll sees
/// what any waker did before it woke the future, and whoever has woken it sees what the last poll has left.
#[repr(C)] // The stage first: who wakes a future that has been left alone for long waits for one place in memory only.
pub(crate) struct Exclusive<B, F> {
    stage: AtomicU8,
    beside: UnsafeCell<B>,
    future: UnsafeCell<F>,
}

// SAFETY: a shared `Exclusive` gives access to the future, and to what is beside it, only in `edit` and `turn`, and there to one
// thread at a time: the one that has the right to give it a turn. The thread may be another one each time, for which both are
// `Send`.
unsafe impl<B: Send, F: Send> Sync for Exclusive<B, F> {}

/// What is to be done after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It waits to be woken.
    Waits,
    /// It was woken during its turn, and has to be queued.
    Again,
    /// It is done.
    Over,
}

impl<B, F> Exclusive<B, F> {
    pub(crate) fn new(beside: B, future: F) -> Self {
        Exclusive { stage: AtomicU8::new(FRESH), beside: UnsafeCell::new(beside), future: UnsafeCell::new(future) }
    }

    /// Edits what is beside the future before its first turn; the caller puts it into the queue after that.
    ///
    /// # Panics
    ///
    /// If it may have had its first turn.
    pub(crate) fn edit(&self, edit: impl FnOnce(&mut B)) {
        let claimed = self.stage.compare_exchange(FRESH, EDITED, Ordering::AcqRel, Ordering::Acquire);
        assert!(claimed.is_ok(), "a future that was polled is pinned");
        self.beside.with_mut(|beside| {
            // SAFETY: one thread gets from `FRESH` to `EDITED`, and nobody past that before the end of this function, so
            // there is no other reference to it.
            edit(unsafe { &mut *beside });
        });
        self.stage.swap(FRESH, Ordering::AcqRel);
    }

    /// Whether its first turn has begun.
    pub(crate) fn has_had_turn(&self) -> bool {
        !matches!(self.stage.load(Ordering::Acquire), FRESH | EDITED)
    }

    /// Notes that it is to be polled; says if the caller has the right to give it a turn, and so has to put it into a queue.
    #[inline]
    pub(crate) fn wake(&self) -> bool {
        let next = |stage| match stage {
            IDLE | POLLED => Some(WOKEN),
            DONE => None,
            _ => Some(stage),
        };
        self.stage.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) == Ok(IDLE)
    }

    /// Gives the future its turn. A `poll` that panics was the last.
    ///
    /// # Safety
    ///
    /// The caller has the right to do so, and was handed it in the way in which values go from thread to thread: what the
    /// last turn has left is seen in this one. Between the first turn and its drop this must not be moved.
    #[inline]
    pub(crate) unsafe fn turn(&self, poll: impl FnOnce(&mut B, Pin<&mut F>) -> Poll<()>) -> Turn {
        let begin = |stage| matches!(stage, FRESH | WOKEN).then_some(POLLED);
        if self.stage.fetch_update(Ordering::AcqRel, Ordering::Acquire, begin).is_err() {
            return Turn::Over;
        }
        let polled = self.beside.with_mut(|beside| {
            self.future.with_mut(|future| {
                // SAFETY: nobody else has the right to poll it before the end of this function: if it is woken until then,
                // `wake` does not give that right. So there is no other reference to the future, nor to what is beside it. It
                // is pinned, since it lies inside `self`, which the caller does not move.
                poll(unsafe { &mut *beside }, unsafe { Pin::new_unchecked(&mut *future) })
            })
        });
        if polled.is_ready() {
            self.stage.store(DONE, Ordering::Release);
            return Turn::Over;
        }
        let was_woken = self.stage.load(Ordering::Relaxed) == WOKEN;
        if !was_woken && self.stage.compare_exchange(POLLED, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            return Turn::Waits;
        }
        Turn::Again
    }

    /// The future, which has not had a turn.
    ///
    /// # Panics
    ///
    /// If it may have had one.
    pub(crate) fn unpolled(&mut self) -> &mut F {
        assert_eq!(self.stage.load(Ordering::Relaxed), FRESH, "a future that was polled is pinned");
        self.future.with_mut(|future| {
            // SAFETY: `self` is borrowed exclusively.
            unsafe { &mut *future }
        })
    }
}

/// Gives the future that lies in a node its turn, with the node itself and its waker. No reference is counted for that:
/// `poll` is given the one that the caller has, and gives it back.
///
/// # Safety
///
/// The caller has the right to do so (see [`Exclusive::turn`]). The node that `poll` gives back is the one that it was given,
/// and it was kept until then. What lies in the node is not
/// moved out of it between its first turn and its drop.
#[inline]
pub(crate) unsafe fn take_turn<X, B, F>(
    node: Arc<Node<X>>,
    future: impl FnOnce(&Node<X>) -> &Exclusive<B, F>,
    poll: impl FnOnce(&mut B, Pin<&mut F>, &Node<X>, Link, &Waker) -> (Poll<()>, Link),
) -> (Turn, Arc<Node<X>>)
where
    X: Ext,
    Node<X>: Wake + Send + Sync,
{
    let raw = Arc::into_raw(node);
    // SAFETY: `raw` is from `into_raw`, and what is counted there is counted until the end of this function: it is dropped
    // neither with this waker nor with this link, nor by `poll`, which keeps the latter.
    let (waker, link) = unsafe { (ManuallyDrop::new(Waker::from(Arc::from_raw(raw))), Arc::from_raw(raw)) };
    let link = ManuallyDrop::new(link as Link);
    // SAFETY: as above; and it is pinned, which is up to the caller.
    let turn = unsafe {
        future(&*raw).turn(|beside, future| {
            let (polled, link) = poll(beside, future, &*raw, ManuallyDrop::into_inner(link), &waker);
            let link = ManuallyDrop::new(link);
            // It went through the context meanwhile. Were it another one, the node would have to be left where it is.
            assert!(ptr::addr_eq(Arc::as_ptr(&link), raw), "a task gives back the node that it was lent");
            polled
        })
    };
    // SAFETY: what `into_raw` left to be counted here.
    (turn, unsafe { Arc::from_raw(raw) })
}

/// The node with its type, which the caller knows.
///
/// # Panics
///
/// If it is of another one.
#[inline]
pub(crate) fn downcast<X: Ext>(node: Link) -> Arc<Node<X>> {
    let ext: &dyn Any = &node.ext;
    assert!(ext.is::<X>(), "the kind of node is known");
    // SAFETY: what the reference counts is a `Node<X>`, which `Node<dyn Ext>` was made of, as `X` is what lies in it.
    unsafe { Arc::from_raw(Arc::into_raw(node).cast()) }
}
