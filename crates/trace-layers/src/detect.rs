//! From a stream of kernels to passes and layers.

use crate::assemble::assemble;
use crate::attempt::typical;
use crate::class::Sequence;
use crate::cluster;
use crate::detection::{Detection, DetectionWarning, Expected, Kernel, Method};
use crate::given::at_starts;
use crate::search::{Found, find};

/// Kernels of a stream that are looked at.
pub const MAX_KERNELS: usize = 1 << 20;
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
/// The work is bounded: 64 distances are followed along the stream, about 8 are tried out on a sample of 2^17 kernels and one
/// on all, each with at most 1e8 cells of alignment and a warning where that ends the search; streams are cut at
/// [`MAX_KERNELS`], with a warning. A stream of a million kernels takes a fraction of a second; where every second layer is
/// disturbed, seconds.
pub fn detect(kernels: &[Kernel<'_>], expected: &Expected<'_>) -> Detection {
    with(kernels, expected, |sequence, warnings| {
        find(sequence, expected, warnings)
    })
}

/// As [`detect`], with given layers: each starts at one of these kernels, whatever repeats. Starts beyond the stream are left
/// out, and the order does not matter.
///
/// A pass has as many layers as the configuration names, if the starts are a multiple of that; else it ends where two starts
/// are further apart than usual, with kernels between them that other layers do not have. The last layer of a pass is as long
/// as the one before it.
pub fn detect_at(kernels: &[Kernel<'_>], starts: &[usize], expected: &Expected<'_>) -> Detection {
    with(kernels, expected, |sequence, warnings| {
        let passes = at_starts(sequence, starts, expected.num_hidden_layers);
        if let (Some(trace), Some(config)) = (typical(&passes), expected.num_hidden_layers)
            && trace != config
        {
            warnings.push(DetectionWarning::LayersDisagree { trace, config });
        }
        Found {
            method: if passes.is_empty() {
                Method::None
            } else {
                Method::Given
            },
            period: None,
            repeats: None,
            confidence: if passes.is_empty() { 0.0 } else { 1.0 },
            passes,
        }
    })
}

/// What is found in the part of the stream that is looked at, as passes with their layers.
fn with(
    kernels: &[Kernel<'_>],
    expected: &Expected<'_>,
    find: impl FnOnce(&Sequence, &mut Vec<DetectionWarning>) -> Found,
) -> Detection {
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
    let found = find(&sequence, &mut warnings);
    let layers = typical(&found.passes);
    let confidence = match (layers, config_layers) {
        (Some(trace), Some(config)) if trace != config => {
            found.confidence * trace.min(config) as f64 / trace.max(config) as f64
        }
        _ => found.confidence,
    };
    let mut passes = assemble(analysed, &sequence, &found.passes, expected);
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
