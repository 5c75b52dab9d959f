//! `gap-decide calibrate`: error rates and repeat counts to expect under the noise of this machine.

use std::path::PathBuf;

use cli_kit::{Align, Cli as _, DocumentParts, Failure, Report, Table, View};
use contracts::gap_decide::calibration::{
    self, AaVerdict, CalibrationData, CalibrationRow, Noise as NoiseSummary,
};
use contracts::gap_decide::decision::Verdict;
use contracts::metric::Metric;
use contracts::serve_bench::run::Run;
use contracts::{Document, Exit, Finite, Input, Warning};
use stats::group_sequential::Design;
use stats::summary::stddev;

use crate::campaign::{self, Rates};
use crate::effect::Sample;
use crate::error::EvidenceError;
use crate::noise::Noise;
use crate::plan::CalibratePlan;
use crate::verdict::{Bounds, log_to_pct};
use crate::{forecast, load, validity};

/// Fewest pairs that say anything about noise.
const FEWEST_PAIRS: usize = 4;

/// Log ratios of measured pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Log ratios, A against B, in the order of the documents.
    pub logs: Vec<f64>,
    /// Values of the runs, each side of each document for itself.
    pub sides: Vec<Vec<f64>>,
    /// Whether all pairs were interleaved.
    pub interleaved: bool,
    /// Whether a simulated engine answered in any of them.
    pub simulated: bool,
    /// Files.
    pub inputs: Vec<Input>,
}

/// Reads pairs from comparisons (block by block) and results (runs next to each other).
///
/// # Errors
/// Exit 3 when a document cannot be read.
pub fn measure(documents: &[PathBuf], metric: &Metric) -> Result<Measured, Failure> {
    let mut measured = Measured {
        logs: Vec::new(),
        sides: Vec::new(),
        interleaved: true,
        simulated: false,
        inputs: Vec::new(),
    };
    let sign = if metric.higher_is_better() { 1.0 } else { -1.0 };
    for path in documents {
        let read = load::runs_of_any(path)?;
        measured.inputs.push(read.input);
        measured.simulated |= read.simulated;
        let value = |run: &Run| validity::usable_value(run, metric);
        let (mut sides, mut single) = ([Vec::new(), Vec::new()], Vec::new());
        for (a, b) in &read.pairs {
            match b {
                Some(b) => {
                    if let (Some(a), Some(b)) = (value(a), value(b)) {
                        measured.logs.push(sign * (a / b).ln());
                        sides[0].push(a);
                        sides[1].push(b);
                    }
                }
                None => single.extend(value(a)),
            }
        }
        measured.interleaved &= single.is_empty();
        single.truncate(single.len() / 2 * 2);
        let neighbours = single.chunks_exact(2);
        measured
            .logs
            .extend(neighbours.map(|pair| sign * (pair[0] / pair[1]).ln()));
        measured.sides.extend(sides.into_iter().chain([single]));
    }
    Ok(measured)
}

impl Measured {
    /// Runs.
    pub fn runs(&self) -> usize {
        self.sides.iter().map(Vec::len).sum()
    }

    /// Coefficient of variation of a run, percent: around the mean of its own side of its own document, so that engines
    /// and loads of different speeds are no noise. `None` where no side has two runs.
    pub fn cv_pct(&self) -> Option<f64> {
        let (mut squares, mut freedom) = (0.0, 0);
        for side in &self.sides {
            let Some(mean) = stats::summary::mean(side) else {
                continue;
            };
            squares += side.iter().map(|value| (value / mean - 1.0).powi(2)).sum::<f64>();
            freedom += side.len() - 1;
        }
        (freedom > 0).then(|| 100.0 * (squares / freedom as f64).sqrt())
    }
}

/// Reads, simulates and reports.
pub(crate) fn run(plan: &CalibratePlan) -> Result<Report, Failure> {
    let measured = measure(&plan.documents, &plan.metric)?;
    if measured.logs.len() < FEWEST_PAIRS {
        let metric = plan.metric.name().to_owned();
        return Err(EvidenceError::TooFewPairs {
            pairs: measured.logs.len(),
            metric,
        }
        .into());
    }
    let data = calibrate(plan, &measured);
    let mut parts = DocumentParts::new(calibration::SCHEMA);
    parts.simulated = measured.simulated;
    parts.summary = summary(&data);
    parts.warnings = warnings(&data);
    parts.inputs = measured.inputs;
    let document = cli_kit::document(&crate::cli::Args::TOOL, parts, data);
    let view = view(&document);
    Ok(Report::new(&document, view, Exit::Ok))
}

