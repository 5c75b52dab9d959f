//! What could mislead a reader of the document.

use contracts::Warning;
use trace_layers::{DetectionWarning, Method};

use crate::analysis::Analysis;
use crate::config::{self, Config};
use crate::layers;

/// The warnings of the configuration, and of the search for layers.
pub(crate) fn warnings(config: Option<&Config>, analysis: &Analysis<'_, '_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(config) = config {
        warnings.extend(config.warnings());
    }
    warnings.extend(of_detection(analysis));
    warnings
}

fn of_detection(analysis: &Analysis<'_, '_>) -> Vec<Warning> {
    let cut = analysis.cut;
    let (detection, stream) = (&cut.detection, &cut.stream);
    // Layers that a step or a graph joined may be as many as the configuration names, after all.
    let joined = cut.whole.is_some() && cut.whole == detection.config_layers;
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
    let shown = &cut.spans[pass].layers;
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
