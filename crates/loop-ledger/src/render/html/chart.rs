//! The effect of every round with its interval, the best so far, and the band within which a gap does not count.

use contracts::loop_ledger::facts::DecisionFacts;

use super::super::Source;
use super::super::benchmark::fixed;
use super::super::rounds::{number, outcome};
use super::markup::Html;
use crate::view;

/// Size in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 332.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 56.0;

/// One place on the axis.
struct Point {
    label: String,
    outcome: &'static str,
    effect: Option<f64>,
    interval: Option<(f64, f64)>,
}

/// The section; nothing before the first verdict.
pub(crate) fn section(source: &Source<'_>) -> Html {
    let points = points(source);
    if points.iter().all(|point| point.effect.is_none()) {
        return Html::new();
    }
    Html::new()
        .raw("<section><h2>Effect, round by round</h2>\n<p class=\"legend\"><span><i class=\"k baseline\"></i>baseline</span><span><i class=\"k kept\"></i>kept</span><span><i class=\"k reverted\"></i>reverted</span><span><i class=\"k failed\"></i>not measured</span><span><i class=\"k best\"></i>best so far</span><span><i class=\"k band\"></i>does not count</span></p>\n")
        .with(draw(&points, source.state.threshold_pct()))
        .raw("</section>\n")
}

fn points(source: &Source<'_>) -> Vec<Point> {
    let state = source.state;
    let mut points = vec![point(
        "base".to_owned(),
        "baseline",
        fixed(state).map(|(_, decision)| decision),
    )];
    for attempt in &state.attempts {
        let decision = state.decision_of(attempt).map(|(_, decision)| decision);
        let label = number(attempt).trim_start_matches('0').to_owned();
        points.push(point(label, outcome(attempt), decision));
    }
    points
}

fn point(label: String, outcome: &'static str, decision: Option<&DecisionFacts>) -> Point {
    let get = |value: Option<contracts::Finite>| value.map(contracts::Finite::get);
    Point {
        label,
        outcome,
        effect: decision.and_then(|decision| get(decision.effect_pct)),
        interval: decision.and_then(|decision| get(decision.ci_low_pct).zip(get(decision.ci_high_pct))),
    }
}

/// From values to places.
struct Scale {
    low: f64,
    high: f64,
    count: usize,
}

impl Scale {
    fn new(points: &[Point], threshold: f64) -> Scale {
        let mut low = -threshold;
        let mut high = threshold;
        for point in points {
            let (from, to) = point
                .interval
                .or(point.effect.map(|e| (e, e)))
                .unwrap_or((0.0, 0.0));
            low = low.min(from).min(point.effect.unwrap_or(0.0));
            high = high.max(to).max(point.effect.unwrap_or(0.0));
        }
        let room = ((high - low) * 0.08).max(0.1);
        Scale {
            low: low - room,
            high: high + room,
            count: points.len(),
        }
    }

    fn x(&self, index: usize) -> f64 {
        let step = (WIDTH - LEFT - RIGHT) / self.count.max(1) as f64;
        LEFT + step * (index as f64 + 0.5)
    }

    fn y(&self, value: f64) -> f64 {
        TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)
    }

    /// Four to seven round values.
    fn ticks(&self) -> Vec<f64> {
        let raw = (self.high - self.low) / 7.0;
        let power = 10_f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= raw)
            .unwrap_or(10.0 * power);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last).take(20).map(|index| index as f64 * step).collect()
    }
}

fn draw(points: &[Point], threshold: f64) -> Html {
    let scale = Scale::new(points, threshold);
    let mut svg = Html::new()
        .raw("<svg class=\"chart\" role=\"img\"")
        .attr("viewBox", &format!("0 0 {WIDTH} {HEIGHT}"))
        .raw("><title>Effect against the best other engine, percent, by attempt</title><desc>")
        .text(&description(points))
        .raw("</desc>")
        .raw("<rect class=\"band\"")
        .at("x", LEFT)
        .at("y", scale.y(threshold))
        .at("width", WIDTH - LEFT - RIGHT)
        .at("height", scale.y(-threshold) - scale.y(threshold))
        .raw("/>");
    for tick in scale.ticks() {
        let y = scale.y(tick);
        let class = if tick.abs() < 1e-9 {
            "<line class=\"zero\""
        } else {
            "<line class=\"grid\""
        };
        svg = svg
            .with(line(class, LEFT, y, WIDTH - RIGHT, y))
            .raw("<text class=\"y\"")
            .at("x", LEFT - 8.0)
            .at("y", y + 4.0)
            .raw(">")
            .text(&tick_label(tick))
            .raw("</text>");
    }
    svg = svg.with(best_so_far(points, &scale));
    // Labels that would run into each other are left out; the table below has them all.
    let every = points.len().div_ceil(24);
    for (index, point) in points.iter().enumerate() {
        svg = svg.with(mark(point, scale.x(index), &scale));
        if index % every == 0 {
            svg = svg
                .raw("<text class=\"x\"")
                .at("x", scale.x(index))
                .at("y", HEIGHT - BOTTOM + 20.0)
                .raw(">")
                .text(&point.label)
                .raw("</text>");
        }
    }
    svg.raw("<text class=\"x axis\"")
        .at("x", (LEFT + WIDTH - RIGHT) / 2.0)
        .at("y", HEIGHT - 8.0)
        .raw(">attempt</text></svg>\n")
}

