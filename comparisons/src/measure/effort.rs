//! How much is measured.

use std::time::Duration;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How often the whole table is gone through.
    pub passes: usize,
    /// How often each contender has its turn in a pass, if there is time.
    pub repetitions: usize,
    /// How often at least.
    pub at_least: usize,
    /// How long one turn should take.
    pub turn: Duration,
    /// After how long a comparison makes do with what it has in a pass.
    pub patience: Duration,
}

impl Effort {
    /// Ends within a minute.
    pub const QUICK: Effort = Effort {
        passes: 1,
        repetitions: 15,
        at_least: 3,
        turn: Duration::from_millis(3),
        patience: Duration::from_millis(500),
    };
    /// Ends within ten minutes.
    pub const FULL: Effort = Effort {
        passes: 3,
        repetitions: 25,
        at_least: 15,
        turn: Duration::from_millis(15),
        patience: Duration::from_millis(2500),
    };
    /// Does everything once: for tests.
    pub const ONCE: Effort =
        Effort { passes: 1, repetitions: 1, at_least: 1, turn: Duration::ZERO, patience: Duration::ZERO };
}
