//! What a program must do, told by the laws alone: a plain interpreter that has never seen a future.
//!
//! Tasks take turns, one small step at a time. A task is *running* (in the midst of a poll, so that nothing can stop it:
//! law C2) or *waiting*. A poll ends where it has to wait; then, from the inside out, every unit that is cancelled and
//! not held drops what it is around ([`World::settle`]). Time passes when there is nothing else to do.

use std::collections::BTreeMap;

use super::program::{Block, Id, Kind, Program, Step, Tick, Time, What};
use super::transcript::{End, Event, Failure, Fault, Outcome, Reason, Transcript};

/// What happens in `program`, with the tasks taking turns in a fixed order.
///
/// Where the laws leave the order of things open, so that it makes a difference, this is only one of the transcripts
/// that are right: see [`predict_in_order`].
#[must_use]
pub fn predict(program: &Program) -> Transcript {
    World::new(program, None).run(program)
}

/// [`predict`], with the tasks taking turns in an order that is drawn by `seed`.
#[must_use]
pub fn predict_in_order(program: &Program, seed: u64) -> Transcript {
    World::new(program, Some(Dice::new(seed))).run(program)
}

struct World<'a> {
    now: Tick,
    /// `None`: whoever comes first has the turn.
    dice: Option<Dice>,
    /// Who had the turn.
    last: Turn,
    nodes: BTreeMap<Id, Node>,
    groups: BTreeMap<Id, Group>,
    tasks: Vec<Task<'a>>,
    log: BTreeMap<Id, Vec<(Tick, Event)>>,
    unhandled: Vec<String>,
    end: Option<End>,
}

struct Dice {
    state: u64,
    /// How often out of eight whoever has the turn keeps it: the longest polls and the shortest are both to be met.
    patience: usize,
}

impl Dice {
    fn new(seed: u64) -> Self {
        Dice { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, patience: [8, 0, 7, 4][seed as usize % 4] }
    }

    /// Rolls a number below `n`.
    fn roll(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % n as u64) as usize
    }

    fn stays(&mut self) -> bool {
        self.roll(8) < self.patience
    }
}

/// A place in the tree of scopes, groups, shields and tasks.
#[derive(Default)]
struct Node {
    parent: Option<Id>,
    entered: bool,
    gone: bool,
    /// The first cancellation of this very node.
    own: Option<Reason>,
    shield: bool,
    deadline: Option<Tick>,
    grace: Option<Tick>,
    /// When the grace that has begun is over.
    grace_end: Option<Tick>,
    /// Whether it stops to hide what is cancelled outside when its deadline passes: a clean-up whose grace is over (law F5).
    yields: bool,
}

#[derive(Default)]
struct Group {
    panics_are_errors: bool,
    failures: Vec<Failure>,
    panic: Option<Id>,
    /// The cause from outside that cut something short.
    outside: Option<Reason>,
    /// Whether the body has ended, and whether with a value.
    body_over: bool,
    value: bool,
}

struct Task<'a> {
    id: Id,
    group: Option<Id>,
    /// What the code is in, outside in.
    stack: Vec<Frame<'a>>,
    state: State,
    /// What the handle says.
    result: Option<Outcome>,
    /// Whether somebody took the handle to await it.
    joined: bool,
}

struct Frame<'a> {
    id: Id,
    role: Role<'a>,
    /// The steps that are left of its body.
    rest: &'a [Step],
    /// Whether the body has ended: there is nothing left to drop.
    over: bool,
    /// How the body of a `finally` ended.
    ended: Option<Ended>,
}

#[derive(Clone, Copy)]
enum Role<'a> {
    Main,
    Task,
    Block(&'a Block),
    CleanUp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// In this step, for this time, or for ever.
    Sleeping(Id, Option<Tick>),
    /// In this step, for this task.
    Joining(Id, Id),
    /// For the tasks of a group.
    Draining,
    /// For a unit around to drop it, before it reports that it was cut short.
    Offering,
    Over,
}

/// How a body ended.
#[derive(Clone, Copy)]
enum Ended {
    Value(Result<(), Id>),
    Cut,
    Panicked(Id),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Task(usize),
    /// Something is due at this node.
    Clock(Id),
}

