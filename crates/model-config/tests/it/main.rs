//! Configurations of every family, written for these tests; any bytes; and the real ones of a folder.

mod any_bytes;
mod errors;
mod families;
mod real;

use model_config::ModelConfig;

/// Reads a configuration that has to be one.
fn read(text: &str) -> ModelConfig {
    ModelConfig::from_slice(text.as_bytes()).expect("the test's configuration is one")
}

/// Runs of equal layer types: `3 mla+dense, 58 mla+moe`.
fn runs(config: &ModelConfig) -> String {
    config
        .layer_types
        .chunk_by(|a, b| a == b)
        .map(|run| format!("{} {}", run.len(), run[0]))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How often each layer type occurs, in order of first occurrence: `12 full+moe, 36 linear+moe`.
fn counts(config: &ModelConfig) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for layer in &config.layer_types {
        let name = layer.to_string();
        match counts.iter_mut().find(|(other, _)| *other == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect::<Vec<_>>()
        .join(", ")
}
