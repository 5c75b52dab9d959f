//! The digest of a report, and of a baseline beside a candidate.

use cli_kit::{Binding, Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::ncu_digest::comparison::Comparison;
use contracts::ncu_digest::kernel::Kernel;
use contracts::ncu_digest::report::{NextEdit, ReportData, SCHEMA};
use contracts::{Exit, NextAction, Warning};

use crate::cli::{Args, DigestArgs};
use crate::comparison::{Settings, comparison};
use crate::declared::Declared;
use crate::error::DigestError;
use crate::groups::{Group, groups};
use crate::matching::{Groups, matched};
use crate::read::{Side, pattern};
use crate::{collect, edits, refusal, render, summary};

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
    let exit = if data.next_edit.is_some() || data.comparison.is_some() {
        Exit::Ok
    } else {
        Exit::Undecided
    };
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

/// What was decided, and what a reader has to know of it.
struct Decided {
    focus: u64,
    next_edit: Option<NextEdit>,
    warnings: Vec<Warning>,
}

fn single(side: &Side, declared: &Declared, was_named: bool) -> Result<Decided, DigestError> {
    let groups = groups(&side.kernels);
    let group = refusal::focus(side, &groups, was_named)?;
    let kernel = group.typical();
    refusal::needs_passes(side, kernel)?;
    refusal::needs_class(side, kernel)?;
    Ok(decided(side, kernel, declared))
}

/// The edit of a kernel, where its sections are complete.
fn decided(side: &Side, kernel: &Kernel, declared: &Declared) -> Decided {
    let raw = side.raw(kernel);
    let mut warnings = kernel.warnings.clone();
    if !kernel.missing.is_empty() {
        warnings.push(Warning::new(
            "missing-section",
            format!(
                "no edit without {}; collect again: {}",
                kernel.missing.join(", "),
                collect::again(raw)
            ),
        ));
        return Decided {
            focus: kernel.index,
            next_edit: None,
            warnings,
        };
    }
    let edit = edits::next_edit(kernel, raw, declared);
    if edit.id == "E04" && declared.dtype.is_none() {
        warnings.push(Warning::new(
            "dtype-unknown",
            "a report does not say which type the kernel needs: if it is FP64, --declare dtype=fp64",
        ));
    }
    if kernel.rules.is_empty() {
        warnings.push(Warning::new(
            "rules-not-stored",
            "no rule of Nsight Compute is stored (a CSV holds none): E05b, which needs an estimate, was not judged",
        ));
    }
    Decided {
        focus: kernel.index,
        next_edit: Some(edit),
        warnings,
    }
}

fn compared(
    baseline: &Side,
    candidate: &Side,
    pair: Option<(&str, &str)>,
    was_named: bool,
    declared: &Declared,
) -> Result<(Comparison, Decided), DigestError> {
    refusal::needs_one_setting(&baseline.capture, &candidate.capture)?;
    let (base_groups, cand_groups) = (groups(&baseline.kernels), groups(&candidate.kernels));
    let sides = [
        Groups {
            side: baseline,
            groups: &base_groups,
        },
        Groups {
            side: candidate,
            groups: &cand_groups,
        },
    ];
    let matched = matched(&sides[0], &sides[1], pair, was_named, declared)?;
    let (first, partner): (&Group<'_>, &Group<'_>) = matched.pairs[0];
    refusal::needs_passes(baseline, first.typical())?;
    refusal::needs_passes(candidate, partner.typical())?;
    let mut decided = decided(candidate, partner.typical(), declared);
    let settings = settings(baseline, candidate, &mut decided.warnings);
    Ok((comparison(matched, settings)?, decided))
}

/// What is known of both captures; a warning for each that is not.
fn settings(baseline: &Side, candidate: &Side, warnings: &mut Vec<Warning>) -> Settings {
    let (a, b) = (&baseline.capture, &candidate.capture);
    let release = |version: &Option<String>| {
        let version = version.as_deref()?;
        let mut parts = version.split('.');
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    };
    let (old, new) = (release(&a.ncu_version), release(&b.ncu_version));
    let compares_metrics = old.is_some() && old == new;
    if !compares_metrics {
        let name = |version: &Option<String>| version.clone().unwrap_or_else(|| "unknown".to_owned());
        warnings.push(Warning::new(
            "ncu-version-mismatch",
            format!(
                "Nsight Compute {} and {}: only durations and cycles are compared, and the verdict is provisional",
                name(&a.ncu_version),
                name(&b.ncu_version)
            ),
        ));
    }
    let unknown = [
        (
            "--clock-control",
            a.clock_control.is_none() || b.clock_control.is_none(),
        ),
        ("the GPU", a.gpu.is_none() || b.gpu.is_none()),
    ];
    let unknown: Vec<&str> = unknown
        .iter()
        .filter(|(_, is)| *is)
        .map(|(name, _)| *name)
        .collect();
    if !unknown.is_empty() {
        warnings.push(Warning::new(
            "capture-setting-unknown",
            format!(
                "a side does not say {}: the verdict is provisional",
                unknown.join(" and ")
            ),
        ));
    }
    Settings {
        compares_metrics,
        is_known: unknown.is_empty(),
    }
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
    let duration = |kernel: &Kernel| {
        kernel
            .duration_ns
            .as_ref()
            .map_or(0.0, |counter| counter.value.get())
    };
    kernels.sort_by(|a, b| duration(b).total_cmp(&duration(a)).then(a.index.cmp(&b.index)));
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