impl<'a> World<'a> {
    fn new(program: &'a Program, dice: Option<Dice>) -> Self {
        let mut world = World {
            now: 0,
            dice,
            last: Turn::Clock(0),
            nodes: BTreeMap::from([(0, Node { entered: true, ..Node::default() })]),
            groups: BTreeMap::new(),
            tasks: Vec::new(),
            log: BTreeMap::new(),
            unhandled: Vec::new(),
            end: None,
        };
        // Scopes exist from the start, so that they can be cancelled before they are entered.
        program.root.visit(&mut |step| {
            if let What::Block(Block { kind: Kind::Scope { deadline, shielded }, .. }) = &step.what {
                let deadline = if let Some(Time::At(tick)) = *deadline { Some(tick) } else { None };
                world.nodes.insert(step.id, Node { shield: *shielded, deadline, ..Node::default() });
            }
        });
        world
    }

    fn run(mut self, program: &'a Program) -> Transcript {
        self.add_task(0, None, Role::Main, std::slice::from_ref(&program.root));
        while self.end.is_none() {
            let turns = self.turns();
            if !turns.is_empty() {
                self.last = self.draw(&turns);
                match self.last {
                    Turn::Task(t) => self.take_turn(t),
                    Turn::Clock(id) => self.ring(id),
                }
            } else if !self.pass_time() {
                self.end = Some(End::Stuck);
            }
        }
        self.unhandled.sort();
        Transcript { tasks: self.log, unhandled: self.unhandled, end: self.end.expect("it is over") }
    }

    fn draw(&mut self, turns: &[Turn]) -> Turn {
        let Some(dice) = &mut self.dice else { return turns[0] };
        if turns.contains(&self.last) && dice.stays() {
            return self.last;
        }
        turns[dice.roll(turns.len())]
    }

    fn turns(&self) -> Vec<Turn> {
        let due = self.nodes.keys().filter(|id| self.alarm(**id).is_some_and(|at| at <= self.now));
        let ready = (0..self.tasks.len()).filter(|t| self.is_ready(*t));
        due.map(|id| Turn::Clock(*id)).chain(ready.map(Turn::Task)).collect()
    }

    /// Moves the clock to the next thing that is due; says whether there is one.
    fn pass_time(&mut self) -> bool {
        let sleeper = |task: &Task<'_>| if let State::Sleeping(_, at) = task.state { at } else { None };
        let alarms = self.nodes.keys().filter_map(|id| self.alarm(*id));
        let next = alarms.chain(self.tasks.iter().filter_map(sleeper)).min();
        self.now = next.unwrap_or(self.now);
        next.is_some()
    }

    fn note(&mut self, t: usize, event: Event) {
        let task = self.tasks[t].id;
        self.log.entry(task).or_default().push((self.now, event));
    }
}

