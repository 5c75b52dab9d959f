//! The standard normal distribution.

/// Probability that a standard normal value is at most `z`.
pub fn cdf(z: f64) -> f64 {
    if z > 0.0 {
        1.0 - upper_tail(z)
    } else {
        upper_tail(-z)
    }
}

/// Density of the standard normal distribution at `z`.
pub fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Probability that a standard normal value exceeds `z >= 0`, accurate in the far tail.
fn upper_tail(z: f64) -> f64 {
    if z < 3.0 {
        // Series of the central part: every term is positive, nothing cancels before the last step.
        let mut term = z;
        let mut sum = z;
        let mut k = 1.0;
        while term > 1e-17 * sum && k < 400.0 {
            k += 2.0;
            term *= z * z / k;
            sum += term;
        }
        0.5 - density(z) * sum
    } else {
        // Continued fraction of Mills' ratio, from the inside out.
        let ratio = (1..=80).rev().fold(z, |value, k| z + f64::from(k) / value);
        density(z) / ratio
    }
}

/// The value below which a standard normal value falls with `probability`.
///
/// # Panics
/// When `probability` is not strictly between 0 and 1.
pub fn quantile(probability: f64) -> f64 {
    assert!(
        probability > 0.0 && probability < 1.0,
        "a probability lies strictly between 0 and 1"
    );
    if probability > 0.5 {
        return -quantile(1.0 - probability);
    }
    // Start from a bound of the tail, then Newton steps on the logarithm, which is concave in the tail.
    let mut z = -(-2.0 * probability.ln()).sqrt().min(37.0) * 0.9;
    if probability > 0.2 {
        z = (probability - 0.5) * (2.0 * std::f64::consts::PI).sqrt();
    }
    for _ in 0..60 {
        let p = cdf(z);
        let step = (p.ln() - probability.ln()) * p / density(z);
        z -= step.clamp(-1.0, 1.0);
        if step.abs() < 1e-14 * (1.0 + z.abs()) {
            break;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // Abramowitz and Stegun, table 26.1 and 26.5; the far tail from NIST DLMF's erfc.
        for (z, p) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_543),
            (1.96, 0.975_002_104_851_780),
            (-3.0, 0.001_349_898_031_630_095),
        ] {
            assert!((cdf(z) - p).abs() < 1e-14, "{z}: {}", cdf(z));
        }
        assert!((cdf(-6.0) / 9.865_876_450_376_98e-10 - 1.0).abs() < 1e-12);
        for (p, z) in [
            (0.975, 1.959_963_984_540_054),
            (0.995, 2.575_829_303_548_901),
            (0.9995, 3.290_526_731_491_926),
            (0.6, 0.253_347_103_135_800),
        ] {
            assert!((quantile(p) - z).abs() < 1e-12, "{p}: {}", quantile(p));
            assert!((quantile(1.0 - p) + z).abs() < 1e-11);
        }
    }

    #[test]
    fn quantile_inverts_the_distribution_far_out() {
        for exponent in 1..15 {
            let p = 10_f64.powi(-exponent);
            assert!((cdf(quantile(p)) / p - 1.0).abs() < 1e-10, "{p}");
        }
    }
}
