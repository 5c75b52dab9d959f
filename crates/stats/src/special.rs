//! Special functions that the distributions stand on: log-gamma and the incomplete beta function.
//!
//! Own code rather than a dependency: two functions, checked against published values, in a crate
//! that everything links.

/// Coefficients of Lanczos' approximation of the gamma function with g = 7 (about 15 digits).
const LANCZOS: [f64; 8] = [
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

/// Natural logarithm of the gamma function for `x > 0`.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    if x < 0.5 {
        // Reflection keeps the approximation on the side where it is accurate.
        let sine = (std::f64::consts::PI * x).sin();
        return std::f64::consts::PI.ln() - sine.ln() - ln_gamma(1.0 - x);
    }
    let shifted = x - 1.0;
    let sum = LANCZOS
        .iter()
        .enumerate()
        .fold(0.999_999_999_999_809_9, |sum, (i, c)| {
            sum + c / (shifted + i as f64 + 1.0)
        });
    let t = shifted + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (shifted + 0.5) * t.ln() - t + sum.ln()
}

/// Regularized incomplete beta function I_x(a, b) for `a, b > 0`, `x` clamped to 0..=1.
pub(crate) fn beta_regularized(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let log_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    // The continued fraction converges quickly on one side of the mean only; the other side is the mirror image.
    if x < (a + 1.0) / (a + b + 2.0) {
        log_front.exp() * beta_fraction(x, a, b) / a
    } else {
        1.0 - log_front.exp() * beta_fraction(1.0 - x, b, a) / b
    }
}

/// Continued fraction of the incomplete beta function, evaluated by Lentz' method (DLMF 8.17.22).
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..=5_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let change = d * c;
        value *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_gamma_of_integers_is_log_factorial() {
        let mut factorial: f64 = 1.0;
        for n in 1..20 {
            factorial *= f64::from(n);
            assert!(
                (ln_gamma(f64::from(n) + 1.0) - factorial.ln()).abs() < 1e-12,
                "n = {n}"
            );
        }
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-13);
        assert!((ln_gamma(0.25) - 1.288_022_524_698_077_4).abs() < 1e-12);
    }

    #[test]
    fn incomplete_beta_of_known_arguments() {
        // I_x(1, b) = 1 - (1 - x)^b and I_x(a, 1) = x^a.
        assert!((beta_regularized(0.3, 1.0, 4.0) - (1.0 - 0.7_f64.powi(4))).abs() < 1e-14);
        assert!((beta_regularized(0.99, 459.0, 1.0) - 0.99_f64.powi(459)).abs() < 1e-14);
        // Binomial tail: P(Bin(10, 0.5) >= 5) = 638 / 1024.
        assert!((beta_regularized(0.5, 5.0, 6.0) - 638.0 / 1024.0).abs() < 1e-14);
    }
}