/// The tree: who is cancelled, and why.
impl World<'_> {
    /// The cancellation that is in effect at a node: the outermost one that no shield hides (laws C5, S1).
    fn cause(&self, id: Id) -> Option<Reason> {
        let node = &self.nodes[&id];
        self.outer_cause(id).or(node.own)
    }

    fn outer_cause(&self, id: Id) -> Option<Reason> {
        let node = &self.nodes[&id];
        node.parent.filter(|_| !node.shield).and_then(|parent| self.cause(parent))
    }

    /// The first cancellation counts; before the node is entered it is remembered, after its end it does nothing (C8).
    fn cancel(&mut self, id: Id, reason: Reason) {
        if let Some(node) = self.nodes.get_mut(&id).filter(|node| !node.gone && node.own.is_none()) {
            node.own = Some(reason);
            self.begin_graces();
        }
    }

    /// When the clock has something to do at a node.
    fn alarm(&self, id: Id) -> Option<Tick> {
        let node = self.nodes.get(&id).filter(|node| node.entered && !node.gone)?;
        let deadline = node.deadline.filter(|_| node.own.is_none());
        deadline.into_iter().chain(node.grace_end.filter(|_| node.shield)).min()
    }

    fn ring(&mut self, id: Id) {
        if self.nodes[&id].grace_end.is_some() {
            self.set_shield(id, false);
        } else {
            self.expire(id);
        }
    }

    /// A deadline has passed; of several that have, the outermost acts first (law D6).
    fn expire(&mut self, id: Id) {
        let node = &self.nodes[&id];
        if let Some(parent) = node.parent.filter(|_| !node.shield) {
            self.expire(parent);
        }
        if self.nodes[&id].deadline.is_some_and(|at| at <= self.now) {
            self.cancel(id, Reason::Deadline);
            if self.nodes[&id].yields {
                self.set_shield(id, false);
            }
        }
    }

    /// The grace of a shield begins when there is something to shield from (law S3).
    fn begin_graces(&mut self) {
        let waiting = |(id, node): (&Id, &Node)| (node.grace.is_some() && node.grace_end.is_none()).then_some(*id);
        for id in self.nodes.iter().filter_map(waiting).collect::<Vec<_>>() {
            let cause = self.nodes[&id].parent.and_then(|parent| self.cause(parent));
            let node = self.nodes.get_mut(&id).expect("it was there");
            if let Some(grace) = node.grace.filter(|_| cause.is_some()) {
                node.grace_end = Some(self.now + grace);
                if grace == 0 {
                    self.set_shield(id, false);
                }
            }
        }
    }

    /// Raising does nothing once a cancellation from outside is here (law S6).
    fn set_shield(&mut self, id: Id, shield: bool) {
        let late = self.nodes.contains_key(&id) && self.outer_cause(id).is_some();
        if let Some(node) = self.nodes.get_mut(&id) {
            node.shield = shield && !late;
            self.begin_graces();
        }
    }

    fn set_deadline(&mut self, id: Id, deadline: Option<Tick>) {
        if let Some(node) = self.nodes.get_mut(&id).filter(|node| !node.gone && node.own.is_none()) {
            node.deadline = deadline;
            self.expire_if_due(id);
        }
    }

    fn expire_if_due(&mut self, id: Id) {
        if self.nodes[&id].grace.is_none() && self.alarm(id).is_some_and(|at| at <= self.now) {
            self.expire(id);
        }
    }

    /// Links a node where it is first polled (law C12).
    fn enter(&mut self, id: Id, parent: Id, deadline: Option<Tick>) {
        let node = self.nodes.entry(id).or_default();
        node.parent = Some(parent);
        node.entered = true;
        node.deadline = node.deadline.into_iter().chain(deadline).min();
        self.begin_graces();
        self.expire_if_due(id);
    }

    fn leave(&mut self, id: Id) {
        self.nodes.entry(id).or_default().gone = true;
    }
}

/// Turns: from one wait to the next.
impl<'a> World<'a> {
    fn add_task(&mut self, id: Id, group: Option<Id>, role: Role<'a>, rest: &'a [Step]) {
        let frame = Frame { id, role, rest, over: false, ended: None };
        let state = State::Running;
        self.tasks.push(Task { id, group, stack: vec![frame], state, result: None, joined: false });
        self.note(self.tasks.len() - 1, Event::Began(id));
    }

    /// Whether a task has reason to be polled.
    fn is_ready(&self, t: usize) -> bool {
        let done = match self.tasks[t].state {
            State::Running => true,
            State::Over => return false,
            State::Sleeping(_, until) => until.is_some_and(|at| at <= self.now),
            State::Joining(_, task) => self.result_of(task).is_some(),
            State::Draining => self.live(self.top(t).id) == 0,
            State::Offering => unreachable!("an offer is over when the turn is"),
        };
        done || self.is_doomed(t)
    }

    fn take_turn(&mut self, t: usize) {
        match self.tasks[t].state {
            State::Running => self.execute(t),
            State::Sleeping(id, Some(at)) if at <= self.now => self.waited(t, id),
            State::Joining(id, task) => self.join(t, id, task),
            State::Draining if self.live(self.top(t).id) == 0 => self.sum_up(t),
            _ => {}
        }
        self.settle(t);
    }

