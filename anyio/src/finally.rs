//! Asynchronous clean-up: [`finally`], [`finally_detached`], [`bracket`].

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pin_project_lite::pin_project;

use crate::cancel_scope::{CancelScope, Scoped};
use crate::context;
use crate::reason::Cancelled;
use crate::runtime::Runtime;
use crate::task_group::protect::{self, Running};
use crate::tree::{Cause, Ext, Link, Node, Role, erase};
use crate::unhandled::Unhandled;
use crate::unit::{End, Payload, Unit};

/// Runs `body`, and then `clean_up`, whether the body completed, was cancelled or panicked.
///
/// The clean-up runs once, shielded from cancellation outside, and the scopes, groups and tasks around wait for it. Both
/// futures may borrow. With a [`grace`](Finally::grace) the clean-up is cut short when it takes too long, and the
/// unhandled-outcome hook is told. Whatever ends the body is what comes out: a panic of the body is resumed after the
/// clean-up; should both panic, the body's is resumed and the hook hears of the other.
///
/// It is the `finally` with an `await` in it that Trio and asyncio have by way of shields. *Compared to*
/// [`finally_detached`]: that one also runs when foreign code drops the future, at the price of `'static + Send`.
/// *Compared to* [`bracket`]: for a resource that both need.
///
/// # Errors
///
/// [`Cancelled`], if the body was cut short. Normally the scope whose cancellation it was ends right there, and the error
/// is never seen.
///
/// # Panics
///
/// At the first poll, where there is no runtime; with the panic of the body, else with that of the clean-up.
///
/// # Cancel safety
///
/// *Cancelled*, by scopes, groups and timeouts of anyio, it runs the clean-up to its end. *Dropped*, by a foreign `select!`
/// or timeout, it cannot: a destructor cannot wait. Then the unhandled-outcome hook is told. Dropped before its first
/// poll it owes nothing.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{CancelScope, finally, sleep, sleep_forever};
///
/// let mut said_goodbye = false;
/// let scope = CancelScope::new().with_timeout(Duration::from_millis(5));
/// let session = finally(sleep_forever(), async {
///     sleep(Duration::from_millis(5)).await; // not cut short
///     said_goodbye = true;
/// });
/// assert!(scope.run(session).await.is_err());
/// assert!(said_goodbye);
/// # });
/// ```
#[track_caller]
pub fn finally<B, C>(body: B, clean_up: C) -> Finally<B, C>
where
    B: Future,
    C: Future<Output = ()>,
{
    Finally::new(body, clean_up, None)
}

/// [`finally`] with a clean-up that runs even if foreign code drops the future.
///
/// The clean-up always runs as a protected task of its own ([`protect`](crate::protect)), hence `'static + Send`. The
/// nearest task group, or the run, waits for it. If the runtime is gone by then, the unhandled-outcome hook is told.
///
/// # Errors
///
/// As [`finally`].
///
/// # Panics
///
/// As [`finally`].
///
/// # Cancel safety
///
/// Cancelled or dropped, the clean-up runs to its end.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::sync::Arc;
/// use anyio::{Event, finally_detached, sleep_forever};
///
/// let clean = Arc::new(Event::new());
/// let announced = clean.clone();
/// let session = finally_detached(sleep_forever(), async move { announced.set() });
/// futures::future::select(Box::pin(session), Box::pin(anyio::checkpoint())).await;
/// clean.wait().await; // although select dropped the session
/// # });
/// ```
#[track_caller]
pub fn finally_detached<B, C>(body: B, clean_up: C) -> Finally<B, C>
where
    B: Future,
    C: Future<Output = ()> + Send + 'static,
{
    Finally::new(body, clean_up, Some(detach::<C>))
}

