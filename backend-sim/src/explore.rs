//! Explorers: running a test under many schedules, and finding the simplest one under which it fails.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;

use crate::quiet::attempt;
use crate::run::{Sim, Taken};
use crate::schedule::{Choices, Schedule};

/// Runs `test` under `schedules` schedules, and panics if it fails under one of them.
///
/// The test gets the recipe of a simulation, which it runs once: it may configure it further, but for the schedule. It
/// has to be the same every time: it makes its state anew, and depends on nothing else.
///
/// When a schedule fails, a simpler one is looked for that fails as well. The panic tells both, and how to have them again:
/// with its seed in the environment variable `ANYIO_SIM_SEED`, or the schedule in `ANYIO_SIM_SCHEDULE`, the test is run
/// once, under that alone.
///
/// [`Explorer`] has more settings.
///
/// # Panics
///
/// With the [`Failure`].
///
/// # Examples
///
/// ```
/// use std::pin::pin;
///
/// use anyio_backend_sim::explore;
/// use anyio_core::Run;
///
/// let explored = explore(100, |sim| {
///     Box::new(sim).start().unwrap().block_on(pin!(async {
///         // what has to hold in any order
///     }));
/// });
/// assert_eq!(explored.schedules(), 100);
/// ```
#[track_caller]
pub fn explore(schedules: usize, test: impl Fn(Sim)) -> Explored {
    match Explorer::new().schedules(schedules).run(test) {
        Ok(explored) => explored,
        Err(failure) => panic!("{failure}"),
    }
}

/// Runs `test` under every schedule that there is, or as many as `bound`, and panics if it fails under one of them.
///
/// For small programs: `n` tasks that are polled `k` times each have up to `(nk)!/(k!)^n` schedules. They are walked depth
/// first, and none comes twice. A choice is made only where more than one task is ready, between two polls. No other is
/// left out: tasks may share anything, so the simulator cannot know of two polls that they could change places. Whether
/// all have been walked is for [`Exhausted::is_complete`] to say. As with [`explore`], a schedule in the environment has
/// the test run once, under that alone.
///
/// # Panics
///
/// With the [`Failure`], and if the test does not do the same under the same schedule.
///
/// # Examples
///
/// ```
/// use std::pin::pin;
///
/// use anyio_backend_sim::explore_exhaustively;
/// use anyio_core::Run;
///
/// let exhausted = explore_exhaustively(1000, |sim| {
///     Box::new(sim).start().unwrap().block_on(pin!(async {}));
/// });
/// assert!(exhausted.is_complete());
/// assert_eq!(exhausted.schedules(), 1);
/// ```
#[track_caller]
pub fn explore_exhaustively(bound: usize, test: impl Fn(Sim)) -> Exhausted {
    match Explorer::new().walk(bound, test) {
        Ok(exhausted) => exhausted,
        Err(failure) => panic!("{failure}"),
    }
}

/// Looks for a schedule under which a test fails: [`explore`] with settings.
///
/// # Examples
///
/// ```
/// use std::pin::pin;
///
/// use anyio_backend_sim::{Explorer, Schedule};
/// use anyio_core::Run;
///
/// let explored = Explorer::new().schedules(10).with(Schedule::random).run(|sim| {
///     Box::new(sim).start().unwrap().block_on(pin!(async {}));
/// });
/// assert!(explored.is_ok());
/// ```
#[must_use = "an explorer does nothing until it is run"]
pub struct Explorer {
    schedules: usize,
    first: u64,
    make: fn(u64) -> Schedule,
    /// How many schedules may be tried to find a simpler one.
    tries: usize,
}

impl Explorer {
    /// An explorer of 1,000 [seeded](Schedule::seeded) schedules.
    pub fn new() -> Self {
        Explorer { schedules: 1000, first: 0, make: Schedule::seeded, tries: 500 }
    }

    /// How many schedules to try.
    pub fn schedules(mut self, schedules: usize) -> Self {
        self.schedules = schedules;
        self
    }

    /// The first seed; the others follow it. The default is 0.
    pub fn first_seed(mut self, seed: u64) -> Self {
        self.first = seed;
        self
    }

