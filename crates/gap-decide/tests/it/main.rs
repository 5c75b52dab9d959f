//! Documents in, decisions out: the whole tool without a process, and the binary for its exit codes.

#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line")]

mod binary;
mod calibrate;
mod decide;
mod decide_next;
mod decide_validity;
mod errors;
mod fixtures;
mod interface;
mod rank;
mod robustness;
