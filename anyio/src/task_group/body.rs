//! A group around a body: opening it, polling the body, draining it, and what it comes to.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::needs_drop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::cell::{Group, GroupCell, GroupNode, Sum};
use super::error::{Failure, GroupError};
use super::kind::{Kind, Plain, Shape, Try};
use super::limit::Slots;
use super::settings::Settings;
use super::{OwnedTaskGroup, TaskGroup};
use crate::context;
use crate::runtime::Runtime;
use crate::tree::{Node, Place, Role, erase};
use crate::unit::{End, Unit};

/// Opens a group of tasks that cannot fail, runs `body`, and waits for every task in it.
///
/// ```text
///   task_group(async |tg| { … })
///   ├─ body ────────────spawn──spawn─────▶ value
///   ├─ task            └────────│──────────────▶ done
///   └─ task                     └───────────────────▶ done
///                                                    └▶ Ok(value): nothing is left
/// ```
///
/// When the future returns, every task in the group, and every task below those, has finished and been dropped. If the
/// body or a task **panics**, the rest is cancelled and waited for, and the panic is resumed here. If a scope around is
/// cancelled, so are body and tasks, all are waited for, and clean-ups inside run to their end.
///
/// Waiting for the tasks at the end is no cancellation point of its own: if they all finish by themselves, the group
/// returns normally.
///
/// The closure gets the handle by value; `async |tg| …` may borrow from around it. The tasks may not: they run in
/// parallel and are `'static`. Those of a [`scoped_group`](crate::scoped_group()) may.
///
/// The semantics are those of [Trio's nurseries], of which AnyIO's and asyncio's task groups are renderings.
/// *Compared to* tokio's `JoinSet`: grandchildren never outlive the group, errors cannot be overlooked, and what was
/// spawned needs no loop to be joined. *Compared to* [`try_task_group`]: as `join!` to `try_join!`.
///
/// [Trio's nurseries]: https://trio.readthedocs.io/en/stable/reference-core.html#nurseries-and-spawning
///
/// # Errors
///
/// [`Cancelled`](crate::Cancelled), if the body was cut short, or an ordinary task by a cause from outside the group. If that is
/// a scope around, it normally drops the group, and the error is never seen.
///
/// # Panics
///
/// At the first poll, where there is no runtime; with the first panic of body and tasks. Any further ones go to the
/// unhandled-outcome hook.
///
/// # Cancel safety
///
/// Dropping the future, by a foreign `select!` for example, drops the body and cancels the tasks. Nothing is detached:
/// the next scope, group or run around waits for them. Their errors go to the unhandled-outcome hook.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
///
/// let outcome = anyio::task_group(async |tg| {
///     tg.spawn(anyio::sleep(Duration::from_millis(2)));
///     tg.spawn(anyio::sleep(Duration::from_millis(3)));
///     "both are done when this arrives"
/// })
/// .await;
/// assert!(outcome.is_ok());
/// # });
/// ```
pub fn task_group<T, F, B>(body: F) -> GroupFuture<Plain, F, B, T>
where
    F: FnOnce(TaskGroup) -> B,
    B: Future<Output = T>,
{
    GroupBuilder::new().run_ok(body)
}

/// Opens a group of tasks that may fail, runs `body`, and waits for every task in it.
///
/// As [`task_group`], and: the **first failure**, a task's or the body's, cancels the rest. The group still waits for all
/// of it; every error is in the result, in the order of completion, none is lost. Cancelled tasks are not errors.
///
/// # Errors
///
/// [`GroupError::Failed`] with all errors; [`GroupError::Cancelled`], if nothing failed but the body was cut short, or
/// an ordinary task by a cause from outside the group. Errors beat cancellation: they are returned even while a scope around is
/// cancelled.
///
/// # Panics
///
/// As [`task_group`]; errors that cannot be returned for a panic go to the unhandled-outcome hook.
///
/// # Cancel safety
///
/// As [`task_group`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::num::ParseIntError;
/// use anyio::{GroupError, try_task_group};
///
/// async fn parse(text: &str) -> Result<i32, ParseIntError> {
///     text.parse()
/// }
///
/// let sum = try_task_group(async |tg| {
///     let parts: Vec<_> = ["1", "2", "3"].map(|text| tg.spawn(parse(text))).into();
///     let mut sum = 0;
///     for part in parts {
///         sum += part.value().await;
///     }
///     Ok(sum)
/// })
/// .await;
/// assert_eq!(sum.unwrap(), 6);
///
/// let failed = try_task_group(async |tg| {
///     tg.spawn(parse("four"));
///     Ok(())
/// })
/// .await;
/// assert!(matches!(failed, Err(GroupError::Failed(_))));
/// # });
/// ```
pub fn try_task_group<T, E, F, B>(body: F) -> GroupFuture<Try<E>, F, B, T>
where
    F: FnOnce(TaskGroup<Try<E>>) -> B,
    B: Future<Output = Result<T, E>>,
    E: Send + 'static,
{
    GroupBuilder::new().run(body)
}

