//! Torch-profiler bytes to typed events: salvage of damaged files, kernel families, launch correlation.

pub mod family;
pub mod kernel_name;
pub mod name_pattern;
