//! Commands that lead on, as complete as the ledger can make them. What only the user knows is a word in capitals, and
//! the action says to replace it. Pure.

use contracts::NextAction;
use contracts::argv;
use contracts::loop_ledger::entry::Entry;
use contracts::loop_ledger::facts::DecisionRow;
use contracts::loop_ledger::lock::LockedScenario;
use contracts::loop_ledger::phase::Phase;
use contracts::serve_bench::compare;
use contracts::serve_bench::result::LoadInfo;
use contracts::subject::Subject;
use contracts::target::Target;

use super::pool;
use crate::precedent::Precedent;
use crate::state::{Accepted, Attempt, MIN_PAIRS, State};

/// Load of a first benchmark where nobody said another; what serve-bench has by itself.
const FIRST_CONCURRENCY: &str = "8";
/// Pairs at which gap-decide looks (its group-sequential design).
const LOOKS: [u32; 8] = [8, 12, 18, 26, 38, 56, 84, 120];
/// Flags of a comparison that every new one sets itself.
const SET_ANEW: [&str; 9] = [
    "--workload",
    "--scenario",
    "--target",
    "--blocks",
    "-o",
    "--output",
    "--format",
    "--records",
    "--top",
];
/// Flags of side B.
const OF_THEIRS: [&str; 5] = ["--b", "--b-cmd", "--b-name", "--b-model", "--b-subject"];
/// Flags of the load that a command has beside its level.
const OF_LOAD: [&str; 9] = [
    "--concurrency",
    "--request-rate",
    "--arrival",
    "--burstiness",
    "--speedup",
    "--max-concurrency",
    "--duration",
    "--warmup",
    "--threads",
];

/// Words that stand for what only the user knows.
const OPEN: [&str; 16] = [
    "URL_OF_OURS",
    "URL_OF_THEIRS",
    "SUBJECT_OF_OURS",
    "SUBJECT_OF_THEIRS",
    "ARGV_OF_OURS",
    "ARGV_OF_THEIRS",
    "CHANGE",
    "WHY",
    "WHAT_WAS_LEARNED",
    "CHARGE",
    "IDEA",
    "REPOSITORY#NUMBER",
    "LICENSE",
    "TRACE",
    "SUITE",
    "COMPARE",
];

/// An action; its reason names the words that have to be replaced.
pub(super) fn action(why: &str, command: Vec<String>) -> NextAction {
    let open: Vec<&str> = OPEN
        .into_iter()
        .filter(|open| command.iter().any(|word| word == open))
        .collect();
    let mut why = why.to_owned();
    if !open.is_empty() {
        why.push_str(&format!("; replace {}", open.join(", ")));
    }
    if open.iter().any(|word| word.starts_with("SUBJECT_OF")) {
        why.push_str(" (a subject file says how it is launched)");
    }
    NextAction { why, command }
}

/// The same from words.
pub(super) fn words(why: &str, command: &[&str]) -> NextAction {
    action(why, command.iter().map(|word| (*word).to_owned()).collect())
}

/// The path of the target file, as it was typed when the campaign began.
pub(super) fn target<'a>(state: &State<'a>) -> &'a str {
    state
        .entries
        .first()
        .and_then(|first| path_of(first, Target::SCHEMA))
        .unwrap_or("target.yaml")
}

/// The path of a stored comparison, as it was typed when it was appended.
pub(super) fn stored_as(state: &State<'_>, compared: &Accepted<'_>) -> Option<String> {
    let entry = state.entries.get(usize::try_from(compared.seq).ok()?)?;
    path_of(entry, compare::SCHEMA).map(str::to_owned)
}

fn path_of<'a>(entry: &'a Entry, schema: &str) -> Option<&'a str> {
    entry
        .evidence
        .iter()
        .find(|evidence| evidence.schema.as_deref() == Some(schema))
        .map(|evidence| evidence.path.as_str())
}

/// Name of a new file of a round: `round0.chat.compare.json`.
pub(super) fn file(round: &str, scenario: &LockedScenario, framework: &str, state: &State<'_>) -> String {
    let other = if state.campaign.comparison.len() > 1 {
        format!(".{}", plain(framework))
    } else {
        String::new()
    };
    format!("{round}.{}{other}.compare.json", plain(&scenario.scenario))
}

/// A name as part of a file name.
pub(super) fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}

