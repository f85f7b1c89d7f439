//! A task: the future that the backend polls, and the end of it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::error::{Ending, TaskError};
use super::handle::TaskCell;
use super::info::TaskInfo;
use crate::from_thread::host;
use crate::locals::Values;
use crate::reason::{CancelReason, Cancelled};
use crate::tree::{Cause, Link, Node, Role, erase};
use crate::unhandled::Unhandled;
use crate::unit::{End, Payload, Unit};

/// Whoever collects how tasks end.
pub(crate) trait Settle<E>: Send {
    /// A task has ended. Called before its handle completes and before it is counted out.
    fn settle(&self, task: &TaskInfo, ending: Ending<E>);
}

/// Whoever polls a task, and may drop it.
#[derive(Clone, Copy)]
pub(crate) enum Owner {
    /// The backend, which drops tasks when the runtime goes down.
    Backend,
    /// Foreign code, which drops what it was given when it likes.
    Foreign,
}

/// The end of a task: it happens once, whatever becomes of the task, also when the backend drops it.
pub(crate) struct Completion<T: Send + 'static, E, S: Settle<E>> {
    node: Arc<Node<TaskCell<T>>>,
    settle: S,
    owner: Owner,
    /// Whether it was polled, or run.
    begun: bool,
    /// Whether it was dropped before its end, and nothing had cancelled it until then.
    lost: bool,
    done: bool,
    _error: std::marker::PhantomData<fn(E)>,
}

impl<T: Send + 'static, E, S: Settle<E>> Completion<T, E, S> {
    pub(crate) fn new(node: Arc<Node<TaskCell<T>>>, settle: S, owner: Owner) -> Self {
        Completion { node, settle, owner, begun: false, lost: false, done: false, _error: std::marker::PhantomData }
    }

    fn link(&self) -> Link {
        erase(&self.node)
    }

    /// The task has begun.
    pub(crate) fn begin(&mut self) {
        self.begun = true;
    }

    /// The body has ended and is destroyed. First the failure is recorded, then the handle completes, then the value
    /// that nobody holds a handle for is dropped, and at last the task is counted out.
    pub(crate) fn complete(&mut self, end: End<Result<T, E>>) {
        self.done = true;
        self.node.clear_waker();
        let result = match end {
            End::Value(Ok(value)) => {
                self.settle(Ending::Finished);
                Ok(value)
            }
            End::Value(Err(error)) => {
                self.settle(Ending::Failed(error));
                Err(TaskError::Failed)
            }
            End::Panicked(payload) => {
                self.settle(Ending::Panicked(payload));
                Err(TaskError::Panicked)
            }
            End::Cut => {
                let cause = self.node.cause().filter(|_| !self.lost).unwrap_or_else(|| self.dropped());
                let reason = cause.reason.clone();
                self.settle(Ending::Cut(cause));
                Err(TaskError::Cancelled(reason))
            }
        };
        self.deliver(result);
        self.link().retire();
    }

    fn settle(&self, ending: Ending<E>) {
        self.settle.settle(self.node.ext.info(), ending);
    }

    fn deliver(&self, result: Result<T, TaskError>) {
        let unwanted = self.node.ext.deliver(result);
        let mut place = Unit::new(self.link());
        if let Err(payload) = place.inside(|| drop(unwanted)) {
            self.settle(Ending::Panicked(payload));
        }
    }

    /// The task is dropped before its end. If a runtime does that which goes down, its group has nothing to wait for any
    /// more, and goes down with it.
    ///
    /// The task is cancelled before its body is dropped, so that what is in there does not take it for something else.
    fn lose(&mut self, drop_body: impl FnOnce() -> Result<(), Payload>) {
        let link = self.link();
        let reason = self.dropped().reason;
        self.lost = self.node.cause().is_none();
        self.node.clear_waker();
        if matches!(self.owner, Owner::Backend) {
            self.report_unless_begun();
            let group = link.parent().filter(|parent| matches!(parent.role(), Role::Group | Role::Owned));
            group.into_iter().for_each(|group| group.cancel(reason.clone()));
        }
        link.cancel(reason);
        self.complete(drop_body().err().map_or(End::Cut, End::Panicked));
    }

    fn report_unless_begun(&self) {
        if !self.begun {
            let task = self.node.ext.info().clone();
            self.node.runtime().report(Unhandled::NeverRan { task });
        }
    }

    /// The cause of a task that was dropped by whoever polls it, which is outside of all.
    fn dropped(&self) -> Cause {
        let reason = match self.owner {
            Owner::Backend => CancelReason::Shutdown,
            Owner::Foreign => CancelReason::GroupDropped,
        };
        Cause { depth: 0, reason: Cancelled::new(reason) }
    }
}

