//! Holm's step-down: several questions share one error rate.

/// How one hypothesis ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The level at which it was decided, or the last level at which it was tried.
    pub level: f64,
    /// Whether it was decided.
    pub decided: bool,
}

/// Tries `count` hypotheses at alpha / count; every one that is decided leaves its share to the others,
/// which are tried again, until a round decides nothing.
///
/// `decided(index, level)` says whether the hypothesis is decided at that level; it must stay decided at
/// any larger level. The chance of any wrong decision is at most alpha, whatever the dependence.
pub fn step_down(count: usize, alpha: f64, mut decided: impl FnMut(usize, f64) -> bool) -> Vec<Step> {
    let mut steps = vec![
        Step {
            level: alpha,
            decided: false
        };
        count
    ];
    let mut open: Vec<usize> = (0..count).collect();
    while !open.is_empty() {
        let level = alpha / open.len() as f64;
        let before = open.len();
        open.retain(|&index| {
            steps[index] = Step {
                level,
                decided: decided(index, level),
            };
            !steps[index].decided
        });
        if open.len() == before {
            break;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_p_value(p: &[f64], alpha: f64) -> Vec<bool> {
        step_down(p.len(), alpha, |i, level| p[i] <= level)
            .iter()
            .map(|s| s.decided)
            .collect()
    }

    #[test]
    fn shares_pass_on() {
        // Holm 1979: 0.01 <= 0.05/4, 0.015 <= 0.05/3, 0.03 > 0.05/2 stops everything after it.
        assert_eq!(
            by_p_value(&[0.03, 0.01, 0.04, 0.015], 0.05),
            [false, true, false, true]
        );
        assert_eq!(by_p_value(&[0.02], 0.05), [true]);
        assert!(by_p_value(&[], 0.05).is_empty());
    }

    proptest! {
        #[test]
        fn agrees_with_the_sorted_definition(p in proptest::collection::vec(0.0..0.1f64, 1..12)) {
            let mut order: Vec<usize> = (0..p.len()).collect();
            order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
            let mut expected = vec![false; p.len()];
            for (k, &index) in order.iter().enumerate() {
                if p[index] > 0.05 / (p.len() - k) as f64 {
                    break;
                }
                expected[index] = true;
            }
            prop_assert_eq!(by_p_value(&p, 0.05), expected);
        }
    }
}
