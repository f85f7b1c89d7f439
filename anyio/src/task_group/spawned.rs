//! A task: the future that the backend polls, and the end of it.

use std::future::Future;
use std::marker::PhantomData;
use std::mem::{self, needs_drop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use anyio_core::{Label, Labelled};
use pin_project_lite::pin_project;

use super::carried::{CarriedIn, Cell, Passenger};
use super::error::Ending;
use super::handle::TaskStatus;
use super::info::TaskInfo;
use super::limit::Slot;
use super::record::{Record, Seat as _};
use crate::from_thread::host;
use crate::locals::Values;
use crate::reason::{CancelReason, Cancelled};
use crate::tree::{Cause, Link, Role};
use crate::unhandled::Unhandled;
use crate::unit::{Carriage, End, Payload, Unit, discard};

/// How a task was cut short.
pub(crate) struct Cut<'a> {
    link: &'a Link,
    /// Whether it was not cancelled, but dropped by whoever polls it, which is outside of all.
    lost: bool,
    /// Why, in that case.
    dropped: CancelReason,
}

impl Cut<'_> {
    /// Where the cause started.
    pub(crate) fn depth(&self) -> u32 {
        self.link.cause_depth().filter(|_| !self.lost).unwrap_or(0)
    }

    pub(crate) fn cause(&self) -> Cause {
        let known = if self.lost { None } else { self.link.cause() };
        known.unwrap_or_else(|| Cause { depth: 0, reason: Cancelled::new(self.dropped.clone()) })
    }
}

/// Whoever collects how tasks end.
pub(crate) trait Settle<E>: Send {
    /// The task at `place` has ended. Called before its handle completes and before it is counted out.
    fn settle(&self, place: &Link, task: &TaskInfo, ending: Ending<E>);

    /// [`settle`](Self::settle) for a task that has ended well.
    fn finished(&self, place: &Link, task: impl FnOnce() -> TaskInfo) {
        self.settle(place, &task(), Ending::Finished);
    }

    /// [`settle`](Self::settle) for a task that was cut short.
    fn cut_short(&self, place: &Link, task: impl FnOnce() -> TaskInfo, cut: &Cut<'_>) {
        self.settle(place, &task(), Ending::Cut(cut.cause()));
    }
}

/// Whoever polls a task, and may drop it.
#[derive(Clone, Copy)]
pub(crate) enum Owner {
    /// The queue of its group, which drops it when it is cancelled.
    Queue,
    /// The backend, which drops tasks when the runtime goes down.
    Backend,
    /// Foreign code, which drops what it was given when it likes.
    Foreign,
}

/// How far a task has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Fresh,
    /// It was polled, or run.
    Begun,
    Done,
}

/// The end of a task: it happens once, whatever becomes of the task, also when the backend drops it.
pub(crate) struct Completion<T, E, S: Settle<E>> {
    settle: S,
    owner: Owner,
    progress: Progress,
    _types: PhantomData<fn(T, E)>,
}

impl<T, E, S: Settle<E>> Completion<T, E, S> {
    #[inline]
    pub(crate) fn new(settle: S, owner: Owner) -> Self {
        Completion { settle, owner, progress: Progress::Fresh, _types: PhantomData }
    }

    /// The task is about to be given to the backend.
    pub(crate) fn launch(&mut self) {
        self.owner = Owner::Backend;
    }

    /// The task is polled, or run; says whether that is the first time.
    pub(crate) fn begin(&mut self) -> bool {
        mem::replace(&mut self.progress, Progress::Begun) == Progress::Fresh
    }

    /// The body has ended and is destroyed. First the failure is recorded, then the handle completes, then the value
    /// that nobody holds a handle for is dropped, and at last the task is counted out.
    #[inline]
    pub(crate) fn complete<R: Record<T>>(&mut self, task: &R, link: &Link, end: End<Result<T, E>>) {
        self.end(task, link, end, false);
    }

