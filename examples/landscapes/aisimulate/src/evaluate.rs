//! One configuration: refused as the engine would refuse it, or simulated and measured.

use std::sync::Arc;

use aisimulate_core::ReplaySpec;
use aisimulate_core::engine::{Backend, EngineConfig, SglangSchedulePolicy};
use aisimulate_core::replay::{
    ReplayAdapters, ReplayEngineConfig, ReplayReport, ReplayRequest, ReplayTopology,
    run_engine_replay_with_timing,
};
use serde_json::{Map, Value};

use crate::prepared::{Prepared, Row};
use crate::timing::StepTimes;

/// What became of one configuration.
pub(crate) enum Outcome {
    /// The metric, and how long the run would have taken.
    Ok { value: f64, seconds: f64 },
    /// Status (`failed`, `oom`) and reason.
    Failed { status: &'static str, reason: String },
}

/// Runs the workload on one configuration.
pub(crate) fn evaluate(
    prepared: &Prepared,
    requests: &[ReplayRequest],
    row: &Row,
) -> anyhow::Result<Outcome> {
    if let Some(status) = &row.status {
        let status = if status == "oom" { "oom" } else { "failed" };
        return Ok(Outcome::Failed {
            status,
            reason: row.reason.clone().unwrap_or_default(),
        });
    }
    let (Some(table), Some(kv_tokens)) = (&prepared.tables[row.table], row.kv_tokens) else {
        anyhow::bail!("a row without status has neither table nor KV capacity");
    };
    let longest = prepared.workload.input_tokens + prepared.workload.output_tokens;
    let flags = Flags(&row.params);
    let rank = rank(&prepared.backend, &flags, kv_tokens, longest);
    if let Some(refused) = refusal(&rank, kv_tokens, longest) {
        return Ok(refused);
    }
    let gpus = flags.count("tensor_parallel_size", 1);
    let engine = ReplayEngineConfig {
        tensor_parallel_size: gpus as u32,
        rank,
        ..ReplayEngineConfig::default()
    };
    let spec = ReplaySpec {
        version: 1,
        topology: ReplayTopology::aggregated(1),
        engine: serde_json::to_value(engine)?,
        adapters: ReplayAdapters::default(),
        max_sim_time_ms: None,
        max_in_flight: prepared.workload.concurrency,
        record_per_request: true,
        sla: Default::default(),
        requests: requests.to_vec(),
    };
    let report = match run_engine_replay_with_timing(spec, Arc::new(StepTimes::new(&prepared.grid, table))) {
        Ok(report) => report,
        Err(error) => return Ok(failed(format!("the engine refuses: {error}"))),
    };
    if report.request_counts.completed_requests != requests.len() {
        let done = report.request_counts.completed_requests;
        return Ok(failed(format!(
            "{done} of {} requests were answered",
            requests.len()
        )));
    }
    let metric = prepared
        .header
        .get("metric")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let value = measure(metric, &report, gpus as f64)?;
    Ok(Outcome::Ok {
        value,
        seconds: report.throughput.duration_ms / 1e3,
    })
}

/// The scheduler's configuration from the engine's flags.
fn rank(backend: &str, flags: &Flags, kv_tokens: usize, longest: usize) -> EngineConfig {
    let mut rank = EngineConfig::for_backend(if backend == "sglang" {
        Backend::Sglang
    } else {
        Backend::Vllm
    });
    if rank.backend == Backend::Sglang {
        rank.max_num_seqs = flags.count("max_running_requests", 256);
        rank.prefill_decode_interval = flags.count("prefill_decode_interval", 0);
        rank.enable_prefix_caching = flags.is("enable_radix_cache", true);
        rank.sglang.chunked_prefill_size = flags.count("chunked_prefill_size", 8192);
        if flags.0.get("schedule_policy").and_then(Value::as_str) == Some("lpm") {
            rank.sglang.schedule_policy = SglangSchedulePolicy::Lpm;
        }
    } else {
        rank.block_size = flags.count("block_size", 16);
        rank.max_num_seqs = flags.count("max_num_seqs", 256);
        rank.max_num_batched_tokens = flags.count("max_num_batched_tokens", 8192);
        rank.prefill_schedule_interval = flags.count("prefill_schedule_interval", 1);
        rank.enable_chunked_prefill = flags.is("enable_chunked_prefill", true);
        rank.enable_prefix_caching = flags.is("enable_prefix_caching", true);
    }
    rank.num_gpu_blocks = kv_tokens / rank.block_size;
    rank.max_model_len = Some(longest + 1);
    rank
}

/// vLLM's own checks at start, which the simulator leaves out; the first holds for SGLang's memory pool too.
fn refusal(rank: &EngineConfig, kv_tokens: usize, longest: usize) -> Option<Outcome> {
    if kv_tokens < longest {
        let reason = format!("the KV cache holds {kv_tokens} tokens, one request may need {longest}");
        return Some(Outcome::Failed {
            status: "oom",
            reason,
        });
    }
    if rank.backend != Backend::Vllm {
        return None;
    }
    if !rank.enable_chunked_prefill && rank.max_num_batched_tokens < longest {
        return Some(failed(
            "max_num_batched_tokens is smaller than max_model_len without chunked prefill".into(),
        ));
    }
    if rank.max_num_batched_tokens < rank.max_num_seqs {
        return Some(failed(
            "max_num_batched_tokens must be greater than or equal to max_num_seqs".into(),
        ));
    }
    None
}

fn failed(reason: String) -> Outcome {
    Outcome::Failed {
        status: "failed",
        reason,
    }
}

fn measure(metric: &str, report: &ReplayReport, gpus: f64) -> anyhow::Result<f64> {
    let latency = &report.latency;
    Ok(match metric {
        "output_tokens_per_s_per_gpu" => report.throughput.output_throughput_tok_s / gpus,
        "inverse_mean_latency" => 1e3 / latency.e2e.mean_ms,
        // InferenceBench's mixed score: geometric mean of the three, here with the rate counted for each GPU.
        "geomean_ttft_tpot_rate" => {
            let rate = report.throughput.request_throughput_rps / gpus;
            (1e3 / latency.ttft.median_ms * 1e3 / latency.tpot.median_ms * rate).cbrt()
        }
        other => anyhow::bail!("there is no metric {other}"),
    })
}

/// The parameters of a row; one that is absent has the engine's default.
struct Flags<'a>(&'a Map<String, Value>);

impl Flags<'_> {
    fn count(&self, name: &str, default: usize) -> usize {
        self.0
            .get(name)
            .and_then(Value::as_u64)
            .map_or(default, |value| value as usize)
    }

    fn is(&self, name: &str, default: bool) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(default)
    }
}
