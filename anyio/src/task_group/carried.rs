//! A task that is polled by the carriers of its runtime.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::info::{TaskId, TaskInfo};
use super::limit::Slot;
use super::record::{Outcome, Seat, TaskCell};
use crate::carrier::{Carriers, Carry, Exclusive, Home, Turn, downcast, push, take_turn};
use crate::runtime::Runtime;
use crate::tree::{Ext, Link, Node, Poller, Queued};

/// What the node of a task has whose outcome is in it.
pub(super) type Cell<T> = TaskCell<Outcome<T>>;

/// The future of a task that does not know its node but while it is polled.
pub(super) trait Passenger<T>: Sized + Send + 'static {
    /// It has the right to run, in a group with a limit.
    fn launch(&mut self);

    /// Polls it `at` its node, which it is lent as well; gives that back.
    fn poll_at(self: Pin<&mut Self>, at: &CarriedIn<T, Self>, node: Link, cx: &mut Context<'_>) -> (Poll<()>, Link);

    /// Drops it before its end; gives the node back.
    fn abandon_at(self: Pin<&mut Self>, cell: &Cell<T>, node: Link) -> Link;
}

/// What the node of a carried task carries: its future too.
#[repr(C)] // First what is needed to wake the task.
pub(super) struct Carried<T, P> {
    /// Who carries it.
    home: Home,
    passenger: Exclusive<P>,
    cell: Cell<T>,
}

pub(super) type CarriedIn<T, P> = Node<Carried<T, P>>;
pub(super) type CarriedNode<T, P> = Arc<CarriedIn<T, P>>;

impl<T, P> Carried<T, P> {
    #[inline(always)]
    pub(super) fn new(info: TaskInfo, home: Home, passenger: P) -> Self {
        let cell = TaskCell::new(info, Outcome::new());
        Carried { home, passenger: Exclusive::new(passenger), cell }
    }
}

impl<T: Send + 'static, P: Passenger<T>> Ext for Carried<T, P> {
    fn known(&self) -> &dyn Any {
        &self.cell
    }

    fn task(&self) -> Option<TaskId> {
        self.cell.task()
    }

    fn emptied(&self, node: &Link) {
        self.cell.emptied(node);
    }

    fn has_had_turn(&self) -> bool {
        self.passenger.has_had_turn()
    }

    fn wake(&self) -> Option<(Home, Queued)> {
        self.passenger.wake().then_some((self.home, |node| downcast::<Self>(node)))
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

impl<T: Send + 'static, P: Passenger<T>> Seat<T> for Node<Carried<T, P>> {
    fn cell(&self) -> &Cell<T> {
        &self.ext.cell
    }

    fn into_link(self: Arc<Self>) -> Link {
        self
    }
}

impl<T: Send + 'static, P: Passenger<T>> Node<Carried<T, P>> {
    /// Has the task begin.
    #[inline]
    pub(super) fn launch(self: Arc<Self>, carriers: &Arc<Carriers>, runtime: &Runtime) {
        carriers.push(self, runtime);
    }

    /// Has a task begin that has the right to run, in a group with a limit.
    pub(super) fn launch_with(self: Arc<Self>, slot: Slot, carriers: &Arc<Carriers>, runtime: &Runtime) {
        self.keep_slot(slot);
        self.ext.passenger.edit(P::launch);
        self.launch(carriers, runtime);
    }
}

#[inline]
#[expect(unsafe_code, reason = "the node is lent to the future in it")]
fn take_turn_in<T: Send + 'static, P: Passenger<T>>(
    node: CarriedNode<T, P>,
    poll: impl FnOnce(Pin<&mut P>, &CarriedIn<T, P>, Link, &Waker) -> (Poll<()>, Link),
) -> (Turn, CarriedNode<T, P>) {
    // SAFETY: whoever has the task as one that is to be polled has the right to give it a turn: it is given out when it is
    // launched, when somebody wakes it who gets that right by it, and after a turn that is to be followed by another. What is
    // done below gives back the node that it was given; and nothing is taken out of the node of a task that was launched.
    unsafe { take_turn(node, |node| &node.ext.passenger, poll) }
}

impl<T: Send + 'static, P: Passenger<T>> Carry for Node<Carried<T, P>> {
    #[inline]
    fn carry(self: Arc<Self>) -> Option<Arc<dyn Carry>> {
        let (turn, node) = take_turn_in(self, |passenger, at, node, waker| {
            passenger.poll_at(at, node, &mut Context::from_waker(waker))
        });
        if turn == Turn::Again { Some(node) } else { None }
    }

    fn abandon(self: Arc<Self>) {
        take_turn_in(self, |passenger, at, node, _| (Poll::Ready(()), passenger.abandon_at(at.cell(), node)));
    }

    fn runtime(&self) -> &Runtime {
        self.runtime()
    }
}

impl<T: Send + 'static, P: Passenger<T>> Wake for Node<Carried<T, P>> {
    fn wake(self: Arc<Self>) {
        if self.ext.passenger.wake() {
            push(self.ext.home, self);
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.ext.passenger.wake() {
            push(self.ext.home, self.clone());
        }
    }
}

/// A task that queues for its slot, and is dropped if it does not get one.
pub(super) struct Unlaunched<T: Send + 'static, P: Passenger<T>>(Option<CarriedNode<T, P>>);

impl<T: Send + 'static, P: Passenger<T>> Unlaunched<T, P> {
    pub(super) fn new(task: CarriedNode<T, P>) -> Self {
        Unlaunched(Some(task))
    }

    pub(super) fn launch(mut self, slot: Slot, runtime: &Runtime) {
        let carriers = runtime.carriers().expect("they were there when the task was spawned");
        if let Some(task) = self.0.take() {
            // It has been that of the queue.
            task.set_poller(Poller::Task);
            task.launch_with(slot, carriers, runtime);
        }
    }
}

impl<T: Send + 'static, P: Passenger<T>> Drop for Unlaunched<T, P> {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|task| task.abandon());
    }
}

#[cfg(test)]
mod tests {
    use std::future::Ready;

    use super::*;
    use crate::task_group::cell::OfGroup;
    use crate::task_group::spawned::Ride;

    #[test]
    fn a_task_takes_a_few_lines_of_memory() {
        fn size_of_task<C: Fn(()) -> Result<(), ()> + Send + 'static>(_convert: C) -> usize {
            size_of::<CarriedIn<(), Ride<Ready<()>, (), (), OfGroup, C>>>()
        }
        assert!(size_of_task(Ok) <= 232, "{}", size_of_task(Ok));
        assert!(size_of::<Node<()>>() <= 120, "{}", size_of::<Node<()>>());
    }
}
