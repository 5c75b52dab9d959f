//! Known fusions, looked for in the sequence of kernels of one stream.
//!
//! A [`Catalogue`] is data: which kernels stand next to each other where a fusion is missing, how the fused kernel is
//! called, where its source is, and under which conditions it runs. [`find`] says of each row whether a trace has it
//! fused, has it split, or has neither. Names and families of kernels decide; Python locations and operators do not.

mod catalogue;
mod matching;
mod pattern;
mod saving;

pub use catalogue::{Catalogue, CatalogueError};
pub use matching::{Context, Finding, Node, State, find};
pub use pattern::{Conditions, Dtype, Kernel, Pattern, Source, Step, gpu_arch};
