//! The start handshake: a task that says when it is ready.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{Location, resume_unwind};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;

use super::cell::GroupNode;
use super::error::{Ending, StartError};
use super::handle::TaskHandle;
use super::info::TaskInfo;
use super::kind::Kind;
use super::spawn::{Plan, Right};
use super::spawned::Settle;
use super::{TaskBuilder, TaskGroup};
use crate::context;
use crate::operation::begin;
use crate::reason::{CancelReason, Cancelled};
use crate::runtime::Runtime;
use crate::tree::{Cause, Ext, Link, Node, Role, Tenure, erase};
use crate::unhandled::Unhandled;
use crate::unit::{Payload, Unit};

impl<K: Kind> TaskGroup<K> {
    /// Starts a task and waits until it says that it has started: until its socket listens, its cache is warm.
    ///
    /// The closure gets a [`Started`] token. The value that the task passes to [`Started::started`] is what `start`
    /// returns; the task goes on in the group. Until then, what goes wrong in the task is the caller's matter: its error
    /// comes out of `start` alone, its panic is resumed here, cancelling the caller cancels it, and the group is
    /// untouched. From then on it is a task like any other.
    ///
    /// The semantics are those of Trio's `nursery.start`.
    ///
    /// # Errors
    ///
    /// [`StartError`]: the task failed, was cancelled, or ended without having called `started`.
    ///
    /// # Panics
    ///
    /// With the panic of the task, if that comes before `started`.
    ///
    /// # Cancel safety
    ///
    /// Cancelled or dropped before `started`, the task is cancelled; the group waits for it. Afterwards, the task goes on
    /// and the value is lost. Cancelled (not dropped), `start` waits until the task is gone before it gives way.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// let outcome = anyio::task_group(async |tg| {
    ///     let port = tg
    ///         .start(async |started| {
    ///             let port = 8080; // bind the socket
    ///             if started.started(port).is_ok() {
    ///                 anyio::sleep_forever().await; // serve
    ///             }
    ///         })
    ///         .await
    ///         .unwrap();
    ///     tg.cancel();
    ///     port
    /// })
    /// .await;
    /// assert_eq!(outcome, Ok(8080));
    /// # });
    /// ```
    #[track_caller]
    pub fn start<V, F, B>(&self, task: F) -> impl Future<Output = Result<V, StartError<K::Error>>> + use<K, V, F, B>
    where
        F: FnOnce(Started<V, K>) -> B,
        B: Future<Output = K::Output<()>> + Send + 'static,
        V: Send + 'static,
    {
        self.task().start(task)
    }
}

impl<K: Kind> TaskBuilder<'_, K> {
    /// [`TaskGroup::start`].
    ///
    /// # Errors
    ///
    /// As [`TaskGroup::start`].
    ///
    /// # Panics
    ///
    /// As [`TaskGroup::start`].
    ///
    /// # Cancel safety
    ///
    /// As [`TaskGroup::start`].
    #[track_caller]
    pub fn start<V, F, B>(self, task: F) -> impl Future<Output = Result<V, StartError<K::Error>>> + use<K, V, F, B>
    where
        F: FnOnce(Started<V, K>) -> B,
        B: Future<Output = K::Output<()>> + Send + 'static,
        V: Send + 'static,
    {
        let (group, tenure) = (self.group.clone(), self.tenure);
        let info = self.info(Location::caller());
        let begin = begin();
        async move {
            begin.await;
            let mut waiting = Waiting::<V, K>::enter(group.node.runtime(), info);
            let body = task(waiting.token());
            waiting.launch(&group, tenure, body)?;
            poll_fn(|cx| waiting.poll(cx)).await
        }
    }
}

/// What passes between the caller of `start` and the task: the extension of the caller's node.
struct Handshake<V, E> {
    stage: Mutex<Stage<V, E>>,
    /// Who the task is.
    info: TaskInfo,
    /// The task, once it was admitted.
    child: OnceLock<Link>,
}

enum Stage<V, E> {
    /// Neither side has come to an end.
    Waiting,
    /// The task has dropped its token; its end is awaited.
    TokenLost,
    /// The task has started; the value, until `start` takes it.
    Started(Option<V>),
    /// The task ended before it had started; how, until `start` takes it.
    Ended(Option<Early<E>>),
    /// The caller was dropped before the task had started.
    Gone,
}

/// How a task ended that had not started.
enum Early<E> {
    Failed(E),
    Panicked(Payload),
    Cancelled(Cancelled),
    NotStarted,
}

type HandshakeNode<V, E> = Arc<Node<Handshake<V, E>>>;

impl<V: Send + 'static, E: Send + 'static> Ext for Handshake<V, E> {
    fn known(&self) -> &dyn Any {
        self
    }

