//! What is shown of the representative trace: one pass, its layers, their clusters. Pure.

use contracts::pipeline_analysis::report::Cluster;

use crate::clusters::clusters;
use crate::cut::Cut;
use crate::error::PipelineError;
use crate::layers::Measured;
use crate::plan::{PassChoice, Plan};
use crate::spans::Span;

/// A trace that is cut, and what is shown of it.
pub(crate) struct Analysis<'c, 't> {
    pub(crate) cut: &'c Cut<'t>,
    /// The pass whose layers follow; `None` when no layers were found.
    pub(crate) shown: Option<usize>,
    pub(crate) layers: Vec<Measured>,
    pub(crate) clusters: Vec<Cluster>,
    /// The layers whose kernels are listed.
    pub(crate) flow_of: Vec<usize>,
}

impl<'c, 't> Analysis<'c, 't> {
    /// Looks at the pass and the layers that are planned.
    pub(crate) fn of(plan: &Plan, cut: &'c Cut<'t>) -> Result<Self, PipelineError> {
        let shown = shown_pass(plan, &cut.spans, cut.steady_pass)?;
        let layers = shown.map_or_else(Vec::new, |pass| cut.layers(pass));
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
            cut,
            shown,
            layers,
            clusters,
            flow_of,
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
