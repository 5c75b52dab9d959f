//! What was measured, sorted into comparisons of ours with one other engine on one scenario.

use contracts::FieldSet;
use contracts::serve_bench::run::Run;

/// Ours against one other engine on one scenario.
#[derive(Clone, Debug)]
pub(crate) struct Matchup {
    /// Scenario.
    pub(crate) scenario: String,
    /// Ours.
    pub(crate) ours: SideEvidence,
    /// The other.
    pub(crate) other: SideEvidence,
    /// How the runs belong together.
    pub(crate) pairing: Pairing,
    /// Pairs (unpaired: runs) left out because they chose the candidate.
    pub(crate) excluded: u32,
}

/// How the runs of two sides belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pairing {
    /// Run i of ours was interleaved with run i of the other; with `swap` every pair is a launch of its own.
    Interleaved { swap: bool },
    /// The sides were measured apart.
    Apart,
}

/// One side.
#[derive(Clone, Debug)]
pub(crate) struct SideEvidence {
    /// Name.
    pub(crate) name: String,
    /// Engine and version.
    pub(crate) engine: String,
    /// Where it answered.
    pub(crate) url: String,
    /// Launch command of a swapped comparison.
    pub(crate) launch_argv: Option<Vec<String>>,
    /// Runs in time order.
    pub(crate) runs: Vec<Run>,
    /// The documents the runs come from.
    pub(crate) parts: Vec<Part>,
}

impl SideEvidence {
    /// A count over all runs. Documents come from elsewhere, so it stops at the largest number instead of overflowing.
    pub(crate) fn total(&self, of: impl Fn(&Run) -> u64) -> u64 {
        self.runs.iter().map(of).fold(0, u64::saturating_add)
    }
}

/// One document's share of a side.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Path of the document, and the side in it.
    pub(crate) label: String,
    /// Path of the document.
    pub(crate) path: String,
    /// Whether it is side B of a comparison.
    pub(crate) is_b: bool,
    /// Files with the records of its requests.
    pub(crate) records: Vec<String>,
    /// Blocks or runs in the document, those left out included.
    pub(crate) measured: u32,
    /// Contract.
    pub(crate) contract: FieldSet,
    /// Subject.
    pub(crate) subject: FieldSet,
    /// Environment.
    pub(crate) environment: FieldSet,
    /// Whether a simulated engine answered.
    pub(crate) simulated: bool,
    /// Whether another tool's file was imported.
    pub(crate) imported: bool,
    /// `data.plan` of the document: how it was measured.
    pub(crate) plan: serde_json::Value,
}

impl Matchup {
    /// Both sides, ours first.
    pub(crate) fn sides(&self) -> [&SideEvidence; 2] {
        [&self.ours, &self.other]
    }

    /// Whether any part was imported from another tool.
    pub(crate) fn imported(&self) -> bool {
        self.sides()
            .iter()
            .any(|side| side.parts.iter().any(|part| part.imported))
    }
}
