//! The analysed trace, cut and measured: stream, layers, passes, and what is shown of them. Pure.

use contracts::pipeline_analysis::report::{Cluster, Pass};
use trace_layers::{Detection, Expected, detect, detect_at};

use crate::clusters::clusters;
use crate::config::Config;
use crate::error::PipelineError;
use crate::layers::{Measured, measure};
use crate::passes::{Trip, passes};
use crate::plan::{PassChoice, Plan};
use crate::spans::{Span, layers_of_most, spans};
use crate::stream::Stream;
use crate::times::Device;
use crate::traces::{Diffusion, Read};

/// A trace, cut.
pub(crate) struct Analysis<'t> {
    pub(crate) stream: Stream<'t>,
    pub(crate) detection: Detection,
    pub(crate) spans: Vec<Span>,
    pub(crate) passes: Vec<Pass>,
    pub(crate) steady_pass: Option<usize>,
    /// The pass whose layers follow; `None` when no layers were found.
    pub(crate) shown: Option<usize>,
    pub(crate) layers: Vec<Measured>,
    pub(crate) clusters: Vec<Cluster>,
    /// The layers whose kernels are listed.
    pub(crate) flow_of: Vec<usize>,
    /// Layers of a whole pass.
    pub(crate) whole: Option<usize>,
    /// First event of the trace.
    pub(crate) zero_ns: i64,
}

impl<'t> Analysis<'t> {
    /// Cuts the trace as planned.
    pub(crate) fn of(
        plan: &Plan,
        read: &'t Read,
        config: Option<&Config>,
        diffusion: &Diffusion,
    ) -> Result<Self, PipelineError> {
        let trace = &read.of.file.trace;
        let stream = Stream::of(trace, &read.of.derived, read.launches.as_ref())
            .expect("a trace with kernels or named launches was chosen");
        let detection = detected(plan, &stream, config)?;
        let spans = spans(&detection, &read.of.derived, &stream);
        let whole = layers_of_most(&spans);
        let zero_ns = trace.first_ns.unwrap_or(0);
        let trip = Trip {
            derived: &read.of.derived,
            stream: &stream,
            device: &Device::of(trace, stream.device),
            zero_ns,
            whole,
            denoises: diffusion.denoises,
            drafts: drafts(read.of.engine, config),
        };
        let (passes, steady_pass) = passes(&trip, &spans);
        let shown = shown_pass(plan, &spans, steady_pass)?;
        let layers = shown.map_or_else(Vec::new, |pass| {
            measure(&read.of.derived, &stream, &spans[pass].layers)
        });
        if let Some(pass) = shown {
            layers_are_there(plan, pass, layers.len())?;
        }
        let clusters = clusters(&layers);
        let flow_of = match plan.layer.filter(|_| shown.is_some()) {
            Some(layer) => vec![layer],
            None => clusters
                .iter()
                .map(|cluster| cluster.representative as usize)
                .collect(),
        };
        Ok(Self {
            stream,
            detection,
            spans,
            passes,
            steady_pass,
            shown,
            layers,
            clusters,
            flow_of,
            whole,
            zero_ns,
        })
    }
}

fn layers_are_there(plan: &Plan, pass: usize, layers: usize) -> Result<(), PipelineError> {
    let missing = plan
        .layer
        .iter()
        .chain(&plan.compare_layer)
        .find(|layer| **layer >= layers);
    match missing {
        Some(layer) => Err(PipelineError::NoSuchLayer {
            layer: *layer,
            pass,
            layers,
        }),
        None => Ok(()),
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

/// The pass whose layers are shown; `None` when no layers were found.
fn shown_pass(plan: &Plan, spans: &[Span], steady: Option<usize>) -> Result<Option<usize>, PipelineError> {
    let first = spans.iter().position(|span| !span.layers.is_empty());
    match plan.pass {
        PassChoice::Steady => Ok(steady.or(first)),
        PassChoice::Only(pass) if pass >= spans.len() => Err(PipelineError::NoSuchPass {
            pass,
            passes: spans.len(),
        }),
        PassChoice::Only(pass) => Ok(first.map(|_| pass)),
    }
}
