//! Baseline against candidate: durations, or cycles where clocks drifted, against the noise.

use contracts::Finite;
use contracts::ncu_digest::Counter;
use contracts::ncu_digest::comparison::{Change, Comparison, MetricDelta, Pair, Side};
use contracts::ncu_digest::kernel::Kernel;

use crate::controls::{self, Control, Moved};
use crate::error::DigestError;
use crate::groups::Group;
use crate::matching::Matched;
use crate::noise::{Measured, noise};
use crate::numbers::NUMBERS;
use crate::thresholds::{CLOCK_DRIFT_PCT, MOVED};

/// What is known of both captures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Whether the versions of Nsight Compute are the same.
    pub(crate) compares_metrics: bool,
    /// Whether clock control and GPU are known on both sides.
    pub(crate) is_known: bool,
}

/// Judges matched kernels.
///
/// # Errors
/// The first pair has no duration.
pub(crate) fn comparison(matched: Matched<'_, '_>, settings: Settings) -> Result<Comparison, DigestError> {
    let Matched {
        pairs: groups,
        mut unmatched,
    } = matched;
    let mut measured = Vec::new();
    for (at, (baseline, candidate)) in groups.into_iter().enumerate() {
        match (side(baseline), side(candidate)) {
            (Some(a), Some(b)) => measured.push((baseline, candidate, a, b)),
            _ if at == 0 => {
                let name = contracts::text::clean(&baseline.first().key, 200);
                return Err(DigestError::NoDuration(name));
            }
            _ => unmatched.push(contracts::ncu_digest::comparison::Unmatched {
                side: "baseline".to_owned(),
                key: baseline.first().key.clone(),
                grid: baseline.first().grid,
                why: "a side has no duration".to_owned(),
            }),
        }
    }
    let controls: Vec<Control> = measured
        .iter()
        .enumerate()
        .filter(|(pair, (_, _, a, b))| is_control(*pair, a, b))
        .map(|(pair, (_, _, a, b))| Control {
            pair,
            duration_ns: a.duration_ns.value.get(),
            duration_delta_pct: delta(&a.duration_ns, &b.duration_ns),
            cycles_delta_pct: delta_of(a.cycles.as_ref(), b.cycles.as_ref()),
        })
        .collect();
    let mut is_control = vec![false; measured.len()];
    controls
        .iter()
        .for_each(|control| is_control[control.pair] = true);
    let durations: Vec<f64> = measured
        .iter()
        .map(|(_, _, a, _)| a.duration_ns.value.get())
        .collect();
    let by_controls = controls::moved(&durations, controls);
    let pairs = measured.into_iter().zip(is_control).zip(by_controls);
    let pairs = pairs.map(|(((baseline, candidate, a, b), is_control), by_controls)| {
        let mut pair = judged([baseline, candidate], (a, b), by_controls, settings);
        pair.is_control = is_control;
        if settings.compares_metrics {
            pair.metrics = moved(baseline.typical(), candidate.typical());
        }
        pair
    });
    Ok(Comparison {
        pairs: pairs.collect(),
        unmatched,
        compares_metrics: settings.compares_metrics,
    })
}

fn side(group: &Group<'_>) -> Option<Side> {
    let first = group.first();
    let duration = group.median(|kernel| kernel.duration_ns.as_ref())?;
    // A duration of 0 is none, and nothing can be divided by it.
    (duration.value.get() > 0.0).then(|| Side {
        key: first.key.clone(),
        n: group.n as u64,
        grid: first.grid,
        block: first.block,
        registers: first.registers.clone(),
        duration_ns: duration,
        cycles: group.median(|kernel| kernel.cycles.as_ref()),
        sm_clock_hz: group.median(|kernel| kernel.sm_clock_hz.as_ref()),
        instructions: group.median(|kernel| kernel.instructions.as_ref()),
    })
}

/// One program on one grid that executed as many instructions. The pair that was asked for never is one: a changed mapping of
/// threads to data can leave all of these as they were, and would hide its own gain.
fn is_control(at: usize, a: &Side, b: &Side) -> bool {
    let same = |a: &Option<Counter>, b: &Option<Counter>| match (a, b) {
        (Some(a), Some(b)) => a.value == b.value,
        _ => false,
    };
    at > 0
        && a.key == b.key
        && (a.grid, a.block) == (b.grid, b.block)
        && same(&a.registers, &b.registers)
        && same(&a.instructions, &b.instructions)
}

