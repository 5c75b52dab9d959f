//! Tests that see the whole repository.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line")]

mod bad_input;
mod capacity;
mod chain;
mod codes;
mod commands;
mod config_search;
mod conversations;
mod documents;
mod fields;
mod fuzz;
mod generated;
mod interrupt;
mod layout;
mod markdown;
mod process;
mod profile_capture;
mod profile_diff;
mod profile_layers;
mod profile_roles;
mod prose;
mod quality;
mod records;
mod repository;
mod shell;
mod skills;
mod source;
mod swap_environment;
mod telemetry;
mod transcripts;
mod tricks;
