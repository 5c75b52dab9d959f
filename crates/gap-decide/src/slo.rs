//! Whether a side meets its service-level objectives, over all its runs.

use std::collections::BTreeMap;

use contracts::serve_bench::run::{Run, SloStatus};

/// What the runs of a side say about its objectives.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct SloOutcome {
    /// Rules that more runs failed than passed, in words.
    pub(crate) failed: Vec<String>,
    /// Rules that no run could decide, or that passing and failing runs left open.
    pub(crate) undecided: Vec<String>,
}

/// Counts every rule over the runs. One bad run in many does not fail an engine, and one good run does not pass it:
/// each run decides with its own error rate.
pub(crate) fn outcome<'a>(runs: impl Iterator<Item = &'a Run>) -> SloOutcome {
    let mut counts: BTreeMap<&str, (u32, u32, u32)> = BTreeMap::new();
    for rule in runs.filter_map(|run| run.slo.as_ref()).flat_map(|slo| &slo.rules) {
        let (passed, failed, undecided) = counts.entry(&rule.rule).or_default();
        match rule.status {
            SloStatus::Passed => *passed += 1,
            SloStatus::Failed => *failed += 1,
            SloStatus::Undecided => *undecided += 1,
        }
    }
    let mut outcome = SloOutcome::default();
    for (rule, (passed, failed, undecided)) in counts {
        let total = passed + failed + undecided;
        let rule = contracts::text::clean(rule, 200);
        if failed > passed {
            outcome
                .failed
                .push(format!("{rule} (failed in {failed} of {total} runs)"));
        } else if failed > 0 || passed == 0 {
            outcome.undecided.push(format!(
                "{rule} (passed {passed}, failed {failed}, undecided {undecided})"
            ));
        }
    }
    outcome
}
