//! Every JSON document that crosses a process, and the rules that all of them share: units, exit codes,
//! fingerprints, schemas.
//!
//! This crate does no I/O and knows neither clap nor tokio. Readers are lenient (unknown fields are ignored, so
//! old documents outlive releases); the published schemas are strict.

pub mod argv;
pub mod bound;
pub mod capacity_plan;
pub mod config_search;
pub mod distribution;
pub mod document;
pub mod engine_sim;
pub mod error;
pub mod exit;
pub mod fields;
pub mod finite;
pub mod gap_decide;
pub mod kernel_gate;
pub mod loop_ledger;
pub mod metric;
pub mod ncu_digest;
pub mod pipeline_analysis;
pub mod profile_tables;
pub mod quality_gate;
pub mod schema;
pub mod secret;
pub mod serve_bench;
pub mod subject;
pub mod target;
pub mod telemetry_fetch;
pub mod text;
pub mod trace_info;

pub use bound::Bound;
pub use distribution::Distribution;
pub use document::{Artifact, Document, Input, NextAction, Tool, Warning};
pub use error::{ErrorDocument, ToolError};
pub use exit::Exit;
pub use fields::{Field, FieldSet, Source};
pub use finite::Finite;
