//! The machine inside every future that has a node: entering, polling a body, leaving.

use std::any::Any;
use std::future::Future;
use std::mem::{self, needs_drop};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use anyio_core::{Waiting, note_waiting, take_waiting};

use crate::context;
use crate::locals::Values;
use crate::runtime::{NoBackend, Runtime};
use crate::tree::{Ext, Link, Node, Place, Poller, Role};
use crate::unhandled::Unhandled;

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Drops what a panic carried. If that panics in turn nothing is left to tell, and what *that* carries is leaked.
pub(crate) fn discard(payload: Payload) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

/// How a body ended.
pub(crate) enum End<T> {
    /// It returned.
    Value(T),
    /// It was dropped at a suspension.
    Cut,
    /// It panicked, in a poll or in a destructor.
    Panicked(Payload),
}

impl<T> End<T> {
    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> End<U> {
        match self {
            End::Value(value) => End::Value(map(value)),
            End::Cut => End::Cut,
            End::Panicked(payload) => End::Panicked(payload),
        }
    }
}

/// What a poll of a body came to.
pub(crate) enum Polled<T> {
    Pending,
    /// It returned this, and was dropped.
    Returned(T),
    /// It is rare, and in a box, so that what is common stays in registers.
    Panicked(Box<Panicked<T>>),
}

/// A body panicked.
pub(crate) struct Panicked<T> {
    /// What it had returned, if that was in a destructor after it.
    value: Option<T>,
    payload: Payload,
}

impl<T> Polled<T> {
    pub(crate) fn panicked(value: Option<T>, payload: Payload) -> Self {
        Polled::Panicked(Box::new(Panicked { value, payload }))
    }
}

/// Polls a body, and drops it when it has returned.
#[inline]
pub(crate) fn poll_and_drop<F: Future>(mut body: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Polled<F::Output> {
    let poll = || body.as_mut().as_pin_mut().expect("the body is there until it ends").poll(cx);
    match catch_unwind(AssertUnwindSafe(poll)) {
        Ok(Poll::Pending) => Polled::Pending,
        Ok(Poll::Ready(value)) => {
            let dropped = if needs_drop::<F>() {
                catch_unwind(AssertUnwindSafe(|| body.set(None)))
            } else {
                body.set(None);
                Ok(())
            };
            match dropped {
                Ok(()) => Polled::Returned(value),
                Err(payload) => Polled::panicked(Some(value), payload),
            }
        }
        Err(payload) => Polled::panicked(None, payload),
    }
}

/// A node together with what its future needs to know between polls.
pub(crate) struct Unit {
    /// The node; away, in the context, while the body is polled.
    link: Option<Link>,
    /// Which waker the node knows.
    waker: Known,
    /// The offer that was made to the unit around this one.
    offer: Option<Offer>,
    /// That of the node.
    role: Role,
    /// Whether the node is known to have a place.
    entered: bool,
    /// For tasks and branches: the values in effect where it was started, until it ends.
    values: Values,
}

/// What tells one waker from another as long as both exist. The node has the one that is known.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    data: usize,
    vtable: usize,
}

impl Known {
    const NONE: Known = Known { data: 0, vtable: 0 };

    /// What stands for the vtable of a waker that leads to the node of the task: no other one has its data, and there may
    /// be copies of that vtable.
    const OF_NODE: usize = 1;

    #[inline]
    fn of(waker: &Waker) -> Self {
        Known { data: waker.data().addr(), vtable: std::ptr::from_ref(waker.vtable()).addr() }
    }

    /// What tells the waker that leads to the node of the task.
    #[inline]
    fn of_node(waker: &Waker) -> Self {
        Known { data: waker.data().addr(), vtable: Known::OF_NODE }
    }

    #[inline]
    fn is(self, waker: &Waker) -> bool {
        let Known { data, vtable } = Known::of(waker);
        self.data == data && (self.vtable == vtable || self.vtable == Known::OF_NODE)
    }
}

/// Law C4: a unit that was cut short by somebody else's cause lets the unit around it act first.
#[derive(Debug)]
struct Offer {
    /// In which poll of the unit around the offer was made. Should it be taken for another one of its polls the offer is made
    /// once more.
    epoch: u8,
    /// How often the offer was made within that poll.
    polls: u16,
    /// Whether the unit around is owed a poll first, so that the offer has to be repeated in that one.
    owed: bool,
}

