//! Raw sockets against a running server: what a client really gets, byte by byte.

mod cli;
mod client;
mod endpoints;
mod timing;
mod traps;
