//! What the scores so far say of configurations that were not measured: a Gaussian process. Pure.
//!
//! Launch flags mostly act each on its own and multiply, so on the logarithm of a ratio the kernel is a sum over
//! parameters, and beside it a product for what they do together. How much each parameter matters, how much is
//! together, and how noisy a measurement is, are chosen by the likelihood of what was seen, on a small grid.

use crate::space::{Config, Space};

/// Relevances a parameter may have.
const RELEVANCES: [f64; 3] = [0.08, 0.4, 1.0];
/// Shares of the sum over parameters in the kernel.
const ADDITIVE: [f64; 3] = [0.5, 0.75, 0.93];
/// Variances of a full measurement, as a share of the variance of all scores.
const NOISES: [f64; 5] = [0.002, 0.01, 0.05, 0.15, 0.4];
/// Rounds of choosing.
const ROUNDS: usize = 2;
/// Length over which an ordered parameter changes, its whole range being 1.
const LENGTH: f64 = 0.4;

/// One score: configuration, logarithm of the ratio to the baseline, share of a full measurement.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) config: &'a Config,
    pub(crate) score: f64,
    pub(crate) fidelity: f64,
}

/// Mean and standard deviation of the true score of a configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Belief {
    pub(crate) mean: f64,
    pub(crate) sd: f64,
}

#[derive(Clone, Debug)]
struct Shape {
    relevance: Vec<f64>,
    additive: f64,
    noise: f64,
}

/// A process that was fitted.
#[derive(Clone, Debug)]
pub(crate) struct Surface<'a> {
    shape: Shape,
    /// Alikeness of two levels, by parameter and pair.
    alike: Vec<Vec<Vec<f64>>>,
    seen: Vec<&'a Config>,
    mean: f64,
    scale: f64,
    factor: Vec<Vec<f64>>,
    weights: Vec<f64>,
}

