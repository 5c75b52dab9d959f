//! Commands that follow from a decision, as argvs that can be run as they stand.

use contracts::NextAction;
use contracts::gap_decide::decision::{Decision, DecisionData, ScenarioVerdict, Verdict};
use stats::group_sequential::LOOKS;

use crate::evidence::{Matchup, SideEvidence};
use crate::plan::{DecidePlan, Sources};

/// Where further measurements go.
const NEXT_COMPARE: &str = "next.compare.json";

/// What to run next.
pub(crate) fn after(data: &DecisionData, plan: &DecidePlan, matchups: &[Matchup]) -> Vec<NextAction> {
    let concerned = |verdicts: &[Verdict]| -> Vec<(&ScenarioVerdict, &Matchup)> {
        data.scenarios
            .iter()
            .filter(|row| verdicts.contains(&row.verdict))
            .filter_map(|row| {
                let fits = |m: &&Matchup| m.scenario == row.scenario && m.other.name == row.best_other.name;
                Some((row, matchups.iter().find(fits)?))
            })
            .collect()
    };
    match data.decision {
        Decision::StopReached => Vec::new(),
        Decision::FixSlo => concerned(&[Verdict::OursFailsSlo])
            .iter()
            .map(|(row, m)| look_at_ours(row, m, plan))
            .collect(),
        Decision::Profile => concerned(&[Verdict::Behind])
            .iter()
            .map(|(row, m)| look_at_ours(row, m, plan))
            .collect(),
        Decision::Repeat => {
            let rows = concerned(&[Verdict::Inconclusive]);
            let mut actions: Vec<NextAction> = rows
                .iter()
                .map(|(row, m)| more_pairs(row, m, data.max_pairs))
                .collect();
            if !actions.is_empty() {
                actions.push(decide_again(plan));
            }
            actions
        }
        Decision::Rebaseline if data.scenarios.iter().any(|row| row.verdict == Verdict::Invalid) => {
            concerned(&[Verdict::Invalid])
                .iter()
                .map(|(row, m)| measure_again(row, m))
                .collect()
        }
        Decision::Rebaseline => vec![declare(data, plan)],
    }
}

/// Adds blocks up to the pairs that a verdict is expected at, or to the next look.
fn more_pairs(row: &ScenarioVerdict, matchup: &Matchup, max_pairs: u32) -> NextAction {
    let wanted = row
        .repeats_needed
        .filter(|pairs| *pairs <= max_pairs)
        .or(row.next_look_pairs);
    let wanted = wanted.unwrap_or(LOOKS[0] as u32);
    let missing = wanted.saturating_sub(row.pairs_available).max(1);
    NextAction {
        why: format!("{}: {missing} more pairs, {wanted} in all", row.scenario),
        command: compare_argv(matchup, missing),
    }
}

fn measure_again(row: &ScenarioVerdict, matchup: &Matchup) -> NextAction {
    NextAction {
        why: format!(
            "{}: measure again once the reasons above are mended",
            row.scenario
        ),
        command: compare_argv(matchup, row.pairs_available.max(LOOKS[0] as u32)),
    }
}

/// `serve-bench compare` of the same sides on the same workload.
fn compare_argv(matchup: &Matchup, blocks: u32) -> Vec<String> {
    let mut argv = words(&["serve-bench", "compare"]);
    let [a, b] = matchup.sides();
    match (&a.launch_argv, &b.launch_argv) {
        (Some(a), Some(b)) => {
            argv.push("--swap".to_owned());
            for (flag, side) in [("--a-cmd", a), ("--b-cmd", b)] {
                argv.push(flag.to_owned());
                argv.push(serde_json::to_string(side).expect("strings are JSON"));
            }
        }
        _ => argv.extend(words(&["--a", &a.url, "--b", &b.url])),
    }
    argv.extend(words(&["--a-name", &a.name, "--b-name", &b.name]));
    argv.extend(workload_flags(a, &matchup.scenario));
    argv.extend(words(&["--blocks", &blocks.to_string(), "-o", NEXT_COMPARE]));
    argv
}

/// The flags that send the same workload again, from what the document says it was asked for.
fn workload_flags(side: &SideEvidence, scenario: &str) -> Vec<String> {
    let plan = &side.parts[0].plan;
    let mut flags = Vec::new();
    if let Some(file) = plan.get("workload").and_then(serde_json::Value::as_str) {
        flags.extend(words(&["--workload", file, "--scenario", scenario]));
    }
    if let Some(target) = plan.get("target").and_then(serde_json::Value::as_str) {
        flags.extend(words(&["--target", target]));
    }
    flags
}

