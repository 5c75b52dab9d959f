//! Documents of `config-search`: the plan that a person writes, one row a candidate, the report and the check of a plan.

pub mod candidate;
pub mod plan;
pub mod report;
pub mod validation;