    /// [`complete`](Self::complete) for a task that may be `lost`: dropped before its end, when nothing had cancelled it.
    #[inline]
    fn end<R: Record<T>>(&mut self, task: &R, link: &Link, end: End<Result<T, E>>, lost: bool) {
        self.progress = Progress::Done;
        let result = match end {
            End::Value(Ok(value)) => {
                self.settle.finished(link, || task.info(link));
                Ok(value)
            }
            End::Value(Err(error)) => {
                self.settle(task, link, Ending::Failed(error));
                Err(TaskStatus::Failed)
            }
            End::Panicked(payload) => {
                self.settle(task, link, Ending::Panicked(payload));
                Err(TaskStatus::Panicked)
            }
            End::Cut => {
                let cut = Cut { link, lost, dropped: self.dropped() };
                // Nobody waits for what a daemon does: cut short, it has done enough.
                if link.is_daemon() {
                    self.settle(task, link, Ending::Finished);
                } else {
                    self.settle.cut_short(link, || task.info(link), &cut);
                }
                if !task.is_wanted(link) {
                    return self.retire(task, link);
                }
                link.note_cut(cut.cause().reason);
                Err(TaskStatus::Cancelled)
            }
        };
        self.deliver(task, link, result);
        self.retire(task, link);
    }

    /// What a poll of the body comes to, the output of which is to be converted.
    #[inline]
    fn conclude<R: Record<T>, V>(
        &mut self,
        task: &R,
        link: &Link,
        polled: Poll<End<V>>,
        convert: impl Fn(V) -> Result<T, E>,
    ) -> Poll<()> {
        // Looked at where it is: to move all of it takes longer than to make it.
        let end = match polled {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(End::Value(value)) => End::Value(convert(value)),
            Poll::Ready(End::Cut) => End::Cut,
            Poll::Ready(End::Panicked(payload)) => End::Panicked(payload),
        };
        self.complete(task, link, end);
        Poll::Ready(())
    }

    #[inline]
    fn retire<R: Record<T>>(&self, task: &R, link: &Link) {
        task.retire(link);
        link.give_back_slot();
    }

    fn settle<R: Record<T>>(&self, task: &R, link: &Link, ending: Ending<E>) {
        self.settle.settle(link, &task.info(link), ending);
    }

    #[inline]
    fn deliver<R: Record<T>>(&self, task: &R, link: &Link, result: Result<T, TaskStatus>) {
        let unwanted = task.deliver(link, result);
        if unwanted.is_some()
            && needs_drop::<T>()
            && let Err(payload) = Unit::new(link.clone()).inside(|| drop(unwanted))
        {
            self.settle(task, link, Ending::Panicked(payload));
        }
    }

    /// The task is dropped before its end. If a runtime does that which goes down, its group has nothing to wait for any
    /// more, and goes down with it.
    ///
    /// The task is cancelled before its body is dropped, so that what is in there does not take it for something else.
    fn lose<R: Record<T>>(&mut self, task: &R, link: &Link, drop_body: impl FnOnce() -> Result<(), Payload>) {
        let reason = Cancelled::new(self.dropped());
        let lost = !link.clear_waker();
        if matches!(self.owner, Owner::Backend) {
            self.report_unless_begun(task, link);
            let group = link.parent().filter(|parent| matches!(parent.role(), Role::Group | Role::Owned));
            group.into_iter().for_each(|group| group.cancel(reason.clone()));
        }
        link.cancel(reason);
        let end = drop_body().err().map_or(End::Cut, End::Panicked);
        self.end(task, link, end, lost);
    }

    /// [`lose`](Self::lose) for a task whose body is a future.
    fn lose_body<R: Record<T>, F>(&mut self, unit: &mut Unit, body: Pin<&mut Option<F>>, task: &R) {
        let link = unit.link().clone();
        self.lose(task, &link, || unit.drop_body(body));
    }

    fn report_unless_begun<R: Record<T>>(&self, task: &R, link: &Link) {
        if self.progress == Progress::Fresh {
            let task = task.info(link);
            link.runtime().report(Unhandled::NeverRan { task });
        }
    }

