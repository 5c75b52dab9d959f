//! `gap-decide rank`: candidates of a search in the published order of AI-Infra-Auto-Driven-SKILLS' result schema, every
//! SLO recomputed, and nothing ranked that measured something else.

mod fold;
mod render;
mod row;
mod search;

use cli_kit::{Cli as _, DocumentParts, Failure, Report, input_of, read_bounded};
use contracts::gap_decide::ranking::{self, RankingData, ScenarioRanking, SloOutcome};
use contracts::{Exit, NextAction, Warning};

use crate::cli::{RankArgs, RankBy};

/// Largest file: a million candidates of ten kilobytes would not be a search.
const FILE_CAP: u64 = 256 << 20;

/// Leads below this are within what one run moves by on a shared machine; the tool calls no gap there.
const CLOSE_LEAD_PCT: f64 = 5.0;

/// Reads, orders and reports.
///
/// # Errors
/// Exit 3: unreadable, no row, or rows of one scenario that measured different things.
pub(crate) fn run(args: &RankArgs, top: usize) -> Result<Report, Failure> {
    let bytes = read_bounded(&args.candidates, FILE_CAP)?;
    let rows = row::read(&bytes, search::planned(&args.candidates).as_ref())?;
    let folded = fold::rank(&rows, args.by)?;
    let data = folded.data;
    let mut parts = DocumentParts::new(ranking::SCHEMA);
    parts.inputs = vec![input_of(&args.candidates, &bytes)];
    parts.summary = summary(&data);
    parts.warnings = folded.warnings;
    parts.warnings.extend(close_leads(&data));
    parts.next_actions = next_actions(&data);
    let exit = if data.scenarios.is_empty() {
        Exit::Undecided
    } else {
        Exit::Ok
    };
    let document = cli_kit::document(&crate::cli::Args::TOOL, parts, data);
    let view = render::view(&document, top);
    Ok(Report::new(&document, view, exit))
}

/// Names of the keys of the order.
fn order(by: RankBy) -> Vec<String> {
    let [first, second] = match by {
        RankBy::RequestThroughput => ["request_rps", "output_tps"],
        RankBy::OutputTokenThroughput => ["output_tps", "request_rps"],
    };
    let keys = [
        "slo",
        first,
        second,
        "ttft_ms (lower)",
        "tpot_ms (lower)",
        "gpu_count (lower)",
    ];
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn summary(data: &RankingData) -> String {
    let ranked: usize = data
        .scenarios
        .iter()
        .map(|scenario| scenario.candidates.len())
        .sum();
    if data.scenarios.is_empty() {
        return format!(
            "None of {} rows holds a measurement that could be ranked.",
            data.rows
        );
    }
    let leaders: Vec<String> = data.scenarios.iter().map(leader).collect();
    format!(
        "Candidates in order: {ranked}; rows left out: {}. {}",
        data.not_ranked.len(),
        leaders.join("; ")
    )
}

fn leader(scenario: &ScenarioRanking) -> String {
    let first = &scenario.candidates[0];
    let name = format!("{} {}", first.framework, first.candidate);
    let lead = scenario
        .lead_pct
        .map_or_else(String::new, |lead| format!(", {lead:.2} % before the next"));
    match first.slo {
        SloOutcome::Pass | SloOutcome::NoLimit => format!("{}: {name} leads{lead}", scenario.scenario),
        SloOutcome::Fail | SloOutcome::Unknown => {
            format!("{}: none is shown to meet its SLO", scenario.scenario)
        }
    }
}

fn close_leads(data: &RankingData) -> Option<Warning> {
    let close: Vec<&str> = data
        .scenarios
        .iter()
        .filter(|scenario| scenario.lead_pct.is_some_and(|lead| lead.get() < CLOSE_LEAD_PCT))
        .map(|scenario| scenario.scenario.as_str())
        .collect();
    (!close.is_empty()).then(|| {
        Warning::new(
            "close-lead",
            format!(
                "rows carry no noise, and the first two differ by less than {CLOSE_LEAD_PCT} % in {}: their order may be chance",
                close.join(", ")
            ),
        )
    })
}

fn next_actions(data: &RankingData) -> Vec<NextAction> {
    if data.scenarios.is_empty() {
        return Vec::new();
    }
    vec![NextAction::new(
        "an order is no verdict: measure the leader against the next one, or the baseline, in interleaved pairs",
        &["serve-bench", "compare", "--help"],
    )]
}
