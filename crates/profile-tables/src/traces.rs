//! The traces of one run, with the device work that tables are made of.

use std::path::PathBuf;

use contracts::Warning;
use torch_trace::{StageChoice, TraceFile, Want};
use trace_document::{RankChoice, Run};

use crate::error::TablesError;

/// Reads the traces that `paths` name.
pub(crate) fn read(
    paths: &[PathBuf],
    want: Want,
    stage: StageChoice,
    rank: RankChoice,
    warnings: &mut Vec<Warning>,
) -> Result<Run, TablesError> {
    let run = Run::read(paths, want, stage, rank, warnings)?;
    if let Some((file, _, _)) = run.chosen().find(|(file, _, _)| file.trace.gpu.is_empty()) {
        return Err(no_gpu_events(file));
    }
    Ok(run)
}

fn no_gpu_events(file: &TraceFile) -> TablesError {
    let trace = &file.trace;
    TablesError::NoGpuEvents {
        path: file.path.display().to_string(),
        events: trace.events,
        cpu_ops: trace.ops.len() as u64,
        damage: file.damage(),
    }
}
