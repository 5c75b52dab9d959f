//! `kernel-gate.rows/1`: the rows that count, their tolerances and their hashes, before the first candidate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "kernel-gate.rows/1";

/// `data` of `kernel-gate.rows/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RowsData {
    /// `sha256:<hex>` over the RFC 8785 form of `rows`; where a baseline was frozen with them, of the object of `rows` and
    /// `baseline_sha256`. What a measurement names as `workloads_sha256`.
    pub workloads_sha256: String,
    /// `sha256:<hex>` of the baseline's file that was frozen with the rows; null without one.
    pub baseline_sha256: Option<String>,
    /// Number of rows.
    pub total: u64,
    /// Number of rows that the headline is over.
    pub production: u64,
    /// The rows, sorted by id.
    pub rows: Vec<FrozenRow>,
}

/// One row of the set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FrozenRow {
    /// Its id.
    pub id: String,
    /// Whether the headline counts it.
    pub production: bool,
    /// `sha256:<hex>` over the RFC 8785 form of the row.
    pub sha256: String,
    /// Absolute tolerance of its outputs; null where the row names none.
    pub atol: Option<Finite>,
    /// Relative tolerance of its outputs; null where the row names none.
    pub rtol: Option<Finite>,
    /// Calls of the row in a typical run, the weight of its time; null where the row names none.
    pub calls: Option<Finite>,
    /// Bytes that one call must move at least; null where the row names none.
    pub bytes: Option<Finite>,
    /// Floating-point operations of one call; null where the row names none.
    pub flops: Option<Finite>,
}
