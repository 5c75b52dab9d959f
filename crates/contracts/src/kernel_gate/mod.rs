//! Documents of `kernel-gate`, and the files that it reads: what a harness writes (`results`), the rows (`workloads`), a dispatch
//! and the map of a ledger's columns. Their schemas are published, so that a harness can be written against them.

pub mod dispatch;
pub mod import;
pub mod map;
pub mod plan;
pub mod results;
pub mod rows;
pub mod verdict;
pub mod workloads;
