//! The digest of a report, and of a baseline beside a candidate.

use cli_kit::{Binding, Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::ncu_digest::comparison::{Change, Comparison};
use contracts::ncu_digest::kernel::Kernel;
use contracts::ncu_digest::report::{ReportData, SCHEMA};
use contracts::{Exit, NextAction, Warning};

use crate::cli::{Args, DigestArgs};
use crate::decided::{Decided, compared, single};
use crate::declared::Declared;
use crate::error::DigestError;
use crate::groups::{Group, duration_ns, groups};
use crate::read::{Side, pattern};
use crate::{edits, render, summary};

/// Kernels in a document without `--all`.
const KERNELS: usize = 10;

pub(crate) fn run(args: &DigestArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let declared = Declared::read(&args.declare)?;
    let pattern = pattern(args.kernel.as_deref())?;
    let pair = args.pair.as_deref().map(sides_of).transpose()?;
    let path = args.report.as_deref().expect("clap asks for a report");
    let baseline = Side::read(path, pattern.as_ref(), args.no_redact)?;
    let simulated = baseline.is_simulated();
    let binding = args.bind.read(None, simulated)?;
    let mut parts = DocumentParts::new(SCHEMA);
    parts.simulated = simulated;
    parts.inputs.push(baseline.input.clone());
    let was_named = pattern.is_some();
    let data = match &args.candidate {
        None => {
            let decided = single(&baseline, &declared, was_named)?;
            parts.warnings.extend(decided.warnings.clone());
            parts.warnings.extend(baseline.warnings());
            data(&baseline, None, decided, None, args.all)
        }
        Some(path) => {
            let candidate = Side::read(path, pattern.as_ref(), args.no_redact)?;
            parts.inputs.push(candidate.input.clone());
            let (comparison, decided) = compared(&baseline, &candidate, pair, was_named, &declared)?;
            parts.warnings.extend(decided.warnings.clone());
            parts.warnings.extend(baseline.warnings());
            parts.warnings.extend(candidate.warnings());
            data(&baseline, Some(&candidate), decided, Some(comparison), args.all)
        }
    };
    if let Some(binding) = binding {
        parts
            .warnings
            .extend(other_gpu(&binding, data.report.gpu.as_deref()));
        parts.bind(binding);
    }
    parts.summary = summary::summary(&data);
    parts.next_actions = next_actions(&data, &parts);
    // A page without an edit is a page, and not what was asked for.
    let first = data
        .comparison
        .as_ref()
        .and_then(|comparison| comparison.pairs.first());
    let is_answered = match first {
        Some(pair) => pair.verdict != Change::Unknown,
        None => data.next_edit.is_some(),
    };
    let exit = if is_answered { Exit::Ok } else { Exit::Undecided };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render::report(&document, output.top);
    Ok(Report::new(&document, view, exit))
}

/// A benchmark of another GPU is explained by no counter of this one; where its machine was not the client's, nobody knows.
fn other_gpu(binding: &Binding, gpu: Option<&str>) -> Option<Warning> {
    let gpu = gpu?;
    let seen: Vec<&str> = binding
        .environment
        .known("gpu")?
        .as_array()?
        .iter()
        .filter_map(|name| name.as_str())
        .collect();
    (!seen.is_empty() && !seen.iter().any(|name| name.contains(gpu))).then(|| {
        Warning::new(
            "gpu-differs-from-benchmark",
            format!(
                "the report is of {gpu}, and the benchmark saw {}",
                contracts::text::clean(&seen.join(", "), 200)
            ),
        )
    })
}

fn sides_of(pair: &str) -> Result<(&str, &str), DigestError> {
    let sides = pair.split_once('=');
    let sides = sides.filter(|(a, b)| !a.is_empty() && !b.is_empty());
    sides.ok_or_else(|| DigestError::Pair(pair.to_owned()))
}

fn data(
    baseline: &Side,
    candidate: Option<&Side>,
    decided: Decided,
    comparison: Option<Comparison>,
    all: bool,
) -> ReportData {
    let cap = if all { usize::MAX } else { KERNELS };
    let focus = decided.focus;
    let of_baseline = candidate.is_none();
    let kernels = longest_first(&baseline.kernels, cap, of_baseline.then_some(focus));
    ReportData {
        next_edit: decided.next_edit,
        focus,
        comparison,
        report: baseline.capture.clone(),
        candidate: candidate.map(|side| side.capture.clone()),
        kernels_left_out: (baseline.kernels.len() - kernels.len()) as u64,
        kernels,
        candidate_kernels: candidate
            .map(|side| longest_first(&side.kernels, cap, Some(focus)))
            .unwrap_or_default(),
        groups: groups(&baseline.kernels).iter().map(Group::row).collect(),
    }
}

/// The longest kernels, `cap` at most; the one that the decision is about is among them.
fn longest_first(kernels: &[Kernel], cap: usize, focus: Option<u64>) -> Vec<Kernel> {
    let mut kernels = kernels.to_vec();
    kernels.sort_by(|a, b| {
        duration_ns(b)
            .total_cmp(&duration_ns(a))
            .then(a.index.cmp(&b.index))
    });
    let at = kernels.iter().position(|kernel| Some(kernel.index) == focus);
    if let Some(at) = at.filter(|at| *at >= cap) {
        kernels.swap(at, cap - 1);
    }
    kernels.truncate(cap);
    kernels
}

fn next_actions(data: &ReportData, parts: &DocumentParts) -> Vec<NextAction> {
    let Some(edit) = &data.next_edit else {
        return Vec::new();
    };
    // The edit is of the candidate, where there is one.
    let report = if data.candidate.is_some() {
        parts.inputs.get(1)
    } else {
        parts.inputs.first()
    };
    match (edits::look(&edit.id), report) {
        (Some(pattern), Some(input)) => vec![NextAction::new(
            format!("the metrics behind {}", edit.id),
            &[
                "ncu-digest",
                "metrics",
                &input.path,
                "--match",
                pattern,
                "--format",
                "markdown",
            ],
        )],
        _ => Vec::new(),
    }
}