impl<'a> Surface<'a> {
    /// Fits the scores; `None` without any.
    pub(crate) fn fit(space: &Space, seen: &[Seen<'a>]) -> Option<Surface<'a>> {
        let count = seen.len();
        if count == 0 {
            return None;
        }
        let mean = seen.iter().map(|seen| seen.score).sum::<f64>() / count as f64;
        let variance = seen.iter().map(|seen| (seen.score - mean).powi(2)).sum::<f64>() / count as f64;
        // A single score, or equal ones, have no spread of their own: a percent then.
        let scale = variance.sqrt().max(0.01);
        let standard: Vec<f64> = seen.iter().map(|seen| (seen.score - mean) / scale).collect();
        let configs: Vec<&Config> = seen.iter().map(|seen| seen.config).collect();
        // A short measurement is noisier, and says less of the full one than its length alone.
        let stretch: Vec<f64> = seen
            .iter()
            .map(|seen| {
                if seen.fidelity < 1.0 {
                    2.0 / seen.fidelity
                } else {
                    1.0
                }
            })
            .collect();
        let alike = alikeness(space);
        let mut shape = Shape {
            relevance: vec![RELEVANCES[1]; space.params.len()],
            additive: ADDITIVE[1],
            noise: NOISES[2],
        };
        let mut best = likelihood(&alike, &shape, &configs, &standard, &stretch);
        let mut attempt = |shape: &mut Shape, change: &dyn Fn(&mut Shape)| {
            let mut other = shape.clone();
            change(&mut other);
            let score = likelihood(&alike, &other, &configs, &standard, &stretch);
            if score > best {
                best = score;
                *shape = other;
            }
        };
        for _ in 0..ROUNDS {
            for noise in NOISES {
                attempt(&mut shape, &|shape| shape.noise = noise);
            }
            for at in 0..space.params.len() {
                for relevance in RELEVANCES {
                    attempt(&mut shape, &|shape| shape.relevance[at] = relevance);
                }
            }
            for additive in ADDITIVE {
                attempt(&mut shape, &|shape| shape.additive = additive);
            }
        }
        let factor = cholesky(covariance(&alike, &shape, &configs, &stretch))?;
        let weights = backward(&factor, forward(&factor, &standard));
        Some(Surface {
            shape,
            alike,
            seen: configs,
            mean,
            scale,
            factor,
            weights,
        })
    }

    /// What is believed of a configuration.
    pub(crate) fn at(&self, config: &Config) -> Belief {
        let near: Vec<f64> = self
            .seen
            .iter()
            .map(|seen| kernel(&self.alike, &self.shape, seen, config))
            .collect();
        let mean: f64 = near
            .iter()
            .zip(&self.weights)
            .map(|(near, weight)| near * weight)
            .sum();
        let known: f64 = forward(&self.factor, &near).iter().map(|part| part * part).sum();
        let own = kernel(&self.alike, &self.shape, config, config);
        Belief {
            mean: self.mean + self.scale * mean,
            sd: self.scale * (own - known).max(1e-9).sqrt(),
        }
    }

    /// Standard deviation of one full measurement, as the scores say.
    pub(crate) fn noise(&self) -> f64 {
        self.scale * self.shape.noise.sqrt()
    }
}

/// How alike two levels of a parameter are: 1 for the same, less with distance where there is an order.
fn alikeness(space: &Space) -> Vec<Vec<Vec<f64>>> {
    let of = |param: &crate::space::Param| {
        let levels = 0..param.levels.len();
        levels
            .clone()
            .map(|a| {
                levels
                    .clone()
                    .map(|b| match (param.place(a), param.place(b)) {
                        _ if a == b => 1.0,
                        (Some(x), Some(y)) => (-(x - y).powi(2) / (2.0 * LENGTH * LENGTH)).exp(),
                        _ => 0.0,
                    })
                    .collect()
            })
            .collect()
    };
    space.params.iter().map(of).collect()
}

fn kernel(alike: &[Vec<Vec<f64>>], shape: &Shape, a: &Config, b: &Config) -> f64 {
    let (mut sum, mut total, mut product) = (0.0, 0.0, 1.0);
    for (at, alike) in alike.iter().enumerate() {
        let (relevance, alike) = (shape.relevance[at], alike[a[at]][b[at]]);
        sum += relevance * alike;
        total += relevance;
        product *= 1.0 - relevance * (1.0 - alike);
    }
    let sum = if total > 0.0 { sum / total } else { 1.0 };
    // The scores may lie around another mean than that of the few that were seen.
    0.2 + 1.6 * (shape.additive * sum + (1.0 - shape.additive) * product)
}

fn covariance(alike: &[Vec<Vec<f64>>], shape: &Shape, configs: &[&Config], stretch: &[f64]) -> Vec<Vec<f64>> {
    let mut matrix = vec![vec![0.0; configs.len()]; configs.len()];
    for a in 0..configs.len() {
        for b in 0..=a {
            matrix[a][b] = kernel(alike, shape, configs[a], configs[b]);
        }
        matrix[a][a] += shape.noise * stretch[a] + 1e-6;
    }
    matrix
}

/// Logarithm of the likelihood, with a slight preference for parameters that do not matter.
fn likelihood(
    alike: &[Vec<Vec<f64>>],
    shape: &Shape,
    configs: &[&Config],
    standard: &[f64],
    stretch: &[f64],
) -> f64 {
    let Some(factor) = cholesky(covariance(alike, shape, configs, stretch)) else {
        return f64::NEG_INFINITY;
    };
    let fit: f64 = forward(&factor, standard).iter().map(|part| part * part).sum();
    let volume: f64 = (0..factor.len()).map(|at| factor[at][at].ln()).sum();
    let relevance: f64 = shape.relevance.iter().sum();
    -0.5 * fit - volume - 0.15 * relevance
}

/// Lower factor of a positive definite matrix of which only the lower half is read.
fn cholesky(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    for row in 0..matrix.len() {
        for column in 0..=row {
            let known = matrix[row].iter().zip(&matrix[column]).take(column);
            let rest = matrix[row][column] - known.map(|(a, b)| a * b).sum::<f64>();
            matrix[row][column] = if row == column {
                if rest <= 0.0 {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / matrix[column][column]
            };
        }
    }
    Some(matrix)
}

fn forward(factor: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut solved: Vec<f64> = Vec::with_capacity(right.len());
    for (row, value) in right.iter().enumerate() {
        let known: f64 = solved.iter().zip(&factor[row]).map(|(a, b)| a * b).sum();
        solved.push((value - known) / factor[row][row]);
    }
    solved
}

fn backward(factor: &[Vec<f64>], mut right: Vec<f64>) -> Vec<f64> {
    for row in (0..right.len()).rev() {
        let known: f64 = (row + 1..right.len()).map(|at| factor[at][row] * right[at]).sum();
        right[row] = (right[row] - known) / factor[row][row];
    }
    right
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::space::Param;

    #[test]
    fn effects_seen_apart_are_expected_together_and_noise_is_not_believed() {
        let param = |flag: &str| Param {
            flag: flag.to_owned(),
            family: flag.to_owned(),
            levels: vec![Value::Null, json!(true)],
            ordered: false,
            when: vec![],
        };
        let space = Space {
            params: vec![param("--a"), param("--b"), param("--c")],
        };
        let data = [
            (vec![0, 0, 0], 0.0),
            (vec![1, 0, 0], 0.3),
            (vec![0, 1, 0], 0.2),
            (vec![0, 0, 1], 0.0),
            (vec![1, 0, 1], 0.31),
            (vec![0, 1, 1], 0.19),
        ];
        let seen: Vec<Seen<'_>> = data
            .iter()
            .map(|(config, score)| Seen {
                config,
                score: *score,
                fidelity: 1.0,
            })
            .collect();
        let surface = Surface::fit(&space, &seen).unwrap();
        let together = surface.at(&vec![1, 1, 0]);
        assert!(together.mean > 0.31, "{together:?}");
        assert!(together.sd > surface.at(&vec![1, 0, 0]).sd);
        assert!((surface.at(&vec![1, 0, 0]).mean - 0.3).abs() < 0.03);
        assert!(surface.noise() > 0.0);
        assert!(Surface::fit(&space, &[]).is_none());
    }
}
