//! The cookbook layout of AI-Infra-Auto-Driven-SKILLS (`skills/llm-serving-auto-benchmark`, configs and run plans, read at
//! afb306e), as a plan. What has no counterpart here is said, and nothing is dropped in silence.

mod frameworks;

use contracts::Warning;
use contracts::config_search::plan::{Budget, Plan, PlanModel, SCHEMA, Scenario};
use serde_json::Value;

use frameworks::frameworks;

/// Candidates of a framework where the file says nothing.
const CANDIDATES: u64 = 8;

/// Whether a file has that layout: frameworks by their names, and a model with a name.
pub(super) fn is_one(value: &Value) -> bool {
    value.get("frameworks").is_some_and(Value::is_object)
        && value.pointer("/model/name").is_some_and(Value::is_string)
}

/// The plan, and what it leaves out.
pub(super) fn plan(value: &Value) -> (Plan, Vec<Warning>) {
    let mut left = Left::default();
    let text = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let model = text("/model/name");
    let plan = Plan {
        schema: SCHEMA.to_owned(),
        model: PlanModel {
            id: model.clone(),
            ..PlanModel::default()
        },
        slo: slo(value, &mut left),
        frameworks: frameworks(value, &model, &mut left),
        scenarios: scenarios(value, &mut left),
        budget: Budget {
            trials: value
                .pointer("/search/max_candidates_per_framework")
                .and_then(Value::as_u64)
                .unwrap_or(CANDIDATES),
            ..Budget::default()
        },
        ..Plan::default()
    };
    left.rest(value);
    (plan, left.warnings())
}

/// Keys that have no counterpart here.
#[derive(Default)]
struct Left(Vec<String>);

/// Keys that are taken over, or say nothing that a search has to know.
const TAKEN: [&str; 27] = [
    "schema_version",
    "source",
    "model.name",
    "hardware.gpu_count",
    "dataset.kind",
    "dataset.num_prompts",
    "dataset.scenario_names",
    "dataset.input_len",
    "dataset.output_len",
    "dataset.canonical_jsonl",
    "benchmark.endpoint",
    "benchmark.backend",
    "benchmark.max_concurrency",
    "benchmark.extra_request_body",
    "benchmark.sla",
    "benchmark.framework_set",
    "benchmark.output_dir",
    "benchmark.tokenizer",
    "sla",
    "search.max_candidates_per_framework",
    // Baseline first and within a budget is how every search here goes; what was begun goes on with --resume.
    "search.candidate_generation",
    "search.resume",
    "search.output_dir",
    "frameworks",
    "model.tokenizer",
    "hardware.gpu_model",
    "version_manifest",
];

impl Left {
    fn say(&mut self, what: impl Into<String>) {
        self.0.push(contracts::text::clean(&what.into(), 160));
    }

    fn rest(&mut self, value: &Value) {
        let groups = value.as_object().into_iter().flatten();
        for (group, members) in groups.filter(|(group, _)| !TAKEN.contains(&group.as_str())) {
            match members {
                Value::Object(members) => {
                    let names = members
                        .iter()
                        .filter(|(_, value)| !value.is_null())
                        .map(|(name, _)| format!("{group}.{name}"));
                    names
                        .filter(|name| !TAKEN.contains(&name.as_str()))
                        .for_each(|name| self.say(name));
                }
                _ => self.say(group),
            }
        }
    }

    fn warnings(self) -> Vec<Warning> {
        if self.0.is_empty() {
            return vec![];
        }
        vec![Warning::new(
            "cookbook-left-out",
            format!(
                "what has no counterpart here and is not taken over: {}",
                self.0.join("; ")
            ),
        )]
    }
}

/// `max_p50_ttft_ms: 1500` is `p50_ttft_ms<=1500`; `min_success_rate` is that of answered requests.
fn slo(value: &Value, left: &mut Left) -> Vec<String> {
    let limits = value.get("sla").or_else(|| value.pointer("/benchmark/sla"));
    let mut rules = Vec::new();
    for (name, limit) in limits.and_then(Value::as_object).into_iter().flatten() {
        match (name.as_str(), name.strip_prefix("max_"), limit.as_f64()) {
            (_, _, None) if limit.is_null() => {}
            ("min_success_rate", _, Some(limit)) => rules.push(format!("success_rate_ratio>={limit}")),
            (_, Some(metric), Some(limit)) if contracts::metric::Metric::parse(metric).is_ok() => {
                rules.push(format!("{metric}<={limit}"));
            }
            _ => left.say(format!("sla.{name}")),
        }
    }
    rules
}

