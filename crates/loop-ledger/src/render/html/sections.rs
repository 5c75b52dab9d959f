//! The plain sections of the page: what is missing, benchmarks, search effort, the winner, the end.

use super::super::Source;
use super::super::benchmark::{self, compared, fixed};
use super::super::words::reached;
use super::evidence::link;
use super::markup::{Column, Html, table};
use crate::commands::best;
use crate::ledger::Root;

/// What is missing and was accepted as missing: prominent, because it weakens everything below.
pub(crate) fn blockers(source: &Source<'_>) -> Html {
    let blockers = &source.state.blockers;
    if blockers.is_empty() {
        return Html::new();
    }
    let mut html = Html::new()
        .raw("<section class=\"blockers\"><h2>Downgraded phases</h2>\n<p>These steps could not be done as they should. What depends on them is weaker for it.</p>\n<ul>");
    for blocker in blockers {
        html = html
            .raw("<li><b>")
            .raw(crate::view::blocked(blocker.phase))
            .raw(": ")
            .text(blocker.phase.name())
            .raw("</b> ")
            .text(&blocker.what)
            .raw(" <code>")
            .text(&cli_kit::shell_words(&blocker.command))
            .raw("</code> ")
            .text(&match blocker.exit_code {
                Some(code) => format!("ended with {code}"),
                None => "exit code not said".to_owned(),
            })
            .raw("</li>\n");
    }
    html.raw("</ul></section>\n")
}

/// The fixed and the final benchmark.
pub(crate) fn benchmarks(source: &Source<'_>) -> Html {
    let state = source.state;
    let first = fixed(state);
    let last = state.current_decision();
    let mut html = Html::new()
        .raw("<section class=\"figures\"><h2>Benchmarks</h2>\n")
        .with(figures(
            "Fixed benchmark: where the campaign began",
            source,
            &compared(state, first),
        ));
    html = match (first, last) {
        (Some((first, _)), Some((last, decision))) if first.seq != last.seq => html.with(figures(
            "Final benchmark: the launch that stands now",
            source,
            &compared(state, Some((last, decision))),
        )),
        (Some(_), _) => {
            html.raw("<p>Nothing was measured since that counts: the fixed benchmark stands.</p>")
        }
        (None, _) => html,
    };
    html.raw("</section>\n")
}

fn figures(caption: &'static str, source: &Source<'_>, benchmarks: &[&crate::state::Accepted<'_>]) -> Html {
    let rows: Vec<Vec<Html>> = benchmark::table(source, benchmarks)
        .rows
        .iter()
        .map(|row| row.iter().map(|cell| Html::of(cell)).collect())
        .collect();
    if rows.is_empty() {
        return Html::new()
            .raw("<p>")
            .raw(caption)
            .raw(": nothing measured yet.</p>");
    }
    table(
        caption,
        &[
            ("entry", Column::Number),
            ("scenario", Column::Name),
            ("engine", Column::Name),
            ("runs", Column::Number),
            ("TTFT p50, ms", Column::Number),
            ("TPOT p50, ms", Column::Number),
            ("TTLT p50, ms", Column::Number),
            ("prefill, tok/s", Column::Number),
            ("decode, tok/s", Column::Number),
            ("output, tok/s", Column::Number),
            ("errors", Column::Number),
        ],
        rows,
    )
}

/// How hard every framework was looked at.
pub(crate) fn effort(source: &Source<'_>) -> Html {
    let state = source.state;
    let found = state.candidates();
    let mut frameworks = vec![state.campaign.framework.as_str()];
    for other in &state.campaign.comparison {
        if !frameworks.contains(&other.as_str()) {
            frameworks.push(other);
        }
    }
    let rows = frameworks
        .into_iter()
        .map(|framework| {
            let needed = if state.campaign.comparison.iter().any(|other| other == framework) {
                state.candidates_needed().to_string()
            } else {
                "–".to_owned()
            };
            vec![
                Html::of(framework),
                Html::of(&found.get(framework).copied().unwrap_or(0).to_string()),
                Html::of(&needed),
            ]
        })
        .collect();
    let mut html = Html::new()
        .raw("<section class=\"narrow\"><h2>Search effort</h2>\n")
        .with(table(
            "Distinct configurations measured on the locked scenarios",
            &[
                ("framework", Column::Name),
                ("measured", Column::Number),
                ("needed", Column::Number),
            ],
            rows,
        ));
    for excluded in &state.campaign.excluded {
        html = html
            .raw("<p>Left out: ")
            .text(&excluded.framework)
            .raw(": ")
            .text(&excluded.why)
            .raw("</p>");
    }
    html.raw("</section>\n")
}

/// The launch that won.
pub(crate) fn winner(source: &Source<'_>) -> Html {
    let winner = best::winner(&Root::new(""), source.state);
    let mut words: Vec<String> = winner
        .env
        .iter()
        .map(|(name, value)| format!("{name}={}", cli_kit::shell_words(std::slice::from_ref(value))))
        .collect();
    words.extend(winner.argv.as_deref().map(cli_kit::shell_words));
    let html = Html::new().raw("<section><h2>Best launch</h2>\n<p>");
    if winner.argv.is_none() {
        return html.raw("No stored document says how ours was launched.</p></section>\n");
    }
    html.text(&match &winner.attempt {
        Some(attempt) => format!("The change of {attempt} was kept last."),
        None => "No change was kept: this is the launch of the baseline.".to_owned(),
    })
    .raw("</p><pre tabindex=\"0\"><code>")
    .text(&words.join(" \\\n  "))
    .raw("</code></pre></section>\n")
}

/// How the campaign ended, and what shows it.
pub(crate) fn end(source: &Source<'_>, links: bool) -> Html {
    let state = source.state;
    let Some(stop) = state.stop else {
        return Html::new();
    };
    let mut html = Html::new()
        .raw("<section><h2>The end: ")
        .raw(stop.terminal.name())
        .raw("</h2>\n<p>")
        .text(&stop.why)
        .raw("</p><p>")
        .raw(reached(state))
        .raw("</p>\n<ul>");
    if let Some((accepted, decision)) = state.current_decision() {
        html = html
            .raw("<li>decided by entry ")
            .text(&accepted.seq.to_string())
            .raw(" ")
            .with(link(&accepted.facts.sha256, links))
            .raw("</li>");
        for benchmark in compared(state, Some((accepted, decision))) {
            let is_clean = benchmark
                .facts
                .sides
                .first()
                .is_some_and(|ours| ours.relaunched_clean);
            html = html
                .raw("<li>measured in entry ")
                .text(&benchmark.seq.to_string())
                .raw(" ")
                .with(link(&benchmark.facts.sha256, links))
                .raw(if is_clean {
                    ", relaunched from a cleared environment</li>"
                } else {
                    ", not relaunched from a cleared environment</li>"
                });
        }
    }
    html.raw("</ul></section>\n")
}

/// What the page was made from.
pub(crate) fn footer(source: &Source<'_>) -> Html {
    Html::new()
        .raw("<footer><p>Rendered from ")
        .text(&source.state.entries.len().to_string())
        .raw(" entries, the last of ")
        .text(&source.state.now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
        .raw(".</p><p>Ledger-Head: <code>")
        .text(source.head)
        .raw("</code></p></footer>\n")
}
