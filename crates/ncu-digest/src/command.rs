//! `ncu-digest command`: what to run to collect a report.

use cli_kit::{Align, Block, Cli as _, DocumentParts, Failure, Report, Table, View};
use contracts::Exit;
use contracts::ncu_digest::command::{CaptureCommand, CommandData, SCHEMA};

use crate::cli::{Args, CommandArgs};
use crate::error::DigestError;
use crate::{collect, names, read};

const NOTES: [&str; 5] = [
    "ncu runs one kernel at a time and replays it, 38 times or more for the full set: a kernel that waits for another GPU never ends. Profile with one GPU (tp 1), keep collectives out of --kernel. --replay-mode range can profile them, and its results are of ranges: no digest reads them.",
    "--clock-control base holds the clock below what a run has, so durations are longer than a run's. Give both sides of a comparison the same setting.",
    "Durations of ncu promote nothing: they are serialised and start with cold caches.",
    "--kernel-name looks at the name without arguments and templates. A capture that finds nothing has another name, or is outside of --profile-from-start.",
    "ERR_NVGPUCTRPERM: the driver keeps counters from users; an administrator allows them with NVreg_RestrictProfilingToAdminUsers=0.",
];

pub(crate) fn run(args: &CommandArgs) -> Result<Report, Failure> {
    read::pattern(Some(&args.kernel))?;
    if names::is_collective(&args.kernel) {
        return Err(DigestError::Collective(args.kernel.clone()).into());
    }
    let capture = |why: &str, report: &str, mut argv: Vec<String>| {
        argv.extend(args.program.iter().cloned());
        CaptureCommand {
            why: why.to_owned(),
            report: format!("{report}.ncu-rep"),
            argv,
        }
    };
    let data = CommandData {
        kernel: args.kernel.clone(),
        program: args.program.clone(),
        captures: vec![
            capture(
                "what limits the kernel, and its next edit",
                "full",
                collect::full(&args.kernel, "full"),
            ),
            capture(
                "which lines wait, for the Nsight Compute window",
                "source",
                collect::source(&args.kernel, "source"),
            ),
        ],
        notes: NOTES.map(str::to_owned).to_vec(),
    };
    let mut parts = DocumentParts::new(SCHEMA);
    parts.summary = format!(
        "Two captures of `{}`: full.ncu-rep for a digest, source.ncu-rep for lines of the source. Nothing was run.",
        contracts::text::clean(&args.kernel, 100)
    );
    parts.next_actions = data
        .captures
        .iter()
        .map(|capture| contracts::NextAction {
            why: capture.why.clone(),
            command: capture.argv.clone(),
        })
        .collect();
    parts.next_actions.push(contracts::NextAction::new(
        "the digest of the first",
        &[
            "ncu-digest",
            "full.ncu-rep",
            "--format",
            "markdown",
            "-o",
            "digest.json",
        ],
    ));
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let mut table = Table::new(&[("writes", Align::Left), ("for", Align::Left)]);
    for capture in &document.data.captures {
        table.row(vec![capture.report.clone(), capture.why.clone()]);
    }
    let view = View::new()
        .heading("Captures")
        .head(&document)
        .with(Block::Table(table))
        .list(document.data.notes.clone())
        .next(&document);
    Ok(Report::new(&document, view, Exit::Ok))
}
