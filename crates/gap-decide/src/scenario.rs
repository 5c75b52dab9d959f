//! The row of one scenario, and what it says in words.

use contracts::Finite;
use contracts::gap_decide::decision::{OtherVerdict, ScenarioVerdict, SideSummary, Verdict};
use contracts::metric::Metric;
use stats::summary::cv_pct;

use crate::decide::{Judged, Rules};
use crate::evidence::SideEvidence;
use crate::forecast;
use crate::next_action::wanted_pairs;
use crate::verdict::{log_to_pct, severity};
use crate::within_run;

/// The row: the engine that ours has to beat, and every other with its own interval.
pub(crate) fn row(
    worst: &Judged<'_>,
    others: &[&Judged<'_>],
    metric: &Metric,
    rules: Rules,
    limit: Option<f64>,
    max_pairs: usize,
) -> ScenarioVerdict {
    // What more pairs would bring is foretold for the share of the error that the verdict takes.
    let (estimate, design) = (&worst.estimate, worst.design);
    let undecided = worst.verdict == Verdict::Inconclusive;
    let (low, high) = interval_pct(worst);
    let margin = estimate
        .pair_stddev
        .and_then(|stddev| forecast::smallest_margin(stddev, design, max_pairs));
    let excluded = worst.matchup.excluded.saturating_add(worst.usable.dropped);
    ScenarioVerdict {
        scenario: worst.matchup.scenario.clone(),
        ours: side(&worst.matchup.ours, &worst.usable.ours),
        best_other: side(&worst.matchup.other, &worst.usable.other),
        effect_pct: estimate.effect.and_then(|effect| Finite::new(log_to_pct(effect))),
        ci_low_pct: low,
        ci_high_pct: high,
        threshold_pct: pct(rules.threshold_ratio),
        margin_pct: pct(rules.margin_ratio),
        noise_cv_ours_pct: cv_pct(&worst.usable.ours).and_then(Finite::new),
        noise_cv_other_pct: cv_pct(&worst.usable.other).and_then(Finite::new),
        pairs: count(estimate.pairs),
        verdict: worst.verdict,
        provisional: others.iter().any(|one| one.provisional()),
        unknown_fields: unknown_fields(others),
        repeats_needed: if undecided {
            forecast::repeats_needed(estimate, design, &rules.bounds())
        } else {
            None
        },
        smallest_margin_pct: margin.and_then(|margin| Finite::new(log_to_pct(margin))),
        method: worst.sample.method(),
        pairs_available: count(worst.sample.available()),
        pairs_excluded: excluded,
        next_look_pairs: design
            .next_look(worst.sample.available())
            .map(|look| count(look.pairs)),
        nominal_alpha_ratio: estimate.nominal_alpha.and_then(Finite::new),
        physical_limit_tps: limit.and_then(Finite::new),
        others: others.iter().map(|one| other(one)).collect(),
        within_run: within_run::percentiles(worst.matchup, metric),
    }
}

/// What a row says, with a rank: the most important first.
pub(crate) fn reasons(row: &ScenarioVerdict, worst: &Judged<'_>, max_pairs: u32) -> Vec<(u8, String)> {
    let rank = severity(row.verdict);
    let (scenario, ours, other) = (&row.scenario, &row.ours.name, &row.best_other.name);
    let mut reasons = Vec::new();
    let mut say = |rank: u8, text: String| reasons.push((rank, text));
    let measured = match (row.effect_pct, row.ci_low_pct, row.ci_high_pct) {
        (Some(effect), Some(low), Some(high)) => {
            format!("{effect:+.2} % [{low:+.2}, {high:+.2}] over {} pairs", row.pairs)
        }
        (Some(effect), _, _) => format!("{effect:+.2} % over {} pairs, too few for an interval", row.pairs),
        _ => "no effect could be measured".to_owned(),
    };
    match row.verdict {
        Verdict::Invalid => {
            for reason in &worst.usable.invalid {
                say(rank, format!("{scenario}: {reason}"));
            }
        }
        Verdict::OursFailsSlo => {
            say(
                rank,
                format!("{scenario}: {ours} misses {}", worst.slo_ours.failed.join(", ")),
            );
        }
        Verdict::TheirsFailsSlo => {
            say(
                rank,
                format!(
                    "{scenario}: {other} misses {}, which counts as ahead",
                    worst.slo_other.failed.join(", ")
                ),
            );
        }
        Verdict::Ahead | Verdict::Behind => say(
            rank,
            format!(
                "{scenario}: {ours} is {} {other}: {measured}, threshold {:.2} %",
                side_word(row.verdict),
                row.threshold_pct.get()
            ),
        ),
        Verdict::Tied => say(
            rank,
            format!(
                "{scenario}: {ours} and {other} are tied: {measured}, margin {:.2} %",
                row.margin_pct.get()
            ),
        ),
        Verdict::Inconclusive => say(
            rank,
            format!(
                "{scenario}: undecided between {ours} and {other}: {measured}; {}",
                outlook(row, max_pairs)
            ),
        ),
    }
    if row.provisional {
        // After everything that is about speed, and before the verdicts that would stop.
        let why = if row.unknown_fields.is_empty() {
            "a result was imported from another tool".to_owned()
        } else {
            format!("unknown: {}", row.unknown_fields.join(", "))
        };
        say(
            severity(Verdict::Inconclusive),
            format!("{scenario}: provisional, {why}"),
        );
    }
    reasons
}

/// What more pairs would bring.
fn outlook(row: &ScenarioVerdict, max_pairs: u32) -> String {
    let margin = row.smallest_margin_pct.map(|margin| {
        format!(
            "{max_pairs} pairs resolve a tie within {:.2} % at best",
            margin.get()
        )
    });
    let needed = match row.repeats_needed {
        Some(needed) if needed <= max_pairs => format!("a verdict is expected at {needed} pairs"),
        Some(needed) => {
            format!("a verdict would need about {needed} pairs, more than the {max_pairs} affordable")
        }
        None if margin.is_some() => {
            "the effect is so near an edge that no number of pairs would decide it".to_owned()
        }
        None => "measure at least 8 pairs".to_owned(),
    };
    let end = wanted_pairs(row, max_pairs).is_none().then(|| {
        format!("no look is left within {max_pairs} pairs: report inconclusive with `smallest_margin_pct`")
    });
    [Some(needed), margin, end]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}

fn side_word(verdict: Verdict) -> &'static str {
    if verdict == Verdict::Ahead {
        "ahead of"
    } else {
        "behind"
    }
}

