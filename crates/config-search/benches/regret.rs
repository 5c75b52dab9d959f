//! What the strategy captures of what there is: on synthetic landscapes beside chance and a plain estimator, or on files, one JSON
//! line a search, which `examples/landscapes/compare.py` holds against those of Optuna and SMAC3.
//!
//! `cargo bench -p config-search --bench regret`                              the synthetic ones, a table
//! `cargo bench -p config-search --bench regret -- FILE.jsonl… >RESULTS`      landscapes from files (absolute paths)

use std::time::Instant;

use config_search::landscape::recorded::Recorded;
use config_search::landscape::{Searcher, synthetic};

const BUDGETS: [usize; 3] = [10, 20, 40];

fn main() {
    // Seeds on which nothing was tuned; another first one is for whoever changes the strategy.
    let first: u64 = std::env::var("FIRST_SEED").map_or(0, |text| text.parse().expect("a number"));
    let seeds = first..first + 30;
    let words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let files: Vec<String> = words.collect();
    for path in &files {
        let text = std::fs::read_to_string(path).expect("the file reads");
        let landscape = Recorded::read(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        for budget in BUDGETS {
            for seed in seeds.clone() {
                let played = landscape.play(budget, seed);
                println!("{}", serde_json::to_string(&played).expect("it is JSON"));
            }
        }
    }
    if files.is_empty() {
        made_up(seeds);
    }
}

/// The table of the synthetic landscapes.
fn made_up(seeds: std::ops::Range<u64>) {
    println!(
        "{:<16} {:>6}  {:<7} {:>9} {:>8} {:>11} {:>7} {:>9}",
        "landscape", "trials", "who", "captured", "regret", "claim error", "failed", "ms/trial"
    );
    let count = seeds.end - seeds.start;
    for kind in &synthetic::KINDS {
        for budget in BUDGETS {
            for (who, searcher) in [
                ("ours", Searcher::Ours),
                ("random", Searcher::Random),
                ("tpe", Searcher::Tpe),
            ] {
                let begun = Instant::now();
                let mut sums = [0.0; 4];
                for seed in seeds.clone() {
                    let played = synthetic::landscape(kind, seed).play(searcher, budget, seed);
                    let parts = [
                        played.captured,
                        played.regret,
                        played.claim_error,
                        played.failed as f64,
                    ];
                    for (sum, part) in sums.iter_mut().zip(parts) {
                        *sum += part / count as f64;
                    }
                }
                let per_trial = begun.elapsed().as_secs_f64() * 1e3 / (count as f64 * budget as f64);
                println!(
                    "{:<16} {budget:>6}  {who:<7} {:>9.3} {:>8.4} {:>11.4} {:>7.2} {per_trial:>9.2}",
                    kind.name, sums[0], sums[1], sums[2], sums[3]
                );
            }
        }
    }
}
