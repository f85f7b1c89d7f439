//! The plots of the page.

use maud::{Markup, html};

use super::html::class;
use super::markdown::number;
use super::svg::{LogScale, decades_around, picture, spread};
use super::{Judgement, Row};
use crate::comparison::{GoalKind, Unit};
use crate::growth::{Curve, Growth};

/// How high a line of text is with the space around it.
const LINE: f64 = 20.0;

/// Where the bars begin, and where they end; labels are to the left, values to the right.
const BARS: (f64, f64) = (400.0, 940.0);

/// A bar: whose ratio it shows.
struct Bar<'a> {
    label: String,
    judgement: &'a Judgement,
    spread: (f64, f64),
}

/// A bar for each ratio that has a target, from where the two are even.
pub(super) fn ratios_plot(rows: &[Row]) -> Markup {
    let groups: Vec<Vec<Bar<'_>>> = rows.iter().map(bars).filter(|bars| !bars.is_empty()).collect();
    let shown = groups.iter().flatten().flat_map(|bar| [bar.judgement.reached, bar.judgement.goal.moonshot]);
    let shown: Vec<f64> = shown.filter(|ratio| *ratio > 0.0).chain([0.5, 2.0]).collect();
    let (low, high) = decades_around(shown.into_iter());
    let scale = LogScale::new(low, high, BARS.0, BARS.1);
    let count = groups.iter().flatten().count() as f64;
    let height = LINE * (count + 1.5) + 6.0 * groups.len() as f64;
    let mut top = LINE;
    let mut drawn = Vec::new();
    for group in &groups {
        top += 6.0;
        for bar in group {
            drawn.push(bar_at(bar, scale, top));
            top += LINE;
        }
    }
    picture(
        1000.0,
        height,
        "ratios of anyio's cost to its rivals'",
        &html! {
            (axis(scale, height))
            @for bar in &drawn { (bar) }
        },
    )
}

fn bars(row: &Row) -> Vec<Bar<'_>> {
    let judged = row.rivals.iter().filter_map(|rival| Some((rival, rival.ratio?, rival.judgement.as_ref()?)));
    let ratios = judged.filter(|(.., judgement)| judgement.goal.kind == GoalKind::Ratio);
    ratios
        .map(|(rival, ratio, judgement)| Bar {
            label: fitted(format!("{} · {}", row.id(), rival.result.name)),
            judgement,
            spread: (ratio.paired_p10, ratio.paired_p90),
        })
        .collect()
}

/// A label that fits beside the bars, whose letters are about 6 wide.
fn fitted(label: String) -> String {
    let letters = ((BARS.0 - 12.0) / 6.2) as usize;
    if label.chars().count() <= letters {
        return label;
    }
    label.chars().take(letters - 1).chain(['…']).collect()
}

fn axis(scale: LogScale, height: f64) -> Markup {
    html! {
        @for power in scale.powers_of_ten() {
            @let x = scale.at(power);
            line class=(if power == 1.0 { "even" } else { "grid" }) x1=(x) x2=(x) y1=(LINE) y2=(height) {}
            text.faint x=(x) y="12" text-anchor="middle" { (power) " ×" }
        }
    }
}

fn bar_at(bar: &Bar<'_>, scale: LogScale, top: f64) -> Markup {
    let (even, end) = (scale.at(1.0), scale.at(bar.judgement.reached));
    let middle = top + LINE / 2.0;
    let mark = |name: &str, ratio: f64| {
        let x = scale.at(ratio);
        html! { line class=(name) x1=(x) x2=(x) y1=(top + 2.0) y2=(top + LINE - 2.0) {} }
    };
    html! {
        text x=(BARS.0 - 12.0) y=(middle + 4.0) text-anchor="end" { (bar.label) }
        rect class=(class(bar.judgement)) x=(even.min(end)) y=(top + 5.0) width=((end - even).abs().max(1.0)) height=(LINE - 10.0) {}
        line.spread x1=(scale.at(bar.spread.0)) x2=(scale.at(bar.spread.1)) y1=(middle) y2=(middle) {}
        (mark("moonshot", bar.judgement.goal.moonshot))
        (mark("target", bar.judgement.goal.target))
        text x=(BARS.1 + 12.0) y=(middle + 4.0) { (number(bar.judgement.reached)) }
    }
}

