//! What to try next. Pure: the same space, settings and trials give the same answer, so a search that was cut off goes on
//! where it stopped without any other memory.
//!
//! Baseline, then candidates that together set every family, then where the expected improvement is largest, at last
//! small gains put together and the best measured again. With screens, candidates are measured shortly first, and the
//! best of every three is measured in full.

pub mod failure;

mod acquire;
mod best;
mod cover;
mod surface;

use contracts::config_search::candidate::Step;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::space::{Config, Space};
use failure::Failures;

pub use best::best;

/// Screens of which one is measured in full.
const HALVING: usize = 3;

/// What is fixed for a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Candidates, screens and the baseline included.
    pub trials: usize,
    /// Share of a full measurement that a screen takes; `None` measures everything in full.
    pub screen: Option<f64>,
    /// Seed.
    pub seed: u64,
}

/// What became of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// A score: logarithm of the ratio to the baseline at the same fidelity, larger is better; the SLO if it was asked for.
    Measured {
        /// The score.
        score: f64,
        /// Whether the SLO passed; `None` when undecided or none was given.
        slo: Option<bool>,
    },
    /// No result, and the configuration may be why.
    Failed,
    /// It started and answered, and its measurement was spoilt by something else.
    Unmeasured,
}

/// A configuration that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The configuration.
    pub config: Config,
    /// Share of a full measurement.
    pub fidelity: f64,
    /// Why it was tried.
    pub step: Step,
    /// What became of it.
    pub outcome: Outcome,
}

/// A configuration to try.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The configuration.
    pub config: Config,
    /// Share of a full measurement.
    pub fidelity: f64,
    /// Why.
    pub step: Step,
}

impl Trial {
    /// Its score.
    pub fn score(&self) -> Option<f64> {
        match self.outcome {
            Outcome::Measured { score, .. } => Some(score),
            Outcome::Failed | Outcome::Unmeasured => None,
        }
    }

    /// Whether it was measured in full, with a result that may be chosen.
    pub(crate) fn is_eligible(&self) -> bool {
        self.fidelity >= 1.0 && matches!(self.outcome, Outcome::Measured { slo, .. } if slo != Some(false))
    }
}

/// What to try next; `None` when the budget is used, or nothing is left that may start.
pub fn propose(space: &Space, settings: &Settings, trials: &[Trial]) -> Option<Proposal> {
    let left = settings
        .trials
        .checked_sub(trials.len())
        .filter(|left| *left > 0)?;
    let full = |config, step| Proposal {
        config,
        fidelity: 1.0,
        step,
    };
    let baseline = space.baseline();
    let was = |config: &Config, fidelity: f64| {
        trials
            .iter()
            .any(|trial| trial.config == *config && (trial.fidelity - fidelity).abs() < 1e-9)
    };
    if !was(&baseline, 1.0) {
        return Some(full(baseline, Step::Baseline));
    }
    if space.params.is_empty() {
        return None;
    }
    if let Some(screen) = settings.screen
        && !was(&baseline, screen)
    {
        // What a screen says is held against a baseline of the same length.
        return Some(Proposal {
            config: baseline,
            fidelity: screen,
            step: Step::Baseline,
        });
    }
    let mut rng =
        ChaCha8Rng::seed_from_u64(settings.seed ^ (trials.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let failures = Failures::learn(space, trials);
    let short = settings.screen.unwrap_or(1.0);
    if let Some(screen) = settings.screen
        && let Some(config) = promotion(space, trials, screen, left, &failures)
    {
        return Some(full(config, Step::Promote));
    }
    if let Some(config) = cover::next(space, settings.trials, trials, &failures, &mut rng) {
        return Some(Proposal {
            config,
            fidelity: short,
            step: Step::Coverage,
        });
    }
    let last = (settings.trials / 10).max(1);
    if left <= last {
        if !trials.iter().any(|trial| trial.step == Step::Recombine)
            && let Some(config) = acquire::recombined(space, trials, &failures)
        {
            return Some(full(config, Step::Recombine));
        }
        if settings.trials >= 20
            && let Some(config) = best::doubtful(space, trials)
        {
            return Some(full(config, Step::Repeat));
        }
    }
    let (config, is_new) = acquire::next(space, trials, &failures, &mut rng)?;
    Some(if is_new {
        Proposal {
            config,
            // The last ones are measured in full, or they could not be chosen.
            fidelity: if left <= last { 1.0 } else { short },
            step: Step::Refine,
        }
    } else {
        full(config, Step::Repeat)
    })
}

/// The best screen that was not measured in full, when it is time for one.
fn promotion(
    space: &Space,
    trials: &[Trial],
    screen: f64,
    left: usize,
    failures: &Failures,
) -> Option<Config> {
    let is_full = |config: &Config| {
        trials
            .iter()
            .any(|trial| trial.config == *config && trial.fidelity >= 1.0)
    };
    let screens = trials
        .iter()
        .filter(|trial| trial.fidelity < 1.0 && trial.score().is_some());
    let open: Vec<&Trial> = screens
        .clone()
        .filter(|trial| !is_full(&trial.config) && !failures.excludes(space, &trial.config))
        .collect();
    let promoted = trials.iter().filter(|trial| trial.step == Step::Promote).count();
    let due = screens
        .filter(|trial| (trial.fidelity - screen).abs() < 1e-9)
        .count()
        / HALVING;
    if open.is_empty() || (promoted >= due && left > 2) {
        return None;
    }
    let surface = acquire::surface(space, trials)?;
    let mean = |trial: &&&Trial| surface.at(&trial.config).mean;
    open.iter()
        .max_by(|a, b| mean(a).total_cmp(&mean(b)))
        .map(|trial| trial.config.clone())
}
