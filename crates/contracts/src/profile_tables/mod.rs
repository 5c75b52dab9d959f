//! Documents of `profile-tables`.

pub mod capture;
mod critical_path;
pub mod diff;
mod graph_place;
pub mod report;
pub mod rows;
