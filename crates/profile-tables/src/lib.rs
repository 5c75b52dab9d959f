//! What the time of a trace went into: kernel, overlap and fuse tables, and the difference of two engines.

pub mod fuse;