    /// Why a task was cut short that was dropped by whoever polls it.
    fn dropped(&self) -> CancelReason {
        match self.owner {
            Owner::Backend => CancelReason::Shutdown,
            Owner::Queue | Owner::Foreign => CancelReason::GroupDropped,
        }
    }
}

/// A task that is a piece of blocking work.
pub(crate) struct Work<F, R: Record<T>, T, E, S: Settle<E>> {
    /// Until it runs.
    run: Option<F>,
    completion: Completion<T, E, S>,
    record: R,
    task: Link,
    /// Whom the thread works for while it runs.
    host: Link,
    /// The values in effect where it was started.
    values: Values,
}

impl<F, R: Record<T>, T, E, S: Settle<E>> Work<F, R, T, E, S> {
    pub(crate) fn new(run: F, record: R, completion: Completion<T, E, S>, task: Link, host: Link) -> Self {
        Work { run: Some(run), completion, record, task, host, values: Values::current() }
    }

    /// The work is about to be given to the backend.
    pub(crate) fn launch(&mut self, slot: Option<Slot>) {
        slot.into_iter().for_each(|slot| self.task.keep_slot(slot));
        self.completion.launch();
    }

    pub(crate) fn run(mut self)
    where
        F: FnOnce() -> Result<T, E>,
    {
        self.completion.begin();
        let run = self.run.take().expect("it runs once");
        let ended = self.inside(run);
        let dropped = self.drop_values();
        let end = match (ended, dropped) {
            (Ok(result), Ok(())) => End::Value(result),
            (Err(payload), dropped) => {
                dropped.unwrap_or_else(discard);
                End::Panicked(payload)
            }
            (Ok(result), Err(payload)) => {
                self.inside(|| drop(result)).unwrap_or_else(discard);
                End::Panicked(payload)
            }
        };
        self.task.clear_waker();
        self.completion.complete(&self.record, &self.task, end);
    }

    fn inside<V>(&mut self, run: impl FnOnce() -> V) -> Result<V, Payload> {
        let _host = host::enter(Some(self.host.clone()));
        let _values = self.values.enter();
        catch_unwind(AssertUnwindSafe(run))
    }

    fn drop_values(&mut self) -> Result<(), Payload> {
        let values = std::mem::take(&mut self.values);
        catch_unwind(AssertUnwindSafe(|| drop(values)))
    }
}

impl<F, R: Record<T>, T, E, S: Settle<E>> Drop for Work<F, R, T, E, S> {
    /// Dropped unrun, what it has captured goes before the task is counted out.
    fn drop(&mut self) {
        if let Some(run) = self.run.take() {
            let values = std::mem::take(&mut self.values);
            self.completion.lose(&self.record, &self.task, || {
                let dropped = catch_unwind(AssertUnwindSafe(|| drop(run)));
                let second = catch_unwind(AssertUnwindSafe(|| drop(values)));
                if dropped.is_err() {
                    second.unwrap_or_else(discard);
                    return dropped;
                }
                second
            });
        }
    }
}

pin_project! {
    /// The course of a task: its future, from the first poll to the end.
    pub(crate) struct Course<F, T, E, S: Settle<E>, C> {
        #[pin]
        body: Option<F>,
        // Turns the output of the body into a result.
        convert: C,
        completion: Completion<T, E, S>,
    }
}

impl<F, T, E, S: Settle<E>, C> Course<F, T, E, S, C> {
    #[inline]
    fn new(body: F, convert: C, settle: S, owner: Owner) -> Self {
        Course { body: Some(body), convert, completion: Completion::new(settle, owner) }
    }

    /// Drops the task before its end.
    fn lose<R: Record<T>>(self: Pin<&mut Self>, unit: &mut Unit, task: &R) {
        let this = self.project();
        this.completion.lose_body(unit, this.body, task);
    }
}

