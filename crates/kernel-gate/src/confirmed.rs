//! Whether whoever waits for the kernel sees the gain that the device's clock shows. Where launching takes longer than the kernel
//! runs, wall times stay as they are whatever runs on the device: a gain there is not confirmed, and work on another stream
//! would not be seen in it.

use contracts::kernel_gate::verdict::{Class, Effect, TimeKind};

use crate::classify::{Judged, noise_pct};
use crate::headline::{Headline, geomean, mean_noise_pct};
use crate::reasons::Reasons;

/// Names the wins that wall times do not show; blocks where all rows together, each by its time, are not faster by the wall clock,
/// or where the mean lives of what only the device's clock shows. Rows that a dispatch routes run the baseline.
pub(crate) fn check(judged: &[Judged<'_>], headline: &Headline, noise: f64, reasons: &mut Reasons) {
    let production: Vec<&Judged<'_>> = judged.iter().filter(|row| row.measured.production).collect();
    let is_complete = production.iter().all(|row| row.measured.wall.is_some());
    if headline.clock != TimeKind::Device || !is_complete {
        return;
    }
    let unseen: Vec<&str> = production
        .iter()
        .filter(|row| is_unseen(row))
        .map(|row| row.measured.id)
        .collect();
    let ratio = headline.weighted_behind(judged, TimeKind::Wall);
    let confirmed: Vec<(f64, f64)> = production.iter().filter_map(|row| confirmed(row)).collect();
    let seen = geomean(confirmed.iter().map(|(speedup, _)| *speedup));
    let seen_noise = noise.max(mean_noise_pct(confirmed.iter().map(|(_, noise_pct)| *noise_pct)) / 100.0);
    let wall_noise = mean_noise_pct(production.iter().map(|row| wall_noise_pct(row))) / 100.0;
    let is_gain = |mean: Option<f64>, noise: f64| mean.is_some_and(|mean| mean - 1.0 > noise);
    let (effect, code, message) = if unseen.is_empty() {
        return;
    } else if !is_gain(ratio, wall_noise) {
        (
            Effect::BlocksPromotion,
            "wall-unconfirmed",
            "faster on the device and not for whoever waits, and neither are all rows together (time-weighted wall): bound by launches, or work is outside the events; measure both sides in a graph",
        )
    } else if !is_gain(seen, seen_noise) {
        (
            Effect::BlocksPromotion,
            "wall-unconfirmed",
            "faster on the device and not for whoever waits, and with what the wall clock shows of them there is no gain: measure both sides in a graph",
        )
    } else {
        (
            Effect::Note,
            "wins-unseen-by-wall",
            "faster on the device and not for whoever waits: bound by launches, or work is outside the events",
        )
    };
    reasons.rows(effect, code, &unseen, message);
}

/// A win by the device's clock that is within the noise of the wall clock.
fn is_unseen(row: &Judged<'_>) -> bool {
    let by_wall = row.measured.wall.map(|wall| wall.speedup() - 1.0);
    row.class == Class::Win && !row.routed && by_wall.is_some_and(|gain| gain <= wall_noise_pct(row) / 100.0)
}

/// Speed-up that a row is counted with, and its noise in percent. Of a win that the wall clock does not show it is what that clock
/// measured, at most the win itself: one such row says nothing, and many together say what they have in common.
fn confirmed(row: &Judged<'_>) -> Option<(f64, f64)> {
    let by_device = row.speedup()?;
    if row.routed {
        Some((1.0, row.noise_pct))
    } else if is_unseen(row) {
        Some((row.measured.wall?.speedup().min(by_device), wall_noise_pct(row)))
    } else {
        Some((by_device, row.noise_pct))
    }
}

fn wall_noise_pct(row: &Judged<'_>) -> f64 {
    noise_pct(row.measured.wall.as_ref(), None)
}