    /// The caller's cancellation reaches the task, also while `start` is not being polled.
    fn reached(&self, _node: &Link, cause: &Cause) {
        if matches!(*self.stage.lock(), Stage::Waiting | Stage::TokenLost) {
            self.cancel_child(cause.reason.clone());
        }
    }
}

impl<V, E> Handshake<V, E> {
    fn cancel_child(&self, reason: Cancelled) {
        if let Some(child) = self.child.get() {
            child.cancel(reason);
        }
    }

    fn token_lost(&self) {
        let text = "the task dropped its start token without calling started()";
        self.cancel_child(Cancelled::requested(Some(text.into())));
    }
}

/// The caller need not be held any more, and has something to see; an offer, if it is one, can be made only after that.
pub(super) fn release(caller: &Link) {
    caller.wake_up();
    caller.let_go();
    if caller.is_eff() {
        caller.wake_up();
    }
}

/// The token by which a task says that it has started: see [`TaskGroup::start`].
///
/// Dropped unused, the task is cancelled and `start` reports [`StartError::NotStarted`].
#[must_use = "a task that drops its token unused is cancelled"]
pub struct Started<V: Send + 'static, K: Kind = super::Plain> {
    node: HandshakeNode<V, K::Error>,
}

impl<V: Send + 'static, K: Kind> Started<V, K> {
    /// Says that the task has started: `start` returns `value`, and the task is the group's from here on.
    ///
    /// # Errors
    ///
    /// Gives the value back if nobody waits for it any more: `start` was dropped, or its caller is being cancelled; the
    /// task is then cancelled too, at its next suspension.
    pub fn started(self, value: V) -> Result<(), V> {
        let mut stage = self.node.ext.stage.lock();
        if !matches!(*stage, Stage::Waiting) || self.node.is_eff() {
            return Err(value);
        }
        *stage = Stage::Started(Some(value));
        drop(stage);
        release(&erase(&self.node));
        Ok(())
    }
}

impl<V: Send + 'static, K: Kind> Drop for Started<V, K> {
    fn drop(&mut self) {
        let handshake = &self.node.ext;
        let mut stage = handshake.stage.lock();
        // A token that goes down with a task that was cut short is no news.
        let cut = handshake.child.get().is_some_and(|child| child.is_eff());
        if cut || !matches!(*stage, Stage::Waiting) {
            return;
        }
        *stage = Stage::TokenLost;
        drop(stage);
        handshake.token_lost();
    }
}

impl<V: Send + 'static, K: Kind> fmt::Debug for Started<V, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Started(..)")
    }
}

/// Where the end of a task goes that may not have started: to the caller first, to the group later.
struct Starting<V: Send + 'static, K: Kind> {
    node: HandshakeNode<V, K::Error>,
    group: GroupNode<K::Error>,
}

impl<V: Send + 'static, K: Kind> Settle<K::Error> for Starting<V, K> {
    /// The caller hears of it when the task is gone.
    fn settle(&self, place: &Link, task: &TaskInfo, ending: Ending<K::Error>) {
        let mut stage = self.node.ext.stage.lock();
        match *stage {
            Stage::Waiting => *stage = Stage::Ended(Some(self.early(ending, false))),
            Stage::TokenLost => *stage = Stage::Ended(Some(self.early(ending, true))),
            Stage::Started(_) => {
                drop(stage);
                self.group.settle(place, task, ending);
            }
            Stage::Gone | Stage::Ended(_) => {
                drop(stage);
                report(self.group.runtime(), task, ending);
            }
        }
    }
}

impl<V: Send + 'static, K: Kind> Starting<V, K> {
    /// What the caller is told. Cancelled wins over not started; the cancellation that follows a lost token is none.
    fn early(&self, ending: Ending<K::Error>, token_lost: bool) -> Early<K::Error> {
        let child = self.node.ext.child.get();
        let cause = child.and_then(|child| child.cause().filter(|cause| !token_lost || cause.depth < child.depth()));
        let cause = cause.or_else(|| self.node.cause());
        match (ending, cause) {
            (Ending::Failed(error), _) => Early::Failed(error),
            (Ending::Panicked(payload), _) => Early::Panicked(payload),
            (_, Some(cause)) => Early::Cancelled(cause.reason),
            (Ending::Cut(cause), None) if !token_lost => Early::Cancelled(cause.reason),
            (Ending::Cut(_) | Ending::Finished, None) => Early::NotStarted,
        }
    }
}

/// What nobody waits for any more goes to the hook.
fn report<E: Send + 'static>(runtime: &Runtime, task: &TaskInfo, ending: Ending<E>) {
    match ending {
        Ending::Failed(error) => runtime.report(Unhandled::failed(Some(task.clone()), error)),
        Ending::Panicked(payload) => runtime.report(Unhandled::panicked(Some(task.clone()), payload)),
        Ending::Finished | Ending::Cut(_) => {}
    }
}

