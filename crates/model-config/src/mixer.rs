//! The token mixer of each layer: the first rule that the configuration has keys for.

use serde_json::Value;

use crate::block_list::{Block, blocks, mamba_alone};
use crate::json::{self, flag, whole};
use crate::layer_type::{Ffn, Mixer};
use crate::reader::Reader;

/// Mixer of each layer, and its feed-forward block where a list of blocks decides that, too.
pub(crate) fn mixers(reader: &mut Reader<'_>) -> Vec<Block> {
    let mut blocks = blocks(reader).unwrap_or_else(|| {
        let mixers = by_codes(reader)
            .or_else(|| by_indices(reader))
            .or_else(|| by_interval(reader))
            .or_else(|| by_family(reader))
            .unwrap_or_else(|| window_only(reader));
        let alone = mamba_alone(reader.model_type());
        let ffn = |mixer| (alone && mixer == Mixer::Mamba).then_some(Ffn::None);
        mixers.into_iter().map(|mixer| (mixer, ffn(mixer))).collect()
    });
    latent(reader, &mut blocks);
    blocks
}

/// A number for each layer.
fn by_codes(reader: &mut Reader<'_>) -> Option<Vec<Mixer>> {
    // DeepSeek-V4; Transformers 5.10 configuration_deepseek_v4.py: 0 is the window alone.
    let compressed = |code| match code {
        Some(0 | 1) => Mixer::Sliding,
        Some(4) => Mixer::C4,
        Some(128) => Mixer::C128,
        _ => Mixer::Other,
    };
    // MiniMax-Text-01: 1 is attention, 0 is lightning attention. MiMo-V2: 1 is a window.
    let lightning = |code| {
        if code == Some(0) {
            Mixer::Linear
        } else {
            Mixer::Full
        }
    };
    let window = |code| {
        if code == Some(0) {
            Mixer::Full
        } else {
            Mixer::Sliding
        }
    };
    codes(reader, "compress_ratios", compressed)
        .or_else(|| codes(reader, "attn_type_list", lightning))
        .or_else(|| codes(reader, "hybrid_layer_pattern", window))
        .or_else(|| {
            let sparse = reader
                .object
                .get("sparse_attention_config")?
                .get("sparse_attention_freq")?;
            let sparse = sparse.as_array()?;
            let fits = reader.fit("sparse_attention_freq", sparse.len());
            let block_sparse = |code: &Value| {
                if whole(code) == Some(0) {
                    Mixer::Full
                } else {
                    Mixer::BlockSparse
                }
            };
            fits.then(|| sparse[..reader.layers].iter().map(block_sparse).collect())
        })
}

fn codes(
    reader: &mut Reader<'_>,
    key: &'static str,
    mixer: impl Fn(Option<u64>) -> Mixer,
) -> Option<Vec<Mixer>> {
    let codes = reader.per_layer(key)?;
    let mixers: Vec<Mixer> = codes.iter().map(|code| mixer(whole(code))).collect();
    for (code, mixer) in codes.iter().zip(&mixers) {
        if *mixer == Mixer::Other {
            reader.unknown(key, &code.to_string());
        }
    }
    Some(mixers)
}

/// The numbers of the layers that have attention. Kimi Linear counts its layers from 1.
fn by_indices(reader: &Reader<'_>) -> Option<Vec<Mixer>> {
    let kimi = || {
        let config = reader.object.get("linear_attn_config")?.as_object()?;
        json::list(config, "kda_layers")?;
        Some((
            json::indices(config, "kda_layers")?,
            1,
            Mixer::Linear,
            Mixer::Full,
        ))
    };
    let other = |key, rest| Some((json::indices(reader.object, key)?, 0, Mixer::Full, rest));
    let (numbers, first, inside, outside) = kimi()
        .or_else(|| other("attn_layer_indices", Mixer::Mamba))
        .or_else(|| other("full_attn_idxs", Mixer::Conv))?;
    let members = reader.membership(&numbers, first);
    Some(
        members
            .into_iter()
            .map(|member| if member { inside } else { outside })
            .collect(),
    )
}

