//! The tool as its callers use it: arguments in, document or failure out, on reports that the encoder of `ncu-report` wrote.

mod binding;
mod comparison;
mod digest;
mod edits;
mod example;
mod exports;
mod fixture;
mod missing;
mod other_commands;
mod private;
mod real;
mod refusals;
mod run;
mod views;
