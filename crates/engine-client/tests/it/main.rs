//! The measured path and the control path against servers that answer byte by byte as they are told.

mod send;
mod server;
