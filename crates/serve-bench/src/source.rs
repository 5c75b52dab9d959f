//! The workload of a command: read from a frozen file, or made now.

use cli_kit::Failure;
use contracts::serve_bench::result::{PromptCheck, WorkloadInfo};
use contracts::serve_bench::workload::WorkloadRequest;
use contracts::{Exit, Finite, Input, Warning};
use serde_json::Value;

use crate::cli::{
    ArrivalArg, DatasetKind, EndpointArg, LoadShapeArgs, PromptUnitArg, WorkloadArgs, WorkloadSourceArgs,
};
use crate::load::TokenCounter;
use crate::server::{Server, block_on};
use crate::workload::arrival::ArrivalPlan;
use crate::workload::preset::{LoadHint, Preset};
use crate::workload::{
    Dataset, Endpoint, PromptSizer, RandomPlan, ScenarioPlan, ServerTokenizer, Shape, TurnsPlan, Words,
    Workload, WorkloadPlan,
};

/// Seed, prompts and lengths when nothing is said.
pub(crate) const DEFAULT_INPUT_LEN: u64 = 128;
/// See [`DEFAULT_INPUT_LEN`].
pub(crate) const DEFAULT_OUTPUT_LEN: u64 = 64;
const DEFAULT_PROMPTS: u64 = 80;

/// A scenario that is ready to be sent.
#[derive(Clone)]
pub(crate) struct Selected {
    pub(crate) info: WorkloadInfo,
    pub(crate) requests: Vec<WorkloadRequest>,
    pub(crate) model: Option<String>,
    pub(crate) tokenizer: Option<String>,
    pub(crate) endpoint: Endpoint,
    /// True when it came from a file.
    pub(crate) frozen: bool,
    /// What a preset suggests.
    pub(crate) hint: Option<LoadHint>,
    /// Counts the tokens of an answer where the server does not; with `--tokenizer`.
    pub(crate) count_tokens: Option<TokenCounter>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) warnings: Vec<Warning>,
}

/// The load that the preset of a workload is meant for; `None` for a frozen workload, which does not keep it.
pub(crate) fn hint(args: &WorkloadSourceArgs) -> Result<Option<LoadHint>, Failure> {
    if args.workload.is_some() {
        return Ok(None);
    }
    Ok(plan(&args.make, args.scenario.as_deref(), None)?.1)
}

/// Reads or makes the workload of a run.
pub(crate) fn select(
    args: &WorkloadSourceArgs,
    server: &Server,
    extra_prompts: u64,
    default_prompts: Option<u64>,
) -> Result<Selected, Failure> {
    let mut inputs = Vec::new();
    let mut check = None;
    let (workload, hint) = match &args.workload {
        Some(path) => {
            let workload = Workload::read(path)?;
            inputs.push(cli_kit::input_of(
                path,
                &cli_kit::read_bounded(path, u64::MAX - 1)?,
            ));
            (workload, None)
        }
        None => {
            let (mut plan, hint) = plan(&args.make, args.scenario.as_deref(), None)?;
            for scenario in &mut plan.scenarios {
                if let Dataset::Random(_) = scenario.dataset {
                    let asked = args
                        .make
                        .num_prompts
                        .or(scenario.num_prompts.filter(|_| hint.is_some()));
                    let prompts = asked.or(default_prompts).unwrap_or(DEFAULT_PROMPTS);
                    scenario.num_prompts = Some(prompts.saturating_add(extra_prompts));
                }
            }
            let (workload, checked) = make(&plan, &args.make, Some(server))?;
            check = checked;
            (workload, hint)
        }
    };
    let (scenario, requests) = workload.scenario(args.scenario.as_deref())?;
    let requests: Vec<WorkloadRequest> = requests.into_iter().cloned().collect();
    let mut info = WorkloadInfo::from_scenario(&workload.header.name, &scenario);
    info.prompt_check = check;
    let endpoint = scenario.endpoint.parse::<Endpoint>().map_err(|message| {
        Failure::new(Exit::BadInput, "workload-endpoint", message).hint("freeze the workload again")
    })?;
    Ok(Selected {
        info,
        requests,
        model: workload.header.model.clone(),
        tokenizer: workload.header.tokenizer.clone(),
        endpoint,
        frozen: args.workload.is_some(),
        hint,
        count_tokens: match &args.make.tokenizer {
            Some(path) => token_counter(path)?,
            None => None,
        },
        inputs,
        warnings: workload.notes,
    })
}