/// A comparison of ours as it is now with a framework on a scenario: as the last one was made, else with everything that
/// the contract says.
pub(super) fn compare(
    state: &State<'_>,
    scenario: &LockedScenario,
    framework: &str,
    output: &str,
) -> Vec<String> {
    let like = like(state, &scenario.scenario, framework);
    let mut command = match like {
        Some(like) => sides_of(like, framework),
        None => {
            let mut command = start("compare");
            for (flag, value) in [
                ("--a", "URL_OF_OURS"),
                ("--b", "URL_OF_THEIRS"),
                ("--subject", "SUBJECT_OF_OURS"),
                ("--b-subject", "SUBJECT_OF_THEIRS"),
            ] {
                argv::set(&mut command, flag, value);
            }
            command
        }
    };
    of_scenario(state, scenario, &mut command);
    match like
        .map(|like| &like.load)
        .or(state.loads.get(&scenario.scenario))
    {
        Some(load) => set_level(&mut command, load),
        None => argv::set(&mut command, "--concurrency", FIRST_CONCURRENCY),
    }
    let blocks = like.map_or(MIN_PAIRS as usize, |like| like.blocks.max(MIN_PAIRS as usize));
    argv::set(&mut command, "--blocks", &blocks.to_string());
    argv::set(&mut command, "-o", output);
    command
}

/// One more configuration of a framework, measured alone under the load of the comparison.
pub(super) fn run(state: &State<'_>, scenario: &LockedScenario, framework: &str) -> Vec<String> {
    let like = like(state, &scenario.scenario, framework);
    let mut command = start("run");
    argv::set(&mut command, "--url", "URL_OF_THEIRS");
    of_scenario(state, scenario, &mut command);
    match like {
        Some(like) => {
            for flag in OF_LOAD {
                if let Some(value) = argv::value(&like.command, flag) {
                    argv::set(&mut command, flag, value);
                }
            }
            set_level(&mut command, &like.load);
        }
        None => match state.loads.get(&scenario.scenario) {
            Some(load) => set_level(&mut command, load),
            None => argv::set(&mut command, "--concurrency", FIRST_CONCURRENCY),
        },
    }
    argv::set(&mut command, "--subject", "SUBJECT_OF_THEIRS");
    argv::set(&mut command, "-o", &format!("{framework}.json"));
    command
}

/// The comparison once more with both sides launched from a cleared environment: ours as it won.
pub(super) fn relaunched(
    state: &State<'_>,
    scenario: &LockedScenario,
    framework: &str,
    output: &str,
) -> Vec<String> {
    let command = compare(state, scenario, framework, output);
    let mut command = argv::without(
        &command,
        &["--a", "--b", "--a-cmd", "--b-cmd"],
        &["--swap", "--clear-env"],
    );
    command.extend(["--swap", "--clear-env"].map(str::to_owned));
    let theirs = state
        .benchmarks()
        .rev()
        .filter(|accepted| state.counts(accepted) && accepted.facts.sides.len() == 2)
        .map(|accepted| &accepted.facts.sides[1])
        .filter(|side| side.framework == framework)
        .find_map(|side| side.launch_argv.as_deref());
    let ours = state.best_argv();
    for (flag, launch, open) in [
        ("--a-cmd", ours, "ARGV_OF_OURS"),
        ("--b-cmd", theirs, "ARGV_OF_THEIRS"),
    ] {
        argv::set(
            &mut command,
            flag,
            &launch.map_or_else(|| open.to_owned(), launch_word),
        );
    }
    command
}

/// The comparison of an open attempt: ours with its change.
pub(super) fn changed(
    state: &State<'_>,
    open: &Attempt<'_>,
    scenario: &LockedScenario,
    framework: &str,
    output: &str,
) -> Vec<String> {
    let mut command = compare(state, scenario, framework, output);
    let begin = usize::try_from(open.begin_seq)
        .ok()
        .and_then(|seq| state.entries.get(seq));
    let file = begin.and_then(|entry| path_of(entry, Subject::SCHEMA));
    argv::set(&mut command, "--subject", file.unwrap_or("SUBJECT_OF_OURS"));
    let launch = open
        .begin
        .subject
        .as_ref()
        .map(|subject| &subject.launch_argv)
        .filter(|launch| !launch.is_empty());
    if argv::value(&command, "--a-cmd").is_some() {
        // A patch need not show in the launch; flags have to.
        match launch {
            Some(launch) => argv::set(&mut command, "--a-cmd", &launch_word(launch)),
            None if open.begin.kind.phase() == Phase::Tune => {
                argv::set(&mut command, "--a-cmd", "ARGV_OF_OURS");
            }
            None => {}
        }
    }
    command
}

