//! Whoever polls the future of a node, and waking it.

use std::iter;
use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

use super::{Link, Node, Role};
use crate::carrier::{Carry, Home, push, push_all};
use crate::unit::discard;

/// Whoever polls the future of a node.
#[derive(Clone)]
pub(crate) enum Poller {
    /// It is known by its waker.
    Waker(Waker),
    /// The task that the node stands in, or is that of, which is carried: its own node wakes it. So no reference is counted
    /// to a node that is here as long as this one.
    Task,
}

/// Whom a node knows to poll its future, in as little memory as a waker takes.
pub(super) enum Whom {
    Waker(Waker),
    Other(Other),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    Nobody,
    Task,
}

impl Whom {
    #[inline]
    pub(super) fn get(&self) -> Option<Poller> {
        match self {
            Whom::Waker(waker) => Some(Poller::Waker(waker.clone())),
            Whom::Other(Other::Task) => Some(Poller::Task),
            Whom::Other(Other::Nobody) => None,
        }
    }

    #[inline]
    pub(super) fn is_waker(&self) -> bool {
        matches!(self, Whom::Waker(_))
    }

    #[inline]
    pub(super) fn is_task(&self) -> bool {
        matches!(self, Whom::Other(Other::Task))
    }

    #[inline]
    pub(super) fn take(&mut self) -> Option<Poller> {
        mem::replace(self, Whom::Other(Other::Nobody)).into()
    }

    #[inline]
    pub(super) fn replace(&mut self, poller: Poller) -> Option<Poller> {
        mem::replace(self, Some(poller).into()).into()
    }
}

impl From<Option<Poller>> for Whom {
    #[inline]
    fn from(poller: Option<Poller>) -> Self {
        match poller {
            None => Whom::Other(Other::Nobody),
            Some(Poller::Task) => Whom::Other(Other::Task),
            Some(Poller::Waker(waker)) => Whom::Waker(waker),
        }
    }
}

impl From<Whom> for Option<Poller> {
    #[inline]
    fn from(whom: Whom) -> Self {
        match whom {
            Whom::Waker(waker) => Some(Poller::Waker(waker)),
            Whom::Other(Other::Task) => Some(Poller::Task),
            Whom::Other(Other::Nobody) => None,
        }
    }
}

/// How many levels below its task a node may stand to be woken by that: it has to be looked for each time.
const NEAR: usize = 4;

impl Node {
    /// Whether this is the waker of the task in which the node stands, not far below.
    pub(crate) fn is_near_task_of(&self, waker: &Waker) -> bool {
        // The waker of a carried task leads to the node of the task, as no other waker does.
        let around = iter::successors(self.enclosing(), |node| node.enclosing());
        { around.take(NEAR) }.any(|node| Arc::as_ptr(node).addr() == waker.data().addr())
    }

    /// Wakes the `poller` of this node.
    #[inline]
    pub(super) fn wake(self: &Link, poller: Option<Poller>) {
        match poller {
            None => {}
            Some(Poller::Waker(waker)) => wake(Some(waker)),
            Some(Poller::Task) => self.wake_task(),
        }
    }

    /// Wakes whoever polls this node's future.
    pub(crate) fn wake_up(self: &Link) {
        let poller = self.lock().poller.get();
        self.wake(poller);
    }

    /// Wakes the task that this node stands in, or is that of, which is carried.
    fn wake_task(self: &Link) {
        let task = task_around(self);
        if let Some((home, queued)) = task.ext.wake() {
            safely(|| push(home, queued(task.clone())));
        }
    }

    /// Whether the task that drops this node's future is carried, as far as can be told from near. It is of the runtime of
    /// this node then: what is entered in another one stands there.
    pub(crate) fn is_in_carried_task(&self) -> bool {
        let around = iter::successors(self.enclosing(), |node| node.enclosing());
        // What is below a leaf is polled by others.
        let mut around = { around.take(NEAR) }.take_while(|node| node.role() != Role::Leaf);
        around.find(|node| node.role() == Role::Task).is_some_and(|task| task.ext.has_had_turn())
    }
}

