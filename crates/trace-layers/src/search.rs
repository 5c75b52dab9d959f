//! The search for layers: periods first, then a kernel that divides the layers.

use std::ops::Range;

use model_config::LayerType;

use crate::attempt::{Attempt, Layers, attempt};
use crate::class::{Kind, Sequence};
use crate::detection::{DetectionWarning, Expected, Method};
use crate::divider::divide;
use crate::lag::{Lag, lags};

/// Kernels on which a period is tried out, around the stretch that repeats it longest.
const SAMPLE: usize = 1 << 17;
/// Least share of kernels that stand where the layer has them; with less, a sequence of few names fits by chance.
const LEAST_EQUAL: f64 = 0.75;
/// Periods that are tried out.
const MAX_ATTEMPTS: usize = 8;

/// What was found, before passes are named.
pub(crate) struct Found {
    pub(crate) method: Method,
    pub(crate) period: Option<usize>,
    pub(crate) repeats: Option<f64>,
    pub(crate) confidence: f64,
    pub(crate) passes: Vec<Layers>,
}

/// The passes of the stream, by whatever finds them.
pub(crate) fn find(
    sequence: &Sequence,
    expected: &Expected<'_>,
    warnings: &mut Vec<DetectionWarning>,
) -> Found {
    let lags = lags(&sequence.classes);
    let config = expected.num_hidden_layers;
    let mut agreeing = attempts(sequence, &lags, config);
    agreeing.retain(|(_, attempt)| config.is_none_or(|config| attempt.layers() == config));
    let best = agreeing
        .iter()
        .map(|(_, attempt)| attempt.explained(config))
        .max()
        .unwrap_or(0);
    // The shortest that explains nearly as much as the best: several layers repeat, too, and may be as many by chance.
    if let Some((lag, attempt)) = agreeing
        .into_iter()
        .find(|(_, attempt)| attempt.explained(config) * 20 >= best * 17)
    {
        return from_attempt(&throughout(sequence, lag, attempt, config), warnings);
    }
    if let Some(config) = config {
        if let Some(found) = by_divider(sequence, &lags, config, expected.layer_types) {
            return found;
        }
        // Nothing agrees: what the trace shows on its own.
        if let Some((lag, attempt)) = attempts(sequence, &lags, None).pop() {
            let attempt = throughout(sequence, lag, attempt, None);
            let found = from_attempt(&attempt, warnings);
            let trace = attempt.layers();
            if trace != config {
                warnings.push(DetectionWarning::LayersDisagree { trace, config });
            }
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
        period: Some(attempt.template.period()),
        repeats: Some(attempt.repeats),
        confidence: attempt.equal,
        passes: attempt.passes.clone(),
    }
}

/// Periods tried out, the shortest first, of those at which half as much comes back as at the best.
///
/// With a configuration, all of these. Without, the first that is nearly as good as the best, or is clearly a layer: whole
/// steps repeat, too, and of many steps more comes back than of the layers in them; and a part of a layer may repeat.
fn attempts(sequence: &Sequence, lags: &[Lag], config: Option<usize>) -> Vec<(Lag, Attempt)> {
    let best = lags.first().map_or(0, |lag| lag.matches);
    let mut chosen: Vec<Lag> = lags
        .iter()
        .filter(|lag| lag.matches * 2 >= best)
        .copied()
        .collect();
    chosen.sort_unstable_by_key(|lag| lag.period);
    let mut attempts: Vec<(Lag, Attempt)> = Vec::new();
    let mut tried = 0;
    for lag in chosen {
        // The best is tried in any case.
        if tried == MAX_ATTEMPTS && lag.matches < best {
            continue;
        }
        let kernels = sequence.classes.len();
        let from = lag
            .exact_start
            .saturating_sub(SAMPLE / 2)
            .min(kernels.saturating_sub(SAMPLE));
        let sample = sequence.part(from..kernels.min(from + SAMPLE));
        let exact_start = lag.exact_start - from;
        let Some(found) = attempt(&sample, Lag { exact_start, ..lag }, config) else {
            continue;
        };
        tried = (tried + 1).min(MAX_ATTEMPTS);
        if found.equal < LEAST_EQUAL {
            continue;
        }
        if config.is_some() {
            attempts.push((lag, found));
        } else if lag.matches * 20 >= best * 17 || found.is_layer(sequence) {
            return vec![(lag, found)];
        }
    }
    attempts
}

/// A period that was tried out on a sample, on the whole stream.
fn throughout(sequence: &Sequence, lag: Lag, sample: Attempt, config: Option<usize>) -> Attempt {
    if sequence.classes.len() <= SAMPLE {
        return sample;
    }
    attempt(sequence, lag, config).unwrap_or(sample)
}

fn by_divider(sequence: &Sequence, lags: &[Lag], config: usize, types: &[LayerType]) -> Option<Found> {
    let length = sequence.classes.len();
    // A whole step that comes back: the stream is several passes.
    let steps = lags
        .iter()
        .filter(|lag| lag.period / 2 >= config && lag.matches * 5 >= (length - lag.period) * 4)
        .min_by_key(|lag| lag.period);
    let steps = steps.map_or(0, |lag| length.div_ceil(lag.period));
    let windows = [steps, 2 * steps]
        .into_iter()
        .filter(|_| steps > 0)
        .flat_map(|most| windows(sequence, most));
    let found = std::iter::once(std::iter::once(0..length).collect())
        .chain(windows)
        .filter_map(|windows: Vec<Range<usize>>| {
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
        });
    found.max_by(|a, b| {
        a.confidence
            .total_cmp(&b.confidence)
            .then(a.passes.len().cmp(&b.passes.len()))
    })
}

/// Ways to part the stream into passes: at each group of kernels that occur at most so often. One such group is the end of a
/// pass and the start of the next; a layer that is alone of its kind is another.
fn windows(sequence: &Sequence, most: usize) -> Vec<Vec<Range<usize>>> {
    let mut counts = vec![0_usize; sequence.class_count()];
    for class in &sequence.classes {
        counts[*class as usize] += 1;
    }
    // The norm of the first layer occurs once a step, too, and belongs to the layer.
    let rare = |class: u32| counts[class as usize] <= most && sequence.kind(class) != Kind::Norm;
    let places: Vec<usize> = (0..sequence.classes.len())
        .filter(|at| rare(sequence.classes[*at]))
        .collect();
    let groups: Vec<Range<usize>> = places
        .chunk_by(|a, b| b - a <= 3)
        .map(|group| group[0]..group[group.len() - 1] + 1)
        .collect();
    // Groups that share their first or last kernel are the same place in several steps; the stream may cut one of them.
    let ends = |group: &Range<usize>| (sequence.classes[group.start], sequence.classes[group.end - 1]);
    let mut kinds: Vec<(u32, u32)> = groups.iter().map(ends).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
        .into_iter()
        .take(MAX_ATTEMPTS)
        .map(|kind| {
            let same = groups
                .iter()
                .filter(|group| ends(group).0 == kind.0 || ends(group).1 == kind.1);
            let mut windows = Vec::new();
            let mut start = 0;
            for group in same {
                windows.push(start..group.start);
                start = group.end;
            }
            windows.push(start..sequence.classes.len());
            windows
        })
        .collect()
}
