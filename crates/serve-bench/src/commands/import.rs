//! `import`: a result file of another tool, as far as it can be read in our terms.

use std::collections::BTreeMap;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::fields::contract_field as name;
use contracts::serve_bench::result::SCHEMA;
use contracts::{Exit, Field, FieldSet};

use crate::cli::{Args, ImportArgs};
use crate::fold::aggregate;
use crate::identity::Declared;
use crate::{verdict, view};

/// Largest file that is read.
const FILE_CAP: u64 = 512 << 20;

pub(crate) fn import(args: &ImportArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let declared = Declared::from_paths(args.target.as_deref(), args.subject.as_deref())?;
    let bytes = cli_kit::read_bounded(&args.file, FILE_CAP)?;
    let mut imported = crate::import::import(&bytes, None)?;
    imported.data.aggregate = aggregate(&imported.data.runs);

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = declared.inputs.clone();
    parts.inputs.push(cli_kit::input_of(&args.file, &bytes));
    parts.warnings = imported.warnings;
    parts.contract = contract(&declared);
    parts.subject = FieldSet::new(
        declared
            .subject
            .map(|subject| subject.fields())
            .unwrap_or_default(),
    );
    parts.summary = format!(
        "imported from {}: {}",
        imported.kind.name(),
        verdict::headline(&imported.data.runs)
    );
    let document = cli_kit::document(&Args::TOOL, parts, imported.data);
    Ok(Report::new(
        &document,
        view::result(&document, output.top),
        Exit::Ok,
    ))
}

/// A foreign file proves nothing of the contract: what the target does not declare stays unknown, so every verdict on
/// it is provisional at most.
fn contract(declared: &Declared) -> FieldSet {
    let mut fields: BTreeMap<String, Field> = name::REQUIRED
        .iter()
        .map(|field| ((*field).to_owned(), Field::unknown()))
        .collect();
    if let Some(target) = &declared.target {
        fields.extend(target.contract_fields());
    }
    FieldSet::new(fields)
}
