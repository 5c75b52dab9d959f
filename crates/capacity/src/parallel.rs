//! How a model is divided among ranks.

/// Ranks of each kind of division; each at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parallel {
    /// Tensor parallelism.
    pub tp: u64,
    /// Pipeline parallelism.
    pub pp: u64,
    /// Replicas of attention within the tensor parallel ranks (SGLang's DP attention).
    pub attention_dp: u64,
    /// Expert parallelism within the tensor parallel ranks: experts whole, and fewer of them.
    pub ep: u64,
}

impl Default for Parallel {
    fn default() -> Self {
        Self {
            tp: 1,
            pp: 1,
            attention_dp: 1,
            ep: 1,
        }
    }
}

impl Parallel {
    /// Ranks that share the heads of one attention.
    pub fn attention_tp(self) -> u64 {
        (self.tp.max(1) / self.attention_dp.max(1)).max(1)
    }

    /// Heads of keys and values on one rank: there are no parts of a head, so few heads are kept several times.
    pub fn kv_heads(self, heads: u64) -> u64 {
        heads.div_ceil(self.attention_tp()).max(1)
    }

    /// How often each head of keys and values is kept: 1 where every rank has its own.
    pub fn kv_copies(self, heads: u64) -> u64 {
        let (kept, there) = (self.kv_heads(heads) * self.attention_tp(), heads.max(1));
        (kept / there).max(1)
    }

    /// The layers of each pipeline stage: equal numbers, the remainder one each to the first.
    pub(crate) fn stages(self, layers: usize) -> Vec<std::ops::Range<usize>> {
        let stages = usize::try_from(self.pp)
            .unwrap_or(usize::MAX)
            .clamp(1, layers.max(1));
        let (each, more) = (layers / stages, layers % stages);
        let mut start = 0;
        (0..stages)
            .map(|stage| {
                let end = start + each + usize::from(stage < more);
                let range = start..end;
                start = end;
                range
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tp(tp: u64, attention_dp: u64) -> Parallel {
        Parallel {
            tp,
            attention_dp,
            ..Parallel::default()
        }
    }

    #[test]
    fn a_rank_keeps_one_head_at_least() {
        assert_eq!(
            [tp(1, 1), tp(4, 1), tp(8, 1)].map(|parallel| parallel.kv_heads(4)),
            [4, 1, 1]
        );
        assert_eq!((tp(8, 1).kv_copies(4), tp(4, 1).kv_copies(4)), (2, 1));
        // DP attention over all ranks: each keeps all heads of its own requests.
        assert_eq!((tp(4, 4).kv_heads(4), tp(8, 2).kv_heads(4)), (4, 1));
    }

    #[test]
    fn stages_hold_all_layers_once() {
        let stages = Parallel {
            pp: 4,
            ..Parallel::default()
        }
        .stages(10);
        assert_eq!(stages, [0..3, 3..6, 6..8, 8..10]);
        assert_eq!(
            Parallel {
                pp: 9,
                ..Parallel::default()
            }
            .stages(2),
            [0..1, 1..2]
        );
    }
}