/// How often an offer is made within one poll of the unit around. In an executor driven inside that poll it is made in
/// vain, since the poll does not end before this unit does; a foreign stream may poll its futures a few times in each
/// poll, the more so when it is one of several or when its other futures complete. The two cannot be told apart.
const OFFERS: u16 = 256;

impl Offer {
    /// Makes the offer to `outer`, or makes it again; `false`: that unit had its chance.
    fn make(made: &mut Option<Offer>, outer: &Node) -> bool {
        let (epoch, owed) = (outer.epoch(), outer.is_owed());
        let polls = match made {
            Some(offer) if offer.epoch == epoch => offer.polls,
            Some(offer) if !offer.owed => return false,
            _ => 0,
        };
        if polls == OFFERS {
            return false;
        }
        *made = Some(Offer { epoch, polls: polls + 1, owed });
        true
    }
}

impl Unit {
    pub(crate) fn new(link: Link) -> Self {
        let role = link.role();
        let values = if keeps_values(role) { Values::current() } else { Values::default() };
        Unit { link: Some(link), waker: Known::NONE, offer: None, role, entered: false, values }
    }

    /// The unit of a task that is carried, which is lent its node while it is polled or dropped.
    fn of_carried(node: Link, waker: Known, values: Values) -> Self {
        Unit { link: Some(node), waker, offer: None, role: Role::Task, entered: true, values }
    }

    /// A unit that will be given its node when that has a place.
    #[inline]
    pub(crate) fn vacant(role: Role) -> Self {
        Unit { link: None, waker: Known::NONE, offer: None, role, entered: true, values: Values::default() }
    }

    #[inline]
    pub(crate) fn lend(&mut self, link: Link) {
        // There is none as long as it is not lent, and so none to be dropped.
        mem::forget(self.link.replace(link));
    }

    #[inline]
    fn take_back(&mut self) -> Link {
        self.link.take().expect("the node is back after every poll")
    }