    /// A poll has ended in a wait: the one rule of law C2, from the inside out. What completes with a value or an error
    /// of its own does so although it was cut short (law G3); what does not is offered to the units around (law C4).
    fn settle(&mut self, t: usize) {
        while self.is_waiting(t) {
            let frames = 0..self.tasks[t].stack.len();
            if let Some(depth) = frames.rev().find(|depth| self.drops_body(t, *depth)) {
                self.drop_above(t, depth);
                self.body_ended(t, Ended::Cut);
            } else if self.tasks[t].state == State::Offering {
                let outcome = self.cut_short(t);
                self.resolve(t, outcome);
            } else {
                return;
            }
        }
    }

    fn is_waiting(&self, t: usize) -> bool {
        !matches!(self.tasks[t].state, State::Running | State::Over)
    }

    /// Whether any unit around the code is about to drop it.
    fn is_doomed(&self, t: usize) -> bool {
        (0..self.tasks[t].stack.len()).any(|depth| self.drops_body(t, depth))
    }

    fn drops_body(&self, t: usize, depth: usize) -> bool {
        let frame = &self.tasks[t].stack[depth];
        let cancelled = match frame.role {
            Role::Main => false,
            Role::Block(Block { kind: Kind::Shield | Kind::ShieldFor(_), .. }) => false,
            Role::Block(Block { kind: Kind::Timeout(_) | Kind::MoveOn(_), .. }) => self.nodes[&frame.id].own.is_some(),
            _ => self.cause(frame.id).is_some(),
        };
        let mut inside = self.tasks[t].stack[depth + 1..].iter();
        cancelled && !frame.over && !inside.any(|frame| self.holds(frame))
    }

    /// Whether a frame keeps the units around it, in its task, from dropping it (laws S1, G1, L1).
    fn holds(&self, frame: &Frame<'_>) -> bool {
        let busy = match frame.role {
            Role::Block(Block { kind: Kind::Finally { .. }, .. }) => frame.ended.is_some() || !frame.over,
            Role::Block(Block { kind: Kind::Group { .. }, .. }) => self.live(frame.id) > 0,
            _ => false,
        };
        busy || self.nodes[&frame.id].shield
    }

    fn live(&self, group: Id) -> usize {
        self.tasks.iter().filter(|task| task.group == Some(group) && task.state != State::Over).count()
    }

    fn top(&self, t: usize) -> &Frame<'a> {
        self.tasks[t].stack.last().expect("a task that has turns has frames")
    }

    fn top_mut(&mut self, t: usize) -> &mut Frame<'a> {
        self.tasks[t].stack.last_mut().expect("a task that has turns has frames")
    }

    /// Drops the wait and all frames above `depth`, from the inside out.
    fn drop_above(&mut self, t: usize, depth: usize) {
        if let State::Sleeping(id, _) | State::Joining(id, _) = self.tasks[t].state {
            self.note(t, Event::Dropped(id));
        }
        while self.tasks[t].stack.len() > depth + 1 {
            self.drop_top(t);
        }
    }

    fn drop_top(&mut self, t: usize) {
        let frame = self.tasks[t].stack.pop().expect("there is a frame to drop");
        self.leave(frame.id);
        self.note(t, Event::Dropped(frame.id));
    }

    /// The step that a task waits in is done.
    fn waited(&mut self, t: usize, id: Id) {
        self.tasks[t].state = State::Running;
        self.note(t, Event::Done(id, Outcome::Returned(Ok(()))));
    }

    /// A block is done, and the code after it goes on.
    fn resolve(&mut self, t: usize, outcome: Outcome) {
        let frame = self.tasks[t].stack.pop().expect("there is a block");
        self.leave(frame.id);
        self.note(t, Event::Done(frame.id, outcome.clone()));
        self.tasks[t].state = State::Running;
        match outcome {
            Outcome::Returned(Ok(())) => {}
            Outcome::Returned(error) => self.body_ended(t, Ended::Value(error)),
            _ if matches!(frame.role, Role::Block(Block { raise: true, .. })) => {
                self.body_ended(t, Ended::Value(Err(frame.id)));
            }
            _ => {}
        }
    }

    /// What a block says that was cut short.
    fn cut_short(&self, t: usize) -> Outcome {
        let frame = self.top(t);
        match frame.role {
            Role::Block(Block { kind: Kind::Timeout(_), .. }) => Outcome::TimedOut,
            Role::Block(Block { kind: Kind::MoveOn(_), .. }) => Outcome::MovedOn,
            _ => {
                let outside = self.groups.get(&frame.id).and_then(|group| group.outside);
                Outcome::Cancelled(self.cause(frame.id).or(outside).expect("nothing is cut short without a cause"))
            }
        }
    }

    /// The body of the innermost frame has ended.
    fn body_ended(&mut self, t: usize, ended: Ended) {
        let frame = self.top_mut(t);
        frame.over = true;
        match (frame.role, ended) {
            (Role::Main, ended) => self.main_ended(t, ended),
            (Role::Task, ended) => self.task_ended(t, ended),
            (Role::CleanUp, ended) => self.clean_up_ended(t, ended),
            (Role::Block(Block { kind: Kind::Group { .. }, .. }), ended) => self.group_body_ended(t, ended),
            (Role::Block(Block { kind: Kind::Finally { clean_up_id, clean_up, grace }, .. }), ended) => {
                frame.ended = Some(ended);
                self.clean_up(t, *clean_up_id, clean_up, *grace);
            }
            (_, Ended::Value(result)) => self.resolve(t, Outcome::Returned(result)),
            (_, Ended::Cut) => self.tasks[t].state = State::Offering,
            (_, Ended::Panicked(id)) => self.panic_out(t, id),
        }
    }
}

