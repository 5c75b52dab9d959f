//! A configuration and a device to what would fit: formulas alone, nothing measured.

use capacity::model_config::Quantization;
use capacity::{Demand, GIB, Gpu, Parallel, Weights};
use cli_kit::{DocumentParts, Failure, OutputArgs, Report};
use contracts::capacity_plan::report::{
    Capacity, Engine, Fit, FitVerdict, Kv, Memory, ReportData, SCHEMA, Source,
};
use contracts::{Finite, Warning};

use crate::bytes::finite;
use crate::cli::EstimateArgs;
use crate::error::CapacityError;
use crate::load::Load;
use crate::model::{self, Config, Formula};
use crate::room::Room;
use crate::{fit, kv, kv_dtype, report, summary};

pub(crate) fn run(args: &EstimateArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let (device, device_source) = device_bytes(args)?;
    let typed = kv_dtype::typed(args.kv_dtype.as_deref())?;
    let config = model::load(&args.config)?;
    let draft = args.draft_config.as_deref().map(model::load).transpose()?;
    let given = args
        .quantization
        .as_deref()
        .map(model::load_quantization)
        .transpose()?;
    let load = Load::read(&args.load, None)?;

    let quantization = given.as_ref().map(|(given, _)| given);
    let quantization = quantization.or(config.model.weights.quantization.as_ref());
    let parallel = Parallel {
        tp: args.tp,
        pp: args.pp,
        attention_dp: args.attention_dp,
        ep: 1,
    };
    let dtype = kv_dtype::of_checkpoint(&config, quantization, typed)?;
    let formula = Formula::new(&config, draft.as_ref(), parallel, dtype);
    if formula.is_empty() {
        return Err(CapacityError::NoKeys(config.path).into());
    }
    let drafted = if draft.is_some() || args.mtp {
        formula.draft_token_bytes.unwrap_or(0.0)
    } else {
        0.0
    };
    let draft_weights = match &draft {
        Some(draft) => weights(args, draft, draft.model.weights.quantization.as_ref(), parallel)?,
        None => 0.0,
    };
    let weights = match args.weights_gib {
        Some(gib) => gib * GIB,
        None => weights(args, &config, quantization, parallel)? + draft_weights,
    };
    let room = Room {
        pool: device * args.memory_fraction - weights - args.reserve_gib * GIB,
        cache: formula.cache,
        drafted,
        page: args.page_size,
        max_running_requests: args.max_running_requests,
        context: config.model.weights.max_position_embeddings,
    };

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs.push(config.input.clone());
    parts.inputs.extend(draft.iter().map(|draft| draft.input.clone()));
    parts
        .inputs
        .extend(given.as_ref().map(|(_, input)| input.clone()));
    parts.inputs.extend(load.input.clone());
    let lengths = load.or_typical(room.context);
    let within = |length: &u64| room.context.is_none_or(|longest| *length <= longest);
    let shortest = lengths.iter().map(|(length, _)| *length);
    let demand = Demand {
        config: &config.model,
        quantization,
        parallel,
        kv_dtype: dtype,
        length: shortest
            .clone()
            .filter(within)
            .min()
            .or(shortest.min())
            .unwrap_or(1),
        requests: 1,
        page: args.page_size,
        weights_bytes: args.weights_gib.map(|gib| gib * GIB),
        draft_token_bytes: drafted,
    };
    let of_rank = capacity::Room {
        device_bytes: device,
        fraction: args.memory_fraction,
        reserve_bytes: args.reserve_gib * GIB + draft_weights,
    };
    let fit = fit::fit(&demand, &of_rank);
    let exit = fit::exit(&fit, args.fail_on);
    if fit.verdict == FitVerdict::No {
        parts
            .next_actions
            .extend(fit::next_action(args, &demand, &of_rank));
    }
    parts.warnings = caveats(args, &formula, quantization, &room, device_source);
    let data = data(args, &formula, &room, device, weights, &load, fit);
    parts.summary = format!("Estimate. {}", summary::summary(&data));
    Ok(report::finish(parts, data, exit, output))
}

/// What a program is given of the device, bytes, and where that number comes from.
fn device_bytes(args: &EstimateArgs) -> Result<(f64, &'static str), CapacityError> {
    let within = |flag, value: f64, ok: bool, range| {
        if ok {
            Ok(value)
        } else {
            Err(CapacityError::OutOfRange { flag, value, range })
        }
    };
    let fraction = args.memory_fraction;
    within(
        "--memory-fraction",
        fraction,
        fraction > 0.0 && fraction <= 1.0,
        "above 0, and 1 at most",
    )?;
    let size = |gib: f64| (0.0..=100_000.0).contains(&gib);
    within(
        "--reserve-gib",
        args.reserve_gib,
        size(args.reserve_gib),
        "0 to 100000",
    )?;
    if let Some(gib) = args.weights_gib {
        within("--weights-gib", gib, size(gib), "0 to 100000")?;
    }
    match (args.gpu_memory_gib, args.gpu.as_deref()) {
        (Some(gib), _) => within(
            "--gpu-memory-gib",
            gib,
            size(gib) && gib > 0.0,
            "above 0, and 100000 at most",
        )
        .map(|gib| (gib * GIB, "--gpu-memory-gib")),
        (None, name) => {
            let name = name.unwrap_or_default();
            let gpu = Gpu::find(name).ok_or_else(|| CapacityError::Gpu(name.to_owned()))?;
            Ok((gpu.total_bytes(), gpu.source))
        }
    }
}

