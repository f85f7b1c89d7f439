//! Counting what is live, what holds, and the closing of nodes (invariants 4 to 7).

use std::sync::Arc;

use smallvec::SmallVec;

use super::cancel::Inherited;
use super::poller::{Poller, wake};
use super::{Bell, Children, Ext, Key, LEFT, Link, Locked, Mark, NOT_LISTED, Node, OVER, Ordering, Role, Tenure};
use crate::reason::{CancelReason, Cancelled};
use crate::runtime::Runtime;
use crate::unhandled::Unhandled;

/// The node, or one above it, has closed.
#[derive(Debug)]
pub(crate) struct Closed;

impl Locked<'_> {
    /// Closes the node if its body is done and nothing but its `daemons` is live below; says whether that was news to them.
    fn close_if_done(&mut self, daemons: u32) -> bool {
        if self.is(Mark::Closed) || !self.is(Mark::Exiting) || self.live > daemons {
            return false;
        }
        self.mark(Mark::Closed, true);
        daemons > 0
    }

    /// Whom to wake now that one less is live below, if that was the last that anybody waits for: for the last time, unless
    /// the unit is also told when those around have been let go of.
    fn poller_at_end(&mut self, is_releasing: bool) -> Option<Poller> {
        match self.is_over() {
            true if self.is(Mark::Leaning) || is_releasing => self.poller.get(),
            true => self.poller.take(),
            false => None,
        }
    }
}

