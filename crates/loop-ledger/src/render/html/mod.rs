//! `report.html`: one page, whole in itself: no script, no font, no picture, no request. Light and dark, on a phone and
//! on paper.

mod budget;
mod chart;
mod evidence;
mod interval;
mod markup;
mod rounds;
mod sections;
mod tiles;

use super::Source;
use super::words::{standing, verdict};
use markup::Html;

/// What the page may not do, whatever stands in it: load, run or send anything.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// The page. `links` says whether it lies in the root, so that links to stored files lead somewhere.
pub(crate) fn page(source: &Source<'_>, links: bool) -> String {
    let state = source.state;
    let model = state.lock.target.model.id.as_deref().unwrap_or("unknown model");
    let title = format!(
        "{model}: {} against {}",
        state.campaign.framework,
        state.campaign.comparison.join(", ")
    );
    let mut html = Html::new()
        .raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"")
        .raw(POLICY)
        .raw("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>")
        .text(&title)
        .raw("</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n")
        .raw(include_str!("style.css"))
        .raw("</style></head>\n<body><main>\n");
    if source.simulated() {
        html = html.raw("<p class=\"simulated\" role=\"note\"><strong>SIMULATED</strong> A simulated engine answered. These numbers say nothing about any real one.</p>\n");
    }
    html = html
        .raw("<header><p class=\"kicker\">")
        .text(&title)
        .raw("</p>\n<h1>")
        .text(&verdict(state))
        .raw("</h1>\n<p class=\"standing\">")
        .text(&standing(state))
        .raw("</p></header>\n");
    html.with(tiles::tiles(source))
        .with(sections::blockers(source))
        .with(chart::section(source))
        .with(interval::section(source))
        .with(rounds::section(source))
        .with(sections::benchmarks(source))
        .with(sections::effort(source))
        .with(budget::section(source))
        .with(sections::winner(source))
        .with(sections::end(source, links))
        .with(evidence::section(source, links))
        .with(sections::footer(source))
        .raw("</main></body></html>\n")
        .into_string()
}
