//! Documents of `telemetry-fetch`.

pub mod audit;
pub mod context;
pub mod engine;
pub mod gpu;
pub mod incident;
pub mod log;
pub mod metric;
pub mod profile;
pub mod snapshot;
pub mod source;
pub mod window;
