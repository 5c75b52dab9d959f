//! Simulates every configuration that `prepare.py` prepared and writes the landscape to stdout.
//!
//!     aisimulate-landscapes PREPARED.json >NAME.jsonl

mod evaluate;
mod prepared;
mod timing;
mod workload;

use std::io::Write;

use anyhow::Context;
use evaluate::Outcome;
use serde_json::json;

fn main() -> anyhow::Result<()> {
    let path = std::env::args()
        .nth(1)
        .context("usage: aisimulate-landscapes PREPARED.json")?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let prepared: prepared::Prepared =
        serde_json::from_str(&text).with_context(|| format!("{path} is not prepared"))?;
    let requests = workload::requests(&prepared.workload);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    writeln!(out, "{}", serde_json::to_string(&prepared.header)?)?;
    for row in &prepared.rows {
        let line = match evaluate::evaluate(&prepared, &requests, row)? {
            Outcome::Ok { value, seconds } => json!({"params": row.params, "status": "ok", "reason": null,
                "repeats": [six(value)], "seconds": six(seconds)}),
            Outcome::Failed { status, reason } => {
                json!({"params": row.params, "status": status, "reason": reason,
                "repeats": [], "seconds": null})
            }
        };
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(())
}

/// Six significant digits.
fn six(value: f64) -> f64 {
    format!("{value:.5e}").parse().expect("a formatted number parses")
}
