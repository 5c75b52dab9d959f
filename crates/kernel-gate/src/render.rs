//! The verdict as people read it: verdict and reasons, losses, dispatch, rows. Nothing is computed here.

use cli_kit::{Align, Table, View};
use contracts::kernel_gate::verdict::{
    Amdahl, Class, Deployed, Dispatch, Effect, Loss, Row, TimeKind, VerdictData,
};
use contracts::{Document, Finite};

use crate::summary::words;

/// Widest id of a table, characters.
const ID_WIDTH: usize = 36;
/// Most rows that a reason names in a view; the document names more.
const MOST_NAMED: usize = 4;
/// Most reasons of a view.
const MOST_REASONS: usize = 20;

pub(crate) fn verdict(document: &Document<VerdictData>, top: usize) -> View {
    let data = &document.data;
    let mut view = View::new()
        .heading(format!("Verdict: {}", words(data.verdict)))
        .head(document)
        .list(headline(data));
    view = view.heading("Reasons").table(reasons(data));
    if !data.losses.is_empty() {
        view = view.heading("Material losses").table(losses(&data.losses, top));
    }
    if let Some(dispatch) = &data.dispatch {
        view = view.heading("Dispatch").table(buckets(dispatch));
    }
    if !data.rows.is_empty() {
        view = view.heading("Rows, the slowest first").table(rows(data, top));
    }
    if !data.next_actions.is_empty() {
        let steps = data.next_actions.iter();
        let steps = steps.map(|step| {
            let rows = match step.rows.as_slice() {
                [] => String::new(),
                rows => format!(" [{}]", named(rows, 6)),
            };
            format!("{}: {}{rows}", step.code, step.why)
        });
        view = view.heading("Next").list(steps.collect());
    }
    view.next(document)
}

fn headline(data: &VerdictData) -> Vec<String> {
    let mut lines = Vec::new();
    let kinds = [
        (
            "device",
            TimeKind::Device,
            data.geomean.device,
            data.time_weighted.device,
        ),
        ("wall", TimeKind::Wall, data.geomean.wall, data.time_weighted.wall),
    ];
    let weight = if data.weighted_by_calls {
        "time × calls"
    } else {
        "time-weighted"
    };
    for (name, kind, mean, weighted) in kinds {
        let decides = if data.judged_on == Some(kind) {
            " (decides)"
        } else {
            ""
        };
        lines.push(match mean {
            None => format!("{name}: not measured of all production rows"),
            Some(mean) => format!(
                "{name}{decides}: geometric mean {:.4} · {weight} {}",
                mean.get(),
                ratio(weighted)
            ),
        });
    }
    let counts = &data.counts;
    let parts = [
        (counts.win, "win"),
        (counts.parity, "parity"),
        (counts.loss, "loss"),
        (counts.material_loss, "material loss"),
        (counts.not_measured, "not measured"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, name)| format!("{count} {name}")).collect();
    lines.push(format!(
        "{} production rows: {}; {} others",
        counts.production,
        parts.join(", "),
        counts.other
    ));
    match &data.aa {
        Some(aa) => lines.push(format!(
            "A/A: {} rows, geometric mean {:.4}, p90 {:.2} %, largest {:.2} %",
            aa.rows,
            aa.geomean.get(),
            aa.p90_pct.get(),
            aa.max_pct.get()
        )),
        None => lines.push("A/A: none".to_owned()),
    }
    lines.extend(data.amdahl.as_ref().map(amdahl));
    lines
}

fn amdahl(amdahl: &Amdahl) -> String {
    let claim = match (amdahl.claim, amdahl.claim_contradicted) {
        (Some(claim), Some(true)) => format!("; the claim of {claim}x is beyond it"),
        (Some(claim), Some(false)) => format!("; the claim of {claim}x is within it"),
        _ => String::new(),
    };
    let of = match amdahl.speedup_of {
        Deployed::Candidate => "",
        Deployed::Dispatch => " behind the dispatch",
    };
    format!(
        "Amdahl: {:.1} % of the run, kernel{of} {}x, end to end {}x, at most {}x{claim}",
        amdahl.share_pct.get(),
        ratio(amdahl.kernel_speedup),
        ratio(amdahl.end_to_end),
        ratio(amdahl.limit),
    )
}

