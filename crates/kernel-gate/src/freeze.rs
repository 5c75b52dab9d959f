//! `kernel-gate freeze`: the rows and their hashes, before anybody knows which are slow.

use cli_kit::{
    Align, Cli as _, DocumentParts, Failure, OutputArgs, Report, Table, View, input_of, read_bounded,
};
use contracts::fields::sha256_hex;
use contracts::kernel_gate::rows::{RowsData, SCHEMA};
use contracts::{Document, Exit, NextAction};

use crate::cli::{Args, FreezeArgs};
use crate::report::SOURCE_CAP;
use crate::row_set;

pub(crate) fn run(args: &FreezeArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let (mut set, input) = row_set::load(&args.workloads)?;
    let mut baseline = None;
    if let Some(path) = &args.baseline {
        let bytes = read_bounded(path, SOURCE_CAP)?;
        set = set.with_baseline(sha256_hex(&bytes));
        baseline = Some(input_of(path, &bytes));
    }
    let data = set.data;
    // What was just written, where it was: `workloads.json` may change under the plan.
    let frozen = output
        .output
        .as_deref()
        .filter(|path| *path != std::path::Path::new("-"));
    let rows = frozen.map_or_else(|| input.path.clone(), |path| path.display().to_string());
    let mut parts = DocumentParts::new(SCHEMA);
    parts.summary = format!(
        "{} rows frozen, {} of them production, {}: {}. Any change asks for both sides to be measured anew.",
        data.total,
        data.production,
        if baseline.is_some() {
            "with the baseline"
        } else {
            "without a baseline"
        },
        data.workloads_sha256
    );
    parts.next_actions = vec![NextAction::new(
        "the order in which to measure",
        &["kernel-gate", "plan", "--workloads", &rows, "-o", "plan.json"],
    )];
    parts.inputs.push(input);
    parts.inputs.extend(baseline);
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