/// One run of ours with its records: where in a request the time goes.
fn look_at_ours(row: &ScenarioVerdict, matchup: &Matchup, plan: &DecidePlan) -> NextAction {
    let mut command = words(&["serve-bench", "run", "--url", &matchup.ours.url]);
    command.extend(workload_flags(&matchup.ours, &row.scenario));
    let records = format!("{}.records.jsonl", row.scenario);
    command.extend(words(&[
        "--records",
        &records,
        "-o",
        &format!("{}.ours.json", row.scenario),
    ]));
    let metric = &plan.metric;
    NextAction {
        why: format!(
            "{}: one run of ours with its records, to see what {metric} is made of",
            row.scenario
        ),
        command,
    }
}

/// The same decision with a target that declares what is unknown.
fn declare(data: &DecisionData, plan: &DecidePlan) -> NextAction {
    let mut unknown: Vec<&str> = data
        .scenarios
        .iter()
        .flat_map(|row| &row.unknown_fields)
        .map(String::as_str)
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    let target = plan
        .target
        .as_ref()
        .map_or_else(|| "target.yaml".to_owned(), |path| path.display().to_string());
    let mut command = decide_argv(plan, &[]);
    if plan.target.is_none() {
        command.extend(words(&["--target", &target]));
    }
    let why = if unknown.is_empty() {
        "imported results stay provisional: measure both sides with `serve-bench compare`".to_owned()
    } else {
        format!(
            "declare in {target}: {}",
            unknown
                .iter()
                .map(|field| declaration(field))
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    NextAction { why, command }
}

/// Where a target file declares a contract field.
fn declaration(field: &str) -> String {
    use contracts::fields::contract_field as name;
    match field {
        name::MODEL_ID => "`model: {id: …}`".to_owned(),
        name::MODEL_REVISION => "`model: {revision: …}`".to_owned(),
        name::TOKENIZER => "`model: {tokenizer: …}`".to_owned(),
        name::PRECISION => "`model: {precision: …}`".to_owned(),
        name::HARDWARE_CLASS => "`hardware: {class: …}`".to_owned(),
        name::GPU_COUNT => "`hardware: {gpu_count: …}`".to_owned(),
        other => format!("{other} (measure again with `serve-bench compare --target`)"),
    }
}

/// This decision once more, with the new pairs.
fn decide_again(plan: &DecidePlan) -> NextAction {
    let extra: &[&str] = match plan.sources {
        Sources::Compare { .. } => &[NEXT_COMPARE],
        Sources::Results { .. } => &[],
    };
    NextAction {
        why: "decide again with the new pairs".to_owned(),
        command: decide_argv(plan, extra),
    }
}

/// The argv of this decision; `extra` are further comparisons. Single results give way to the first comparison.
fn decide_argv(plan: &DecidePlan, extra: &[&str]) -> Vec<String> {
    let mut argv = words(&["gap-decide"]);
    let path = |path: &std::path::PathBuf| path.display().to_string();
    match &plan.sources {
        Sources::Compare { documents, ours_is_b } => {
            argv.push("--compare".to_owned());
            argv.extend(documents.iter().map(path));
            argv.extend(words(extra));
            if *ours_is_b {
                argv.extend(words(&["--ours-side", "b"]));
            }
        }
        Sources::Results { ours, theirs } => {
            argv.push("--ours".to_owned());
            argv.extend(ours.iter().map(path));
            argv.push("--theirs".to_owned());
            argv.extend(
                theirs
                    .iter()
                    .flat_map(|(name, paths)| paths.iter().map(move |one| format!("{name}={}", path(one)))),
            );
        }
    }
    if !plan.chosen_by.is_empty() {
        argv.push("--chosen-by".to_owned());
        argv.extend(plan.chosen_by.iter().map(path));
    }
    argv.extend(words(&["--metric", &plan.metric]));
    for (flag, ratio) in [
        ("--threshold", plan.threshold_ratio),
        ("--margin", plan.margin_ratio),
    ] {
        if let Some(ratio) = ratio {
            argv.extend(words(&[flag, &ratio.to_string()]));
        }
    }
    argv.extend(words(&["--max-pairs", &plan.max_pairs.to_string()]));
    argv.extend(words(&["--confidence", &plan.confidence_ratio.to_string()]));
    if let Some(target) = &plan.target {
        argv.extend(words(&["--target", &path(target)]));
    }
    argv
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}
