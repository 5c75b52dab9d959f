//! The tool as its callers use it: arguments in, document or failure out.

mod any_bytes;
mod bad_input;
mod confirmed;
mod evidence;
mod import;
mod leaves;
mod real;
mod rules;
mod run;
mod schemas;
mod tricks;
mod tricks_timed;
mod views;
