//! `kernel-gate plan`: what a harness does in which order, with which inputs.

use cli_kit::{Align, Cli as _, DocumentParts, Failure, OutputArgs, Report, Table, View};
use contracts::fields::sha256_hex;
use contracts::kernel_gate::plan::{PlanData, PlanRow, PlanSettings, SCHEMA};
use contracts::kernel_gate::rows::FrozenRow;
use contracts::{Document, Exit, Finite};

use crate::cli::{Args, PlanArgs};
use crate::error::GateError;
use crate::row_set;

/// Between the seeds of two trials; a prime, so that no two rows meet.
const STEP: u64 = 1_000_003;

/// Most rows times trials of a plan.
const MOST_SAMPLES: u64 = 1_000_000;

pub(crate) fn run(args: &PlanArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let (set, input) = row_set::load(&args.workloads)?;
    if let Some(unknown) = args.only.iter().find(|id| set.row(id).is_none()) {
        return Err(GateError::NoSuchRow(unknown.clone()).into());
    }
    let is_meant = |row: &&FrozenRow| args.only.is_empty() || args.only.contains(&row.id);
    let mut rows: Vec<&FrozenRow> = set.data.rows.iter().filter(is_meant).collect();
    // By a hash, so that neighbours of the file do not follow each other, and the same seed gives the same order.
    rows.sort_by_key(|row| sha256_hex(format!("{}:{}", args.seed, row.id).as_bytes()));
    // Each trial of a row has a seed of its own in the document.
    if rows.len() as u64 * args.trials > MOST_SAMPLES {
        return Err(GateError::OutOfRange {
            flag: "--trials",
            value: args.trials as f64,
            range: "rows times trials are 1 000 000 at most; name some rows with --only",
        }
        .into());
    }
    let data = PlanData {
        workloads_sha256: set.data.workloads_sha256.clone(),
        settings: PlanSettings {
            seed: args.seed,
            warmup_runs: args.warmup,
            num_trials: args.trials,
            inner_iterations_min: 1,
            inner_iterations_max: args.inner_max,
            target_sample_us: Finite::new(args.target_sample_us as f64)
                .unwrap_or_else(|| Finite::from(0_u32)),
            input_sets: args.input_sets,
            timeout_seconds: args.timeout,
            isolated: true,
        },
        rows: rows.into_iter().map(|row| plan_row(row, args)).collect(),
    };
    let mut parts = DocumentParts::new(SCHEMA);
    parts.summary = format!(
        "{} rows, each in a process of its own: {} samples of each side in the order ABBA, fresh inputs for each trial.",
        data.rows.len(),
        args.trials
    );
    parts.inputs.push(input);
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = view(&document, output.top);
    Ok(Report::new(&document, view, Exit::Ok))
}

fn plan_row(row: &FrozenRow, args: &PlanArgs) -> PlanRow {
    let order = (0..args.trials).map(|trial| if trial % 2 == 0 { "AB" } else { "BA" });
    PlanRow {
        id: row.id.clone(),
        production: row.production,
        order: order.collect(),
        seeds: (0..args.trials)
            .map(|trial| seed(args.seed, trial, &row.id))
            .collect(),
    }
}

/// seed + trial × 1 000 003 + the first two bytes of the id's SHA-256, little-endian.
fn seed(seed: u64, trial: u64, id: &str) -> u64 {
    let hash = sha256_hex(id.as_bytes());
    let hex = hash.strip_prefix("sha256:").unwrap_or(&hash);
    let byte = |at: usize| {
        hex.get(at..at + 2)
            .and_then(|two| u64::from_str_radix(two, 16).ok())
    };
    let of_id = byte(0).unwrap_or(0) + 256 * byte(2).unwrap_or(0);
    seed.wrapping_add(trial.wrapping_mul(STEP)).wrapping_add(of_id)
}

fn view(document: &Document<PlanData>, top: usize) -> View {
    let mut table = Table::new(&[
        ("row", Align::Left),
        ("order", Align::Left),
        ("first seed", Align::Right),
    ]);
    for row in document.data.rows.iter().take(top) {
        let order: String = row.order.chars().take(28).collect();
        let first = row.seeds.first().map_or_else(|| "-".to_owned(), u64::to_string);
        table.row(vec![row.id.clone(), order, first]);
    }
    table.omitted = document.data.rows.len().saturating_sub(top);
    View::new()
        .heading("Plan")
        .head(document)
        .table(table)
        .next(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_those_of_the_formula() {
        // sha256("a") starts with ca 97.
        assert_eq!(seed(5, 0, "a"), 5 + 0xca + 256 * 0x97);
        assert_eq!(seed(5, 2, "a"), 5 + 2 * STEP + 0xca + 256 * 0x97);
    }
}
