//! The same job done by ours and by rivals, and how good ours should be.

use std::fmt;
use std::future::Future;

use serde::Serialize;

use crate::ground::Ground;
use crate::measure::{Reading, Statistic};

/// What runs so many rounds and reads something in each, or in parts of each.
type Rounds = Box<dyn Fn(usize) -> Vec<Reading>>;

/// One way to do the job.
pub struct Contender {
    /// What it is called in reports.
    pub name: String,
    /// Does the job so many times.
    pub run: Rounds,
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How good ours should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Goal {
    /// What it is about.
    pub kind: GoalKind,
    /// At most this.
    pub target: f64,
    /// As good as we can think of.
    pub moonshot: f64,
}

/// What a goal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum GoalKind {
    /// Ours divided by the rival's.
    Ratio,
    /// Ours alone, in the unit of the comparison.
    Absolute,
}

/// The ratio of ours to the rival's is to be at most `target`.
#[must_use]
pub fn ratio(target: f64, moonshot: f64) -> Option<Goal> {
    Some(Goal { kind: GoalKind::Ratio, target, moonshot })
}

/// Ours is to be at most `target`, whatever the rivals do.
#[must_use]
pub fn absolute(target: f64, moonshot: f64) -> Option<Goal> {
    Some(Goal { kind: GoalKind::Absolute, target, moonshot })
}

/// No goal: the rival is there to be seen.
pub const TO_BE_SEEN: Option<Goal> = None;

/// Somebody else's way to do the job.
#[derive(Debug)]
pub struct Rival {
    /// The way.
    pub contender: Contender,
    /// How ours should do against it.
    pub goal: Option<Goal>,
    /// Whether it does less than the job, so that nobody can do better: what is added to it counts, and no ratio.
    pub is_floor: bool,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Time on the wall, in nanoseconds.
    Nanoseconds,
    /// Time of all processors together, in nanoseconds.
    CpuNanoseconds,
    /// Bytes on the heap.
    Bytes,
    /// Allocations.
    Allocations,
}

impl Unit {
    /// The unit's symbol.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::CpuNanoseconds => "ns CPU",
            Unit::Bytes => "B",
            Unit::Allocations => "allocations",
        }
    }
}

/// A job, done by ours and by rivals on the same ground.
#[derive(Debug)]
pub struct Comparison {
    /// The job's number and size, such as `P1/100`.
    pub case: String,
    /// What is done, in words.
    pub what: String,
    /// Where.
    pub ground: Ground,
    /// What is read.
    pub unit: Unit,
    /// What readings are divided by, in words.
    pub per: &'static str,
    /// How many of those are in a reading.
    pub units: usize,
    /// What is made of the readings.
    pub statistic: Statistic,
    /// Whether a single round tells everything: it counts and does not time.
    pub exact: bool,
    /// Our way, if the job has one.
    pub ours: Option<Contender>,
    /// What ours should keep by itself.
    pub goal: Option<Goal>,
    /// Other ways.
    pub rivals: Vec<Rival>,
}

impl Comparison {
    /// A job that is timed, with nobody who does it yet.
    #[must_use]
    pub fn new(ground: &Ground, case: impl Into<String>, what: impl Into<String>) -> Self {
        Comparison {
            case: case.into(),
            what: what.into(),
            ground: ground.clone(),
            unit: Unit::Nanoseconds,
            per: "round",
            units: 1,
            statistic: Statistic::Median,
            exact: false,
            ours: None,
            goal: None,
            rivals: Vec::new(),
        }
    }

    /// Readings are divided by `units`, which are called `per`.
    #[must_use]
    pub fn per(self, per: &'static str, units: usize) -> Self {
        Comparison { per, units, ..self }
    }

    /// What is read, in place of time on the wall.
    #[must_use]
    pub fn unit(self, unit: Unit) -> Self {
        Comparison { unit, ..self }
    }

    /// What is made of the readings, in place of the median.
    #[must_use]
    pub fn statistic(self, statistic: Statistic) -> Self {
        Comparison { statistic, ..self }
    }

    /// Says that a single round tells everything.
    #[must_use]
    pub fn exact(self) -> Self {
        Comparison { exact: true, ..self }
    }

    /// What ours should keep by itself.
    #[must_use]
    pub fn goal(self, goal: Option<Goal>) -> Self {
        Comparison { goal, ..self }
    }

    /// Our way: a round is what the future does, as a task of the ground.
    #[must_use]
    pub fn ours<F, B>(mut self, round: F) -> Self
    where
        F: Fn() -> B + Clone + Send + 'static,
        B: Future<Output = Reading> + Send + 'static,
    {
        self.ours = Some(self.ground.ours("anyio", round));
        self
    }

    /// A rival's way, on the same ground.
    #[must_use]
    pub fn rival<F, B>(mut self, name: &str, goal: Option<Goal>, round: F) -> Self
    where
        F: Fn() -> B + Clone + Send + 'static,
        B: Future<Output = Reading> + Send + 'static,
    {
        self.rivals.push(Rival { contender: self.ground.theirs(name, round), goal, is_floor: false });
        self
    }

    /// What is left of the job without that which is measured.
    #[must_use]
    pub fn floor<F, B>(mut self, name: &str, round: F) -> Self
    where
        F: Fn() -> B + Clone + Send + 'static,
        B: Future<Output = Reading> + Send + 'static,
    {
        self.rivals.push(Rival { contender: self.ground.theirs(name, round), goal: None, is_floor: true });
        self
    }

    /// Our way, where it needs an arrangement of its own.
    #[must_use]
    pub fn our_contender(mut self, contender: Contender) -> Self {
        self.ours = Some(contender);
        self
    }

    /// A rival that needs an arrangement of its own.
    #[must_use]
    pub fn contender(mut self, goal: Option<Goal>, contender: Contender) -> Self {
        self.rivals.push(Rival { contender, goal, is_floor: false });
        self
    }

    /// Case and ground, such as `P1/100 ct`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{} {}", self.case, self.ground.name())
    }

    /// All who do the job, ours first.
    pub fn contenders(&self) -> impl Iterator<Item = &Contender> {
        self.ours.iter().chain(self.rivals.iter().map(|rival| &rival.contender))
    }
}
