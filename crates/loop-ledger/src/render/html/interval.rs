//! The latest verdict, one row a scenario and other engine, with the interval drawn.

use contracts::Finite;
use contracts::loop_ledger::facts::DecisionRow;

use super::super::Source;
use super::super::words::{effect, number};
use super::markup::{Column, Html, table};
use crate::view;

const WIDTH: f64 = 180.0;
const HEIGHT: f64 = 22.0;

/// The section; nothing before the first verdict.
pub(crate) fn section(source: &Source<'_>) -> Html {
    let Some((accepted, decision)) = source.state.current_decision() else {
        return Html::new();
    };
    let reach = decision
        .rows
        .iter()
        .flat_map(|row| [row.effect_pct, row.ci_low_pct, row.ci_high_pct])
        .flatten()
        .map(|value| value.get().abs())
        .fold(source.state.threshold_pct() * 1.5, f64::max)
        * 1.05;
    let rows = decision
        .rows
        .iter()
        .map(|row| {
            vec![
                Html::of(&row.scenario),
                Html::of(&row.other),
                Html::of(&number(row.ours_value, 1)),
                Html::of(&number(row.other_value, 1)),
                Html::of(&view::signed(row.effect_pct)),
                Html::of(&view::interval(row.ci_low_pct, row.ci_high_pct)),
                bar(row, reach, source.state.threshold_pct()),
                Html::of(&row.pairs.to_string()),
                badge(row),
            ]
        })
        .collect();
    Html::new()
        .raw("<section><h2>Latest verdict</h2>\n<p>")
        .text(&format!(
            "{}: {}. Entry {}, {}.",
            decision.decision.name(),
            effect(decision),
            accepted.seq,
            crate::ledger::short(&accepted.facts.sha256)
        ))
        .raw("</p>\n")
        .with(table(
            "Ours against every other engine, by scenario",
            &[
                ("scenario", Column::Name),
                ("against", Column::Name),
                ("ours", Column::Number),
                ("other", Column::Number),
                ("effect, %", Column::Number),
                ("interval, %", Column::Number),
                ("picture", Column::Name),
                ("pairs", Column::Number),
                ("verdict", Column::Name),
            ],
            rows,
        ))
        .raw("</section>\n")
}

fn badge(row: &DecisionRow) -> Html {
    use contracts::gap_decide::decision::Verdict;
    let class = match row.verdict {
        Verdict::Ahead | Verdict::TheirsFailsSlo => "<span class=\"badge good\">",
        Verdict::Behind | Verdict::OursFailsSlo | Verdict::Invalid => "<span class=\"badge bad\">",
        Verdict::Tied | Verdict::Inconclusive => "<span class=\"badge\">",
    };
    Html::new().raw(class).text(row.verdict.name()).raw("</span>")
}

/// Zero in the middle, the threshold as a band, the interval as a line.
fn bar(row: &DecisionRow, reach: f64, threshold: f64) -> Html {
    let x = |value: f64| WIDTH / 2.0 + value.clamp(-reach, reach) / reach * (WIDTH / 2.0 - 4.0);
    let get = |value: Option<Finite>| value.map(Finite::get);
    let middle = HEIGHT / 2.0;
    let mut svg = Html::new()
        .raw("<svg class=\"bar\" aria-hidden=\"true\"")
        .attr("viewBox", &format!("0 0 {WIDTH} {HEIGHT}"))
        .raw("><rect class=\"band\" y=\"0\"")
        .at("height", HEIGHT)
        .at("x", x(-threshold))
        .at("width", x(threshold) - x(-threshold))
        .raw("/><line class=\"zero\"")
        .at("x1", x(0.0))
        .at("x2", x(0.0))
        .at("y1", 0.0)
        .at("y2", HEIGHT)
        .raw("/>");
    if let (Some(low), Some(high)) = (get(row.ci_low_pct), get(row.ci_high_pct)) {
        svg = svg
            .raw("<line class=\"whisker\"")
            .at("x1", x(low))
            .at("x2", x(high))
            .at("y1", middle)
            .at("y2", middle)
            .raw("/>");
    }
    if let Some(effect) = get(row.effect_pct) {
        svg = svg
            .raw("<circle class=\"kept\" r=\"5\"")
            .at("cx", x(effect))
            .at("cy", middle)
            .raw("/>");
    }
    svg.raw("</svg>")
}
