//! No kernel is faster than its bytes and operations allow.

use contracts::kernel_gate::results::Peaks;
use contracts::kernel_gate::verdict::{Effect, TimeKind};

use crate::measured::Measured;
use crate::reasons::Reasons;
use crate::row_set::RowSet;

/// Shortest time that bytes and operations allow, microseconds; `None` where neither is known with its peak.
fn least_us(bytes: Option<f64>, flops: Option<f64>, peaks: Peaks) -> Option<f64> {
    let over = |amount: Option<f64>, peak: Option<f64>| {
        let us = amount? / peak.filter(|peak| *peak > 0.0)? * 1e6;
        us.is_finite().then_some(us)
    };
    let by_bytes = over(bytes, peaks.bytes_per_s);
    let by_flops = over(flops, peaks.flops_per_s);
    by_bytes.into_iter().chain(by_flops).max_by(f64::total_cmp)
}

/// Rows whose times are below what is possible.
pub(crate) fn check(
    rows: &[Measured<'_>],
    set: Option<&RowSet>,
    peaks: Peaks,
    kind: TimeKind,
    reasons: &mut Reasons,
) {
    let is_above = |row: &&Measured<'_>| {
        let least = least_us(row.number(set, "bytes"), row.number(set, "flops"), peaks);
        let pair = row.pair(kind);
        least
            .zip(pair)
            .is_some_and(|(least, pair)| pair.candidate.median < least || pair.baseline.median < least)
    };
    let above: Vec<&str> = rows.iter().filter(is_above).map(|row| row.id).collect();
    reasons.rows(
        Effect::Invalid,
        "above-roofline",
        &above,
        "faster than their bytes and operations allow on this device: the work was not done, not timed, or is smaller than declared",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_of_both_limits() {
        let peaks = Peaks {
            bytes_per_s: Some(1e12),
            flops_per_s: Some(1e15),
        };
        assert_eq!(least_us(Some(1e9), Some(1e9), peaks), Some(1000.0));
        assert_eq!(least_us(None, Some(1e9), peaks), Some(1.0));
        assert_eq!(least_us(None, None, peaks), None);
        assert_eq!(least_us(Some(1e9), None, Peaks::default()), None);
    }
}
