//! Argvs of `serve-bench` that measure the same thing again, from what a document says about itself.

use contracts::argv;
use serde_json::Value;

use crate::evidence::{Matchup, Part, SideEvidence};

/// Adds `missing` blocks to the youngest comparison of a matchup.
pub(crate) fn resume(matchup: &Matchup, missing: u32) -> Vec<String> {
    let youngest = matchup.ours.parts.last().expect("a side comes from a document");
    let blocks = youngest.measured.saturating_add(missing).to_string();
    let mut argv = measured_by(youngest).unwrap_or_else(|| rebuilt(matchup));
    argv.extend(words(&["--blocks", &blocks, "--resume", "-o", &youngest.path]));
    argv
}

/// Measures a comparison of the same sides anew, into another file.
pub(crate) fn again(matchup: &Matchup, blocks: u32, output: &str) -> Vec<String> {
    let youngest = matchup.ours.parts.last().expect("a side comes from a document");
    let mut argv = measured_by(youngest).unwrap_or_else(|| rebuilt(matchup));
    argv.extend(words(&["--blocks", &blocks.to_string(), "-o", output]));
    argv
}

/// The comparison command that a document was made by, without what is about to be set anew.
fn measured_by(part: &Part) -> Option<Vec<String>> {
    let command: Vec<String> = serde_json::from_value(part.plan.get("command")?.clone()).ok()?;
    if !command.iter().any(|word| word == "compare") || !command.iter().all(|word| is_plain(word)) {
        return None;
    }
    let mut argv = words(&["serve-bench"]);
    argv.extend(argv::without(
        command.get(1..)?,
        &["--blocks", "-o", "--output", "--format"],
        &["--resume"],
    ));
    Some(argv)
}

/// A comparison of the same sides put together from their addresses.
fn rebuilt(matchup: &Matchup) -> Vec<String> {
    let mut argv = words(&["serve-bench", "compare"]);
    let [ours, other] = matchup.sides();
    let ours_is_b = matchup.ours.parts[0].is_b;
    let (a, b) = if ours_is_b { (other, ours) } else { (ours, other) };
    match (&a.launch_argv, &b.launch_argv) {
        (Some(a), Some(b)) => {
            argv.push("--swap".to_owned());
            for (flag, side) in [("--a-cmd", a), ("--b-cmd", b)] {
                argv.push(flag.to_owned());
                argv.push(serde_json::to_string(side).expect("strings are JSON"));
            }
            // Only what is launched has an environment to clear.
            if matchup.ours.parts[0].plan.get("clear_env") == Some(&Value::Bool(true)) {
                argv.push("--clear-env".to_owned());
            }
        }
        _ => argv.extend(words(&["--a", &a.url, "--b", &b.url])),
    }
    argv.extend(words(&["--a-name", &a.name, "--b-name", &b.name]));
    for (flag, side) in [("--subject", a), ("--b-subject", b)] {
        argv.extend(
            subject_of(side)
                .into_iter()
                .flat_map(|file| words(&[flag, &file])),
        );
    }
    argv.extend(workload_flags(matchup));
    argv.extend(load_flags(matchup));
    argv
}

/// The subject file of a side, as its document was made with.
fn subject_of(side: &SideEvidence) -> Option<String> {
    let part = side.parts.last()?;
    flag_of(&part.plan, if part.is_b { "--b-subject" } else { "--subject" })
}

/// The flags that send the same frozen workload under the same target; none where the document names no file.
pub(crate) fn workload_flags(matchup: &Matchup) -> Vec<String> {
    let plan = &matchup.ours.parts[0].plan;
    let mut flags = Vec::new();
    if let Some(file) = plan
        .get("workload")
        .and_then(Value::as_str)
        .filter(|file| is_plain(file))
    {
        flags.extend(words(&["--workload", file, "--scenario", &matchup.scenario]));
    }
    if let Some(target) = flag_of(plan, "--target") {
        flags.extend(words(&["--target", &target]));
    }
    flags
}

/// The flags of the same load level.
pub(crate) fn load_flags(matchup: &Matchup) -> Vec<String> {
    let load = matchup.ours.parts[0].plan.get("load");
    let number = |field: &str| {
        load.and_then(|load| load.get(field))
            .filter(|value| value.is_number())
    };
    if let Some(concurrency) = number("concurrency") {
        words(&["--concurrency", &concurrency.to_string()])
    } else if let Some(rate) = number("request_rate_rps") {
        words(&["--request-rate", &rate.to_string()])
    } else {
        Vec::new()
    }
}

/// The value of a flag in the command that a document was made by.
fn flag_of(plan: &Value, flag: &str) -> Option<String> {
    let command: Vec<String> = serde_json::from_value(plan.get("command")?.clone()).ok()?;
    argv::value(&command, flag)
        .filter(|word| is_plain(word))
        .map(str::to_owned)
}

/// Whether a word of a document can be shown on a terminal as it is.
fn is_plain(word: &str) -> bool {
    !word
        .chars()
        .any(|c| c.is_control() || contracts::text::is_invisible(c))
}

pub(crate) fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}