/// A group with settings of its own.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::io;
/// use anyio::GroupBuilder;
///
/// async fn parse() -> io::Result<()> {
///     panic!("oops")
/// }
///
/// let outcome = GroupBuilder::new()
///     .panics_are_errors()
///     .run(async |tg| {
///         tg.spawn(parse());
///         Ok(())
///     })
///     .await;
/// assert_eq!(outcome.unwrap_err().to_string(), "panicked: oops");
/// # });
/// ```
#[must_use = "a builder does nothing until it runs"]
pub struct GroupBuilder<E = Infallible> {
    pub(super) settings: Settings<E>,
}

impl<E: Send + 'static> GroupBuilder<E> {
    /// The settings of [`try_task_group`] and [`task_group`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the group, for errors and messages: a task of a group "ingest" reads like
    /// `task 7 "fetcher" of "ingest" (spawned at …)`.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.settings.edit().name = Some(name.into());
        self
    }

    /// Makes a panic a failure like any other ([`FailureKind::Panic`](crate::FailureKind::Panic)), instead of resuming
    /// it. Where tasks cannot fail there is no error that it could be in: there panics are resumed all the same.
    pub fn panics_are_errors(mut self) -> Self {
        self.settings.edit().panics_are_errors = true;
        self
    }

    /// Hands the errors and the panics of tasks to `supervisor`, instead of collecting them and cancelling the group: one
    /// connection that breaks does not take the others down.
    ///
    /// The body's own error, or panic, is the group's as ever. `supervisor` is called in the task that failed, after its
    /// future was dropped and before its handle completes; it may spawn the next attempt, unless the failure
    /// [is secondary](Failure::is_secondary): then the group is being cancelled, and attempts would follow each other for
    /// ever. If it panics, that is a panic of
    /// the task in an ordinary group: it cancels the group and is resumed in the host.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use anyio::{Failure, GroupBuilder};
    ///
    /// async fn serve(peer: u32) -> Result<(), String> {
    ///     if peer == 2 { Err(format!("peer {peer} went away")) } else { Ok(()) }
    /// }
    ///
    /// let outcome = GroupBuilder::new()
    ///     .supervised(|failure: Failure<String>| eprintln!("{failure}"))
    ///     .run(async |tg| {
    ///         for peer in 1..=3 {
    ///             tg.spawn(serve(peer));
    ///         }
    ///         Ok(())
    ///     })
    ///     .await;
    /// assert!(outcome.is_ok());
    /// # });
    /// ```
    pub fn supervised(mut self, supervisor: impl Fn(Failure<E>) + Send + Sync + 'static) -> Self {
        self.settings.edit().supervisor = Some(Arc::new(supervisor));
        self
    }

    /// Lets at most `tasks` tasks run at a time. What is spawned beyond queues, and starts in the order in which it was
    /// spawned. A queued task that is cancelled, alone or with its group, is dropped unpolled, by whoever cancels it.
    ///
    /// [`spawn_when_ready`](TaskGroup::spawn_when_ready) waits instead of queueing. Blocking work counts as any task does;
    /// [daemons](crate::TaskBuilder::daemon) and [attached](TaskGroup::attach) futures do not count. A task that spawns
    /// into its own group and waits for that keeps its slot meanwhile: where all do so, none goes on.
    ///
    /// # Panics
    ///
    /// If `tasks` is 0: nothing would ever run.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// use std::time::Duration;
    /// use anyio::GroupBuilder;
    ///
    /// let all = GroupBuilder::new().limit(2).run_ok(async |tg| {
    ///     for _ in 0..6 {
    ///         tg.spawn(anyio::sleep(Duration::from_millis(1))); // two by two
    ///     }
    /// });
    /// assert_eq!(all.await, Ok(()));
    /// # });
    /// ```
    pub fn limit(mut self, tasks: usize) -> Self {
        assert!(tasks > 0, "a group with a limit of 0 would never run a task: give it at least 1");
        self.settings.edit().slots = Some(Slots::new(tasks));
        self
    }

    /// [`try_task_group`] with these settings.
    ///
    /// # Errors
    ///
    /// As [`try_task_group`].
    ///
    /// # Panics
    ///
    /// As [`try_task_group`].
    ///
    /// # Cancel safety
    ///
    /// As [`try_task_group`].
    pub fn run<T, F, B>(self, body: F) -> GroupFuture<Try<E>, F, B, T>
    where
        F: FnOnce(TaskGroup<Try<E>>) -> B,
        B: Future<Output = Result<T, E>>,
    {
        GroupFuture::new(self.settings, body)
    }

    /// An [owned group](OwnedTaskGroup) of tasks that may fail, with these settings, in the current runtime.
    ///
    /// # Panics
    ///
    /// Where there is no runtime.
    pub fn owned(self) -> OwnedTaskGroup<Try<E>> {
        OwnedTaskGroup::here(self.settings)
    }

    /// [`owned`](GroupBuilder::owned) for a group that belongs to `parent`.
    pub fn owned_in<P: Kind>(self, parent: &TaskGroup<P>) -> OwnedTaskGroup<Try<E>> {
        OwnedTaskGroup::below(parent, self.settings)
    }
}

