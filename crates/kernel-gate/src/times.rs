//! Times of one side: recounted from their samples where there are any, and held against what is said of them.

use contracts::kernel_gate::results::{ResultLine, Times};

use crate::thresholds::{LEAST_US, MOST_CV_PCT, MOST_US, PRINTED_US, RATIO, SAME};

/// One side of one row by one clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sampled {
    /// Median, microseconds.
    pub(crate) median: f64,
    /// Coefficient of variation, percent; `None` where the spread is not known.
    pub(crate) cv_pct: Option<f64>,
    /// Number of samples; `None` where there are none.
    pub(crate) trials: Option<usize>,
}

/// What is wrong with times; the worst of all is that they cannot be recounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A time is not a positive number.
    NotPositive,
    /// The median, mean or minimum is not that of the samples.
    DoesNotFit,
    /// All samples of a side, or both sides, are the same to the last bit: they were copied.
    Copied,
}

/// Both sides by one clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    pub(crate) baseline: Sampled,
    pub(crate) candidate: Sampled,
}

impl Pair {
    /// Baseline / candidate.
    pub(crate) fn speedup(&self) -> f64 {
        self.baseline.median / self.candidate.median
    }

    /// sqrt of the summed squares of both coefficients, percent; `None` where either is not known.
    pub(crate) fn cv_pct(&self) -> Option<f64> {
        Some(self.baseline.cv_pct?.hypot(self.candidate.cv_pct?))
    }

    /// Samples of the side that has fewer.
    pub(crate) fn trials(&self) -> Option<usize> {
        Some(self.baseline.trials?.min(self.candidate.trials?))
    }
}

/// The device times of a row, and what is wrong with them.
pub(crate) fn device(line: &ResultLine) -> (Option<Pair>, Vec<Fault>) {
    pair((line.baseline.as_ref(), None), (line.candidate.as_ref(), None))
}

/// The wall times of a row, and what is wrong with them.
pub(crate) fn wall(line: &ResultLine) -> (Option<Pair>, Vec<Fault>) {
    pair(
        (line.baseline_wall.as_ref(), line.baseline_wall_us.as_deref()),
        (line.candidate_wall.as_ref(), line.candidate_wall_us.as_deref()),
    )
}

/// What is said of a side, and samples that stand apart from it.
type Told<'a> = (Option<&'a Times>, Option<&'a [f64]>);

fn pair(baseline: Told<'_>, candidate: Told<'_>) -> (Option<Pair>, Vec<Fault>) {
    let is_same = samples(baseline)
        .zip(samples(candidate))
        .is_some_and(|(a, b)| a.len() > 2 && a == b);
    let (baseline, mut faults) = sampled(baseline.0, baseline.1);
    let (candidate, more) = sampled(candidate.0, candidate.1);
    faults.extend(more);
    // Two clocks that agree in every sample to the last bit are one clock.
    faults.extend(is_same.then_some(Fault::Copied));
    let pair = baseline
        .zip(candidate)
        .map(|(baseline, candidate)| Pair { baseline, candidate });
    (pair, faults)
}

fn samples<'a>((times, apart): Told<'a>) -> Option<&'a [f64]> {
    times
        .and_then(|times| times.samples_us.as_deref())
        .or(apart)
        .filter(|samples| !samples.is_empty())
}

fn sampled(times: Option<&Times>, apart: Option<&[f64]>) -> (Option<Sampled>, Vec<Fault>) {
    let samples = samples((times, apart));
    let said = |of: fn(&Times) -> Option<f64>| times.and_then(of);
    let stated = said(|times| times.median_us);
    let is_time = |value: f64| (LEAST_US..MOST_US).contains(&value);
    let all = samples.into_iter().flatten().copied().chain(stated);
    if !all.clone().all(is_time) {
        return (None, vec![Fault::NotPositive]);
    }
    let Some(samples) = samples else {
        let spread = said(|times| times.std_us).zip(said(|times| times.mean_us));
        let cv_pct = spread
            .map(|(std, mean)| 100.0 * std / mean)
            .filter(|cv| (0.0..MOST_CV_PCT).contains(cv));
        let sampled = stated.map(|median| Sampled {
            median,
            cv_pct,
            trials: None,
        });
        return (sampled, Vec::new());
    };
    let mut sorted = samples.to_vec();
    stats::percentile::sort(&mut sorted);
    let median = stats::percentile::linear(&sorted, 50.0).expect("there are samples");
    let mut faults = Vec::new();
    // Some print the lower of two middles.
    let middle = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    let fits = stated.is_none_or(|said| near(said, middle))
        && said(|times| times.mean_us)
            .zip(stats::summary::mean(&sorted))
            .is_none_or(|(said, mean)| near(said, (mean, mean)))
        && said(|times| times.min_us).is_none_or(|said| near(said, (sorted[0], sorted[0])));
    if !fits {
        faults.push(Fault::DoesNotFit);
    }
    if sorted.len() > 2 && sorted[sorted.len() - 1] - sorted[0] <= SAME * sorted[0] {
        faults.push(Fault::Copied);
    }
    let sampled = Sampled {
        median,
        cv_pct: stats::summary::cv_pct(&sorted),
        trials: Some(sorted.len()),
    };
    (Some(sampled), faults)
}

/// Whether a printed number lies between two recounted ones, as far as it is printed.
fn near(said: f64, (low, high): (f64, f64)) -> bool {
    let slack = (high * RATIO).max(PRINTED_US);
    said >= low - slack && said <= high + slack
}

/// Whether a printed ratio is the recounted one; it has four digits or more.
pub(crate) fn same(said: f64, recounted: f64) -> bool {
    said > 0.0 && (said / recounted - 1.0).abs() <= RATIO
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(median: f64, samples: &[f64]) -> Times {
        Times {
            median_us: Some(median),
            samples_us: Some(samples.to_vec()),
            ..Times::default()
        }
    }

    #[test]
    fn the_median_is_recounted() {
        let (sampled, faults) = super::sampled(Some(&times(3.0, &[5.0, 1.0, 3.0])), None);
        assert_eq!((sampled.unwrap().median, faults), (3.0, vec![]));
        let (_, faults) = super::sampled(Some(&times(2.0, &[5.0, 1.0, 3.0])), None);
        assert_eq!(faults, [Fault::DoesNotFit]);
        // The lower of two middles, as torch prints it.
        let (sampled, faults) = super::sampled(Some(&times(2.0, &[1.0, 2.0, 4.0, 9.0])), None);
        assert_eq!((sampled.unwrap().median, faults), (3.0, vec![]));
    }

    #[test]
    fn times_of_nothing_and_copies() {
        let (sampled, faults) = super::sampled(Some(&times(3.0, &[3.0, -1.0])), None);
        assert_eq!((sampled, faults), (None, vec![Fault::NotPositive]));
        let (_, faults) = super::sampled(None, Some(&[3.5; 7]));
        assert_eq!(faults, [Fault::Copied]);
        assert_eq!(super::sampled(None, None), (None, vec![]));
    }
}
