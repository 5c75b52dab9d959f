//! Documents of `profile-tables`.

pub mod capture;
pub mod diff;
pub mod report;
pub mod rows;
