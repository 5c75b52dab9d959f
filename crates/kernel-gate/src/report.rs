//! `kernel-gate judge`: files in, document and view out.

use std::path::Path;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report, input_of, read_bounded};
use contracts::fields::sha256_hex;
use contracts::kernel_gate::results::Peaks;
use contracts::kernel_gate::verdict::{SCHEMA, TimeKind, Verdict, VerdictData};
use contracts::{Exit, Input, Warning};

use crate::amdahl::Share;
use crate::cli::{Args, FailOn, JudgeArgs};
use crate::error::GateError;
use crate::judge::{Evidence, judge};
use crate::ledger::{self, Ledger};
use crate::{dispatch, render, row_set, summary};

/// Largest file of results.
const LEDGER_CAP: u64 = 256 << 20;
/// Largest dispatch.
const DISPATCH_CAP: u64 = 1 << 20;
/// Largest file of a baseline or a candidate.
pub(crate) const SOURCE_CAP: u64 = 512 << 20;

pub(crate) fn run(args: &JudgeArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let peaks = Peaks {
        bytes_per_s: positive("--peak-bytes-per-s", args.peak_bytes_per_s)?,
        flops_per_s: positive("--peak-flops-per-s", args.peak_flops_per_s)?,
    };
    let share = share(args)?;
    let mut parts = DocumentParts::new(SCHEMA);
    let mut load = |path: &Path| -> Result<Ledger, Failure> {
        let (ledger, input) = read(path)?;
        parts.inputs.push(input);
        Ok(ledger)
    };
    let results = load(&args.results)?;
    let aa = args.aa.as_deref().map(&mut load).transpose()?;
    let reruns: Vec<Ledger> = args
        .rerun
        .iter()
        .map(|path| load(path))
        .collect::<Result<_, _>>()?;
    let set = match &args.workloads {
        Some(path) => {
            let (set, input) = row_set::load(path)?;
            parts.inputs.push(input);
            Some(set)
        }
        None => None,
    };
    let mut hashed = |path: &Path, cap: u64| -> Result<(Vec<u8>, String), Failure> {
        let bytes = read_bounded(path, cap)?;
        parts.inputs.push(input_of(path, &bytes));
        let hash = sha256_hex(&bytes);
        Ok((bytes, hash))
    };
    let dispatch = match &args.dispatch {
        Some(path) => {
            let (bytes, hash) = hashed(path, DISPATCH_CAP)?;
            let table = dispatch::read(&bytes).map_err(|what| GateError::Dispatch {
                path: path.display().to_string(),
                what,
            })?;
            Some((table, hash))
        }
        None => None,
    };
    let candidate = match &args.candidate {
        Some(path) => Some(hashed(path, SOURCE_CAP)?.1),
        None => None,
    };
    let data = judge(&Evidence {
        results: &results,
        rows: set.as_ref(),
        aa: aa.as_ref(),
        reruns: reruns.iter().collect(),
        dispatch: dispatch.as_ref().map(|(table, hash)| (table, hash.as_str())),
        candidate_sha256: candidate.as_deref(),
        peaks,
        share,
    });
    // A kernel is measured on a real device, so it explains no simulated engine.
    if let Some(binding) = args.bind.read(None, false)? {
        parts.bind(binding);
    }
    parts.warnings = warnings(&results, &data);
    parts.summary = summary::summary(&data);
    parts.next_actions = summary::commands(&data, args.workloads.as_deref());
    let exit = exit(data.verdict, args.fail_on);
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render::verdict(&document, output.top);
    Ok(Report::new(&document, view, exit))
}

fn read(path: &Path) -> Result<(Ledger, Input), Failure> {
    let bytes = read_bounded(path, LEDGER_CAP)?;
    let ledger = ledger::read(&bytes).map_err(|source| GateError::Ledger {
        path: path.display().to_string(),
        source,
    })?;
    Ok((ledger, input_of(path, &bytes)))
}

fn positive(flag: &'static str, value: Option<f64>) -> Result<Option<f64>, GateError> {
    match value {
        Some(value) if !(value > 0.0 && value.is_finite()) => Err(GateError::OutOfRange {
            flag,
            value,
            range: "more than 0",
        }),
        value => Ok(value),
    }
}

fn share(args: &JudgeArgs) -> Result<Option<Share>, GateError> {
    let Some(pct) = args.share else {
        return Ok(None);
    };
    if !(0.0..=100.0).contains(&pct) {
        return Err(GateError::OutOfRange {
            flag: "--share",
            value: pct,
            range: "0 to 100",
        });
    }
    let claim = positive("--claim", args.claim)?;
    Ok(Some(Share { pct, claim }))
}

/// Verdicts end with 0 unless they were asked for; what is no answer ends with 5.
fn exit(verdict: Verdict, fail_on: Option<FailOn>) -> Exit {
    match verdict {
        Verdict::Invalid | Verdict::Inconclusive => Exit::Undecided,
        Verdict::Reject | Verdict::RejectCorrectness if fail_on == Some(FailOn::Reject) => Exit::GateNotMet,
        Verdict::Reject | Verdict::RejectCorrectness => Exit::Ok,
        Verdict::Promote | Verdict::PromoteWithDispatch => Exit::Ok,
    }
}

fn warnings(ledger: &Ledger, data: &VerdictData) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if data.judged_on == Some(TimeKind::Wall) {
        warnings.push(Warning::new(
            "judged-on-wall",
            "there are no device times of all production rows: wall times decide, and the host's part is in them",
        ));
    }
    if ledger.other_events > 0 {
        warnings.push(Warning::new(
            "events-unknown",
            format!("{} lines have an event that is not known", ledger.other_events),
        ));
    }
    if data
        .amdahl
        .as_ref()
        .is_some_and(|amdahl| amdahl.claim_contradicted == Some(true))
    {
        warnings.push(Warning::new(
            "claim-beyond-amdahl",
            "the claimed end-to-end gain is more than the kernel's share allows",
        ));
    }
    warnings
}
