//! What a group collects.

use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::lock::{MappedMutexGuard, Mutex, MutexGuard};

use super::error::{Ending, Failure, FailureKind, GroupError, PanicPayload};
use super::info::TaskInfo;
use super::settings::Settings;
use super::spawned::{Cut, Settle};
use crate::carrier::{Carriers, Registered};
use crate::reason::{CancelReason, Cancelled};
use crate::runtime::Runtime;
use crate::tree::{Cause, Ext, Link, Node, erase};
use crate::unhandled::Unhandled;
use crate::unit::{End, Payload};

/// The node of a group.
pub(crate) type GroupNode<E> = Arc<Node<GroupCell<E>>>;

pub(crate) struct GroupCell<E> {
    settings: Settings<E>,
    /// Since it has carried tasks that nothing else would drop if the runtime went down.
    registered: OnceLock<Registered>,
    /// Whether it needs no such thing: the task that it is in is carried, and drops it.
    nested: AtomicBool,
    /// Whether anything was ever collected. Stored under the lock; whoever sums up comes after all who collect, or looks
    /// under the lock.
    has_collected: AtomicBool,
    /// Whether the body or a task was cut short by what has cancelled the group from outside: its reason is at the node.
    /// Stored with Release before it is counted out; loaded with Acquire.
    is_cut: AtomicBool,
    collected: Mutex<Option<Box<Collected<E>>>>,
}

/// What few groups collect.
struct Collected<E> {
    /// Who was the first to fail or to panic, which is what the others are cancelled for.
    first: Option<Option<TaskInfo>>,
    failures: Vec<Failure<E>>,
    /// The first panic, and whose it was.
    panic: Option<(Option<TaskInfo>, Payload)>,
    /// Why a task was cut short, or the group given up, while nothing had cancelled the group from outside.
    outside: Option<Cancelled>,
    /// Whether nobody will come for the outcome any more: it goes to the hook as it arises.
    deserted: bool,
}

impl<E> Default for Collected<E> {
    fn default() -> Self {
        Collected { first: None, failures: Vec::new(), panic: None, outside: None, deserted: false }
    }
}

/// What a group comes to, once it has closed.
pub(crate) enum Sum<E> {
    Panicked(Payload),
    Failed(GroupError<E>),
    /// Nothing failed. Whether something was cut short [from outside](Node::outside).
    Well {
        is_cut: bool,
    },
}

impl<E: Send + 'static> Ext for GroupCell<E> {
    fn known(&self) -> &dyn Any {
        self
    }

    /// Sees to it that the tasks of the group end with the runtime: those that are queued do. So do those of a group in a
    /// task that is carried, when that is dropped.
    fn task_waits(&self, node: &Link) {
        if self.registered.get().is_some() || self.nested.load(Ordering::Relaxed) {
            return;
        }
        if !node.is_in_carried_task() {
            return self.register(node);
        }
        self.nested.swap(true, Ordering::AcqRel);
        // The task may have left it behind.
        if self.has_collected() && self.nested.swap(false, Ordering::AcqRel) {
            self.register(node);
        }
    }

    fn may_leave(&self) -> bool {
        !self.has_collected()
    }

    /// Nobody can be relied upon to come for what was collected. Should somebody come all the same, the group was cut
    /// short.
    fn left_behind(&self, node: &Link) {
        let dropped = || Cancelled::new(CancelReason::GroupDropped);
        self.collect().outside.get_or_insert_with(dropped);
        self.hand_over(node.runtime());
        if self.nested.swap(false, Ordering::AcqRel) {
            self.register(node);
        }
    }
}

impl<E: Send + 'static> GroupCell<E> {
    /// Hands what was collected, and what comes later, to the hook.
    fn hand_over(&self, runtime: &Runtime) {
        let mut collected = self.collect();
        collected.deserted = true;
        let failures = std::mem::take(&mut collected.failures);
        let panic = collected.panic.take();
        drop(collected);
        if let Some((task, payload)) = panic {
            runtime.report(Unhandled::panicked(task, payload));
        }
        failures.into_iter().for_each(|failure| runtime.report(unhandled(failure)));
    }
}

fn unhandled<E: Send + 'static>(failure: Failure<E>) -> Unhandled {
    let task = failure.task().cloned();
    match failure.into_kind() {
        FailureKind::Error(error) => Unhandled::failed(task, error),
        FailureKind::Panic(payload) => Unhandled::panicked(task, payload.into_inner()),
    }
}

impl<E> GroupCell<E> {
    pub(crate) fn new(settings: Settings<E>) -> Self {
        GroupCell {
            settings,
            registered: OnceLock::new(),
            nested: AtomicBool::new(false),
            has_collected: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
            collected: Mutex::new(None),
        }
    }

