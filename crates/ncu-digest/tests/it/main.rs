//! The tool as its callers use it: arguments in, document or failure out, on reports that the encoder of `ncu-report` wrote.

mod comparison;
mod digest;
mod edits;
mod example;
mod fixture;
mod other_commands;
mod real;
mod refusals;
mod run;
mod views;
