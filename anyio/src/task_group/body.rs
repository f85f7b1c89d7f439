//! A group around a body: opening it, polling the body, draining it, and what it comes to.

use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::cell::{GroupCell, GroupNode, Sum};
use super::error::GroupError;
use super::kind::{Kind, Plain, Shape, Try};
use super::{Desert, TaskGroup, unit_of};
use crate::context;
use crate::tree::{Node, Role};
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
/// parallel and are `'static`.
///
/// The semantics are those of [Trio's nurseries], of which AnyIO's and asyncio's task groups are renderings.
/// *Compared to* tokio's `JoinSet`: grandchildren never outlive the group, errors cannot be overlooked, and what was
/// spawned needs no loop to be joined. *Compared to* [`try_task_group`]: as `join!` to `try_join!`.
///
/// [Trio's nurseries]: https://trio.readthedocs.io/en/stable/reference-core.html#nurseries-and-spawning
///
/// # Errors
///
/// [`Cancelled`](crate::Cancelled), if the body was cut short, or any task by a cause from outside the group. If that is
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
    GroupBuilder::new().plain(body)
}

/// Opens a group of tasks that may fail, runs `body`, and waits for every task in it.
///
/// As [`task_group`], and: the **first failure**, a task's or the body's, cancels the rest. The group still waits for all
/// of it; every error is in the result, in the order of completion, none is lost. Cancelled tasks are not errors.
///
/// # Errors
///
/// [`GroupError::Failed`] with all errors; [`GroupError::Cancelled`], if nothing failed but the body was cut short, or
/// any task by a cause from outside the group. Errors beat cancellation: they are returned even while a scope around is
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
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it runs"]
pub struct GroupBuilder {
    pub(super) panics_are_errors: bool,
}

impl GroupBuilder {
    /// The settings of [`try_task_group`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a panic a failure like any other ([`FailureKind::Panic`](crate::FailureKind::Panic)), instead of resuming
    /// it.
    pub fn panics_are_errors(mut self) -> Self {
        self.panics_are_errors = true;
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
    pub fn run<T, E, F, B>(self, body: F) -> GroupFuture<Try<E>, F, B, T>
    where
        F: FnOnce(TaskGroup<Try<E>>) -> B,
        B: Future<Output = Result<T, E>>,
        E: Send + 'static,
    {
        GroupFuture::new(self, body)
    }

    fn plain<T, F, B>(self, body: F) -> GroupFuture<Plain, F, B, T>
    where
        F: FnOnce(TaskGroup) -> B,
        B: Future<Output = T>,
    {
        GroupFuture::new(self, body)
    }
}

pin_project! {
    /// The future of a group: what [`task_group`] and [`try_task_group`] return.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct GroupFuture<K: Shape, F, B, T> {
        group: TaskGroup<K>,
        unit: Unit,
        // Makes the body, at the first poll.
        open: Option<F>,
        #[pin]
        body: Option<B>,
        // What the body returned, if it completed well.
        value: Option<T>,
        draining: bool,
        methods: Methods<K, F, B, T>,
    }

    impl<K: Shape, F, B, T> PinnedDrop for GroupFuture<K, F, B, T> {
        fn drop(this: Pin<&mut Self>) {
            (this.methods.desert)(this);
        }
    }
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
    fn new(settings: GroupBuilder, open: F) -> Self {
        let node = Node::new(Role::Group, GroupCell::new(settings.panics_are_errors));
        GroupFuture {
            unit: unit_of(&node),
            group: TaskGroup::new(node),
            open: Some(open),
            body: None,
            value: None,
            draining: false,
            methods: Methods { poll: Self::poll_group, desert: Self::desert },
        }
    }

    fn poll_group(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<K::Outcome<T>> {
        ready!(self.as_mut().poll_open(cx));
        ready!(self.as_mut().poll_body(cx));
        ready!(self.as_mut().project().unit.poll_closed(cx));
        let this = self.as_mut().project();
        let outcome = ready!(poll_outcome(&this.group.node, this.unit, this.value, cx));
        self.unit.finish();
        Poll::Ready(K::into_outcome(outcome))
    }

    fn desert(self: Pin<&mut Self>) {
        let this = self.project();
        let _desert = Desert(&this.group.node);
        this.unit.abandon(this.body);
    }

    /// Enters the group and makes its body.
    fn poll_open(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if this.open.is_none() {
            return Poll::Ready(());
        }
        ready!(context::poll_budget(cx));
        this.unit.enter_here();
        let open = this.open.take().expect("it was there");
        let group = this.group.clone();
        match this.unit.inside(|| open(group)) {
            Ok(body) => this.body.set(Some(body)),
            Err(payload) => {
                this.group.node.panicked(None, payload);
                this.unit.begin_exit();
                *this.draining = true;
            }
        }
        Poll::Ready(())
    }

    fn poll_body(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if *this.draining {
            return Poll::Ready(());
        }
        let node = &this.group.node;
        match ready!(this.unit.poll_body(this.body, cx)) {
            End::Value(output) => match K::into_result(output) {
                Ok(value) => *this.value = Some(value),
                Err(error) => node.fail(None, error),
            },
            End::Panicked(payload) => node.panicked(None, payload),
            End::Cut => node.cut(&node.cause().expect("a body is cut short for a cause")),
        }
        this.unit.begin_exit();
        *this.draining = true;
        Poll::Ready(())
    }
}

/// What the closed group comes to. A cancellation from outside is offered to the scopes around first (law C4); errors are
/// not, since they beat it.
pub(super) fn poll_outcome<T, E: Send + 'static>(
    node: &GroupNode<E>,
    unit: &mut Unit,
    value: &mut Option<T>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, GroupError<E>>> {
    if !node.ext.is_well() {
        // The value will not be returned: it goes while somebody can still be told of a panic in its destructor.
        let value = value.take();
        let dropped = unit.inside(|| drop(value));
        dropped.unwrap_or_else(|payload| node.panicked(None, payload));
    }
    match node.sum_up() {
        Sum::Panicked(payload) => {
            unit.finish();
            resume_unwind(payload)
        }
        Sum::Failed(error) => return Poll::Ready(Err(error)),
        Sum::Well => {}
    }
    let outside = node.ext.outside();
    if outside.is_none()
        && let Some(value) = value.take()
    {
        return Poll::Ready(Ok(value));
    }
    ready!(unit.poll_offer(cx));
    let outermost = node.cause().map(|cause| cause.reason);
    let reason = outermost.or(outside).expect("a group without a value was cancelled");
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
        f.debug_struct("GroupFuture").field("group", &self.group).finish_non_exhaustive()
    }
}
