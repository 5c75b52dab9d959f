//! A model's `config.json` to layer count, layer types, attention kind, and the widths that memory is made of.
//!
//! Pure: bytes in, [`ModelConfig`] out. Nothing here opens a file or knows what a trace is. The format is foreign, so it
//! is read leniently: what is absent is `None`, what contradicts itself is a [`ConfigWarning`], and only a text that gives
//! no layer count at all is a [`ConfigError`].
//!
//! ```
//! let text = br#"{"model_type": "qwen3", "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8}"#;
//! let config = model_config::ModelConfig::from_slice(text)?;
//! assert_eq!(config.num_hidden_layers(), 36);
//! assert_eq!(config.layer_types[0].to_string(), "full+dense");
//! # Ok::<(), model_config::ConfigError>(())
//! ```

mod attention;
mod block_list;
mod cache;
mod config;
mod error;
mod ffn;
mod json;
mod layer_count;
mod layer_type;
mod mixer;
mod reader;
mod warning;
mod weights;

pub use attention::AttentionKind;
pub use cache::{CacheDims, HeadDims, StateDims};
pub use config::ModelConfig;
pub use error::ConfigError;
pub use layer_type::{Ffn, LayerType, Mixer};
pub use warning::ConfigWarning;
pub use weights::{Quantization, WeightDims};