/// What the steps do.
impl<'a> World<'a> {
    fn execute(&mut self, t: usize) {
        let frame = self.top_mut(t);
        let Some((step, rest)) = frame.rest.split_first() else {
            return self.body_ended(t, Ended::Value(Ok(())));
        };
        frame.rest = rest;
        let id = step.id;
        match &step.what {
            What::Mark => self.waited(t, id),
            What::Observe => self.observe(t, id),
            What::Checkpoint => self.tasks[t].state = State::Sleeping(id, Some(self.now)),
            What::Sleep(time) => self.tasks[t].state = State::Sleeping(id, Some(time.after(self.now))),
            What::Forever => self.tasks[t].state = State::Sleeping(id, None),
            What::Fail => self.body_ended(t, Ended::Value(Err(id))),
            What::Panic => self.body_ended(t, Ended::Panicked(id)),
            What::Cancel(target) => self.cancel_target(*target, id),
            What::SetDeadline(target, deadline) => self.set_deadline(*target, *deadline),
            What::SetShield(target, shield) => self.set_shield(*target, *shield),
            What::Spawn { group, body } => self.spawn(id, *group, body),
            What::Join { task, cancel } => self.begin_join(t, id, *task, *cancel),
            What::Block(block) => self.open(t, id, block),
        }
    }

    fn observe(&mut self, t: usize, id: Id) {
        let mut deadline = None;
        let mut next = Some(self.top(t).id);
        while let Some(node) = next.map(|id| &self.nodes[&id]) {
            deadline = deadline.into_iter().chain(node.deadline).min();
            next = node.parent.filter(|_| !node.shield);
        }
        let cancelled = self.cause(self.top(t).id).is_some();
        self.note(t, Event::Observed { id, cancelled, deadline: deadline.filter(|_| !cancelled) });
    }

    /// Tasks are cancelled by their handles, which give no reason, until somebody awaits them.
    fn cancel_target(&mut self, target: Id, id: Id) {
        match self.tasks.iter().find(|task| task.id == target) {
            None => self.cancel(target, Reason::Requested(Some(id))),
            Some(task) if !task.joined => self.cancel(target, Reason::Requested(None)),
            Some(_) => {}
        }
    }

