//! Results and verdicts as people read them. Nothing is computed here.

use cli_kit::{Align, Table, View};
use contracts::Document;
use contracts::quality_gate::agreement::{Agreement, AgreementUnit, Estimate};
use contracts::quality_gate::result::{Check, CheckStatus, Item, RatioInterval, ResultData};
use contracts::quality_gate::verdict::{Verdict, VerdictData};
use contracts::text::clean;

/// Widest evidence of a table, characters.
const EVIDENCE_WIDTH: usize = 120;

pub(crate) fn result(document: &Document<ResultData>, top: usize) -> View {
    let data = &document.data;
    let heading = if data.valid {
        "Answers"
    } else {
        "Answers: no evidence"
    };
    let mut view = View::new()
        .heading(heading)
        .head(document)
        .list(vec![
            format!("model {} ({})", data.model.id, data.model.served),
            format!("accuracy {}", interval(data.accuracy)),
            format!(
                "{} answered, {} failed, {} right",
                data.answered, data.failed, data.correct
            ),
        ])
        .heading("Checks")
        .table(checks(&data.checks));
    view = agreement(view, data.agreement.as_ref());
    let wrong: Vec<&Item> = data
        .items
        .iter()
        .filter(|item| item.correct != Some(true))
        .collect();
    if !wrong.is_empty() {
        view = view
            .heading("Wrong or without an answer")
            .table(items(&wrong, top));
    }
    view.next(document)
}

pub(crate) fn verdict(document: &Document<VerdictData>) -> View {
    let data = &document.data;
    let word = match data.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Invalid => "invalid",
    };
    let pairs = data.pairs;
    let view = View::new()
        .heading(format!("Verdict: {word}"))
        .head(document)
        .list(vec![
            format!("ratio {}", interval(data.ratio)),
            format!(
                "right on both {}, on the baseline only {}, on the candidate only {}, on neither {}",
                pairs.both, pairs.only_baseline, pairs.only_candidate, pairs.neither
            ),
        ])
        .heading("Reasons")
        .list(data.reasons.clone())
        .heading("Checks")
        .table(checks(&data.checks));
    agreement(view, data.agreement.as_ref()).next(document)
}

/// Answers to the workload's prompts, side against side.
fn agreement(view: View, found: Option<&Agreement>) -> View {
    let Some(found) = found else { return view };
    let unit = match found.unit {
        AgreementUnit::Tokens => "tokens",
        AgreementUnit::Characters => "characters",
    };
    let mut table = Table::new(&[
        ("agreement", Align::Left),
        ("value [95 % interval]", Align::Left),
        ("of", Align::Left),
    ]);
    let prompts = format!("{} prompts", found.prompts);
    table.row(vec!["equal answers".to_owned(), interval(found.exact), prompts]);
    for (name, value, of) in [
        ("common prefix, share", found.common_prefix_ratio, "prompts"),
        (
            "first difference, position",
            found.first_divergence,
            "prompts that differ",
        ),
        (
            "log-probability, mean difference",
            found.logprob_delta_nats,
            "tokens",
        ),
        (
            "log-probability, p99 difference",
            found.logprob_delta_p99_nats,
            "tokens",
        ),
        ("KL over listed tokens, mean", found.kl_top_nats, "places"),
    ] {
        let of = value.map_or_else(|| "-".to_owned(), |value| format!("{} {of}", value.count));
        table.row(vec![name.to_owned(), estimate(value), of]);
    }
    let left_out = match found.left_out {
        0 => String::new(),
        count => format!("; {count} prompts without an answer on both sides are left out"),
    };
    view.heading("Agreement with the baseline")
        .list(vec![format!(
            "lengths count {unit}; log-probabilities are in nats{left_out}"
        )])
        .table(table)
}

fn estimate(value: Option<Estimate>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let bounds = value.ci_low.zip(value.ci_high);
    let bounds = bounds.map(|(low, high)| format!(" [{:.4}, {:.4}]", low.get(), high.get()));
    format!("{:.4}{}", value.value.get(), bounds.unwrap_or_default())
}

fn interval(value: Option<RatioInterval>) -> String {
    value.map_or_else(
        || "-".to_owned(),
        |value| {
            let [ratio, low, high] =
                [value.ratio, value.ci_low_ratio, value.ci_high_ratio].map(|one| one.get());
            format!("{ratio:.3} [{low:.3}, {high:.3}]")
        },
    )
}

fn checks(checks: &[Check]) -> Table {
    let mut table = Table::new(&[
        ("check", Align::Left),
        ("status", Align::Left),
        ("evidence", Align::Left),
    ]);
    for check in checks {
        let status = match check.status {
            CheckStatus::Pass => "pass",
            CheckStatus::Fail => "FAIL",
            CheckStatus::Unknown => "unknown",
        };
        let evidence = clean(&check.evidence, EVIDENCE_WIDTH);
        table.row(vec![check.name.clone(), status.to_owned(), evidence]);
    }
    table
}

fn items(items: &[&Item], top: usize) -> Table {
    let columns = [
        ("item", Align::Left),
        ("right", Align::Left),
        ("answer", Align::Left),
        ("error", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for item in items {
        table.row(vec![
            clean(&item.id, 40),
            item.expected.clone(),
            item.answer.clone().unwrap_or_else(|| "-".to_owned()),
            clean(item.error.as_deref().unwrap_or_default(), 80),
        ]);
    }
    table.top(top)
}
