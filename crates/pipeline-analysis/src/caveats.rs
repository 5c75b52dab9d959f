//! What could mislead a reader of the document.

use contracts::Warning;
use contracts::pipeline_analysis::report::TraceInfo;
use trace_document::defect_warnings;
use trace_layers::{DetectionWarning, Method};

use crate::analysis::Analysis;
use crate::config::{self, Config};
use crate::layers;
use crate::traces::{Diffusion, Read};

/// The warnings: of the file, of the choice among several, of the configuration, of the search for layers.
pub(crate) fn warnings(
    files: &[Read],
    (read, info): (&Read, &TraceInfo),
    config: Option<&Config>,
    diffusion: &Diffusion,
    analysis: &Analysis<'_>,
) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = defect_warnings(&read.of.file).chain(info.incomplete()).collect();
    if let Some(frame) = &diffusion.backend_frame {
        warnings.push(Warning::new(
            "trace-diffusers-backend",
            format!(
                "{frame} ran: a trace of the diffusers backend is no evidence about the engine's own pipeline"
            ),
        ));
    }
    if files.len() > 1 {
        let (count, path) = (files.len(), &info.path);
        warnings.push(Warning::new(
            "trace-not-analysed",
            format!("of {count} traces one is analysed, {path}: give another one alone to see it"),
        ));
    }
    if let Some(config) = config {
        warnings.extend(config.warnings());
    }
    warnings.extend(of_detection(analysis));
    warnings
}

fn of_detection(analysis: &Analysis<'_>) -> Vec<Warning> {
    let (detection, stream) = (&analysis.detection, &analysis.stream);
    // Layers that a step or a graph joined may be as many as the configuration names, after all.
    let joined = analysis.whole.is_some() && analysis.whole == detection.config_layers;
    let mut warnings: Vec<Warning> = detection
        .warnings
        .iter()
        .filter(|warning| !(joined && matches!(warning, DetectionWarning::LayersDisagree { .. })))
        .map(|warning| Warning::new(warning.code(), warning.to_string()))
        .collect();
    let Some(pass) = analysis.shown else {
        warnings.push(Warning::new(
            "layers-not-found",
            format!(
                "nothing that repeats was found among the {} kernels of stream {}: name the kernel that starts a layer with --anchor",
                stream.items.len(),
                stream.label
            ),
        ));
        return warnings;
    };
    let shown = &analysis.spans[pass].layers;
    // Where kernels stand out of order, their names say nothing of the layer they stand in.
    if detection.method != Method::Slots {
        warnings.extend(config::types_disagree(stream, shown));
    }
    // The attention of a piecewise graph is launched outside of it.
    if !stream.captured && !shown.iter().any(|layer| layers::mixes(stream, layer)) {
        warnings.push(Warning::new(
            "layers-without-attention",
            "no layer has a kernel of attention or of a state space: what repeats may be training steps, or parts of another kind of model",
        ));
    }
    warnings
}
