//! Landscapes of the simulated engine: every configuration of a space with what it gives in simulated time, or why it does not start.
//! `examples/landscapes/README.md` has the form.
//!
//! `cargo run --release -p engine-sim --example landscape -- vllm >examples/landscapes/engine-sim-vllm-qwen3-32b-a100.jsonl`

use clap::Parser as _;
use engine_sim::SimError;
use engine_sim::cli::Args;
use engine_sim::closed_loop::{Load, output_tps};
use serde_json::{Map, Value, json};

/// A parameter: flag, family, kind, values in order, the baseline's value.
type Flag = (&'static str, &'static str, &'static str, Value, Value);

struct Landscape {
    name: &'static str,
    command: &'static str,
    space: Vec<Flag>,
    load: Load,
}

fn vllm() -> Landscape {
    Landscape {
        name: "engine-sim-vllm-qwen3-32b-a100",
        command: "engine-sim --flavor vllm --model Qwen/Qwen3-32B --hardware a100 --max-model-len 8192",
        space: vec![
            (
                "--max-num-seqs",
                "batching",
                "int",
                json!([8, 32, 128, 512, 1024]),
                json!(128),
            ),
            (
                "--max-num-batched-tokens",
                "batching",
                "int",
                json!([64, 256, 1024, 4096, 16384]),
                json!(1024),
            ),
            (
                "--gpu-memory-utilization",
                "memory",
                "float",
                json!([0.7, 0.85, 0.9, 0.95, 0.99]),
                json!(0.9),
            ),
            (
                "--kv-cache-dtype",
                "kv-cache",
                "choice",
                json!(["auto", "fp8"]),
                json!("auto"),
            ),
            (
                "--enforce-eager",
                "graphs",
                "flag",
                json!([true, false]),
                json!(false),
            ),
            (
                "--no-enable-chunked-prefill",
                "scheduling",
                "flag",
                json!([true, false]),
                json!(false),
            ),
        ],
        load: Load {
            concurrency: 48,
            prompt: 2000,
            answer: 300,
            seconds: 60.0,
        },
    }
}

fn sglang() -> Landscape {
    Landscape {
        name: "engine-sim-sglang-qwen3-8b-l4",
        command: "engine-sim --flavor sglang --model Qwen/Qwen3-8B --hardware l4 --context-length 8192",
        space: vec![
            (
                "--mem-fraction-static",
                "memory",
                "float",
                json!([0.7, 0.8, 0.88, 0.95]),
                json!(0.88),
            ),
            (
                "--chunked-prefill-size",
                "batching",
                "int",
                json!([-1, 256, 2048, 8192]),
                json!(2048),
            ),
            (
                "--max-running-requests",
                "batching",
                "int",
                json!([4, 16, 64]),
                json!(16),
            ),
            (
                "--num-continuous-decode-steps",
                "scheduling",
                "int",
                json!([1, 4]),
                json!(1),
            ),
            (
                "--schedule-conservativeness",
                "scheduling",
                "float",
                json!([0.1, 1.0]),
                json!(1.0),
            ),
            (
                "--enable-mixed-chunk",
                "batching",
                "flag",
                json!([true, false]),
                json!(false),
            ),
            (
                "--kv-cache-dtype",
                "kv-cache",
                "choice",
                json!(["auto", "fp8_e5m2"]),
                json!("auto"),
            ),
        ],
        load: Load {
            concurrency: 32,
            prompt: 1000,
            answer: 200,
            seconds: 60.0,
        },
    }
}

impl Landscape {
    fn header(&self) -> Value {
        let space: Vec<Value> = self
            .space
            .iter()
            .map(|(name, family, kind, values, _)| {
                json!({"name": name, "family": family, "kind": kind, "values": values, "log": *kind == "int" && values[0] != -1, "when": null})
            })
            .collect();
        let Load {
            concurrency,
            prompt,
            answer,
            ..
        } = self.load;
        json!({
            "schema": "config-search.landscape/1", "name": self.name, "metric": "output_tokens_per_s", "direction": "max", "unit": "tok/s",
            "source": format!("simulated: {}, {concurrency} requests in flight, prompts of {prompt} and answers of {answer} tokens at most", self.command),
            "complete": true, "noise": {"sigma": 0.03, "disturbed_share": 0.05, "disturbed_factor": 0.9},
            "baseline": self.params(&self.baseline()), "space": space,
        })
    }

    fn baseline(&self) -> Vec<usize> {
        let place = |(_, _, _, values, baseline): &Flag| {
            let values = values.as_array().expect("values are a list");
            values
                .iter()
                .position(|value| value == baseline)
                .expect("the baseline has one of the values")
        };
        self.space.iter().map(place).collect()
    }

    fn params(&self, config: &[usize]) -> Value {
        let set = self
            .space
            .iter()
            .zip(config)
            .map(|((name, _, _, values, _), at)| ((*name).to_owned(), values[*at].clone()));
        Value::Object(set.collect::<Map<String, Value>>())
    }

    fn row(&self, config: &[usize]) -> Value {
        let params = self.params(config);
        let mut words: Vec<String> = self.command.split(' ').map(str::to_owned).collect();
        for (name, value) in params.as_object().expect("an object") {
            match value {
                Value::Bool(true) => words.push(name.clone()),
                Value::Bool(false) => {}
                Value::String(text) => words.extend([name.clone(), text.clone()]),
                number => words.extend([name.clone(), number.to_string()]),
            }
        }
        let args = Args::try_parse_from(words).expect("the flags are the engine's");
        let (status, reason, repeats) = match output_tps(&args, self.load) {
            Ok(Some(tps)) => (
                "ok",
                Value::Null,
                json!([format!("{tps:.6e}").parse::<f64>().expect("a number")]),
            ),
            Ok(None) => ("failed", json!("a request fits into no step"), json!([])),
            Err(error @ SimError::OutOfMemory { .. }) => ("oom", json!(error.to_string()), json!([])),
            Err(error) => ("failed", json!(error.to_string()), json!([])),
        };
        json!({"params": params, "status": status, "reason": reason, "repeats": repeats, "seconds": null})
    }

    /// The baseline, then all others in the order of the space.
    fn print(&self) {
        println!("{}", self.header());
        let baseline = self.baseline();
        println!("{}", self.row(&baseline));
        let mut config = vec![0; self.space.len()];
        loop {
            if config != baseline {
                println!("{}", self.row(&config));
            }
            let levels = |at: usize| self.space[at].3.as_array().map_or(0, Vec::len);
            let Some(at) = (0..config.len()).rev().find(|at| config[*at] + 1 < levels(*at)) else {
                return;
            };
            config[at] += 1;
            config[at + 1..].fill(0);
        }
    }
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("vllm") => vllm().print(),
        Some("sglang") => sglang().print(),
        _ => {
            eprintln!("one of: vllm, sglang");
            std::process::exit(2);
        }
    }
}