    /// What makes the schedule of a seed. The default is [`Schedule::seeded`].
    pub fn with(mut self, make: fn(u64) -> Schedule) -> Self {
        self.make = make;
        self
    }

    /// How many schedules may be tried to find a simpler one that fails. The default is 500.
    pub fn simplify(mut self, tries: usize) -> Self {
        self.tries = tries;
        self
    }

    /// Runs `test` under one schedule after the other, until one fails.
    ///
    /// Where the environment asks for a schedule, it is run under that alone, and panics as it does.
    ///
    /// # Errors
    ///
    /// [`Failure`], the first one found.
    pub fn run(self, test: impl Fn(Sim)) -> Result<Explored, Failure> {
        if Schedule::from_env().is_some() {
            test(Sim::new());
            return Ok(Explored { schedules: 1, distinct: 1 });
        }
        let mut seen = HashSet::new();
        for (tried, seed) in (0..self.schedules).zip(self.first..) {
            let schedule = (self.make)(seed);
            let attempt = Attempt::make(&test, &schedule);
            if let Some(message) = attempt.failure {
                let simplest = Choices::of(attempt.taken.iter().map(|(index, _)| *index)).with_polls(schedule.polls());
                let failure = Failure {
                    schedule,
                    tried: tried + 1,
                    simplest_message: message.as_str().into(),
                    message: message.into(),
                    choices: simplest.len(),
                    simplest,
                };
                return Err(failure.simplified(&test, self.tries));
            }
            seen.insert(attempt.taken);
        }
        Ok(Explored { schedules: self.schedules, distinct: seen.len() })
    }
}

impl Explorer {
    /// Walks the tree of choices, depth first: [`explore_exhaustively`], with a result. Of the settings, only [`simplify`](Explorer::simplify) matters.
    ///
    /// # Errors
    ///
    /// [`Failure`], the first one found.
    ///
    /// # Panics
    ///
    /// If the test does not do the same under the same schedule.
    pub fn walk(self, bound: usize, test: impl Fn(Sim)) -> Result<Exhausted, Failure> {
        if Schedule::from_env().is_some() {
            test(Sim::new());
            return Ok(Exhausted { schedules: 1, complete: false, choices: 0 });
        }
        let mut exhausted = Exhausted { schedules: 0, complete: false, choices: 0 };
        let mut next = Some(Vec::new());
        while let Some(prefix) = next {
            if exhausted.schedules == bound {
                return Ok(exhausted);
            }
            let schedule = Schedule::replay(Choices::of(prefix.iter().copied()));
            let Attempt { taken, failure } = Attempt::make(&test, &schedule);
            let indices = || taken.iter().map(|(index, _)| *index);
            assert!(
                indices().take(prefix.len()).eq(prefix.iter().copied()),
                "the test does not do the same under the same schedule, so its schedules cannot be walked"
            );
            exhausted.schedules += 1;
            exhausted.choices = exhausted.choices.max(taken.len());
            if let Some(message) = failure {
                let simplest = Choices::of(indices());
                let failure = Failure {
                    schedule,
                    tried: exhausted.schedules,
                    simplest_message: message.as_str().into(),
                    message: message.into(),
                    choices: simplest.len(),
                    simplest,
                };
                return Err(failure.simplified(&test, self.tries));
            }
            next = following(&taken);
        }
        Ok(Exhausted { complete: true, ..exhausted })
    }
}

impl Default for Explorer {
    fn default() -> Self {
        Explorer::new()
    }
}

impl fmt::Debug for Explorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explorer")
            .field("schedules", &self.schedules)
            .field("first", &self.first)
            .finish_non_exhaustive()
    }
}

/// A test held under all schedules that were tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    schedules: usize,
    distinct: usize,
}

impl Explored {
    /// How many schedules were tried.
    #[must_use]
    pub fn schedules(&self) -> usize {
        self.schedules
    }

    /// How many of them made different choices.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.distinct
    }
}

/// A test held under all schedules that were walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    schedules: usize,
    complete: bool,
    choices: usize,
}

