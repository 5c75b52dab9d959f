//! What the simulated engine counts, and `/metrics` in the names that the engine has.

mod counts;
mod exposition;
mod histogram;
mod sglang;
mod vllm;

pub(crate) use counts::{Counts, Finished, Gauges};

use crate::flavor::{Flavor, Launch};

/// What no engine has, so that numbers of a simulated one are known as such wherever metrics are all that is read.
const SIMULATED: &str = concat!(
    "# HELP engine_sim_info This engine is simulated.\n# TYPE engine_sim_info gauge\nengine_sim_info{version=\"",
    env!("CARGO_PKG_VERSION"),
    "\"} 1.0\n",
);

/// The text of `/metrics`.
pub(crate) fn render(launch: &Launch, counts: &Counts, gauges: &Gauges) -> String {
    let mut text = match launch.flavor {
        Flavor::Sglang => sglang::render(launch, counts, gauges),
        Flavor::Vllm => vllm::render(launch, counts, gauges),
    };
    text.push_str(SIMULATED);
    text
}
