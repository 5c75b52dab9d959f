//! Commands that follow from a decision, as argvs that can be run as they stand.

use std::path::PathBuf;

use contracts::NextAction;
use contracts::fields::contract_field as name;
use contracts::gap_decide::decision::{Decision, DecisionData, ScenarioVerdict, Verdict};
use stats::group_sequential::LOOKS;

use crate::evidence::{Matchup, Pairing};
use crate::measure_argv::{again, load_flags, resume, words, workload_flags};
use crate::plan::{DecidePlan, Sources};

/// What to run next.
pub(crate) fn after(data: &DecisionData, plan: &DecidePlan, matchups: &[Matchup]) -> Vec<NextAction> {
    let concerned = |verdict: Verdict| -> Vec<(&ScenarioVerdict, &Matchup)> {
        data.scenarios
            .iter()
            .filter(|row| row.verdict == verdict)
            .filter_map(|row| {
                let fits = |m: &&Matchup| m.scenario == row.scenario && m.other.name == row.best_other.name;
                Some((row, matchups.iter().find(fits)?))
            })
            .collect()
    };
    let (behind, missing) = (concerned(Verdict::Behind), concerned(Verdict::OursFailsSlo));
    let mut actions = match data.decision {
        Decision::StopReached | Decision::Repeat => Vec::new(),
        Decision::FixSlo => missing.iter().map(|(row, m)| find_rate(row, m)).collect(),
        Decision::Profile => where_time_goes(plan, &behind),
        Decision::Rebaseline => {
            let invalid = concerned(Verdict::Invalid);
            return if invalid.is_empty() {
                vec![declare(data, plan)]
            } else {
                invalid.iter().map(|(row, m)| measure_again(row, m)).collect()
            };
        }
    };
    actions.extend(repeats(plan, data.max_pairs, &concerned(Verdict::Inconclusive)));
    actions
}

/// More pairs for what is undecided, and the decision with them; nothing where every affordable look was taken.
fn repeats(plan: &DecidePlan, max_pairs: u32, undecided: &[(&ScenarioVerdict, &Matchup)]) -> Vec<NextAction> {
    let mut new_documents = Vec::new();
    let mut actions: Vec<NextAction> = undecided
        .iter()
        .filter_map(|(row, matchup)| {
            let action = more_pairs(row, matchup, max_pairs)?;
            if matchup.pairing == Pairing::Apart {
                new_documents.push(PathBuf::from(next_compare(row)));
            }
            Some(action)
        })
        .collect();
    if !actions.is_empty() {
        actions.push(decide_again(plan, new_documents));
    }
    actions
}

/// Pairs in all that the next decision on a scenario should have: those that a verdict is expected at, else the next
/// look. `None` when every affordable look was taken.
pub(crate) fn wanted_pairs(row: &ScenarioVerdict, max_pairs: u32) -> Option<u32> {
    [row.repeats_needed, row.next_look_pairs]
        .into_iter()
        .flatten()
        .find(|pairs| *pairs <= max_pairs)
}

/// Adds blocks up to the wanted pairs.
fn more_pairs(row: &ScenarioVerdict, matchup: &Matchup, max_pairs: u32) -> Option<NextAction> {
    let wanted = wanted_pairs(row, max_pairs)?;
    let missing = wanted.saturating_sub(row.pairs_available).max(1);
    Some(match matchup.pairing {
        Pairing::Interleaved { .. } => NextAction {
            why: format!("{}: {missing} more pairs, {wanted} in all", row.scenario),
            command: resume(matchup, missing),
        },
        // Runs measured apart are not added to: interleaved pairs are worth more.
        Pairing::Apart => NextAction {
            why: format!("{}: {wanted} interleaved pairs", row.scenario),
            command: again(matchup, wanted, &next_compare(row)),
        },
    })
}

fn measure_again(row: &ScenarioVerdict, matchup: &Matchup) -> NextAction {
    let blocks = row.pairs_available.max(LOOKS[0] as u32);
    let why = format!(
        "{}: measure again once what `data.reasons` names is mended",
        row.scenario
    );
    NextAction {
        why,
        command: again(matchup, blocks, &next_compare(row)),
    }
}

/// Where a new comparison of a scenario goes.
fn next_compare(row: &ScenarioVerdict) -> String {
    format!("{}.next.compare.json", file_stem(&row.scenario))
}