    fn register(&self, node: &Link) {
        let register = |carriers: &Arc<Carriers>| self.registered.get_or_init(|| carriers.register(node));
        node.runtime().carriers().map(register);
    }

    /// What is collected, to be added to.
    fn collect(&self) -> MappedMutexGuard<'_, Collected<E>> {
        let collected = self.collected.lock();
        self.has_collected.store(true, Ordering::Release);
        MutexGuard::map(collected, |collected| &mut **collected.get_or_insert_default())
    }

    pub(crate) fn settings(&self) -> &Settings<E> {
        &self.settings
    }

    #[inline]
    fn has_collected(&self) -> bool {
        self.has_collected.load(Ordering::Acquire)
    }

    #[inline]
    fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    /// Whether nothing failed, panicked, or was cut short from outside.
    pub(crate) fn is_well(&self) -> bool {
        if self.is_cut() {
            return false;
        }
        if !self.has_collected() {
            return true;
        }
        let collected = self.collect();
        collected.failures.is_empty() && collected.panic.is_none() && collected.outside.is_none()
    }
}

/// A group, at its node.
pub(crate) struct Group<'a, E> {
    link: &'a Link,
    cell: &'a GroupCell<E>,
}

impl<'a, E: Send + 'static> Group<'a, E> {
    /// The group whose node this is.
    #[inline]
    pub(crate) fn at(link: &'a Link) -> Self {
        Group { link, cell: link.known_as() }
    }

    /// Whether nothing failed, panicked, or was cut short from outside.
    pub(crate) fn is_well(&self) -> bool {
        self.cell.is_well()
    }

    /// The body, whose unit is at `place`, has ended; gives its value.
    pub(crate) fn body_ended<T>(&self, place: &Link, end: End<Result<T, E>>) -> Option<T> {
        match end {
            End::Value(Ok(value)) => return Some(value),
            End::Value(Err(error)) => self.fail(None, error),
            End::Panicked(payload) => self.panicked(None, payload),
            End::Cut => self.cut(&place.cause().expect("a body is cut short for a cause")),
        }
        None
    }

    /// A task, or the body (`None`), has failed.
    pub(crate) fn fail(&self, task: Option<TaskInfo>, error: E) {
        self.collect(task, FailureKind::Error(error));
    }

    /// A task, or the body, was cut short.
    pub(crate) fn cut(&self, cause: &Cause) {
        self.cut_at(cause.depth, || cause.clone());
    }

    /// The cause from outside that cut something short: the outermost that is known, if there were several.
    pub(crate) fn outside(&self) -> Option<Cancelled> {
        if self.cell.is_cut() {
            return self.outermost();
        }
        if self.cell.has_collected() { self.cell.collect().outside.clone() } else { None }
    }

    /// The outermost cancellation that has reached the group, which has no shield: what has reached the one around after the
    /// last task was over counts, too.
    pub(crate) fn outermost(&self) -> Option<Cancelled> {
        let around = self.link.parent().and_then(|parent| parent.cause());
        around.or_else(|| self.link.cause()).map(|cause| cause.reason)
    }

    /// What the group comes to. A panic is alone in it: all else goes to the hook.
    pub(crate) fn sum_up(&self) -> Sum<E> {
        let is_cut = self.cell.is_cut();
        if !self.cell.has_collected() {
            return Sum::Well { is_cut };
        }
        let mut collected = self.cell.collect();
        let failures = std::mem::take(&mut collected.failures);
        let panic = collected.panic.take();
        let is_cut = is_cut || collected.outside.is_some();
        drop(collected);
        if let Some((_, payload)) = panic {
            failures.into_iter().for_each(|failure| self.report(failure));
            return Sum::Panicked(payload);
        }
        if failures.is_empty() {
            Sum::Well { is_cut }
        } else {
            Sum::Failed(GroupError::failed(failures, self.outside()))
        }
    }

    /// Nobody will come for the outcome: what there is, and what comes later, goes to the hook.
    pub(crate) fn desert(&self) {
        // Once it has closed nothing comes any more; and it was opened only if it has a place.
        let is_done = self.link.is_closed() && !self.cell.has_collected();
        if !is_done && self.link.parent().is_some() {
            self.cell.hand_over(self.link.runtime());
        }
    }

    fn report(&self, failure: Failure<E>) {
        self.link.runtime().report(unhandled(failure));
    }

    /// A task, or the body (`None`), has panicked.
    pub(crate) fn panicked(&self, task: Option<TaskInfo>, payload: Payload) {
        if self.cell.settings.panics_are_errors() {
            return self.collect(task, FailureKind::Panic(PanicPayload::new(payload)));
        }
        let mut collected = self.cell.collect();
        let first = collected.first.get_or_insert_with(|| task.clone()).clone();
        let spare = if collected.deserted || collected.panic.is_some() {
            Some(payload)
        } else {
            collected.panic = Some((task.clone(), payload));
            None
        };
        drop(collected);
        if let Some(payload) = spare {
            self.link.runtime().report(Unhandled::panicked(task, payload));
        }
        self.cancel_siblings(first);
    }

    /// A task has failed or panicked: the supervisor hears of it, or else it is the group's.
    fn task_failed(&self, task: &TaskInfo, kind: FailureKind<E>) {
        let Some(supervisor) = self.cell.settings.supervisor() else {
            return match kind {
                FailureKind::Error(_) => self.collect(Some(task.clone()), kind),
                FailureKind::Panic(payload) => self.panicked(Some(task.clone()), payload.into_inner()),
            };
        };
        let failure = Failure::new(kind, Some(task.clone()), self.is_over());
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| supervisor(failure))) {
            self.panicked(Some(task.clone()), payload);
        }
    }

    /// Whether it is cancelled. Once the group has closed there are only daemons, which it has cancelled.
    fn is_over(&self) -> bool {
        self.link.is_eff() || self.link.is_refusing()
    }

    fn collect(&self, task: Option<TaskInfo>, kind: FailureKind<E>) {
        let cancelled = self.is_over();
        let mut collected = self.cell.collect();
        let secondary = cancelled || collected.first.is_some();
        let first = collected.first.get_or_insert_with(|| task.clone()).clone();
        let failure = Failure::new(kind, task, secondary);
        let deserted = if collected.deserted {
            Some(failure)
        } else {
            collected.failures.push(failure);
            None
        };
        drop(collected);
        deserted.into_iter().for_each(|failure| self.link.runtime().report(unhandled(failure)));
        self.cancel_siblings(first);
    }

    fn cancel_siblings(&self, first: Option<TaskInfo>) {
        self.link.cancel(Cancelled::new(CancelReason::SiblingFailed(first)));
    }

    fn settle(&self, task: &TaskInfo, ending: Ending<E>) {
        match ending {
            Ending::Finished => {}
            Ending::Failed(error) => self.task_failed(task, FailureKind::Error(error)),
            Ending::Panicked(payload) => self.task_failed(task, FailureKind::Panic(PanicPayload::new(payload))),
            Ending::Cut(cause) => self.cut(&cause),
        }
    }

    /// A task, or the body, was cut short by what has started at this `depth`.
    fn cut_at(&self, depth: u32, cause: impl FnOnce() -> Cause) {
        let around = 0..self.link.depth();
        if !around.contains(&depth) {
            return;
        }
        if self.link.cause_depth().is_some_and(|depth| around.contains(&depth)) {
            self.cell.is_cut.store(true, Ordering::Release);
        } else {
            let reason = cause().reason;
            self.cell.collect().outside.get_or_insert(reason);
        }
    }
}

