//! Random programs.

use std::ops::Range;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

use super::predict::{predict, predict_in_order};
use super::program::{Block, END, Id, Kind, Program, Step, Tick, Time, What};
use super::transcript::End;

/// The root scope: the first step.
const ROOT: Id = 1;

/// Random programs whose transcript the laws decide.
pub fn programs() -> impl Strategy<Value = Program> {
    (steps(), 0..16_u8)
        .prop_map(|(body, dice)| number(body, dice == 15))
        .prop_filter("whose order makes no difference", is_determined)
}

/// Whether a program ends, and does the same in whatever order its tasks take turns.
#[must_use]
pub fn is_determined(program: &Program) -> bool {
    let first = predict(program);
    first.end != End::Stuck && (0..12).all(|seed| predict_in_order(program, seed) == first)
}

/// Steps with numbers, targets and times that are still raw: they are drawn from all the numbers, and [`number`] makes
/// sense of them. So a program that gets smaller stays a program.
fn steps() -> BoxedStrategy<Vec<Step>> {
    let leaf = prop_oneof![
        2 => Just(What::Mark),
        2 => Just(What::Observe),
        1 => Just(What::Checkpoint),
        10 => time().prop_map(What::Sleep),
        2 => Just(What::Forever),
        3 => Just(What::Fail),
        2 => Just(What::Panic),
        6 => target().prop_map(What::Cancel),
        2 => (target(), option::weighted(0.8, 0..100_u64)).prop_map(|(on, at)| What::SetDeadline(on, at)),
        2 => (target(), any::<bool>()).prop_map(|(on, up)| What::SetShield(on, up)),
        2 => (target(), any::<bool>()).prop_map(|(task, cancel)| What::Join { task, cancel }),
    ];
    let tree = leaf.prop_map(step).prop_recursive(6, 24, 4, |inner| {
        let body = || vec(inner.clone(), 1..5);
        prop_oneof![
            4 => (target(), body()).prop_map(|(group, body)| What::Spawn { group, body }),
            6 => (kind(inner.clone()), body(), any::<bool>())
                .prop_map(|(kind, body, raise)| What::Block(Block { kind, body, raise })),
        ]
        .prop_map(step)
    });
    vec(tree, 1..6).boxed()
}

fn step(what: What) -> Step {
    Step { id: 0, what }
}

fn kind(inner: BoxedStrategy<Step>) -> impl Strategy<Value = Kind> {
    let clean_up = vec(inner, 1..4);
    prop_oneof![
        3 => (option::weighted(0.4, time()), proptest::bool::weighted(0.25))
            .prop_map(|(deadline, shielded)| Kind::Scope { deadline, shielded }),
        1 => time().prop_map(Kind::Timeout),
        1 => time().prop_map(Kind::MoveOn),
        1 => Just(Kind::Shield),
        1 => span().prop_map(Kind::ShieldFor),
        5 => proptest::bool::weighted(0.4).prop_map(|panics_are_errors| Kind::Group { panics_are_errors }),
        2 => (clean_up, option::weighted(0.5, span()))
            .prop_map(|(clean_up, grace)| Kind::Finally { clean_up_id: 0, clean_up, grace }),
    ]
}

fn target() -> Range<Id> {
    0..1_000
}

fn span() -> Range<Tick> {
    0..48
}

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![2 => (0..48_u64).prop_map(Time::In), 3 => (0..100_u64).prop_map(Time::At)]
}

/// Gives every step its number, every target an aim, and every time a place of its own on the clock, mostly.
///
/// What has nothing to aim at becomes a [`What::Mark`].
fn number(body: Vec<Step>, real_timers: bool) -> Program {
    let kind = Kind::Scope { deadline: None, shielded: false };
    let mut root = step(What::Block(Block { kind, body, raise: false }));
    number_all(std::slice::from_mut(&mut root), &mut 0);
    let mut all = Vec::new();
    root.visit(&mut |step| all.extend(sort_of(&step.what).map(|sort| (step.id, sort))));
    let mut aim = Aim { all: &all, around: Vec::new(), spawned: Vec::new(), shielded: false };
    aim.step(&mut root);
    if let What::Block(Block { kind: Kind::Scope { deadline, .. }, .. }) = &mut root.what {
        *deadline = Some(Time::At(END));
    }
    Program { root, real_timers }
}

/// What can be aimed at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Scope,
    Group,
    Task,
}

fn sort_of(what: &What) -> Option<Sort> {
    match what {
        What::Spawn { .. } => Some(Sort::Task),
        What::Block(Block { kind: Kind::Scope { .. }, .. }) => Some(Sort::Scope),
        What::Block(Block { kind: Kind::Group { .. }, .. }) => Some(Sort::Group),
        _ => None,
    }
}