    fn open(&mut self, t: usize, id: Id, block: &'a Block) {
        self.note(t, Event::Began(id));
        let node = self.nodes.entry(id).or_default();
        let mut deadline = None;
        match &block.kind {
            // A deadline on the clock is set already; since then it may have been edited.
            Kind::Scope { deadline: Some(Time::In(span)), .. } => deadline = Some(self.now + span),
            Kind::Timeout(time) | Kind::MoveOn(time) => deadline = Some(time.after(self.now)),
            Kind::Shield => node.shield = true,
            Kind::ShieldFor(grace) => (node.shield, node.grace) = (true, Some(*grace)),
            Kind::Group { panics_are_errors } => {
                self.groups.insert(id, Group { panics_are_errors: *panics_are_errors, ..Group::default() });
            }
            Kind::Scope { .. } | Kind::Finally { .. } => {}
        }
        self.enter(id, self.top(t).id, deadline);
        let role = Role::Block(block);
        self.tasks[t].stack.push(Frame { id, role, rest: &block.body, over: false, ended: None });
    }

    /// A clean-up runs shielded, with a deadline of its own (law L1).
    fn clean_up(&mut self, t: usize, id: Id, rest: &'a [Step], grace: Option<Tick>) {
        let parent = self.top(t).id;
        self.nodes.insert(id, Node { shield: true, yields: grace.is_some(), ..Node::default() });
        self.note(t, Event::Began(id));
        self.enter(id, parent, grace.map(|grace| self.now + grace));
        self.tasks[t].stack.push(Frame { id, role: Role::CleanUp, rest, over: false, ended: None });
        self.tasks[t].state = State::Running;
    }

    fn clean_up_ended(&mut self, t: usize, ended: Ended) {
        let mut panicked = None;
        match ended {
            Ended::Value(result) => {
                let id = self.top(t).id;
                self.note(t, Event::Done(id, Outcome::Returned(result)));
                self.leave(id);
                self.tasks[t].stack.pop();
            }
            Ended::Cut => {
                self.drop_top(t);
                self.unhandled.push("clean-up cut short".to_owned());
            }
            Ended::Panicked(id) => {
                self.drop_top(t);
                panicked = Some(id);
            }
        }
        let outcome = self.top_mut(t).ended.take().expect("the body ended before the clean-up");
        match (outcome, panicked) {
            (Ended::Panicked(first), second) => {
                second.into_iter().for_each(|id| self.unhandled.push(format!("panicked: {id}")));
                self.panic_out(t, first);
            }
            (_, Some(panicked)) => self.panic_out(t, panicked),
            (Ended::Value(result), None) => self.resolve(t, Outcome::Returned(result)),
            (Ended::Cut, None) => self.tasks[t].state = State::Offering,
        }
    }

    /// A panic is resumed in the code around the innermost frame.
    fn panic_out(&mut self, t: usize, id: Id) {
        self.drop_top(t);
        self.tasks[t].state = State::Running;
        self.body_ended(t, Ended::Panicked(id));
    }
}

/// Groups, tasks and handles.
impl<'a> World<'a> {
    fn spawn(&mut self, id: Id, group: Id, body: &'a [Step]) {
        let Some(open) = self.groups.get(&group) else { return };
        if open.body_over && self.live(group) == 0 {
            // Closed (law G6).
            self.unhandled.push(format!("{id} was spawned into a closed group"));
            let result = Some(Outcome::TaskClosed);
            self.tasks.push(Task { id, group: None, stack: vec![], state: State::Over, result, joined: false });
        } else {
            self.enter(id, group, None);
            self.add_task(id, Some(group), Role::Task, body);
        }
    }

    fn result_of(&self, task: Id) -> Option<&Outcome> {
        self.tasks.iter().find(|other| other.id == task)?.result.as_ref()
    }

    fn begin_join(&mut self, t: usize, id: Id, task: Id, cancel: bool) {
        let Some(awaited) = self.tasks.iter_mut().find(|awaited| awaited.id == task && !awaited.joined) else {
            return self.note(t, Event::Done(id, Outcome::Absent));
        };
        awaited.joined = true;
        if cancel {
            self.cancel(task, Reason::Requested(None));
        }
        self.tasks[t].state = State::Joining(id, task);
        // Check before act (law C6).
        if !self.is_doomed(t) {
            self.join(t, id, task);
        }
    }