impl GroupBuilder {
    /// [`task_group`] with these settings: for tasks that cannot fail.
    ///
    /// # Errors
    ///
    /// As [`task_group`].
    ///
    /// # Panics
    ///
    /// As [`task_group`].
    ///
    /// # Cancel safety
    ///
    /// As [`task_group`].
    pub fn run_ok<T, F, B>(self, body: F) -> GroupFuture<Plain, F, B, T>
    where
        F: FnOnce(TaskGroup) -> B,
        B: Future<Output = T>,
    {
        GroupFuture::new(self.settings.infallible(), body)
    }

    /// [`owned`](GroupBuilder::owned) for tasks that cannot fail.
    ///
    /// # Panics
    ///
    /// Where there is no runtime.
    pub fn owned_ok(self) -> OwnedTaskGroup {
        OwnedTaskGroup::here(self.settings.infallible())
    }

    /// [`owned_in`](GroupBuilder::owned_in) for tasks that cannot fail.
    pub fn owned_ok_in<P: Kind>(self, parent: &TaskGroup<P>) -> OwnedTaskGroup {
        OwnedTaskGroup::below(parent, self.settings.infallible())
    }
}

impl<E> Default for GroupBuilder<E> {
    fn default() -> Self {
        GroupBuilder { settings: Settings::default() }
    }
}

impl<E> fmt::Debug for GroupBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupBuilder").field("settings", &self.settings).finish()
    }
}

