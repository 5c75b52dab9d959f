//! Whether both sides were called alike: as often before the first sample, and as often within one. Fewer calls, or more of them
//! before, are a lighter wrapper.

use contracts::kernel_gate::results::{Calls, ResultLine, Settings, Times};
use contracts::kernel_gate::verdict::Effect;

use crate::measured::Measured;
use crate::reasons::Reasons;

/// Baseline and candidate, each where it is known.
type BothSides = (Option<u64>, Option<u64>);

/// Calls within one sample.
pub(crate) fn inner_iterations(line: &ResultLine) -> BothSides {
    let of = |calls: Option<Calls>, times: &Option<Times>| {
        let of_times = times.as_ref().and_then(|times| times.inner_iterations);
        calls.and_then(|calls| calls.inner_iterations).or(of_times)
    };
    (
        of(line.baseline_calls, &line.baseline),
        of(line.candidate_calls, &line.candidate),
    )
}

/// Calls before the first sample; the protocol's, where a side does not say its own.
fn warmup_runs(line: &ResultLine, settings: Option<&Settings>) -> BothSides {
    let of = |calls: Option<Calls>| {
        let own = calls.and_then(|calls| calls.warmup_runs);
        own.or(settings.and_then(|settings| settings.warmup_runs))
    };
    (of(line.baseline_calls), of(line.candidate_calls))
}

/// Rows whose sides were called differently, and those that do not say it.
pub(crate) fn check(rows: &[Measured<'_>], settings: Option<&Settings>, reasons: &mut Reasons) {
    let inner = |row: &Measured<'_>| row.line.map(inner_iterations);
    let warmup = |row: &Measured<'_>| row.line.map(|line| warmup_runs(line, settings));
    let differs = |sides: Option<BothSides>| matches!(sides, Some((Some(a), Some(b))) if a != b);
    let lacks = |sides: Option<BothSides>| sides.is_some_and(|(a, b)| a.is_none() || b.is_none());
    let ids = |of: &dyn Fn(&Measured<'_>) -> bool| -> Vec<&str> {
        rows.iter().filter(|row| of(row)).map(|row| row.id).collect()
    };
    reasons.rows(
        Effect::Invalid,
        "warm-up-differs",
        &ids(&|row| differs(warmup(row))),
        "one side was called more often before the first sample",
    );
    // No more than that: there are harnesses that find the number for each side by itself, and are honest.
    reasons.rows(
        Effect::BlocksPromotion,
        "calls-differ",
        &ids(&|row| row.production && differs(inner(row))),
        "one side has more calls within a sample, so less of what a sample costs once is in each of its times: a lighter wrapper",
    );
    reasons.rows(
        Effect::BlocksPromotion,
        "calls-unproven",
        &ids(&|row| row.production && row.status() == "PASSED" && (lacks(inner(row)) || lacks(warmup(row)))),
        "nothing says how often each side was called (`baseline_calls`, `candidate_calls`)",
    );
}
