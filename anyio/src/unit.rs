//! The machine inside every future that has a node: entering, polling a body, leaving.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use crate::context;
use crate::runtime::{NoBackend, Runtime};
use crate::tree::{Link, Role};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// How a body ended.
pub(crate) enum End<T> {
    /// It returned.
    Value(T),
    /// It was dropped at a suspension.
    Cut,
    /// It panicked, in a poll or in a destructor.
    Panicked(Payload),
}

/// A node together with what its future needs to know between polls.
pub(crate) struct Unit {
    /// The node; away, in the context, while the body is polled.
    link: Option<Link>,
    /// The waker that the node knows.
    waker: Option<Waker>,
    /// The offer that was made to the unit around this one.
    offer: Option<Offer>,
}

/// Law C4: a unit that was cut short by somebody else's cause lets the unit around it act first.
struct Offer {
    /// How many polls of the unit around had ended when the offer was made.
    epoch: usize,
    /// How often the offer was repeated within that poll.
    polls: u8,
}

impl Unit {
    pub(crate) fn new(link: Link) -> Self {
        Unit {
            link: Some(link),
            waker: None,
            offer: None,
        }
    }

    pub(crate) fn link(&self) -> &Link {
        self.link.as_ref().expect("the node is back after every poll")
    }

    /// Links the node below whatever is current.
    ///
    /// # Panics
    ///
    /// Where no backend is to be found.
    pub(crate) fn enter_here(&self) {
        self.try_enter_here().unwrap_or_else(|error| panic!("{error}"));
    }

    pub(crate) fn try_enter_here(&self) -> Result<(), NoBackend> {
        match context::current() {
            Some(parent) => self.link().link(&parent),
            None => self.enter_in(&Runtime::current()?),
        }
        Ok(())
    }

    /// Links the node at the top of a runtime.
    pub(crate) fn enter_in(&self, runtime: &Runtime) {
        self.link().link_in(&runtime.home(), runtime.clone());
    }

    pub(crate) fn is_entered(&self) -> bool {
        self.link().parent().is_some()
    }

    /// Tells the node whom to wake.
    pub(crate) fn register(&mut self, cx: &Context<'_>) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            self.link().set_waker(cx.waker());
            self.waker = Some(cx.waker().clone());
        }
    }

    /// Polls the body inside the node, and drops it when it is done, when it panicked, or when it is to be cut short.
    pub(crate) fn poll_body<F: Future>(
        &mut self,
        mut body: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> Poll<End<F::Output>> {
        self.register(cx);
        self.link().begin_poll();
        let polled = self.inside(|| {
            let body = body.as_mut().as_pin_mut();
            body.expect("the body is there until it ends").poll(cx)
        });
        let end = match polled {
            Ok(Poll::Ready(value)) => Some(End::Value(value)),
            Ok(Poll::Pending) => self.link().has_to_drop().then_some(End::Cut),
            Err(payload) => Some(End::Panicked(payload)),
        };
        let end = end.map(|end| match self.drop_body(body) {
            Err(payload) if !matches!(end, End::Panicked(_)) => {
                // The value, if there is one, may have a destructor that panics as well.
                let _ = self.inside(|| drop(end));
                End::Panicked(payload)
            }
            _ => end,
        });
        self.link().end_poll();
        end.map_or(Poll::Pending, Poll::Ready)
    }

    /// Polls a future inside the node, which has no power over it; drops it when it is done.
    pub(crate) fn poll_plain<F: Future>(
        &mut self,
        mut future: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        let _entered = context::enter(&mut self.link);
        let value = ready!(future.as_mut().as_pin_mut().expect("the future is there until it ends").poll(cx));
        future.set(None);
        Poll::Ready(value)
    }

    /// Drops the body inside the node; says if a destructor panicked.
    pub(crate) fn drop_body<F>(&mut self, mut body: Pin<&mut Option<F>>) -> Result<(), Payload> {
        self.inside(|| body.set(None))
    }

    /// Runs something of the user's inside the node.
    pub(crate) fn inside<R>(&mut self, run: impl FnOnce() -> R) -> Result<R, Payload> {
        let is_task = matches!(self.link().role(), Role::Task | Role::Run);
        if is_task {
            let _entered = context::enter_task(&mut self.link);
            catch_unwind(AssertUnwindSafe(run))
        } else {
            let _entered = context::enter(&mut self.link);
            catch_unwind(AssertUnwindSafe(run))
        }
    }

    /// Waits until no task is left below; the node is closed then.
    pub(crate) fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.register(cx);
        if self.link().is_closed() {
            return Poll::Ready(());
        }
        self.link().watch_for_stall();
        Poll::Pending
    }

    /// Lets the unit around drop this one, if it is about to: pending until that unit has had its chance.
    pub(crate) fn poll_offer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.link().is_releasing() {
            return Poll::Pending;
        }
        let Some(epoch) = self.link().doomed_above().map(|outer| outer.epoch()) else {
            return Poll::Ready(());
        };
        let polls = match &self.offer {
            Some(offer) if offer.epoch != epoch => return Poll::Ready(()),
            Some(offer) => offer.polls + 1,
            None => 1,
        };
        if polls >= 3 {
            return Poll::Ready(());
        }
        self.offer = Some(Offer { epoch, polls });
        context::step_aside(cx);
        Poll::Pending
    }

    /// The body is done (see [`Node::begin_exit`](crate::tree::Node::begin_exit)).
    pub(crate) fn begin_exit(&self) {
        self.link().begin_exit();
    }

    /// Leaves: the future is done.
    pub(crate) fn finish(&self) {
        self.link().finish();
    }

    /// For destructors: drops the body inside the node and leaves, also when that panics.
    pub(crate) fn abandon<F>(&mut self, mut body: Pin<&mut Option<F>>) {
        struct Leave<'a>(&'a mut Option<Link>);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                if let Some(link) = self.0 {
                    link.finish();
                }
            }
        }
        let leave = Leave(&mut self.link);
        let _entered = context::enter(leave.0);
        body.set(None);
    }
}

/// An offer of a plain operation (law C6): once, at its first poll, if it would be cut off anyway.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// Whether the operation has begun.
    begun: bool,
}

impl Entry {
    /// Ready when the operation may act. Pending at most once for an offer, and once for the budget.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.begun {
            return Poll::Ready(());
        }
        let doomed = context::peek(|link| link.is_some_and(|link| link.is_doomed()));
        if doomed {
            self.begun = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(context::poll_budget(cx));
        self.begun = true;
        Poll::Ready(())
    }
}