/// Lends `resource` to `body`, and then gives it to `clean_up`: [`finally`] for when both need the same thing.
///
/// The clean-up gets the resource back by value whether the body completed, was cancelled or panicked.
///
/// # Errors
///
/// As [`finally`].
///
/// # Panics
///
/// As [`finally`].
///
/// # Cancel safety
///
/// As [`finally`]. If it is *dropped*, the resource is dropped as well, without its clean-up.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// struct Connection {
///     open: bool,
/// }
///
/// async fn query(connection: &mut Connection) -> u32 {
///     assert!(connection.open);
///     anyio::checkpoint().await;
///     42
/// }
///
/// let answer = anyio::bracket(Connection { open: true }, query, async |mut connection: Connection| {
///     connection.open = false; // say goodbye
/// })
/// .await;
/// assert_eq!(answer, Ok(42));
/// # });
/// ```
#[track_caller]
pub fn bracket<R, O, B, C, D>(resource: R, body: B, clean_up: C) -> impl Future<Output = Result<O, Cancelled>>
where
    B: for<'a> AsyncBody<&'a mut R, O>,
    C: FnOnce(R) -> D,
    D: Future<Output = ()>,
{
    let location = Location::caller();
    async move {
        let lent = Mutex::new(Some(resource));
        let using = async {
            let mut loan = Loan::take(&lent);
            body(loan.borrow()).await
        };
        let cleaning = async {
            let resource = lent.lock().take();
            clean_up(resource.expect("the body has given it back")).await;
        };
        Finally::at(location, using, cleaning, None).await
    }
}

/// A closure that lends its argument to the future that it returns.
///
/// Implemented for every `FnOnce(A) -> Fut` whose future is `Send`; `async fn`s of one reference are such. Nobody else
/// needs to implement it.
pub trait AsyncBody<A, O>: FnOnce(A) -> Self::Fut {
    /// The future.
    type Fut: Future<Output = O> + Send;
}

impl<A, O, F, Fut> AsyncBody<A, O> for F
where
    F: FnOnce(A) -> Fut,
    Fut: Future<Output = O> + Send,
{
    type Fut = Fut;
}

/// A resource on loan: it goes back when the body ends, however it ends.
struct Loan<'a, R> {
    owner: &'a Mutex<Option<R>>,
    resource: Option<R>,
}

impl<'a, R> Loan<'a, R> {
    fn take(owner: &'a Mutex<Option<R>>) -> Self {
        Loan { resource: owner.lock().take(), owner }
    }

    fn borrow(&mut self) -> &mut R {
        self.resource.as_mut().expect("it is here until the drop")
    }
}

impl<R> Drop for Loan<'_, R> {
    fn drop(&mut self) {
        *self.owner.lock() = self.resource.take();
    }
}

/// Starts a clean-up as a protected task.
type Detach<C> = fn(&Link, &Runtime, &'static Location<'static>, CancelScope, C) -> Running<()>;

fn detach<C: Future<Output = ()> + Send + 'static>(
    place: &Link,
    runtime: &Runtime,
    location: &'static Location<'static>,
    scope: CancelScope,
    clean_up: C,
) -> Running<()> {
    let clean_up = scope.run(clean_up);
    let hooked = runtime.clone();
    protect::spawn(place, runtime, location, Some(location), async move {
        if clean_up.await.is_err() {
            hooked.report(Unhandled::CleanUpCutShort { location });
        }
    })
}

/// The scope of a clean-up, whose deadline is the end of the grace.
fn clean_up_scope(grace: Option<Duration>) -> CancelScope {
    let scope = CancelScope::new().shielded(true);
    grace.into_iter().fold(scope, CancelScope::with_timeout)
}

