//! Whether what a rank is asked to hold fits into its memory, before anything is started: a prior, not a measurement.
//!
//! Weights counted from shapes are near, not exact, and a pipeline's stages are not alike. What lies within that is
//! [`Fits::Unknown`]: neither answer is given where the count cannot tell.

use model_config::{ModelConfig, Quantization};

use crate::kv_cache::{KvCache, pages};
use crate::kv_dtype::KvDtype;
use crate::parallel::Parallel;
use crate::weights::{Weights, weight_storage};

/// How far a count from shapes is off, as a ratio: within 2 % of what makers publish on the models of the tests.
const WEIGHTS_OFF: f64 = 0.02;

/// The same of quantized weights: checkpoints differ in the size of a group, and in the layers that they leave as they were.
const QUANTIZED_OFF: f64 = 0.1;

/// What each rank is asked to hold.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// The model.
    pub config: &'a ModelConfig,
    /// How its weights are stored; `None` is in their own type.
    pub quantization: Option<&'a Quantization>,
    /// How it is divided.
    pub parallel: Parallel,
    /// How keys and values are stored.
    pub kv_dtype: KvDtype,
    /// Tokens of the longest request, prompt and answer together.
    pub length: u64,
    /// Requests of that length that one scheduler holds at once. 1 asks whether the engine can serve at all.
    pub requests: u64,
    /// Tokens of a page of the pool; 0 and 1 are the same.
    pub page: u64,
    /// Weights on the rank with most, bytes, where they are known; `None` counts them from the shapes.
    pub weights_bytes: Option<f64>,
    /// Bytes of a token in the pool of a draft; 0 without one.
    pub draft_token_bytes: f64,
    /// Whether layers with a window keep all tokens.
    pub windows_kept_whole: bool,
}

/// The memory of one rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// What a program is given of the device, bytes.
    pub device_bytes: f64,
    /// Part of it that the engine may use, as a ratio.
    pub fraction: f64,
    /// What is needed within that beside weights and pools, bytes: activations, weights of a draft.
    pub reserve_bytes: f64,
}

impl Room {
    /// Bytes that the engine may use.
    pub fn available_bytes(&self) -> f64 {
        self.device_bytes * self.fraction
    }
}

/// Whether it fits.
#[derive(Clone, Debug, PartialEq)]
pub enum Fits {
    /// It does.
    Yes,
    /// It does not, whatever the count may be off.
    No {
        /// Bytes that a rank would need.
        needed_bytes: f64,
        /// Bytes that it may use.
        available_bytes: f64,
    },
    /// The numbers do not tell.
    Unknown {
        /// Why not.
        why: String,
    },
}

impl Demand<'_> {
    /// Whether each rank holds its part.
    pub fn fits(&self, room: &Room) -> Fits {
        match self.weights().and_then(|weights| self.judge(&weights, room)) {
            Ok(fits) => fits,
            Err(why) => Fits::Unknown { why },
        }
    }

    /// The same over other numbers of ranks. Known weights are divided as the shapes are, or else as the layers are; the
    /// largest pipeline stage decides.
    #[must_use]
    pub fn divided(&self, tp: u64, pp: u64) -> Self {
        let parallel = Parallel {
            tp,
            pp,
            ..self.parallel
        };
        let share = self.largest_share(parallel) / self.largest_share(self.parallel);
        Demand {
            parallel,
            weights_bytes: self.weights_bytes.map(|bytes| bytes * share),
            ..*self
        }
    }

    /// What the largest stage holds, in a unit that is the same for all divisions of this model.
    fn largest_share(&self, parallel: Parallel) -> f64 {
        let by_layers = || {
            let stages = parallel.stages(self.config.num_hidden_layers());
            let most = stages.into_iter().map(|layers| layers.len()).max();
            most.unwrap_or(1).max(1) as f64 / parallel.tp.max(1) as f64
        };
        let by_shapes = Weights::largest_stage_bytes(self.config, self.quantization, parallel);
        by_shapes.filter(|bytes| *bytes > 0.0).unwrap_or_else(by_layers)
    }

    fn judge(&self, weights: &Span, room: &Room) -> Result<Fits, String> {
        let cache = KvCache::of(self.config, self.parallel, self.kv_dtype)
            .with_windows_whole(self.windows_kept_whole);
        let draft = self.draft_token_bytes * pages(self.length, self.page) as f64;
        let request = cache.request_bytes(self.length, self.page) + draft;
        let rest = self.requests as f64 * request + room.reserve_bytes;
        let available_bytes = room.available_bytes();
        if weights.least + rest > available_bytes {
            return Ok(Fits::No {
                needed_bytes: weights.counted + rest,
                available_bytes,
            });
        }
        if cache.partial_layers > 0 {
            let layers = cache.partial_layers;
            return Err(format!(
                "{layers} layers keep something that the configuration gives no width of"
            ));
        }
        if weights.most + rest > available_bytes {
            return Err(
                "weights by their shapes, and how stages share them, are no nearer than that".to_owned(),
            );
        }
        Ok(Fits::Yes)
    }

    /// Weights on the rank that has most; why they are not known.
    fn weights(&self) -> Result<Span, String> {
        self.divides()?;
        if let Some(known) = self.weights_bytes {
            return Ok(Span {
                least: known,
                counted: known,
                most: known,
            });
        }
        let method = self.quantization.filter(|how| weight_storage(how).is_none());
        if let Some(quantization) = method {
            let method: String = quantization.method.chars().take(40).collect();
            return Err(format!("how `{method}` stores a weight is not known"));
        }
        let missing = "the configuration lacks a width of the weights";
        let weights = Weights::of(self.config).ok_or(missing)?;
        let mean = weights.rank_bytes(self.config, self.quantization, self.parallel);
        let largest =
            Weights::largest_stage_bytes(self.config, self.quantization, self.parallel).ok_or(missing)?;
        let off = if self.quantization.is_some() {
            QUANTIZED_OFF
        } else {
            WEIGHTS_OFF
        };
        Ok(Span {
            // Stages can be divided by hand; no division is below the mean.
            least: mean * (1.0 - off),
            counted: largest,
            most: largest * (1.0 + off),
        })
    }

    /// What engines refuse to divide.
    fn divides(&self) -> Result<(), String> {
        let Parallel {
            tp, pp, attention_dp, ..
        } = self.parallel;
        if tp % attention_dp.max(1) != 0 {
            return Err(format!(
                "{attention_dp} replicas of attention do not divide {tp} ranks"
            ));
        }
        let ranks = self.parallel.attention_tp();
        if let Some(heads) = self.config.num_attention_heads.filter(|heads| heads % ranks != 0) {
            return Err(format!("{heads} attention heads do not divide by {ranks} ranks"));
        }
        let layers = self.config.num_hidden_layers() as u64;
        if pp > layers {
            return Err(format!("{layers} layers are no {pp} pipeline stages"));
        }
        Ok(())
    }
}

/// A number of bytes, and how far it may be off.
struct Span {
    least: f64,
    counted: f64,
    most: f64,
}