fn judged(groups: [&Group<'_>; 2], (a, b): (Side, Side), by_controls: Moved, settings: Settings) -> Pair {
    let duration_delta = delta_of(Some(&a.duration_ns), Some(&b.duration_ns));
    let cycles_delta = delta_of(a.cycles.as_ref(), b.cycles.as_ref());
    let clock_delta = delta_of(a.sm_clock_hz.as_ref(), b.sm_clock_hz.as_ref());
    let drifted = clock_delta.is_some_and(|pct| pct.abs() > CLOCK_DRIFT_PCT);
    let measured = |group: &Group<'_>, side: &Side| Measured {
        duration_ns: side.duration_ns.value.get(),
        n: group.n,
        cv_pct: group.cv_pct(),
    };
    let measured = [measured(groups[0], &a), measured(groups[1], &b)];
    let by_cycles = drifted && cycles_delta.is_some();
    let controls_pct = if by_cycles {
        by_controls.cycles_pct
    } else {
        by_controls.duration_pct
    };
    let (noise_pct, noise_from) = noise(measured, controls_pct);
    let change = |pct: Option<f64>| match pct.filter(|_| noise_pct.is_finite()) {
        None => Change::Unknown,
        Some(pct) if pct > noise_pct => Change::Slower,
        Some(pct) if pct < -noise_pct => Change::Faster,
        Some(_) => Change::NoChange,
    };
    let duration_verdict = if drifted {
        Change::ClockDrift
    } else {
        change(duration_delta)
    };
    let verdict = match cycles_delta {
        Some(cycles) if drifted => change(Some(cycles)),
        _ => duration_verdict,
    };
    let is_single = groups.iter().any(|group| group.n == 1) && verdict != Change::NoChange;
    Pair {
        is_control: false,
        baseline: a,
        candidate: b,
        duration_delta_pct: duration_delta.and_then(Finite::new),
        cycles_delta_pct: cycles_delta.and_then(Finite::new),
        clock_delta_pct: clock_delta.and_then(Finite::new),
        noise_pct: Finite::new(noise_pct),
        noise_from,
        duration_verdict,
        verdict,
        provisional: is_single || drifted || !settings.compares_metrics || !settings.is_known,
        metrics: Vec::new(),
    }
}

fn delta(a: &Counter, b: &Counter) -> f64 {
    100.0 * (b.value.get() / a.value.get() - 1.0)
}

fn delta_of(a: Option<&Counter>, b: Option<&Counter>) -> Option<f64> {
    Some(delta(a?, b?)).filter(|pct| pct.is_finite())
}

/// Further numbers of both that moved, the largest first.
fn moved(baseline: &Kernel, candidate: &Kernel) -> Vec<MetricDelta> {
    let mut deltas: Vec<MetricDelta> = NUMBERS
        .iter()
        .filter_map(|number| {
            let (a, b) = ((number.get)(baseline)?, (number.get)(candidate)?);
            // Two metrics of one field are not one number.
            if a.metric != b.metric {
                return None;
            }
            let points = number.is_pct.then_some(b.value.get() - a.value.get());
            let pct = Some(delta(a, b)).filter(|pct| pct.is_finite() && !number.is_pct);
            let size = points.or(pct).map_or(f64::INFINITY, f64::abs);
            (size > MOVED && a.value != b.value).then(|| MetricDelta {
                name: number.name.to_owned(),
                metric: a.metric.clone(),
                baseline: a.value,
                candidate: b.value,
                delta_pct: pct.and_then(Finite::new),
                delta_points: points.and_then(Finite::new),
            })
        })
        .collect();
    let size = |delta: &MetricDelta| {
        let moved = delta.delta_points.or(delta.delta_pct);
        moved.map_or(f64::INFINITY, |moved| moved.get().abs())
    };
    deltas.sort_by(|a, b| size(b).total_cmp(&size(a)));
    deltas
}