    /// The node, if it has got one.
    #[inline]
    pub(crate) fn try_link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    #[inline]
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
        self.link().link_at(context::place()?);
        Ok(())
    }

    /// Links the node at the top of a runtime.
    pub(crate) fn enter_in(&self, runtime: &Runtime) {
        self.link().link_at(Place::at_home(runtime.clone()));
    }

    #[inline]
    pub(crate) fn is_known_to_be_entered(&mut self) -> bool {
        self.entered = self.entered || self.is_entered();
        self.entered
    }

    #[inline]
    pub(crate) fn is_entered(&self) -> bool {
        self.link().parent().is_some()
    }

    /// Tells the node whom to wake; says whether that is news.
    #[inline]
    pub(crate) fn register(&mut self, cx: &Context<'_>) -> bool {
        let poller = self.news(cx);
        let is_news = poller.is_some();
        poller.into_iter().for_each(|poller| self.link().set_poller(poller));
        is_news
    }

    /// Whom to wake, if the node is not known to know it; it is to be told.
    #[inline]
    fn news(&mut self, cx: &Context<'_>) -> Option<Poller> {
        if self.waker.is(cx.waker()) { None } else { Some(self.keep_waker(cx)) }
    }

    #[inline(never)]
    fn keep_waker(&mut self, cx: &Context<'_>) -> Poller {
        if self.link().is_near_task_of(cx.waker()) {
            self.waker = Known::of_node(cx.waker());
            return Poller::Task;
        }
        // What is kept is compared later: a waker need not consist of the same parts as its clone, and what it consists
        // of may belong to another one by then.
        let waker = cx.waker().clone();
        self.waker = Known::of(&waker);
        Poller::Waker(waker)
    }

    /// Whether the node knows whom to wake.
    pub(crate) fn is_registered(&self) -> bool {
        self.waker != Known::NONE
    }

    /// Polls the body inside the node, and drops it when it is done, when it panicked, or when it is to be cut short.
    pub(crate) fn poll_body<F: Future>(
        &mut self,
        mut body: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> Poll<End<F::Output>> {
        self.link().begin_poll();
        let polled = self.within(|| poll_and_drop(body.as_mut(), cx));
        self.conclude(polled, body, cx)
    }

    /// [`poll_body`](Self::poll_body) where nothing begins that was spawned: with the values that are in effect anyway.
    #[inline]
    pub(crate) fn poll_body_in_place<F: Future>(
        &mut self,
        mut body: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> Poll<End<F::Output>> {
        debug_assert!(!keeps_values(self.role));
        self.link().begin_poll();
        let polled = context::within(&mut self.link, || poll_and_drop(body.as_mut(), cx));
        self.conclude(polled, body, cx)
    }

    /// What a poll of the body comes to: drops it when it panicked, or when it is to be cut short.
    #[inline]
    pub(crate) fn conclude<F: Future>(
        &mut self,
        polled: Polled<F::Output>,
        body: Pin<&mut Option<F>>,
        cx: &Context<'_>,
    ) -> Poll<End<F::Output>> {
        // Taken apart where it is: to move all of it takes longer than to make it.
        match polled {
            Polled::Pending if self.may_go_on(cx) => Poll::Pending,
            Polled::Pending if !self.has_to_drop(cx) => {
                self.link().end_poll();
                Poll::Pending
            }
            Polled::Returned(value) if self.values.is_empty() => {
                self.link().end_poll();
                Poll::Ready(End::Value(value))
            }
            polled => {
                let end = self.end_with(polled, body);
                self.link().end_poll();
                Poll::Ready(end)
            }
        }
    }

    #[inline(never)]
    fn end_with<F: Future>(&mut self, polled: Polled<F::Output>, mut body: Pin<&mut Option<F>>) -> End<F::Output> {
        let (end, dropped) = match polled {
            Polled::Returned(value) => (End::Value(value), Ok(())),
            Polled::Panicked(panicked) => match *panicked {
                Panicked { value: Some(value), payload } => (End::Value(value), Err(payload)),
                Panicked { value: None, payload } => (End::Panicked(payload), self.inside(|| body.set(None))),
            },
            Polled::Pending => (End::Cut, self.inside(|| body.set(None))),
        };
        match (self.and_values(dropped), end) {
            (Ok(()), end) => end,
            (Err(second), End::Panicked(first)) => {
                self.report_panic(second);
                End::Panicked(first)
            }
            (Err(first), end) => {
                // The value, if there is one, may have a destructor that panics as well.
                let second = self.inside(|| drop(end)).err();
                second.into_iter().for_each(|second| self.report_panic(second));
                End::Panicked(first)
            }
        }
    }

    /// Ends a poll in which the body stayed pending and nothing has changed that could cut it short; `false`: that has to
    /// be looked at more closely.
    #[inline]
    fn may_go_on(&self, cx: &Context<'_>) -> bool {
        if !self.waker.is(cx.waker()) {
            return false;
        }
        let node: &Node = self.link();
        let may = !node.may_have_to_drop();
        if may {
            node.end_poll();
        }
        may
    }

    /// Whether the body, which was polled just now and is pending, has to be dropped.
    #[inline(never)]
    fn has_to_drop(&mut self, cx: &Context<'_>) -> bool {
        // In this order: whoever cancels the node finds somebody to wake, or is seen here.
        let is_news = self.register(cx);
        let link = self.link();
        if is_news && link.is_eff() && link.is_owed() {
            // Whoever let go of the node during this poll could not wake its poller for what it is owed.
            cx.waker().wake_by_ref();
        }
        link.has_to_drop()
    }

    /// A panic that nobody can be given, because another one is on its way.
    pub(crate) fn report_panic(&self, payload: Payload) {
        self.link().runtime().report(Unhandled::panicked(None, payload));
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
        let dropped = self.inside(|| body.set(None));
        self.and_values(dropped)
    }

    /// After the body, which was `dropped`, go the values that were in effect in it.
    fn and_values(&mut self, dropped: Result<(), Payload>) -> Result<(), Payload> {
        if self.values.is_empty() {
            return dropped;
        }
        let values = std::mem::take(&mut self.values);
        let second = catch_unwind(AssertUnwindSafe(|| drop(values)));
        let Err(first) = dropped else {
            return second;
        };
        second.err().into_iter().for_each(|second| self.report_panic(second));
        Err(first)
    }

    /// Runs something of the user's inside the node.
    pub(crate) fn inside<R>(&mut self, run: impl FnOnce() -> R) -> Result<R, Payload> {
        self.within(|| catch_unwind(AssertUnwindSafe(run)))
    }

    /// Runs something that does not panic with the node as the current one, and where something begins that was spawned with its values.
    #[inline]
    fn within<R>(&mut self, run: impl FnOnce() -> R) -> R {
        if is_task(self.role) {
            let node = self.take_back();
            let values = self.values.enter_if_any();
            let (result, node) = context::within_task(node, run);
            drop(values);
            self.lend(node);
            return result;
        }
        let _values = if keeps_values(self.role) { self.values.enter_if_any() } else { None };
        context::within(&mut self.link, run)
    }

    /// Waits until no task is left below; the node is closed then.
    #[inline]
    pub(crate) fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.link().is_closed() {
            return Poll::Ready(());
        }
        let news = self.news(cx);
        let is_closed = self.link().is_closed_or_wakes(news);
        self.waits_unless(is_closed)
    }

    /// [`begin_exit`](Self::begin_exit) and the first [`poll_closed`](Self::poll_closed) in one.
    #[inline]
    pub(crate) fn poll_exit(&mut self, cx: &Context<'_>) -> Poll<()> {
        let news = self.news(cx);
        let is_left = self.link().begin_exit(news);
        self.waits_unless(!is_left || self.link().is_closed())
    }

    #[inline]
    fn waits_unless(&self, is_closed: bool) -> Poll<()> {
        if is_closed {
            return Poll::Ready(());
        }
        note_waiting(Waiting::Exit);
        self.link().watch_for_stall();
        Poll::Pending
    }

    /// Lets the unit around drop this one, if it is about to: pending until that unit has had its chance.
    pub(crate) fn poll_offer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let link = self.link.as_ref().expect("the node is back after every poll");
        let Some(outer) = link.doomed_above() else {
            return Poll::Ready(());
        };
        if link.is_releasing() {
            // In this order: whoever lets go finds whom to wake, or is seen to have done so.
            link.set_waker(cx.waker());
            if link.is_releasing() {
                return Poll::Pending;
            }
        }
        if link.enclosing().is_some_and(|around| around.is_being_let_go()) {
            context::step_aside(cx);
            return Poll::Pending;
        }
        if !Offer::make(&mut self.offer, outer) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The body is done (see [`Node::begin_exit`](crate::tree::Node::begin_exit)).
    #[inline]
    pub(crate) fn begin_exit(&self) {
        self.link().begin_exit(None);
    }

    /// Leaves: the future is done.
    #[inline]
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
        let keeps_values = keeps_values(self.role);
        let leave = Leave(&mut self.link);
        let _values = keeps_values.then(|| self.values.enter());
        // A future that was never polled stands nowhere: its body is dropped where it is dropped itself.
        if leave.0.as_ref().is_some_and(|link| link.parent().is_some()) {
            let _entered = context::enter(leave.0);
            body.set(None);
        } else {
            body.set(None);
        }
    }
}

