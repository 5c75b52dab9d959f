//! The files, with what is cut of them.

use torch_trace::{GpuKind, TraceFile};
use trace_document::RunTrace;

use crate::error::PipelineError;
use crate::stream::Launches;

/// A trace with the launches of a graph's capture.
pub(crate) struct Read {
    pub(crate) of: RunTrace,
    pub(crate) launches: Option<Launches>,
}

impl Read {
    pub(crate) fn new(of: RunTrace) -> Self {
        Self {
            launches: Launches::of(&of.file.trace, &of.derived),
            of,
        }
    }

    pub(crate) fn path(&self) -> String {
        self.of.file.path.display().to_string()
    }

    /// Kernels that can be cut into layers.
    pub(crate) fn kernels(&self) -> u64 {
        let launched = self.launches.as_ref().map_or(0, Launches::count);
        self.of.file.trace.kernel_count().max(launched as u64)
    }
}

/// Why a file cannot be cut.
pub(crate) fn no_kernels(file: &TraceFile) -> PipelineError {
    let trace = &file.trace;
    let copies = trace.gpu.iter().filter(|event| event.kind != GpuKind::Kernel);
    PipelineError::NoKernels {
        path: file.path.display().to_string(),
        events: trace.events,
        cpu_ops: trace.ops.len() as u64,
        copies: copies.count() as u64,
        damage: file.damage(),
    }
}
