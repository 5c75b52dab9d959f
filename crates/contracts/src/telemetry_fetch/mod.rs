//! Documents of `telemetry-fetch`.

pub mod audit;
pub mod engine;
pub mod gpu;
pub mod metric;
pub mod snapshot;
pub mod source;
pub mod window;
