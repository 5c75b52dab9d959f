//! Where the time of a step went, in whole nanoseconds that add up to its length.

use super::cost::StepTime;

/// The parts of a step, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timing {
    /// The host chose a batch; 0 inside a round.
    pub(crate) round_ns: u64,
    /// The host prepared the step and handed over its result.
    pub(crate) step_ns: u64,
    /// The host detokenized and sent.
    pub(crate) sequences_ns: u64,
    /// The device waited for launches.
    pub(crate) launches_ns: u64,
    /// The device computed.
    pub(crate) device_ns: u64,
    /// Share of attention in what the device did, in thousandths.
    pub(crate) attention_permille: u32,
}

impl Timing {
    /// Every part stretched by `factor`; what rounding leaves over is the device's.
    pub(super) fn of(time: &StepTime, factor: f64, duration_ns: u64) -> Timing {
        let mut left = duration_ns;
        let mut part = |ns: f64| {
            let whole = ((ns * factor).round() as u64).min(left);
            left -= whole;
            whole
        };
        Timing {
            round_ns: part(time.round_ns),
            step_ns: part(time.step_ns),
            sequences_ns: part(time.sequences_ns),
            launches_ns: part(time.launches_ns),
            device_ns: left,
            attention_permille: (time.attention * 1e3).round() as u32,
        }
    }

    /// The whole step.
    #[cfg(test)]
    pub(crate) fn total_ns(&self) -> u64 {
        self.round_ns + self.step_ns + self.sequences_ns + self.launches_ns + self.device_ns
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_parts_are_the_whole(
            parts in prop::array::uniform5(0.0..1e8f64), attention in 0.0..1.0f64, factor in 0.1..20.0f64,
        ) {
            let [forward_ns, round_ns, step_ns, sequences_ns, launches_ns] = parts;
            let time = StepTime { forward_ns, attention, round_ns, step_ns, sequences_ns, launches_ns };
            let duration_ns = ((time.total_ns() * factor).round() as u64).max(1);
            let timing = Timing::of(&time, factor, duration_ns);
            prop_assert_eq!(timing.total_ns(), duration_ns);
            prop_assert!((timing.device_ns as f64 - forward_ns * factor).abs() <= 4.0);
        }
    }
}