/// Bytes of the weights of a model on the rank that holds most.
fn weights(
    args: &EstimateArgs,
    config: &Config,
    quantization: Option<&Quantization>,
    parallel: Parallel,
) -> Result<f64, CapacityError> {
    if args.weights_gib.is_some() {
        return Ok(0.0);
    }
    Weights::largest_stage_bytes(&config.model, quantization, parallel)
        .ok_or_else(|| CapacityError::NoWeights(config.path.clone()))
}

fn data(
    args: &EstimateArgs,
    formula: &Formula<'_>,
    room: &Room,
    device: f64,
    weights: f64,
    load: &Load,
    fit: Fit,
) -> ReportData {
    let cache = &formula.cache;
    let config = &formula.config.model;
    let schedulers = args.attention_dp;
    let row = |(length, of): (u64, &'static str)| {
        let (requests, limit) = room.requests(length, 0);
        let shared = load.shared.map(|shared| room.requests(length, shared));
        Capacity {
            length_tokens: length,
            of: of.to_owned(),
            requests: Some(requests.saturating_mul(schedulers)),
            binding_limit: Some(limit),
            shared_tokens: load.shared,
            requests_shared: shared.map(|(requests, _)| requests.saturating_mul(schedulers)),
            binding_limit_shared: shared.map(|(_, limit)| limit),
        }
    };
    ReportData {
        source: Source::Estimate,
        engine: Engine {
            kind: None,
            format: None,
            version: None,
            model: None,
            tp: Some(args.tp),
            pp: Some(args.pp),
            dp: Some(args.attention_dp),
            kv_dtype: Some(formula.dtype.name().to_owned()),
            page_tokens: Some(args.page_size),
            context_tokens: room.context,
            max_running_requests: args.max_running_requests,
            memory_fraction_ratio: Finite::new(args.memory_fraction),
        },
        kv: Kv {
            tokens: Some(room.tokens()),
            tokens_hold_for: room.tokens_hold_for(),
            bytes_per_token_log: None,
            rounding_pct: None,
            bytes_per_token_formula: finite(cache.token_bytes()),
            difference_pct: None,
            attention: config.attention.map(|kind| kind.name().to_owned()),
            copies: Some(kv::copies(formula)),
            token_layers: Some(cache.token_layers),
            window_layers: Some(cache.window_layers),
            window_tokens: Some(cache.window_tokens).filter(|tokens| *tokens > 0),
            windows_kept_whole: (cache.window_layers > 0).then_some(false),
            state_layers: Some(cache.state_layers),
            state_bytes_log: None,
            state_bytes_formula: Some(cache.state_bytes)
                .filter(|bytes| *bytes > 0.0)
                .and_then(finite),
            draft_bytes_per_token_log: None,
            draft_bytes_per_token_formula: Some(room.drafted).filter(|bytes| *bytes > 0.0).and_then(finite),
        },
        fit: Some(fit),
        capacity: load.or_typical(room.context).into_iter().map(row).collect(),
        headroom: None,
        advice: Vec::new(),
        memory: vec![memory(device, weights, room.pool, args.reserve_gib * GIB)],
        pools: Vec::new(),
        failures: Vec::new(),
        log: None,
    }
}

/// What is left of the device beside weights, pool and reserve is free; `None` where these are more than it has.
fn memory(device: f64, weights: f64, pool: f64, reserve: f64) -> Memory {
    let whole = |bytes: f64| bytes.max(0.0).round() as u64;
    let (total, parts) = (whole(device), [weights, pool, reserve].map(whole));
    let free = total.checked_sub(parts.iter().sum());
    let [weights, pool, reserve] = parts.map(Some);
    Memory {
        rank: None,
        total_bytes: Some(total),
        weights_bytes: weights,
        kv_bytes: pool,
        state_bytes: None,
        graph_bytes: None,
        activation_bytes: reserve,
        other_bytes: free.map(|_| 0),
        free_bytes: free,
    }
}

fn caveats(
    args: &EstimateArgs,
    formula: &Formula<'_>,
    quantization: Option<&Quantization>,
    room: &Room,
    device_source: &str,
) -> Vec<Warning> {
    let mut warnings = vec![Warning::new(
        "estimate",
        format!(
            "nothing was measured: weights by shapes (no towers for images or sound), activations as --reserve-gib says, memory of the device: {device_source}; the log of a start-up knows better"
        ),
    )];
    if room.pool <= 0.0 {
        warnings.push(Warning::new(
            "weights-leave-no-pool",
            "weights and reserve are more than the fraction of the device: more ranks, or weights in fewer bits",
        ));
    }
    if let Some(heads) = formula
        .config
        .model
        .num_attention_heads
        .filter(|heads| heads % formula.parallel.attention_tp() != 0)
    {
        warnings.push(Warning::new(
            "heads-not-divisible",
            format!(
                "{heads} attention heads do not divide by {} ranks: engines refuse such a start, and the shares here are not whole",
                formula.parallel.attention_tp()
            ),
        ));
    }
    if let Some(quantization) =
        quantization.filter(|how| args.weights_gib.is_none() && capacity::weight_storage(how).is_none())
    {
        warnings.push(Warning::new(
            "weight-storage-unknown",
            format!(
                "how `{}` stores a weight is not known: weights are counted in their own type; give --weights-gib",
                contracts::text::clean(&quantization.method, 40)
            ),
        ));
    }
    warnings.extend(crate::caveats::partial(formula));
    warnings.extend(formula.config.warnings());
    if args.mtp && formula.draft_token_bytes.is_none() {
        warnings.push(Warning::new(
            "no-mtp-layers",
            "the configuration names no layers for multi-token prediction: --mtp adds nothing",
        ));
    }
    warnings
}