/// Makes a workload, with the tokenizer that was asked for, and checks prompt lengths on a probe request.
pub(crate) fn make(
    plan: &WorkloadPlan,
    args: &WorkloadArgs,
    server: Option<&Server>,
) -> Result<(Workload, Option<PromptCheck>), Failure> {
    let unit = args.prompt_unit.unwrap_or(if args.tokenizer.is_some() {
        PromptUnitArg::Tokens
    } else {
        PromptUnitArg::Words
    });
    let workload = match (unit, &args.tokenizer, server) {
        (PromptUnitArg::Words, ..) => crate::workload::generate(plan, &mut Words)?,
        (PromptUnitArg::Tokens, Some(path), _) => {
            crate::workload::generate(plan, &mut *tokenizer_file(path)?)?
        }
        (PromptUnitArg::Tokens, None, Some(server)) => {
            // A chat template adds special tokens by itself, a completion has those of the tokenizer.
            let special = !plan
                .scenarios
                .iter()
                .all(|scenario| scenario.endpoint == Endpoint::Chat);
            let mut sizer = ServerTokenizer::new(|text: &str| {
                block_on(engine_client::tokenize(
                    &server.endpoint,
                    &server.headers,
                    server.probe.engine.kind,
                    &server.served_model,
                    text,
                    special,
                ))
                .map_err(|failure| failure.document.message)?
                .map_err(|error| error.to_string())
            });
            crate::workload::generate(plan, &mut sizer)?
        }
        (PromptUnitArg::Tokens, None, None) => {
            return Err(Failure::new(
                Exit::Usage,
                "no-tokenizer",
                "--prompt-unit tokens needs something that counts tokens",
            )
            .hint("give --tokenizer FILE, or --url of a server that answers /tokenize"));
        }
    };
    let check = match (unit, server) {
        (PromptUnitArg::Tokens, Some(server)) => crate::prompt_probe::check(&workload, server)?,
        _ => None,
    };
    Ok((workload, check))
}

#[cfg(feature = "tokenizer")]
fn tokenizer_file(path: &std::path::Path) -> Result<Box<dyn PromptSizer>, Failure> {
    Ok(Box::new(crate::workload::TokenizerFile::open(path)?))
}

#[cfg(feature = "tokenizer")]
fn token_counter(path: &std::path::Path) -> Result<Option<TokenCounter>, Failure> {
    let file = crate::workload::TokenizerFile::open(path)?;
    Ok(Some(std::sync::Arc::new(move |text: &str| file.tokens(text))))
}

/// Prompts cannot be made with a tokenizer file either, so nobody comes here.
#[cfg(not(feature = "tokenizer"))]
fn token_counter(_path: &std::path::Path) -> Result<Option<TokenCounter>, Failure> {
    Ok(None)
}

#[cfg(not(feature = "tokenizer"))]
fn tokenizer_file(_path: &std::path::Path) -> Result<Box<dyn PromptSizer>, Failure> {
    Err(Failure::new(
        Exit::Usage,
        "no-tokenizer",
        "this build cannot read tokenizer files",
    )
    .hint("build with `--features tokenizer`, or use the server's /tokenize with --prompt-unit tokens"))
}

/// Conversations, where they are asked for.
fn turns(args: &WorkloadArgs) -> Result<Option<TurnsPlan>, Failure> {
    let Some(most) = args.turns.filter(|turns| *turns > 1) else {
        return Ok(None);
    };
    let think_mean_s = contracts::Finite::new(args.think_time).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "think-time",
            "--think-time is no number of seconds".to_owned(),
        )
        .hint("for example --think-time 5")
    })?;
    Ok(Some(TurnsPlan { most, think_mean_s }))
}

/// What the workload flags ask for.
pub(crate) fn plan(
    args: &WorkloadArgs,
    scenario: Option<&str>,
    model: Option<String>,
) -> Result<(WorkloadPlan, Option<LoadHint>), Failure> {
    if !args.preset.is_empty() {
        return preset_plan(args, scenario, model);
    }
    let endpoint = endpoint(args.endpoint);
    let kind = args.dataset.unwrap_or(DatasetKind::Random);
    let dataset = match kind {
        DatasetKind::Random => Dataset::Random(
            RandomPlan {
                shapes: vec![Shape {
                    weight: 1,
                    input_len: args.input_len.unwrap_or(DEFAULT_INPUT_LEN),
                    output_len: args.output_len.unwrap_or(DEFAULT_OUTPUT_LEN),
                }],
                prefix_len: args.prefix_len,
                prefix_groups: args.prefix_groups,
                ..RandomPlan::fixed(1, 1)
            }
            .spread(args.len_spread),
        ),
        DatasetKind::Sharegpt => Dataset::Sharegpt {
            path: dataset_path(args)?,
            output_len: args.output_len,
        },
        DatasetKind::Jsonl => Dataset::Jsonl {
            path: dataset_path(args)?,
            output_len: args.output_len,
        },
        DatasetKind::Azure => Dataset::Azure {
            path: dataset_path(args)?,
        },
        DatasetKind::Burstgpt => Dataset::Burstgpt {
            path: dataset_path(args)?,
        },
        DatasetKind::Mooncake => Dataset::Mooncake {
            path: dataset_path(args)?,
        },
    };
    let name = dataset.name().to_owned();
    let plan = ScenarioPlan {
        scenario: name.clone(),
        purpose: contracts::serve_bench::workload::Purpose::Evidence,
        seed: args.seed,
        num_prompts: args.num_prompts,
        dataset,
        arrival: None,
        turns: turns(args)?,
        endpoint,
        ignore_eos: args.ignore_eos.unwrap_or(matches!(
            kind,
            DatasetKind::Random | DatasetKind::Azure | DatasetKind::Burstgpt | DatasetKind::Mooncake
        )),
        extra_body: extra_body(args)?,
    };
    Ok((
        WorkloadPlan {
            name,
            model,
            scenarios: vec![plan],
        },
        None,
    ))
}

