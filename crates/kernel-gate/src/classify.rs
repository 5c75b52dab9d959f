//! What each row shows.

use contracts::Finite;
use contracts::kernel_gate::verdict::{Aa, Class, Counts, Loss, Row, TimeKind};

use crate::measured::Measured;
use crate::thresholds::{LEAST_NOISE_PCT, MATERIAL, SPREADS, UNSTABLE_PCT};
use crate::times::Pair;

/// A row with its class.
#[derive(Clone, Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) measured: &'a Measured<'a>,
    pub(crate) pair: Option<Pair>,
    pub(crate) wall_speedup: Option<f64>,
    pub(crate) noise_pct: f64,
    pub(crate) class: Class,
    pub(crate) measured_again: bool,
    pub(crate) routed: bool,
}

impl<'a> Judged<'a> {
    pub(crate) fn new(
        measured: &'a Measured<'a>,
        clock: TimeKind,
        aa: Option<&Aa>,
        is_incorrect: bool,
    ) -> Judged<'a> {
        let pair = measured.pair(clock).copied();
        let noise_pct = noise_pct(pair.as_ref(), aa);
        let class = match pair {
            _ if is_incorrect => Class::Incorrect,
            Some(pair) if measured.status() == "PASSED" => class(pair.speedup(), noise_pct),
            _ => Class::NotMeasured,
        };
        Judged {
            measured,
            pair,
            wall_speedup: measured
                .wall
                .filter(|_| clock == TimeKind::Device)
                .map(|pair| pair.speedup()),
            noise_pct,
            class,
            measured_again: false,
            routed: false,
        }
    }

    pub(crate) fn speedup(&self) -> Option<f64> {
        Some(self.pair?.speedup())
    }

    /// Within noise, and the noise hides a material loss.
    pub(crate) fn is_unstable(&self) -> bool {
        self.measured.production && self.class == Class::Parity && self.noise_pct > UNSTABLE_PCT
    }

    pub(crate) fn is_loss(&self) -> bool {
        self.measured.production && self.class == Class::MaterialLoss
    }
}

/// max(2 %, 2 × sqrt(cv² + cv²), 90th percentile of the A/A).
pub(crate) fn noise_pct(pair: Option<&Pair>, aa: Option<&Aa>) -> f64 {
    let spread = pair.and_then(Pair::cv_pct).map_or(0.0, |cv| SPREADS * cv);
    let of_aa = aa.map_or(0.0, |aa| aa.p90_pct.get());
    spread.max(of_aa).max(LEAST_NOISE_PCT)
}

/// Class of a speed-up.
pub(crate) fn class(speedup: f64, noise_pct: f64) -> Class {
    let noise = noise_pct / 100.0;
    if speedup < MATERIAL {
        Class::MaterialLoss
    } else if speedup < 1.0 - noise {
        Class::Loss
    } else if speedup > 1.0 + noise {
        Class::Win
    } else {
        Class::Parity
    }
}

/// Production rows by class.
pub(crate) fn counts(rows: &[Judged<'_>]) -> Counts {
    let mut counts = Counts::default();
    for row in rows {
        if !row.measured.production {
            counts.other += 1;
            continue;
        }
        counts.production += 1;
        *match row.class {
            Class::Win => &mut counts.win,
            Class::Parity => &mut counts.parity,
            Class::Loss => &mut counts.loss,
            Class::MaterialLoss => &mut counts.material_loss,
            Class::Incorrect | Class::NotMeasured => &mut counts.not_measured,
        } += 1;
    }
    counts
}

/// Material losses, the worst first.
pub(crate) fn losses(rows: &[Judged<'_>]) -> Vec<Loss> {
    let mut losses: Vec<Loss> = rows
        .iter()
        .filter(|row| row.is_loss())
        .filter_map(|row| {
            Some(Loss {
                id: row.measured.id.to_owned(),
                speedup: Finite::new(row.speedup()?)?,
                noise_pct: Finite::new(row.noise_pct)?,
                routed: row.routed,
            })
        })
        .collect();
    losses.sort_by(|a, b| {
        a.speedup
            .get()
            .total_cmp(&b.speedup.get())
            .then_with(|| a.id.cmp(&b.id))
    });
    losses
}

/// The rows of the document: production first, then the slowest first; what was not measured leads.
pub(crate) fn documented(mut rows: Vec<Judged<'_>>) -> Vec<Row> {
    rows.sort_by(|a, b| {
        let key = |row: &Judged<'_>| row.speedup().unwrap_or(0.0);
        let production = b.measured.production.cmp(&a.measured.production);
        production
            .then_with(|| key(a).total_cmp(&key(b)))
            .then_with(|| a.measured.id.cmp(b.measured.id))
    });
    let finite = Finite::new;
    rows.iter()
        .map(|row| Row {
            id: row.measured.id.to_owned(),
            production: row.measured.production,
            baseline_us: row.pair.and_then(|pair| finite(pair.baseline.median)),
            candidate_us: row.pair.and_then(|pair| finite(pair.candidate.median)),
            speedup: row.speedup().and_then(finite),
            wall_speedup: row.wall_speedup.and_then(finite),
            cv_pct: row.pair.and_then(|pair| finite(pair.cv_pct()?)),
            noise_pct: finite(row.noise_pct).unwrap_or_else(|| Finite::from(2_u32)),
            trials: row.pair.and_then(|pair| Some(pair.trials()? as u64)),
            class: row.class,
            measured_again: row.measured_again,
            routed: row.routed,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_by_noise_and_by_what_is_material() {
        assert_eq!(class(1.021, 2.0), Class::Win);
        assert_eq!(class(1.02, 2.0), Class::Parity);
        assert_eq!(class(0.975, 2.0), Class::Loss);
        assert_eq!(class(0.975, 3.0), Class::Parity);
        // Material is what the number says, whatever the noise.
        assert_eq!(class(0.969, 20.0), Class::MaterialLoss);
        assert_eq!(noise_pct(None, None), 2.0);
    }
}
