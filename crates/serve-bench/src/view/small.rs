//! Views of the smaller documents.

use cli_kit::{Align, Table, View};
use contracts::Document;
use contracts::serve_bench::doctor::{CheckStatus, DoctorData};
use contracts::serve_bench::freeze::FreezeData;
use contracts::serve_bench::probe::ProbeData;

pub(crate) fn freeze(document: &Document<FreezeData>) -> View {
    let mut table = Table::new(&[
        ("scenario", Align::Left),
        ("requests", Align::Right),
        ("input", Align::Left),
        ("output", Align::Left),
        ("purpose", Align::Left),
        ("hash", Align::Left),
    ]);
    let range = |range: &Option<contracts::serve_bench::result::LengthRange>, unit: &str| {
        range.as_ref().map_or("-".to_owned(), |range| {
            if range.min == range.max {
                format!("{} {unit}", range.min)
            } else {
                format!("{}..{} {unit}", range.min, range.max)
            }
        })
    };
    for scenario in &document.data.workload.scenarios {
        table.row(vec![
            scenario.scenario.clone(),
            scenario.num_prompts.to_string(),
            range(&scenario.input_len, &scenario.prompt_unit),
            range(&scenario.output_len, "tokens"),
            format!("{:?}", scenario.purpose).to_lowercase(),
            scenario.request_stream_sha256.chars().take(19).collect(),
        ]);
    }
    View::new()
        .heading(document.data.path.clone())
        .head(document)
        .table(table)
        .next(document)
}

pub(crate) fn probe(document: &Document<ProbeData>) -> View {
    let data = &document.data;
    let mut table = Table::new(&[("field", Align::Left), ("value", Align::Left)]);
    let mut row = |field: &str, value: String| table.row(vec![field.to_owned(), value]);
    row(
        "engine",
        format!(
            "{} {}",
            data.engine.kind.name(),
            data.engine.version.as_deref().unwrap_or("")
        ),
    );
    row("models", data.models.join(", "));
    row(
        "context",
        data.max_model_len
            .map_or("-".to_owned(), |length| format!("{length} tokens")),
    );
    row("simulated", data.simulated.to_string());
    row("tokenize", data.tokenize.to_string());
    let answered: Vec<String> = data
        .endpoints
        .iter()
        .map(|endpoint| {
            format!(
                "{} {}",
                endpoint.path,
                endpoint
                    .status
                    .map_or("-".to_owned(), |status| status.to_string())
            )
        })
        .collect();
    row("endpoints", answered.join(", "));
    for (setting, value) in &data.settings {
        row(setting, contracts::text::clean(&value.to_string(), 60));
    }
    View::new()
        .heading(data.url.clone())
        .head(document)
        .table(table)
        .next(document)
}

pub(crate) fn doctor(document: &Document<DoctorData>) -> View {
    let mut table = Table::new(&[("check", Align::Left), ("", Align::Left), ("detail", Align::Left)]);
    for check in &document.data.checks {
        let status = match check.status {
            CheckStatus::Ok => "ok",
            CheckStatus::Warn => "WARN",
            CheckStatus::Fail => "FAIL",
            CheckStatus::NotChecked => "not checked",
        };
        let detail = match &check.hint {
            Some(hint) => format!("{} ({hint})", check.detail),
            None => check.detail.clone(),
        };
        table.row(vec![check.name.clone(), status.to_owned(), detail]);
    }
    let servers = document
        .data
        .servers
        .iter()
        .map(|server| {
            format!(
                "{}: {} {}, models {}",
                server.url,
                server.engine.kind.name(),
                server.engine.version.as_deref().unwrap_or(""),
                server.models.join(", ")
            )
        })
        .collect();
    View::new()
        .heading("Doctor")
        .head(document)
        .table(table)
        .list(servers)
        .next(document)
}
