//! The budget as bars.

use contracts::Finite;

use super::super::Source;
use super::markup::Html;

/// The section.
pub(crate) fn section(source: &Source<'_>) -> Html {
    let budget = source.state.budget();
    let get = |value: Option<Finite>| value.map(Finite::get);
    let hours = |value: Option<Finite>| get(value).map(|seconds| seconds / 3600.0);
    let (spent, limit) = (&budget.spent, &budget.limit);
    Html::new()
        .raw("<section><h2>Budget</h2>\n")
        .with(bar(
            "wall time",
            hours(spent.wall_s),
            hours(limit.wall_s),
            " h",
            2,
        ))
        .with(bar("GPU time", hours(spent.gpu_s), hours(limit.gpu_s), " h", 2))
        .with(bar(
            "attempts",
            spent.attempts.map(f64::from),
            limit.attempts.map(f64::from),
            "",
            0,
        ))
        .with(bar(
            "money",
            get(spent.spend_usd),
            get(limit.spend_usd),
            " USD",
            2,
        ))
        .raw("</section>\n")
}

fn bar(name: &'static str, spent: Option<f64>, limit: Option<f64>, unit: &str, decimals: usize) -> Html {
    let spent = spent.unwrap_or(0.0);
    let html = Html::new()
        .raw("<div class=\"budget\"><span>")
        .raw(name)
        .raw("</span>");
    let Some(limit) = limit else {
        return html
            .raw("<span class=\"track none\"></span><span>")
            .text(&format!("{spent:.decimals$}{unit}, no limit"))
            .raw("</span></div>\n");
    };
    let share = if limit > 0.0 {
        (spent / limit * 100.0).clamp(0.0, 100.0)
    } else {
        100.0
    };
    html.raw(if spent >= limit {
        "<span class=\"track full\"><i"
    } else {
        "<span class=\"track\"><i"
    })
    .attr("style", &format!("width:{share:.1}%"))
    .raw("></i></span><span>")
    .text(&format!("{spent:.decimals$} of {limit:.decimals$}{unit}"))
    .raw("</span></div>\n")
}
