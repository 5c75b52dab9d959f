//! Which configuration is the best so far: believed of all its measurements, the simpler one inside the noise. Pure.

use super::Trial;
use super::acquire;
use crate::space::{Config, Space};

/// Share of the doubt about the best within which a simpler configuration is taken.
const TIE: f64 = 0.25;

/// The best configuration that was measured in full and meets the SLO, with its believed score.
pub fn best(space: &Space, trials: &[Trial]) -> Option<(Config, f64)> {
    let surface = acquire::surface(space, trials)?;
    let mut known: Vec<&Config> = trials
        .iter()
        .filter(|trial| trial.is_eligible())
        .map(|trial| &trial.config)
        .filter(|config| {
            // Missed once in full is missed.
            !trials
                .iter()
                .any(|trial| trial.config == **config && trial.fidelity >= 1.0 && !trial.is_eligible())
        })
        .collect();
    known.sort();
    known.dedup();
    let believed: Vec<(&Config, super::surface::Belief)> = known
        .into_iter()
        .map(|config| (config, surface.at(config)))
        .collect();
    let top = believed.iter().max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))?.1;
    let (config, belief) = believed
        .iter()
        .filter(|(_, belief)| belief.mean >= top.mean - TIE * top.sd)
        .min_by(|a, b| {
            let flags = |config: &Config| Space::set_count(config);
            flags(a.0).cmp(&flags(b.0)).then(b.1.mean.total_cmp(&a.1.mean))
        })?;
    Some(((*config).clone(), belief.mean))
}

/// The best configuration, when it was measured once only and its lead is within its doubt.
pub(super) fn doubtful(space: &Space, trials: &[Trial]) -> Option<Config> {
    let (config, _) = best(space, trials)?;
    let times = trials
        .iter()
        .filter(|trial| trial.config == config && trial.fidelity >= 1.0)
        .count();
    let surface = acquire::surface(space, trials)?;
    let mine = surface.at(&config);
    let next = trials
        .iter()
        .filter(|trial| trial.is_eligible() && trial.config != config)
        .map(|trial| surface.at(&trial.config).mean)
        .fold(f64::NEG_INFINITY, f64::max);
    (times == 1 && mine.mean - next < 2.0 * mine.sd).then_some(config)
}