/// What of the unit of a task that is carried is there between polls: whether its node keeps values that are in effect in it.
pub(crate) struct Carriage {
    has_values: bool,
}

impl Carriage {
    #[inline(always)]
    pub(crate) fn new(values: &Values) -> Self {
        Carriage { has_values: !values.is_empty() }
    }

    /// [`Unit::poll_body`] for such a task, `at` whose node this is, and which it is lent; gives that back.
    #[inline]
    pub(crate) fn poll_body<X: Ext, F: Future>(
        &mut self,
        at: &Node<X>,
        node: Link,
        mut body: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> (Poll<End<F::Output>>, Link) {
        at.begin_poll();
        let (polled, node) = self.within_task(at, node, || poll_and_drop(body.as_mut(), cx));
        match polled {
            Polled::Pending if !at.may_have_to_drop() => {
                at.end_poll();
                (Poll::Pending, node)
            }
            Polled::Returned(value) if !self.has_values => {
                at.end_poll();
                (Poll::Ready(End::Value(value)), node)
            }
            Polled::Pending if !self.has_values && at.is_eff() && !at.is_held() => {
                let (dropped, node) = self.within_task(at, node, || drop_in_place(body));
                at.end_poll();
                (Poll::Ready(dropped.map_or_else(End::Panicked, |()| End::Cut)), node)
            }
            // The waker is the node's own, which need not be told of it.
            polled => self.with_unit(node, Known::of_node(cx.waker()), |unit| unit.conclude(polled, body, cx)),
        }
    }

    /// Drops the body before its end, by way of `lose`, in a unit that is lent the node; gives that back.
    pub(crate) fn abandon<R>(&mut self, node: Link, lose: impl FnOnce(&mut Unit) -> R) -> (R, Link) {
        self.with_unit(node, Known::NONE, lose)
    }

    /// Runs something that does not panic in the task, `at` whose node this is, and which is lent it.
    #[inline]
    fn within_task<X: Ext, R>(&self, at: &Node<X>, node: Link, run: impl FnOnce() -> R) -> (R, Link) {
        let _values = (self.has_values || Values::any()).then(|| InEffect::of(at, self.has_values));
        context::within_task(node, run)
    }

    /// As long as there are values the node keeps them afterwards.
    #[inline(never)]
    fn with_unit<R>(&mut self, node: Link, waker: Known, run: impl FnOnce(&mut Unit) -> R) -> (R, Link) {
        let values = if self.has_values { node.take_values() } else { Values::default() };
        let mut unit = Unit::of_carried(node, waker, values);
        let result = run(&mut unit);
        let (node, values) = (unit.take_back(), mem::take(&mut unit.values));
        self.has_values = !values.is_empty();
        if self.has_values {
            node.keep_values(values);
        }
        (result, node)
    }
}

/// The values that a node keeps are in effect until this is dropped.
struct InEffect<'a, X> {
    at: &'a Node<X>,
    has_values: bool,
    /// What was in effect before.
    outer: Values,
}