fn preset_plan(
    args: &WorkloadArgs,
    scenario: Option<&str>,
    model: Option<String>,
) -> Result<(WorkloadPlan, Option<LoadHint>), Failure> {
    let mut scenarios = Vec::new();
    let mut hint = None;
    for name in &args.preset {
        let preset = Preset::find(name, args.seed)?;
        for part in &preset.scenarios {
            let mut plan = part.plan.clone();
            plan.num_prompts = args.num_prompts.or(plan.num_prompts);
            if let Some(asked) = args.endpoint {
                plan.endpoint = endpoint(Some(asked));
            }
            if let Some(ignore_eos) = args.ignore_eos {
                plan.ignore_eos = ignore_eos;
            }
            plan.extra_body = extra_body(args)?.or(plan.extra_body);
            if scenario.is_none_or(|wanted| wanted == plan.scenario) {
                hint.get_or_insert_with(|| part.load.clone());
            }
            scenarios.push(plan);
        }
    }
    Ok((
        WorkloadPlan {
            name: args.preset.join("+"),
            model,
            scenarios,
        },
        hint,
    ))
}

fn endpoint(arg: Option<EndpointArg>) -> Endpoint {
    match arg.unwrap_or(EndpointArg::Chat) {
        EndpointArg::Chat => Endpoint::Chat,
        EndpointArg::Completions => Endpoint::Completions,
    }
}

fn dataset_path(args: &WorkloadArgs) -> Result<std::path::PathBuf, Failure> {
    args.dataset_path.clone().ok_or_else(|| {
        Failure::new(Exit::Usage, "dataset-path-missing", "this dataset needs its file")
            .hint("give --dataset-path FILE")
    })
}

fn extra_body(args: &WorkloadArgs) -> Result<Option<Value>, Failure> {
    let Some(text) = &args.extra_body else {
        return Ok(None);
    };
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_object() => Ok(Some(value)),
        Ok(_) => Err(
            Failure::new(Exit::Usage, "extra-body", "--extra-body is not a JSON object")
                .hint("for example --extra-body '{\"top_p\": 0.9}'"),
        ),
        Err(error) => Err(Failure::new(
            Exit::Usage,
            "extra-body",
            format!("--extra-body is not JSON: {error}"),
        )
        .hint("for example --extra-body '{\"top_p\": 0.9}'")),
    }
}

/// An arrival process of flags.
pub(crate) fn arrival_plan(rate: f64, arrival: ArrivalArg, burstiness: f64) -> Result<ArrivalPlan, Failure> {
    let bad = |flag: &str, value: f64| {
        Failure::new(
            Exit::Usage,
            "bad-arrival",
            format!("{flag} is {value}, not a positive number"),
        )
    };
    let positive = |flag: &str, value: f64| {
        Finite::new(value)
            .filter(|finite| finite.get() > 0.0)
            .ok_or_else(|| bad(flag, value))
    };
    Ok(ArrivalPlan {
        arrival: arrival_of(arrival),
        request_rate_rps: positive("--request-rate", rate)?,
        burstiness: positive("--burstiness", burstiness)?,
    })
}

fn arrival_of(arrival: ArrivalArg) -> contracts::serve_bench::result::Arrival {
    use contracts::serve_bench::result::Arrival;
    match arrival {
        ArrivalArg::Poisson => Arrival::Poisson,
        ArrivalArg::Constant => Arrival::Constant,
        ArrivalArg::Gamma => Arrival::Gamma,
    }
}

/// Checks of the load flags that clap cannot make.
pub(crate) fn check_shape(shape: &LoadShapeArgs) -> Result<(), Failure> {
    for (flag, value) in [("--speedup", Some(shape.speedup)), ("--duration", shape.duration)] {
        if let Some(value) = value.filter(|value| !value.is_finite() || *value <= 0.0) {
            return Err(Failure::new(
                Exit::Usage,
                "bad-load",
                format!("{flag} is {value}, not a positive number"),
            ));
        }
    }
    Ok(())
}