pin_project! {
    /// The future of a group: what [`task_group`] and [`try_task_group`] return.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct GroupFuture<K: Shape, F, B, T> {
        // With the group's node, from the first poll.
        unit: Unit,
        // What the group is told, and what makes the body, until then.
        open: Option<(Settings<K::Error>, F)>,
        #[pin]
        body: Option<B>,
        // What the body returned, if it completed well.
        value: Option<T>,
        stage: Stage,
        methods: Methods<K, F, B, T>,
    }

    impl<K: Shape, F, B, T> PinnedDrop for GroupFuture<K, F, B, T> {
        fn drop(this: Pin<&mut Self>) {
            (this.methods.desert)(this);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The body runs, or will.
    Running,
    /// The body is done.
    Draining,
    /// It has returned, and nothing is left.
    Over,
}

/// What the future of a group does, together with what this asks of its parameters.
///
/// Bounds in the impls of `Future` and `Drop` would do as well, if it were not for futures that keep the output of a
/// group, such as timeouts and `join!`. rustc decides whether those are `Send` after it has forgotten all lifetimes, and
/// then cannot tell any more that a closure that borrows is an `FnOnce`, or that an error is `'static`
/// (rust-lang/rust#110338).
#[expect(clippy::type_complexity, reason = "two methods, spelt out once")]
struct Methods<K: Shape, F, B, T> {
    poll: fn(Pin<&mut GroupFuture<K, F, B, T>>, &mut Context<'_>) -> Poll<K::Outcome<T>>,
    desert: fn(Pin<&mut GroupFuture<K, F, B, T>>),
}

impl<K, F, B, T> GroupFuture<K, F, B, T>
where
    K: Kind,
    F: FnOnce(TaskGroup<K>) -> B,
    B: Future<Output = K::Output<T>>,
{
    fn new(settings: Settings<K::Error>, open: F) -> Self {
        GroupFuture {
            unit: Unit::vacant(Role::Group),
            open: Some((settings, open)),
            body: None,
            value: None,
            stage: Stage::Running,
            methods: Methods { poll: Self::poll_group, desert: Self::desert },
        }
    }

    fn poll_group(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<K::Outcome<T>> {
        ready!(self.as_mut().poll_open(cx));
        ready!(self.as_mut().poll_closed(cx));
        let this = self.project();
        let outcome = ready!(poll_outcome(this.unit, this.value, cx));
        this.unit.finish();
        *this.stage = Stage::Over;
        Poll::Ready(K::into_outcome(outcome))
    }

    fn desert(self: Pin<&mut Self>) {
        struct Desert<'a, E: Send + 'static>(&'a mut Unit, PhantomData<fn(E)>);
        impl<E: Send + 'static> Drop for Desert<'_, E> {
            fn drop(&mut self) {
                Group::<E>::at(self.0.link()).desert();
            }
        }
        let this = self.project();
        if *this.stage != Stage::Over && this.unit.try_link().is_some() {
            let desert = Desert::<K::Error>(this.unit, PhantomData);
            desert.0.abandon(this.body);
        }
    }

    /// Enters the group and makes its body.
    fn poll_open(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if this.open.is_none() {
            return Poll::Ready(());
        }
        ready!(context::poll_budget(cx));
        let (settings, open) = this.open.take().expect("it was there");
        let node = node_here(settings);
        // Put where it stays at once: to move it takes longer than to make it.
        let open = |node| this.body.set(Some(open(TaskGroup::new(node))));
        let (opened, link) = context::within_lent(erase(&node), || catch_unwind(AssertUnwindSafe(|| open(node))));
        this.unit.lend(link);
        if let Err(payload) = opened {
            Group::<K::Error>::at(this.unit.link()).panicked(None, payload);
            this.unit.begin_exit();
            *this.stage = Stage::Draining;
        }
        Poll::Ready(())
    }

    /// Polls the body, and waits for the tasks when it is done.
    fn poll_closed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if *this.stage != Stage::Running {
            return this.unit.poll_closed(cx);
        }
        // Taken apart where it is: to move all of it takes longer than to make it.
        let end = match this.unit.poll_body(this.body, cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(End::Value(value)) => End::Value(K::into_result(value)),
            Poll::Ready(End::Cut) => End::Cut,
            Poll::Ready(End::Panicked(payload)) => End::Panicked(payload),
        };
        let link = this.unit.link();
        *this.value = match end {
            End::Value(Ok(value)) => Some(value),
            end => Group::at(link).body_ended(link, end),
        };
        *this.stage = Stage::Draining;
        this.unit.poll_exit(cx)
    }
}

/// The node of a group that begins here.
///
/// # Panics
///
/// Where there is no runtime.
#[inline(never)]
fn node_here<E: Send + 'static>(settings: Settings<E>) -> GroupNode<E> {
    let cell = GroupCell::new(settings);
    // Apart from each other: a place that is of either kind would be handed on through memory.
    if let Some(parent) = context::current() {
        return Node::group(Place::inside(parent), cell);
    }
    let runtime = Runtime::current().unwrap_or_else(|error| panic!("{error}"));
    Node::group(Place::at_home(runtime), cell)
}

/// What the closed group comes to, whose node the unit has. A cancellation from outside is offered to the scopes around first (law C4); errors are
/// not, since they beat it.
#[inline]
pub(super) fn poll_outcome<T, E: Send + 'static>(
    unit: &mut Unit,
    value: &mut Option<T>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, GroupError<E>>> {
    if needs_drop::<T>() && value.is_some() && !Group::<E>::at(unit.link()).is_well() {
        // The value will not be returned: it goes while somebody can still be told of a panic in its destructor.
        let value = value.take();
        let dropped = unit.inside(|| drop(value));
        dropped.unwrap_or_else(|payload| Group::<E>::at(unit.link()).panicked(None, payload));
    }
    let is_cut = match Group::at(unit.link()).sum_up() {
        Sum::Panicked(payload) => {
            unit.finish();
            resume_unwind(payload)
        }
        Sum::Failed(error) => return Poll::Ready(Err(error)),
        Sum::Well { is_cut } => is_cut,
    };
    if !is_cut && let Some(value) = value.take() {
        return Poll::Ready(Ok(value));
    }
    ready!(unit.poll_offer(cx));
    let group = Group::<E>::at(unit.link());
    let reason = group.outermost().or_else(|| group.outside()).expect("a group without a value was cancelled");
    Poll::Ready(Err(GroupError::Cancelled(reason)))
}

impl<K: Shape, F, B, T> Future for GroupFuture<K, F, B, T> {
    type Output = K::Outcome<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        (self.methods.poll)(self, cx)
    }
}

impl<K: Kind, F, B, T> fmt::Debug for GroupFuture<K, F, B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.unit.try_link().is_some_and(|link| link.is_refusing());
        f.debug_struct("GroupFuture").field("closed", &closed).finish_non_exhaustive()
    }
}