impl<'a, X> InEffect<'a, X> {
    #[inline(never)]
    fn of(at: &'a Node<X>, has_values: bool) -> Self {
        let values = if has_values { at.take_values() } else { Values::default() };
        InEffect { at, has_values, outer: values.replace() }
    }
}

impl<X> Drop for InEffect<'_, X> {
    #[inline(never)]
    fn drop(&mut self) {
        let values = mem::take(&mut self.outer).replace();
        if self.has_values {
            self.at.keep_values(values);
        }
    }
}

fn drop_in_place<F>(mut body: Pin<&mut Option<F>>) -> Result<(), Payload> {
    catch_unwind(AssertUnwindSafe(|| body.set(None)))
}

/// Whether this is where something begins that was spawned: it sees the values of that place, wherever it is polled.
#[inline]
fn keeps_values(role: Role) -> bool {
    is_task(role) || role == Role::Branch
}

/// Whether this is where a task begins that is polled by itself.
#[inline]
fn is_task(role: Role) -> bool {
    matches!(role, Role::Task | Role::Run)
}

/// Polls an operation, which notes where it was called. Once it is ready nothing waits there any more, and what was noted
/// before holds again.
#[inline]
pub(crate) fn noted<T>(poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
    let before = take_waiting();
    let polled = poll();
    if polled.is_ready() {
        note_waiting(before.unwrap_or(Waiting::Elsewhere));
    }
    polled
}

/// The beginning of a plain operation, which offers itself first if it would be cut off anyway (law C6).
#[derive(Debug)]
pub(crate) struct Entry {
    /// Where the operation was called.
    location: &'static Location<'static>,
    /// Whether the operation has begun.
    begun: bool,
    /// Whether it has stepped aside for the budget.
    stepped_aside: bool,
    /// The offer that was made to the unit around.
    offer: Option<Offer>,
}

impl Default for Entry {
    #[track_caller]
    fn default() -> Self {
        Entry::new()
    }
}

impl Entry {
    #[track_caller]
    pub(crate) fn new() -> Self {
        Entry { location: Location::caller(), begun: false, stepped_aside: false, offer: None }
    }

    /// Of an operation that has begun elsewhere: it does not ask again whether it may act, having done so.
    #[track_caller]
    pub(crate) fn begun() -> Self {
        Entry { begun: true, ..Entry::new() }
    }

    /// Ready when the operation may act.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        note_waiting(Waiting::Operation(self.location));
        if self.begun {
            return Poll::Ready(());
        }
        if !context::try_spend() {
            ready!(self.poll_closely(cx));
        }
        self.begun = true;
        self.offer = None;
        Poll::Ready(())
    }

    #[cold]
    fn poll_closely(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.poll_offer(cx));
        if context::poll_budget(cx).is_pending() {
            self.stepped_aside = true;
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Lets the unit around drop the operation if it is about to, before the operation does or tells anything.
    pub(crate) fn poll_offer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let offered = context::peek(|link| {
            // In this order: what is not being let go of any more is free.
            let let_go = link.is_some_and(|link| link.is_being_let_go());
            let outer = link.and_then(|link| link.doomed_by());
            let_go || outer.is_some_and(|outer| Offer::make(&mut self.offer, outer))
        });
        if !offered {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether the task has yielded here already, so that an operation whose point that is need not do so again.
    pub(crate) fn has_stepped_aside(&self) -> bool {
        self.stepped_aside
    }
}
