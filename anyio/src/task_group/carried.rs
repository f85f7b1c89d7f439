//! A task that is polled by the carriers of its runtime.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::info::{Badge, Names, TaskId};
use super::limit::Slot;
use super::record::{Outcome, Seat, TaskCell};
use crate::carrier::{Carriers, Carry, Exclusive, Home, Turn, downcast, push, take_turn};
use crate::runtime::Runtime;
use crate::tree::{Ext, Link, Node, Poller, Queued};

/// What the node of a task has whose outcome is in it.
pub(super) type Cell<T> = TaskCell<Outcome<T>>;

/// A task that does not know its node but while it is polled; its body lies beside it.
pub(super) trait Passenger<T, F>: Sized + Send + 'static {
    /// It has the right to run, in a group with a limit.
    fn launch(&mut self);

    /// Polls it `at` its node, which it is lent as well; gives that back.
    fn poll_at(
        &mut self,
        body: Pin<&mut Option<F>>,
        at: &CarriedIn<T, Self, F>,
        node: Link,
        cx: &mut Context<'_>,
    ) -> (Poll<()>, Link);

    /// Drops it before its end; gives the node back.
    fn abandon_at(&mut self, body: Pin<&mut Option<F>>, cell: &Cell<T>, node: Link) -> Link;
}

/// What the node of a carried task carries: its future too.
#[repr(C)] // First what is needed to wake the task.
pub(super) struct Carried<T, P, F> {
    /// Who carries it.
    home: Home,
    passenger: Exclusive<P, Option<F>>,
    cell: Cell<T>,
}

pub(super) type CarriedIn<T, P, F> = Node<Carried<T, P, F>>;
pub(super) type CarriedNode<T, P, F> = Arc<CarriedIn<T, P, F>>;

impl<T, P, F> Carried<T, P, F> {
    #[inline(always)]
    pub(super) fn new(badge: Badge, home: Home, passenger: P, body: F) -> Self {
        let cell = TaskCell::new(badge, Outcome::new());
        Carried { home, passenger: Exclusive::new(passenger, Some(body)), cell }
    }
}

impl<T: Send + 'static, P: Passenger<T, F>, F: Send + 'static> Ext for Carried<T, P, F> {
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

impl<T, P, F> Carried<T, P, F> {
    /// The body of a task that was not launched.
    pub(super) fn take_body(&mut self) -> F {
        self.passenger.unpolled().take().expect("it was not polled")
    }
}

impl<T: Send + 'static, P: Passenger<T, F>, F: Send + 'static> Seat<T> for Node<Carried<T, P, F>> {
    fn cell(&self) -> &Cell<T> {
        &self.ext.cell
    }

    fn names(&self) -> Option<&Arc<Names>> {
        self.names()
    }

    fn into_link(self: Arc<Self>) -> Link {
        self
    }
}

impl<T: Send + 'static, P: Passenger<T, F>, F: Send + 'static> Node<Carried<T, P, F>> {
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
fn take_turn_in<T: Send + 'static, P: Passenger<T, F>, F: Send + 'static>(
    node: CarriedNode<T, P, F>,
    poll: impl FnOnce(&mut P, Pin<&mut Option<F>>, &CarriedIn<T, P, F>, Link, &Waker) -> (Poll<()>, Link),
) -> (Turn, CarriedNode<T, P, F>) {
    // SAFETY: whoever has the task as one that is to be polled has the right to give it a turn: it is given out when it is
    // launched, when somebody wakes it who gets that right by it, and after a turn that is to be followed by another. What is
    // done below gives back the node that it was given; and nothing is taken out of the node of a task that was launched.
    unsafe { take_turn(node, |node| &node.ext.passenger, poll) }
}

impl<T: Send + 'static, P: Passenger<T, F>, F: Send + 'static> Carry for Node<Carried<T, P, F>> {
    #[inline]
    fn carry(self: Arc<Self>) -> Option<Arc<dyn Carry>> {
        let (turn, node) = take_turn_in(self, |passenger, body, at, node, waker| {
            passenger.poll_at(body, at, node, &mut Context::from_waker(waker))
        });
        if turn == Turn::Again { Some(node) } else { None }
    }

    fn abandon(self: Arc<Self>) {
        take_turn_in(self, |passenger, body, at, node, _| {
            (Poll::Ready(()), passenger.abandon_at(body, at.cell(), node))
        });
    }

    fn runtime(&self) -> &Runtime {
        self.runtime()
    }
}

impl<T: Send + 'static, P: Passenger<T, F>, F: Send + 'static> Wake for Node<Carried<T, P, F>> {
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
pub(super) struct Unlaunched<T: Send + 'static, P: Passenger<T, F>, F: Send + 'static>(Option<CarriedNode<T, P, F>>);

impl<T: Send + 'static, P: Passenger<T, F>, F: Send + 'static> Unlaunched<T, P, F> {
    pub(super) fn new(task: CarriedNode<T, P, F>) -> Self {
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

impl<T: Send + 'static, P: Passenger<T, F>, F: Send + 'static> Drop for Unlaunched<T, P, F> {
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
            size_of::<CarriedIn<(), Ride<(), (), OfGroup, C>, Ready<()>>>()
        }
        assert!(size_of_task(Ok) <= 144, "{}", size_of_task(Ok));
        assert!(size_of::<Node<()>>() <= 88, "{}", size_of::<Node<()>>());
    }
}
