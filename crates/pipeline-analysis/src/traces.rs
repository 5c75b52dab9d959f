//! The files: which one is analysed, and what shows that it is no evidence.

use contracts::text::{FOREIGN_TEXT_CAP, clean};
use torch_trace::{FilesError, GpuKind, NameId, Trace, TraceFile};
use trace_document::{RunError, RunTrace};

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
    fn kernels(&self) -> u64 {
        let launched = self.launches.as_ref().map_or(0, Launches::count);
        self.of.file.trace.kernel_count().max(launched as u64)
    }
}

/// The file that is analysed: of those with kernels the lowest rank, then the most kernels, then the first.
pub(crate) fn choose(files: &[Read]) -> Result<usize, PipelineError> {
    let best = files
        .iter()
        .enumerate()
        .filter(|(_, read)| read.kernels() > 0)
        .min_by_key(|(index, read)| {
            let rank = read.of.file.rank.unwrap_or(u32::MAX);
            (rank, std::cmp::Reverse(read.kernels()), *index)
        });
    match (best, files.first()) {
        (Some((index, _)), _) => Ok(index),
        (None, Some(first)) => Err(no_kernels(&first.of.file)),
        (None, None) => Err(RunError::from(FilesError::NoTraceInFolder(".".to_owned())).into()),
    }
}

fn no_kernels(file: &TraceFile) -> PipelineError {
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

/// What the Python frames of a trace say of diffusion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Diffusion {
    /// Whether passes are denoise steps.
    pub(crate) denoises: bool,
    /// A frame of a pipeline of the library diffusers: the engine's fallback, which none of its own kernels serve.
    pub(crate) backend_frame: Option<String>,
}

/// Looks at each distinct frame once.
pub(crate) fn diffusion(trace: &Trace) -> Diffusion {
    let mut seen = vec![false; trace.names.len()];
    let mut found = Diffusion::default();
    let fresh = |name: NameId, seen: &mut Vec<bool>| !std::mem::replace(&mut seen[name.index()], true);
    for frame in &trace.frames {
        if !fresh(frame.name, &mut seen) {
            continue;
        }
        let text = trace.names.text(frame.name);
        // SGLang: runtime/pipelines/diffusers_pipeline.py wraps a DiffusionPipeline of the library; its own pipelines use
        // the library's schedulers only.
        let backend = text.contains("diffusers_pipeline.py") || text.contains("diffusers/pipelines/");
        found.denoises |= backend || text.contains("multimodal_gen/");
        if backend && found.backend_frame.is_none() {
            found.backend_frame = Some(clean(&text, FOREIGN_TEXT_CAP));
        }
    }
    found
}
