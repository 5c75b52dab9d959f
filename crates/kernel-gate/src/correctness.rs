//! Whether the candidate's outputs are right, and made anew.

use std::collections::BTreeSet;

use contracts::kernel_gate::results::Checks;
use contracts::kernel_gate::verdict::Effect;
use serde_json::Value;

use crate::measured::Measured;
use crate::reasons::Reasons;
use crate::row_set::RowSet;

/// Rows whose outputs are wrong; production or not.
pub(crate) fn check<'a>(
    rows: &[Measured<'a>],
    set: Option<&RowSet>,
    reasons: &mut Reasons,
) -> BTreeSet<&'a str> {
    let mut all = BTreeSet::new();
    let mut wrong = |code: &str, message: &str, is: &dyn Fn(&Checks) -> bool| {
        let found = rows.iter().filter(|row| {
            let checks = row.line.and_then(|line| line.checks.as_ref());
            checks.is_some_and(is)
        });
        let found: Vec<&'a str> = found.map(|row| row.id).collect();
        all.extend(found.iter().copied());
        reasons.rows(Effect::RejectCorrectness, code, &found, message);
    };
    wrong(
        "outputs-differ",
        "not all outputs are within the tolerance of the frozen row; a measurement cannot ask for less",
        &|checks| checks.matched_ratio.is_some_and(|ratio| ratio < 1.0),
    );
    wrong(
        "outputs-not-finite",
        "NaN or infinity where the baseline has a number",
        &|checks| checks.nonfinite.is_some_and(|count| count > 0),
    );
    wrong(
        "inputs-mutated",
        "the inputs are not the same after a compared or a timed call",
        &|checks| {
            let compared = checks
                .inputs_sha256_before
                .iter()
                .zip(&checks.inputs_sha256_after);
            let timed = checks
                .timed_inputs_sha256_before
                .iter()
                .zip(&checks.timed_inputs_sha256_after);
            compared.chain(timed).any(|(before, after)| before != after)
        },
    );
    wrong(
        "outputs-cached",
        "other inputs, and fewer different outputs of the candidate than of the baseline",
        &|checks| {
            let candidate = checks.candidate_outputs_sha256.len();
            distinct(&checks.inputs_sha256_before) > 1
                && candidate > 1
                && candidate == checks.baseline_outputs_sha256.len()
                && distinct(&checks.candidate_outputs_sha256) < distinct(&checks.baseline_outputs_sha256)
        },
    );
    let nan: Vec<&'a str> = rows
        .iter()
        .filter(|row| counts_nan(row) && row.field(set, "equal_nan") != Some(&Value::Bool(true)))
        .map(|row| row.id)
        .collect();
    reasons.rows(
        Effect::RejectCorrectness,
        "nan-counted-equal",
        &nan,
        "NaN counted as equal to NaN, and the row does not say `equal_nan`",
    );
    all.extend(nan);
    let incorrect = rows.iter().filter(|row| row.status() == "INCORRECT");
    let incorrect: Vec<&'a str> = incorrect.map(|row| row.id).collect();
    reasons.rows(
        Effect::RejectCorrectness,
        "row-incorrect",
        &incorrect,
        "the candidate's outputs are not the baseline's",
    );
    all.extend(incorrect);
    all
}

/// Whether the comparison took NaN for NaN.
fn counts_nan(row: &Measured<'_>) -> bool {
    let checks = row.line.and_then(|line| line.checks.as_ref());
    checks.is_some_and(|checks| checks.equal_nan == Some(true))
}

/// Number of different values.
pub(crate) fn distinct<T: Ord>(values: &[T]) -> usize {
    values.iter().collect::<BTreeSet<_>>().len()
}
