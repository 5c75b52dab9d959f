//! The sentences at the top of a document.

use contracts::ncu_digest::comparison::{Change, Pair};
use contracts::ncu_digest::kernel::{Bound, Kernel, SubBound};
use contracts::ncu_digest::report::{NextEdit, ReportData};

use crate::names::short;
use crate::written::duration;

/// Longest name in a sentence, in bytes.
const NAME_CAP: usize = 60;

pub(crate) fn summary(data: &ReportData) -> String {
    let mut text = String::new();
    if let Some((pair, others)) = data
        .comparison
        .as_ref()
        .and_then(|comparison| comparison.pairs.split_first())
    {
        text.push_str(&verdict(pair));
        text.push(' ');
        if let Some(other) = moved_most(pair, others) {
            text.push_str(&format!("But {} ", verdict(other)));
        }
    }
    let kernels = if data.candidate.is_some() {
        &data.candidate_kernels
    } else {
        &data.kernels
    };
    match &data.next_edit {
        Some(edit) => {
            let kernel = kernels.iter().find(|kernel| kernel.index == edit.kernel_index);
            text.push_str(&next(edit, kernel));
        }
        None => {
            let kernel = kernels.iter().find(|kernel| kernel.index == data.focus);
            let name = kernel.map_or_else(String::new, |kernel| short(&kernel.key, NAME_CAP));
            let class = kernel.and_then(|kernel| Some(class(kernel.bound?, kernel.sub_bound)));
            let is = class.map_or("has no known bound".to_owned(), |class| {
                format!("is bound by {class}")
            });
            text.push_str(&format!(
                "`{name}` {is}; the report lacks sections for a next edit."
            ));
        }
    }
    text
}

/// Of the other kernels the one that moved most, where the first one did not move as much: a headline must not hide it.
fn moved_most<'a>(first: &Pair, others: &'a [Pair]) -> Option<&'a Pair> {
    let by = |pair: &Pair| pair.duration_delta_pct.map_or(0.0, |pct| pct.get().abs());
    let moved = others
        .iter()
        .filter(|pair| matches!(pair.verdict, Change::Faster | Change::Slower) && by(pair) > by(first));
    moved.max_by(|a, b| by(a).total_cmp(&by(b)))
}

/// The verdict of a pair.
pub(crate) fn verdict(pair: &Pair) -> String {
    let word = word(pair.verdict);
    let by = match (pair.duration_verdict, pair.cycles_delta_pct) {
        (Change::ClockDrift, Some(cycles)) => {
            format!("{:+.1} % of the cycles (clocks drifted)", cycles.get())
        }
        _ => pair.duration_delta_pct.map_or_else(
            || "by no finite number".to_owned(),
            |pct| format!("{:+.1} %", pct.get()),
        ),
    };
    let noise = pair.noise_pct.map_or_else(
        || "noise not known".to_owned(),
        |noise| format!("noise {:.1} %", noise.get()),
    );
    format!(
        "{word}{}: `{}` {} → {}, {by}, {noise}.",
        if pair.provisional { " (provisional)" } else { "" },
        short(&pair.candidate.key, NAME_CAP),
        duration(pair.baseline.duration_ns.value.get()),
        duration(pair.candidate.duration_ns.value.get())
    )
}

pub(crate) fn word(change: Change) -> &'static str {
    match change {
        Change::Faster => "faster",
        Change::Slower => "slower",
        Change::NoChange => "no change",
        Change::ClockDrift => "clock drift",
        Change::Unknown => "not known",
    }
}

fn next(edit: &NextEdit, kernel: Option<&Kernel>) -> String {
    let facts = kernel.map_or_else(String::new, |kernel| {
        let time = kernel
            .duration_ns
            .as_ref()
            .map(|counter| duration(counter.value.get()));
        let class = kernel.bound.map(|bound| class(bound, kernel.sub_bound));
        format!(
            " ({}{})",
            time.map_or_else(String::new, |time| format!("{time}, ")),
            class.map_or("bound not known".to_owned(), |class| format!("bound by {class}"))
        )
    });
    let name = kernel.map_or(edit.kernel.as_str(), |kernel| kernel.key.as_str());
    let symptom = edit.symptom.first().map_or("", String::as_str);
    format!(
        "{} for `{}`{facts}: {}, because {symptom}.",
        edit.id,
        short(name, NAME_CAP),
        edit.edit
    )
}

/// A class in words.
pub(crate) fn class(bound: Bound, sub_bound: Option<SubBound>) -> String {
    let bound = match bound {
        Bound::Compute => "compute",
        Bound::Memory => "memory",
        Bound::Latency => "latency",
        Bound::Balanced => "compute and memory alike",
        Bound::Comm => "communication",
    };
    let part = match sub_bound {
        Some(SubBound::Small) => " (small)",
        Some(SubBound::Dram) => " (DRAM)",
        Some(SubBound::L2) => " (L2)",
        Some(SubBound::L1) => " (L1)",
        None => "",
    };
    format!("{bound}{part}")
}