/// One scenario for each pair of lengths and each concurrency.
fn scenarios(value: &Value, left: &mut Left) -> Vec<Scenario> {
    let list = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let number = |list: &[Value], at: usize| list.get(at).and_then(Value::as_u64);
    let (names, inputs, outputs) = (
        list("/dataset/scenario_names"),
        list("/dataset/input_len"),
        list("/dataset/output_len"),
    );
    let num_prompts = value.pointer("/dataset/num_prompts").and_then(Value::as_u64);
    let asked = list("/benchmark/max_concurrency");
    let mut levels: Vec<u64> = asked.iter().filter_map(Value::as_u64).collect();
    if asked.iter().any(Value::is_null) {
        left.say("benchmark.max_concurrency null (all requests at once)");
    }
    if levels.is_empty() {
        levels.push(num_prompts.unwrap_or(16).clamp(1, 64));
    }
    let mut common: Vec<String> = Vec::new();
    if value.pointer("/benchmark/endpoint").and_then(Value::as_str) == Some("/v1/completions") {
        common.extend(["--endpoint", "completions"].map(str::to_owned));
    }
    if let Some(extra) = value
        .pointer("/benchmark/extra_request_body")
        .filter(|extra| extra.is_object())
    {
        common.extend(["--extra-body".to_owned(), extra.to_string()]);
    }
    let own = value.pointer("/dataset/canonical_jsonl").and_then(Value::as_str);
    let kind = value
        .pointer("/dataset/kind")
        .and_then(Value::as_str)
        .unwrap_or("random");
    if kind != "random" && own.is_none() {
        left.say(format!(
            "dataset.kind {kind}: prompts are random words of its lengths"
        ));
    }
    let mut scenarios = Vec::new();
    for at in 0..inputs.len().max(1) {
        let (input, output) = (number(&inputs, at), number(&outputs, at));
        let name = names
            .get(at)
            .and_then(Value::as_str)
            .map_or_else(|| format!("scenario{at}"), file_name);
        for level in &levels {
            let mut args: Vec<String> = match own {
                Some(path) => ["--dataset", "jsonl", "--dataset-path", path]
                    .map(str::to_owned)
                    .to_vec(),
                None => ["--dataset", "random"].map(str::to_owned).to_vec(),
            };
            for (flag, length) in [
                ("--input-len", input.filter(|_| own.is_none())),
                ("--output-len", output),
            ] {
                args.extend(
                    length
                        .into_iter()
                        .flat_map(|length| [flag.to_owned(), length.to_string()]),
                );
            }
            args.extend(["--concurrency".to_owned(), level.to_string()]);
            args.extend(common.iter().cloned());
            scenarios.push(Scenario {
                name: format!("{name}-c{level}"),
                num_prompts,
                input_tokens: input,
                output_tokens: output,
                args,
                ..Scenario::default()
            });
        }
    }
    scenarios
}