/// The waiting side of a start.
pub(super) struct Waiting<V: Send + 'static, K: Kind> {
    unit: Unit,
    node: HandshakeNode<V, K::Error>,
}

impl<V: Send + 'static, K: Kind> Waiting<V, K> {
    /// Takes a place below the caller, and holds the units around, without hiding anything.
    pub(super) fn enter(runtime: &Runtime, info: TaskInfo) -> Self {
        let node = Node::new(Role::Leaf, Handshake { stage: Mutex::new(Stage::Waiting), info, child: OnceLock::new() });
        let unit = Unit::new(erase(&node));
        unit.link().set_holding(true);
        match context::current() {
            Some(caller) => unit.link().link(caller),
            None => unit.enter_in(runtime),
        }
        Waiting { unit, node }
    }

    pub(super) fn token(&self) -> Started<V, K> {
        Started { node: self.node.clone() }
    }

    /// Who the task is.
    pub(super) fn info(&self) -> &TaskInfo {
        &self.node.ext.info
    }

    fn launch<B>(&self, group: &TaskGroup<K>, tenure: Tenure, body: B) -> Result<(), StartError<K::Error>>
    where
        B: Future<Output = K::Output<()>> + Send + 'static,
    {
        let (info, settle) = (self.info().clone(), self.settle_in(&group.node));
        let plan = Plan { info: move || info, tenure, right: Right::Queues, convert: K::into_result, settle };
        let begun = group.begin(plan, body, |child| self.expect(child()));
        begun.map(|task| drop(TaskHandle::new(task))).map_err(|_| StartError::Closed)
    }

    /// To what the task's end goes, in `group`.
    pub(super) fn settle_in(&self, group: &GroupNode<K::Error>) -> impl Settle<K::Error> + use<V, K> {
        Starting::<V, K> { node: self.node.clone(), group: group.clone() }
    }

    /// Waits for `child` from now on, which the group has admitted.
    pub(super) fn expect(&self, child: Link) {
        let handshake = &self.node.ext;
        child.release_when_gone(self.unit.link());
        handshake.child.set(child).expect("a start has one task");
        // What happened before there was a task to cancel.
        if matches!(*handshake.stage.lock(), Stage::TokenLost) {
            handshake.token_lost();
        }
        if let Some(cause) = self.node.cause() {
            handshake.reached(self.unit.link(), &cause);
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<V, StartError<K::Error>>> {
        self.unit.register(cx);
        let mut stage = self.node.ext.stage.lock();
        match &mut *stage {
            Stage::Started(value) => {
                let value = value.take().expect("start is not polled after it is done");
                return Poll::Ready(Ok(value));
            }
            Stage::Ended(_) => {}
            Stage::Waiting | Stage::TokenLost | Stage::Gone => return Poll::Pending,
        }
        drop(stage);
        let child = self.node.ext.child.get().expect("what has ended was there");
        ready!(child.poll_gone(cx));
        if matches!(*self.node.ext.stage.lock(), Stage::Ended(Some(Early::Cancelled(_)))) {
            ready!(self.unit.poll_offer(cx));
        }
        Poll::Ready(Err(match self.take_early() {
            Some(Early::Failed(error)) => StartError::Failed(error),
            Some(Early::Cancelled(cancelled)) => StartError::Cancelled(cancelled),
            Some(Early::Panicked(payload)) => resume_unwind(payload),
            Some(Early::NotStarted) | None => StartError::NotStarted,
        }))
    }

    fn take_early(&self) -> Option<Early<K::Error>> {
        match &mut *self.node.ext.stage.lock() {
            Stage::Ended(early) => early.take(),
            _ => None,
        }
    }
}

impl<V: Send + 'static, K: Kind> Drop for Waiting<V, K> {
    fn drop(&mut self) {
        let handshake = &self.node.ext;
        let mut stage = handshake.stage.lock();
        let undecided = matches!(*stage, Stage::Waiting | Stage::TokenLost);
        if undecided {
            *stage = Stage::Gone;
        }
        let value = if let Stage::Started(value) = &mut *stage { value.take() } else { None };
        drop(stage);
        if undecided {
            handshake.cancel_child(Cancelled::new(CancelReason::GroupDropped));
        }
        let ending = match self.take_early() {
            Some(Early::Failed(error)) => Ending::Failed(error),
            Some(Early::Panicked(payload)) => Ending::Panicked(payload),
            Some(Early::Cancelled(_) | Early::NotStarted) | None => Ending::Finished,
        };
        report(self.node.runtime(), &handshake.info, ending);
        self.unit.finish();
        drop(value);
    }
}
