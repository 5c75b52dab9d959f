//! What could mislead a reader of a comparison that is valid.

use std::collections::BTreeSet;

use contracts::Warning;

use crate::contract_check::shown;
use crate::decide::Judged;
use crate::evidence::{Pairing, SideEvidence};

/// Difference of mean output lengths, as a ratio, above which the sides did not do the same work.
const LENGTH_RATIO: f64 = 0.02;

/// The warnings of all comparisons; what holds for several scenarios is said once.
pub(crate) fn all(judged: &[Judged<'_>]) -> Vec<Warning> {
    let mut grouped: Vec<(Warning, Vec<&str>)> = Vec::new();
    for one in judged {
        let scenario = one.matchup.scenario.as_str();
        for warning in of(one) {
            match grouped.iter_mut().find(|(known, _)| *known == warning) {
                Some((_, scenarios)) if scenarios.contains(&scenario) => {}
                Some((_, scenarios)) => scenarios.push(scenario),
                None => grouped.push((warning, vec![scenario])),
            }
        }
    }
    grouped
        .into_iter()
        .map(|(warning, scenarios)| {
            Warning::new(
                warning.code,
                format!("{}: {}", scenarios.join(", "), warning.message),
            )
        })
        .collect()
}

/// The warnings of one comparison, without its name.
fn of(one: &Judged<'_>) -> Vec<Warning> {
    let matchup = one.matchup;
    let other = &matchup.other.name;
    let simulated = matchup.ours.parts[0].simulated;
    let mut warnings = Vec::new();
    let mut warn = |code: &str, message: String| warnings.push(Warning::new(code, message));
    if matchup.pairing == (Pairing::Interleaved { swap: false }) && !simulated {
        warn(
            "one-launch",
            format!(
                "every pair used the same two servers; how much launches of {other} and ours differ is not in the interval (`serve-bench compare --swap` puts it there)"
            ),
        );
    }
    let (available, used) = (one.sample.available(), one.estimate.pairs);
    if available > used {
        warn(
            "pairs-wait",
            format!("{} of {available} pairs wait for the next look", available - used),
        );
    }
    if matchup.excluded > 0 {
        warn(
            "chosen-pairs-excluded",
            format!("{} pairs chose the candidate and do not count", matchup.excluded),
        );
    }
    if one.usable.dropped > 0 {
        warn(
            "invalid-pairs-excluded",
            format!(
                "{} pairs or runs are invalid and do not count",
                one.usable.dropped
            ),
        );
    }
    for (side, slo) in [(&matchup.ours, &one.slo_ours), (&matchup.other, &one.slo_other)] {
        if !slo.undecided.is_empty() {
            warn(
                "slo-undecided",
                format!("{}: {}", side.name, slo.undecided.join(", ")),
            );
        }
    }
    if let (Some(a), Some(b)) = (output_length(&matchup.ours), output_length(&matchup.other))
        && (a / b - 1.0).abs() > LENGTH_RATIO
    {
        warn(
            "output-lengths-differ",
            format!("{a:.1} against {b:.1} output tokens a request: not the same work"),
        );
    }
    let mut parts = matchup.sides().into_iter().flat_map(|side| &side.parts);
    let first = parts.next().expect("a side comes from a document");
    let subject = first.subject.fingerprint.as_deref();
    let mut same_subject = subject.is_some();
    let mut environments = BTreeSet::new();
    for part in parts {
        same_subject &= part.subject.fingerprint.as_deref() == subject;
        let differing = first.environment.compare(&part.environment).differing;
        environments.extend(differing.into_iter().map(|(name, _, _)| shown(&name)));
    }
    if same_subject {
        warn(
            "same-subject",
            "both sides have the same subject: this is an A/A comparison".to_owned(),
        );
    }
    if !environments.is_empty() {
        let names: Vec<String> = environments.into_iter().collect();
        warn(
            "environment-differs",
            format!(
                "the documents were measured on different machines or drivers: {}",
                names.join(", ")
            ),
        );
    }
    warnings
}

/// Mean output tokens of a successful request.
fn output_length(side: &SideEvidence) -> Option<f64> {
    let tokens = side.total(|run| run.tokens.output);
    let requests = side.total(|run| run.requests.succeeded);
    (requests > 0 && tokens > 0).then(|| tokens as f64 / requests as f64)
}
