//! Documents of `profile-tables`.

pub mod capture;
pub mod report;
