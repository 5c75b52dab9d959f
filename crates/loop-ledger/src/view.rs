//! How people see a campaign. Everything here is read from the document; nothing is computed.

use cli_kit::{Align, Table, View};
use contracts::Document;
use contracts::Finite;
use contracts::loop_ledger::best::BestData;
use contracts::loop_ledger::done::DoneData;
use contracts::loop_ledger::facts::DecisionFacts;
use contracts::loop_ledger::lock::Budget;
use contracts::loop_ledger::phase::Phase;
use contracts::loop_ledger::preflight::{CheckStatus, PreflightData};
use contracts::loop_ledger::receipt::ReceiptData;
use contracts::loop_ledger::status::{BudgetState, PhaseState, StatusData};
use contracts::loop_ledger::verify::VerifyData;
use contracts::loop_ledger::watch::WatchData;

use crate::ledger::short;

pub(crate) fn receipt(document: &Document<ReceiptData>) -> View {
    View::new()
        .head(document)
        .text(format!("head {}", document.data.head))
        .text(budget(&document.data.budget))
        .next(document)
}

pub(crate) fn status(document: &Document<StatusData>, top: usize) -> View {
    let data = &document.data;
    let mut view = View::new().head(document);
    let mut table = Table::new(&[
        ("phase", Align::Left),
        ("state", Align::Left),
        ("missing", Align::Left),
    ]);
    for phase in &data.phases {
        let missing: Vec<&str> = phase.missing.iter().map(|need| need.code.as_str()).collect();
        table.row(vec![
            phase.phase.name().to_owned(),
            word(phase).to_owned(),
            unique(&missing),
        ]);
    }
    view = view.table(table.top(top.max(11)));
    // The newest verdict: that of the open attempt, where it has one.
    let newest = data.attempt.as_ref().and_then(|open| open.decision.as_ref());
    if let Some(decision) = newest.or(data.decision.as_ref()) {
        view = view.table(verdicts(decision).top(top));
    }
    let blockers = data
        .blockers
        .iter()
        .map(|blocker| {
            let word = blocked(blocker.phase);
            format!("{word}: {}: {}", blocker.phase.name(), blocker.what)
        })
        .collect();
    view.list(blockers).text(budget(&data.budget)).next(document)
}

/// At most 1,500 characters: what an agent needs at the start of a turn.
pub(crate) fn brief(document: &Document<StatusData>) -> View {
    let data = &document.data;
    let blockers = data
        .blockers
        .iter()
        .take(4)
        .map(|blocker| {
            contracts::text::clean(
                &format!(
                    "{} {}: {}",
                    blocked(blocker.phase),
                    blocker.phase.name(),
                    blocker.what
                ),
                100,
            )
        })
        .collect();
    View::new()
        .text(document.summary.clone())
        .list(blockers)
        .text(budget(&data.budget))
        .next(document)
}

pub(crate) fn best(document: &Document<BestData>) -> View {
    let data = &document.data;
    let mut lines = Vec::new();
    for (name, value) in &data.env {
        lines.push(format!("env {name}={value}"));
    }
    lines.extend(data.patches.iter().map(|patch| format!("patch {}", short(patch))));
    let mut view = View::new().head(document).list(lines);
    if let Some(argv) = &data.argv {
        view = view.with(cli_kit::Block::Commands(vec![(
            "the winning launch".to_owned(),
            argv.clone(),
        )]));
    }
    view.next(document)
}

pub(crate) fn done(document: &Document<DoneData>) -> View {
    let mut table = Table::new(&[
        ("state", Align::Left),
        ("reached", Align::Left),
        ("missing", Align::Left),
    ]);
    for state in &document.data.states {
        let missing: Vec<&str> = state.missing.iter().map(|need| need.what.as_str()).collect();
        table.row(vec![
            state.terminal.name().to_owned(),
            if state.reached { "yes" } else { "no" }.to_owned(),
            missing.join("; "),
        ]);
    }
    View::new().head(document).table(table).next(document)
}

pub(crate) fn verify(document: &Document<VerifyData>) -> View {
    let faults = document
        .data
        .faults
        .iter()
        .map(|fault| format!("{}: {}: {}", fault.code, fault.place, fault.message))
        .collect();
    View::new().head(document).list(faults).next(document)
}

