//! What the arguments mean: checked once, and part of the document.

use std::path::PathBuf;

use contracts::metric::Metric;
use serde::Serialize;

use crate::cli::{Args, CalibrateArgs, Command, DecideArgs, FailOn, RankArgs, SideArg};
use crate::error::PlanError;

/// Campaigns are drawn up to three times the threshold, and nobody loses more than everything.
const MOST_CALIBRATED: f64 = 1.0 / 3.0;

/// What to do.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Decide a gap.
    Decide(DecidePlan),
    /// Calibrate.
    Calibrate(CalibratePlan),
    /// Order candidates.
    Rank(RankArgs),
}

/// A decision as it was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecidePlan {
    /// Where the evidence is.
    pub sources: Sources,
    /// Documents that chose the candidate.
    pub chosen_by: Vec<PathBuf>,
    /// Metric name.
    pub metric: String,
    /// Threshold flag, as a ratio.
    pub threshold_ratio: Option<f64>,
    /// Margin flag, as a ratio.
    pub margin_ratio: Option<f64>,
    /// Affordable pairs.
    pub max_pairs: u32,
    /// Confidence of all verdicts together.
    pub confidence_ratio: f64,
    /// Target file.
    pub target: Option<PathBuf>,
    /// Verdicts that end with exit 1.
    pub fail_on: Vec<&'static str>,
}

/// Where the evidence is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sources {
    /// Interleaved comparisons.
    Compare {
        /// The documents.
        documents: Vec<PathBuf>,
        /// Whether side B is ours.
        ours_is_b: bool,
    },
    /// Results that were not interleaved.
    Results {
        /// Results of ours.
        ours: Vec<PathBuf>,
        /// Name and results of every other engine, in the order given.
        theirs: Vec<(String, Vec<PathBuf>)>,
    },
}

/// A calibration as it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibratePlan {
    /// The A/A documents.
    pub documents: Vec<PathBuf>,
    /// Metric.
    pub metric: Metric,
    /// What a campaign decides by.
    pub rules: crate::campaign::Rules,
    /// Campaigns per true effect.
    pub campaigns: u32,
    /// Seed.
    pub seed: u64,
}

impl TryFrom<Args> for Plan {
    type Error = PlanError;

    fn try_from(args: Args) -> Result<Plan, PlanError> {
        match args.command {
            None => decide(args.decide).map(Plan::Decide),
            Some(command) => {
                let evidence = &args.decide;
                if !evidence.compare.is_empty() || !evidence.ours.is_empty() || !evidence.theirs.is_empty() {
                    return Err(PlanError::TwoTasks);
                }
                match command {
                    Command::Calibrate(calibrate_args) => calibrate(calibrate_args).map(Plan::Calibrate),
                    Command::Rank(rank_args) => Ok(Plan::Rank(rank_args)),
                }
            }
        }
    }
}

fn decide(args: DecideArgs) -> Result<DecidePlan, PlanError> {
    Metric::parse(&args.metric)?;
    check_confidence(args.confidence)?;
    for (flag, ratio) in [("--threshold", args.threshold), ("--margin", args.margin)] {
        check_ratio(flag, ratio)?;
    }
    let sources = match (
        args.compare.is_empty(),
        args.ours.is_empty(),
        args.theirs.is_empty(),
    ) {
        (false, true, true) => Sources::Compare {
            documents: args.compare,
            ours_is_b: args.ours_side == SideArg::B,
        },
        (true, false, false) => Sources::Results {
            ours: args.ours,
            theirs: named(&args.theirs)?,
        },
        (true, true, true) => return Err(PlanError::NoEvidence),
        (false, _, _) => return Err(PlanError::TwoKindsOfEvidence),
        (true, _, _) => return Err(PlanError::OneSideOnly),
    };
    let mut fail_on: Vec<&'static str> = args
        .fail_on
        .iter()
        .map(|verdict| match verdict {
            FailOn::Behind => "behind",
            FailOn::OursFailsSlo => "ours_fails_slo",
        })
        .collect();
    fail_on.sort_unstable();
    fail_on.dedup();
    Ok(DecidePlan {
        sources,
        chosen_by: args.chosen_by,
        metric: args.metric,
        threshold_ratio: args.threshold,
        margin_ratio: args.margin,
        max_pairs: args.max_pairs,
        confidence_ratio: args.confidence,
        target: args.target,
        fail_on,
    })
}

