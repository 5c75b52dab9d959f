//! What every tool that reads torch-profiler traces does alike: the traces of one run with the rank that was asked for,
//! checked to belong together, and what documents say of each.
//!
//! `torch-trace` knows no document and `contracts` no trace: they meet here.

mod error;
mod info;
mod model;
mod ranks;
mod run;
mod same;
#[cfg(test)]
mod test_files;

pub use error::RunError;
pub use info::{defect_warnings, info, input_of};
pub use model::{model_beside, same_model};
pub use ranks::{RankChoice, of_rank};
pub use run::{Run, RunTrace};
