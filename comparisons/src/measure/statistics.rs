//! Medians, percentiles, ratios and slopes.

use serde::Serialize;

/// What is made of the readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Statistic {
    /// The median over repetitions, each of which is the mean over its rounds.
    Median,
    /// The 99th percentile of single readings, those of all repetitions together.
    P99,
}

/// Where readings lie.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Summary {
    /// What stands for them all.
    pub value: f64,
    /// The 10th percentile.
    pub p10: f64,
    /// The median.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// How many there are.
    pub samples: usize,
}

impl Summary {
    /// Summarises readings.
    #[must_use]
    pub fn of(samples: &[f64], statistic: Statistic) -> Self {
        let [p10, p50, p90, p99] = [0.1, 0.5, 0.9, 0.99].map(|share| percentile(samples, share));
        let value = match statistic {
            Statistic::Median => p50,
            Statistic::P99 => p99,
        };
        Summary { value, p10, p50, p90, p99, samples: samples.len() }
    }
}

/// The value below which this share of the samples lies, between neighbours by proportion; NaN if there are none.
#[must_use]
pub fn percentile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = last as f64 * share;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor())
}

/// The ratio in each repetition, in which the two were measured one after the other.
#[must_use]
pub fn ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
}

/// The slope of the line through the points on log-log paper: 1 is linear, 2 quadratic. NaN for fewer than two points.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / count;
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_neighbours() {
        let samples = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(percentile(&samples, 0.0), 1.0);
        assert_eq!(percentile(&samples, 0.5), 2.5);
        assert_eq!(percentile(&samples, 1.0), 4.0);
        assert_eq!(percentile(&[7.0], 0.99), 7.0);
        assert!(percentile(&[], 0.5).is_nan());
    }

    #[test]
    fn the_statistic_says_what_stands_for_all() {
        let samples: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(Summary::of(&samples, Statistic::Median).value, 50.0);
        let summary = Summary::of(&samples, Statistic::P99);
        assert_eq!((summary.value, summary.p10, summary.p90, summary.samples), (99.0, 10.0, 90.0, 101));
    }

    #[test]
    fn ratios_are_taken_repetition_by_repetition() {
        assert_eq!(ratios(&[1.0, 2.0, 9.0], &[2.0, 2.0, 3.0]), [0.5, 1.0, 3.0]);
    }

    #[test]
    fn slopes_tell_linear_from_quadratic() {
        let curve = |power: i32| (1..=6).map(|n| (f64::from(n), 3.0 * f64::from(n).powi(power))).collect::<Vec<_>>();
        assert!((slope(&curve(1)) - 1.0).abs() < 1e-9);
        assert!((slope(&curve(2)) - 2.0).abs() < 1e-9);
        assert!(slope(&[(1.0, 1.0)]).is_nan());
    }
}
