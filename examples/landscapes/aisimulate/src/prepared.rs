//! What `prepare.py` wrote: header, workload, tables of step times, and one row a configuration.

use serde::Deserialize;
use serde_json::{Map, Value};

/// One landscape before it is simulated.
#[derive(Deserialize)]
pub(crate) struct Prepared {
    /// The landscape's first line, passed on as it is.
    pub(crate) header: Map<String, Value>,
    /// The engine whose scheduler is simulated: `vllm` or `sglang`.
    pub(crate) backend: String,
    /// The requests.
    pub(crate) workload: Workload,
    /// The coordinates of the tables.
    pub(crate) grid: Grid,
    /// Step times, null where the data has no such kernel.
    pub(crate) tables: Vec<Option<Table>>,
    /// Every configuration.
    pub(crate) rows: Vec<Row>,
}

/// A closed loop of `concurrency` clients, or Poisson arrivals at `rate` requests a second.
#[derive(Deserialize)]
pub(crate) struct Workload {
    pub(crate) requests: usize,
    pub(crate) input_tokens: usize,
    pub(crate) output_tokens: usize,
    pub(crate) concurrency: Option<usize>,
    pub(crate) rate: Option<f64>,
    /// Leading prompt tokens that all requests have in common.
    pub(crate) shared_prefix: usize,
    pub(crate) seed: u64,
}

/// The coordinates of a [`Table`].
#[derive(Clone, Deserialize)]
pub(crate) struct Grid {
    pub(crate) prefill_batch: Vec<f64>,
    pub(crate) prefill_new: Vec<f64>,
    pub(crate) prefill_cached: Vec<f64>,
    pub(crate) decode_batch: Vec<f64>,
    pub(crate) decode_context: Vec<f64>,
}

/// Step times in milliseconds on the grid.
#[derive(Clone, Deserialize)]
pub(crate) struct Table {
    /// By batch, new tokens, cached tokens.
    pub(crate) prefill_ms: Vec<Vec<Vec<f64>>>,
    /// By batch, context.
    pub(crate) decode_ms: Vec<Vec<f64>>,
}

/// One configuration.
#[derive(Deserialize)]
pub(crate) struct Row {
    pub(crate) params: Map<String, Value>,
    /// Index into [`Prepared::tables`].
    pub(crate) table: usize,
    /// Tokens the KV cache holds; null where the configuration cannot run.
    pub(crate) kv_tokens: Option<usize>,
    /// Why it cannot run, where that is known before the simulation.
    pub(crate) status: Option<String>,
    pub(crate) reason: Option<String>,
}
