//! A configuration and a device to what would fit: formulas alone, nothing measured.

mod caveats;
mod data;
mod device;
mod fit;
mod pool;

use capacity::model_config::Quantization;
use capacity::{Demand, GIB, Parallel, Room, Weights};
use cli_kit::{DocumentParts, Failure, OutputArgs, Report};
use contracts::capacity_plan::report::{FitVerdict, SCHEMA};

use crate::cli::EstimateArgs;
use crate::error::CapacityError;
use crate::load::Load;
use crate::model::{self, Config, Formula};
use crate::{kv_dtype, report, summary};
use pool::EstimatedPool;

pub(crate) fn run(args: &EstimateArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let (device, device_source) = device::device_bytes(args)?;
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
    let pool = EstimatedPool {
        bytes: device * args.memory_fraction - weights - args.reserve_gib * GIB,
        cache: formula.cache.with_windows_whole(args.windows_kept_whole),
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
    let lengths = load.or_typical(pool.context);
    // Of lengths that somebody asked for all have to fit; where nobody did, one request of the shortest does.
    let asked = load.lengths.iter().map(|(length, _)| *length).max();
    let shortest = lengths.iter().map(|(length, _)| *length).min();
    let demand = Demand {
        config: &config.model,
        quantization,
        parallel,
        kv_dtype: dtype,
        length: asked.or(shortest).unwrap_or(1),
        requests: 1,
        page: args.page_size,
        weights_bytes: args.weights_gib.map(|gib| gib * GIB),
        draft_token_bytes: drafted,
        windows_kept_whole: args.windows_kept_whole,
    };
    let of_rank = Room {
        device_bytes: device,
        fraction: args.memory_fraction,
        reserve_bytes: args.reserve_gib * GIB + draft_weights,
    };
    let fit = fit::fit(&demand, &of_rank, pool.context);
    // More ranks make no context longer.
    if fit.verdict == FitVerdict::No && fit.needed_bytes.is_some() {
        parts
            .next_actions
            .extend(fit::next_action(args, &demand, &of_rank));
    }
    parts.warnings = caveats::caveats(args, &formula, quantization, &pool, device_source);
    let exit = fit::exit(args.fail_on, fit.verdict);
    let data = data::data(args, &formula, &pool, device, weights, &load, fit);
    parts.warnings.extend(caveats::missed(&data.capacity, &load));
    parts.summary = format!("Estimate. {}", summary::summary(&data));
    Ok(report::finish(parts, data, exit, output))
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
