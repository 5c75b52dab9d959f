//! Documents of `kernel-gate`, and nothing of the ledgers that it reads: those are a foreign format.

pub mod import;
pub mod plan;
pub mod rows;
pub mod verdict;
