//! The files: which one is analysed, what the document says of each, what shows that it is no evidence.

use contracts::pipeline_analysis::report::{Completeness, Grade, TraceInfo};
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use contracts::{Input, Warning};
use torch_trace::{Derived, GpuKind, NameId, Trace, TraceFile, engine_of, grade};

use crate::error::PipelineError;
use crate::stream::Launches;

/// A file with what is derived from it.
pub(crate) struct Read {
    pub(crate) file: TraceFile,
    pub(crate) derived: Derived,
    pub(crate) launches: Option<Launches>,
    pub(crate) engine: Option<&'static str>,
}

impl Read {
    pub(crate) fn path(&self) -> String {
        self.file.path.display().to_string()
    }

    /// Kernels that can be cut into layers.
    fn kernels(&self) -> u64 {
        let launched = self.launches.as_ref().map_or(0, Launches::count);
        self.file.trace.kernel_count().max(launched as u64)
    }
}

/// The file that is analysed: of those with kernels the lowest rank, then the most kernels, then the first.
pub(crate) fn choose(files: &[Read]) -> Result<usize, PipelineError> {
    let best = files
        .iter()
        .enumerate()
        .filter(|(_, read)| read.kernels() > 0)
        .min_by_key(|(index, read)| {
            let rank = read.file.rank.unwrap_or(u32::MAX);
            (rank, std::cmp::Reverse(read.kernels()), *index)
        });
    match (best, files.first()) {
        (Some((index, _)), _) => Ok(index),
        (None, Some(first)) => Err(no_kernels(&first.file)),
        (None, None) => Err(torch_trace::FilesError::NoTraceInFolder(".".to_owned()).into()),
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

/// What the document says of a file.
pub(crate) fn info(read: &Read, analysed: bool) -> TraceInfo {
    let trace = &read.file.trace;
    let found = grade(trace, &read.derived.origins);
    TraceInfo {
        path: read.path(),
        rank: read.file.rank,
        world_size: trace.header.world_size,
        gpu: trace.header.gpus.first().cloned(),
        engine: read.engine.map(str::to_owned),
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

/// The file as an input of the document.
pub(crate) fn input(read: &Read) -> Input {
    Input {
        path: read.path(),
        sha256: read.file.sha256.clone(),
        bytes: read.file.file_bytes,
    }
}

/// What was wrong with the file, and what it lacks.
pub(crate) fn warnings(read: &Read, info: &TraceInfo) -> Vec<Warning> {
    let defects = read.file.defects();
    defects
        .map(|(code, text)| Warning::new(code, text))
        .chain(info.incomplete())
        .collect()
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

/// Reads what is derived from a file.
pub(crate) fn derive(file: TraceFile) -> Read {
    let derived = Derived::of(&file.trace, torch_trace::StageChoice::Auto, &file.file_name());
    Read {
        launches: Launches::of(&file.trace, &derived),
        engine: engine_of(&file.trace),
        derived,
        file,
    }
}
