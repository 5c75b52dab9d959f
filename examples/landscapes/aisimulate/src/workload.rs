//! The requests of a workload: lengths uniform in [0.8 L, L], the same for every configuration.

use aisimulate_core::replay::ReplayRequest;

use crate::prepared::Workload;

/// All requests, with their prompts written out so that a prefix cache can find what they share.
pub(crate) fn requests(workload: &Workload) -> Vec<ReplayRequest> {
    let mut random = SplitMix(workload.seed);
    let mut arrival_ms = 0.0;
    (0..workload.requests)
        .map(|index| {
            let input = random
                .length(workload.input_tokens)
                .max(workload.shared_prefix + 1);
            let output = random.length(workload.output_tokens);
            if let Some(rate) = workload.rate {
                arrival_ms += -random.unit().ln() / rate * 1e3;
            }
            ReplayRequest {
                id: format!("request-{index}"),
                arrival_time_ms: arrival_ms,
                input_tokens: input,
                input_token_ids: Some((0..input).map(|at| token(workload, index, at)).collect()),
                output_tokens: output,
                output_token_ids: None,
                dp_rank: None,
                prefill_dp_rank: None,
                session_id: None,
                turn_index: None,
                metadata: serde_json::Value::Null,
            }
        })
        .collect()
}

/// The same tokens for all in the shared prefix, tokens of its own after it.
fn token(workload: &Workload, request: usize, at: usize) -> u32 {
    let own = if at < workload.shared_prefix {
        0
    } else {
        request as u64 + 1
    };
    SplitMix((own << 32) + at as u64).next() as u32 & 0xffff
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, seeded, the same everywhere.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in (0, 1).
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn length(&mut self, longest: usize) -> usize {
        (longest as f64 * (0.8 + 0.2 * self.unit())).round() as usize
    }
}
