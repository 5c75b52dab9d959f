//! The benchmark that a window explains: what its client counted.

use std::path::Path;

use cli_kit::{Binding, Failure};
use contracts::serve_bench::compare::{self, Block, CompareData};
use contracts::serve_bench::result::{self, EngineKind, ResultData};
use contracts::serve_bench::run::Run;
use contracts::text::clean;
use jiff::Timestamp;

use crate::error::TelemetryError;

/// What the client of a benchmark knows, over the runs of the side that is explained.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Benchmark {
    pub(crate) path: String,
    pub(crate) start_at: Timestamp,
    pub(crate) end_at: Timestamp,
    pub(crate) runs: Vec<ClientRun>,
    /// The engine that it measured.
    pub(crate) engine: Option<EngineKind>,
    /// Why its numbers are not to be used; empty where they are.
    pub(crate) unsound: Vec<String>,
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
        let (runs, complete): (Vec<Run>, bool) =
            match cli_kit::load_document::<ResultData>(path, result::SCHEMA) {
                Ok(loaded) => (loaded.document.data.runs, loaded.document.complete),
                Err(_) => {
                    let document = cli_kit::load_document::<CompareData>(path, compare::SCHEMA)?.document;
                    let is_a = document.data.a.subject == binding.subject;
                    let of_side = |block: Block| if is_a { block.a } else { block.b };
                    let runs = document.data.blocks.into_iter().map(of_side).collect();
                    (runs, document.complete)
                }
            };
        let name = path.display().to_string();
        let mut unsound: Vec<String> = (!complete)
            .then(|| "it was cut short".to_owned())
            .into_iter()
            .collect();
        let invalid: Vec<&Run> = runs.iter().filter(|run| !run.valid).collect();
        if let Some(first) = invalid.first() {
            let why = clean(&first.invalid_reasons.join("; "), 200);
            unsound.push(format!(
                "{} of {} runs are invalid ({why})",
                invalid.len(),
                runs.len()
            ));
        }
        let engine = binding.subject.known("engine.kind").cloned();
        let engine = engine.and_then(|kind| serde_json::from_value(kind).ok());
        let runs: Vec<ClientRun> = runs.iter().filter_map(client_run).collect();
        let start = runs.iter().map(|run| run.start_at).min();
        let end = runs.iter().map(|run| run.end_at).max();
        match (start, end) {
            (Some(start_at), Some(end_at)) => Ok(Benchmark {
                path: name,
                start_at,
                end_at,
                runs,
                engine,
                unsound,
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
