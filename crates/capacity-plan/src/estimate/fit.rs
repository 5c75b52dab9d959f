//! Whether an estimate fits, and the smallest change that makes it fit.

use capacity::{Demand, Fits, GIB, KvDtype, Parallel, Room};
use contracts::capacity_plan::report::{Fit, FitVerdict};
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use contracts::{Exit, NextAction};

use crate::cli::{EstimateArgs, FailOn};

/// Ranks of tensor parallelism that are offered: those of one machine.
const MOST_TP: u64 = 8;
/// Pipeline stages that are offered.
const MOST_PP: u64 = 32;

/// As documents have it: of the longest length that was asked for. One above the longest context of the model fits nowhere.
pub(super) fn fit(demand: &Demand<'_>, room: &Room, context: Option<u64>) -> Fit {
    if let Some(longest) = context.filter(|longest| demand.length > *longest) {
        return Fit {
            verdict: FitVerdict::No,
            length_tokens: demand.length,
            needed_bytes: None,
            available_bytes: room.available_bytes().round() as u64,
            why: Some(format!("the longest context of the model is {longest} tokens")),
        };
    }
    let (verdict, needed_bytes, why) = match demand.fits(room) {
        Fits::Yes => (FitVerdict::Yes, None, None),
        Fits::No { needed_bytes, .. } => (FitVerdict::No, Some(needed_bytes.round() as u64), None),
        Fits::Unknown { why } => (FitVerdict::Unknown, None, Some(clean(&why, FOREIGN_TEXT_CAP))),
    };
    Fit {
        verdict,
        length_tokens: demand.length,
        needed_bytes,
        available_bytes: room.available_bytes().round() as u64,
        why,
    }
}

/// How the process ends: nothing is a gate unless it was asked for. What the longest length fits into, shorter ones do.
pub(super) fn exit(fail_on: Option<FailOn>, verdict: FitVerdict) -> Exit {
    match (fail_on, verdict) {
        (None, _) | (_, FitVerdict::Yes) => Exit::Ok,
        (Some(FailOn::DoesNotFit), FitVerdict::No) => Exit::GateNotMet,
        (Some(FailOn::DoesNotFit), FitVerdict::Unknown) => Exit::Undecided,
    }
}

/// The same estimate with smaller keys, or else with the fewest ranks that fit; `None` where nothing does, or what was read
/// cannot be read again.
pub(super) fn next_action(args: &EstimateArgs, demand: &Demand<'_>, room: &Room) -> Option<NextAction> {
    let is_read_once = |path: &std::path::PathBuf| path.as_os_str() == "-";
    let mut files = [&args.quantization, &args.draft_config].into_iter().flatten();
    if is_read_once(&args.config) || files.any(is_read_once) {
        return None;
    }
    let offered = smallest(demand, room)?;
    let ranks = offered.parallel.tp * offered.parallel.pp;
    let keys = offered.kv_dtype.name();
    let why = if offered.parallel == demand.parallel {
        format!("it fits with keys and values in {keys}; check the quality of answers with them")
    } else {
        format!("the fewest ranks that hold it: {ranks}, with keys and values in {keys}")
    };
    Some(NextAction {
        why,
        command: command(args, &offered),
    })
}

/// The demand with smaller keys or more ranks that fits for certain.
fn smallest<'a>(demand: &Demand<'a>, room: &Room) -> Option<Demand<'a>> {
    let now = demand.parallel;
    let doubled = |from: u64, most: u64| {
        std::iter::successors(Some(from), move |n| n.checked_mul(2).filter(|n| *n <= most))
    };
    let mut divisions: Vec<(u64, u64)> = doubled(now.tp, MOST_TP)
        .flat_map(|tp| doubled(now.pp, MOST_PP).map(move |pp| (tp, pp)))
        .collect();
    // Of as many ranks, fewer stages: each stage waits for the one before.
    divisions.sort_by_key(|(tp, pp)| (tp * pp, *pp));
    let is_wide = matches!(demand.kv_dtype, KvDtype::Bf16 | KvDtype::Fp32);
    let smaller_keys = is_wide.then_some(Demand {
        kv_dtype: KvDtype::Fp8,
        ..*demand
    });
    let divided = divisions
        .into_iter()
        .skip(1)
        .map(|(tp, pp)| demand.divided(tp, pp));
    smaller_keys
        .into_iter()
        .chain(divided)
        .find(|offered| offered.fits(room) == Fits::Yes)
}

fn command(args: &EstimateArgs, offered: &Demand<'_>) -> Vec<String> {
    let path = |path: &std::path::PathBuf| Some(path.display().to_string());
    let number = |value: f64, default: f64| (value != default).then(|| value.to_string());
    let Parallel {
        tp, pp, attention_dp, ..
    } = offered.parallel;
    let above_one = |count: u64| (count > 1).then(|| count.to_string());
    let flags = [
        ("--config", path(&args.config)),
        ("--quantization", args.quantization.as_ref().and_then(path)),
        ("--draft-config", args.draft_config.as_ref().and_then(path)),
        ("--gpu", args.gpu.clone()),
        ("--gpu-memory-gib", args.gpu_memory_gib.map(|gib| gib.to_string())),
        ("--tp", Some(tp.to_string())),
        ("--pp", above_one(pp)),
        ("--attention-dp", above_one(attention_dp)),
        ("--kv-dtype", Some(offered.kv_dtype.name().to_owned())),
        ("--memory-fraction", number(args.memory_fraction, 0.9)),
        (
            "--weights-gib",
            // Rounded up: what fits as it is said must fit as it is typed.
            offered
                .weights_bytes
                .map(|bytes| format!("{:.2}", (bytes / GIB * 100.0).ceil() / 100.0)),
        ),
        ("--reserve-gib", number(args.reserve_gib, 2.0)),
        (
            "--page-size",
            (args.page_size != 16).then(|| args.page_size.to_string()),
        ),
        (
            "--max-running-requests",
            args.max_running_requests.map(|most| most.to_string()),
        ),
        ("--lengths", args.load.lengths.clone()),
        (
            "--shared-prefix",
            args.load.shared_prefix.map(|tokens| tokens.to_string()),
        ),
        ("--format", Some("markdown".to_owned())),
    ];
    let mut command = vec!["capacity-plan".to_owned(), "estimate".to_owned()];
    for (flag, value) in flags {
        command.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
    }
    for (flag, is_given) in [
        ("--mtp", args.mtp),
        ("--windows-kept-whole", args.windows_kept_whole),
    ] {
        command.extend(is_given.then(|| flag.to_owned()));
    }
    if args.fail_on.is_some() {
        command.extend(["--fail-on", "does-not-fit"].map(str::to_owned));
    }
    command
}
