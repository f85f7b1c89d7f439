//! A scoped group around a body: opening it, polling body and tasks, draining it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::crew::Crew;
use super::{LocalScopedGroup, LocalTask, Scope, ScopedGroup, SendTask};
use crate::branches::Wakeup;
use crate::context;
use crate::task_group::body::poll_outcome;
use crate::task_group::cell::GroupCell;
use crate::task_group::cell::{Desert, Group};
use crate::task_group::kind::{Kind, Plain, Shape, Try};
use crate::task_group::settings::Settings;
use crate::task_group::{GroupBuilder, unit_of};
use crate::tree::{Node, Role, erase};
use crate::unit::Unit;

/// The index of the body among what is polled.
const BODY: usize = usize::MAX;

/// Opens a group whose tasks may borrow, runs `body`, and waits for every task in it.
///
/// The tasks are polled by the group itself, inside the caller's own task: *concurrent* with each other and with the
/// body, but never parallel, and with nothing handed to the runtime. So they may borrow whatever outlives the call, and
/// ten thousand of them cost one poll for each that was woken.
///
/// ```text
///   let pages = vec![…];
///   scoped_group(async |s| { s.spawn(check(&pages[0])); … })
///   ├─ body ─────spawn──spawn─────▶ value
///   ├─ task    └────────│──────────────▶ done        all of it in one task of the runtime
///   └─ task             └───────────────────▶ done
///                                             └▶ Ok(value); `pages` is borrowed no more
/// ```
///
/// In everything else it is a [`task_group`](crate::task_group()): what is promised about errors, panics, cancellation,
/// handles and [`start`](ScopedGroup::start) holds here word for word. A task that blocks its thread blocks its siblings
/// too: where tasks compute, use `task_group`.
///
/// *Compared to* [`task_group`](crate::task_group()): tasks borrow instead of being `'static`, and share one thread at a time. *Compared
/// to* [`local_scoped_group`]: the group, and its tasks, are `Send`. *Compared to* `FuturesUnordered` and
/// [`gather`](crate::gather): tasks may be added by the body, by tasks, and from destructors.
///
/// Groups in groups nest their polls: a depth of a thousand is all right, a hundred thousand is for `task_group`.
///
/// # Errors
///
/// As [`task_group`](crate::task_group()): [`Cancelled`](crate::Cancelled), if the body was cut short, or any task by a cause from outside.
///
/// # Panics
///
/// As [`task_group`](crate::task_group()): where there is no runtime, and with the first panic of body and tasks.
///
/// # Cancel safety
///
/// Dropping the future drops the body and the tasks, there and then. What *they* have spawned in groups of the other kind
/// is cancelled, and the next scope, group or run around waits for it. Their errors go to the unhandled-outcome hook.
/// Nobody waits for the tasks of a group that was forgotten: they cannot go on without it.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// let words = vec![String::from("structured"), String::from("concurrency")];
/// let mut longest = 0;
///
/// let total = anyio::scoped_group(async |s| {
///     let lengths: Vec<_> = words.iter().map(|word| s.spawn(async move { word.len() })).collect();
///     let mut total = 0;
///     for length in lengths {
///         let length = length.value().await;
///         longest = longest.max(length);
///         total += length;
///     }
///     total
/// })
/// .await;
/// assert_eq!((total, longest), (Ok(21), 11));
/// # });
/// ```
///
/// A task cannot borrow what dies before the group is over:
///
/// ```compile_fail,E0597
/// async fn dangling() {
///     let _ = anyio::scoped_group(async |s| {
///         let short = String::from("lives in the body");
///         s.spawn(async { short.len() });
///     })
///     .await;
/// }
/// ```
///
/// What is not `Send` goes into [`local_scoped_group`]:
///
/// ```compile_fail,E0277
/// async fn not_send() {
///     let shared = std::rc::Rc::new(1);
///     let _ = anyio::scoped_group(async |s| {
///         let shared = shared.clone();
///         s.spawn(async move { *shared });
///     })
///     .await;
/// }
/// ```
///
/// The handle to the group does not escape what its tasks borrow:
///
/// ```compile_fail,E0597
/// async fn escape() {
///     let mut escaped = None;
///     {
///         let text = String::from("gone soon");
///         let _ = anyio::scoped_group(async |s| {
///             s.spawn(async { text.len() });
///             escaped = Some(s);
///         })
///         .await;
///     }
///     drop(escaped);
/// }
/// ```
pub fn scoped_group<'env, T, F, B>(body: F) -> ScopedGroupFuture<Plain, SendTask<'env>, F, B, T>
where
    F: FnOnce(ScopedGroup<'env>) -> B,
    B: Future<Output = T>,
{
    ScopedGroupFuture::new(Settings::default(), body, |open, scope| open(ScopedGroup::new(scope)))
}

/// Opens a group whose tasks may borrow and may fail, runs `body`, and waits for every task in it.
///
/// It is to [`scoped_group`] what [`try_task_group`](crate::try_task_group) is to
/// [`task_group`](crate::task_group()): the first failure cancels the rest, and every error is in the result.
///
/// Values may borrow; errors are `Send + 'static`, since one that nobody is left to receive goes to the
/// [unhandled-outcome hook](crate::set_unhandled_hook).
///
/// # Errors
///
/// As [`try_task_group`](crate::try_task_group).
///
/// # Panics
///
/// As [`scoped_group`].
///
/// # Cancel safety
///
/// As [`scoped_group`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::{GroupError, try_scoped_group};
///
/// let inputs = vec![String::from("1"), String::from("2")];
/// let sum = try_scoped_group(async |s| {
///     let parsed: Vec<_> = inputs.iter().map(|text| s.spawn(async { text.parse::<u32>() })).collect();
///     let mut sum = 0;
///     for number in parsed {
///         sum += number.value().await;
///     }
///     Ok(sum)
/// })
/// .await
/// .map_err(|error: GroupError<std::num::ParseIntError>| error.to_string());
/// assert_eq!(sum, Ok(3));
/// # });
/// ```
pub fn try_scoped_group<'env, T, E, F, B>(body: F) -> ScopedGroupFuture<Try<E>, SendTask<'env>, F, B, T>
where
    F: FnOnce(ScopedGroup<'env, Try<E>>) -> B,
    B: Future<Output = Result<T, E>>,
    E: Send + 'static,
{
    GroupBuilder::new().run_scoped(body)
}

/// [`scoped_group`] for tasks that are not `Send`: with an `Rc`, a `RefCell`, a guard of a lock.
///
/// The group is not `Send` either: it runs where its caller runs, under [`block_on`](crate::block_on),
/// [`run`](crate::run), or a runtime's own local tasks.
///
/// # Errors
///
/// As [`scoped_group`].
///
/// # Panics
///
/// As [`scoped_group`].
///
/// # Cancel safety
///
/// As [`scoped_group`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::cell::RefCell;
///
/// let log = RefCell::new(Vec::new());
/// anyio::local_scoped_group(async |s| {
///     s.spawn(async { log.borrow_mut().push("task") });
///     log.borrow_mut().push("body");
/// })
/// .await
/// .unwrap();
/// assert_eq!(log.into_inner(), ["body", "task"]);
/// # });
/// ```
pub fn local_scoped_group<'env, T, F, B>(body: F) -> ScopedGroupFuture<Plain, LocalTask<'env>, F, B, T>
where
    F: FnOnce(LocalScopedGroup<'env>) -> B,
    B: Future<Output = T>,
{
    ScopedGroupFuture::new(Settings::default(), body, |open, scope| open(LocalScopedGroup::new(scope)))
}

/// [`try_scoped_group`] for tasks that are not `Send`: see [`local_scoped_group`].
///
/// # Errors
///
/// As [`try_task_group`](crate::try_task_group).
///
/// # Panics
///
/// As [`scoped_group`].
///
/// # Cancel safety
///
/// As [`scoped_group`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::rc::Rc;
///
/// let name = Rc::new(String::from("config"));
/// let outcome = anyio::try_local_scoped_group(async |s| {
///     let name = name.clone();
///     s.spawn(async move { Err::<(), _>(format!("no {name}")) });
///     Ok(())
/// })
/// .await;
/// assert_eq!(outcome.unwrap_err().to_string(), "no config");
/// # });
/// ```
pub fn try_local_scoped_group<'env, T, E, F, B>(body: F) -> ScopedGroupFuture<Try<E>, LocalTask<'env>, F, B, T>
where
    F: FnOnce(LocalScopedGroup<'env, Try<E>>) -> B,
    B: Future<Output = Result<T, E>>,
    E: Send + 'static,
{
    GroupBuilder::new().run_local_scoped(body)
}

impl<E: Send + 'static> GroupBuilder<E> {
    /// [`try_scoped_group`] with these settings.
    ///
    /// # Errors
    ///
    /// As [`try_scoped_group`].
    ///
    /// # Panics
    ///
    /// As [`try_scoped_group`]; at once, if a [limit](GroupBuilder::limit) was set: see
    /// [`map_concurrent`](crate::map_concurrent) for that.
    ///
    /// # Cancel safety
    ///
    /// As [`try_scoped_group`].
    pub fn run_scoped<'env, T, F, B>(self, body: F) -> ScopedGroupFuture<Try<E>, SendTask<'env>, F, B, T>
    where
        F: FnOnce(ScopedGroup<'env, Try<E>>) -> B,
        B: Future<Output = Result<T, E>>,
    {
        ScopedGroupFuture::new(self.settings, body, |open, scope| open(ScopedGroup::new(scope)))
    }

    /// [`try_local_scoped_group`] with these settings.
    ///
    /// # Errors
    ///
    /// As [`try_local_scoped_group`].
    ///
    /// # Panics
    ///
    /// As [`try_local_scoped_group`]; at once, if a [limit](GroupBuilder::limit) was set: see
    /// [`map_concurrent`](crate::map_concurrent) for that.
    ///
    /// # Cancel safety
    ///
    /// As [`try_local_scoped_group`].
    pub fn run_local_scoped<'env, T, F, B>(self, body: F) -> ScopedGroupFuture<Try<E>, LocalTask<'env>, F, B, T>
    where
        F: FnOnce(LocalScopedGroup<'env, Try<E>>) -> B,
        B: Future<Output = Result<T, E>>,
    {
        ScopedGroupFuture::new(self.settings, body, |open, scope| open(LocalScopedGroup::new(scope)))
    }
}

impl GroupBuilder {
    /// [`scoped_group`] with these settings: for tasks that cannot fail.
    ///
    /// # Errors
    ///
    /// As [`scoped_group`].
    ///
    /// # Panics
    ///
    /// As [`run_scoped`](GroupBuilder::run_scoped).
    ///
    /// # Cancel safety
    ///
    /// As [`scoped_group`].
    pub fn run_scoped_ok<'env, T, F, B>(self, body: F) -> ScopedGroupFuture<Plain, SendTask<'env>, F, B, T>
    where
        F: FnOnce(ScopedGroup<'env>) -> B,
        B: Future<Output = T>,
    {
        ScopedGroupFuture::new(self.settings.infallible(), body, |open, scope| open(ScopedGroup::new(scope)))
    }

    /// [`local_scoped_group`] with these settings: for tasks that cannot fail.
    ///
    /// # Errors
    ///
    /// As [`local_scoped_group`].
    ///
    /// # Panics
    ///
    /// As [`run_local_scoped`](GroupBuilder::run_local_scoped).
    ///
    /// # Cancel safety
    ///
    /// As [`local_scoped_group`].
    pub fn run_local_scoped_ok<'env, T, F, B>(self, body: F) -> ScopedGroupFuture<Plain, LocalTask<'env>, F, B, T>
    where
        F: FnOnce(LocalScopedGroup<'env>) -> B,
        B: Future<Output = T>,
    {
        ScopedGroupFuture::new(self.settings.infallible(), body, |open, scope| open(LocalScopedGroup::new(scope)))
    }
}

pin_project! {
    /// The future of a scoped group: what [`scoped_group`] and its kin return.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct ScopedGroupFuture<K: Shape, C, F, B, T> {
        scope: Scope<K, C>,
        unit: Unit,
        // Makes the body, at the first poll.
        open: Option<F>,
        // The body is a unit of its own: a shield in a task does not keep it.
        body_unit: Unit,
        #[pin]
        body: Option<B>,
        // While there is a body.
        wakeup: Option<Wakeup>,
        // What the body returned, if it completed well.
        value: Option<T>,
        crew: Crew<C>,
        // What was woken, while it is being polled.
        woken: Vec<usize>,
        draining: bool,
        methods: Methods<K, C, F, B, T>,
    }

    impl<K: Shape, C, F, B, T> PinnedDrop for ScopedGroupFuture<K, C, F, B, T> {
        fn drop(this: Pin<&mut Self>) {
            (this.methods.desert)(this);
        }
    }
}

/// How often what is awake is polled within one poll of a cancelled group. What is awake then has the group polled again.
const ROUNDS: usize = 16;

/// What the future does, together with what this asks of its parameters: see the methods of
/// [`GroupFuture`](crate::GroupFuture).
#[expect(clippy::type_complexity, reason = "three methods, spelt out once")]
struct Methods<K: Shape, C, F, B, T> {
    open: fn(F, Scope<K, C>) -> B,
    poll: fn(Pin<&mut ScopedGroupFuture<K, C, F, B, T>>, &mut Context<'_>) -> Poll<K::Outcome<T>>,
    desert: fn(Pin<&mut ScopedGroupFuture<K, C, F, B, T>>),
}

impl<K, C, F, B, T> ScopedGroupFuture<K, C, F, B, T>
where
    K: Kind,
    C: Future<Output = ()> + Unpin,
    B: Future<Output = K::Output<T>>,
{
    fn new(settings: Settings<K::Error>, body: F, open: fn(F, Scope<K, C>) -> B) -> Self {
        assert!(settings.slots().is_none(), "a scoped group has no limit: use map_concurrent, or a task group");
        let node = Node::new(Role::Group, GroupCell::new(settings));
        let crew = Crew::new();
        ScopedGroupFuture {
            unit: unit_of(&node),
            scope: Scope { node, door: crew.door().clone() },
            open: Some(body),
            body_unit: Unit::new(erase(&Node::new(Role::Body, ()))),
            body: None,
            wakeup: None,
            value: None,
            crew,
            woken: Vec::new(),
            draining: false,
            methods: Methods { open, poll: Self::poll_group, desert: Self::desert },
        }
    }

    fn poll_group(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<K::Outcome<T>> {
        ready!(self.as_mut().poll_open(cx));
        self.as_mut().poll_branches(cx);
        ready!(self.as_mut().poll_exit(cx));
        let this = self.as_mut().project();
        let outcome = ready!(poll_outcome(this.unit, this.value, cx));
        self.unit.finish();
        Poll::Ready(K::into_outcome(outcome))
    }

    /// The end of the future, whatever it has come to. The body goes first: what its destructors spawn goes with the
    /// tasks.
    fn desert(self: Pin<&mut Self>) {
        struct Leave<'a>(&'a Unit);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.finish();
            }
        }
        struct Dismiss<'a, C>(&'a mut Crew<C>);
        impl<C> Drop for Dismiss<'_, C> {
            fn drop(&mut self) {
                self.0.dismiss();
            }
        }
        let this = self.project();
        let _desert = Desert::<K::Error>::new(this.unit.link());
        let _leave = Leave(this.unit);
        let _dismiss = Dismiss(this.crew);
        if this.body.is_some() {
            this.body_unit.abandon(this.body);
        }
    }

    /// Enters the group and makes its body.
    fn poll_open(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if this.open.is_none() {
            return Poll::Ready(());
        }
        ready!(context::poll_budget(cx));
        this.unit.enter_here();
        this.body_unit.link().link(this.unit.link().clone());
        let (make, open, scope) = (this.methods.open, this.open.take(), this.scope.clone());
        let open = open.expect("it was there");
        match this.body_unit.inside(|| make(open, scope)) {
            Ok(body) => {
                this.body.set(Some(body));
                *this.wakeup = Some(Wakeup::awake(BODY, this.crew.ready()));
            }
            Err(payload) => {
                Group::<K::Error>::at(this.unit.link()).panicked(None, payload);
                this.body_unit.finish();
            }
        }
        Poll::Ready(())
    }

    /// Polls what was woken, and what has arrived, once; and, if the group was cancelled in this poll, what is to be
    /// dropped for that.
    fn poll_branches(mut self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let this = self.as_mut().project();
        this.unit.register(cx);
        this.unit.link().begin_poll();
        this.crew.ready().begin(cx);
        for _ in 0..ROUNDS {
            let mut ended = self.as_mut().poll_woken();
            let this = self.as_mut().project();
            ended |= this.crew.take_in();
            let drains = ended && this.unit.link().is_eff();
            if !drains || this.crew.ready().is_empty() {
                break;
            }
        }
        self.unit.link().end_poll();
    }

    /// Polls what is awake now, once; says whether anything has ended.
    fn poll_woken(mut self: Pin<&mut Self>) -> bool {
        let this = self.as_mut().project();
        let mut woken = std::mem::take(this.woken);
        this.crew.ready().take(&mut woken);
        let mut ended = false;
        for index in woken.drain(..) {
            ended |= if index == BODY { self.as_mut().poll_body() } else { self.as_mut().project().crew.poll(index) };
        }
        *self.project().woken = woken;
        ended
    }

    /// Polls the body; says whether it has ended.
    fn poll_body(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        let Some(wakeup) = this.wakeup else {
            return false;
        };
        let Poll::Ready(end) = this.body_unit.poll_body(this.body, &mut wakeup.begin()) else {
            return false;
        };
        *this.value = Group::at(this.unit.link()).body_ended(this.body_unit.link(), end.map(K::into_result));
        this.body_unit.finish();
        *this.wakeup = None;
        true
    }

    /// Waits until body and tasks are gone, and then for what they have left below.
    fn poll_exit(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if !*this.draining {
            if this.wakeup.is_some() || !this.crew.try_close() {
                return Poll::Pending;
            }
            this.unit.begin_exit();
            *this.draining = true;
        }
        this.unit.poll_closed(cx)
    }
}

impl<K: Shape, C, F, B, T> Future for ScopedGroupFuture<K, C, F, B, T> {
    type Output = K::Outcome<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        (self.methods.poll)(self, cx)
    }
}

impl<K: Kind, C, F, B, T> fmt::Debug for ScopedGroupFuture<K, C, F, B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.scope.door.is_closed();
        f.debug_struct("ScopedGroupFuture").field("closed", &closed).finish_non_exhaustive()
    }
}
