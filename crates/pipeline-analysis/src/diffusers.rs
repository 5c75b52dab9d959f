//! What shows that a diffusion ran: denoise steps, and the backend of the library diffusers, which is no evidence about an
//! engine's own pipeline.

use std::path::Path;

use cli_kit::Failure;
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use contracts::{Input, Warning};
use torch_trace::{NameId, Trace};

use crate::cut::Cut;
use crate::error::PipelineError;

/// Longest log that is read.
const LOG_CAP: u64 = 256 << 20;

/// What SGLang's log says when the library runs in place of its own pipeline, in lower case.
const LOG_SIGNS: [&str; 3] = [
    "falling back to diffusers backend",
    "using diffusers backend",
    "loaded diffusers pipeline",
];

/// A server's log.
pub(crate) struct Log {
    pub(crate) input: Input,
    /// The first line that shows the backend.
    line: Option<String>,
}

/// Reads a server's log.
pub(crate) fn read(path: &Path) -> Result<Log, Failure> {
    let bytes = cli_kit::read_bounded(path, LOG_CAP)?;
    Ok(Log {
        line: line_of_backend(&bytes),
        input: cli_kit::input_of(path, &bytes),
    })
}

fn line_of_backend(log: &[u8]) -> Option<String> {
    log.split(|byte| *byte == b'\n').find_map(|line| {
        let line = String::from_utf8_lossy(line);
        let lower = line.to_ascii_lowercase();
        LOG_SIGNS
            .iter()
            .any(|sign| lower.contains(sign))
            .then(|| clean(line.trim(), FOREIGN_TEXT_CAP))
    })
}

/// What shows that the library ran.
pub(crate) struct Backend {
    /// The trace, or the log.
    path: String,
    /// The frame, or the line.
    sign: String,
}

impl Backend {
    /// Where evidence was asked for.
    pub(crate) fn error(&self) -> PipelineError {
        PipelineError::DiffusersBackend {
            path: self.path.clone(),
            sign: self.sign.clone(),
        }
    }

    /// Where somebody only looks.
    pub(crate) fn warning(&self) -> Warning {
        Warning::new(
            "trace-diffusers-backend",
            format!(
                "no evidence about the engine's own pipeline: {} shows that the diffusers backend ran: {}",
                self.path, self.sign
            ),
        )
    }
}

/// Why the traces are no evidence; `None` when nothing shows the backend.
pub(crate) fn shown(cuts: &[Cut<'_>], log: Option<&Log>) -> Option<Backend> {
    let mut frames = cuts.iter().filter_map(|cut| {
        let frame = cut.diffusion.backend_frame.clone()?;
        Some((cut.read.path(), frame))
    });
    let line = || log.and_then(|log| Some((log.input.path.clone(), log.line.clone()?)));
    let (path, sign) = frames.next().or_else(line)?;
    Some(Backend { path, sign })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_shows_the_backend_in_its_own_words_only() {
        let log = b"INFO loading weights\nWARNING Falling back to diffusers backend for Foo\nINFO ready\n";
        let line = line_of_backend(log);
        assert_eq!(
            line.as_deref(),
            Some("WARNING Falling back to diffusers backend for Foo")
        );
        assert_eq!(
            line_of_backend(b"INFO diffusers 0.36 is installed\n\xff\xfe"),
            None
        );
        assert_eq!(line_of_backend(b""), None);
    }
}
