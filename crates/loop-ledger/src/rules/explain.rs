//! What explains a gap before code is changed: profiles, a root cause, the layers, and kernels that are worth a look. Pure.

use contracts::gap_decide::decision::Verdict;
use contracts::loop_ledger::facts::DecisionRow;
use contracts::loop_ledger::phase::Phase;
use contracts::loop_ledger::status::Need;
use contracts::profile_tables::report;
use contracts::{Finite, NextAction, argv};

use super::{KERNEL_SHARE_PCT, need, offer, stands};
use crate::state::{Accepted, State};

/// Frameworks stably ahead of ours, and ours, that have no profile since ours last changed.
pub fn unprofiled(state: &State<'_>) -> Vec<Need> {
    let Some((_, decision)) = state.current_decision() else {
        return Vec::new();
    };
    // Every framework that is ahead, and ours, where ours is furthest behind it.
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    for row in decision.rows.iter().filter(|row| row.verdict == Verdict::Behind) {
        let is_slowest = decision.rows.iter().all(|other| {
            other.other_framework != row.other_framework
                || other.verdict != Verdict::Behind
                || other.effect_pct >= row.effect_pct
        });
        if is_slowest {
            wanted.push((&row.other_framework, &row.scenario));
            wanted.push((&state.campaign.framework, &row.scenario));
        }
    }
    wanted.sort_unstable();
    // Where two scenarios are equally slow, one of them is enough.
    wanted.dedup_by_key(|(framework, _)| *framework);
    let current = state.current_subject();
    wanted
        .into_iter()
        .filter(|(framework, scenario)| {
            !state.of_phase(Phase::Profile).any(|accepted| {
                // Telemetry and the record of a capture are of the phase, and say nothing of kernels.
                accepted.facts.schema == report::SCHEMA
                    && accepted.facts.scenario.as_deref() == Some(scenario)
                    && accepted.facts.sides.iter().any(|side| {
                        side.framework == **framework
                            && (**framework != state.campaign.framework || side.subject.as_deref() == current)
                    })
            })
        })
        .map(|(framework, scenario)| {
            need(
                "profile-missing",
                format!(
                    "{framework} is not profiled at the lengths of {scenario}, where ours is furthest behind"
                ),
                Some(capture(state, framework, scenario)),
            )
        })
        .collect()
}

/// Records a trace of the side of the stored comparison that has no profile.
fn capture(state: &State<'_>, framework: &str, scenario: &str) -> NextAction {
    let is_ours = framework == state.campaign.framework;
    let (url, side) = if is_ours {
        ("URL_OF_OURS", "a")
    } else {
        ("URL_OF_THEIRS", "b")
    };
    let mut command = ["profile-tables", "capture", "--url", url, "--stage", "decode"]
        .map(str::to_owned)
        .to_vec();
    let explains = |accepted: &Accepted<'_>| is_ours || accepted.compares(scenario, framework);
    bind(state, scenario, side, explains, &mut command);
    let output = offer::plain(&format!("{framework}.{scenario}"));
    argv::set(&mut command, "-o", &format!("{output}.capture.json"));
    offer::action(
        "record a trace (the server has to be started with its profiler), make its tables as the capture says, append them; where no profiler is, record that: `loop-ledger blocker --phase profile --what TEXT -- COMMAND`",
        command,
    )
}

/// `--for` the latest comparison of a scenario that counts, and its side.
fn bind(
    state: &State<'_>,
    scenario: &str,
    side: &str,
    explains: impl Fn(&Accepted<'_>) -> bool,
    command: &mut Vec<String>,
) {
    let compared = state.benchmarks().rfind(|accepted| {
        state.counts(accepted)
            && accepted.facts.sides.len() == 2
            && accepted.facts.scenario.as_deref() == Some(scenario)
            && explains(accepted)
    });
    if let Some(path) = compared.and_then(|compared| offer::stored_as(state, compared)) {
        argv::set(command, "--for", &path);
        argv::set(command, "--side", side);
    }
}

pub(super) fn profiled(state: &State<'_>) -> Vec<Need> {
    if state.is_downgraded(Phase::Profile) {
        return Vec::new();
    }
    unprofiled(state)
}

pub(super) fn root_cause(state: &State<'_>) -> Option<Need> {
    (!stands(state, Phase::RootCause)).then(|| {
        need(
            "root-cause-missing",
            "no root cause (`loop-ledger.root-cause/1`) that cites stored rows for the current gap",
            Some(NextAction::new(
                "write root-cause.yaml (`loop-ledger --schema root-cause`), then",
                &["loop-ledger", "append", "root-cause.yaml"],
            )),
        )
    })
}

pub(super) fn pipeline(state: &State<'_>) -> Option<Need> {
    (!stands(state, Phase::Pipeline)).then(|| {
        need(
            "pipeline-missing",
            "no layer pipeline of the current round",
            Some(analyse(state)),
        )
    })
}

/// Cuts a trace of ours into passes and layers.
fn analyse(state: &State<'_>) -> NextAction {
    let mut command = ["pipeline-analysis", "TRACE", "--config", "config.json"]
        .map(str::to_owned)
        .to_vec();
    let slowest = state.current_decision().and_then(|(_, decision)| {
        let rows = decision.rows.iter().filter(|row| row.verdict == Verdict::Behind);
        rows.min_by(|one, other| effect(one).total_cmp(&effect(other)))
    });
    if let Some(row) = slowest {
        bind(state, &row.scenario, "a", |_| true, &mut command);
    }
    argv::set(&mut command, "-o", "pipeline.json");
    offer::action(
        "cut the trace that was profiled into layers (config.json is the model's), append it; where no trace is, record that: `loop-ledger blocker --phase pipeline --what TEXT -- COMMAND`",
        command,
    )
}

fn effect(row: &DecisionRow) -> f64 {
    row.effect_pct.map_or(0.0, Finite::get)
}

/// Kernel counters only for families that could matter.
pub(super) fn family_share(state: &State<'_>) -> Option<Need> {
    let largest = state
        .of_phase(Phase::Profile)
        .flat_map(|accepted| &accepted.facts.family_shares)
        .map(|family| family.share_pct.get())
        .fold(0.0, f64::max);
    let is_known = state
        .of_phase(Phase::Profile)
        .any(|accepted| !accepted.facts.family_shares.is_empty());
    (is_known && largest < KERNEL_SHARE_PCT).then(|| {
        need(
            "kernel-share",
            format!("no kernel family has {KERNEL_SHARE_PCT} % of the time or more"),
            None,
        )
    })
}
