//! Integration tests of serve-bench, linked once.

#[cfg(test)]
mod workload;
#[cfg(test)]
mod import;
