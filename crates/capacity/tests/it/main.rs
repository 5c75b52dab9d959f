//! The formulas against arithmetic by hand, and against any configuration.

mod any_config;
mod fits;
mod kinds;
mod real;
mod weights;

use capacity::{KvCache, KvDtype, Parallel};
use model_config::ModelConfig;

fn config(text: &str) -> ModelConfig {
    ModelConfig::from_slice(text.as_bytes()).expect("the text is a configuration")
}

fn tp(tp: u64) -> Parallel {
    Parallel {
        tp,
        ..Parallel::default()
    }
}

fn bf16(config: &ModelConfig, parallel: Parallel) -> KvCache {
    KvCache::of(config, parallel, KvDtype::Bf16)
}
