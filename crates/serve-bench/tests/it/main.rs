//! Integration tests of serve-bench, linked once.

#[cfg(test)]
mod doctor;
#[cfg(test)]
mod import;
#[cfg(test)]
mod workload;
