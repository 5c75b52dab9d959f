//! `manifest.md` and `manifest.json`: what the campaign is, and what lies in its root.

use cli_kit::{Align, Table, View};
use contracts::fields::sha256_hex;
use contracts::loop_ledger::event::{Event, Init};
use serde_json::json;

use super::words::{blocker, plain, reached, standing, verdict};
use super::{File, Source, page};
use crate::ledger::short;

/// For people.
pub(crate) fn markdown(source: &Source<'_>, files: &[File]) -> String {
    let state = source.state;
    let target = &state.lock.target;
    let text = |value: Option<&String>| plain(value.map_or("not declared", String::as_str));
    let mut scenarios = Table::new(&[
        ("scenario", Align::Left),
        ("workload", Align::Left),
        ("requests", Align::Right),
        ("seed", Align::Right),
        ("request stream", Align::Left),
    ]);
    for scenario in &state.lock.scenarios {
        scenarios.row(vec![
            plain(&scenario.scenario),
            super::words::file_name(&scenario.workload),
            scenario.num_prompts.to_string(),
            scenario
                .seed
                .map_or_else(|| "–".to_owned(), |seed| seed.to_string()),
            short(&scenario.request_stream_sha256).to_owned(),
        ]);
    }
    let excluded: Vec<&str> = state
        .campaign
        .excluded
        .iter()
        .map(|left_out| left_out.framework.as_str())
        .collect();
    let body = View::new()
        .text(verdict(state))
        .text(plain(&standing(state)))
        .text(reached(state))
        .list(supersedes(source))
        .list(state.blockers.iter().map(|known| blocker(known)).collect())
        .heading("Target")
        .list(vec![
            format!(
                "model: {} at {}, {}",
                text(target.model.id.as_ref()),
                text(target.model.revision.as_ref()),
                text(target.model.precision.as_ref())
            ),
            format!(
                "hardware: {} x {}",
                target.hardware.gpu_count.unwrap_or(0),
                text(target.hardware.class.as_ref())
            ),
            format!("ours: {}", plain(&state.campaign.framework)),
            format!("compared with: {}", plain(&state.campaign.comparison.join(", "))),
            format!("left out: {}", plain(&excluded.join(", "))),
            format!("service-level objectives: {}", plain(&target.slo.join(", "))),
            format!(
                "metric {}, threshold {:.2} %, margin {:.2} %",
                plain(state.metric()),
                state.threshold_pct(),
                state.margin_pct()
            ),
            format!("focus: {}", plain(&state.campaign.focus.join("; "))),
            crate::view::budget(&state.budget()),
        ])
        .heading("Scenarios")
        .table(scenarios)
        .heading("Files")
        .text("`target.lock.json`, `ledger.jsonl` and `objects/` are the campaign; everything below is rendered from them by `loop-ledger render` and may be deleted.")
        .list(files.iter().map(|file| file.path.clone()).collect());
    page(source, "Campaign", body)
}

/// The campaign that this one replaces. Results of the two compare only per GPU or per joule.
fn supersedes(source: &Source<'_>) -> Vec<String> {
    let first = source.state.entries.first().map(|entry| &entry.event);
    match first {
        Some(Event::Init(Init {
            supersedes: Some(left),
            ..
        })) => vec![format!(
            "in place of the campaign with the head {}: {}; results of the two compare only per GPU or per joule",
            left.head,
            plain(&left.why)
        )],
        _ => Vec::new(),
    }
}

/// For tools.
pub(crate) fn json(source: &Source<'_>, files: &[File]) -> String {
    let state = source.state;
    let lock = state.lock;
    let rendered: Vec<_> = files
        .iter()
        .map(|file| json!({"path": file.path, "sha256": sha256_hex(&file.bytes), "bytes": file.bytes.len()}))
        .collect();
    let value = json!({
        "head": source.head,
        "entries": state.entries.len(),
        "created_at": lock.created_at,
        "simulated": source.simulated(),
        "target": lock.target,
        "contract": lock.contract,
        "scenarios": lock.scenarios,
        "terminal": state.stop.map(|stop| stop.terminal),
        "decision": state.current_decision().map(|(_, decision)| decision),
        "blockers": state.blockers,
        "budget": state.budget(),
        "rendered": rendered,
    });
    format!("{value:#}\n")
}