pin_project! {
    /// The future returned by [`finally`] and [`finally_detached`].
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Finally<B: Future, C: Future<Output = ()>> {
        unit: Unit,
        node: Arc<Node<FinallyExt>>,
        location: &'static Location<'static>,
        #[pin]
        body: Option<B>,
        // Until it begins.
        clean_up: Option<C>,
        #[pin]
        cleaning: Option<Scoped<C>>,
        // How a clean-up is started as a task of its own, if that is what was asked for.
        detach: Option<Detach<C>>,
        detached: Option<Running<()>>,
        stage: Stage<B::Output>,
    }

    impl<B: Future, C: Future<Output = ()>> PinnedDrop for Finally<B, C> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if !this.unit.is_entered() {
                return;
            }
            let skipped = Skipped {
                runtime: this.unit.link().runtime().clone(),
                place: this.unit.link().clone(),
                location: this.location,
                grace: this.node.ext.grace,
                owed: matches!(this.stage, Stage::Body | Stage::CleaningUp(_)),
                clean_up: this.clean_up.take(),
                detach: *this.detach,
            };
            if this.cleaning.is_some()
                && let Err(payload) = this.unit.drop_body(this.cleaning.as_mut()) {
                    skipped.runtime.report(Unhandled::panicked(None, payload));
                }
            this.unit.abandon(this.body);
            drop(skipped);
        }
    }
}

enum Stage<T> {
    Body,
    CleaningUp(End<T>),
    /// The clean-up is done.
    Offering,
    Done,
}

impl<B: Future, C: Future<Output = ()>> Finally<B, C> {
    #[track_caller]
    fn new(body: B, clean_up: C, detach: Option<Detach<C>>) -> Self {
        Self::at(Location::caller(), body, clean_up, detach)
    }

    fn at(location: &'static Location<'static>, body: B, clean_up: C, detach: Option<Detach<C>>) -> Self {
        let node = FinallyExt::node(None);
        Finally {
            unit: Unit::new(erase(&node)),
            node,
            location,
            body: Some(body),
            clean_up: Some(clean_up),
            cleaning: None,
            detach,
            detached: None,
            stage: Stage::Body,
        }
    }

    /// Gives the clean-up at most `grace`, counted from its start on the runtime's clock.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.node = FinallyExt::node(Some(grace));
        self.unit = Unit::new(erase(&self.node));
        self
    }

    fn poll_body(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if !matches!(this.stage, Stage::Body) {
            return Poll::Ready(());
        }
        let end = ready!(this.unit.poll_body(this.body, cx));
        *this.stage = Stage::CleaningUp(end);
        let link = this.unit.link();
        let scope = clean_up_scope(this.node.ext.grace);
        this.node.ext.begin_clean_up(link, scope.link());
        let clean_up = this.clean_up.take().expect("it begins once");
        match this.detach {
            Some(detach) => *this.detached = Some(detach(link, link.runtime(), this.location, scope, clean_up)),
            None => {
                let mut cleaning = this.cleaning;
                cleaning.set(Some(scope.run(clean_up)));
                let enter = || cleaning.as_pin_mut().expect("it is there").enter();
                this.unit.inside(enter).unwrap_or_else(|payload| resume_unwind(payload));
            }
        }
        Poll::Ready(())
    }

    /// Polls the clean-up; its panic is returned.
    fn poll_clean_up(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Payload>> {
        let this = self.project();
        let polled = match this.detached {
            Some(running) => catch_unwind(AssertUnwindSafe(|| running.poll(cx).map(|_| Ok(())))),
            None => {
                let cleaning = this.cleaning.as_pin_mut().expect("it has begun");
                this.unit.inside(|| cleaning.poll_as_part(cx))
            }
        };
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => Poll::Ready(Ok(())),
            Ok(Poll::Ready(Err(_cut))) => {
                let location = *this.location;
                this.unit.link().runtime().report(Unhandled::CleanUpCutShort { location });
                Poll::Ready(Ok(()))
            }
            Err(payload) => Poll::Ready(Err(payload)),
        }
    }
}

