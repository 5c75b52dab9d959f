//! The tool as its callers use it: arguments in, document or failure out.

mod any_bytes;
mod bad_input;
mod evidence;
mod import;
mod real;
mod rules;
mod run;
mod tricks;
mod views;
