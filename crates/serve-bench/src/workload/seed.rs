//! Random streams of a workload: one for every scenario, purpose and request, so that the first ten requests of
//! eighty are the ten requests of ten.
//!
//! ChaCha and the integer arithmetic here give the same values on every machine and with every release of `rand`;
//! that is why nothing else of `rand` draws in this module.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// What a stream is for; streams of different purposes are independent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Prompt and output lengths.
    Lengths,
    /// Text of one request.
    Text,
    /// Text of a shared prefix.
    Prefix,
    /// Arrival offsets.
    Arrival,
    /// What sets the scenario apart from others: the start of its salts.
    Salt,
    /// Order of a data set.
    Shuffle,
    /// Recorded answers of a conversation.
    Answer,
    /// How long a user thinks.
    Think,
}

/// A stream of random values.
#[derive(Clone, Debug)]
pub(super) struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of a seed, a name (of a scenario, or of a set of prefixes), a purpose and a number.
    pub(super) fn new(seed: u64, name: &str, purpose: Purpose, number: u64) -> Stream {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&fnv1a(name.as_bytes()).to_le_bytes());
        key[16..24].copy_from_slice(&number.to_le_bytes());
        key[24] = purpose as u8;
        Stream(ChaCha8Rng::from_seed(key))
    }

    /// Any 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform over `low..=high`; `low` when the range is empty.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        let Some(span) = high.checked_sub(low) else {
            return low;
        };
        let Some(count) = span.checked_add(1) else {
            return self.bits();
        };
        // Values over the last whole multiple would favour the low end.
        let limit = u64::MAX - u64::MAX % count;
        loop {
            let bits = self.bits();
            if bits < limit {
                return low + bits % count;
            }
        }
    }

    /// Uniform over [0, 1), in steps of 2^-53.
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// FNV-1a, 64 bits: names become part of a key; nobody attacks it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_same_for_ever() {
        let mut stream = Stream::new(7, "chat", Purpose::Text, 3);
        let values: Vec<u64> = (0..4).map(|_| stream.between(0, 999)).collect();
        assert_eq!(values, PINNED);
    }

    const PINNED: [u64; 4] = [228, 549, 450, 925];

    #[test]
    fn streams_differ_by_seed_name_purpose_and_number() {
        let first = |seed, name, purpose, number| Stream::new(seed, name, purpose, number).bits();
        let base = first(1, "a", Purpose::Text, 0);
        assert_ne!(base, first(2, "a", Purpose::Text, 0));
        assert_ne!(base, first(1, "b", Purpose::Text, 0));
        assert_ne!(base, first(1, "a", Purpose::Prefix, 0));
        assert_ne!(base, first(1, "a", Purpose::Text, 1));
    }

    #[test]
    fn between_is_uniform_and_keeps_to_its_ends() {
        let mut stream = Stream::new(1, "u", Purpose::Lengths, 0);
        let mut counts = [0_u32; 5];
        for _ in 0..50_000 {
            counts[(stream.between(10, 14) - 10) as usize] += 1;
        }
        // 10,000 expected, sigma 89: five sigma on each side.
        assert!(
            counts.iter().all(|count| (9_550..=10_450).contains(count)),
            "{counts:?}"
        );
        assert_eq!(stream.between(5, 5), 5);
        assert_eq!(stream.between(6, 5), 6);
    }
}
