//! What all layers keep on the rank that keeps most.

use model_config::ModelConfig;

use crate::kv_dtype::KvDtype;
use crate::layer_cache::{Kept, layer_cache};
use crate::parallel::Parallel;

/// What a model keeps of tokens and requests, on one rank.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KvCache {
    /// Keys of one token, over the layers that keep all tokens; with latent attention, keys and values in one.
    pub k_bytes: f64,
    /// Values of one token, over the layers that keep all tokens.
    pub v_bytes: f64,
    /// Keys of an indexer of one token.
    pub index_bytes: f64,
    /// Keys and values of one token over the layers with a window.
    pub window_token_bytes: f64,
    /// Keys of one token over the layers with a window.
    pub window_k_bytes: f64,
    /// Tokens that layers with a window keep of a request; 0 without such layers.
    pub window_tokens: u64,
    /// State of one request.
    pub state_bytes: f64,
    /// Layers that keep something for every token.
    pub token_layers: u64,
    /// Layers with a window.
    pub window_layers: u64,
    /// Layers with a state of fixed size.
    pub state_layers: u64,
    /// Layers of which something is not counted.
    pub partial_layers: u64,
}

impl KvCache {
    /// Over the layers of the pipeline stage that keeps most of a token.
    pub fn of(config: &ModelConfig, parallel: Parallel, dtype: KvDtype) -> KvCache {
        let stage = |layers: std::ops::Range<usize>| {
            let kept = layers.map(|index| layer_cache(config, index, parallel, dtype));
            kept.fold(KvCache::default(), |sum, kept| {
                sum.with(kept, config.cache.window_tokens.unwrap_or(0))
            })
        };
        let stages = parallel.stages(config.num_hidden_layers()).into_iter().map(stage);
        let weight = |cache: &KvCache| cache.all_kept_bytes() + cache.state_bytes;
        stages
            .max_by(|a, b| weight(a).total_cmp(&weight(b)))
            .unwrap_or_default()
    }

    /// What the model's own layers for multi-token prediction keep of one token: each is a layer of the last kind with
    /// attention. `None` where the model has no such layers.
    pub fn of_mtp(config: &ModelConfig, parallel: Parallel, dtype: KvDtype) -> Option<f64> {
        let layers = config.mtp_layers.filter(|layers| *layers > 0)?;
        let last = config
            .layer_types
            .iter()
            .rposition(|layer| layer.mixer.is_attention())?;
        let kept = layer_cache(config, last, parallel, dtype);
        Some(layers as f64 * (kept.k_bytes + kept.v_bytes + kept.index_bytes))
    }

    fn with(mut self, kept: Kept, window_tokens: u64) -> KvCache {
        let bytes = kept.k_bytes + kept.v_bytes + kept.index_bytes;
        if kept.is_windowed {
            self.window_token_bytes += bytes;
            self.window_k_bytes += kept.k_bytes;
            self.window_tokens = window_tokens;
            self.window_layers += 1;
        } else {
            self.k_bytes += kept.k_bytes;
            self.v_bytes += kept.v_bytes;
            self.index_bytes += kept.index_bytes;
            self.token_layers += u64::from(bytes > 0.0);
        }
        self.state_bytes += kept.state_bytes;
        self.state_layers += u64::from(kept.state_bytes > 0.0);
        self.partial_layers += u64::from(kept.is_partial);
        self
    }

    /// Bytes that one more token of a long request takes.
    pub fn token_bytes(&self) -> f64 {
        self.k_bytes + self.v_bytes + self.index_bytes
    }

    /// Bytes of a token in an engine that keeps all tokens in layers with a window, too.
    pub fn all_kept_bytes(&self) -> f64 {
        self.token_bytes() + self.window_token_bytes
    }

    /// The same in an engine that keeps all tokens of layers with a window, as those do that have no pool of their own for
    /// them; as it is where `whole` is false.
    #[must_use]
    pub fn with_windows_whole(self, whole: bool) -> KvCache {
        if !whole {
            return self;
        }
        KvCache {
            k_bytes: self.k_bytes + self.window_k_bytes,
            v_bytes: self.v_bytes + self.window_token_bytes - self.window_k_bytes,
            window_token_bytes: 0.0,
            window_k_bytes: 0.0,
            window_tokens: 0,
            token_layers: self.token_layers + self.window_layers,
            window_layers: 0,
            ..self
        }
    }

    /// Bytes of a request of that many tokens, in pages of `page` tokens: its tokens, its window, its state.
    pub fn request_bytes(&self, tokens: u64, page: u64) -> f64 {
        let whole = |tokens: u64| pages(tokens, page) as f64;
        let window = if self.window_tokens == 0 {
            tokens
        } else {
            // One page more: a window need not begin where a page does.
            tokens.min(self.window_tokens.saturating_add(page.saturating_sub(1)))
        };
        self.token_bytes() * whole(tokens) + self.window_token_bytes * whole(window) + self.state_bytes
    }

    /// Whether all layers keep all tokens, so that bytes of a token say everything.
    pub fn is_uniform(&self) -> bool {
        self.window_layers == 0 && self.state_layers == 0
    }
}

/// Tokens rounded up to whole pages.
pub fn pages(tokens: u64, page: u64) -> u64 {
    let page = page.max(1);
    tokens.div_ceil(page).saturating_mul(page)
}
