//! The measured path and the control path against servers that answer byte by byte as they are told.

mod probe;
mod send;
mod server;
