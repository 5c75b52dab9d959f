//! One or two sentences that a reader can act on.

use contracts::gap_decide::decision::{Decision, DecisionData, Verdict};

use crate::next_action::wanted_pairs;

/// The decision with its most important reason.
pub(crate) fn summary(data: &DecisionData) -> String {
    let nothing_left = data
        .scenarios
        .iter()
        .filter(|row| row.verdict == Verdict::Inconclusive)
        .all(|row| wanted_pairs(row, data.max_pairs).is_none());
    let what = match data.decision {
        Decision::Rebaseline => "Measure anew",
        Decision::FixSlo => "Fix the service level first",
        Decision::Profile => "Ours is behind: find where the time goes",
        Decision::Repeat if nothing_left => {
            "Not decided, and no affordable look is left: report inconclusive"
        }
        Decision::Repeat => "Not decided yet: measure more pairs",
        Decision::StopReached => "Reached: ours is ahead or tied everywhere",
    };
    let why = data.reasons.first().map(String::as_str).unwrap_or_default();
    format!("{what}. {why}.")
}