impl Exhausted {
    /// How many schedules were walked.
    #[must_use]
    pub fn schedules(&self) -> usize {
        self.schedules
    }

    /// Whether these are all that there are.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The most choices that a schedule had.
    #[must_use]
    pub fn choices(&self) -> usize {
        self.choices
    }
}

/// A test failed under a schedule.
#[derive(Clone, Debug)]
pub struct Failure {
    schedule: Schedule,
    /// How many schedules were tried with this one.
    tried: usize,
    /// What the panic said, under it, and under the simplest one.
    message: Box<str>,
    simplest_message: Box<str>,
    /// How many choices it had made that are not first come, first served.
    choices: usize,
    simplest: Choices,
}

impl Failure {
    /// The schedule that was found first.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The simplest schedule that was found to fail: the one with the fewest choices that are not first come, first
    /// served.
    #[must_use]
    pub fn simplest(&self) -> Schedule {
        Schedule::replay(self.simplest.clone())
    }

    /// How many schedules were tried to find the first, with that one.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.tried
    }

    /// What the panic said, under the schedule that was found first.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Leaves choices out, in ever smaller pieces, for as long as the test fails without them; before that, what how long
    /// polls take was drawn from.
    fn simplified(mut self, test: &impl Fn(Sim), tries: usize) -> Self {
        let mut left = tries;
        if left > 0 && self.schedule.polls() != 0 {
            left -= 1;
            self.try_simpler(test, self.simplest.clone().with_polls(0));
        }
        let mut piece = self.simplest.len();
        while piece > 0 {
            let mut from = 0;
            while from < self.simplest.len() {
                if left == 0 {
                    return self;
                }
                left -= 1;
                let rest = self.simplest.only(|place| !(from..from + piece).contains(&place));
                if !self.try_simpler(test, rest) {
                    from += piece;
                }
            }
            piece /= 2;
        }
        self
    }

    /// Whether the test fails with these choices as well: then they are the simplest.
    fn try_simpler(&mut self, test: &impl Fn(Sim), simpler: Choices) -> bool {
        let failure = Attempt::make(test, &Schedule::replay(simpler.clone())).failure;
        let fails = failure.is_some();
        if let Some(message) = failure {
            (self.simplest, self.simplest_message) = (simpler, message.into());
        }
        fails
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the test fails under schedule number {} that was tried: {}", self.tried, self.message)?;
        match self.schedule.seed() {
            Some(seed) => writeln!(f, "  the same again: ANYIO_SIM_SEED={seed}")?,
            None => writeln!(f, "  the same again: ANYIO_SIM_SCHEDULE={}", self.schedule)?,
        }
        write!(
            f,
            "  the simplest, with {} choices other than first come, first served, in place of {}: ANYIO_SIM_SCHEDULE={}",
            self.simplest.len(),
            self.choices,
            self.simplest()
        )?;
        match (self.message.lines().next(), self.simplest_message.lines().next()) {
            (first, simplest) if first == simplest => Ok(()),
            (_, simplest) => write!(f, "\n  under which it says: {}", simplest.unwrap_or_default()),
        }
    }
}

impl Error for Failure {}

/// A run of a test under a schedule.
struct Attempt {
    /// What was taken at each choice, and of how many.
    taken: Vec<(u32, u32)>,
    /// What the panic said, if there was one.
    failure: Option<String>,
}

impl Attempt {
    fn make(test: &impl Fn(Sim), schedule: &Schedule) -> Self {
        let taken = Taken::default();
        let sim = Sim::new().schedule(schedule.clone()).note_choices(&taken);
        let failure = attempt(|| test(sim)).err();
        let taken = std::mem::take(&mut *taken.lock());
        Attempt { taken, failure }
    }
}

/// The prefix of the schedule that follows the one that took these.
fn following(taken: &[(u32, u32)]) -> Option<Vec<u32>> {
    let last = taken.iter().rposition(|(index, ready)| index + 1 < *ready)?;
    let mut prefix: Vec<u32> = taken[..=last].iter().map(|(index, _)| *index).collect();
    prefix[last] += 1;
    Some(prefix)
}
