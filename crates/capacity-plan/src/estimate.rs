//! A configuration and a device to what would fit: formulas alone, nothing measured.

use capacity::model_config::Quantization;
use capacity::{GIB, Gpu, KvCache, KvDtype, Limits, Parallel, Weights};
use cli_kit::{DocumentParts, Failure, OutputArgs, Report};
use contracts::capacity_plan::report::{
    BindingLimit, Capacity, Engine, Kv, Memory, ReportData, SCHEMA, Source,
};
use contracts::{Finite, Warning};

use crate::bytes::finite;
use crate::capacity_rows::binding;
use crate::cli::EstimateArgs;
use crate::error::CapacityError;
use crate::load::Load;
use crate::model::{self, Config, Formula};
use crate::{kv, report, summary};

pub(crate) fn run(args: &EstimateArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let device = device_bytes(args)?;
    let typed = model::typed_dtype(args.kv_dtype.as_deref())?;
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
    let asked = || KvDtype::parse(quantization?.kv_cache.as_deref()?);
    let dtype = typed
        .or_else(asked)
        .unwrap_or_else(|| model::model_dtype(&config.model));
    let formula = Formula::new(&config, draft.as_ref(), parallel, dtype);
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
    parts.warnings = caveats(args, &formula, quantization, &room);
    let data = data(args, &formula, &room, device, weights, &load);
    parts.summary = format!("Estimate. {}", summary::summary(&data));
    Ok(report::finish(parts, data, output))
}

fn device_bytes(args: &EstimateArgs) -> Result<f64, CapacityError> {
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
        .map(|gib| gib * GIB),
        (None, name) => {
            let name = name.unwrap_or_default();
            let gpu = Gpu::find(name).ok_or_else(|| CapacityError::Gpu(name.to_owned()))?;
            Ok(gpu.total_bytes())
        }
    }
}

/// Bytes of the weights of a model on one rank.
fn weights(
    args: &EstimateArgs,
    config: &Config,
    quantization: Option<&Quantization>,
    parallel: Parallel,
) -> Result<f64, CapacityError> {
    if args.weights_gib.is_some() {
        return Ok(0.0);
    }
    let weights = Weights::of(&config.model).ok_or_else(|| CapacityError::NoWeights(config.path.clone()))?;
    Ok(weights.rank_bytes(&config.model, quantization, parallel))
}

/// What is left for requests, and what each takes.
struct Room {
    /// Bytes on one rank; less than nothing where the weights do not fit.
    pool: f64,
    cache: KvCache,
    /// Bytes of a token in the pool of a draft.
    drafted: f64,
    page: u64,
    max_running_requests: Option<u64>,
    context: Option<u64>,
}

impl Room {
    /// Bytes of a request on one rank.
    fn request_bytes(&self, length: u64) -> f64 {
        let pages = length.div_ceil(self.page).saturating_mul(self.page) as f64;
        self.cache.request_bytes(length, self.page) + self.drafted * pages
    }

    /// Requests of a length whose first tokens are shared, with the limit.
    fn requests(&self, length: u64, shared: u64) -> (u64, BindingLimit) {
        let limits = Limits {
            context_length: self.context,
            max_running_requests: self.max_running_requests,
            ..Limits::default()
        };
        let limit = limits.requests(length, 0);
        let shared = shared.min(length.saturating_sub(1)) / self.page * self.page;
        let once = shared as f64 * (self.cache.token_bytes() + self.drafted);
        let own = self.request_bytes(length) - once;
        let fit = ((self.pool - once) / own.max(1.0)).floor().max(0.0) as u64;
        match limit {
            Some(limit) if limit.requests < fit => (limit.requests, binding(limit.limit)),
            _ => (fit, BindingLimit::Memory),
        }
    }

    /// Tokens of the pool: as many as requests of the longest context hold, where not all layers keep all tokens.
    fn tokens(&self) -> u64 {
        let each = if self.cache.is_uniform() {
            self.cache.token_bytes() + self.drafted
        } else {
            let longest = self.context.unwrap_or(8192).max(1);
            self.request_bytes(longest) / longest as f64
        };
        let tokens = (self.pool / each.max(1.0)).floor().max(0.0) as u64;
        tokens / self.page * self.page
    }
}

fn data(
    args: &EstimateArgs,
    formula: &Formula<'_>,
    room: &Room,
    device: f64,
    weights: f64,
    load: &Load,
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
    let bytes = |bytes: f64| (bytes >= 0.0).then_some(bytes.round() as u64);
    let pool = room.pool.max(0.0);
    let reserve = args.reserve_gib * GIB;
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
            tokens_hold_for: None,
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
        capacity: load.or_typical(room.context).into_iter().map(row).collect(),
        headroom: None,
        advice: Vec::new(),
        memory: vec![Memory {
            rank: None,
            total_bytes: bytes(device),
            weights_bytes: bytes(weights),
            kv_bytes: bytes(pool),
            state_bytes: None,
            graph_bytes: None,
            activation_bytes: bytes(reserve),
            other_bytes: None,
            free_bytes: bytes(device - weights - pool - reserve),
        }],
        pools: Vec::new(),
        failures: Vec::new(),
        log: None,
    }
}

fn caveats(
    args: &EstimateArgs,
    formula: &Formula<'_>,
    quantization: Option<&Quantization>,
    room: &Room,
) -> Vec<Warning> {
    let mut warnings = vec![Warning::new(
        "estimate",
        "nothing was measured: weights by shapes (no towers for images or sound), activations as --reserve-gib says; the log of a start-up knows better",
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
