//! What loop-ledger says to agent runtimes, as the built binary says it: prompts, texts, hooks, checks, the watch.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line")]

mod campaign;
mod hook;
mod preflight;
mod texts;
mod watch;
