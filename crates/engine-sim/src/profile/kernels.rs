//! The kernels of a step, in order, and how its device time is divided among them.

use crate::engine::Timing;

/// One piece of a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Embed,
    Norm,
    AddNorm,
    Qkv,
    Rope,
    Attention,
    OutProjection,
    GateUp,
    Activate,
    Down,
    Logits,
    Sample,
    CopyOut,
}

/// A piece at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) piece: Piece,
    /// Layer, from 0; `None` before and after them.
    pub(super) layer: Option<u64>,
    pub(super) dur_ns: u64,
}

impl Piece {
    /// Share of the device time beside attention, in arbitrary units: about what a dense model of a few billion
    /// parameters shows in decode, where time goes with the bytes of the weights.
    fn weight(self) -> u64 {
        match self {
            Piece::Embed => 10,
            Piece::Norm | Piece::AddNorm | Piece::Rope => 12,
            Piece::Qkv => 150,
            // By the model, not by a weight.
            Piece::Attention => 0,
            Piece::OutProjection => 100,
            Piece::GateUp => 420,
            Piece::Activate => 22,
            Piece::Down => 210,
            Piece::Logits => 600,
            Piece::Sample => 20,
            Piece::CopyOut => 4,
        }
    }

    /// Launched after the graph, where there is one.
    pub(super) fn is_outside_graph(self) -> bool {
        matches!(self, Piece::Sample | Piece::CopyOut)
    }
}

fn sequence(layers: u64) -> Vec<(Piece, Option<u64>)> {
    let mut pieces = vec![(Piece::Embed, None)];
    for layer in 0..layers {
        // From the second layer on the residual is added where the input is normed.
        let first = if layer == 0 { Piece::Norm } else { Piece::AddNorm };
        let body = [
            first,
            Piece::Qkv,
            Piece::Rope,
            Piece::Attention,
            Piece::OutProjection,
            Piece::AddNorm,
            Piece::GateUp,
            Piece::Activate,
            Piece::Down,
        ];
        pieces.extend(body.map(|piece| (piece, Some(layer))));
    }
    pieces.extend([Piece::AddNorm, Piece::Logits, Piece::Sample, Piece::CopyOut].map(|piece| (piece, None)));
    pieces
}

/// The kernels of one step; their durations add up to its device time.
pub(super) fn planned(timing: &Timing, layers: u64) -> Vec<Planned> {
    let sequence = sequence(layers);
    let rest: u64 = sequence.iter().map(|(piece, _)| piece.weight()).sum();
    // With r the weight of the rest and a attention's share: all attention weighs r x a / (1 - a).
    let share = u64::from(timing.attention_permille).clamp(5, 950);
    let unit = 1000 * layers;
    let attention = rest * share * 1000 / (1000 - share);
    let weight = |piece: Piece| match piece {
        Piece::Attention => attention,
        other => other.weight() * unit,
    };
    let total: u64 = sequence.iter().map(|(piece, _)| weight(*piece)).sum();
    let shares = sequence.iter().map(|(piece, _)| weight(*piece));
    sequence
        .iter()
        .zip(divide(timing.device_ns, shares, total))
        .map(|((piece, layer), dur_ns)| Planned {
            piece: *piece,
            layer: *layer,
            dur_ns,
        })
        .collect()
}

/// Divides a whole by weights so that the parts add up to it.
pub(super) fn divide(
    whole: u64,
    weights: impl Iterator<Item = u64>,
    total: u64,
) -> impl Iterator<Item = u64> {
    let at = move |sum: u64| (u128::from(whole) * u128::from(sum) / u128::from(total.max(1))) as u64;
    weights.scan(0, move |sum, weight| {
        let from = at(*sum);
        *sum += weight;
        Some(at(*sum) - from)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn durations_add_up(device_ns in 0..10_000_000_000u64, attention_permille in 0..1001u32, layers in 1..128u64) {
            let timing = Timing { device_ns, attention_permille, ..Timing::default() };
            let planned = planned(&timing, layers);
            prop_assert_eq!(planned.len() as u64, 9 * layers + 5);
            prop_assert_eq!(planned.iter().map(|kernel| kernel.dur_ns).sum::<u64>(), device_ns);
        }
    }

    #[test]
    fn attention_takes_the_share_that_the_model_gives_it() {
        let timing = Timing {
            device_ns: 1_000_000_000,
            attention_permille: 300,
            ..Timing::default()
        };
        let attention: u64 = planned(&timing, 8)
            .iter()
            .filter(|kernel| kernel.piece == Piece::Attention)
            .map(|kernel| kernel.dur_ns)
            .sum();
        assert!((attention as i64 - 300_000_000).abs() < 1_000_000, "{attention}");
    }
}
