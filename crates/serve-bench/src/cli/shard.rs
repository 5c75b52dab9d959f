//! Flags of a load that several machines make together.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// The part of a load.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Load")]
pub struct ShardArgs {
    /// Make part I of N of the load (from 1): each N-th request of the frozen workload, with its share of the concurrency or
    /// at its own arrival times; `serve-bench merge` makes the whole of all parts
    #[arg(long, value_name = "I/N", requires_all = ["start_at", "records"])]
    pub shard: Option<String>,
    /// When to begin, the same for all parts: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "TIME", requires = "shard")]
    pub start_at: Option<String>,
}

/// `merge`.
#[derive(Debug, ClapArgs)]
pub struct MergeArgs {
    /// Records of every part (`run --shard … --records FILE`), or results that name them
    #[arg(required = true, value_name = "RECORDS|RESULT")]
    pub parts: Vec<PathBuf>,
    /// JSONL file that gets the records of all parts, as one generator would have written them
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
}