/// The pure part.
fn calibrate(plan: &CalibratePlan, measured: &Measured) -> CalibrationData {
    let rules = &plan.rules;
    let design = Design::new(rules.alpha);
    let bounds = Bounds::new(rules.threshold_ratio, rules.margin_ratio);
    let noise = Noise::measured(&measured.logs);
    let threshold = rules.threshold_ratio;
    let effects = [
        0.0,
        threshold,
        -threshold,
        2.0 * threshold,
        -2.0 * threshold,
        3.0 * threshold,
        -3.0 * threshold,
    ];
    let rows = effects
        .iter()
        .zip(plan.seed..)
        .map(|(&effect, seed)| {
            row(
                effect,
                &campaign::rates(&noise, effect, rules, &design, plan.campaigns, seed),
            )
        })
        .collect();
    let estimate = Sample::Pairs(measured.logs.clone()).estimate(&design);
    let pct = |log: f64| Finite::new(log_to_pct(log));
    let decided = |log: &&f64| matches!(bounds.judge(**log, **log), Verdict::Ahead | Verdict::Behind);
    let margin = estimate
        .pair_stddev
        .and_then(|s| forecast::smallest_margin(s, &design, rules.max_pairs));
    CalibrationData {
        metric: plan.metric.name().to_owned(),
        confidence_ratio: finite(1.0 - rules.alpha),
        threshold_pct: finite(100.0 * rules.threshold_ratio),
        margin_pct: finite(100.0 * rules.margin_ratio),
        max_pairs: count(rules.max_pairs),
        campaigns: plan.campaigns,
        seed: plan.seed,
        noise: NoiseSummary {
            runs: count(measured.runs()),
            pairs: count(measured.logs.len()),
            interleaved: measured.interleaved,
            cv_pct: measured.cv_pct().and_then(Finite::new),
            pair_stddev_pct: stddev(&measured.logs).and_then(|s| Finite::new(100.0 * s)),
            naive_wrong_ratio: Finite::ratio(
                measured.logs.iter().filter(decided).count() as f64,
                measured.logs.len() as f64,
            ),
            smallest_margin_pct: margin.and_then(pct),
        },
        aa: AaVerdict {
            verdict: estimate
                .interval
                .map_or(Verdict::Inconclusive, |(low, high)| bounds.judge(low, high)),
            effect_pct: estimate.effect.and_then(pct),
            ci_low_pct: estimate.interval.and_then(|(low, _)| pct(low)),
            ci_high_pct: estimate.interval.and_then(|(_, high)| pct(high)),
        },
        rows,
    }
}

fn row(effect: f64, rates: &Rates) -> CalibrationRow {
    let share = |count: usize| finite(rates.share(count));
    CalibrationRow {
        true_effect_pct: finite(100.0 * effect),
        ahead_ratio: share(rates.ahead),
        behind_ratio: share(rates.behind),
        tied_ratio: share(rates.tied),
        inconclusive_ratio: share(rates.campaigns - rates.ahead - rates.behind - rates.tied),
        coverage_at_end_ratio: share(rates.covered_at_end),
        coverage_all_looks_ratio: share(rates.covered_at_all_looks),
        mean_pairs: finite(rates.mean_pairs()),
        p90_pairs: count(rates.percentile_pairs(90.0)),
        naive_decided_ratio: share(rates.naive_decided()),
    }
}

fn summary(data: &CalibrationData) -> String {
    let noise = &data.noise;
    let found = data.rows.last().map_or(0.0, |row| 100.0 * row.behind_ratio.get());
    let pairs = data.rows.last().map_or(0.0, |row| row.mean_pairs.get());
    format!(
        "Runs scatter by {} % here; single pairs differ by more than {} % in {:.0} % of cases without any gap. A gap of {} % is found in {found:.0} % of campaigns within {} pairs ({pairs:.0} on average); a tie can be shown within {} % at best.",
        shown(noise.cv_pct),
        data.threshold_pct,
        100.0 * noise.naive_wrong_ratio.map_or(0.0, Finite::get),
        3.0 * data.threshold_pct.get(),
        data.max_pairs,
        shown(noise.smallest_margin_pct),
    )
}

fn warnings(data: &CalibrationData) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !data.noise.interleaved {
        warnings.push(Warning::new(
            "unpaired",
            "runs of single results were paired with their neighbours; `serve-bench compare` with equal sides is the better A/A",
        ));
    }
    if data.noise.pairs < 20 {
        let message = format!(
            "{} pairs know little of outliers; 20 or more make the rates reliable",
            data.noise.pairs
        );
        warnings.push(Warning::new("few-pairs", message));
    }
    if matches!(data.aa.verdict, Verdict::Ahead | Verdict::Behind) {
        warnings.push(Warning::new(
            "sides-differ",
            "the two sides are not equal by this evidence: not an A/A comparison?",
        ));
    }
    warnings
}

fn view(document: &Document<CalibrationData>) -> View {
    let data = &document.data;
    let mut table = Table::new(&[
        ("true effect %", Align::Right),
        ("ahead %", Align::Right),
        ("behind %", Align::Right),
        ("tied %", Align::Right),
        ("undecided %", Align::Right),
        ("covered %", Align::Right),
        ("pairs", Align::Right),
        ("p90", Align::Right),
        ("one run each %", Align::Right),
    ]);
    for row in &data.rows {
        let pct = |ratio: Finite| format!("{:.1}", 100.0 * ratio.get());
        table.row(vec![
            format!("{:+.1}", row.true_effect_pct.get()),
            pct(row.ahead_ratio),
            pct(row.behind_ratio),
            pct(row.tied_ratio),
            pct(row.inconclusive_ratio),
            pct(row.coverage_all_looks_ratio),
            format!("{:.1}", row.mean_pairs.get()),
            row.p90_pairs.to_string(),
            pct(row.naive_decided_ratio),
        ]);
    }
    let aa = &data.aa;
    View::new()
        .heading(format!("calibration: {}", data.metric))
        .head(document)
        .text(format!(
            "measured A/A: {} ({} %, interval {} to {} %), {} pairs",
            aa.verdict.name(),
            shown(aa.effect_pct),
            shown(aa.ci_low_pct),
            shown(aa.ci_high_pct),
            data.noise.pairs
        ))
        .table(table)
        .text("covered: the interval holds the truth at every look; one run each: the verdicts of \"1 % on one run each\".")
        .next(document)
}

fn shown(value: Option<Finite>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.2}", value.get()))
}

fn finite(value: f64) -> Finite {
    Finite::new(value).expect("shares and means of finite counts are finite")
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