/// A name that is one of a file, too.
fn file_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '-'
        }
    };
    name.chars().take(48).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::check;
    use super::*;

    fn file() -> Value {
        json!({
            "schema_version": 1,
            "source": {"kind": "llm_serving_cookbook"},
            "model": {"name": "org/model", "tokenizer": "org/model", "precision": "auto", "quantization": "none"},
            "hardware": {"gpu_count": 8, "multi_node": false},
            "dataset": {"kind": "random", "num_prompts": 80, "scenario_names": ["chat", "long talk"], "input_len": [1000, 8000], "output_len": [1000, 500]},
            "benchmark": {"endpoint": "/v1/completions", "backend": "auto", "max_concurrency": [null, 4, 8],
                "extra_request_body": {"temperature": 0.0}, "qps": {"lower": 0.25, "upper": 4.0},
                "sla": {"max_p50_ttft_ms": 1500, "max_p50_tpot_ms": 30, "min_success_rate": 0.99, "max_cost": 3}},
            "search": {"tier": 2, "max_candidates_per_framework": 6, "resume": true},
            "frameworks": {
                "sglang": {"server_command": "python -m sglang.launch_server", "base_server_flags": {"tp_size": 8, "model_path": "org/model", "trust_remote_code": true},
                    "search_space": {"chunked_prefill_size": [4096, 8192]}},
                "vllm": {"enabled": true, "server_command": "vllm serve", "base_server_flags": {"tensor_parallel_size": 8, "enable_prefix_caching": false},
                    "search_space": {"max_num_seqs": [32, 64], "enable_chunked_prefill": [true, false]}},
                "tensorrt_llm": {"backend_policy": "fixed_pytorch", "base_server_flags": {"backend": "pytorch", "tp_size": 8}, "search_space": {"max_batch_size": [64, null]}},
                "tokenspeed": {"enabled": false, "server_command": "tokenspeed serve", "search_space": {"max_num_seqs": [64]}}
            }
        })
    }

    #[test]
    fn a_cookbook_file_is_a_plan_without_problems() {
        assert!(is_one(&file()));
        let (plan, warnings) = plan(&file());
        let (_, problems) = check::check(&plan, std::path::Path::new("."));
        assert_eq!(problems, []);
        assert_eq!(
            plan.slo,
            ["p50_ttft_ms<=1500", "p50_tpot_ms<=30", "success_rate_ratio>=0.99"]
        );
        assert_eq!(
            (plan.budget.trials, plan.frameworks.len(), plan.scenarios.len()),
            (6, 3, 4)
        );
        assert_eq!(plan.scenarios[2].name, "long-talk-c4");
        assert!(
            plan.scenarios[0]
                .args
                .join(" ")
                .contains("--concurrency 4 --endpoint completions --extra-body {\"temperature\":0.0}")
        );
        let of = |name: &str| {
            plan.frameworks
                .iter()
                .find(|framework| framework.name == name)
                .unwrap()
        };
        assert_eq!(
            of("sglang").server_command,
            json!([
                "python",
                "-m",
                "sglang.launch_server",
                "--host",
                "127.0.0.1",
                "--port",
                "{port}"
            ])
        );
        assert!(
            of("sglang")
                .base_server_flags
                .join(" ")
                .contains("--tp-size 8 --model-path org/model --trust-remote-code")
        );
        assert_eq!(
            of("vllm").server_command,
            json!([
                "vllm",
                "serve",
                "org/model",
                "--host",
                "127.0.0.1",
                "--port",
                "{port}"
            ])
        );
        assert!(
            of("vllm")
                .base_server_flags
                .contains(&"--no-enable-prefix-caching".to_owned())
        );
        assert_eq!(
            of("vllm").search_space["--no-enable-chunked-prefill"],
            json!([true])
        );
        assert_eq!(
            of("tensorrt-llm").search_space,
            BTreeMap::from([("--max_batch_size".to_owned(), json!([64]))])
        );
        let said = &warnings[0].message;
        for word in [
            "benchmark.qps",
            "search.tier",
            "model.precision",
            "sla.max_cost",
            "frameworks.tokenspeed",
            "max_concurrency null",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!(!said.contains("dataset."), "{said}");
    }

    /// All paths of a value.
    fn paths(value: &Value, here: &str, found: &mut Vec<String>) {
        let members: Vec<(String, &Value)> = match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), value))
                .collect(),
            Value::Array(members) => members
                .iter()
                .enumerate()
                .map(|(at, value)| (at.to_string(), value))
                .collect(),
            _ => vec![],
        };
        for (name, member) in members {
            let path = format!("{here}/{name}");
            found.push(path.clone());
            paths(member, &path, found);
        }
    }

    #[test]
    fn a_file_with_anything_in_any_place_is_a_plan_with_problems_or_without() {
        let (file, mut all) = (file(), Vec::new());
        paths(&file, "", &mut all);
        assert!(all.len() > 50, "{all:?}");
        let odd = [
            json!(null),
            json!(-1),
            json!(1e300),
            json!("\u{1b}[2J ../x"),
            json!([[], null]),
            json!({"a": {"b": [1]}}),
            json!(true),
        ];
        for path in &all {
            for value in &odd {
                let mut other = file.clone();
                *other.pointer_mut(path).unwrap() = value.clone();
                if is_one(&other) {
                    let (mut plan, warnings) = plan(&other);
                    super::super::preset::expand(&mut plan);
                    let (_, problems) = check::check(&plan, std::path::Path::new("."));
                    let said = format!(
                        "{problems:?}{warnings:?}{:?}",
                        plan.frameworks
                            .iter()
                            .map(|framework| &framework.name)
                            .collect::<Vec<_>>()
                    );
                    assert!(!said.contains('\u{1b}'), "{path}: {said}");
                }
            }
        }
    }

    #[test]
    fn other_files_are_none() {
        for value in [
            json!({}),
            json!({"frameworks": []}),
            json!({"frameworks": {}, "model": {"id": "a"}}),
        ] {
            assert!(!is_one(&value), "{value}");
        }
    }
}
