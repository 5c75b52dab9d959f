//! Workloads that ship by name, each with the load it is meant for.
//!
//! `inferencebench-a` to `-d` follow the scenarios of InferenceBench (aisa-group, 2026): lengths uniform over
//! [0.8 L, L], and its loads. It publishes no number of requests that we know of; ours are chosen so that a scenario
//! takes minutes on one accelerator.

use contracts::Finite;
use contracts::serve_bench::result::Arrival;
use contracts::serve_bench::workload::Purpose;
use serde::Serialize;

use super::arrival::ArrivalPlan;
use super::error::WorkloadError;
use super::plan::{RandomPlan, ScenarioPlan, Shape, WorkloadPlan};

/// Names of the presets.
pub const NAMES: [&str; 10] = [
    "chat",
    "summarization",
    "inferencebench-a",
    "inferencebench-b",
    "inferencebench-c",
    "inferencebench-d",
    "prefill",
    "decode",
    "prefix-repeat",
    "mixed",
];

/// A workload that ships by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// What it shows, one line.
    pub about: &'static str,
    /// The scenarios with their loads.
    pub scenarios: Vec<PresetScenario>,
}

/// A scenario and the load it is meant for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PresetScenario {
    /// The requests.
    pub plan: ScenarioPlan,
    /// The load.
    pub load: LoadHint,
}

/// The load that a scenario is meant for; flags override it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadHint {
    /// Requests in flight of a closed loop; null for an open loop.
    pub concurrency: Option<u32>,
    /// Arrivals of an open loop; null for a closed loop.
    pub arrival: Option<ArrivalPlan>,
    /// Cap on requests in flight of an open loop; null without one.
    pub max_concurrency: Option<u32>,
    /// Requests before the measured ones, from the start of the scenario.
    pub warmup_requests: u64,
    /// The metric that the scenario is about.
    pub metric: &'static str,
}

impl Preset {
    /// The preset of a name, drawn with a seed.
    ///
    /// # Errors
    /// [`WorkloadError::PresetUnknown`] with the names there are.
    pub fn find(name: &str, seed: u64) -> Result<Preset, WorkloadError> {
        let Some(known) = NAMES.iter().find(|known| **known == name) else {
            return Err(WorkloadError::PresetUnknown {
                asked: contracts::text::clean(name, 80),
                names: NAMES.iter().map(|name| (*name).to_owned()).collect(),
            });
        };
        let (about, scenarios) = scenarios(known, seed);
        Ok(Preset {
            name: known,
            about,
            scenarios,
        })
    }

    /// The workload of all its scenarios.
    pub fn plan(&self, model: Option<String>) -> WorkloadPlan {
        WorkloadPlan {
            name: self.name.to_owned(),
            model,
            scenarios: self
                .scenarios
                .iter()
                .map(|scenario| scenario.plan.clone())
                .collect(),
        }
    }

    /// The load that a scenario is meant for.
    pub fn load(&self, scenario: &str) -> Option<&LoadHint> {
        self.scenarios
            .iter()
            .find(|candidate| candidate.plan.scenario == scenario)
            .map(|candidate| &candidate.load)
    }
}

