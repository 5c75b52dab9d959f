//! A window that is over, of sources that kept it.

use cli_kit::Failure;
use contracts::telemetry_fetch::source::SourceKind;
use jiff::Timestamp;
use serde_json::Value;

use crate::benchmark::Benchmark;
use crate::cli::ServerArgs;
use crate::engine::{self, Known, Server};
use crate::observed::Observed;
use crate::plan::{Asked, WindowPlan};
use crate::source::metrics::MetricsSource;

/// The window without its sources yet.
///
/// # Errors
/// When the benchmark cannot be read, or the server that was named does not answer.
pub(crate) fn window(plan: &WindowPlan, servers: &ServerArgs) -> Result<Observed, Failure> {
    let mut engine_url = None;
    let known = if servers.url.is_empty() {
        let mut known = engine::nobody(None);
        known.simulated = simulated(plan);
        known
    } else {
        let (servers, headers) = engine::servers(servers)?;
        let runtime = engine::runtime()?;
        let mut known = engine::nobody(None);
        for Server { endpoint, .. } in &servers {
            // Only who answers: what its metrics say now is not of the window.
            let (source, _) = runtime.block_on(MetricsSource::open(endpoint, &headers))?;
            if source.kind == SourceKind::Metrics {
                engine_url.get_or_insert_with(|| endpoint.to_string());
                known.join(runtime.block_on(engine::ask(endpoint, &headers, &source)));
            }
        }
        known
    };
    let (start_at, end_at) = span(plan, &known)?;
    Ok(Observed {
        engine_url,
        ..Observed::of(known, start_at, end_at)
    })
}

fn span(plan: &WindowPlan, known: &Known) -> Result<(Timestamp, Timestamp), Failure> {
    if let Asked::Span(start, end) = plan.asked {
        return Ok((start, end));
    }
    let path = plan
        .bind
        .for_result
        .as_ref()
        .expect("a window of a benchmark names it");
    let engine = known.facts.kind.map(|kind| kind.name());
    let binding = plan
        .bind
        .read(engine, known.simulated)?
        .expect("a benchmark is named");
    let benchmark = Benchmark::load(path, &binding)?;
    Ok((benchmark.start_at, benchmark.end_at))
}

/// A store does not say whether an engine is simulated, so it is what its benchmark says.
fn simulated(plan: &WindowPlan) -> bool {
    let schemas = [
        contracts::serve_bench::result::SCHEMA,
        contracts::serve_bench::compare::SCHEMA,
    ];
    let Some(path) = &plan.bind.for_result else {
        return false;
    };
    let load = |schema| cli_kit::load_document::<Value>(path, schema).ok();
    schemas
        .into_iter()
        .find_map(load)
        .is_some_and(|loaded| loaded.document.simulated)
}