/// The size of a plot of growth, and of its margins: left, right, top, bottom.
const SIZE: (f64, f64) = (420.0, 240.0);
const MARGINS: (f64, f64, f64, f64) = (58.0, 92.0, 12.0, 42.0);

/// A curve per contender, on log-log paper.
pub(super) fn growth_plot(growth: &Growth) -> Markup {
    let curves: Vec<Vec<(f64, f64)>> = growth.curves.iter().map(|curve| drawn(growth, curve)).collect();
    let all = curves.iter().flatten();
    if all.clone().next().is_none() {
        return html! { p { "Nothing." } };
    }
    let sizes = decades_around(all.clone().map(|(size, _)| *size));
    let costs = decades_around(all.map(|(_, cost)| *cost));
    let across = LogScale::new(sizes.0, sizes.1, MARGINS.0, SIZE.0 - MARGINS.1);
    let up = LogScale::new(costs.0, costs.1, SIZE.1 - MARGINS.3, MARGINS.2);
    let ends: Vec<f64> = curves.iter().map(|points| points.last().map_or(0.0, |(_, cost)| up.at(*cost))).collect();
    let labels = spread(&ends, 14.0);
    picture(
        SIZE.0,
        SIZE.1,
        growth.what,
        &html! {
            (paper(growth, across, up))
            @for (index, points) in curves.iter().enumerate() {
                (curve(index, points, across, up))
                text class=(format!("curve{index}")) x=(SIZE.0 - MARGINS.1 + 8.0) y=(labels[index] + 4.0) { (growth.curves[index].name) }
            }
        },
    )
}

/// Cost per unit; of the heap, which should not grow at all, cost in all.
fn drawn(growth: &Growth, curve: &Curve) -> Vec<(f64, f64)> {
    match growth.unit {
        Unit::Bytes => curve.points.iter().copied().filter(|(_, cost)| *cost > 0.0).collect(),
        _ => curve.per_unit().collect(),
    }
}

fn paper(growth: &Growth, across: LogScale, up: LogScale) -> Markup {
    let (left, right) = (MARGINS.0, SIZE.0 - MARGINS.1);
    let (top, bottom) = (MARGINS.2, SIZE.1 - MARGINS.3);
    let cost = match growth.unit {
        Unit::Bytes => growth.unit.symbol().to_owned(),
        unit => format!("{} per {}", unit.symbol(), growth.per),
    };
    html! {
        @for power in up.powers_of_ten() {
            line.grid x1=(left) x2=(right) y1=(up.at(power)) y2=(up.at(power)) {}
            text.faint x=(left - 6.0) y=(up.at(power) + 4.0) text-anchor="end" { (short(power)) }
        }
        @for power in across.powers_of_ten() {
            line.grid x1=(across.at(power)) x2=(across.at(power)) y1=(top) y2=(bottom) {}
            text.faint x=(across.at(power)) y=(bottom + 18.0) text-anchor="middle" { (short(power)) }
        }
        text.faint x=((left + right) / 2.0) y=(bottom + 36.0) text-anchor="middle" { (growth.per) "s → " (cost) }
    }
}

fn curve(index: usize, points: &[(f64, f64)], across: LogScale, up: LogScale) -> Markup {
    let places: Vec<(f64, f64)> = points.iter().map(|(size, cost)| (across.at(*size), up.at(*cost))).collect();
    let line: Vec<String> = places.iter().map(|(x, y)| format!("{x},{y}")).collect();
    let class = format!("curve{index}");
    html! {
        polyline class=(class) points=(line.join(" ")) {}
        @for (x, y) in &places { circle class=(class) cx=(x) cy=(y) r="2.5" {} }
    }
}

/// A power of ten in few letters.
fn short(power: f64) -> String {
    match power {
        power if power >= 1e6 => format!("{} M", (power / 1e6).round()),
        power if power >= 1e3 => format!("{} k", (power / 1e3).round()),
        power if power >= 1.0 => format!("{}", power.round()),
        power => format!("{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_fit_beside_the_bars() {
        assert_eq!(fitted("P1 ct · JoinSet".to_owned()), "P1 ct · JoinSet");
        let long = fitted("x".repeat(100));
        assert!(long.ends_with('…') && long.chars().count() == 62, "{long}");
    }
}
