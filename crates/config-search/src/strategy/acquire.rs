//! Where an improvement is expected: noise-aware, times the probability that it starts and meets the SLO. Pure.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::failure::Failures;
use super::surface::{Belief, Seen, Surface};
use super::{Outcome, Trial};
use crate::space::{Config, Space};

/// Spaces of at most this many configurations are looked at whole.
const WHOLE: u64 = 3000;
/// Configurations drawn of a larger one.
const DRAWS: usize = 1200;
/// Best configurations whose neighbours are looked at.
const AROUND: usize = 3;

/// The surface of all scores; `None` without any.
pub(super) fn surface<'a>(space: &Space, trials: &'a [Trial]) -> Option<Surface<'a>> {
    let seen: Vec<Seen<'a>> = trials
        .iter()
        .filter_map(|trial| {
            Some(Seen {
                config: &trial.config,
                score: trial.score()?,
                fidelity: trial.fidelity,
            })
        })
        .collect();
    Surface::fit(space, &seen)
}

/// The configuration with the largest expected improvement, and whether it is a new one.
pub(super) fn next(
    space: &Space,
    trials: &[Trial],
    failures: &Failures,
    rng: &mut ChaCha8Rng,
) -> Option<(Config, bool)> {
    let surface = surface(space, trials)?;
    let slo = slo_surface(space, trials);
    // Against what is believed of the best, not against its luckiest measurement.
    let to_beat = trials
        .iter()
        .filter(|trial| trial.score().is_some() && !missed(trial))
        .map(|trial| surface.at(&trial.config).mean)
        .fold(f64::NEG_INFINITY, f64::max);
    let to_beat = if to_beat.is_finite() { to_beat } else { 0.0 };
    let mut chosen: Option<(f64, Config, bool)> = None;
    for config in pool(space, trials, &surface, rng) {
        let is_new = !trials.iter().any(|trial| trial.config == config);
        if failures.excludes(space, &config) {
            continue;
        }
        let belief = surface.at(&config);
        let meets = slo
            .as_ref()
            .map_or(1.0, |slo| slo.at(&config).mean.clamp(0.05, 1.0));
        let mut worth = improvement(belief, to_beat) * failures.starts(space, &config) * meets;
        if !is_new {
            // What was measured already says little more by being measured again.
            worth *= 0.3;
        }
        if chosen.as_ref().is_none_or(|(most, ..)| worth > *most) {
            chosen = Some((worth, config, is_new));
        }
    }
    chosen.map(|(_, config, is_new)| (config, is_new))
}

/// Near-misses put together: changes that each did better than the baseline, by less than the noise tells apart, added
/// to the best configuration where it leaves those flags alone.
pub(super) fn recombined(space: &Space, trials: &[Trial], failures: &Failures) -> Option<Config> {
    let surface = surface(space, trials)?;
    let (best, _) = super::best(space, trials)?;
    let noise = surface.noise();
    let alone = |at: usize, level: usize| {
        let mut config = space.baseline();
        config[at] = level;
        surface.at(&config)
    };
    let zero = surface.at(&space.baseline());
    let mut config = best.clone();
    for (at, param) in space.params.iter().enumerate() {
        if config[at] != 0 {
            continue;
        }
        let tried = |level: &usize| {
            trials
                .iter()
                .any(|trial| trial.config[at] == *level && trial.is_eligible())
        };
        let near = (1..param.levels.len())
            .filter(tried)
            .map(|level| (level, alone(at, level).mean - zero.mean))
            .filter(|(_, gain)| *gain > 0.0 && *gain < 2.0 * noise)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((level, _)) = near {
            config[at] = level;
        }
    }
    space.normalise(&mut config);
    let is_known = config == best || trials.iter().any(|trial| trial.config == config);
    let is_risky = failures.starts(space, &config) < 0.5;
    // Put together they have to be worth it, as far as is known.
    let is_worse = surface.at(&config).mean < surface.at(&best).mean;
    (!is_known && !is_risky && !is_worse).then_some(config)
}

fn missed(trial: &Trial) -> bool {
    matches!(trial.outcome, Outcome::Measured { slo: Some(false), .. })
}

/// Whether configurations meet the SLO, from 0 to 1; `None` while none missed it.
fn slo_surface<'a>(space: &Space, trials: &'a [Trial]) -> Option<Surface<'a>> {
    if !trials.iter().any(missed) {
        return None;
    }
    let seen: Vec<Seen<'a>> = trials
        .iter()
        .filter(|trial| trial.score().is_some())
        .map(|trial| Seen {
            config: &trial.config,
            score: if missed(trial) { 0.0 } else { 1.0 },
            fidelity: 1.0,
        })
        .collect();
    Surface::fit(space, &seen)
}

/// Configurations to look at: all of a small space; of a large one the neighbours of the best, and drawn ones.
fn pool(space: &Space, trials: &[Trial], surface: &Surface<'_>, rng: &mut ChaCha8Rng) -> Vec<Config> {
    if let Some(all) = space.all(WHOLE) {
        return all;
    }
    let mut pool = Vec::new();
    let mut known: Vec<&Config> = trials.iter().map(|trial| &trial.config).collect();
    known.sort_by(|a, b| surface.at(b).mean.total_cmp(&surface.at(a).mean).then(a.cmp(b)));
    known.dedup();
    for config in known.into_iter().take(AROUND) {
        pool.push(config.clone());
        for a in 0..space.params.len() {
            for level in 0..space.params[a].levels.len() {
                let mut near = config.clone();
                near[a] = level;
                pool.push(near.clone());
                let b = rng.random_range(0..space.params.len());
                near[b] = rng.random_range(0..space.params[b].levels.len());
                pool.push(near);
            }
        }
    }
    for _ in 0..DRAWS {
        let levels = space.params.iter().map(|param| param.levels.len());
        pool.push(levels.map(|levels| rng.random_range(0..levels)).collect());
    }
    for config in &mut pool {
        space.normalise(config);
    }
    pool.sort();
    pool.dedup();
    pool
}

/// Expected improvement over what is to be beaten.
fn improvement(belief: Belief, to_beat: f64) -> f64 {
    let lead = belief.mean - to_beat;
    let z = lead / belief.sd;
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (lead * below(z) + belief.sd * density).max(0.0)
}

/// Share of a standard normal below `z`, by a logistic curve that is off by 0.0002 at most (Bowling and others, 2009).
fn below(z: f64) -> f64 {
    1.0 / (1.0 + (-1.5976 * z - 0.070_565_992 * z.powi(3)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn improvement_grows_with_mean_and_doubt() {
        let at = |mean, sd| improvement(Belief { mean, sd }, 0.1);
        assert!(at(0.2, 0.05) > at(0.1, 0.05));
        assert!(at(0.1, 0.10) > at(0.1, 0.05));
        assert!(at(-5.0, 0.01) >= 0.0);
        assert!((below(0.0) - 0.5).abs() < 1e-9 && (below(1.96) - 0.975).abs() < 0.001);
    }
}