/// The decision on the comparisons of an attempt, or of none: the latest, and those that are pooled with it.
pub(super) fn decide(state: &State<'_>, attempt: Option<&str>, output: &str) -> Vec<String> {
    let mut command = vec!["gap-decide".to_owned(), "--compare".to_owned()];
    for scenario in &state.lock.scenarios {
        for framework in &state.campaign.comparison {
            let pooled = pool(state, attempt, &scenario.scenario, framework);
            command.extend(
                pooled
                    .into_iter()
                    .filter_map(|compared| stored_as(state, compared)),
            );
        }
    }
    argv::set(&mut command, "--target", target(state));
    if let Some(metric) = &state.campaign.metric {
        argv::set(&mut command, "--metric", metric);
    }
    argv::set(&mut command, "-o", output);
    command
}

/// More pairs for a comparison that cannot tell yet, up to the next number at which gap-decide looks: the very command
/// that made it, because `--resume` takes no other.
pub(super) fn more_pairs(state: &State<'_>, row: &DecisionRow) -> Option<Vec<String>> {
    let compared = state
        .benchmarks()
        .rfind(|accepted| state.counts(accepted) && accepted.compares(&row.scenario, &row.other_framework))?;
    let output = stored_as(state, compared)?;
    let pairs = LOOKS.into_iter().find(|look| *look > row.pairs)?;
    let made_by = state.precedents.iter().find(|one| {
        one.scenario == row.scenario && one.framework == row.other_framework && !one.command.is_empty()
    })?;
    let mut command = argv::without(
        &made_by.command,
        &["--blocks", "-o", "--output", "--format"],
        &["--resume"],
    );
    // What is pooled with it has pairs, too.
    let blocks = made_by.blocks + (pairs - row.pairs) as usize;
    argv::set(&mut command, "--blocks", &blocks.to_string());
    argv::set(&mut command, "-o", &output);
    command.push("--resume".to_owned());
    Some(command)
}

/// A launch as one word, with the port that serve-bench chooses.
fn launch_word(launch: &[String]) -> String {
    let mut launch = launch.to_vec();
    if !launch.iter().any(|word| word.contains("{port}")) {
        let at = launch
            .iter()
            .position(|word| word == "--port" || word.starts_with("--port="));
        match at {
            Some(at) if launch[at] != "--port" => "--port={port}".clone_into(&mut launch[at]),
            Some(at) => {
                if let Some(port) = launch.get_mut(at + 1) {
                    "{port}".clone_into(port);
                }
            }
            None => {}
        }
    }
    serde_json::to_string(&launch).expect("strings are JSON")
}

/// Whether a first benchmark of this scenario would fix its load.
pub(super) fn is_first(state: &State<'_>, scenario: &LockedScenario) -> bool {
    !state
        .benchmarks()
        .any(|accepted| accepted.facts.scenario.as_deref() == Some(&scenario.scenario))
}

/// The comparison that is nearest to a wanted one: of its scenario and framework, else of the framework, else of the
/// scenario, else any.
fn like<'a>(state: &'a State<'_>, scenario: &str, framework: &str) -> Option<&'a Precedent> {
    state
        .precedents
        .iter()
        .max_by_key(|one| 2 * u8::from(one.framework == framework) + u8::from(one.scenario == scenario))
}

fn start(sub: &str) -> Vec<String> {
    vec!["serve-bench".to_owned(), sub.to_owned()]
}

/// The command of a comparison without what a new one sets anew; the other side only where it is the same framework.
fn sides_of(like: &Precedent, framework: &str) -> Vec<String> {
    let mut command = if like.command.is_empty() {
        let mut command = start("compare");
        argv::set(&mut command, "--a", &like.urls[0]);
        argv::set(&mut command, "--b", &like.urls[1]);
        command
    } else {
        argv::without(&like.command, &SET_ANEW, &["--resume"])
    };
    if like.framework != framework {
        command = argv::without(&command, &OF_THEIRS, &[]);
        let (flag, value) = if argv::value(&command, "--a-cmd").is_some() {
            ("--b-cmd", "ARGV_OF_THEIRS")
        } else {
            ("--b", "URL_OF_THEIRS")
        };
        argv::set(&mut command, flag, value);
        argv::set(&mut command, "--b-subject", "SUBJECT_OF_THEIRS");
    }
    command
}

fn of_scenario(state: &State<'_>, scenario: &LockedScenario, command: &mut Vec<String>) {
    argv::set(command, "--workload", &scenario.workload);
    argv::set(command, "--scenario", &scenario.scenario);
    argv::set(command, "--target", target(state));
}

/// The level of a load, where the command does not say it itself.
fn set_level(command: &mut Vec<String>, load: &LoadInfo) {
    let says = |flag: &str| argv::value(command, flag).is_some();
    if says("--concurrency") || says("--request-rate") {
        return;
    }
    if let Some(concurrency) = load.concurrency {
        argv::set(command, "--concurrency", &concurrency.to_string());
    } else if let Some(rate) = load.request_rate_rps {
        argv::set(command, "--request-rate", &rate.to_string());
    }
}
