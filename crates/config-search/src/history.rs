//! Rows of one framework as trials of the strategy: scores against the baseline of the same fidelity. Pure.

use contracts::config_search::candidate::{Candidate, Status, Step};
use contracts::metric::Metric;

use crate::space::Space;
use crate::strategy::{Outcome, Trial};

/// Baselines that may fail before a framework is given up.
pub(crate) const BASELINE_ATTEMPTS: usize = 2;

/// Code of a measurement that the client or other work on the machine spoilt: it says nothing about the configuration.
pub(crate) const INVALID: &str = "measurement-invalid";

/// Code of a trial that runs: it counts, and nothing is known of it yet. It stands in no file.
pub(crate) const RUNNING: &str = "running";

/// Code of a candidate that cannot fit, and was not launched: it is known to fail, and costs no trial.
pub(crate) const REFUSED: &str = "does-not-fit";

/// Whether a candidate was refused before it was launched.
pub(crate) fn is_refused(row: &Candidate) -> bool {
    row.reason_code.as_deref() == Some(REFUSED)
}

/// Whether a trial runs still.
pub(crate) fn is_running(row: &Candidate) -> bool {
    row.reason_code.as_deref() == Some(RUNNING)
}

/// Whether a row's measurement was spoilt.
fn is_invalid(row: &Candidate) -> bool {
    row.reason_code.as_deref() == Some(INVALID)
}

/// Whether a row is a trial: what was skipped says nothing.
pub(crate) fn is_trial(row: &Candidate) -> bool {
    row.status != Status::Skipped
}

/// Whether a row is the baseline.
pub(crate) fn is_baseline(row: &Candidate) -> bool {
    row.params.is_empty()
}

/// The trials of a framework's rows. A baseline that failed is none: it is tried again, or the framework is given up. Nor is the
/// first spoilt measurement of a candidate: left out here, it is proposed once more.
pub(crate) fn trials(space: &Space, metric: &Metric, rows: &[&Candidate]) -> Vec<Trial> {
    let is_first = |at: usize| {
        let of = |row: &Candidate| (row.params.clone(), row.effort.fidelity_ratio);
        !rows[..at]
            .iter()
            .any(|row| is_invalid(row) && of(row) == of(rows[at]))
    };
    rows.iter()
        .enumerate()
        .filter(|(_, row)| is_trial(row) || is_refused(row))
        .filter(|(_, row)| !(is_baseline(row) && row.status != Status::Ok))
        .filter(|(at, row)| !(is_invalid(row) && is_first(*at)))
        .filter_map(|(_, row)| {
            let fidelity = row.effort.fidelity_ratio.get();
            Some(Trial {
                config: space.config(&row.params)?,
                fidelity,
                step: row.step,
                outcome: outcome(metric, rows, row, fidelity),
            })
        })
        .collect()
}

fn outcome(metric: &Metric, rows: &[&Candidate], row: &Candidate, fidelity: f64) -> Outcome {
    let measured = || {
        let mut sum = 0.0;
        for result in &row.results {
            let base = baseline(rows, &result.scenario, fidelity)
                .or_else(|| baseline(rows, &result.scenario, 1.0))?;
            let log = (result.value?.get() / base).ln();
            sum += if metric.higher_is_better() { log } else { -log };
        }
        let score = sum / row.results.len() as f64;
        score.is_finite().then_some(score)
    };
    match (row.status == Status::Ok).then(measured).flatten() {
        None if is_invalid(row) || is_running(row) => Outcome::Unmeasured,
        None => Outcome::Failed,
        Some(score) => Outcome::Measured { score, slo: slo(row) },
    }
}

/// Whether a row meets the SLO in all scenarios; `None` when one is undecided and none is missed.
pub(crate) fn slo(row: &Candidate) -> Option<bool> {
    let passed = || row.results.iter().map(|result| result.slo_passed);
    if passed().any(|passed| passed == Some(false)) {
        Some(false)
    } else if !row.results.is_empty() && passed().all(|passed| passed == Some(true)) {
        Some(true)
    } else {
        None
    }
}

/// Mean of the metric over the baselines of a fidelity.
pub(crate) fn baseline(rows: &[&Candidate], scenario: &str, fidelity: f64) -> Option<f64> {
    let baselines: Vec<&Candidate> = rows.iter().copied().filter(|row| is_baseline(row)).collect();
    mean(&baselines, scenario, fidelity)
}

/// Mean of the metric over the measurements among these rows of a fidelity.
pub(crate) fn mean(rows: &[&Candidate], scenario: &str, fidelity: f64) -> Option<f64> {
    let values: Vec<f64> = rows
        .iter()
        .filter(|row| row.status == Status::Ok && (row.effort.fidelity_ratio.get() - fidelity).abs() < 1e-6)
        .flat_map(|row| &row.results)
        .filter(|result| result.scenario == scenario)
        .filter_map(|result| Some(result.value?.get()))
        .filter(|value| *value > 0.0)
        .collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Whether a framework is given up: its baseline fails.
pub(crate) fn is_given_up(rows: &[&Candidate]) -> bool {
    let full: Vec<&&Candidate> = rows
        .iter()
        .filter(|row| is_trial(row) && !is_invalid(row) && !is_running(row))
        .filter(|row| row.step == Step::Baseline && row.effort.fidelity_ratio.get() >= 1.0)
        .collect();
    full.len() >= BASELINE_ATTEMPTS && full.iter().all(|row| row.status != Status::Ok)
}
