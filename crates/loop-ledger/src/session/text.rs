//! The session file, in the shape in which autodebug writes it: metrics, analysis, findings, planned changes.

use contracts::Finite;

use crate::render::Measured;
use crate::render::words::{number, plain};

/// Everything that a session says.
pub(crate) struct Session<'a> {
    /// `debug-20261122T150000Z`.
    pub(crate) title: String,
    /// The open attempt.
    pub(crate) attempt: Option<&'a str>,
    /// Number of the entry that records the session.
    pub(crate) seq: u64,
    /// Hash of the entry before it.
    pub(crate) head: &'a str,
    /// Whether a simulated engine answered.
    pub(crate) simulated: bool,
    /// The latest benchmark: entry, hash, and ours in it.
    pub(crate) benchmark: Option<(u64, &'a str, &'a Measured)>,
    /// Lines of analysis, each founded.
    pub(crate) analysis: &'a [String],
    /// What follows.
    pub(crate) findings: &'a str,
    /// What will be changed.
    pub(crate) planned: &'a str,
    /// The configuration beside it.
    pub(crate) deployment: Option<&'a str>,
}

/// The file.
pub(crate) fn markdown(session: &Session<'_>) -> String {
    let mut text = String::from("---\n");
    text.push_str(&format!("attempt: {}\n", session.attempt.unwrap_or("null")));
    text.push_str(&format!("ledger_seq: {}\n", session.seq));
    text.push_str(&format!("ledger_head: {}\n", session.head));
    text.push_str(&format!("simulated: {}\n", session.simulated));
    let benchmark = session.benchmark.map_or("null", |(_, sha256, _)| sha256);
    text.push_str(&format!("benchmark: {benchmark}\n"));
    text.push_str(&format!(
        "deployment: {}\n---\n\n",
        session.deployment.unwrap_or("null")
    ));
    text.push_str(&format!("# {}\n\n", session.title));
    if session.simulated {
        text.push_str("**SIMULATED**: a simulated engine answered; never compare with a real one.\n\n");
    }
    text.push_str(&format!("**Metrics**: {}\n\n", metrics(session)));
    text.push_str("**Analysis** (every value stands in a stored document):\n");
    for line in session.analysis {
        text.push_str(&format!("- {}\n", plain(line)));
    }
    text.push_str(&format!("\n**Findings**: {}\n", plain(session.findings)));
    text.push_str(&format!("\n**Planned changes**: {}\n", plain(session.planned)));
    text
}

fn metrics(session: &Session<'_>) -> String {
    let Some((seq, _, side)) = session.benchmark else {
        return "no benchmark is stored yet".to_owned();
    };
    let seconds = |value: Option<Finite>| value.and_then(|ms| Finite::new(ms.get() / 1000.0));
    let part = |name: &str, value: Option<Finite>, decimals: usize, unit: &str| match value {
        Some(_) => format!("{name}={}{unit}", number(value, decimals)),
        None => format!("{name}=unknown"),
    };
    let parts = [
        part("TTFT", seconds(side.ttft_ms), 4, "s"),
        part("TPOT", seconds(side.tpot_ms), 5, "s"),
        part("TTLT", seconds(side.ttlt_ms), 3, "s"),
        part("Prefill", side.prefill_tps, 0, " tok/s"),
        part("Decode", side.decode_tps, 1, " tok/s"),
        part("Output", side.output_tps, 1, " tok/s"),
        part("Total", side.total_tps, 1, " tok/s"),
        format!("Errors={}", side.errors),
    ];
    format!(
        "{} ({} on {}, {} runs, medians over requests; entry {seq})",
        parts.join(", "),
        plain(&side.name),
        plain(&side.scenario),
        side.runs
    )
}
