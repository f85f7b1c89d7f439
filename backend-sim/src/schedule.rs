//! Who goes next: schedules, and the choices that they make.

use std::fmt;
use std::str::FromStr;

use fastrand::Rng;

/// Decides which of the tasks that are ready goes next.
///
/// The same program under the same schedule does the same, step by step.
///
/// Its [`Display`](fmt::Display) can be parsed again, and is what the environment variable `ANYIO_SIM_SCHEDULE` takes:
///
/// | text | schedule |
/// |---|---|
/// | `fifo` | [`fifo`](Schedule::fifo) |
/// | `lifo` | [`lifo`](Schedule::lifo) |
/// | `seed:17` | [`seeded(17)`](Schedule::seeded) |
/// | `random:17` | [`random(17)`](Schedule::random) |
/// | `pct:17:3` | [`pct(17, 3)`](Schedule::pct) |
/// | `replay:`, `replay:3=1,17=2`, `replay:polls=5,3=1` | [`replay`](Schedule::replay) |
///
/// # Examples
///
/// ```
/// use anyio_backend_sim::Schedule;
///
/// let schedule: Schedule = "pct:17:3".parse()?;
/// assert_eq!(schedule, Schedule::pct(17, 3));
/// # Ok::<(), anyio_backend_sim::ScheduleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Fifo,
    Lifo,
    Seeded(u64),
    Random(u64),
    Pct { seed: u64, depth: u32 },
    Replay(Choices),
}

/// What a schedule chose, as far as it differs from first come, first served.
///
/// Every time more than one task is ready is a choice, and choices are numbered from 0. What is listed here is the number
/// of a choice, and which of the ready tasks was taken, the first being 0. All other choices took the first.
///
/// Where [polls take time](crate::Sim::slow_polls), how long they took belongs to it, as the number of what drew it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    taken: Vec<(u32, u32)>,
    /// What how long polls take is drawn from.
    polls: u64,
}

impl Choices {
    /// Those of the list of what was taken at every choice.
    pub(crate) fn of(taken: impl IntoIterator<Item = u32>) -> Self {
        Choices { taken: (0..).zip(taken).filter(|(_, index)| *index != 0).collect(), polls: 0 }
    }

    /// The same, where polls take what is drawn from this.
    pub(crate) fn with_polls(self, polls: u64) -> Self {
        Choices { polls, ..self }
    }

    /// Only these of them, by their places in the list.
    pub(crate) fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept = self.taken.iter().enumerate().filter(|(place, _)| keep(*place));
        Choices { taken: kept.map(|(_, choice)| *choice).collect(), polls: self.polls }
    }

    /// How many choices there are that did not take the first.
    #[must_use]
    pub fn len(&self) -> usize {
        self.taken.len()
    }

    /// Whether every choice took the first.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }
}

impl Schedule {
    /// First come, first served: the task that was woken first goes next.
    #[must_use]
    pub fn fifo() -> Self {
        Schedule(Kind::Fifo)
    }

    /// The task that was woken last goes next. Every 32nd time it is the one that has waited longest, so that nobody
    /// waits for ever.
    #[must_use]
    pub fn lifo() -> Self {
        Schedule(Kind::Lifo)
    }

    /// The schedule number `seed` of a mixture that finds more than each kind alone: [`fifo`](Schedule::fifo),
    /// [`lifo`](Schedule::lifo), and then [`random`](Schedule::random) ones in turn with [`pct`](Schedule::pct) ones of
    /// depths from 1 to 4.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Schedule(Kind::Seeded(seed))
    }

    /// At every choice, any of the ready tasks with equal probability.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        Schedule(Kind::Random(seed))
    }

    /// Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): every task has a random priority, the ready
    /// task with the highest one goes next, and at `depth` random moments the task that would go falls behind all
    /// others.
    ///
    /// A bug that needs `depth + 1` things to happen in one order is found with a probability that random choices do not
    /// reach in programs with many steps. Every 32nd time, the task that has waited longest goes next, so that nobody
    /// waits for ever.
    #[must_use]
    pub fn pct(seed: u64, depth: u32) -> Self {
        Schedule(Kind::Pct { seed, depth })
    }

    /// Takes what was taken before.
    #[must_use]
    pub fn replay(choices: Choices) -> Self {
        Schedule(Kind::Replay(choices))
    }

    /// The schedule that the environment asks for: that in `ANYIO_SIM_SCHEDULE`, or else the one of the seed in
    /// `ANYIO_SIM_SEED`.
    ///
    /// # Panics
    ///
    /// If what stands there cannot be parsed.
    #[must_use]
    pub fn from_env() -> Option<Self> {
        let parse = |variable: &str, prefix: &str| {
            let text = std::env::var(variable).ok()?;
            let parsed = format!("{prefix}{text}").parse();
            Some(parsed.unwrap_or_else(|error| panic!("the environment variable {variable} holds {text:?}: {error}")))
        };
        parse("ANYIO_SIM_SCHEDULE", "").or_else(|| parse("ANYIO_SIM_SEED", "seed:"))
    }

    /// The number of this schedule in the mixture, if it is one of that.
    #[must_use]
    pub fn seed(&self) -> Option<u64> {
        match self.0 {
            Kind::Seeded(seed) => Some(seed),
            _ => None,
        }
    }

    /// What how long polls take is drawn from.
    pub(crate) fn polls(&self) -> u64 {
        match &self.0 {
            Kind::Fifo | Kind::Lifo => 0,
            Kind::Seeded(seed) | Kind::Random(seed) | Kind::Pct { seed, .. } => *seed,
            Kind::Replay(choices) => choices.polls,
        }
    }
}

