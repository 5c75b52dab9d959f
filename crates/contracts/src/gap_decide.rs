//! Documents of `gap-decide`.

pub mod calibration;
pub mod decision;
pub mod ranking;
