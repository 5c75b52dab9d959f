//! What documents say of a trace: what it is, how far it can be trusted, what was wrong with its file.

use contracts::trace_info::{Completeness, Grade, TraceInfo};
use contracts::{Input, Warning};
use torch_trace::{Derived, TraceFile, grade};

/// What documents say of a trace; `analysed` says whether their tables come from it.
#[must_use]
pub fn info(file: &TraceFile, derived: &Derived, engine: Option<&str>, analysed: bool) -> TraceInfo {
    let trace = &file.trace;
    let found = grade(trace, &derived.origins);
    TraceInfo {
        path: file.path.display().to_string(),
        rank: file.rank,
        world_size: trace.header.world_size,
        gpu: trace.header.gpus.first().cloned(),
        engine: engine.map(str::to_owned),
        events: trace.events,
        kernels: trace.kernel_count(),
        events_lost: trace.events_lost(),
        analysed,
        completeness: Completeness {
            grade: match found.grade {
                torch_trace::Grade::Complete => Grade::Complete,
                torch_trace::Grade::Partial => Grade::Partial,
                torch_trace::Grade::Incomplete => Grade::Incomplete,
            },
            reasons: found.reasons,
        },
    }
}

/// The file as an input of a document.
#[must_use]
pub fn input_of(file: &TraceFile) -> Input {
    Input {
        path: file.path.display().to_string(),
        sha256: file.sha256.clone(),
        bytes: file.file_bytes,
    }
}

/// What was wrong with the file.
pub fn defect_warnings(file: &TraceFile) -> impl Iterator<Item = Warning> {
    file.defects().map(|(code, text)| Warning::new(code, text))
}