/// One layer in `n` differs.
fn by_interval(reader: &Reader<'_>) -> Option<Vec<Mixer>> {
    let layers = 0..reader.layers;
    let last_of = |interval: usize, rest: Mixer| {
        layers
            .clone()
            .map(|layer| {
                if (layer + 1) % interval == 0 {
                    Mixer::Full
                } else {
                    rest
                }
            })
            .collect()
    };
    if let Some(interval) = reader.interval("full_attention_interval") {
        return Some(last_of(interval, Mixer::Linear));
    }
    if let Some(period) = reader.interval("attn_layer_period") {
        let offset = reader.number(&["attn_layer_offset"]).unwrap_or(0) as usize;
        let full = |layer: usize| {
            if layer % period == offset {
                Mixer::Full
            } else {
                Mixer::Mamba
            }
        };
        return Some(layers.map(full).collect());
    }
    let window = ["sliding_window_pattern", "_sliding_window_pattern"];
    let given = window
        .iter()
        .find_map(|key| reader.object.get(*key).filter(|value| !value.is_null()));
    match given {
        // EXAONE 4: a text of L (local) and G (global) that repeats.
        Some(Value::String(letters)) if !letters.is_empty() && letters.chars().all(|c| "LG".contains(c)) => {
            let cycle = letters.chars().cycle().take(reader.layers);
            Some(
                cycle
                    .map(|letter| {
                        if letter == 'G' {
                            Mixer::Full
                        } else {
                            Mixer::Sliding
                        }
                    })
                    .collect(),
            )
        }
        Some(_) => window
            .iter()
            .find_map(|key| Some(last_of(reader.interval(key)?, Mixer::Sliding))),
        None => None,
    }
}

/// What a family does where its configuration does not say it.
fn by_family(reader: &mut Reader<'_>) -> Option<Vec<Mixer>> {
    let every = |layers: usize, interval: usize, rest: Mixer| -> Vec<Mixer> {
        (1..=layers)
            .map(|number| if number % interval == 0 { Mixer::Full } else { rest })
            .collect()
    };
    let layers = reader.layers;
    let windowed = reader.number(&["sliding_window"]).is_some();
    match reader.model_type() {
        "mamba" | "mamba2" | "falcon_mamba" => Some(vec![Mixer::Mamba; layers]),
        "falcon_h1" => Some(vec![Mixer::AttentionMamba; layers]),
        "qwen3_next" => Some(every(layers, 4, Mixer::Linear)),
        "gemma2" | "gpt_oss" if windowed => Some(every(layers, 2, Mixer::Sliding)),
        "cohere2" if windowed => Some(every(layers, 4, Mixer::Sliding)),
        "gemma3n_text" if windowed => Some(every(layers, 5, Mixer::Sliding)),
        "gemma3" | "gemma3_text" if windowed => Some(every(layers, 6, Mixer::Sliding)),
        "llama4" | "llama4_text" if reader.number(&["attention_chunk_size"]).is_some() => {
            // A layer without rotary embedding attends to everything; the list has 0 for it.
            if let Some(rotary) = reader.per_layer("no_rope_layers") {
                let chunked = |code: &Value| {
                    if whole(code) == Some(0) {
                        Mixer::Full
                    } else {
                        Mixer::Chunked
                    }
                };
                return Some(rotary.iter().map(chunked).collect());
            }
            let interval = reader.interval("no_rope_layer_interval").unwrap_or(4);
            Some(every(layers, interval, Mixer::Chunked))
        }
        _ => None,
    }
}

/// One window for all layers, or for those from `max_window_layers` on; no window where it is off, or not smaller than
/// the context.
fn window_only(reader: &Reader<'_>) -> Vec<Mixer> {
    let context = reader.number(&["max_position_embeddings"]).unwrap_or(u64::MAX);
    let switch = flag(reader.object, "use_sliding_window");
    let window = reader
        .number(&["sliding_window"])
        .filter(|window| *window > 0 && *window < context);
    let first = match (switch, window) {
        (Some(false), _) | (_, None) => reader.layers,
        (Some(true), _) => reader.number(&["max_window_layers"]).unwrap_or(0) as usize,
        (None, _) => 0,
    };
    let mixer = |layer| {
        if layer < first {
            Mixer::Full
        } else {
            Mixer::Sliding
        }
    };
    (0..reader.layers).map(mixer).collect()
}

/// Latent attention, where the configuration has the rank of its latent vector.
fn latent(reader: &mut Reader<'_>, blocks: &mut [Block]) {
    if reader.number(&["kv_lora_rank"]).is_none_or(|rank| rank == 0) {
        return;
    }
    let indexed = reader.number(&["index_topk"]).is_some();
    for (mixer, _) in blocks.iter_mut().filter(|(mixer, _)| *mixer == Mixer::Full) {
        *mixer = if indexed { Mixer::Dsa } else { Mixer::Mla };
    }
    if let Some(types) = reader.per_layer("indexer_types") {
        for ((mixer, _), indexer) in blocks.iter_mut().zip(types) {
            if *mixer == Mixer::Dsa && indexer.as_str() == Some("shared") {
                *mixer = Mixer::DsaShared;
            }
        }
    }
}
