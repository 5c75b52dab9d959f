//! Documents of `profile-tables`.

pub mod report;