    /// Whoever awaits a task without a value, and is about to be dropped, is dropped (law H1).
    fn join(&mut self, t: usize, id: Id, task: Id) {
        let Some(result) = self.result_of(task).cloned() else { return };
        if result == Outcome::Returned(Ok(())) || !self.is_doomed(t) {
            self.tasks[t].state = State::Running;
            self.note(t, Event::Done(id, result));
        }
    }

    fn main_ended(&mut self, t: usize, ended: Ended) {
        let (event, end) = match ended {
            Ended::Value(result) => (Event::Done(0, Outcome::Returned(result)), End::Returned(result)),
            Ended::Panicked(id) => (Event::Dropped(0), End::Panicked(id)),
            Ended::Cut => unreachable!("the main task is not cut short"),
        };
        self.note(t, event);
        self.end = Some(end);
        self.tasks[t].state = State::Over;
    }

    fn task_ended(&mut self, t: usize, ended: Ended) {
        let id = self.tasks[t].id;
        let group = self.tasks[t].group.expect("every task but the main one has a group");
        let (event, result) = match ended {
            Ended::Value(result) => {
                let told = if result.is_ok() { Outcome::Returned(Ok(())) } else { Outcome::TaskFailed };
                (Event::Done(id, Outcome::Returned(result)), told)
            }
            Ended::Panicked(_) => (Event::Dropped(id), Outcome::TaskPanicked),
            Ended::Cut => {
                let reason = self.cause(id).expect("nothing is cut short without a cause");
                (Event::Dropped(id), Outcome::Cancelled(reason))
            }
        };
        self.note(t, event);
        self.collect(group, Some(id), ended);
        let task = &mut self.tasks[t];
        task.result = Some(result);
        task.state = State::Over;
        self.leave(id);
    }

    fn group_body_ended(&mut self, t: usize, ended: Ended) {
        let id = self.top(t).id;
        self.collect(id, None, ended);
        let group = self.groups.get_mut(&id).expect("the group is open");
        group.body_over = true;
        group.value = matches!(ended, Ended::Value(Ok(())));
        self.tasks[t].state = State::Draining;
        if self.live(id) == 0 {
            self.sum_up(t);
        }
    }

    /// A task of a group, or its body, has ended (laws G2, G3, G9).
    fn collect(&mut self, id: Id, task: Option<Id>, ended: Ended) {
        let outer = self.outer_cause(id);
        let group = self.groups.get_mut(&id).expect("the group is open");
        match ended {
            Ended::Value(Ok(())) => {}
            Ended::Cut => group.outside = group.outside.or(outer),
            Ended::Value(Err(step)) => self.fail(id, task, Fault::Error(step)),
            Ended::Panicked(step) if group.panics_are_errors => self.fail(id, task, Fault::Panic(step)),
            Ended::Panicked(step) => {
                match group.panic {
                    None => group.panic = Some(step),
                    Some(_) => self.unhandled.push(format!("panicked: {step}")),
                }
                self.cancel(id, Reason::SiblingFailed(task));
            }
        }
    }

    fn fail(&mut self, id: Id, task: Option<Id>, fault: Fault) {
        let secondary = self.cause(id).is_some();
        let group = self.groups.get_mut(&id).expect("the group is open");
        group.failures.push(Failure { task, fault, secondary });
        self.cancel(id, Reason::SiblingFailed(task));
    }

    /// What a group comes to, of which nothing is left.
    fn sum_up(&mut self, t: usize) {
        let id = self.top(t).id;
        let group = self.groups.get_mut(&id).expect("the group is open");
        let failures = std::mem::take(&mut group.failures);
        if let Some(panic) = group.panic {
            self.unhandled.extend(failures.iter().map(|failure| match failure.fault {
                Fault::Error(step) => format!("failed: {step}"),
                Fault::Panic(step) => format!("panicked: {step}"),
            }));
            self.panic_out(t, panic);
        } else if !failures.is_empty() {
            let cancelled = group.outside;
            self.resolve(t, Outcome::Failed { cancelled, failures });
        } else if group.value && group.outside.is_none() {
            self.resolve(t, Outcome::Returned(Ok(())));
        } else {
            self.tasks[t].state = State::Offering;
        }
    }
}