fn scenarios(name: &str, seed: u64) -> (&'static str, Vec<PresetScenario>) {
    let spread = |input, output| RandomPlan::fixed(input, output).spread(0.2);
    let fixed = RandomPlan::fixed;
    let evidence = |scenario: &str, count, random, load| PresetScenario {
        plan: ScenarioPlan::random(scenario, seed, count, random),
        load,
    };
    let diagnostic = |scenario: &str, count, random, load| {
        let mut scenario = evidence(scenario, count, random, load);
        scenario.plan.purpose = Purpose::Diagnostic;
        scenario
    };
    match name {
        "chat" => (
            "1000 in, 1000 out: a conversation",
            vec![evidence("chat", 80, fixed(1000, 1000), closed(16, "output_tps"))],
        ),
        "summarization" => (
            "8000 in, 1000 out: a long document",
            vec![evidence(
                "summarization",
                80,
                fixed(8000, 1000),
                closed(16, "output_tps"),
            )],
        ),
        "inferencebench-a" => (
            "8192 in, 1024 out, one at a time: time to first token",
            vec![evidence("a", 32, spread(8192, 1024), closed(1, "p50_ttft_ms"))],
        ),
        "inferencebench-b" => (
            "1024 in, 8192 out, one at a time: time per output token",
            vec![evidence("b", 8, spread(1024, 8192), closed(1, "mean_tpot_ms"))],
        ),
        "inferencebench-c" => (
            "1024 in, 1024 out under three loads: request rate",
            vec![
                evidence("c-burst", 192, spread(1024, 1024), closed(64, "request_rps")),
                evidence(
                    "c-poisson",
                    192,
                    spread(1024, 1024),
                    open(Arrival::Poisson, 32, 32, "request_rps"),
                ),
                evidence(
                    "c-constant",
                    192,
                    spread(1024, 1024),
                    open(Arrival::Constant, 16, 16, "request_rps"),
                ),
            ],
        ),
        "inferencebench-d" => (
            "4096 in, 2048 out, four at a time: everything",
            vec![evidence("d", 32, spread(4096, 2048), closed(4, "output_tps"))],
        ),
        "prefill" => (
            "8000 in, 1 out: prompt processing alone",
            vec![diagnostic("prefill", 40, fixed(8000, 1), closed(4, "total_tps"))],
        ),
        "decode" => (
            "32 in, 1000 out: generation alone",
            vec![diagnostic(
                "decode",
                64,
                fixed(32, 1000),
                closed(16, "mean_tpot_ms"),
            )],
        ),
        "prefix-repeat" => {
            let prefix = |set: &str| RandomPlan {
                prefix_len: 4000,
                prefix_groups: 16,
                prefix_set: Some(set.to_owned()),
                ..fixed(4200, 100)
            };
            (
                "the same lengths with a new beginning for each request (cold), then with shared ones (warm)",
                vec![
                    diagnostic("prefix-cold", 48, fixed(4200, 100), closed(4, "p50_ttft_ms")),
                    diagnostic(
                        "prefix-warm",
                        64,
                        prefix("prefix-repeat"),
                        // One request of every group fills the cache before anything counts.
                        LoadHint {
                            warmup_requests: 16,
                            ..closed(4, "p50_ttft_ms")
                        },
                    ),
                ],
            )
        }
        _ => (
            "short and long requests side by side: 6 of 10 are 256/256, 3 are 2000/500, 1 is 8000/200",
            vec![diagnostic(
                "mixed",
                120,
                RandomPlan {
                    shapes: vec![
                        Shape {
                            weight: 6,
                            input_len: 256,
                            output_len: 256,
                        },
                        Shape {
                            weight: 3,
                            input_len: 2000,
                            output_len: 500,
                        },
                        Shape {
                            weight: 1,
                            input_len: 8000,
                            output_len: 200,
                        },
                    ],
                    ..fixed(1, 1).spread(0.2)
                },
                closed(16, "p99_ttft_ms"),
            )],
        ),
    }
}

fn closed(concurrency: u32, metric: &'static str) -> LoadHint {
    LoadHint {
        concurrency: Some(concurrency),
        arrival: None,
        max_concurrency: None,
        warmup_requests: 0,
        metric,
    }
}

fn open(arrival: Arrival, rate: u32, cap: u32, metric: &'static str) -> LoadHint {
    LoadHint {
        concurrency: None,
        arrival: Some(ArrivalPlan {
            arrival,
            request_rate_rps: Finite::from(rate),
            burstiness: Finite::from(1),
        }),
        max_concurrency: Some(cap),
        warmup_requests: 0,
        metric,
    }
}
