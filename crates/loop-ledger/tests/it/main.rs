//! The ledger as a process: what it refuses, what it survives.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line")]

mod bound;
mod bytes;
mod campaign;
mod documents;
mod hostile;
mod kills;
mod next;
mod places;
mod refusals;
mod table;
mod texts;
mod tricks;
mod writers;