impl Default for Schedule {
    /// The one that the [environment asks for](Schedule::from_env), or else first come, first served.
    fn default() -> Self {
        Schedule::from_env().unwrap_or_else(Schedule::fifo)
    }
}

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let polls = (self.polls != 0).then(|| format!("polls={}", self.polls));
        let taken = self.taken.iter().map(|(choice, index)| format!("{choice}={index}"));
        f.write_str(&polls.into_iter().chain(taken).collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Fifo => f.write_str("fifo"),
            Kind::Lifo => f.write_str("lifo"),
            Kind::Seeded(seed) => write!(f, "seed:{seed}"),
            Kind::Random(seed) => write!(f, "random:{seed}"),
            Kind::Pct { seed, depth } => write!(f, "pct:{seed}:{depth}"),
            Kind::Replay(choices) => write!(f, "replay:{choices}"),
        }
    }
}

/// A text is not that of a [`Schedule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a schedule: expected fifo, lifo, seed:N, random:N, pct:N:DEPTH or replay:CHOICE=INDEX,...")]
#[non_exhaustive]
pub struct ScheduleError;

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let (kind, rest) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        let number = |text: &str| text.parse::<u64>().map_err(|_| ScheduleError);
        Ok(match kind {
            "fifo" if rest.is_empty() => Schedule::fifo(),
            "lifo" if rest.is_empty() => Schedule::lifo(),
            "seed" => Schedule::seeded(number(rest)?),
            "random" => Schedule::random(number(rest)?),
            "pct" => {
                let (seed, depth) = rest.split_once(':').ok_or(ScheduleError)?;
                Schedule::pct(number(seed)?, depth.parse().map_err(|_| ScheduleError)?)
            }
            "replay" => Schedule::replay(rest.parse()?),
            _ => return Err(ScheduleError),
        })
    }
}

impl FromStr for Choices {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let choice = |text: &str| {
            let (choice, index) = text.split_once('=')?;
            Some((choice.parse().ok()?, index.parse().ok()?))
        };
        let mut choices = Choices::default();
        for text in text.split(',').filter(|text| !text.is_empty()) {
            match text.strip_prefix("polls=") {
                Some(polls) => choices.polls = polls.parse().map_err(|_| ScheduleError)?,
                None => choices.taken.push(choice(text).ok_or(ScheduleError)?),
            }
        }
        choices.taken.sort_unstable();
        Ok(choices)
    }
}

/// A schedule at work.
pub(crate) struct Chooser {
    rule: Rule,
    /// How many choices were made.
    choices: u32,
}

enum Rule {
    Fifo,
    Lifo,
    Random(Rng),
    Pct {
        rng: Rng,
        changes: Vec<u32>,
        lowest: u64,
    },
    /// The choices that are left, the next one last.
    Replay(Vec<(u32, u32)>),
}

impl Chooser {
    pub(crate) fn new(schedule: &Schedule) -> Self {
        let rule = match &schedule.0 {
            Kind::Fifo => Rule::Fifo,
            Kind::Lifo => Rule::Lifo,
            Kind::Random(seed) => Rule::Random(Rng::with_seed(*seed)),
            Kind::Pct { seed, depth } => pct(*seed, *depth),
            Kind::Seeded(0) => Rule::Fifo,
            Kind::Seeded(1) => Rule::Lifo,
            Kind::Seeded(seed) if seed % 2 == 0 => Rule::Random(Rng::with_seed(*seed)),
            Kind::Seeded(seed) => pct(*seed, 1 + (seed / 2 % 4) as u32),
            Kind::Replay(choices) => Rule::Replay(choices.taken.iter().rev().copied().collect()),
        };
        Chooser { rule, choices: 0 }
    }

