//! The figures of a benchmark as people compare them: one row an engine and scenario, over its valid runs.

use contracts::serve_bench::compare::CompareData;
use contracts::serve_bench::result::{ResultData, TargetInfo};
use contracts::serve_bench::run::Run;
use contracts::{Distribution, Document, Finite};

/// One engine on one scenario. Latencies are means over the runs of each run's median, rates are means over the runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    /// Name of the side.
    pub(crate) name: String,
    /// Framework.
    pub(crate) framework: String,
    /// Version it reports.
    pub(crate) version: Option<String>,
    /// Scenario.
    pub(crate) scenario: String,
    /// Valid runs.
    pub(crate) runs: usize,
    /// Median time to first token, ms.
    pub(crate) ttft_ms: Option<Finite>,
    /// Median time per output token, ms.
    pub(crate) tpot_ms: Option<Finite>,
    /// Median time to last token, ms.
    pub(crate) ttlt_ms: Option<Finite>,
    /// Prefill rate of a request, mean, tokens per second.
    pub(crate) prefill_tps: Option<Finite>,
    /// Decode rate of a request, mean, tokens per second.
    pub(crate) decode_tps: Option<Finite>,
    /// Output rate, tokens per second.
    pub(crate) output_tps: Option<Finite>,
    /// Prompt and output rate, tokens per second.
    pub(crate) total_tps: Option<Finite>,
    /// Requests that failed, over all runs.
    pub(crate) errors: u64,
}

/// Both sides of a comparison, in its order.
pub(crate) fn of_compare(document: &Document<CompareData>) -> Vec<Measured> {
    let data = &document.data;
    let side = |side: &contracts::serve_bench::compare::Side, runs: Vec<&Run>| {
        over(&side.name, &side.target, &data.workload.scenario, &runs)
    };
    vec![
        side(&data.a, data.blocks.iter().map(|block| &block.a).collect()),
        side(&data.b, data.blocks.iter().map(|block| &block.b).collect()),
    ]
}

/// The one side of a result.
pub(crate) fn of_result(document: &Document<ResultData>) -> Measured {
    let data = &document.data;
    let runs: Vec<&Run> = data.runs.iter().collect();
    over(
        data.target.engine.kind.name(),
        &data.target,
        &data.workload.scenario,
        &runs,
    )
}

fn over(name: &str, target: &TargetInfo, scenario: &str, runs: &[&Run]) -> Measured {
    let valid: Vec<&Run> = runs.iter().copied().filter(|run| run.valid).collect();
    let mean = |value: &dyn Fn(&Run) -> Option<Finite>| {
        let values: Vec<f64> = valid
            .iter()
            .filter_map(|run| value(run))
            .map(Finite::get)
            .collect();
        Finite::ratio(values.iter().sum(), values.len() as f64)
    };
    let median = |of: fn(&Run) -> &Distribution| mean(&|run| of(run).p50);
    Measured {
        name: contracts::text::clean(name, 100),
        framework: target.engine.kind.name().to_owned(),
        version: target
            .engine
            .version
            .as_deref()
            .map(|version| contracts::text::clean(version, 60)),
        scenario: contracts::text::clean(scenario, 100),
        runs: valid.len(),
        ttft_ms: median(|run| &run.latency.ttft_ms),
        tpot_ms: median(|run| &run.latency.tpot_ms),
        ttlt_ms: median(|run| &run.latency.e2e_latency_ms),
        prefill_tps: mean(&|run| run.prefill_tps.mean),
        decode_tps: mean(&|run| run.decode_tps.mean),
        output_tps: mean(&|run| run.throughput.output_tps),
        total_tps: mean(&|run| run.throughput.total_tps),
        errors: runs.iter().map(|run| run.requests.failed).sum(),
    }
}
