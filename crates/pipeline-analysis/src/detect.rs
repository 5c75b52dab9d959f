//! From a stream of kernels to passes and layers.

use std::ops::Range;

use model_config::LayerType;

use crate::attempt::{Attempt, Layers, attempt};
use crate::class::Sequence;
use crate::cluster;
use crate::detection::{Detection, DetectionWarning, Expected, Kernel, Layer, Method, Pass, Role};
use crate::divider::divide;
use crate::draft::drafts;
use crate::lag::{Lag, lags};

/// Kernels of a stream that are looked at.
pub const MAX_KERNELS: usize = 1 << 20;
/// Periods that are tried out.
const MAX_ATTEMPTS: usize = 8;

/// Finds the passes of one stream, and the layers of each.
///
/// ```text
/// kernels  e n | q r a o n u d | n q r a o n u d | … | n q r a o n u d | n h s
///          preamble  layer 0        layer 1              layer 35        tail
/// ```
///
/// A model runs the same kernels in every layer, so the names of a pass are a tandem repeat. Its period is the distance at
/// which most of the stream repeats itself (one class for all tile variants of a kernel); the layer is the repeat, turned so
/// that it starts where passes begin; it is laid over the stream with an allowance for kernels that are missing, too many or
/// replaced. The configuration says whether a repeat is a layer, a group of layers (hybrid models), or a part of one, and how
/// many layers of another kind precede the repeats. Where layers do not repeat in groups, a kernel that divides them is
/// looked for.
///
/// The work is bounded: 64 distances are followed along the stream, at most 8 are tried out, each with at most 4e8 cells of
/// alignment, and streams are cut at [`MAX_KERNELS`], with a warning.
pub fn detect(kernels: &[Kernel<'_>], expected: &Expected<'_>) -> Detection {
    let analysed = &kernels[..kernels.len().min(MAX_KERNELS)];
    let sequence = Sequence::new(analysed.iter().map(|kernel| kernel.name));
    let config_layers = expected.num_hidden_layers;
    let mut warnings = Vec::new();
    if analysed.len() < kernels.len() {
        warnings.push(DetectionWarning::Truncated {
            kernels: kernels.len(),
            analysed: analysed.len(),
        });
    }
    let found = find(&sequence, expected, &mut warnings);
    let layers = found.passes.iter().map(Vec::len).max();
    let confidence = match (layers, config_layers) {
        (Some(trace), Some(config)) if trace != config => {
            found.confidence * trace.min(config) as f64 / trace.max(config) as f64
        }
        _ => found.confidence,
    };
    let mut passes = assemble(analysed, &sequence, &found, expected);
    let clusters = cluster::number(analysed, &mut passes, found.method == Method::Slots);
    Detection {
        method: found.method,
        period: found.period,
        repeats: found.repeats,
        confidence,
        layers,
        config_layers,
        passes,
        clusters,
        warnings,
    }
}

/// What was found, before passes are named.
struct Found {
    method: Method,
    period: Option<usize>,
    repeats: Option<f64>,
    confidence: f64,
    passes: Vec<Layers>,
}

fn find(sequence: &Sequence, expected: &Expected<'_>, warnings: &mut Vec<DetectionWarning>) -> Found {
    let lags = lags(&sequence.classes);
    let config = expected.num_hidden_layers;
    let attempts = attempts(sequence, &lags, config);
    let agrees = |attempt: &&Attempt| config.is_none_or(|config| attempt.layers() == config);
    if let Some(attempt) = attempts.iter().find(agrees) {
        return from_attempt(attempt, warnings);
    }
    if let Some(config) = config {
        if let Some(found) = by_divider(sequence, &lags, config, expected.layer_types) {
            return found;
        }
        // Nothing agrees: what the trace shows on its own.
        if let Some(attempt) = self::attempts(sequence, &lags, None).first() {
            let found = from_attempt(attempt, warnings);
            let trace = attempt.layers();
            warnings.push(DetectionWarning::LayersDisagree { trace, config });
            if trace < config && config.is_multiple_of(attempt.blocks) {
                warnings.push(DetectionWarning::NotSplit {
                    blocks: attempt.blocks,
                    config,
                });
            }
            return found;
        }
    }
    Found {
        method: Method::None,
        period: None,
        repeats: None,
        confidence: 0.0,
        passes: Vec::new(),
    }
}

fn from_attempt(attempt: &Attempt, warnings: &mut Vec<DetectionWarning>) -> Found {
    if attempt.out_of_order > 0 {
        warnings.push(DetectionWarning::OutOfOrder {
            kernels: attempt.out_of_order,
        });
    }
    if attempt.gave_up {
        warnings.push(DetectionWarning::GaveUp);
    }
    Found {
        method: attempt.method,
        period: Some(attempt.template.len()),
        repeats: Some(attempt.repeats),
        confidence: attempt.equal,
        passes: attempt.passes.clone(),
    }
}

/// Periods tried out, the shortest first. With a configuration all that cover half of what the best covers, until one gives
/// its number of layers; without, only those that cover nearly as much as the best: a step of several layers repeats, too,
/// and so may a part of a layer.
fn attempts(sequence: &Sequence, lags: &[Lag], config: Option<usize>) -> Vec<Attempt> {
    let best = lags.first().map_or(0, |lag| lag.cover);
    let (part, of) = if config.is_some() { (1, 2) } else { (17, 20) };
    let mut chosen: Vec<Lag> = lags
        .iter()
        .filter(|lag| lag.cover * of >= best * part)
        .copied()
        .collect();
    chosen.sort_unstable_by_key(|lag| lag.period);
    let mut attempts: Vec<Attempt> = Vec::new();
    for lag in chosen.into_iter().take(MAX_ATTEMPTS) {
        let Some(found) = attempt(sequence, lag, config) else {
            continue;
        };
        let done = config.is_none_or(|config| found.layers() == config);
        attempts.push(found);
        if done {
            break;
        }
    }
    attempts
}

fn by_divider(sequence: &Sequence, lags: &[Lag], config: usize, types: &[LayerType]) -> Option<Found> {
    let length = sequence.classes.len();
    let whole = std::iter::once(0..length).collect();
    let steps = lags
        .iter()
        .filter(|lag| lag.period >= 2 * config && lag.cover * 5 >= length * 4);
    let windows: Vec<Vec<Range<usize>>> = std::iter::once(whole)
        .chain(steps.map(|lag| between_rare(sequence, length.div_ceil(lag.period))))
        .collect();
    windows.into_iter().find_map(|windows| {
        let divided: Vec<_> = windows
            .into_iter()
            .filter_map(|window| divide(sequence, window, config, types))
            .collect();
        let alike = divided.iter().map(|divided| divided.alike).sum::<f64>() / divided.len() as f64;
        (!divided.is_empty()).then(|| Found {
            method: Method::Divider,
            period: None,
            repeats: None,
            confidence: alike,
            passes: divided.into_iter().map(|divided| divided.layers).collect(),
        })
    })
}

/// Stretches between kernels that occur once or twice a step: the ends of passes and the starts of the next.
fn between_rare(sequence: &Sequence, steps: usize) -> Vec<Range<usize>> {
    let mut counts = vec![0_usize; sequence.class_count()];
    for class in &sequence.classes {
        counts[*class as usize] += 1;
    }
    let mut windows = Vec::new();
    let mut start = 0;
    for (at, class) in sequence.classes.iter().enumerate() {
        if counts[*class as usize] <= 2 * steps {
            windows.push(start..at);
            start = at + 1;
        }
    }
    windows.push(start..sequence.classes.len());
    windows.retain(|window| window.len() > 1);
    windows
}

/// Passes with their preambles, tails, roles and types.
fn assemble(
    kernels: &[Kernel<'_>],
    sequence: &Sequence,
    found: &Found,
    expected: &Expected<'_>,
) -> Vec<Pass> {
    let longest = found.passes.iter().map(Vec::len).max().unwrap_or(0);
    let whole = expected
        .num_hidden_layers
        .filter(|config| *config <= longest)
        .unwrap_or(longest);
    let mut all: Vec<(Role, &Layers)> = found.passes.iter().map(|layers| (Role::Main, layers)).collect();
    let others = if found.passes.is_empty() {
        Vec::new()
    } else {
        drafts(sequence, &found.passes)
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
        let few = complete_before && layers.len() * 2 <= whole && to < kernels.len();
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