pub(crate) fn preflight(document: &Document<PreflightData>) -> View {
    let mut table = Table::new(&[("check", Align::Left), ("", Align::Left), ("found", Align::Left)]);
    let mut fixes = Vec::new();
    for check in &document.data.checks {
        let status = match check.status {
            CheckStatus::Passed => "passed",
            CheckStatus::Failed => "FAILED",
            CheckStatus::Warning => "warning",
            CheckStatus::NotChecked => "not checked",
        };
        table.row(vec![check.name.clone(), status.to_owned(), check.found.clone()]);
        if let Some(fix) = &check.fix {
            fixes.push(format!("{}: {fix}", check.name));
        }
    }
    View::new().head(document).table(table).list(fixes).next(document)
}

pub(crate) fn watch(document: &Document<WatchData>) -> View {
    let data = &document.data;
    let mut table = Table::new(&[
        ("when", Align::Left),
        ("alarm", Align::Left),
        ("what", Align::Left),
    ]);
    for alarm in &data.alarms {
        table.row(vec![
            alarm.raised_at.to_string(),
            alarm.code.clone(),
            alarm.message.clone(),
        ]);
    }
    let mut view = View::new().head(document);
    if !data.alarms.is_empty() {
        view = view.table(table.top(20));
    }
    let sign = data
        .last_sign_at
        .map_or_else(|| "–".to_owned(), |sign| sign.to_string());
    view.text(format!("last sign of life: {sign}")).next(document)
}

/// What a blocker makes of its phase.
pub(crate) fn blocked(phase: Phase) -> &'static str {
    if phase.can_be_downgraded() {
        "downgraded"
    } else {
        "blocked"
    }
}

fn word(phase: &PhaseState) -> &'static str {
    match (phase.satisfied, phase.downgraded, phase.open) {
        (true, _, _) => "done",
        (false, true, _) => "downgraded",
        (false, false, true) => "open",
        (false, false, false) => "closed",
    }
}

fn unique(codes: &[&str]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for code in codes {
        if !seen.contains(code) {
            seen.push(code);
        }
    }
    seen.join(", ")
}

/// The budget in a line.
pub(crate) fn budget(state: &BudgetState) -> String {
    let part = |name: &str, spent: Option<f64>, limit: Option<f64>, unit: &str| {
        limit.map(|limit| format!("{name} {:.0} of {limit:.0}{unit}", spent.unwrap_or(0.0)))
    };
    let number = |value: Option<Finite>| value.map(Finite::get);
    let Budget {
        wall_s,
        gpu_s,
        attempts,
        spend_usd,
    } = &state.limit;
    let parts: Vec<String> = [
        part("wall", number(state.spent.wall_s), number(*wall_s), " s"),
        part("GPU", number(state.spent.gpu_s), number(*gpu_s), " s"),
        part(
            "attempts",
            state.spent.attempts.map(f64::from),
            attempts.map(f64::from),
            "",
        ),
        part("spent", number(state.spent.spend_usd), number(*spend_usd), " USD"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        return "budget: no limit".to_owned();
    }
    format!("budget: {}", parts.join(", "))
}

/// A signed percentage, or a dash.
pub(crate) fn signed(value: Option<Finite>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{:+.2}", value.get()))
}

/// An interval, or a dash.
pub(crate) fn interval(low: Option<Finite>, high: Option<Finite>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("[{:+.2}, {:+.2}]", low.get(), high.get()),
        _ => "–".to_owned(),
    }
}

/// The rows of a decision.
pub(crate) fn verdicts(decision: &DecisionFacts) -> Table {
    let mut table = Table::new(&[
        ("scenario", Align::Left),
        ("against", Align::Left),
        ("effect, %", Align::Right),
        ("interval, %", Align::Right),
        ("pairs", Align::Right),
        ("verdict", Align::Left),
    ]);
    for row in &decision.rows {
        table.row(vec![
            row.scenario.clone(),
            row.other.clone(),
            signed(row.effect_pct),
            interval(row.ci_low_pct, row.ci_high_pct),
            row.pairs.to_string(),
            row.verdict.name().to_owned(),
        ]);
    }
    table
}