    /// The priority of a new task.
    pub(crate) fn priority(&mut self) -> u64 {
        match &mut self.rule {
            Rule::Pct { rng, .. } => rng.u64(1 << 32..),
            _ => 0,
        }
    }

    /// Which of `ready` tasks goes next, the first being the one that has waited longest; `priority` tells and changes theirs.
    pub(crate) fn choose(&mut self, ready: usize, mut priority: impl FnMut(usize, Option<u64>) -> u64) -> usize {
        let choice = self.choices;
        self.choices += 1;
        match &mut self.rule {
            Rule::Lifo | Rule::Pct { .. } if choice % FAIR == FAIR - 1 => 0,
            Rule::Fifo => 0,
            Rule::Lifo => ready - 1,
            Rule::Random(rng) => rng.usize(..ready),
            Rule::Pct { changes, lowest, .. } => {
                let ready = ready.min(WINDOW);
                let mut highest = || (0..ready).rev().max_by_key(|index| priority(*index, None)).unwrap_or(0);
                let chosen = highest();
                if changes.pop_if(|change| *change <= choice).is_none() {
                    return chosen;
                }
                *lowest -= 1;
                priority(chosen, Some(*lowest));
                (0..ready).rev().max_by_key(|index| priority(*index, None)).unwrap_or(0)
            }
            Rule::Replay(left) => match left.pop_if(|(next, _)| *next <= choice) {
                Some((next, index)) if next == choice => (index as usize).min(ready - 1),
                _ => 0,
            },
        }
    }
}

/// How many tasks a choice by priority looks at, the ones that have waited longest.
const WINDOW: usize = 128;

/// Every so many choices, the task that has waited longest goes next also under schedules that would pass it over for
/// ever. Otherwise a task that yields until another one has done something would wait for that in vain.
const FAIR: u32 = 32;

/// The moments of change are among the first choices, up to a number that is drawn as well: how many there will be is
/// not known, and the same seed has to do the same whatever was run before.
fn pct(seed: u64, depth: u32) -> Rule {
    let mut rng = Rng::with_seed(seed);
    let within = 1 << rng.u32(2..12);
    let mut changes: Vec<u32> = (0..depth).map(|_| rng.u32(..within)).collect();
    changes.sort_unstable_by(|a, b| b.cmp(a));
    Rule::Pct { rng, changes, lowest: 1 << 32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_can_be_parsed_from_its_text() {
        let choices: Choices = "3=1,17=2".parse().unwrap();
        let schedules = [
            Schedule::fifo(),
            Schedule::lifo(),
            Schedule::seeded(1),
            Schedule::random(u64::MAX),
            Schedule::pct(3, 4),
            Schedule::replay(Choices::default()),
            Schedule::replay(choices.clone()),
            Schedule::replay(choices.with_polls(5)),
            Schedule::replay(Choices::default().with_polls(5)),
        ];
        for schedule in schedules {
            assert_eq!(schedule.to_string().parse(), Ok(schedule));
        }
        for text in ["", "fif", "fifo:x", "seed:", "seed:x", "pct:1", "replay:1", "replay:1=2,x", "replay:polls=x"] {
            assert_eq!(text.parse::<Schedule>(), Err(ScheduleError), "{text}");
        }
    }

    #[test]
    fn choices_are_taken_again() {
        let mut random = Chooser::new(&Schedule::random(7));
        let taken: Vec<u32> = (0..50).map(|_| random.choose(5, |_, _| 0) as u32).collect();
        let mut replayed = Chooser::new(&Schedule::replay(Choices::of(taken.iter().copied())));
        assert!((0..50).map(|_| replayed.choose(5, |_, _| 0) as u32).eq(taken));
    }

    #[test]
    fn the_task_with_the_highest_priority_goes_until_it_falls_behind() {
        let mut chooser =
            Chooser { rule: Rule::Pct { rng: Rng::with_seed(1), changes: vec![3, 1], lowest: 9 }, choices: 0 };
        let mut priorities = [10, 12, 11];
        let mut taken = Vec::new();
        for _ in 0..5 {
            taken.push(chooser.choose(3, |index, new| {
                priorities[index] = new.unwrap_or(priorities[index]);
                priorities[index]
            }));
        }
        assert_eq!(taken, [1, 2, 2, 0, 0]);
    }
}
