//! The tool as its callers use it: arguments in, document or failure out.

mod anchors;
mod any_trace;
mod bad_input;
mod captured;
mod diffusion;
mod layers;
mod model;
mod passes;
mod ranks;
mod real;
mod run;
mod types;
mod views;
