//! What could make a reader take an estimate for more than it is.

use capacity::model_config::Quantization;
use contracts::Warning;
use contracts::capacity_plan::report::{BindingLimit, Capacity};

use super::pool::EstimatedPool;
use crate::bytes::{counted, grouped};
use crate::cli::EstimateArgs;
use crate::load::Load;
use crate::model::Formula;

/// Lengths that were asked for and of which no request fits, where shorter ones do.
pub(super) fn missed(capacity: &[Capacity], load: &Load) -> Option<Warning> {
    let is_asked = |row: &&Capacity| {
        load.lengths
            .iter()
            .any(|(length, _)| *length == row.length_tokens)
    };
    let fits = |row: &Capacity| row.requests.is_some_and(|requests| requests > 0);
    let row = capacity
        .iter()
        .filter(is_asked)
        .find(|row| row.requests == Some(0))?;
    capacity.iter().any(fits).then(|| {
        Warning::new(
            "length-does-not-fit",
            format!(
                "no request of {} tokens fits: {} limits",
                grouped(row.length_tokens),
                row.binding_limit.map_or("nothing known", BindingLimit::name)
            ),
        )
    })
}

pub(super) fn caveats(
    args: &EstimateArgs,
    formula: &Formula<'_>,
    quantization: Option<&Quantization>,
    pool: &EstimatedPool,
    device_source: &str,
) -> Vec<Warning> {
    let mut warnings = vec![Warning::new(
        "estimate",
        format!(
            "nothing was measured: weights by shapes (no towers for images or sound), activations as --reserve-gib says, memory of the device: {device_source}; the log of a start-up knows better"
        ),
    )];
    if pool.bytes <= 0.0 {
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
    let cache = &formula.cache;
    if cache.window_layers > 0 && !args.windows_kept_whole {
        warnings.push(Warning::new(
            "windows-counted-short",
            format!(
                "{} keep a window of {} tokens here, {:.1} KiB of each token beside that; an engine without a pool of their own for them keeps {:.1} KiB of each (its log tells: `windows_kept_whole`): --windows-kept-whole",
                counted(cache.window_layers, "layer"),
                grouped(cache.window_tokens),
                cache.token_bytes() / 1024.0,
                cache.all_kept_bytes() / 1024.0,
            ),
        ));
    }
    if args.mtp && formula.draft_token_bytes.is_none() {
        warnings.push(Warning::new(
            "no-mtp-layers",
            "the configuration names no layers for multi-token prediction: --mtp adds nothing",
        ));
    }
    warnings
}
