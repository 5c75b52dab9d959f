//! Many small wins, each of them within the noise of the wall clock: together they are confirmed, or they are not.

use serde_json::{Value, json};

use crate::evidence::{Evidence, row};
use crate::run::codes;

/// Rows of the set.
const ROWS: u64 = 40;
/// Spread of each side's wall times: the noise of a row is 2 × sqrt(cv² + cv²) = 4 %.
const SPREAD: f64 = 0.04 / (2.0 * std::f64::consts::SQRT_2);

/// Numbers of a seed, the same on every machine.
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        // Knuth's MMIX; its upper bits are the good ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0, variance 1: the sum of twelve.
    fn next(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    fn samples(&mut self, mean: f64) -> Vec<f64> {
        (0..15).map(|_| mean * (1.0 + SPREAD * self.next())).collect()
    }
}

/// Every row 3 % faster on the device, and so much by the wall clock.
fn small_wins(seed: u64, wall_speedup: f64) -> Evidence {
    let mut random = Normal(seed);
    let workloads: Vec<Value> = (0..ROWS)
        .map(|at| json!({"id": format!("row-{at:02}"), "production": true, "tokens": at, "atol": 0.001}))
        .collect();
    let rows = workloads.iter().map(|workload| {
        let mut row = row(workload, 103.0, 100.0, 15);
        row["baseline_wall_us"] = json!(random.samples(110.0));
        row["candidate_wall_us"] = json!(random.samples(110.0 / wall_speedup));
        row
    });
    let rows = rows.collect();
    let mut evidence = Evidence::of(workloads, rows);
    evidence.provenance()["settings"]["num_trials"] = json!(15);
    evidence
}

#[test]
fn many_small_wins_confirm_each_other() {
    for seed in 1..=8 {
        let (document, _) = small_wins(seed, 1.02).judge(&[]);
        assert_eq!(document["data"]["verdict"], "promote", "seed {seed}: {document}");
        assert_eq!(codes(&document, "note"), ["wins-unseen-by-wall"], "seed {seed}");
    }
}

#[test]
fn many_small_wins_that_nobody_waits_less_for_do_not() {
    for seed in 1..=8 {
        for wall_speedup in [1.003, 1.0, 0.99] {
            let (document, _) = small_wins(seed, wall_speedup).judge(&[]);
            assert_eq!(document["data"]["verdict"], "inconclusive", "{document}");
            assert!(
                codes(&document, "blocks_promotion").contains(&"wall-unconfirmed"),
                "seed {seed}, wall {wall_speedup}: {:?}",
                codes(&document, "blocks_promotion")
            );
        }
    }
}