fn unknown_fields(others: &[&Judged<'_>]) -> Vec<String> {
    let mut fields: Vec<String> = others
        .iter()
        .flat_map(|one| one.agreement.unknown_fields.clone())
        .collect();
    fields.sort();
    fields.dedup();
    fields
}

fn other(one: &Judged<'_>) -> OtherVerdict {
    let (low, high) = interval_pct(one);
    OtherVerdict {
        name: one.matchup.other.name.clone(),
        effect_pct: one
            .estimate
            .effect
            .and_then(|effect| Finite::new(log_to_pct(effect))),
        ci_low_pct: low,
        ci_high_pct: high,
        pairs: count(one.estimate.pairs),
        verdict: one.verdict,
    }
}

fn interval_pct(one: &Judged<'_>) -> (Option<Finite>, Option<Finite>) {
    one.estimate.interval.map_or((None, None), |(low, high)| {
        (Finite::new(log_to_pct(low)), Finite::new(log_to_pct(high)))
    })
}

fn side(evidence: &SideEvidence, values: &[f64]) -> SideSummary {
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    SideSummary {
        name: evidence.name.clone(),
        engine: evidence.engine.clone(),
        value: stats::summary::mean(&logs).and_then(|mean| Finite::new(mean.exp())),
        runs: count(values.len()),
    }
}

fn pct(ratio: f64) -> Finite {
    Finite::new(100.0 * ratio).expect("a ratio between 0 and 1 is finite")
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
