//! Session files: what was measured, analysis that cites it, and what follows. Nothing is written that no stored
//! document says.

pub(crate) mod claim;
pub(crate) mod deployment;
pub(crate) mod lookup;
pub(crate) mod text;
