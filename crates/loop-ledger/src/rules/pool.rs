//! Comparisons that a verdict takes together: who measures until a comparison pleases would else decide on that one
//! alone, and the error rate of the verdict would hold no longer. Pure.

use contracts::loop_ledger::facts::Facts;

use crate::state::{Accepted, State};

/// The latest comparison of a scenario and framework, and those before it of the same launches, in the order in which
/// they were stored; of an attempt, or of none.
pub(crate) fn pool<'s, 'a>(
    state: &'s State<'a>,
    attempt: Option<&str>,
    scenario: &str,
    framework: &str,
) -> Vec<&'s Accepted<'a>> {
    let of_pair = || {
        state
            .benchmarks()
            .filter(move |accepted| accepted.attempt == attempt && accepted.compares(scenario, framework))
    };
    let Some(newest) = of_pair().next_back() else {
        return Vec::new();
    };
    of_pair()
        .filter(|accepted| launches(accepted.facts).eq(launches(newest.facts)))
        .filter(|accepted| !of_pair().any(|later| goes_on(later.facts, accepted.facts)))
        .collect()
}

/// What was launched on both sides, and how.
fn launches(facts: &Facts) -> impl Iterator<Item = (Option<&str>, bool)> {
    facts
        .sides
        .iter()
        .map(|side| (side.subject.as_deref(), side.relaunched_clean))
}

/// Whether a comparison is an earlier one with more pairs, as `--resume` writes it: its pairs are in it.
fn goes_on(later: &Facts, earlier: &Facts) -> bool {
    matches!((&later.measured_at, &earlier.measured_at), (Some(later), Some(earlier))
        if later.start_at == earlier.start_at && later.end_at > earlier.end_at)
}
