//! What to look at next: of idle time, kernels, fusions and exposed communication, what takes most.

use std::path::PathBuf;

use contracts::NextAction;
use contracts::profile_tables::report::{FuseState, Stage};
use torch_trace::short;

/// Actions that are named.
const MOST: usize = 3;
/// Below this share of the span nothing is a reason for a change, percent.
const LEAST_PCT: i64 = 1;

/// A reason with its time.
struct Finding {
    ns: i64,
    action: NextAction,
}

/// The largest findings of all stages, largest first.
pub(crate) fn next_actions(traces: &[PathBuf], stages: &[Stage], has_engine: bool) -> Vec<NextAction> {
    let mut findings: Vec<Finding> = stages
        .iter()
        .flat_map(|stage| {
            let found = [
                // Of a program that is no engine, the kernels have no layers to be looked at by.
                idle(traces, stage).filter(|_| has_engine),
                kernel(traces, stage),
                fusion(traces, stage),
                comm(traces, stage),
            ];
            let enough = |finding: &Finding| finding.ns * 100 >= stage.span_ns * LEAST_PCT && finding.ns > 0;
            found.into_iter().flatten().filter(enough)
        })
        .collect();
    // Equals keep the order of the stages.
    findings.sort_by_key(|finding| -finding.ns);
    findings.truncate(MOST);
    findings.into_iter().map(|finding| finding.action).collect()
}

fn idle(traces: &[PathBuf], stage: &Stage) -> Option<Finding> {
    let row = stage.idle.first()?;
    let around = row.python_location.as_ref();
    let lever = row.levers.first();
    let mut command = with_traces(&["pipeline-analysis"], traces);
    command.push("--flow".to_owned());
    Some(Finding {
        ns: row.ns,
        action: NextAction {
            why: format!(
                "{}: the device waits {} ms of {} ms: {}{}{}; see between which kernels",
                stage.stage,
                ms(row.ns),
                ms(stage.span_ns),
                row.cause.words(),
                around.map(|line| format!(" around {line}")).unwrap_or_default(),
                lever
                    .map(|lever| format!("; to try: {}", lever.change))
                    .unwrap_or_default(),
            ),
            command,
        },
    })
}

fn kernel(traces: &[PathBuf], stage: &Stage) -> Option<Finding> {
    let row = stage.kernel_table.first()?;
    let share = row.share_pct?.get();
    Some(Finding {
        ns: (share / 100.0 * stage.gpu_busy_ns as f64).round() as i64,
        action: NextAction {
            why: format!(
                "{}: {} takes {share:.1} % of the busy time{}; see what it is called with",
                stage.stage,
                short(&row.kernel),
                off_path(stage, &row.kernel)
            ),
            command: rows(traces, stage, &[&row.kernel]),
        },
    })
}

/// That making a kernel faster shortens nothing, where the path is known and does not hold it.
fn off_path(stage: &Stage, kernel: &str) -> &'static str {
    let mut rows = stage.overlap_table.iter();
    if rows.any(|row| row.kernel == kernel && row.critical_ns == Some(0)) {
        ", and none of it is on the critical path"
    } else {
        ""
    }
}

/// The fusion that shortens the span most. One that the critical path has no time of is no reason for a change.
fn fusion(traces: &[PathBuf], stage: &Stage) -> Option<Finding> {
    let split = stage
        .fuse_table
        .iter()
        .filter(|row| row.state == FuseState::Split);
    let row = split.max_by_key(|row| row.shortens_ns.or(row.estimated_saving_ns))?;
    let saving_ns = row.shortens_ns.or(row.estimated_saving_ns)?;
    let kernels: Vec<&str> = row.kernels.iter().map(String::as_str).collect();
    Some(Finding {
        ns: saving_ns,
        action: NextAction {
            why: format!(
                "{}: {} is split {} times, and saves {} ms at most ({}); see what its kernels are called with",
                stage.stage,
                row.pattern,
                row.occurrences,
                ms(saving_ns),
                row.source
            ),
            command: rows(traces, stage, &kernels),
        },
    })
}

fn comm(traces: &[PathBuf], stage: &Stage) -> Option<Finding> {
    let row = stage.kernel_table.iter().find(|row| row.family == "comm")?;
    // The kernel with most time says so itself.
    let first = stage.kernel_table.first()?;
    let exposed_ns = stage.comm_ns - stage.comm_hidden_ns;
    (first.kernel != row.kernel).then(|| Finding {
        ns: exposed_ns,
        action: NextAction {
            why: format!(
                "{}: {} ms of communication with no other work beside it, most of it {}{}; see what it is called with",
                stage.stage,
                ms(exposed_ns),
                short(&row.kernel),
                off_path(stage, &row.kernel)
            ),
            command: rows(traces, stage, &[&row.kernel]),
        },
    })
}

/// `profile-tables rows` for some kernels, by the names that tables print.
fn rows(traces: &[PathBuf], stage: &Stage, kernels: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = kernels
        .iter()
        .map(|kernel| regex::escape(&short(kernel)))
        .collect();
    names.sort();
    names.dedup();
    let mut command = with_traces(&["profile-tables", "rows"], traces);
    command.extend(["--kernel".to_owned(), names.join("|")]);
    if matches!(stage.stage.as_str(), "prefill" | "decode" | "mixed") {
        command.extend(["--stage".to_owned(), stage.stage.clone()]);
    }
    command
}

fn with_traces(words: &[&str], traces: &[PathBuf]) -> Vec<String> {
    let paths = traces.iter().map(|path| path.display().to_string());
    words.iter().map(|word| (*word).to_owned()).chain(paths).collect()
}

fn ms(ns: i64) -> String {
    format!("{:.3}", ns as f64 / 1e6)
}
