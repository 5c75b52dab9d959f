//! One trace, cut: its stream, its layers, its passes. Pure.

use contracts::pipeline_analysis::report::Pass;
use torch_trace::captures;
use trace_layers::{Detection, Expected, detect, detect_at};

use crate::config::Config;
use crate::diffusers::{Diffusion, diffusion};
use crate::error::PipelineError;
use crate::layers::{Measured, measure};
use crate::passes::{Trip, passes};
use crate::plan::Plan;
use crate::spans::{Span, layers_of_most, spans};
use crate::stream::Stream;
use crate::times::Device;
use crate::traces::Read;

/// A trace, cut.
pub(crate) struct Cut<'t> {
    pub(crate) read: &'t Read,
    pub(crate) stream: Stream<'t>,
    pub(crate) detection: Detection,
    pub(crate) spans: Vec<Span>,
    pub(crate) passes: Vec<Pass>,
    pub(crate) steady_pass: Option<usize>,
    /// Layers of a whole pass.
    pub(crate) whole: Option<usize>,
    /// First event of the trace.
    pub(crate) zero_ns: i64,
    pub(crate) diffusion: Diffusion,
}

impl<'t> Cut<'t> {
    /// Cuts a trace that has kernels, or launches that name them.
    pub(crate) fn of(plan: &Plan, read: &'t Read, config: Option<&Config>) -> Result<Self, PipelineError> {
        let (trace, derived) = (&read.of.file.trace, &read.of.derived);
        let diffusion = diffusion(trace);
        let stream = Stream::of(trace, derived, read.launches.as_ref())
            .expect("a trace with kernels or named launches was chosen");
        let detection = detected(plan, &stream, config)?;
        let spans = spans(&detection, derived, &stream);
        let whole = layers_of_most(&spans);
        let zero_ns = trace.first_ns.unwrap_or(0);
        let trip = Trip {
            derived,
            stream: &stream,
            device: &Device::of(trace, stream.device),
            captures: &captures(trace),
            zero_ns,
            whole,
            denoises: diffusion.denoises,
            drafts: drafts(read.of.engine, config),
        };
        let (passes, steady_pass) = passes(&trip, &spans);
        Ok(Self {
            read,
            stream,
            detection,
            spans,
            passes,
            steady_pass,
            whole,
            zero_ns,
            diffusion,
        })
    }

    /// The layers of one of its passes.
    pub(crate) fn layers(&self, pass: usize) -> Vec<Measured> {
        measure(&self.read.of.derived, &self.stream, &self.spans[pass].layers)
    }
}

/// Whether the model may have layers of a draft: the configuration says so, or, without one, the engine is of the kind.
fn drafts(engine: Option<&str>, config: Option<&Config>) -> bool {
    match config.and_then(|config| config.model.mtp_layers) {
        Some(layers) => layers > 0,
        None => !matches!(engine, None | Some("transformers")),
    }
}

fn detected(plan: &Plan, stream: &Stream<'_>, config: Option<&Config>) -> Result<Detection, PipelineError> {
    let expected = config.map_or_else(Expected::default, Config::expected);
    let kernels = stream.kernels();
    let Some(anchor) = &plan.anchor else {
        return Ok(detect(&kernels, &expected));
    };
    let starts: Vec<usize> = stream
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| anchor.is_match(item.name))
        .map(|(at, _)| at)
        .collect();
    if starts.is_empty() {
        return Err(PipelineError::AnchorMatchesNothing {
            pattern: anchor.as_str().to_owned(),
            kernels: kernels.len(),
            stream: stream.label.clone(),
        });
    }
    Ok(detect_at(&kernels, &starts, &expected))
}
