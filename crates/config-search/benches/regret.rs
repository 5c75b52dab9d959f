//! What searchers capture of what there is, on synthetic landscapes and on files of measured ones.
//!
//! `cargo bench -p config-search [-- FILE.jsonl…]`

use std::time::Instant;

use config_search::landscape::{Landscape, Searcher, synthetic};

const SEEDS: u64 = 30;
const BUDGETS: [usize; 3] = [10, 20, 40];

fn main() {
    let files: Vec<Landscape> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("the file reads");
            Landscape::read(&path, &text).expect("the file is a landscape")
        })
        .collect();
    println!(
        "{:<16} {:>6}  {:<7} {:>9} {:>8} {:>11} {:>7} {:>9}",
        "landscape", "trials", "who", "captured", "regret", "claim error", "failed", "ms/trial"
    );
    let count = synthetic::KINDS.len() + files.len();
    for at in 0..count {
        for budget in BUDGETS {
            for (who, searcher) in [
                ("ours", Searcher::Ours),
                ("random", Searcher::Random),
                ("tpe", Searcher::Tpe),
            ] {
                let begun = Instant::now();
                let mut sums = [0.0; 4];
                let mut name = String::new();
                for seed in 0..SEEDS {
                    let made;
                    let landscape = match synthetic::KINDS.get(at) {
                        Some(kind) => {
                            made = synthetic::landscape(kind, seed);
                            &made
                        }
                        None => &files[at - synthetic::KINDS.len()],
                    };
                    name.clone_from(&landscape.name);
                    let played = landscape.play(searcher, budget, seed);
                    let parts = [
                        played.captured,
                        played.regret,
                        played.claim_error,
                        played.failed as f64,
                    ];
                    for (sum, part) in sums.iter_mut().zip(parts) {
                        *sum += part / SEEDS as f64;
                    }
                }
                let per_trial = begun.elapsed().as_secs_f64() * 1e3 / (SEEDS as f64 * budget as f64);
                println!(
                    "{name:<16} {budget:>6}  {who:<7} {:>9.3} {:>8.4} {:>11.4} {:>7.2} {per_trial:>9.2}",
                    sums[0], sums[1], sums[2], sums[3]
                );
            }
        }
    }
}
