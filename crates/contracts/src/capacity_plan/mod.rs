//! Documents of `capacity-plan`.

pub mod report;
