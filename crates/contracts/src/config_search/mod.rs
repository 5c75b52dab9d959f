//! Documents of `config-search`: the plan that a person writes, one row a candidate, the report, the checks of a plan and of a
//! dstack configuration.

pub mod candidate;
pub mod config_check;
pub mod plan;
pub mod report;
pub mod validation;
