//! What limits a kernel.

use contracts::ncu_digest::kernel::{Bound, Sol, SubBound};

use crate::thresholds::{BALANCED_PCT, BUSY_PCT, EQUAL_PCT, L1_BUSY_PCT, MEMORY_MARGIN_PCT, SMALL_NS};

/// What a class is decided by.
pub(crate) struct Known<'a> {
    pub(crate) is_collective: bool,
    pub(crate) duration_ns: Option<f64>,
    pub(crate) waves: Option<f64>,
    pub(crate) sol: &'a Sol,
}

/// The class, and which part of it; nothing where a number is missing.
pub(crate) fn class(known: &Known<'_>) -> (Option<Bound>, Option<SubBound>) {
    if known.is_collective {
        return (Some(Bound::Comm), None);
    }
    let (Some(duration), Some(waves)) = (known.duration_ns, known.waves) else {
        return (None, None);
    };
    let number = |counter: &Option<contracts::ncu_digest::Counter>| counter.as_ref().map(|c| c.value.get());
    let (Some(sm), Some(memory)) = (number(&known.sol.sm_pct), number(&known.sol.mem_pct)) else {
        return (None, None);
    };
    if duration < SMALL_NS && waves < 1.0 {
        return (Some(Bound::Latency), Some(SubBound::Small));
    }
    if sm < BUSY_PCT && memory < BUSY_PCT {
        return (Some(Bound::Latency), None);
    }
    let l1 = number(&known.sol.l1_pct);
    // The throughput of the multiprocessors counts the pipe that loads and stores: where it is as busy as memory, and L1
    // is, too, they are one and the same.
    let is_one = (sm - memory).abs() <= EQUAL_PCT && l1.is_some_and(|l1| l1 >= L1_BUSY_PCT);
    if sm >= BUSY_PCT && memory >= BUSY_PCT && (sm - memory).abs() < BALANCED_PCT && !is_one {
        return (Some(Bound::Balanced), None);
    }
    if memory < sm - MEMORY_MARGIN_PCT {
        return (Some(Bound::Compute), None);
    }
    let parts = [
        (SubBound::Dram, number(&known.sol.dram_pct)),
        (SubBound::L2, number(&known.sol.l2_pct)),
        (SubBound::L1, l1),
    ];
    // The largest of some is not the largest of all.
    let known: Option<Vec<_>> = parts.into_iter().map(|(part, pct)| Some((part, pct?))).collect();
    let largest = known.and_then(|known| known.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)));
    (Some(Bound::Memory), largest.map(|(part, _)| part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::counter;

    fn of(
        duration: f64,
        waves: f64,
        [sm, memory, dram, l2, l1]: [f64; 5],
    ) -> (Option<Bound>, Option<SubBound>) {
        let sol = Sol {
            sm_pct: counter(sm, "sm"),
            mem_pct: counter(memory, "memory"),
            dram_pct: counter(dram, "dram"),
            l2_pct: counter(l2, "l2"),
            l1_pct: counter(l1, "l1"),
        };
        class(&Known {
            is_collective: false,
            duration_ns: Some(duration),
            waves: Some(waves),
            sol: &sol,
        })
    }

    #[test]
    fn classes() {
        let long = 1e6;
        for (seen, expected) in [
            (
                of(3232.0, 0.7, [5.9, 31.3, 31.3, 15.0, 10.3]),
                (Bound::Latency, Some(SubBound::Small)),
            ),
            (
                of(9999.0, 1.0, [59.9, 59.9, 1.0, 1.0, 1.0]),
                (Bound::Latency, None),
            ),
            (
                of(long, 5.0, [60.0, 59.0, 59.0, 1.0, 1.0]),
                (Bound::Memory, Some(SubBound::Dram)),
            ),
            (
                of(long, 5.0, [97.3, 97.3, 3.1, 6.7, 98.2]),
                (Bound::Memory, Some(SubBound::L1)),
            ),
            (
                of(long, 5.0, [97.3, 97.3, 97.3, 6.7, 40.0]),
                (Bound::Balanced, None),
            ),
            (
                of(long, 5.0, [61.0, 70.0, 70.0, 6.7, 40.0]),
                (Bound::Balanced, None),
            ),
            (
                of(long, 5.0, [70.3, 44.6, 44.6, 17.2, 19.6]),
                (Bound::Compute, None),
            ),
            (
                of(long, 5.0, [52.4, 80.7, 30.0, 80.7, 35.2]),
                (Bound::Memory, Some(SubBound::L2)),
            ),
        ] {
            assert_eq!(seen, (Some(expected.0), expected.1));
        }
    }

    #[test]
    fn a_part_of_memory_that_is_not_known_could_be_the_largest() {
        let sol = Sol {
            sm_pct: counter(10.0, "sm"),
            mem_pct: counter(90.0, "memory"),
            l2_pct: counter(20.0, "l2"),
            l1_pct: counter(10.0, "l1"),
            ..Sol::default()
        };
        let known = Known {
            is_collective: false,
            duration_ns: Some(1e6),
            waves: Some(5.0),
            sol: &sol,
        };
        assert_eq!(class(&known), (Some(Bound::Memory), None));
    }

    #[test]
    fn a_missing_number_has_no_class_and_a_collective_has_one() {
        let sol = Sol::default();
        let mut known = Known {
            is_collective: false,
            duration_ns: Some(1.0),
            waves: Some(1.0),
            sol: &sol,
        };
        assert_eq!(class(&known), (None, None));
        known.is_collective = true;
        assert_eq!(class(&known), (Some(Bound::Comm), None));
    }
}
