//! Measuring: contenders in turns, and what is made of the readings.

mod effort;
mod sampling;
mod statistics;
mod stopwatch;

pub use effort::Effort;
pub use sampling::{Memory, Samples, Series, counting_allocations};
pub use statistics::{Statistic, Summary, percentile, ratios, slope};
pub use stopwatch::{Reading, Stopwatch, timed};