/// A task that is carried, apart from its body: its node is lent to it while it is polled.
pub(crate) struct Ride<T, E, S: Settle<E>, C> {
    /// Turns the output of the body into a result.
    convert: C,
    completion: Completion<T, E, S>,
    carriage: Carriage,
}

impl<T, E, S: Settle<E>, C> Ride<T, E, S, C> {
    #[inline]
    pub(super) fn new(carriage: Carriage, convert: C, settle: S, owner: Owner) -> Self {
        Ride { convert, completion: Completion::new(settle, owner), carriage }
    }
}

impl<F, T, E, S, C> Passenger<T, F> for Ride<T, E, S, C>
where
    F: Future + Send + 'static,
    T: Send + 'static,
    E: 'static,
    S: Settle<E> + 'static,
    C: Fn(F::Output) -> Result<T, E> + Send + 'static,
{
    fn launch(&mut self) {
        self.completion.launch();
    }

    #[inline]
    fn poll_at(
        &mut self,
        body: Pin<&mut Option<F>>,
        at: &CarriedIn<T, Self, F>,
        node: Link,
        cx: &mut Context<'_>,
    ) -> (Poll<()>, Link) {
        let is_first = self.completion.begin();
        let (polled, node) = self.carriage.poll_body(at, node, body, cx);
        let polled = self.completion.conclude(at.cell(), &node, polled, &self.convert);
        if polled.is_pending() && is_first {
            let group = at.parent().expect("a task has a place");
            group.ext.task_waits(group);
        }
        (polled, node)
    }

    fn abandon_at(&mut self, body: Pin<&mut Option<F>>, cell: &Cell<T>, node: Link) -> Link {
        self.carriage.abandon(node, |unit| self.completion.lose_body(unit, body, cell)).1
    }
}

pin_project! {
    /// The future of a task that is polled by itself.
    pub(crate) struct Spawned<F, R: Record<T>, T, E, S: Settle<E>, C> {
        #[pin]
        course: Course<F, T, E, S, C>,
        unit: Unit,
        task: R,
    }

    impl<F, R: Record<T>, T, E, S: Settle<E>, C> PinnedDrop for Spawned<F, R, T, E, S, C> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.course.completion.progress != Progress::Done {
                this.course.lose(this.unit, this.task);
            }
        }
    }
}

impl<F, R: Record<T>, T, E, S: Settle<E>, C> Spawned<F, R, T, E, S, C> {
    /// The future of the task at `place`, which is counted if the backend is to poll it.
    pub(crate) fn new(place: Link, task: R, body: F, convert: C, settle: S, owner: Owner) -> Self {
        Spawned { course: Course::new(body, convert, settle, owner), unit: Unit::new(place), task }
    }

    /// The task is about to be given to the backend.
    pub(crate) fn launch(&mut self, slot: Option<Slot>) {
        slot.into_iter().for_each(|slot| self.unit.link().keep_slot(slot));
        self.course.completion.launch();
    }
}

impl<F, R, T, E, S, C> Future for Spawned<F, R, T, E, S, C>
where
    F: Future,
    R: Record<T>,
    S: Settle<E>,
    C: Fn(F::Output) -> Result<T, E>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let course = this.course.project();
        course.completion.begin();
        let polled = this.unit.poll_body(course.body, cx);
        // Most tasks that end in their first poll have never had one to wake.
        if polled.is_ready() && this.unit.is_registered() {
            this.unit.link().clear_waker();
        }
        course.completion.conclude(this.task, this.unit.link(), polled, &*course.convert)
    }
}

impl<F, R, T, E, S, C> Labelled for Spawned<F, R, T, E, S, C>
where
    F: Future,
    R: Record<T>,
    S: Settle<E>,
    C: Fn(F::Output) -> Result<T, E>,
{
    fn label(&self) -> Option<Label> {
        let link = self.unit.link();
        let around = std::iter::successors(link.parent(), |link| link.parent());
        let parent = { around }.find_map(|link| link.ext.task());
        Some(self.task.info(link).label(parent))
    }
}
