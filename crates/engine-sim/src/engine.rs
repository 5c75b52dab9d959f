//! A model of a serving engine: continuous batching over a paged KV cache with a radix prefix cache, and a step time
//! from memory traffic, arithmetic and scheduler overhead. Pure and deterministic: it has no clock, time is what its
//! steps say they take.

mod batch;
mod cost;
mod hardware;
mod kv;
mod model_table;
mod noise;
mod radix;
mod scheduler;
mod sequence;
mod settings;
#[cfg(test)]
mod tests;
mod timing;

pub(crate) use cost::{Cost, Graphs, Overhead};
pub(crate) use hardware::{HARDWARE, Hardware};
pub(crate) use model_table::{MODELS, Model};
pub(crate) use noise::Noise;
pub(crate) use scheduler::{Scheduler, Step};
pub(crate) use sequence::Job;
pub(crate) use settings::{Policy, Settings};
pub(crate) use timing::Timing;
