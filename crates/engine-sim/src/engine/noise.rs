//! Noise with a known size, so that a verdict can be tested against it: one factor a launch, one a step.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Log-normal factors from one seed.
#[derive(Clone, Debug)]
pub(crate) struct Noise {
    rng: ChaCha8Rng,
    sigma: f64,
    launch: f64,
}

impl Noise {
    /// Factors whose coefficient of variation is `cv`; the same seed gives the same factors.
    pub(crate) fn new(seed: u64, cv: f64) -> Noise {
        let sigma = (1.0 + cv * cv).ln().sqrt();
        let mut noise = Noise {
            rng: ChaCha8Rng::seed_from_u64(seed),
            sigma,
            launch: 1.0,
        };
        noise.launch = noise.draw();
        noise
    }

    /// The factor of the next step, that of the launch included.
    pub(crate) fn next(&mut self) -> f64 {
        if self.sigma == 0.0 {
            1.0
        } else {
            self.launch * self.draw()
        }
    }

    /// Median 1, by Box and Muller's transform.
    fn draw(&mut self) -> f64 {
        let radius: f64 = self.rng.random::<f64>().max(f64::MIN_POSITIVE);
        let angle: f64 = self.rng.random();
        let normal = (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos();
        (self.sigma * normal).exp()
    }
}
