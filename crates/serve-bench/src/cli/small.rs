//! Flags of the commands that have few.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// `doctor`.
#[derive(Debug, ClapArgs)]
pub struct DoctorArgs {
    /// Concurrency that the file-descriptor limit must allow
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub concurrency: u32,
}

/// `import`.
#[derive(Debug, ClapArgs)]
pub struct ImportArgs {
    /// Result file
    pub file: PathBuf,
    /// Declares contract fields
    #[arg(long, value_name = "FILE")]
    pub target: Option<PathBuf>,
    /// Declares subject fields
    #[arg(long, value_name = "FILE")]
    pub subject: Option<PathBuf>,
}

/// `selftest`.
#[derive(Debug, ClapArgs)]
pub struct SelftestArgs {
    /// Also measure cost and capacity (about a minute)
    #[arg(long)]
    pub bench: bool,
}
