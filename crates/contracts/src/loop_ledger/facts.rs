//! What the ledger reads from an accepted document, so that its rules need not read the document again. `verify` reads
//! it again.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Phase;
use crate::Finite;
use crate::gap_decide::decision::{Decision, Verdict};

/// What an accepted document says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Facts {
    /// The phase it is evidence for.
    pub phase: Phase,
    /// Schema of the document.
    pub schema: String,
    /// `sha256:<hex>` of the document.
    pub sha256: String,
    /// Its `summary`.
    pub summary: String,
    /// Whether a simulated engine answered.
    pub simulated: bool,
    /// Fingerprint of its contract; null for documents without one.
    pub contract: Option<String>,
    /// Fingerprint of its environment; null where none is known.
    pub environment: Option<String>,
    /// Documents it says it read, by hash.
    pub inputs: Vec<String>,
    /// Engines that it measured or explains.
    pub sides: Vec<SideFacts>,
    /// Scenario it is about; null for several or none.
    pub scenario: Option<String>,
    /// First and last moment of what was measured; null for documents that measure nothing.
    pub measured_at: Option<MeasuredAt>,
    /// The decision it holds; null for other documents.
    pub decision: Option<DecisionFacts>,
    /// Kernel families with their share of the time, percent, largest first; empty for other documents.
    pub family_shares: Vec<FamilyShare>,
}

/// An engine in a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SideFacts {
    /// Framework: `sglang`, `vllm`, …
    pub framework: String,
    /// Fingerprint of the subject; null where nothing is known.
    pub subject: Option<String>,
    /// Launch command, declared or used; null when not known.
    pub launch_argv: Option<Vec<String>>,
    /// True when the server was started from a cleared environment for this measurement.
    pub relaunched_clean: bool,
    /// Mean output rate over the valid runs, tokens per second; null when it is not a benchmark.
    pub output_tps: Option<Finite>,
    /// Valid runs.
    pub runs: u32,
}

/// When something was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MeasuredAt {
    /// First send.
    pub start_at: Timestamp,
    /// Last token.
    pub end_at: Timestamp,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DecisionFacts {
    /// What to do next.
    pub decision: Decision,
    /// Metric that was compared.
    pub metric: String,
    /// Geometric mean over the scenarios, percent.
    pub effect_pct: Option<Finite>,
    /// Lower end of its interval.
    pub ci_low_pct: Option<Finite>,
    /// Upper end.
    pub ci_high_pct: Option<Finite>,
    /// One row a scenario and other engine.
    pub rows: Vec<DecisionRow>,
}

/// One scenario against one other engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DecisionRow {
    /// Scenario.
    pub scenario: String,
    /// Name of the other side.
    pub other: String,
    /// Framework of the other side.
    pub other_framework: String,
    /// Ours, in the metric's unit.
    pub ours_value: Option<Finite>,
    /// The other, in the metric's unit; null for others than the best one.
    pub other_value: Option<Finite>,
    /// Effect, percent, positive when ours is better.
    pub effect_pct: Option<Finite>,
    /// Lower end of its interval.
    pub ci_low_pct: Option<Finite>,
    /// Upper end.
    pub ci_high_pct: Option<Finite>,
    /// Pairs.
    pub pairs: u32,
    /// Verdict.
    pub verdict: Verdict,
}

/// Share of one kernel family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FamilyShare {
    /// Family, for example `attention`.
    pub family: String,
    /// Share of the GPU's busy time, percent.
    pub share_pct: Finite,
}
