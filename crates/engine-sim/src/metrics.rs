//! What the simulated engine counts, and `/metrics` in the names that the engine has.

mod counts;
mod exposition;
mod histogram;
mod sglang;
mod vllm;

pub(crate) use counts::{Counts, Finished, Gauges};

use crate::flavor::{Flavor, Launch};

/// The text of `/metrics`.
pub(crate) fn render(launch: &Launch, counts: &Counts, gauges: &Gauges) -> String {
    match launch.flavor {
        Flavor::Sglang => sglang::render(launch, counts, gauges),
        Flavor::Vllm => vllm::render(launch, counts, gauges),
    }
}