/// The group that a task stands in.
pub(crate) struct OfGroup;

impl<E: Send + 'static> Settle<E> for OfGroup {
    #[inline]
    fn settle(&self, place: &Link, task: &TaskInfo, ending: Ending<E>) {
        if !matches!(ending, Ending::Finished) {
            let link = place.parent().expect("a task has a place");
            Group::at(link).settle(task, ending);
        }
    }

    #[inline]
    fn finished(&self, _place: &Link, _task: impl FnOnce() -> TaskInfo) {}

    /// Most are cut short for what happened in the group, which need not be told.
    fn cut_short(&self, place: &Link, _task: impl FnOnce() -> TaskInfo, cut: &Cut<'_>) {
        let link = place.parent().expect("a task has a place");
        if cut.depth() < link.depth() {
            Group::<E>::at(link).cut_at(cut.depth(), || cut.cause());
        }
    }
}

impl<E: Send + 'static> Settle<E> for GroupNode<E> {
    fn settle(&self, _place: &Link, task: &TaskInfo, ending: Ending<E>) {
        Group::at(&erase(self)).settle(task, ending);
    }
}

/// The end of whatever watches over the group at this node: what it collected, and has not handed out, goes to the hook.
pub(crate) struct Desert<'a, E: Send + 'static>(&'a Link, PhantomData<fn(E)>);

impl<'a, E: Send + 'static> Desert<'a, E> {
    pub(crate) fn new(group: &'a Link) -> Self {
        Desert(group, PhantomData)
    }
}

impl<E: Send + 'static> Drop for Desert<'_, E> {
    fn drop(&mut self) {
        Group::<E>::at(self.0).desert();
    }
}
