//! `kernel-gate freeze`: the rows and their hashes, before anybody knows which are slow.

use cli_kit::{Align, Cli as _, DocumentParts, Failure, OutputArgs, Report, Table, View};
use contracts::kernel_gate::rows::{RowsData, SCHEMA};
use contracts::{Document, Exit, NextAction};

use crate::cli::{Args, FreezeArgs};
use crate::row_set;

pub(crate) fn run(args: &FreezeArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let (set, input) = row_set::load(&args.workloads)?;
    let data = set.data;
    // What was just written, where it was: `workloads.json` may change under the plan.
    let frozen = output
        .output
        .as_deref()
        .filter(|path| *path != std::path::Path::new("-"));
    let rows = frozen.map_or_else(|| input.path.clone(), |path| path.display().to_string());
    let mut parts = DocumentParts::new(SCHEMA);
    parts.summary = format!(
        "{} rows frozen, {} of them production: {}. Any change of a row asks for both sides to be measured anew.",
        data.total, data.production, data.workloads_sha256
    );
    parts.next_actions = vec![NextAction::new(
        "the order in which to measure",
        &["kernel-gate", "plan", "--workloads", &rows, "-o", "plan.json"],
    )];
    parts.inputs.push(input);
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = view(&document, output.top);
    Ok(Report::new(&document, view, Exit::Ok))
}

fn view(document: &Document<RowsData>, top: usize) -> View {
    let mut table = Table::new(&[
        ("row", Align::Left),
        ("production", Align::Left),
        ("atol", Align::Right),
        ("rtol", Align::Right),
        ("sha256", Align::Left),
    ]);
    for row in document.data.rows.iter().take(top) {
        let number =
            |value: Option<contracts::Finite>| value.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let hash: String = row.sha256.chars().take(19).collect();
        let production = if row.production { "yes" } else { "no" };
        table.row(vec![
            row.id.clone(),
            production.to_owned(),
            number(row.atol),
            number(row.rtol),
            hash,
        ]);
    }
    table.omitted = document.data.rows.len().saturating_sub(top);
    View::new()
        .heading("Rows")
        .head(document)
        .table(table)
        .next(document)
}
