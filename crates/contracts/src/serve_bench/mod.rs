//! Documents of `serve-bench`.

pub mod compare;
pub mod doctor;
pub mod freeze;
pub mod outcome;
pub mod probe;
pub mod record;
pub mod result;
pub mod run;
pub mod selftest;
pub mod shard;
pub mod sweep;
pub mod workload;
