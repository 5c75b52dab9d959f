//! Wilson's interval of a share.

/// Bounds of the share that `right` of `count` shows, at `z` standard deviations.
pub fn bounds(right: f64, count: f64, z: f64) -> (f64, f64) {
    let square = z * z;
    let middle = (right + square / 2.0) / (count + square);
    let half = z / (count + square) * (right * (count - right) / count + square / 4.0).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_sure_share_still_has_a_width() {
        let (low, high) = super::bounds(10.0, 10.0, 1.959_964);
        assert!(
            (low - 0.722_467).abs() < 1e-5 && (high - 1.0).abs() < 1e-12,
            "{low} {high}"
        );
        let (low, high) = super::bounds(81.0, 263.0, 1.959_964);
        assert!(
            (low - 0.255_290).abs() < 1e-4 && (high - 0.366_21).abs() < 1e-4,
            "{low} {high}"
        );
    }
}
