//! How cost grows with size: what a table of a few sizes cannot show.

use std::future::Future;
use std::iter::successors;
use std::pin::Pin;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::comparison::Unit;
use crate::ground::{Ground, Scale};
use crate::measure::{Reading, Stopwatch, percentile, slope};
use crate::workloads::bodies::our_sleep;
use crate::workloads::{cancel, memory, nested_cancel, spawn_join, timeout, timers};

/// A total that grows by a slope above this over the last two decades is called super-linear.
const SUPER_LINEAR: f64 = 1.15;

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

/// Measures everything, on tokio's current-thread runtime.
pub fn measure(scale: Scale, mut tell: impl FnMut(&str)) -> Vec<Growth> {
    let measures: [fn(&Meter) -> Growth; 6] =
        [spawning, cancelling, cancelling_nested, sleeping, timing_out, finishing];
    let meter = Meter { ct: Ground::tokio_ct(), scale };
    let told = |measure: fn(&Meter) -> Growth| {
        let growth = measure(&meter);
        tell(growth.what);
        growth
    };
    measures.into_iter().map(told).collect()
}

fn spawning(meter: &Meter) -> Growth {
    let curves = vec![
        meter.curve("anyio", 1_000_000, |size| Box::pin(timed_once(spawn_join::ours(size)))),
        meter.curve("JoinSet", 1_000_000, |size| Box::pin(timed_once(spawn_join::join_set(size)))),
    ];
    Growth { what: "spawn and join", per: "task", unit: Unit::Nanoseconds, curves }
}

fn cancelling(meter: &Meter) -> Growth {
    let curves = vec![
        meter.curve("anyio", 1_000_000, |size| Box::pin(cancel::ours(size, our_sleep))),
        meter.curve("JoinSet", 1_000_000, |size| Box::pin(cancel::join_set(size))),
    ];
    Growth { what: "cancel sleeping tasks", per: "task", unit: Unit::Nanoseconds, curves }
}

fn cancelling_nested(meter: &Meter) -> Growth {
    let curves = vec![
        meter.curve("anyio", 100_000, |depth| Box::pin(nested_cancel::ours(depth))),
        meter.curve("child tokens", 100_000, |depth| Box::pin(nested_cancel::tracker(depth))),
    ];
    Growth { what: "cancel nested groups", per: "level", unit: Unit::Nanoseconds, curves }
}

fn sleeping(meter: &Meter) -> Growth {
    let curves = vec![
        meter.curve("anyio", 1_000_000, |size| Box::pin(timers::ours(size))),
        meter.curve("tokio", 1_000_000, |size| Box::pin(timers::join_set(size))),
    ];
    Growth { what: "tasks sleep and wake, all at once", per: "deadline", unit: Unit::CpuNanoseconds, curves }
}

fn timing_out(meter: &Meter) -> Growth {
    let curves = vec![
        meter.curve("anyio", 1_000_000, |size| Box::pin(timeout::ours_at_once(size))),
        meter.curve("tokio", 1_000_000, |size| Box::pin(timeout::tokios_at_once(size))),
    ];
    Growth { what: "timeouts set and left, all at once", per: "timeout", unit: Unit::Nanoseconds, curves }
}

fn finishing(meter: &Meter) -> Growth {
    let most = meter.most(10_000_000).max(100_000);
    let points = sizes(10_000, most).map(|size| (size as f64, memory::heap_after_finished(&meter.ct, size)));
    let curves = vec![Curve { name: "anyio", points: points.collect() }];
    Growth { what: "heap after finished tasks", per: "task", unit: Unit::Bytes, curves }
}

/// Finds out what something costs at growing sizes.
struct Meter {
    ct: Ground,
    scale: Scale,
}

type Round = Pin<Box<dyn Future<Output = Reading> + Send>>;

impl Meter {
    /// The largest size, where it is `full` if there is time.
    fn most(&self, full: usize) -> usize {
        match self.scale {
            Scale::Full => full,
            Scale::Quick => full / 10,
            Scale::Tiny => 100,
        }
    }

    /// How long a point is measured; once at least.
    fn patience(&self) -> Duration {
        match self.scale {
            Scale::Full => Duration::from_millis(400),
            Scale::Quick => Duration::from_millis(100),
            Scale::Tiny => Duration::ZERO,
        }
    }

    fn curve(&self, name: &'static str, full: usize, round: fn(usize) -> Round) -> Curve {
        let cost = |size| {
            let contender = self.ct.ours(name, move || round(size));
            median(self.patience(), || (contender.run)(1)[0].value)
        };
        Curve { name, points: sizes(1, self.most(full)).map(|size| (size as f64, cost(size))).collect() }
    }
}

/// Powers of ten times `least`.
fn sizes(least: usize, most: usize) -> impl Iterator<Item = usize> {
    successors(Some(least), |size| Some(size * 10)).take_while(move |size| *size <= most)
}

/// The median of as many readings as there is patience for, after one to warm up where there is.
fn median(patience: Duration, read: impl Fn() -> f64) -> f64 {
    let start = Instant::now();
    let first = read();
    let mut readings = Vec::new();
    while start.elapsed() < patience {
        readings.push(read());
    }
    if readings.is_empty() { first } else { percentile(&readings, 0.5) }
}

async fn timed_once(job: impl Future) -> Reading {
    let watch = Stopwatch::start();
    job.await;
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
