//! The benchmark that a window explains: what its client counted.

use std::path::Path;

use cli_kit::{Binding, Failure};
use contracts::serve_bench::compare::{self, CompareData};
use contracts::serve_bench::result::{self, ResultData};
use contracts::serve_bench::run::Run;
use jiff::Timestamp;

use crate::error::TelemetryError;

/// What the client of a benchmark knows, over the runs of the side that is explained.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Benchmark {
    pub(crate) path: String,
    pub(crate) start_at: Timestamp,
    pub(crate) end_at: Timestamp,
    pub(crate) runs: Vec<ClientRun>,
}

/// One run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClientRun {
    pub(crate) start_at: Timestamp,
    pub(crate) end_at: Timestamp,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) warmup: u64,
    pub(crate) output_tokens: u64,
    /// Requests that have a TTFT, and its mean.
    pub(crate) ttft_count: u64,
    pub(crate) ttft_mean_ms: Option<f64>,
}

impl Benchmark {
    /// Reads the runs of the side that the binding took.
    ///
    /// # Errors
    /// Exit 3 when it cannot be read, or measured nothing.
    pub(crate) fn load(path: &Path, binding: &Binding) -> Result<Benchmark, Failure> {
        let runs: Vec<Run> = match cli_kit::load_document::<ResultData>(path, result::SCHEMA) {
            Ok(loaded) => loaded.document.data.runs,
            Err(_) => {
                let data = cli_kit::load_document::<CompareData>(path, compare::SCHEMA)?
                    .document
                    .data;
                let is_a = data.a.subject == binding.subject;
                data.blocks
                    .into_iter()
                    .map(|block| if is_a { block.a } else { block.b })
                    .collect()
            }
        };
        let name = path.display().to_string();
        let runs: Vec<ClientRun> = runs.iter().filter_map(client_run).collect();
        let start = runs.iter().map(|run| run.start_at).min();
        let end = runs.iter().map(|run| run.end_at).max();
        match (start, end) {
            (Some(start_at), Some(end_at)) => Ok(Benchmark {
                path: name,
                start_at,
                end_at,
                runs,
            }),
            _ => Err(TelemetryError::NothingMeasured(name).into()),
        }
    }
}

fn client_run(run: &Run) -> Option<ClientRun> {
    let full = run.windows.full.as_ref()?;
    Some(ClientRun {
        start_at: full.start_at,
        end_at: full.end_at,
        succeeded: run.requests.succeeded,
        failed: run.requests.failed,
        warmup: run.requests.warmup,
        output_tokens: run.tokens.output,
        ttft_count: run.latency.ttft_ms.count,
        ttft_mean_ms: run.latency.ttft_ms.mean.map(contracts::Finite::get),
    })
}