/// The task in which a node stands that is polled by it.
fn task_around(node: &Link) -> &Link {
    let mut around = iter::successors(Some(node), |node| node.enclosing());
    around.find(|node| node.role() == Role::Task).expect("it was there when its waker was")
}

/// Those who are to be woken when nothing else is left to be done: they are when this is dropped, whatever happens until then.
#[derive(Default)]
#[must_use]
pub(super) struct Calls(Vec<Call>);

/// Needs no destructor, so that it gets into the list without a detour through memory.
enum Call {
    Waker(ManuallyDrop<Waker>),
    /// The node of a task that is carried, or one that is polled by such a task.
    Node(ManuallyDrop<Link>),
    /// A task that is carried, and has to be queued.
    Task(Home, ManuallyDrop<Arc<dyn Carry>>),
}

impl Calls {
    /// Adds the `poller` of a node.
    #[inline]
    pub(super) fn add(&mut self, node: &Link, poller: Option<Poller>) {
        match poller {
            None => {}
            Some(Poller::Task) => self.0.push(Call::Node(ManuallyDrop::new(node.clone()))),
            Some(Poller::Waker(waker)) => self.0.push(Call::Waker(ManuallyDrop::new(waker))),
        }
    }

    /// [`add`](Self::add) for a task in which nothing else stands: if it is carried it is noted there already that it is to be
    /// polled, which it may be at once if it is being polled now. Where more stands in it, that could be polled in vain then, and
    /// would not be woken for itself.
    #[inline]
    pub(super) fn add_alone(&mut self, task: &Link, poller: Option<Poller>) {
        if let Some(Poller::Task) = poller {
            if let Some((home, queued)) = task.ext.wake() {
                self.0.push(Call::Task(home, ManuallyDrop::new(queued(task.clone()))));
            }
        } else {
            self.add(task, poller);
        }
    }
}

impl Drop for Calls {
    /// Wakes them, the last ones first: those who were found below others end before these can.
    fn drop(&mut self) {
        let mut batch = Batch::default();
        for call in self.0.drain(..).rev() {
            match call {
                Call::Waker(waker) => wake(Some(ManuallyDrop::into_inner(waker))),
                Call::Node(node) => batch.add_around(ManuallyDrop::into_inner(node)),
                Call::Task(home, task) => batch.add(home, ManuallyDrop::into_inner(task)),
            }
        }
        batch.queue();
    }
}

/// Tasks that are queued together, as they run on the same runtime.
#[derive(Default)]
struct Batch {
    home: Option<Home>,
    /// The first, and only one as long as there are no others.
    only: Option<Arc<dyn Carry>>,
    tasks: Vec<Arc<dyn Carry>>,
}

impl Batch {
    /// Adds the task that a node stands in, or is that of, if it has to be queued.
    fn add_around(&mut self, node: Link) {
        let task = if node.role() == Role::Task { node } else { task_around(&node).clone() };
        if let Some((home, queued)) = task.ext.wake() {
            self.add(home, queued(task));
        }
    }

    fn add(&mut self, home: Home, task: Arc<dyn Carry>) {
        if self.home != Some(home) {
            self.queue();
            self.home = Some(home);
        }
        if self.only.is_none() && self.tasks.is_empty() {
            self.only = Some(task);
        } else {
            self.tasks.extend(self.only.take());
            self.tasks.push(task);
        }
    }

    fn queue(&mut self) {
        let (only, tasks) = (self.only.take(), mem::take(&mut self.tasks));
        match (self.home, only) {
            (Some(home), Some(task)) => safely(|| push(home, task)),
            _ => safely(|| push_all(tasks)),
        }
    }
}

/// Wakes, whatever the waker does.
pub(crate) fn wake(waker: Option<Waker>) {
    waker.into_iter().for_each(|waker| safely(|| waker.wake()));
}

/// A panic of one who is woken, or of the backend, must not keep others from being woken.
fn safely(wake: impl FnOnce()) {
    catch_unwind(AssertUnwindSafe(wake)).unwrap_or_else(discard);
}