fn number_all(steps: &mut [Step], last: &mut Id) {
    for step in steps {
        step.id = next(last);
        match &mut step.what {
            What::Spawn { body, .. } => number_all(body, last),
            What::Block(block) => {
                number_all(&mut block.body, last);
                if let Kind::Finally { clean_up_id, clean_up, .. } = &mut block.kind {
                    *clean_up_id = next(last);
                    number_all(clean_up, last);
                }
            }
            _ => {}
        }
    }
}

fn next(last: &mut Id) -> Id {
    *last += 1;
    *last
}

/// What a step can aim at.
#[derive(Clone)]
struct Aim<'a> {
    /// All scopes, groups and tasks of the program.
    all: &'a [(Id, Sort)],
    /// Those around, outside in, but for the root.
    around: Vec<(Id, Sort)>,
    /// The tasks that this code has spawned already.
    spawned: Vec<Id>,
    /// Whether nothing outside may end what waits here for ever.
    shielded: bool,
}

impl Aim<'_> {
    fn all(&mut self, steps: &mut [Step]) {
        steps.iter_mut().for_each(|step| self.step(step));
    }

    fn step(&mut self, step: &mut Step) {
        let id = step.id;
        match &mut step.what {
            What::Sleep(time) => *time = unique(*time, id),
            What::Forever if self.shielded => step.what = What::Sleep(Time::In(id as Tick)),
            What::Cancel(target) => *target = self.aim(*target, |_| true).unwrap_or(ROOT),
            What::SetDeadline(target, deadline) => {
                *target = self.aim(*target, |sort| sort != Sort::Task).unwrap_or(ROOT);
                *deadline = deadline.map(|tick| tick_of(tick, id));
            }
            What::SetShield(target, _) => *target = self.aim(*target, |sort| sort != Sort::Task).unwrap_or(ROOT),
            What::Join { task, .. } => match self.spawned.len() {
                0 => step.what = What::Mark,
                n => *task = self.spawned[*task % n],
            },
            What::Spawn { group, body } => match self.aim(*group, |sort| sort == Sort::Group) {
                None => step.what = What::Mark,
                Some(aim) => {
                    *group = aim;
                    self.spawned.push(id);
                    let mut inside = self.inside(id, Sort::Task);
                    inside.spawned.clear();
                    inside.all(body);
                }
            },
            What::Block(block) => self.block(id, block),
            _ => {}
        }
    }

    fn block(&mut self, id: Id, block: &mut Block) {
        let mut inside = match &block.kind {
            Kind::Group { .. } => self.inside(id, Sort::Group),
            Kind::Scope { .. } => self.inside(id, Sort::Scope),
            _ => self.clone(),
        };
        match &mut block.kind {
            Kind::Scope { deadline, shielded } => {
                *deadline = deadline.map(|time| unique(time, id));
                inside.shielded |= *shielded;
            }
            Kind::Timeout(time) | Kind::MoveOn(time) => *time = unique(*time, id),
            Kind::ShieldFor(grace) => *grace = tick_of(*grace, id),
            Kind::Shield => inside.shielded = true,
            Kind::Group { .. } | Kind::Finally { .. } => {}
        }
        inside.all(&mut block.body);
        if let Kind::Finally { clean_up, grace, .. } = &mut block.kind {
            *grace = grace.map(|ticks| tick_of(ticks, id));
            inside.spawned.clone_from(&self.spawned);
            inside.shielded = true;
            inside.all(clean_up);
        }
        self.spawned = inside.spawned;
    }

    fn inside(&self, id: Id, sort: Sort) -> Self {
        let mut inside = self.clone();
        if id != ROOT {
            inside.around.push((id, sort));
        }
        inside
    }

    /// Something of a sort: seven times out of eight something around, if there is.
    fn aim(&self, raw: Id, of: impl Fn(Sort) -> bool) -> Option<Id> {
        let pick = |from: &[(Id, Sort)]| {
            let mut fit = from.iter().rev().filter(|(_, sort)| of(*sort));
            let n = fit.clone().count();
            fit.nth((raw / 8).checked_rem(n)?).map(|(id, _)| *id)
        };
        let around = pick(&self.around);
        if raw.is_multiple_of(8) { pick(self.all) } else { around.or_else(|| pick(self.all)) }
    }
}

fn unique(time: Time, id: Id) -> Time {
    match time {
        Time::In(span) => Time::In(tick_of(span, id)),
        Time::At(tick) => Time::At(tick_of(tick, id)),
    }
}

/// A tick that is the step's own; one time out of eight one that it may share with others.
fn tick_of(raw: Tick, id: Id) -> Tick {
    let own = if raw.is_multiple_of(8) { 0 } else { id as Tick };
    raw / 8 * 1_000 + own
}