fn reasons(data: &VerdictData) -> Table {
    let mut table = Table::new(&[
        ("effect", Align::Left),
        ("code", Align::Left),
        ("reason", Align::Left),
    ]);
    for reason in data.reasons.iter().take(MOST_REASONS) {
        let effect = match reason.effect {
            Effect::Invalid => "invalid",
            Effect::RejectCorrectness => "wrong",
            Effect::Decides => "decides",
            Effect::BlocksPromotion => "blocks",
            Effect::Note => "note",
        };
        let rows = match reason.rows.as_slice() {
            // What is about many rows is about the measurement.
            rows if rows.is_empty() || rows.len() > MOST_NAMED => String::new(),
            rows => format!(" [{}]", named(rows, MOST_NAMED)),
        };
        let message = format!("{}{rows}", reason.message);
        table.row(vec![effect.to_owned(), reason.code.clone(), message]);
    }
    table.omitted = data.reasons.len().saturating_sub(MOST_REASONS);
    table
}

fn losses(losses: &[Loss], top: usize) -> Table {
    let mut table = Table::new(&[
        ("row", Align::Left),
        ("speed-up", Align::Right),
        ("noise %", Align::Right),
        ("runs", Align::Left),
    ]);
    for loss in losses {
        let runs = if loss.routed { "baseline" } else { "candidate" };
        table.row(vec![
            short(&loss.id),
            format!("{:.4}", loss.speedup.get()),
            format!("{:.1}", loss.noise_pct.get()),
            runs.to_owned(),
        ]);
    }
    table.top(top.min(10))
}

fn buckets(dispatch: &Dispatch) -> Table {
    let mut table = Table::new(&[
        ("bucket", Align::Left),
        ("condition", Align::Left),
        ("runs", Align::Left),
        ("rows", Align::Right),
        ("candidate's mean", Align::Right),
        ("least", Align::Right),
    ]);
    for bucket in &dispatch.buckets {
        table.row(vec![
            short(&bucket.name),
            bucket.condition.clone(),
            bucket.entry.clone(),
            bucket.rows.to_string(),
            ratio(bucket.geomean),
            ratio(bucket.min),
        ]);
    }
    table.row(vec![
        "all".to_owned(),
        "with the baseline's rows at 1".to_owned(),
        String::new(),
        String::new(),
        ratio(dispatch.geomean),
        String::new(),
    ]);
    table.top(12)
}

fn rows(data: &VerdictData, top: usize) -> Table {
    let mut table = Table::new(&[
        ("row", Align::Left),
        ("baseline us", Align::Right),
        ("candidate us", Align::Right),
        ("speed-up", Align::Right),
        ("noise %", Align::Right),
        ("class", Align::Left),
    ]);
    for row in &data.rows {
        let us = |value: Option<Finite>| value.map_or_else(dash, |value| format!("{:.3}", value.get()));
        table.row(vec![
            short(&row.id),
            us(row.baseline_us),
            us(row.candidate_us),
            ratio(row.speedup),
            format!("{:.1}", row.noise_pct.get()),
            class(row),
        ]);
    }
    table.top(top.min(40))
}

fn class(row: &Row) -> String {
    let name = match row.class {
        Class::Win => "win",
        Class::Parity => "parity",
        Class::Loss => "loss",
        Class::MaterialLoss => "material loss",
        Class::Incorrect => "incorrect",
        Class::NotMeasured => "not measured",
    };
    let marks = [
        (!row.production, ", other"),
        (row.measured_again, ", again"),
        (row.routed, ", routed"),
    ];
    let marks = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark);
    std::iter::once(name).chain(marks).collect()
}

/// The first rows by name.
fn named(rows: &[String], most: usize) -> String {
    let names: Vec<String> = rows.iter().take(most).map(|row| short(row)).collect();
    let more = if rows.len() > most { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}

/// Beginning and end of a long id: both tell rows apart.
fn short(id: &str) -> String {
    let count = id.chars().count();
    if count <= ID_WIDTH {
        return id.to_owned();
    }
    let half = ID_WIDTH / 2;
    let head: String = id.chars().take(half).collect();
    let tail: String = id.chars().skip(count - half + 1).collect();
    format!("{head}…{tail}")
}

fn ratio(value: Option<Finite>) -> String {
    value.map_or_else(dash, |value| format!("{:.4}", value.get()))
}

fn dash() -> String {
    "-".to_owned()
}
