//! Scales and marks of the plots.

use maud::{Markup, html};

/// A logarithmic scale from values to places.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogScale {
    /// The logarithm of the lowest value, and how many decades there are above.
    low: f64,
    decades: f64,
    /// Where the lowest value is, and where the highest.
    from: f64,
    to: f64,
}

impl LogScale {
    /// A scale for `low` to `high`, at places `from` to `to`.
    pub(super) fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        LogScale { low: low.log10(), decades: (high / low).log10(), from, to }
    }

    /// Where a value is; what is beyond the ends is at the ends.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = ((value.log10() - self.low) / self.decades).clamp(0.0, 1.0);
        ((self.from + share * (self.to - self.from)) * 10.0).round() / 10.0
    }

    /// The powers of ten on the scale.
    pub(super) fn powers_of_ten(&self) -> impl Iterator<Item = f64> + use<> {
        let (low, high) = (self.low, self.low + self.decades);
        ((low - 1e-9).ceil() as i32..=(high + 1e-9).floor() as i32).map(|power| 10_f64.powi(power))
    }
}

/// The decades around values: the power of ten below the lowest, and that above the highest.
pub(super) fn decades_around(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let lowest = values.clone().fold(f64::INFINITY, f64::min);
    let highest = values.fold(f64::NEG_INFINITY, f64::max);
    let low = 10_f64.powf(lowest.log10().floor());
    let high = 10_f64.powf(highest.log10().ceil());
    if low < high { (low, high) } else { (low, low * 10.0) }
}

/// Texts at places on a line, moved apart so that none is nearer to the next than `gap`, in the order in which they are.
pub(super) fn spread(places: &[f64], gap: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|a, b| places[*a].total_cmp(&places[*b]));
    let mut spread = places.to_vec();
    let mut free = f64::NEG_INFINITY;
    for index in order {
        spread[index] = places[index].max(free);
        free = spread[index] + gap;
    }
    spread
}

/// A picture of a size in user units, as wide as the page allows, with a title for those who do not see it.
pub(super) fn picture(width: f64, height: f64, title: &str, content: &Markup) -> Markup {
    html! {
        svg viewBox=(format!("0 0 {width} {height}")) role="img" aria-label=(title) style=(format!("max-width:{width}px")) {
            (content)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_are_equally_long() {
        let scale = LogScale::new(0.1, 10.0, 0.0, 200.0);
        assert_eq!([0.1, 1.0, 10.0].map(|value| scale.at(value)), [0.0, 100.0, 200.0]);
        assert_eq!([0.001, 1000.0].map(|value| scale.at(value)), [0.0, 200.0]);
        assert_eq!(scale.powers_of_ten().collect::<Vec<_>>(), [0.1, 1.0, 10.0]);
    }

    #[test]
    fn scales_end_at_powers_of_ten() {
        assert_eq!(decades_around([0.3, 42.0].into_iter()), (0.1, 100.0));
        assert_eq!(decades_around([1.0].into_iter()), (1.0, 10.0));
    }

    #[test]
    fn texts_do_not_overlap() {
        let spread = spread(&[10.0, 0.0, 11.0, 50.0], 12.0);
        assert_eq!(spread, [12.0, 0.0, 24.0, 50.0]);
    }
}
