//! Lists that name the blocks of each layer: by word, by letter, or by a description of each block.

use serde_json::{Map, Value};

use crate::json::flag;
use crate::layer_type::{Ffn, Mixer};
use crate::reader::Reader;

/// The mixer of a layer, and its feed-forward block where the list decides that, too.
pub(crate) type Block = (Mixer, Option<Ffn>);

/// The blocks that a list names; `None` where the configuration has no such list.
pub(crate) fn blocks(reader: &mut Reader<'_>) -> Option<Vec<Block>> {
    letters(reader)
        .or_else(|| words(reader, "layers_block_type"))
        .or_else(|| words(reader, "layer_types"))
        .or_else(|| descriptions(reader))
}

/// Nemotron-H: one letter a layer, and one block a layer.
fn letters(reader: &mut Reader<'_>) -> Option<Vec<Block>> {
    const KEY: &str = "hybrid_override_pattern";
    let pattern: Vec<char> = reader.object.get(KEY)?.as_str()?.chars().collect();
    if pattern.is_empty() || !reader.fit(KEY, pattern.len()) {
        return None;
    }
    let layers = reader.layers;
    let block = |letter: char| {
        Some(match letter {
            'M' => (Mixer::Mamba, Some(Ffn::None)),
            '*' => (Mixer::Full, Some(Ffn::None)),
            '-' => (Mixer::None, Some(Ffn::Dense)),
            'E' => (Mixer::None, Some(Ffn::Moe)),
            _ => return None,
        })
    };
    let known = |letter: char| {
        block(letter).unwrap_or_else(|| {
            reader.unknown(KEY, letter.encode_utf8(&mut [0; 4]));
            (Mixer::Other, None)
        })
    };
    Some(pattern.into_iter().take(layers).map(known).collect())
}

/// One word a layer. Where a word is a feed-forward block, every layer is one block (Nemotron-H); the Mamba layers of
/// Mamba itself and of Zamba have no feed-forward block either.
fn words(reader: &mut Reader<'_>, key: &'static str) -> Option<Vec<Block>> {
    let words: Vec<&str> = reader
        .per_layer(key)?
        .iter()
        .map(|word| word.as_str().unwrap_or_default())
        .collect();
    let mut blocks: Vec<Block> = Vec::with_capacity(words.len());
    for word in words {
        blocks.push(block(word).unwrap_or_else(|| {
            reader.unknown(key, word);
            (Mixer::Other, None)
        }));
    }
    let one_block = blocks.iter().any(|(mixer, _)| *mixer == Mixer::None);
    let mamba_alone = mamba_alone(reader.model_type());
    for (mixer, ffn) in &mut blocks {
        if one_block || (*mixer == Mixer::Mamba && mamba_alone) {
            *ffn = ffn.or(Some(Ffn::None));
        }
    }
    Some(blocks)
}

/// Models whose Mamba layers are a Mamba block alone.
pub(crate) fn mamba_alone(model_type: &str) -> bool {
    matches!(
        model_type,
        "mamba" | "mamba2" | "falcon_mamba" | "zamba" | "zamba2"
    )
}

/// The names in Transformers 5.10 `layer_types`, and those of models that bring their own code.
fn block(word: &str) -> Option<Block> {
    let mixer = match word {
        "full_attention" | "attention" | "global_attention" | "full" | "global" => Mixer::Full,
        "sliding_attention" | "local_attention" | "sliding_window" | "sliding" | "swa" | "local" => {
            Mixer::Sliding
        }
        "chunked_attention" => Mixer::Chunked,
        "compressed_sparse_attention" => Mixer::C4,
        "heavily_compressed_attention" => Mixer::C128,
        "deepseek_sparse_attention" | "sparse_attention" => Mixer::Dsa,
        "linear_attention" | "gated_delta_net" | "kda" | "lightning_attention" | "gla" => Mixer::Linear,
        "mamba" | "mamba2" | "ssm" => Mixer::Mamba,
        "hybrid" | "parallel" => Mixer::AttentionMamba,
        "conv" | "short_conv" => Mixer::Conv,
        "mlp" | "dense" => return Some((Mixer::None, Some(Ffn::Dense))),
        "moe" | "sparse" => return Some((Mixer::None, Some(Ffn::Moe))),
        _ => return None,
    };
    Some((mixer, None))
}

/// Nemotron-NAS: for each layer what is left of its attention and of its feed-forward network.
fn descriptions(reader: &mut Reader<'_>) -> Option<Vec<Block>> {
    let blocks = reader.per_layer("block_configs")?;
    let part = |block: &Value, key: &str| {
        block
            .get(key)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let state = |part: &Map<String, Value>| (flag(part, "no_op"), flag(part, "replace_with_linear"));
    Some(
        blocks
            .iter()
            .map(|block| {
                let attention = part(block, "attention");
                let mixer = match state(&attention) {
                    (Some(true), _) => Mixer::None,
                    (_, Some(true)) => Mixer::Matrix,
                    _ if attention.get("window_length").is_some_and(Value::is_number) => Mixer::Sliding,
                    _ => Mixer::Full,
                };
                let ffn = match state(&part(block, "ffn")) {
                    (Some(true), _) => Ffn::None,
                    (_, Some(true)) => Ffn::Matrix,
                    _ => Ffn::Dense,
                };
                (mixer, Some(ffn))
            })
            .collect(),
    )
}
