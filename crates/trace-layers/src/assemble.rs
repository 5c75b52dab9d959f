//! Passes with their preambles, tails, roles and types.

use std::ops::Range;

use crate::attempt::{Layers, typical};
use crate::class::Sequence;
use crate::detection::{Expected, Kernel, Layer, Pass, Role};
use crate::draft::drafts;

/// Passes with their preambles, tails, roles and types.
pub(crate) fn assemble(
    kernels: &[Kernel<'_>],
    sequence: &Sequence,
    found: &[Layers],
    expected: &Expected<'_>,
) -> Vec<Pass> {
    let whole = typical(found).unwrap_or(0);
    let mut all: Vec<(Role, &Layers)> = found.iter().map(|layers| (Role::Main, layers)).collect();
    let others = if found.is_empty() {
        Vec::new()
    } else {
        drafts(sequence, found)
    };
    all.extend(others.iter().map(|layers| (Role::Draft, layers)));
    all.retain(|(_, layers)| !layers.is_empty());
    all.sort_by_key(|(_, layers)| layers[0].start);
    let mut passes: Vec<Pass> = Vec::with_capacity(all.len());
    let mut complete_before = false;
    for (index, (role, layers)) in all.iter().enumerate() {
        let start = layers[0].start;
        let end = layers[layers.len() - 1].end;
        let from = passes.last().map_or(0, |pass| pass.tail.end);
        let to = all
            .get(index + 1)
            .map_or(kernels.len(), |(_, next)| pause(kernels, end..next[0].start));
        let complete = *role == Role::Main && layers.len() == whole;
        // A few layers behind a whole pass, with more to follow, are no pass that the trace cut off.
        let behind_draft = passes.last().is_some_and(|pass| pass.role == Role::Draft);
        let few = complete_before && layers.len() * 2 <= whole && (to < kernels.len() || behind_draft);
        let role = if *role == Role::Main && few {
            Role::Draft
        } else {
            *role
        };
        complete_before |= complete;
        let layer_type = |layer: usize| {
            let types = expected.layer_types;
            (complete && types.len() == whole).then(|| types[layer])
        };
        passes.push(Pass {
            preamble: from..start,
            layers: layers
                .iter()
                .enumerate()
                .map(|(index, kernels)| Layer {
                    kernels: kernels.clone(),
                    layer_type: layer_type(index),
                    cluster: 0,
                })
                .collect(),
            tail: end..to,
            role,
            complete,
        });
    }
    passes
}

/// The kernel before which the stream pauses longest: there a pass ends and the next begins.
fn pause(kernels: &[Kernel<'_>], gap: Range<usize>) -> usize {
    let idle = |at: usize| {
        let before = at.checked_sub(1).map(|before| &kernels[before]);
        before.map_or(0, |before| {
            kernels[at]
                .start_ns
                .saturating_sub(before.start_ns.saturating_add(before.dur_ns))
        })
    };
    let until = gap.end.min(kernels.len().saturating_sub(1));
    (gap.start..=until)
        .rev()
        .max_by_key(|at| idle(*at))
        .unwrap_or(gap.end)
        .min(gap.end)
}
