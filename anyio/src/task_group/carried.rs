//! A task that is polled by the carriers of its runtime.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_task::{ArcWake, waker_ref};

use super::info::{TaskId, TaskInfo};
use super::limit::Slot;
use super::record::{Outcome, Seat, TaskCell};
use crate::carrier::{Carriers, Carry, Exclusive, Turn};
use crate::runtime::Runtime;
use crate::tree::{Ext, Link, Node, Tenure};

/// The future of a task that does not know its node but while it is polled.
pub(super) trait Passenger: Send + 'static {
    fn launch(&mut self, slot: Option<Slot>);

    fn poll_at(self: Pin<&mut Self>, node: Link, cx: &mut Context<'_>) -> Poll<()>;

    /// Drops it before its end.
    fn abandon_at(self: Pin<&mut Self>, node: Link);
}

/// What the node of a carried task carries: its future too.
pub(super) struct Carried<T, P> {
    cell: TaskCell<Outcome<T>>,
    passenger: Exclusive<P>,
}

pub(super) type CarriedNode<T, P> = Arc<Node<Carried<T, P>>>;

/// The node of a task that is to be adopted by `parent`.
#[inline]
pub(super) fn carried_node<T, P>(parent: Link, tenure: Tenure, info: TaskInfo, passenger: P) -> CarriedNode<T, P>
where
    T: Send + 'static,
    P: Passenger,
{
    let cell = TaskCell::new(info, Outcome::new(), true);
    Node::task(tenure, Some(parent), Carried { cell, passenger: Exclusive::new(passenger) })
}

impl<T: Send + 'static, P: Passenger> Ext for Carried<T, P> {
    fn known(&self) -> &dyn Any {
        &self.cell
    }

    fn task(&self) -> Option<TaskId> {
        self.cell.task()
    }

    fn emptied(&self) {
        self.cell.emptied();
    }
}

impl<T, P> Carried<T, P> {
    pub(super) fn info(&self) -> &TaskInfo {
        self.cell.info()
    }

    /// The future of a task that was not launched.
    pub(super) fn unpolled(&mut self) -> &mut P {
        self.passenger.unpolled()
    }
}

impl<T: Send + 'static, P: Passenger> Seat<T> for Node<Carried<T, P>> {
    fn cell(&self) -> &TaskCell<Outcome<T>> {
        &self.ext.cell
    }

    fn into_link(self: Arc<Self>) -> Link {
        self
    }
}

impl<T: Send + 'static, P: Passenger> Node<Carried<T, P>> {
    /// Has the task begin.
    #[inline]
    pub(super) fn launch(self: Arc<Self>, slot: Option<Slot>, carriers: &Arc<Carriers>, runtime: &Runtime) {
        self.ext.passenger.launch(|passenger| passenger.launch(slot));
        carriers.push(self, runtime);
    }

    /// Drops a task that will not be launched.
    pub(super) fn give_up(self: Arc<Self>) {
        self.ext.passenger.launch(|_| ());
        self.abandon();
    }

    #[inline]
    fn take_turn(self: &Arc<Self>, act: impl FnOnce(Pin<&mut P>, Link) -> Poll<()>) -> Turn {
        let node = self.clone();
        #[expect(unsafe_code, reason = "the pinning is up to whoever holds it")]
        // SAFETY: it lies in the node, which is in an `Arc`; out of it go only those that were not launched.
        unsafe {
            self.ext.passenger.turn(|passenger| act(passenger, node))
        }
    }
}

impl<T: Send + 'static, P: Passenger> Carry for Node<Carried<T, P>> {
    #[inline]
    fn carry(self: Arc<Self>) -> Option<Arc<dyn Carry>> {
        let waker = waker_ref(&self);
        let turn = self.take_turn(|passenger, node| passenger.poll_at(node, &mut Context::from_waker(&waker)));
        drop(waker);
        (turn == Turn::Again).then_some(self as _)
    }

    fn abandon(self: Arc<Self>) {
        self.take_turn(|passenger, node| {
            passenger.abandon_at(node);
            Poll::Ready(())
        });
    }

    fn runtime(&self) -> &Runtime {
        self.runtime()
    }
}

impl<T: Send + 'static, P: Passenger> ArcWake for Node<Carried<T, P>> {
    fn wake(self: Arc<Self>) {
        Self::wake_by_ref(&self);
    }

    fn wake_by_ref(node: &Arc<Self>) {
        if node.ext.passenger.wake() {
            let runtime = Node::runtime(node);
            let carriers = runtime.carriers().expect("it was launched by them");
            carriers.push(node.clone(), runtime);
        }
    }
}

/// A task of a queue that is dropped if it is not launched.
pub(super) struct Unlaunched<T: Send + 'static, P: Passenger>(pub(super) Option<CarriedNode<T, P>>);

impl<T: Send + 'static, P: Passenger> Unlaunched<T, P> {
    pub(super) fn launch(mut self, slot: Slot, runtime: &Runtime) {
        let carriers = runtime.carriers().expect("they were there when the task was spawned");
        if let Some(task) = self.0.take() {
            task.launch(Some(slot), carriers, runtime);
        }
    }
}

impl<T: Send + 'static, P: Passenger> Drop for Unlaunched<T, P> {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|task| task.give_up());
    }
}