/// A task that is a piece of blocking work.
pub(crate) struct Work<F, T: Send + 'static, E, S: Settle<E>> {
    /// Until it runs.
    run: Option<F>,
    completion: Completion<T, E, S>,
    /// Whom the thread works for while it runs.
    host: Link,
    /// The values in effect where it was started.
    values: Values,
}

impl<F, T: Send + 'static, E, S: Settle<E>> Work<F, T, E, S> {
    pub(crate) fn new(run: F, completion: Completion<T, E, S>, host: Link) -> Self {
        Work { run: Some(run), completion, host, values: Values::current() }
    }

    pub(crate) fn run(mut self)
    where
        F: FnOnce() -> Result<T, E>,
    {
        self.completion.begin();
        let run = self.run.take().expect("it runs once");
        let ended = self.inside(run);
        let values_dropped = self.drop_values();
        self.completion.complete(match ended.and_then(|result| values_dropped.map(|()| result)) {
            Ok(result) => End::Value(result),
            Err(payload) => End::Panicked(payload),
        });
    }

    fn inside<R>(&mut self, run: impl FnOnce() -> R) -> Result<R, Payload> {
        let _host = host::enter(Some(self.host.clone()));
        let _values = self.values.enter();
        catch_unwind(AssertUnwindSafe(run))
    }

    fn drop_values(&mut self) -> Result<(), Payload> {
        let values = std::mem::take(&mut self.values);
        catch_unwind(AssertUnwindSafe(|| drop(values)))
    }
}

impl<F, T: Send + 'static, E, S: Settle<E>> Drop for Work<F, T, E, S> {
    /// Dropped unrun, what it has captured goes before the task is counted out.
    fn drop(&mut self) {
        if let Some(run) = self.run.take() {
            let values = std::mem::take(&mut self.values);
            self.completion.lose(|| {
                let dropped = catch_unwind(AssertUnwindSafe(|| drop(run)));
                dropped.and(catch_unwind(AssertUnwindSafe(|| drop(values))))
            });
        }
    }
}

pin_project! {
    /// The future of a task.
    pub(crate) struct Spawned<F, T, E, S: Settle<E>, C>
    where
        T: Send,
        T: 'static,
    {
        unit: Unit,
        #[pin]
        body: Option<F>,
        // Turns the output of the body into a result.
        convert: C,
        completion: Completion<T, E, S>,
    }

    impl<F, T, E, S: Settle<E>, C> PinnedDrop for Spawned<F, T, E, S, C>
    where
        T: Send,
        T: 'static,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if !this.completion.done {
                this.completion.lose(|| this.unit.drop_body(this.body));
            }
        }
    }
}

impl<F, T: Send + 'static, E, S: Settle<E>, C> Spawned<F, T, E, S, C> {
    /// The future of the task whose node is `node`; it has been counted already.
    pub(crate) fn new(node: &Arc<Node<TaskCell<T>>>, body: F, convert: C, settle: S, owner: Owner) -> Self {
        Spawned {
            unit: Unit::new(erase(node)),
            body: Some(body),
            convert,
            completion: Completion::new(node.clone(), settle, owner),
        }
    }
}

impl<F, T, E, S, C> Future for Spawned<F, T, E, S, C>
where
    F: Future,
    T: Send + 'static,
    S: Settle<E>,
    C: Fn(F::Output) -> Result<T, E>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.completion.begin();
        let end = ready!(this.unit.poll_body(this.body, cx));
        this.completion.complete(match end {
            End::Value(output) => End::Value((this.convert)(output)),
            End::Cut => End::Cut,
            End::Panicked(payload) => End::Panicked(payload),
        });
        Poll::Ready(())
    }
}