fn calibrate(args: CalibrateArgs) -> Result<CalibratePlan, PlanError> {
    check_confidence(args.confidence)?;
    for (flag, ratio) in [("--threshold", args.threshold), ("--margin", args.margin)] {
        check_ratio(flag, Some(ratio))?;
    }
    if args.threshold >= MOST_CALIBRATED {
        return Err(PlanError::CalibratedThreshold(args.threshold));
    }
    Ok(CalibratePlan {
        documents: args.documents,
        metric: Metric::parse(&args.metric)?,
        rules: crate::campaign::Rules {
            threshold_ratio: args.threshold,
            margin_ratio: args.margin,
            max_pairs: args.max_pairs as usize,
            alpha: 1.0 - args.confidence,
        },
        campaigns: args.campaigns,
        seed: args.seed,
    })
}

/// Below 50 % a "verdict" is a coin; at 1 no number of pairs ends.
fn check_confidence(confidence: f64) -> Result<(), PlanError> {
    if (0.5..=0.999_999).contains(&confidence) {
        Ok(())
    } else {
        Err(PlanError::Confidence(confidence))
    }
}

fn check_ratio(flag: &'static str, ratio: Option<f64>) -> Result<(), PlanError> {
    match ratio {
        Some(value) if !(value > 0.0 && value < 1.0) => Err(PlanError::Ratio { flag, value }),
        _ => Ok(()),
    }
}

/// Reads `NAME=RESULT` words; a word without a name belongs to the engine before it.
fn named(words: &[String]) -> Result<Vec<(String, Vec<PathBuf>)>, PlanError> {
    let mut engines: Vec<(String, Vec<PathBuf>)> = Vec::new();
    for word in words {
        match word.split_once('=') {
            Some((name, path)) if is_name(name) => {
                let path = PathBuf::from(path);
                match engines.iter_mut().find(|(known, _)| known == name) {
                    Some((_, paths)) => paths.push(path),
                    None => engines.push((name.to_owned(), vec![path])),
                }
            }
            _ => engines
                .last_mut()
                .ok_or_else(|| PlanError::NoName(contracts::text::clean(word, 200)))?
                .1
                .push(PathBuf::from(word)),
        }
    }
    Ok(engines)
}

/// A name has no slash, so that a path with an equals sign in it is still a path.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn plan(words: &[&str]) -> Result<Plan, PlanError> {
        Plan::try_from(Args::try_parse_from([&["gap-decide"], words].concat()).unwrap())
    }

    #[test]
    fn several_engines_with_several_results() {
        let plan = plan(&[
            "--ours",
            "o.json",
            "--theirs",
            "vllm=a.json",
            "runs/x=b.json",
            "sglang=c.json",
            "vllm=d.json",
        ])
        .unwrap();
        let Plan::Decide(DecidePlan {
            sources: Sources::Results { theirs, .. },
            ..
        }) = plan
        else {
            panic!("results")
        };
        let path = PathBuf::from;
        assert_eq!(
            theirs,
            [
                (
                    "vllm".to_owned(),
                    vec![path("a.json"), path("runs/x=b.json"), path("d.json")]
                ),
                ("sglang".to_owned(), vec![path("c.json")]),
            ]
        );
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for (words, code) in [
            (&[][..], "no-evidence"),
            (&["--ours", "a"], "one-side-only"),
            (&["--compare", "a", "--ours", "b"], "two-kinds-of-evidence"),
            (&["--ours", "a", "--theirs", "b"], "no-name"),
            (&["--compare", "a", "--metric", "speed"], "unknown-metric"),
            (
                &["--compare", "a", "--confidence", "1"],
                "confidence-out-of-range",
            ),
            (&["--compare", "a", "--threshold", "1.5"], "ratio-out-of-range"),
            (&["--compare", "a", "calibrate", "b"], "two-tasks"),
            (&["calibrate", "b", "--threshold", "0.34"], "ratio-out-of-range"),
        ] {
            let words: Vec<&str> = words.to_vec();
            // `--compare a calibrate b` would read `calibrate` as a document; a flag in between ends the list.
            let words = if words.contains(&"--compare") && words.contains(&"calibrate") {
                vec!["--compare", "a", "--quiet", "calibrate", "b"]
            } else {
                words
            };
            let error = plan(&words).unwrap_err();
            assert_eq!(cli_kit::ToolError::code(&error), code, "{words:?}");
        }
    }
}