/// This decision once more: resumed documents have grown, results gave way to new comparisons, whose side A is ours.
fn decide_again(plan: &DecidePlan, new_documents: Vec<PathBuf>) -> NextAction {
    let mut plan = plan.clone();
    if !new_documents.is_empty() {
        plan.sources = Sources::Compare {
            documents: new_documents,
            ours_is_b: false,
        };
    }
    NextAction {
        why: "decide again with the new pairs".to_owned(),
        command: decide_argv(&plan, &plan.metric),
    }
}

/// The same pairs by the parts of a request, and one run of ours with its records where a server stands.
fn where_time_goes(plan: &DecidePlan, behind: &[(&ScenarioVerdict, &Matchup)]) -> Vec<NextAction> {
    let mut actions: Vec<NextAction> = [
        ("p50_ttft_ms", "the first token"),
        ("mean_tpot_ms", "the tokens after it"),
    ]
    .into_iter()
    .filter(|(metric, _)| plan.metric != *metric)
    .map(|(metric, part)| NextAction {
        why: format!("is it {part}?"),
        command: decide_argv(plan, metric),
    })
    .collect();
    actions.extend(
        behind
            .iter()
            .filter(|(_, m)| m.ours.launch_argv.is_none())
            .map(|(row, matchup)| {
                let mut command = words(&["serve-bench", "run", "--url", &matchup.ours.url]);
                command.extend(workload_flags(matchup));
                command.extend(load_flags(matchup));
                let stem = file_stem(&row.scenario);
                command.extend(words(&[
                    "--records",
                    &format!("{stem}.records.jsonl"),
                    "-o",
                    &format!("{stem}.ours.json"),
                ]));
                NextAction {
                    why: format!("{}: one run of ours, request by request", row.scenario),
                    command,
                }
            }),
    );
    actions
}

/// The highest rate at which ours keeps its objectives; for a launched server the comparison once more.
fn find_rate(row: &ScenarioVerdict, matchup: &Matchup) -> NextAction {
    if matchup.ours.launch_argv.is_some() {
        return measure_again(row, matchup);
    }
    let mut command = words(&[
        "serve-bench",
        "sweep",
        "--url",
        &matchup.ours.url,
        "--find-max-rate",
    ]);
    command.extend(workload_flags(matchup));
    let rules = matchup.ours.runs.iter().find_map(|run| run.slo.as_ref());
    for rule in rules.iter().flat_map(|slo| &slo.rules) {
        command.extend(words(&["--slo", &contracts::text::clean(&rule.rule, 200)]));
    }
    command.extend(words(&[
        "-o",
        &format!("{}.sweep.json", file_stem(&row.scenario)),
    ]));
    NextAction {
        why: format!(
            "{}: the highest rate at which ours keeps its objectives",
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
    let mut command = decide_argv(plan, &plan.metric);
    if plan.target.is_none() {
        command.extend(words(&["--target", &target]));
    }
    let why = if unknown.is_empty() {
        "imported results stay provisional: measure both sides with `serve-bench compare`".to_owned()
    } else {
        let declarations: Vec<String> = unknown.iter().map(|field| declaration(field)).collect();
        format!("declare in {target}: {}", declarations.join(", "))
    };
    NextAction { why, command }
}

/// Where a target file declares a contract field.
fn declaration(field: &str) -> String {
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

/// The argv of this decision on a metric.
fn decide_argv(plan: &DecidePlan, metric: &str) -> Vec<String> {
    let mut argv = words(&["gap-decide"]);
    let path = |path: &std::path::PathBuf| path.display().to_string();
    match &plan.sources {
        Sources::Compare { documents, ours_is_b } => {
            argv.push("--compare".to_owned());
            argv.extend(documents.iter().map(path));
            if *ours_is_b {
                argv.extend(words(&["--ours-side", "b"]));
            }
        }
        Sources::Results { ours, theirs } => {
            argv.push("--ours".to_owned());
            argv.extend(ours.iter().map(path));
            argv.push("--theirs".to_owned());
            let named = |(name, paths): &(String, Vec<_>)| {
                paths
                    .iter()
                    .map(|one| format!("{name}={}", path(one)))
                    .collect::<Vec<_>>()
            };
            argv.extend(theirs.iter().flat_map(named));
        }
    }
    if !plan.chosen_by.is_empty() {
        argv.push("--chosen-by".to_owned());
        argv.extend(plan.chosen_by.iter().map(path));
    }
    argv.extend(words(&["--metric", metric]));
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
    for verdict in &plan.fail_on {
        argv.extend(words(&["--fail-on", verdict]));
    }
    argv
}

/// A scenario name as part of a file name: it comes from a document, and must not leave the folder.
fn file_stem(scenario: &str) -> String {
    scenario
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect()
}
