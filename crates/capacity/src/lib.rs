//! Memory and KV cache formulas from a model's config.json.
//!
//! Pure: a configuration and a way to divide it go in, bytes come out. Bytes are `f64`: exact below 2^53, and no foreign
//! number can make them overflow. Nothing here reads a log, asks a server or knows an engine's default.
//!
//! ```
//! use capacity::{KvCache, KvDtype, Parallel};
//! let text = br#"{"num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32}"#;
//! let config = model_config::ModelConfig::from_slice(text)?;
//! let kv = KvCache::of(&config, Parallel::default(), KvDtype::Bf16);
//! // Keys and values of 32 layers with 32 heads of 128 elements, 2 bytes each.
//! assert_eq!(kv.token_bytes(), 2.0 * 32.0 * 32.0 * 128.0 * 2.0);
//! # Ok::<(), model_config::ConfigError>(())
//! ```

/// The reader of configurations, for whoever gives one to the formulas.
pub use model_config;

mod fits;
mod gpu;
mod kv_cache;
mod kv_dtype;
mod layer_cache;
mod parallel;
mod requests;
mod weights;

pub use fits::{Demand, Fits, Room};
pub use gpu::{GPUS, Gpu, Memory};
pub use kv_cache::{KvCache, pages};
pub use kv_dtype::KvDtype;
pub use layer_cache::{Kept, layer_cache};
pub use parallel::Parallel;
pub use requests::{Limit, Limits, Requests};
pub use weights::{Weights, weight_storage};

/// Bytes of a GiB, which engines print as `GB` or `GiB`.
pub const GIB: f64 = (1_u64 << 30) as f64;
