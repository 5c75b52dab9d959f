//! What people and other tools read: files that are rendered from the ledger and never the other way round. Every
//! module is a pure function of the state; `commands/render.rs` alone writes.

pub(crate) mod benchmark;
mod candidates;
mod checkpoint;
mod digests;
mod fairness;
mod final_report;
mod help;
mod history;
pub(crate) mod html;
mod ledgers;
mod lineage;
mod manifest;
mod measured;
mod page;
mod patches;
mod pipeline;
mod pr_text;
mod root_cause;
pub(crate) mod rounds;
mod scrub;
pub(crate) mod source;
mod summary;
mod winning;
pub(crate) mod words;

pub(crate) use final_report::final_report;
pub(crate) use measured::Measured;
pub(crate) use page::{code, page};
pub(crate) use pr_text::pr_text;
pub(crate) use source::{Documents, Source};

/// A rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// From the root.
    pub(crate) path: String,
    /// What stands in it.
    pub(crate) bytes: Vec<u8>,
}

impl File {
    /// A text file.
    pub(crate) fn text(path: impl Into<String>, text: String) -> File {
        File {
            path: path.into(),
            bytes: text.into_bytes(),
        }
    }
}

/// Every rendered file, in the order of the manifest.
pub(crate) fn files(source: &Source<'_>) -> Vec<File> {
    let mut files = vec![
        File::text("help/README.md", help::readme(source)),
        File::text("history/model-pr-history-notes.md", history::notes(source)),
        File::text("benchmark/candidates.jsonl", candidates::lines(source)),
        File::text("benchmark/summary.md", summary::summary(source)),
        File::text("benchmark/winning-commands.md", winning::commands(source)),
        File::text("analysis/root-cause.md", root_cause::root_cause(source)),
        File::text("analysis/layer-pipeline.md", pipeline::layer_pipeline(source)),
        File::text("analysis/fairness-diagnostics.md", fairness::diagnostics(source)),
        File::text(
            "humanize/model-loop-checkpoint.md",
            checkpoint::checkpoint(source),
        ),
        File::text("humanize/attempt-ledger.md", ledgers::attempts(source)),
        File::text("humanize/optimization-ledger.md", ledgers::optimizations(source)),
        File::text("humanize/source-idea-ledger.md", ledgers::ideas(source)),
        File::text("humanize/lineage.jsonl", lineage::lines(source)),
    ];
    files.extend(digests::profiles(source));
    files.extend(digests::profile_digests(source));
    files.extend(digests::ncu_digests(source));
    files.extend(patches::files(source));
    files.extend(rounds::files(source));
    let manifest = [
        File::text("manifest.md", manifest::markdown(source, &files)),
        File::text("manifest.json", manifest::json(source, &files)),
    ];
    files.splice(0..0, manifest);
    files
}
