//! Step times between the points of the tables: linear in the logarithms of time and coordinates, held at the edges.

use aisimulate_core::TimingModel;

use crate::prepared::{Grid, Table};

/// Step times of one build of the model.
pub(crate) struct StepTimes {
    grid: Grid,
    table: Table,
}

impl StepTimes {
    pub(crate) fn new(grid: &Grid, table: &Table) -> Self {
        Self {
            grid: grid.clone(),
            table: table.clone(),
        }
    }
}

impl TimingModel for StepTimes {
    fn predict_prefill_ms(&self, batch: usize, mean_input: usize, mean_cached: usize) -> anyhow::Result<f64> {
        let new = mean_input.saturating_sub(mean_cached);
        let cached = weights(&self.grid.prefill_cached, mean_cached as f64);
        let by_new = weights(&self.grid.prefill_new, new as f64);
        Ok(blend(weights(&self.grid.prefill_batch, batch as f64), |b| {
            blend(by_new, |n| blend(cached, |c| self.table.prefill_ms[b][n][c]))
        }))
    }

    fn predict_decode_ms(
        &self,
        batch: usize,
        _active: usize,
        mean_context: usize,
        _total: usize,
    ) -> anyhow::Result<f64> {
        let context = weights(&self.grid.decode_context, mean_context as f64);
        Ok(blend(weights(&self.grid.decode_batch, batch as f64), |b| {
            blend(context, |c| self.table.decode_ms[b][c])
        }))
    }
}

/// The two neighbours of `at` and the share of the upper one.
fn weights(points: &[f64], at: f64) -> (usize, usize, f64) {
    let at = at.clamp(points[0], points[points.len() - 1]);
    let upper = points
        .iter()
        .position(|&point| point >= at)
        .unwrap_or(points.len() - 1);
    let lower = upper.saturating_sub(1);
    if upper == lower {
        return (lower, upper, 0.0);
    }
    // One is added because a prompt may have no cached token.
    let log = |value: f64| (value + 1.0).ln();
    (
        lower,
        upper,
        (log(at) - log(points[lower])) / (log(points[upper]) - log(points[lower])),
    )
}

fn blend((lower, upper, share): (usize, usize, f64), value: impl Fn(usize) -> f64) -> f64 {
    if share == 0.0 {
        return value(lower);
    }
    ((1.0 - share) * value(lower).ln() + share * value(upper).ln()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_the_grid_come_back_and_between_them_lies_between() {
        let points = [1.0, 8.0, 64.0];
        let times = [2.0, 4.0, 40.0];
        let time = |at: f64| blend(weights(&points, at), |i| times[i]);
        for (point, want) in points.iter().zip(times) {
            assert!((time(*point) - want).abs() < 1e-12);
        }
        assert!(4.0 < time(20.0) && time(20.0) < 40.0);
        assert_eq!(time(1000.0), 40.0);
        assert_eq!(time(0.0), 2.0);
    }
}
