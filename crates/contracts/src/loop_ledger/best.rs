//! `loop-ledger.best/1`: the winning launch.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.best/1";

/// `data` of `loop-ledger.best/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BestData {
    /// Artifact root.
    pub root: String,
    /// Attempt that was kept last; null when the launch of the baseline is the best.
    pub attempt: Option<String>,
    /// Launch command; null when no document says how ours was launched.
    pub argv: Option<Vec<String>>,
    /// Environment variables of the launch, secrets left out.
    pub env: BTreeMap<String, String>,
    /// Fingerprint of the subject that was measured.
    pub subject: Option<String>,
    /// Effect against the others, percent; null before a decision.
    pub effect_pct: Option<Finite>,
    /// `sha256:<hex>` of the decision that says so.
    pub decision: Option<String>,
    /// `sha256:<hex>` of the diffs that were kept, in order.
    pub patches: Vec<String>,
}