fn tick_label(tick: f64) -> String {
    if tick.abs() < 1e-9 {
        "0 %".to_owned()
    } else if tick.fract().abs() < 1e-9 {
        format!("{tick:+.0} %")
    } else {
        format!("{tick:+.1} %")
    }
}

/// The same in words, for those who do not see it.
fn description(points: &[Point]) -> String {
    let parts: Vec<String> = points
        .iter()
        .take(60)
        .map(|point| match (point.effect, point.interval) {
            (Some(effect), Some((low, high))) => {
                format!(
                    "{} ({}): {effect:+.2} % [{low:+.2}, {high:+.2}]",
                    point.label, point.outcome
                )
            }
            (Some(effect), None) => format!("{} ({}): {effect:+.2} %", point.label, point.outcome),
            (None, _) => format!("{} ({}): not measured", point.label, point.outcome),
        })
        .collect();
    parts.join("; ")
}

fn line(class: &'static str, x1: f64, y1: f64, x2: f64, y2: f64) -> Html {
    Html::new()
        .raw(class)
        .at("x1", x1)
        .at("y1", y1)
        .at("x2", x2)
        .at("y2", y2)
        .raw("/>")
}

/// A step line: it moves when a change is kept.
fn best_so_far(points: &[Point], scale: &Scale) -> Html {
    let mut path = String::new();
    let mut best: Option<f64> = None;
    for (index, point) in points.iter().enumerate() {
        if matches!(point.outcome, "baseline" | "kept")
            && let Some(effect) = point.effect
        {
            if best.is_some() {
                path.push_str(&format!("H{:.1}V{:.1}", scale.x(index), scale.y(effect)));
            } else {
                path.push_str(&format!("M{:.1} {:.1}", scale.x(index), scale.y(effect)));
            }
            best = Some(effect);
        }
    }
    if best.is_none() {
        return Html::new();
    }
    path.push_str(&format!("H{:.1}", WIDTH - RIGHT));
    Html::new().raw("<path class=\"best\"").attr("d", &path).raw("/>")
}

fn mark(point: &Point, x: f64, scale: &Scale) -> Html {
    let Some(effect) = point.effect else {
        if matches!(point.outcome, "baseline" | "open") {
            return Html::new();
        }
        let y = HEIGHT - BOTTOM - 8.0;
        return line("<line class=\"cross\"", x - 5.0, y - 5.0, x + 5.0, y + 5.0).with(line(
            "<line class=\"cross\"",
            x - 5.0,
            y + 5.0,
            x + 5.0,
            y - 5.0,
        ));
    };
    let mut html = Html::new();
    if let Some((low, high)) = point.interval {
        let (top, bottom) = (scale.y(high), scale.y(low));
        html = html
            .with(line("<line class=\"whisker\"", x, top, x, bottom))
            .with(line("<line class=\"whisker\"", x - 4.0, top, x + 4.0, top))
            .with(line("<line class=\"whisker\"", x - 4.0, bottom, x + 4.0, bottom));
    }
    let y = scale.y(effect);
    let tip = format!(
        "{} {}: {} %",
        point.label,
        point.outcome,
        view::signed(contracts::Finite::new(effect))
    );
    let html = match point.outcome {
        "baseline" => html
            .raw("<rect class=\"baseline\" width=\"11\" height=\"11\"")
            .at("x", x - 5.5)
            .at("y", y - 5.5)
            .raw(">"),
        "kept" => html
            .raw("<circle class=\"kept\" r=\"6\"")
            .at("cx", x)
            .at("cy", y)
            .raw(">"),
        _ => html
            .raw("<circle class=\"reverted\" r=\"5.5\"")
            .at("cx", x)
            .at("cy", y)
            .raw(">"),
    };
    let html = html.raw("<title>").text(&tip).raw("</title>");
    if point.outcome == "baseline" {
        html.raw("</rect>")
    } else {
        html.raw("</circle>")
    }
}
