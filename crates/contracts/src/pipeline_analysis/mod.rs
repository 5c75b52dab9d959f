//! Documents of `pipeline-analysis`.

pub mod report;
