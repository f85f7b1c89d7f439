//! How cost grows with size: what a table of a few sizes cannot show.

use std::future::Future;
use std::iter::successors;
use std::pin::Pin;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::comparison::Unit;
use crate::ground::{Ground, Scale};
use crate::measure::{Reading, Stopwatch, percentile, slope};
use crate::workloads::{cancel, memory, nested_cancel, spawn_join, timers};

/// A total that grows by a slope above this over the last two decades is called super-linear.
const SUPER_LINEAR: f64 = 1.15;

/// How long a point is measured, at least once.
const PATIENCE: Duration = Duration::from_millis(400);

/// What something costs at growing sizes.
#[derive(Clone, Debug, Serialize)]
pub struct Growth {
    /// What grows.
    pub what: &'static str,
    /// What a size counts.
    pub per: &'static str,
    /// What is read.
    pub unit: Unit,
    /// One curve per contender, ours first.
    pub curves: Vec<Curve>,
}

/// What one contender costs at growing sizes.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    /// Who it is.
    pub name: &'static str,
    /// Sizes, and what they cost in all.
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    /// The slope of the total over the last two decades, on log-log paper: 1 is linear.
    #[must_use]
    pub fn slope(&self) -> f64 {
        let last = self.points.last().map_or(0.0, |(size, _)| *size);
        let end: Vec<_> =
            self.points.iter().copied().filter(|(size, cost)| *size >= last / 100.0 && *cost > 0.0).collect();
        slope(&end)
    }

    /// Whether the total grows faster than the size.
    #[must_use]
    pub fn is_super_linear(&self) -> bool {
        self.slope() > SUPER_LINEAR
    }

    /// Sizes, and what they cost per unit; what costs nothing cannot be drawn.
    pub fn per_unit(&self) -> impl Iterator<Item = (f64, f64)> + Clone {
        self.points.iter().map(|(size, cost)| (*size, cost / size)).filter(|(_, cost)| *cost > 0.0)
    }
}

/// Whose cost is drawn, and how it is found at one size.
type Measured = (&'static str, Box<dyn Fn(usize) -> f64>);

/// Measures everything, on tokio's current-thread runtime.
pub fn measure(scale: Scale, mut progress: impl FnMut(&str)) -> Vec<Growth> {
    let ct = Ground::tokio_ct();
    let most = |full: usize| match scale {
        Scale::Full => full,
        Scale::Quick => full / 10,
        Scale::Tiny => 100,
    };
    let mut grown = |what, per, unit, sizes: (usize, usize), contenders: Vec<Measured>| {
        progress(what);
        Growth { what, per, unit, curves: contenders.into_iter().map(|contender| curve(contender, sizes)).collect() }
    };
    use Unit::{Bytes, CpuNanoseconds, Nanoseconds};
    vec![
        grown(
            "spawn and join",
            "task",
            Nanoseconds,
            (1, most(1_000_000)),
            vec![
                ("anyio", timed(&ct, true, |size| Box::pin(spawn_and_join(size)))),
                ("JoinSet", timed(&ct, false, |size| Box::pin(join_set(size)))),
            ],
        ),
        grown(
            "cancel sleeping tasks",
            "task",
            Nanoseconds,
            (1, most(1_000_000)),
            vec![
                ("anyio", timed(&ct, true, |size| Box::pin(cancel::ours(size, crate::workloads::bodies::tokio_sleep)))),
                ("JoinSet", timed(&ct, false, |size| Box::pin(cancel::join_set(size)))),
            ],
        ),
        grown(
            "cancel nested groups",
            "level",
            Nanoseconds,
            (1, most(100_000)),
            vec![
                ("anyio", timed(&ct, true, |depth| Box::pin(nested_cancel::ours(depth)))),
                ("child tokens", timed(&ct, false, |depth| Box::pin(nested_cancel::tracker(depth)))),
            ],
        ),
        grown(
            "sleep and wake, all at once",
            "deadline",
            CpuNanoseconds,
            (1, most(1_000_000)),
            vec![
                ("anyio", timed(&ct, true, |size| Box::pin(timers::ours(size)))),
                ("tokio", timed(&ct, false, |size| Box::pin(timers::join_set(size)))),
            ],
        ),
        grown(
            "heap after finished tasks",
            "task",
            Bytes,
            (10_000, most(10_000_000).max(100_000)),
            vec![("anyio", Box::new(move |size| memory::heap_after_finished(&ct, size)))],
        ),
    ]
}

type Round = Pin<Box<dyn Future<Output = Reading> + Send>>;

fn timed(ground: &Ground, ours: bool, round: fn(usize) -> Round) -> Box<dyn Fn(usize) -> f64> {
    let ground = ground.clone();
    Box::new(move |size| {
        let contender = match ours {
            true => ground.ours("", move || round(size)),
            false => ground.theirs("", move || round(size)),
        };
        median(|| (contender.run)(1)[0].value)
    })
}

fn curve((name, cost): Measured, (least, most): (usize, usize)) -> Curve {
    let sizes = successors(Some(least), |size| Some(size * 10)).take_while(|size| *size <= most);
    Curve { name, points: sizes.map(|size| (size as f64, cost(size))).collect() }
}

/// The median of as many readings as there is patience for, after one to warm up where there is.
fn median(read: impl Fn() -> f64) -> f64 {
    let start = Instant::now();
    let first = read();
    let mut readings = Vec::new();
    while start.elapsed() < PATIENCE {
        readings.push(read());
    }
    if readings.is_empty() { first } else { percentile(&readings, 0.5) }
}

async fn spawn_and_join(tasks: usize) -> Reading {
    let watch = Stopwatch::start();
    spawn_join::ours(tasks).await;
    watch.stop()
}

async fn join_set(tasks: usize) -> Reading {
    let watch = Stopwatch::start();
    spawn_join::join_set(tasks).await;
    watch.stop()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve_of(cost: fn(f64) -> f64) -> Curve {
        let points = (0..7).map(|power| 10_f64.powi(power)).map(|size| (size, cost(size))).collect();
        Curve { name: "it", points }
    }

    #[test]
    fn only_the_last_two_decades_say_whether_growth_is_super_linear() {
        assert!(!curve_of(|size| 1e6 + size).is_super_linear());
        assert!(curve_of(|size| size * size).is_super_linear());
        assert!(curve_of(|size| if size > 1e4 { size * size } else { 1e4 * size }).is_super_linear());
    }

    #[test]
    fn what_costs_nothing_is_not_drawn() {
        assert_eq!(curve_of(|_| 0.0).per_unit().count(), 0);
        assert!(!curve_of(|_| 0.0).is_super_linear());
    }
}
