//! The tool as its callers use it: arguments in, document or failure out.

mod bad_input;
mod generated;
mod real;
mod run;
