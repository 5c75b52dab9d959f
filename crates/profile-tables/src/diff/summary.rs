//! Where most of the milliseconds went, and what to look at next.

use contracts::NextAction;
use contracts::profile_tables::diff::{DiffData, NormalisedBy, WaterfallRow};
use torch_trace::kernel_name::short;

/// Rows that the summary names.
const NAMED: usize = 3;

/// One or two sentences to act on.
pub(super) fn summary(data: &DiffData) -> String {
    let unit = match data.normalised_by {
        NormalisedBy::Step => "per step",
        NormalisedBy::Token => "per token",
        NormalisedBy::Trace => "whole traces",
    };
    let scale = Scale::of(data);
    let stage = if data.ours.stage == data.theirs.stage {
        data.ours.stage.clone()
    } else {
        format!("{} against {}", data.ours.stage, data.theirs.stage)
    };
    let head = format!(
        "{stage}, {unit}: ours {} {scale}, theirs {} {scale}",
        scale.time(data.ours_ns),
        scale.time(data.theirs_ns),
        scale = scale.name,
    );
    let behind = data.delta_ns > 0;
    let rows = explaining(data);
    if rows.is_empty() {
        return format!("{head}: no difference.");
    }
    let pct = 100.0 * data.delta_ns as f64 / data.theirs_ns.max(1) as f64;
    let named: Vec<String> = rows
        .iter()
        .take(NAMED)
        .map(|row| format!("{} {} {}", name_of(row), scale.signed(row.delta_ns), scale.name))
        .collect();
    let (word, most) = if behind {
        ("more", "Most of it")
    } else {
        ("less", "Most of the lead")
    };
    format!(
        "{head}: ours takes {:.1} % {word}. {most}: {}.{}{}",
        pct.abs(),
        named.join(", "),
        what_of(rows[0]),
        loses(data).map_or_else(String::new, |row| {
            format!(" Next: profile-tables on ours, for {}.", name_of(row))
        })
    )
}

/// Rows that pull the way of the whole difference, the largest first.
fn explaining(data: &DiffData) -> Vec<&WaterfallRow> {
    data.waterfall
        .iter()
        .filter(|row| row.delta_ns != 0 && (row.delta_ns > 0) == (data.delta_ns > 0))
        .collect()
}

/// The row in which ours loses most.
fn loses(data: &DiffData) -> Option<&WaterfallRow> {
    data.waterfall.iter().find(|row| row.delta_ns > 0)
}

/// What is behind the largest row.
fn what_of(row: &WaterfallRow) -> String {
    match (&row.family, &row.ours_most, &row.theirs_most) {
        (Some(_), Some(ours), Some(theirs)) if ours == theirs => {
            format!(" Both run {} most.", short(ours))
        }
        (Some(_), Some(ours), Some(theirs)) => {
            format!(" Ours runs {} most, theirs {}.", short(ours), short(theirs))
        }
        (Some(_), Some(ours), None) => format!(" Only ours has it: {}.", short(ours)),
        (None, Some(line), _) if row.delta_ns > 0 => format!(" Ours waits around {line}."),
        (None, _, Some(line)) if row.delta_ns < 0 => format!(" Theirs waits around {line}."),
        _ => String::new(),
    }
}

/// A row as people call it.
pub(super) fn name_of(row: &WaterfallRow) -> String {
    match (&row.family, row.idle_cause) {
        (Some(family), _) => family.clone(),
        (None, Some(cause)) => format!("idle: {}", cause.words()),
        (None, None) => "idle".to_owned(),
    }
}

/// The tables of our side, where the row in which it loses most can be read.
pub(super) fn next(data: &DiffData, traces: &[String]) -> Vec<NextAction> {
    let Some(row) = loses(data) else {
        return Vec::new();
    };
    let why = match row.family {
        Some(_) => format!(
            "see which kernels of {} ours runs, from which lines, and what could be fused",
            name_of(row)
        ),
        None => format!("see which lines ours waits in ({})", name_of(row)),
    };
    let mut command = vec!["profile-tables"];
    command.extend(traces.iter().map(String::as_str));
    if data.ours.stage_source == "flag" {
        command.extend(["--stage", "all"]);
    } else if ["prefill", "decode", "mixed"].contains(&data.ours.stage.as_str()) {
        command.extend(["--stage", &data.ours.stage]);
    }
    vec![NextAction::new(why, &command)]
}

/// The unit that a difference is read in: microseconds where a side is shorter than a millisecond.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) name: &'static str,
    ns: f64,
}

impl Scale {
    pub(super) fn of(data: &DiffData) -> Self {
        if data.ours_ns.min(data.theirs_ns) < 1_000_000 {
            Self { name: "us", ns: 1e3 }
        } else {
            Self { name: "ms", ns: 1e6 }
        }
    }

    pub(super) fn time(self, ns: i64) -> String {
        format!("{:.3}", ns as f64 / self.ns)
    }

    pub(super) fn signed(self, ns: i64) -> String {
        let text = format!("{:+.3}", ns as f64 / self.ns);
        if text.trim_start_matches(['+', '-']) == "0.000" {
            "0.000".to_owned()
        } else {
            text
        }
    }
}
