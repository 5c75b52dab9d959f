//! The calibration study: how often `gap-decide` is wrong, how much it finds, and what that costs.
//!
//! ```sh
//! cargo run --release -p gap-decide --example calibration -- examples/real-engine/output > crates/gap-decide/CALIBRATION.md
//! ```
//! The arguments are comparisons (`serve-bench.compare/1`), or folders of them, whose pairs are resampled beside the
//! modelled noise. The output depends on nothing else: same documents, same bytes.

mod real;
mod report;
mod study;
mod targets;

use std::path::PathBuf;

fn main() {
    let documents: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let real = real::read(&documents);
    print!("{}", report::markdown(&study::run(&real)));
}
