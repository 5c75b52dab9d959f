//! What loop-ledger says to agent runtimes, as the built binary says it: prompts, texts, hooks, checks, the watch.

mod campaign;
mod hook;
mod texts;
