//! Kernels that nobody changed, and what they moved by all the same: what others of similar duration can move by, too.

use std::collections::BTreeSet;

use crate::thresholds::CONTROL_FACTOR;

/// What an unchanged kernel moved by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Control {
    /// Pair that it is.
    pub(crate) pair: usize,
    pub(crate) duration_ns: f64,
    pub(crate) duration_delta_pct: f64,
    pub(crate) cycles_delta_pct: Option<f64>,
}

/// The most that controls of similar duration moved by, percent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Moved {
    pub(crate) duration_pct: Option<f64>,
    pub(crate) cycles_pct: Option<f64>,
}

/// What moved, by its size, of the controls in the window. Of numbers without a sign bits have the order of the numbers.
#[derive(Default)]
struct Window(BTreeSet<(u64, usize)>);

impl Window {
    fn add(&mut self, pct: Option<f64>, pair: usize) {
        self.0.extend(entry(pct, pair));
    }

    fn remove(&mut self, pct: Option<f64>, pair: usize) {
        if let Some(entry) = entry(pct, pair) {
            self.0.remove(&entry);
        }
    }

    /// The most; a control says nothing of itself.
    fn most(&self, pair: usize) -> Option<f64> {
        let mut others = self.0.iter().rev().filter(|(_, of)| *of != pair);
        others.next().map(|(bits, _)| f64::from_bits(*bits))
    }
}

fn entry(pct: Option<f64>, pair: usize) -> Option<(u64, usize)> {
    let pct = pct.filter(|pct| pct.is_finite())?;
    Some((pct.abs().to_bits(), pair))
}

/// For each pair, by the duration of its baseline, what controls within a factor of four moved by. Pairs and controls are
/// walked in the order of their durations, once.
pub(crate) fn moved(durations: &[f64], mut controls: Vec<Control>) -> Vec<Moved> {
    controls.sort_by(|a, b| a.duration_ns.total_cmp(&b.duration_ns));
    let mut pairs: Vec<usize> = (0..durations.len()).collect();
    pairs.sort_by(|a, b| durations[*a].total_cmp(&durations[*b]));
    let mut moved = vec![Moved::default(); durations.len()];
    let (mut times, mut cycles) = (Window::default(), Window::default());
    let (mut from, mut to) = (0, 0);
    for pair in pairs {
        let factor = |control: &Control| control.duration_ns / durations[pair];
        while let Some(control) = controls
            .get(to)
            .filter(|control| factor(control) <= CONTROL_FACTOR)
        {
            times.add(Some(control.duration_delta_pct), control.pair);
            cycles.add(control.cycles_delta_pct, control.pair);
            to += 1;
        }
        while let Some(control) = controls[..to]
            .get(from)
            .filter(|control| factor(control) < 1.0 / CONTROL_FACTOR)
        {
            times.remove(Some(control.duration_delta_pct), control.pair);
            cycles.remove(control.cycles_delta_pct, control.pair);
            from += 1;
        }
        moved[pair] = Moved {
            duration_pct: times.most(pair),
            cycles_pct: cycles.most(pair),
        };
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(pair: usize, duration_ns: f64, duration_delta_pct: f64) -> Control {
        Control {
            pair,
            duration_ns,
            duration_delta_pct,
            cycles_delta_pct: Some(duration_delta_pct / 2.0),
        }
    }

    #[test]
    fn a_control_speaks_for_others_of_similar_duration() {
        let durations = [1e6, 3e6, 6e5, 8e5];
        let seen = moved(&durations, vec![control(1, 3e6, -12.0)]);
        let both = Moved {
            duration_pct: Some(12.0),
            cycles_pct: Some(6.0),
        };
        // Not for itself, and not for what is five times as short.
        assert_eq!(seen, [both, Moved::default(), Moved::default(), both]);
    }

    #[test]
    fn a_walk_finds_what_looking_at_all_finds() {
        let durations: Vec<f64> = (0..200).map(|at| f64::from(at * 7919 % 1009 + 1) * 1e3).collect();
        let controls: Vec<Control> = (0..200)
            .filter(|at| at % 3 == 0)
            .map(|at| control(at, durations[at], f64::from((at * 31 % 97) as u32) - 40.0))
            .collect();
        let seen = moved(&durations, controls.clone());
        for (pair, duration) in durations.iter().enumerate() {
            let similar = controls.iter().filter(|control| {
                let factor = control.duration_ns / duration;
                control.pair != pair && (1.0 / CONTROL_FACTOR..=CONTROL_FACTOR).contains(&factor)
            });
            let most = similar
                .map(|control| control.duration_delta_pct.abs())
                .max_by(f64::total_cmp);
            assert_eq!(seen[pair].duration_pct, most, "{pair}");
        }
    }
}
