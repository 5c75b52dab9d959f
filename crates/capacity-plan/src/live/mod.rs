//! A running server to facts: `/server_info` of SGLang and TokenSpeed, gauges, vLLM's `cache_config_info`.
//!
//! A server that runs knows more than its log: sizes are of what is there, not of what was planned.

mod cache_config;
mod gauges;
mod server_info;

use capacity::GIB;
use cli_kit::{DocumentParts, Failure, OutputArgs, Report};
use contracts::capacity_plan::report::{SCHEMA, Source};
use contracts::serve_bench::probe::ProbeData;
use contracts::serve_bench::result::EngineKind;
use engine_client::metrics::parse;
use engine_client::{ClientError, Endpoint, Headers, get_text};
use serde_json::Value;

use crate::cli::LiveArgs;
use crate::error::CapacityError;
use crate::facts::{Facts, Format};
use crate::load::Load;
use crate::report::{Checked, conclude};
use crate::size::Size;

/// What the server answered.
struct Answers {
    server: ProbeData,
    info: Option<Value>,
    metrics: String,
}

pub(crate) fn run(args: &LiveArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let checked = Checked::read(&args.model)?;
    let endpoint = Endpoint::parse(&args.url)?;
    let mut headers = Headers::new();
    if let Some(variable) = &args.api_key_env {
        let key = std::env::var(variable).map_err(|_| CapacityError::KeyMissing(variable.clone()))?;
        headers.set_bearer(&key)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CapacityError::Runtime)?;
    let answers = runtime.block_on(ask(&endpoint, &headers))?;
    let facts = facts(&answers);
    if facts.is_empty() {
        let mut asked = answers.server.endpoints.iter();
        let refused = asked.find_map(|endpoint| endpoint.status.filter(|status| matches!(status, 401 | 403)));
        return Err(CapacityError::SaysNothing {
            engine: answers.server.engine.kind.name(),
            url: answers.server.url,
            refused,
        }
        .into());
    }
    let kind = answers.server.engine.kind.name();
    let binding = args.bind.read(Some(kind), facts.is_simulated)?;
    let load = Load::read(&args.load, binding.as_ref())?;
    let mut parts = DocumentParts::new(SCHEMA);
    parts.simulated = facts.is_simulated;
    parts.inputs.extend(checked.inputs());
    parts.inputs.extend(load.input.clone());
    if let Some(binding) = binding {
        parts.bind(binding);
    }
    Ok(conclude(
        parts,
        &facts,
        &checked,
        &load,
        Source::Live,
        None,
        output,
    ))
}

async fn ask(endpoint: &Endpoint, headers: &Headers) -> Result<Answers, ClientError> {
    let server = engine_client::probe(endpoint, headers).await?;
    let mut info = None;
    for path in ["/server_info", "/get_server_info"] {
        if info.is_none() {
            let text = get_text(endpoint, headers, path).await.ok();
            info = text.and_then(|text| serde_json::from_str(&text).ok());
        }
    }
    // Metrics are off unless a server was told otherwise; without them there is less to say, and no error.
    let metrics = get_text(endpoint, headers, "/metrics").await.unwrap_or_default();
    Ok(Answers {
        server,
        info,
        metrics,
    })
}

fn facts(answers: &Answers) -> Facts {
    let server = &answers.server;
    let metrics = parse(&answers.metrics);
    let mut facts = Facts {
        format: match server.engine.kind {
            EngineKind::Sglang => Some(Format::Sglang),
            EngineKind::Tokenspeed => Some(Format::Tokenspeed),
            EngineKind::Vllm => Some(Format::VllmV1),
            _ => None,
        },
        version: server.engine.version.clone(),
        model: server
            .models
            .first()
            .map(|name| contracts::text::clean(name, 300)),
        context: server.max_model_len,
        pool_is_sum: true,
        is_ready: true,
        is_simulated: server.simulated || engine_client::metrics::is_simulated(&metrics),
        ..Facts::default()
    };
    if facts.format == Some(Format::VllmV1) {
        cache_config::read(&mut facts, &metrics);
        server_info::of_vllm(&mut facts, &server.settings);
    } else if facts.format.is_some() {
        gauges::read(&mut facts, &metrics);
        if let Some(info) = &answers.info {
            server_info::read(&mut facts, info);
        }
    }
    facts
}

