//! `benchmark/winning-commands.md`: the launch that won, and the best launch of every other framework.

use std::collections::BTreeMap;

use cli_kit::View;
use contracts::loop_ledger::facts::SideFacts;

use super::words::{number, plain};
use super::{Source, code, page};
use crate::commands::best;
use crate::ledger::{Root, short};
use crate::state::State;

/// The file.
pub(crate) fn commands(source: &Source<'_>) -> String {
    let body = View::new().heading(format!("Ours: {}", plain(&source.state.campaign.framework)));
    let mut body = ours(source.state, body);
    for (framework, side) in others(source.state) {
        body = body.heading(plain(framework)).text(format!(
            "Best of its configurations: {} tokens per second of output.",
            number(side.output_tps, 1)
        ));
        body = match &side.launch_argv {
            Some(argv) => body.with(code(
                "sh",
                &cli_kit::shell_words(&contracts::argv::redacted(argv)),
            )),
            None => body.text("No stored document says how it was launched."),
        };
    }
    page(source, "Winning commands", body)
}

/// The winning launch of ours.
pub(crate) fn ours(state: &State<'_>, body: View) -> View {
    let winner = best::winner(&Root::new(""), state);
    let mut lines: Vec<String> = winner
        .env
        .iter()
        .map(|(name, value)| format!("{name}={}", cli_kit::shell_words(std::slice::from_ref(value))))
        .collect();
    lines.extend(winner.argv.as_deref().map(cli_kit::shell_words));
    if winner.argv.is_none() {
        return body.text("No stored document says how ours was launched: measure with --subject.");
    }
    let from = match &winner.attempt {
        Some(attempt) => format!("The change of {attempt} was kept last."),
        None => "No change was kept: this is the launch of the baseline.".to_owned(),
    };
    body.text(from)
        .list(
            winner
                .patches
                .iter()
                .map(|patch| format!("with the diff {}", short(patch)))
                .collect(),
        )
        .with(code("sh", &lines.join(" \\\n  ")))
}

/// The fastest measured side of every comparison framework.
fn others<'a>(state: &State<'a>) -> BTreeMap<&'a str, &'a SideFacts> {
    let mut best: BTreeMap<&str, &SideFacts> = BTreeMap::new();
    for benchmark in state.benchmarks() {
        let sides = &benchmark.facts.sides;
        // The first side of a comparison is ours, also where ours is compared with itself.
        for side in sides.iter().skip(sides.len().saturating_sub(1)) {
            if !state.campaign.comparison.contains(&side.framework) {
                continue;
            }
            let known = best.entry(side.framework.as_str()).or_insert(side);
            if side.output_tps > known.output_tps {
                *known = side;
            }
        }
    }
    best
}