impl<B: Future, C: Future<Output = ()>> Future for Finally<B, C> {
    type Output = Result<B::Output, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.unit.is_entered() {
            ready!(context::poll_budget(cx));
            self.as_mut().project().unit.enter_here();
            let link = self.unit.link();
            if let Some(cause) = link.cause() {
                self.node.ext.reached(link, &cause);
            }
        }
        ready!(self.as_mut().poll_body(cx));
        if matches!(self.stage, Stage::CleaningUp(_)) {
            let cleaned = ready!(self.as_mut().poll_clean_up(cx));
            let this = self.as_mut().project();
            let Stage::CleaningUp(end) = std::mem::replace(this.stage, Stage::Offering) else {
                unreachable!("the stage was looked at just now")
            };
            let runtime = this.unit.link().runtime().clone();
            match (end, cleaned) {
                (End::Cut, Ok(())) => {}
                (End::Value(value), Ok(())) => {
                    *this.stage = Stage::Done;
                    this.unit.finish();
                    return Poll::Ready(Ok(value));
                }
                (End::Panicked(payload), cleaned) => {
                    *this.stage = Stage::Done;
                    this.unit.finish();
                    if let Err(second) = cleaned {
                        runtime.report(Unhandled::panicked(None, second));
                    }
                    resume_unwind(payload);
                }
                (End::Cut | End::Value(_), Err(payload)) => {
                    *this.stage = Stage::Done;
                    this.unit.finish();
                    resume_unwind(payload);
                }
            }
            this.unit.link().set_holding(false);
        }
        let this = self.project();
        ready!(this.unit.poll_offer(cx));
        *this.stage = Stage::Done;
        this.unit.finish();
        let cause = this.unit.link().cause();
        Poll::Ready(Err(cause.expect("a body is cut short for a cause").reason))
    }
}

/// What is owed when the future is dropped before its clean-up is done.
struct Skipped<C> {
    runtime: Runtime,
    place: Link,
    location: &'static Location<'static>,
    grace: Option<Duration>,
    owed: bool,
    /// The clean-up, if it has not begun.
    clean_up: Option<C>,
    detach: Option<Detach<C>>,
}

impl<C> Drop for Skipped<C> {
    fn drop(&mut self) {
        match (self.detach, self.clean_up.take()) {
            // It goes on by itself.
            (Some(_), None) => {}
            (Some(detach), Some(clean_up)) if self.owed => {
                let scope = clean_up_scope(self.grace);
                drop(detach(&self.place, &self.runtime, self.location, scope, clean_up));
            }
            _ if self.owed => {
                let location = self.location;
                self.runtime.report(Unhandled::CleanUpSkipped { location });
            }
            _ => {}
        }
    }
}

/// Sees to it that a `finally` with a grace does not hold the units around it for ever, should it be forgotten. What
/// its body or its clean-up holds by shields and groups of their own is another matter.
struct FinallyExt {
    grace: Option<Duration>,
    /// The scope of the clean-up, which is below this node, once that has begun; and when its grace is over.
    clean_up: OnceLock<(Weak<Node>, Instant)>,
}

impl FinallyExt {
    fn node(grace: Option<Duration>) -> Arc<Node<Self>> {
        Node::new(Role::Finally, FinallyExt { grace, clean_up: OnceLock::new() })
    }

    fn end(&self, node: &Link) -> Option<Instant> {
        self.grace.and_then(|grace| node.runtime().now().checked_add(grace))
    }

    /// The grace that counted from the cancellation is void, even if it is over; the one of the clean-up begins.
    fn begin_clean_up(&self, node: &Link, scope: &Link) {
        if let Some(end) = self.end(node) {
            let _ = self.clean_up.set((Arc::downgrade(scope), end));
            node.set_holding(true);
            node.set_grace(end);
        }
    }
}

impl Ext for FinallyExt {
    fn known(&self) -> &dyn Any {
        self
    }

    fn reached(&self, node: &Link, _cause: &Cause) {
        if let Some(end) = self.end(node) {
            node.start_grace(end);
        }
    }

    fn grace_over(&self, node: &Link) {
        if let Some((clean_up, end)) = self.clean_up.get() {
            if node.runtime().now() < *end {
                return;
            }
            clean_up.upgrade().inspect(|scope| scope.set_shield(false));
        }
        node.set_holding(false);
    }
}

impl<B: Future, C: Future<Output = ()>> fmt::Debug for Finally<B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finally").field("location", &self.location).finish_non_exhaustive()
    }
}
