//! Candidates that together set every mechanism family, before anything is refined. Pure.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::Trial;
use super::failure::Failures;
use crate::space::{Config, Space};

/// Configurations drawn for one place.
const DRAWS: usize = 60;

/// The next candidate of the coverage, `None` when every family that can be measured was.
pub(super) fn next(
    space: &Space,
    budget: usize,
    trials: &[Trial],
    failures: &Failures,
    rng: &mut ChaCha8Rng,
) -> Option<Config> {
    let families = space.families();
    let sets = |config: &Config, members: &[usize]| members.iter().any(|at| config[*at] != 0);
    let open: Vec<&Vec<usize>> = families
        .values()
        .filter(|members| {
            let of_family: Vec<&Trial> = trials
                .iter()
                .filter(|trial| sets(&trial.config, members))
                .collect();
            // A family that failed twice beside others is left to the model of failures.
            !of_family.iter().any(|trial| trial.score().is_some()) && of_family.len() < 2
        })
        .collect();
    // At first as many candidates as a quarter of the budget, whether or not all families are in the first ones: their
    // effects are told apart by candidates that differ in many of them.
    let spread = (budget / 4).clamp(2, families.len().max(2) + 2);
    let done = trials
        .iter()
        .filter(|trial| trial.step == contracts::config_search::candidate::Step::Coverage)
        .count();
    if open.is_empty() && done >= spread {
        return None;
    }
    let rest = spread.saturating_sub(done).max(1);
    let needed = open.len().div_ceil(rest);
    let failed = trials.iter().filter(|trial| trial.score().is_none()).count();
    // Many flags at once tell more, but one that fails takes the others with it.
    let share = if 3 * failed > trials.len() { 0.25 } else { 0.5 };
    let mut chosen: Option<(f64, Config)> = None;
    for _ in 0..DRAWS {
        let mut config = space.baseline();
        for members in families.values() {
            if rng.random::<f64>() < share {
                set(space, &mut config, members, rng);
            }
        }
        let mut unset: Vec<&&Vec<usize>> = open.iter().filter(|members| !sets(&config, members)).collect();
        while open.len() - unset.len() < needed && !unset.is_empty() {
            let members = unset.swap_remove(rng.random_range(0..unset.len()));
            set(space, &mut config, members, rng);
        }
        space.normalise(&mut config);
        if Space::set_count(&config) == 0
            || failures.excludes(space, &config)
            || trials.iter().any(|trial| trial.config == config)
        {
            continue;
        }
        let covered = open.iter().filter(|members| sets(&config, members)).count();
        let nearest = trials
            .iter()
            .map(|trial| trial.config.iter().zip(&config).filter(|(a, b)| a != b).count())
            .min()
            .unwrap_or(0);
        let worth = failures.starts(space, &config) * (covered.min(needed) as f64 * 2.0 + nearest as f64);
        if chosen.as_ref().is_none_or(|(most, _)| worth > *most) {
            chosen = Some((worth, config));
        }
    }
    chosen.map(|(_, config)| config)
}

/// Sets each flag of a family at a random level, and at least one of them.
fn set(space: &Space, config: &mut Config, members: &[usize], rng: &mut ChaCha8Rng) {
    let sure = members[rng.random_range(0..members.len())];
    for &at in members {
        let levels = space.params[at].levels.len();
        if levels > 1 && (at == sure || rng.random::<f64>() < 0.5) {
            config[at] = rng.random_range(1..levels);
            // What a flag needs comes with it.
            for (other, allowed) in &space.params[at].when {
                if !allowed.contains(&config[*other]) && !allowed.is_empty() {
                    config[*other] = allowed[rng.random_range(0..allowed.len())];
                }
            }
        }
    }
}
