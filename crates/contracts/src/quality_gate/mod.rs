//! Documents of `quality-gate`: what an engine answered, and whether it answers as well as before.

pub mod agreement;
pub mod record;
pub mod result;
pub mod verdict;