impl Node {
    /// Counts one more live thing directly below; refused once the node, or any above it, has closed.
    ///
    /// The lock is kept until the whole chain is raised, so that whoever finds it raised may rely on all of it; at last
    /// `admit` is called under this node's.
    #[inline]
    fn raise<R>(self: &Link, tenure: Tenure, admit: impl FnOnce(&mut Locked<'_>) -> R) -> Result<R, Closed> {
        let mut state = self.lock();
        if state.live == 0 && !state.is(Mark::Closed) {
            return self.raise_first(state, tenure, admit);
        }
        if state.is(Mark::Closed) && !(state.live > 0 && tenure == Tenure::Protected) {
            return Err(Closed);
        }
        state.live += 1;
        self.count_daemon(&state, tenure);
        Ok(admit(&mut state))
    }

    /// [`raise`](Self::raise) where nothing is live yet, so that those above have to be raised as well: mostly there is one.
    fn raise_first<'a, R>(
        self: &'a Link,
        mut state: Locked<'a>,
        tenure: Tenure,
        admit: impl FnOnce(&mut Locked<'_>) -> R,
    ) -> Result<R, Closed> {
        if let Some(parent) = self.parent() {
            let mut above = parent.lock();
            let is_last = above.live > 0 || parent.parent().is_none();
            if above.is(Mark::Closed) || !is_last {
                drop(above);
                return self.raise_chain(state, tenure, admit);
            }
            above.live += 1;
            state.live = 1;
            if self.begin_to_lean(&mut state).is_some() {
                parent.count_hold(&mut above).into_iter().for_each(Self::lean_on);
            }
        } else {
            state.live = 1;
        }
        self.count_daemon(&state, tenure);
        Ok(admit(&mut state))
    }

    /// [`raise`](Self::raise) for any number of nodes.
    #[cold]
    fn raise_chain<'a, R>(
        self: &'a Link,
        mut state: Locked<'a>,
        tenure: Tenure,
        admit: impl FnOnce(&mut Locked<'_>) -> R,
    ) -> Result<R, Closed> {
        // The guards of those that are not raised yet; rarely more than these.
        let mut below = SmallVec::<[_; 4]>::new();
        let mut node = self;
        while let Some(parent) = node.parent().filter(|_| state.live == 0 && !state.is(Mark::Closed)) {
            below.push((node, std::mem::replace(&mut state, parent.lock())));
            node = parent;
        }
        if state.is(Mark::Closed) && !(state.live > 0 && tenure == Tenure::Protected) {
            return Err(Closed);
        }
        loop {
            state.live += 1;
            node.lean(&mut state);
            let Some(next) = below.pop() else { break };
            (node, state) = next;
        }
        self.count_daemon(&state, tenure);
        Ok(admit(&mut state))
    }

    /// Whether [`raise`](Self::raise) would refuse: the node has closed, or one above to which nothing live leads from here.
    pub(crate) fn is_out_of_reach(self: &Link) -> bool {
        let mut node = self;
        loop {
            let state = node.lock();
            if state.is(Mark::Closed) || state.live > 0 {
                return state.is(Mark::Closed);
            }
            drop(state);
            let Some(parent) = node.parent() else { return false };
            node = parent;
        }
    }

    /// Takes back one `raise`, here and as far up as nothing else is live; what of this node's is listed under `key` is
    /// not any more.
    ///
    /// Whoever waits for the node is woken *before* the parent is released, so that a unit around, once it is free to
    /// drop its body, first polls what there is to collect. An offer (law C4) has to wait until *after* that: it would
    /// be made to a unit that is still held, and be taken for refused. Where one task polls both of them it is woken once,
    /// at last, and the parent is released in the same step if that can be done.
    fn lower(self: &Link, mut was_daemon: bool, mut key: Key) {
        let mut next = Some(self);
        while let Some(node) = next {
            // Dropped, where it is, when the lock is free.
            let _listed;
            let mut state = node.lock();
            _listed = state.children.remove(std::mem::replace(&mut key, NOT_LISTED));
            state.live -= 1;
            if was_daemon {
                node.count_daemon_out(&state);
            }
            let daemons = node.daemons(&state);
            let finished = state.close_if_done(daemons);
            let emptied = state.live == 0;
            let poller = state.poller_at_end(node.releasing.load(Ordering::Relaxed) > 0);
            let is_waker = matches!(poller, Some(Poller::Waker(_)));
            let was_gone = state.is(Mark::Gone);
            let let_go = if emptied && !is_waker { node.unlean_at_once(&mut state) } else { None };
            let released = emptied && node.unlean(&mut state);
            let leaves = state.is(Mark::Gone) != was_gone || node.leaves_root(&mut state);
            // Last: who sees it sees what is being let go of.
            if leaves {
                node.tell(&state, OVER | LEFT);
            } else {
                node.note_if_over(&state);
            }
            drop(state);
            if leaves {
                node.disarm_all();
            }
            if !emptied && !finished {
                return;
            }
            // The task around may as well be woken when it is released.
            let calls_task = (released || let_go.is_some()) && matches!(poller, Some(Poller::Task));
            if !calls_task {
                node.wake(poller);
            }
            if finished {
                node.cancel_daemons();
            }
            if emptied {
                node.ext.emptied(node);
            }
            if released {
                node.release(true, calls_task);
            } else if let Some(poller) = let_go {
                node.call_released(calls_task, poller);
            }
            was_daemon = node.is_daemon();
            next = node.parent().filter(|_| emptied);
        }
    }

    /// The daemons of a node that has closed but for them are cancelled.
    fn cancel_daemons(self: &Link) {
        let state = self.lock();
        let daemons: Vec<_> = state.children.iter().filter(|node| node.is_daemon()).cloned().collect();
        drop(state);
        let reason = Cancelled::new(CancelReason::GroupFinished);
        daemons.into_iter().for_each(|daemon| daemon.cancel(reason.clone()));
    }

    /// Nobody is about to let go of the parent for this node any more; gives whom to wake for that.
    fn end_release(&self) -> Option<Poller> {
        let state = self.lock();
        self.releasing.store(self.releasing.load(Ordering::Relaxed) - 1, Ordering::Release);
        state.poller_if(self.is_eff())
    }

    /// Leans on the parent if there is reason to and it does not yet; so do the parents that have reason to by that. The
    /// locks are kept until all of them lean.
    fn lean(&self, state: &mut Locked<'_>) {
        self.begin_to_lean(state).into_iter().for_each(Self::lean_on);
    }

    /// Counts one who leans on `first`.
    fn lean_on(first: &Link) {
        let mut below = SmallVec::<[_; 4]>::new();
        let mut next = Some(first);
        while let Some(node) = next {
            let mut state = node.lock();
            next = node.count_hold(&mut state);
            if next.is_some() {
                below.push(state);
            }
        }
    }

    /// Counts one who leans on this node; gives what it leans on itself for that, to be told.
    fn count_hold(&self, state: &mut Locked<'_>) -> Option<&Link> {
        state.holds += 1;
        self.flags().held.store(true, Ordering::Release);
        self.begin_to_lean(state)
    }

    /// Notes that this node leans, if there is reason to and it does not yet; gives what it leans on, to be told.
    fn begin_to_lean(&self, state: &mut Locked<'_>) -> Option<&Link> {
        let parent = self.parent().filter(|_| !state.is(Mark::Leaning) && self.has_to_lean(state))?;
        // Nothing drops what is below a root.
        if parent.role() == Role::Root {
            return None;
        }
        state.mark(Mark::Leaning, true);
        Some(parent)
    }

    /// Notes that this node does not lean any more, if there is no reason left; the caller then has to `release`.
    #[must_use]
    fn unlean(&self, state: &mut Locked<'_>) -> bool {
        let released = state.is(Mark::Leaning) && !self.has_to_lean(state);
        if released {
            state.mark(Mark::Leaning, false);
            self.releasing.store(self.releasing.load(Ordering::Relaxed) + 1, Ordering::Release);
            self.parent().expect("it leaned on its parent").letting_go.fetch_add(1, Ordering::Relaxed);
        }
        released
    }

    /// [`unlean`](Self::unlean) together with the [`release`](Self::release), which leaves something to be collected, if the
    /// parent leans on nobody; gives whom to wake for that, of those who poll the parent.
    fn unlean_at_once(&self, state: &mut Locked<'_>) -> Option<Option<Poller>> {
        let parent = self.parent().filter(|_| state.is(Mark::Leaning) && !self.has_to_lean(state))?;
        // Dropped, where it is, when the lock is free.
        let _listed;
        let mut above = parent.lock();
        if above.is(Mark::Leaning) {
            return None;
        }
        state.mark(Mark::Leaning, false);
        if self.may_leave(state) {
            state.mark(Mark::Gone, true);
            _listed = above.children.remove(self.place.key());
        }
        // In this order: who begins the poll that the parent is owed sees that all is over here; and who sees that sees what is
        // being let go of, and has to wait for the lock then.
        let releasing = self.releasing.load(Ordering::Relaxed);
        self.releasing.store(releasing + 1, Ordering::Release);
        self.note_if_over(state);
        above.holds -= 1;
        let held = above.holds > 0;
        if !held {
            parent.flags().owed.store(true, Ordering::Release);
        }
        parent.flags().held.store(held, Ordering::Release);
        self.releasing.store(releasing, Ordering::Release);
        Some(above.poller_if(!held && parent.is_eff()))
    }

    /// Leaves the root, which lists nobody, with the last that was live; says whether it does.
    fn leaves_root(&self, state: &mut Locked<'_>) -> bool {
        let leaves = self.place.key() == NOT_LISTED && !state.is(Mark::Leaning) && self.may_leave(state);
        if leaves {
            state.mark(Mark::Gone, true);
        }
        leaves
    }

    /// Whether this is a group that is over, and nobody but whoever is woken for that has to be told, or waits to be let go of.
    fn may_leave(&self, state: &Locked<'_>) -> bool {
        let may = state.is_over() && !state.is(Mark::Gone) && self.role() == Role::Group && self.ext.may_leave();
        let is_alone = state.children.is_empty() && !state.poller.is_waker();
        may && is_alone && self.releasing.load(Ordering::Relaxed) == 0
    }

    /// Wakes the `poller` of the parent, and at last the task that both are in, if it `calls_task` or if that is the poller.
    fn call_released(self: &Link, calls_task: bool, poller: Option<Poller>) {
        let parent = self.parent().expect("it leaned on its parent");
        if parent.wake_unless_by_task(poller) || calls_task {
            self.wake(Some(Poller::Task));
        }
    }

    fn has_to_lean(&self, state: &Locked<'_>) -> bool {
        !self.role().is_boundary()
            && !state.is(Mark::Gone)
            && (state.is(Mark::Shield)
                || state.is(Mark::Holding)
                || (state.is(Mark::Waiting) && state.live > 0)
                || state.holds > 0)
    }

    /// Takes back one `hold` of the parent, and of its parents as far as they now stop leaning. A cancelled unit that
    /// nothing leans on any more is woken, once all of them have been let go of: an offer made before that would be taken
    /// for refused. If something was `left` to be collected, it is owed a poll.
    ///
    /// All of them are in one task. It is woken at last, if it `calls_task`, or if any of them has no other waker.
    fn release(self: &Link, left: bool, mut calls_task: bool) {
        let mut node = self;
        let mut count = 0;
        let mut released = true;
        while released {
            count += 1;
            node = node.parent().expect("it leaned on its parent");
            let mut state = node.lock();
            state.holds -= 1;
            let held = state.holds > 0;
            // First: who sees that nothing holds any more sees what is being let go of.
            released = node.unlean(&mut state);
            if left && !held {
                node.flags().owed.store(true, Ordering::Release);
            }
            node.flags().held.store(held, Ordering::Release);
            node.letting_go.fetch_sub(1, Ordering::Release);
            let free = !held && node.is_eff();
            let poller = state.poller_if(free && !released);
            drop(state);
            calls_task |= node.wake_unless_by_task(poller);
        }
        let chain = std::iter::successors(Some(self), |node| node.parent());
        for node in chain.take(count) {
            calls_task |= node.wake_unless_by_task(node.end_release());
        }
        if calls_task {
            self.wake(Some(Poller::Task));
        }
    }

    /// Wakes the `poller` of this node, if it is not the task that it is in; says whether it is.
    fn wake_unless_by_task(self: &Link, poller: Option<Poller>) -> bool {
        let is_task = matches!(poller, Some(Poller::Task));
        if !is_task {
            self.wake(poller);
        }
        is_task
    }

    /// Edits what decides about leaning, and follows it up.
    pub(super) fn with_lean(self: &Link, edit: impl FnOnce(&mut Locked<'_>)) {
        let mut state = self.lock();
        edit(&mut state);
        self.lean(&mut state);
        let released = self.unlean(&mut state);
        drop(state);
        if released {
            self.release(false, false);
        }
    }

    /// Stops holding for something that was left to be collected.
    pub(crate) fn let_go(self: &Link) {
        let mut state = self.lock();
        state.mark(Mark::Holding, false);
        let released = self.unlean(&mut state);
        drop(state);
        if released {
            self.release(true, false);
        }
    }

    /// Holds the enclosing units without hiding anything, or stops doing so.
    pub(crate) fn set_holding(self: &Link, holding: bool) {
        self.with_lean(|state| state.mark(Mark::Holding, holding));
    }

    /// Gives a new task its place below `self` and counts it, before it is handed to the backend.
    pub(crate) fn adopt(self: &Link, task: &Link, runtime: &Runtime) -> Result<(), Closed> {
        let inherited = self.admit(task.tenure(), task.clone(), runtime)?;
        self.instruct(task, inherited);
        Ok(())
    }

    /// The first half of [`adopt`](Self::adopt).
    #[inline]
    pub(crate) fn admit(
        self: &Link,
        tenure: Tenure,
        task: Link,
        runtime: &Runtime,
    ) -> Result<Option<Box<Inherited>>, Closed> {
        debug_assert_eq!(task.role(), Role::Task);
        self.raise(tenure, |state| self.list_task(state, task, runtime))
    }

    /// The second half, for daemons and for those to whom something is left.
    pub(crate) fn instruct(self: &Link, task: &Link, inherited: Option<Box<Inherited>>) {
        if let Some(inherited) = inherited {
            task.inherit(Some(inherited));
        }
        // It may have closed since, when the task was not listed yet.
        if task.is_daemon() && self.is_refusing() {
            task.cancel(Cancelled::new(CancelReason::GroupFinished));
        }
    }

    /// A task is over: its future is destroyed and its outcome is where it belongs.
    pub(crate) fn retire(self: &Link) {
        let mut state = self.lock();
        if state.live > 1 || !state.children.is_empty() {
            drop(state);
            self.finish();
            return self.lower(false, NOT_LISTED);
        }
        state.mark(Mark::Gone, true);
        state.mark(Mark::Closed, true);
        state.live = 0;
        self.note_if_over(&state);
        let poller = state.poller.take();
        drop(state);
        self.disarm_all();
        if let Some(Poller::Waker(waiting)) = poller {
            wake(Some(waiting));
        }
        self.ext.emptied(self);
        let parent = self.parent().expect("a task has a place");
        parent.lower(self.is_daemon(), self.place.key());
    }

    /// The body is done: closes the node if nothing is live below.
    ///
    /// What was left below by a future that was dropped or forgotten is cancelled; the tasks of a group go on, since
    /// the group waits for them.
    /// If anything is, `news` is who will be woken when that is gone. Says whether anything is.
    pub(crate) fn begin_exit(self: &Link, news: Option<Poller>) -> bool {
        let mut state = self.lock();
        state.mark(Mark::Exiting, true);
        let daemons = self.daemons(&state);
        let finished = state.close_if_done(daemons);
        let old = state.learn(news);
        self.note_if_over(&state);
        let left = state.live > 0;
        // If nothing is listed, what is live is on its way out: it was cancelled when its node went.
        let behind = left && !state.children.is_empty() && (state.is(Mark::HasUnits) || !self.role().is_group());
        let waits = left && !state.is(Mark::Waiting);
        drop(state);
        drop(old);
        if waits {
            self.with_lean(|state| state.mark(Mark::Waiting, true));
        }
        if behind {
            self.cancel_left_behind();
        }
        if finished {
            self.cancel_daemons();
        }
        left
    }

    fn cancel_left_behind(self: &Link) {
        let is_run = self.role() == Role::Run;
        let reason = Cancelled::new(if is_run { CancelReason::Shutdown } else { CancelReason::GroupDropped });
        if !self.role().is_group() {
            return self.cancel(reason);
        }
        for unit in self.units_below() {
            unit.cancel_from_outside(reason.clone());
        }
    }

    /// The nodes below that are not tasks: after the body is gone, those of futures that it did not own.
    fn units_below(&self) -> Vec<Link> {
        let state = self.lock();
        state.children.iter().filter(|node| node.is_unit()).cloned().collect()
    }

    /// Whether this node's future is polled by the task that it is in, so that it should have ended before its parent.
    pub(super) fn is_unit(&self) -> bool {
        !matches!(self.role(), Role::Task | Role::Owned)
    }

    /// The future of this node has ended or was dropped (invariant 7). What is live below is cancelled and stays
    /// counted.
    pub(crate) fn finish(self: &Link) {
        if self.was_told(LEFT) {
            return;
        }
        let own = u32::from(self.role() == Role::Task);
        let mut state = self.lock();
        if state.is(Mark::Gone) || self.parent().is_none() {
            state.mark(Mark::Gone, true);
            return;
        }
        state.mark(Mark::Exiting, true);
        let left = state.live > own;
        let daemons = self.daemons(&state);
        state.close_if_done(daemons);
        self.note_if_over(&state);
        if left {
            drop(state);
            self.cancel(Cancelled::new(CancelReason::GroupDropped));
            state = self.lock();
        }
        self.leave(state);
    }

    fn disarm_all(&self) {
        self.disarm(Bell::Deadline);
        self.disarm(Bell::Stall);
    }

    fn leave(self: &Link, mut state: Locked<'_>) {
        state.mark(Mark::Gone, true);
        let children = state.children.take();
        // That of a task is whoever waits until it is gone.
        let is_awaited = matches!(self.role(), Role::Task | Role::Branch);
        let poller = if is_awaited { None } else { state.poller.take() };
        let released = self.unlean(&mut state);
        drop(state);
        self.disarm_all();
        if released {
            self.release(false, false);
        }
        let listed = self.parent().and_then(|parent| parent.unlist(self.place.key()));
        drop((listed, poller));
        if !children.is_empty() {
            self.leave_children(children);
        }
    }

    /// Has gone before those who were listed below.
    #[cold]
    fn leave_children(self: &Link, children: Children) {
        // A branch that is still here is on its way into a scoped group, spawned by another thread: its owner, which alone
        // polls branches, has dropped all that it had, and this one is dropped at the door.
        let is_left = |node: &Link| node.is_unit() && node.role() != Role::Branch;
        if self.role().is_group()
            && let Some(carriers) = self.runtime().carriers()
        {
            carriers.keep_in_sight(children.iter().filter(|node| node.role() == Role::Task));
        }
        let passengers: Vec<_> = children.iter().filter(|node| is_left(node)).cloned().collect();
        drop(children);
        if !passengers.is_empty() {
            self.runtime().report(Unhandled::PolledByReference);
            leave_behind(passengers);
        }
    }

    fn unlist(&self, key: Key) -> Option<Link> {
        if key == NOT_LISTED { None } else { self.lock().children.remove(key) }
    }

    /// Whether no task is left below, nor will be.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().live == 0
    }

    /// Whether a unit that was polled just now and is pending has to drop its body (law C2).
    ///
    /// One that has to, but is held, starts to wait for the hold; if that takes too long, the hook hears of it.
    #[inline]
    pub(crate) fn has_to_drop(self: &Link) -> bool {
        self.may_have_to_drop() && self.is_cut_now()
    }

    fn is_cut_now(self: &Link) -> bool {
        self.notice_deadline();
        if !self.is_eff() {
            return false;
        }
        let (cut, held) = (self.is_cut(), self.is_held());
        if cut && held {
            self.watch_for_stall();
        }
        cut && !held
    }

    fn is_cut(&self) -> bool {
        match self.role().power() {
            super::Power::Any => self.is_eff(),
            super::Power::Own => self.is_own(),
            super::Power::None => false,
        }
    }

    /// The unit that would cut off at once an operation that starts here now: the nearest one, if it is cancelled and
    /// free to drop it (law C6).
    pub(crate) fn doomed_by(&self) -> Option<&Node> {
        let mut node = self;
        loop {
            if !node.is_eff() {
                return None;
            }
            if node.is_cut() {
                return (!node.is_leant_on()).then_some(node);
            }
            node = node.parent().filter(|_| !node.role().is_boundary())?;
        }
    }

    /// Whether another thread is about to let go of the unit that would cut off what is here, or of one between: what
    /// has ended there has been collected already.
    pub(crate) fn is_being_let_go(&self) -> bool {
        let mut next = Some(self);
        while let Some(node) = next.filter(|node| node.is_eff()) {
            if node.letting_go.load(Ordering::Acquire) > 0 {
                return true;
            }
            let cut = node.is_cut();
            next = node.parent().filter(|_| !cut && !node.role().is_boundary()).map(|parent| &**parent);
        }
        false
    }

    /// Whether a unit around, in the same task, is cancelled and does not drop its body because it is held.
    pub(crate) fn is_held_back(&self) -> bool {
        let mut next = Some(self);
        while let Some(node) = next {
            if node.is_cut() && node.is_held() {
                return true;
            }
            next = node.parent().filter(|_| !node.role().is_boundary()).map(|parent| &**parent);
        }
        false
    }

    /// The nearest unit around this one, in the same task, that is about to drop what this one is in.
    pub(crate) fn doomed_above(&self) -> Option<&Link> {
        // If deadlines around have passed too, the outermost is the one that reports (law D6).
        let around = std::iter::successors(self.enclosing(), |unit| unit.enclosing());
        around.for_each(|unit| unit.notice_deadline());
        let mut node: &Link = self.enclosing()?;
        loop {
            if !node.is_eff() {
                return None;
            }
            if node.is_cut() {
                return Some(node);
            }
            node = node.enclosing()?;
        }
    }

    /// The parent, unless this is where a task begins.
    pub(crate) fn enclosing(&self) -> Option<&Link> {
        self.parent().filter(|_| !self.role().is_boundary())
    }
}

impl<X: Ext + ?Sized> Node<X> {
    /// Whether it has to be looked at more closely if it [has to](Self::has_to_drop).
    #[inline]
    pub(crate) fn may_have_to_drop(&self) -> bool {
        self.is_eff() || !self.is_timeless()
    }

    /// Whether something keeps the unit from dropping its body.
    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        // In this order: what it is owed was noted before the last hold was taken back.
        self.is_leant_on() || self.is_owed()
    }

    #[inline]
    fn is_leant_on(&self) -> bool {
        self.flags().held.load(Ordering::Acquire)
    }
}

/// Tells forgotten nodes, and the forgotten ones below them. What is below a leaf was entered there, by another thread for
/// example, and may be all right.
fn leave_behind(mut left: Vec<Link>) {
    while let Some(node) = left.pop() {
        node.ext.left_behind(&node);
        if node.role() != Role::Leaf {
            left.extend(node.units_below());
        }
    }
}

/// The node without its type.
pub(crate) fn erase<X: Ext + 'static>(node: &Arc<Node<X>>) -> Link {
    node.clone()
}
