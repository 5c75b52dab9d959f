//! What a fusion would save, estimated from durations alone: per removed kernel
//! `min(d, fixed) + max(0, d - fixed) * saved_passes / passes`. `d` is its duration, `fixed` the 5th percentile of all
//! durations on the stream (5 us at most), `passes` its passes over memory by the catalogue.

use super::matching::Node;

/// Most that is taken for the fixed cost of a kernel, in nanoseconds.
const FIXED_CAP_NS: i64 = 5_000;

/// What the shortest kernels of a stream take: filling and draining the GPU, which a removed kernel saves whole.
pub(super) fn fixed_ns(sequence: &[Node<'_>]) -> i64 {
    let mut durations: Vec<i64> = sequence
        .iter()
        .map(|node| node.dur_ns)
        .filter(|dur| *dur > 0)
        .collect();
    if durations.is_empty() {
        return 0;
    }
    let rank = durations.len() / 20;
    let (_, fixed, _) = durations.select_nth_unstable(rank);
    (*fixed).min(FIXED_CAP_NS)
}

/// What removing one kernel saves: its fixed cost, and of the rest the share of its memory passes that go. Never more
/// than it took.
pub(super) fn saving_ns(dur_ns: i64, fixed_ns: i64, saves: (u32, u32)) -> i64 {
    let dur = dur_ns.max(0);
    let fixed = dur.min(fixed_ns);
    let (saved, of) = saves;
    let rest = i128::from(dur - fixed) * i128::from(saved) / i128::from(of.max(1));
    fixed + i64::try_from(rest).unwrap_or(dur - fixed).min(dur - fixed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use torch_trace::family::Family;

    use super::*;

    #[test]
    fn the_fixed_part_goes_whole_and_the_rest_by_its_passes() {
        assert_eq!(saving_ns(6_000, 2_000, (1, 4)), 3_000);
        assert_eq!(saving_ns(1_500, 2_000, (1, 4)), 1_500);
        assert_eq!(saving_ns(6_000, 2_000, (1, 1)), 6_000);
        assert_eq!(saving_ns(-5, 2_000, (1, 1)), 0);
    }

    #[test]
    fn the_fixed_cost_is_that_of_the_short_kernels() {
        let node = |dur_ns| Node {
            name: "k",
            family: Family::Other,
            dur_ns,
        };
        let nodes: Vec<Node<'_>> = (1..=100).map(|at| node(at * 100)).chain([node(0)]).collect();
        assert_eq!(fixed_ns(&nodes), 600);
        assert_eq!(fixed_ns(&[node(1_000_000)]), FIXED_CAP_NS);
        assert_eq!(fixed_ns(&[]), 0);
    }

    proptest! {
        #[test]
        fn nothing_saves_more_than_it_took(dur in any::<i64>(), fixed in 0..10_000_i64, of in any::<u32>(), saved in any::<u32>()) {
            let saving = saving_ns(dur, fixed, (saved, of));
            prop_assert!((0..=dur.max(0)).contains(&saving));
        }
    }
}
