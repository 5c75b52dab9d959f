//! OpenAI-compatible load and honest timing: frozen workloads, exact stamps, typed outcomes, client health.

pub mod workload;
