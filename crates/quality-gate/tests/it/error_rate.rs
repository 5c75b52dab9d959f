//! How often verdicts are wrong, over simulated pairs with a fixed seed.

use contracts::quality_gate::verdict::Pairs;
use quality_gate::paired::ratio;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const TRIALS: u32 = 2000;

/// Shares of trials whose interval lies above and below the true ratio. The baseline is right with probability `base`; of its
/// right answers a share is lost, and of its wrong ones a share gained, so that the candidate's accuracy is `base * truth`.
fn misses(items: u32, base: f64, truth: f64, gained: f64) -> (f64, f64) {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let lost = 1.0 - truth + gained * (1.0 - base) / base;
    let (mut above, mut below) = (0, 0);
    for _ in 0..TRIALS {
        let mut pairs = Pairs::default();
        for _ in 0..items {
            match (random.random_bool(base), random.random::<f64>()) {
                (true, chance) if chance < lost => pairs.only_baseline += 1,
                (true, _) => pairs.both += 1,
                (false, chance) if chance < gained => pairs.only_candidate += 1,
                (false, _) => pairs.neither += 1,
            }
        }
        let Some(found) = ratio(&pairs) else { continue };
        above += u32::from(found.ci_low_ratio.get() > truth);
        below += u32::from(found.ci_high_ratio.get() < truth);
    }
    (
        f64::from(above) / f64::from(TRIALS),
        f64::from(below) / f64::from(TRIALS),
    )
}

#[test]
fn a_candidate_exactly_at_the_limit_passes_and_fails_rarely() {
    let mut all = 0.0;
    for (items, base, gained) in [
        (90, 0.9, 0.0),
        (90, 0.9, 0.1),
        (200, 0.98, 0.0),
        (500, 0.6, 0.1),
        (500, 0.95, 0.0),
    ] {
        let (passed, failed) = misses(items, base, 0.95, gained);
        println!(
            "items {items}, accuracy {base}, gained {gained}: false pass {passed:.4}, false fail {failed:.4}"
        );
        assert!(passed <= 0.05 && failed <= 0.05, "{passed} {failed}");
        all += passed + failed;
    }
    assert!(
        all > 0.02,
        "an interval that never misses is too wide to decide anything"
    );
}

#[test]
fn equal_sides_are_covered() {
    let (above, below) = misses(500, 0.7, 1.0, 0.1);
    println!("coverage {:.4}", 1.0 - above - below);
    assert!((0.01..=0.08).contains(&(above + below)), "{above} {below}");
}
