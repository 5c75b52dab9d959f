//! Pure numbers: percentiles, intervals, noise floor, A/B comparison, sequential decisions.
//!
//! Nothing here reads a clock, a file or an argument, and nothing here knows what a request or a
//! server is. Randomness, where a method needs it, comes from a seed that the caller passes.

pub mod block_bootstrap;
pub mod cluster_bootstrap;
pub mod early_stopping;
pub mod group_sequential;
pub mod holm;
pub mod interval;
pub mod normal;
pub mod paired_ratio;
pub mod percentile;
pub mod signed_rank;
pub mod student;
pub mod summary;
pub mod welch;
pub mod wilson;

mod special;