/// A number that a size can be, in GiB with two digits, as SGLang rounds it.
fn size(gib: f64) -> Option<Size> {
    (0.0..1e6).contains(&gib).then_some(Size {
        bytes: gib * GIB,
        half_digit: 0.005 * GIB,
    })
}

/// A number that a count can be.
fn count(value: f64) -> Option<u64> {
    (0.0..9e15).contains(&value).then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::Rank;

    fn answers(kind: EngineKind, info: Option<Value>, metrics: &str) -> Answers {
        let server = json!({
            "url": "http://127.0.0.1:1", "engine": {"kind": kind, "version": "1.0"}, "models": ["m"],
            "max_model_len": 4096, "simulated": false, "tokenize": false, "endpoints": [], "settings": {},
        });
        Answers {
            server: serde_json::from_value(server).expect("it is an answer"),
            info,
            metrics: metrics.to_owned(),
        }
    }

    #[test]
    fn server_info_has_memory_and_settings() {
        let state = json!({"memory_usage": {"weight": 15.0, "kvcache": 40.0, "graph": 1.5, "token_capacity": 291_271}});
        let info = json!({"tp_size": 2, "dp_size": 2, "enable_dp_attention": true, "mem_fraction_static": 0.88,
            "page_size": 64, "internal_states": [state, state]});
        let facts = facts(&answers(EngineKind::Sglang, Some(info), ""));
        assert_eq!(
            (facts.tokens, facts.tp, facts.page),
            (Some(291_271), Some(2), Some(64))
        );
        assert_eq!(
            facts.ranks.keys().map(Rank::to_string).collect::<Vec<_>>(),
            ["DP0", "DP1"]
        );
        assert!(facts.has_dp_attention);
    }

    /// SGLang 0.5.23: graphs by phase, and the tokens of layers with a window.
    #[test]
    fn memory_of_each_phase_is_read() {
        let state = json!({"memory_usage": {"weight": 15.271, "kvcache": 40.125, "startup_available": 78.512,
            "token_capacity": 291_271, "token_capacity_swa": 58_254,
            "graph": {"prefill": 0.5, "decode": 1.25, "draft_decode": 0.0}}});
        let facts = facts(&answers(
            EngineKind::Sglang,
            Some(json!({"internal_states": [state]})),
            "",
        ));
        let of = facts.ranks.values().next().expect("a rank");
        let graphs = Size::sum(&of.graphs).expect("there are graphs");
        assert_eq!((graphs.bytes, of.graphs.len()), (1.75 * GIB, 3));
        assert_eq!(of.free_after_capture.map(|size| size.bytes), Some(78.512 * GIB));
        assert_eq!(
            (facts.tokens, facts.window_pool_tokens),
            (Some(291_271), Some(58_254))
        );
    }

    /// SGLang 0.5 of 2026: one state a replica among all settings; a rounded difference may be below nothing.
    #[test]
    fn server_info_of_2026_is_read() {
        let state = |tokens: u64| {
            json!({"last_gen_throughput": 149.6, "effective_max_running_requests_per_dp": 128, "dp_size": 2,
                "memory_usage": {"weight": 1.34, "kvcache": 0.23, "token_capacity": tokens, "graph": -0.1}})
        };
        let info = json!({"tp_size": 2, "pp_size": 1, "dp_size": 2, "page_size": 1, "context_length": null,
            "max_running_requests": 256, "kv_cache_dtype": "auto", "mem_fraction_static": 0.8,
            "enable_dp_attention": true, "internal_states": [state(20_480), state(20_480)], "version": "0.5.18"});
        let facts = facts(&answers(EngineKind::Sglang, Some(info), ""));
        assert_eq!(
            (facts.tokens, facts.max_running_requests, facts.context),
            (Some(20_480), Some(128), Some(4096))
        );
        assert!(
            facts
                .ranks
                .values()
                .all(|of| of.graphs.is_empty() && of.weights.len() == 1 && of.pools.len() == 1)
        );
    }

    #[test]
    fn gauges_of_ranks_are_not_added_up() {
        let metrics = "\
# TYPE sglang:max_total_num_tokens gauge
sglang:max_total_num_tokens{tp_rank=\"0\"} 1000.0
sglang:max_total_num_tokens{tp_rank=\"1\"} 1000.0
sglang:weight_memory_usage_gb{tp_rank=\"0\"} 7.5
sglang:kv_cache_memory_usage_gb{tp_rank=\"0\"} 2.0
sglang:graph_memory_usage_gb{tp_rank=\"0\",phase=\"prefill\"} 0.5
sglang:graph_memory_usage_gb{tp_rank=\"0\",phase=\"decode\"} 1.0
sglang:startup_available_gpu_memory_gb{tp_rank=\"0\"} 6.25
sglang:page_size{tp_rank=\"0\"} 1.0
";
        // An exporter that negotiated OpenMetrics writes the same names with an underscore.
        for text in [metrics.to_owned(), metrics.replace("sglang:", "sglang_")] {
            let facts = facts(&answers(EngineKind::Sglang, None, &text));
            assert_eq!(facts.tokens, Some(1000));
            let of = facts.ranks.values().next().expect("a rank");
            assert_eq!((of.weights.len(), of.graphs.len(), of.pools.len()), (1, 2, 1));
            assert_eq!(of.free_after_capture.map(|size| size.bytes), Some(6.25 * GIB));
        }
    }

    #[test]
    fn vllm_says_it_in_labels() {
        let metrics = "vllm:cache_config_info{block_size=\"16\",cache_dtype=\"fp8\",engine=\"0\",gpu_memory_utilization=\"0.9\",num_gpu_blocks=\"29751\"} 1.0\n";
        let facts = facts(&answers(EngineKind::Vllm, None, metrics));
        assert_eq!(
            (facts.blocks, facts.page, facts.fraction),
            (Some(29_751), Some(16), Some(0.9))
        );
        assert_eq!(facts.kv_dtype.as_deref(), Some("fp8"));
    }

    /// vLLM 0.33 names tokens and concurrency, and `None` for what it does not know.
    #[test]
    fn vllm_of_2026_names_tokens() {
        let metrics = "vllm:cache_config_info{block_size=\"1552\",cache_dtype=\"int4_per_token_head\",engine=\"0\",gpu_memory_utilization=\"0.94\",kv_cache_max_concurrency=\"2.26\",kv_cache_size_tokens=\"111238\",num_gpu_blocks=\"86\",num_gpu_blocks_override=\"None\",sliding_window=\"None\"} 1.0\n";
        let of_metrics = |text: &str| facts(&answers(EngineKind::Vllm, None, text));
        let seen = of_metrics(metrics);
        assert_eq!(
            (seen.tokens, seen.blocks, seen.concurrency),
            (Some(111_238), Some(86), Some((4096, 2.26, 0.0)))
        );
        assert_eq!(seen.kv_dtype.as_deref(), Some("int4_per_token_head"));
        let without = metrics.replace("111238", "None").replace("2.26", "None");
        let seen = of_metrics(&without);
        assert_eq!(
            (seen.tokens, seen.blocks, seen.concurrency),
            (None, Some(86), None)
        );
    }

    #[test]
    fn blocks_of_several_engines_are_added_up_by_vllm() {
        let of = |engine: u32| {
            format!(
                "vllm:cache_config_info{{block_size=\"16\",engine=\"{engine}\",num_gpu_blocks=\"3000\"}} 1.0\n"
            )
        };
        let metrics = format!("{}{}", of(0), of(1));
        let facts = facts(&answers(EngineKind::Vllm, None, &metrics));
        assert_eq!((facts.blocks, facts.dp), (Some(1500), Some(2)));
    }

    #[test]
    fn a_server_without_numbers_says_nothing() {
        assert!(facts(&answers(EngineKind::Sglang, Some(json!({"tp_size": 1})), "x 1\n")).is_empty());
        assert!(facts(&answers(EngineKind::Other, None, "")).is_empty());
    }
}
