//! Torch-profiler bytes to typed events: salvage of damaged files, kernel families, launch correlation.
