//! The tool as its callers use it: arguments in, document or failure out.

mod advice;
mod any_log;
mod bad_input;
mod estimate;
mod formats;
mod lengths;
mod live;
mod real;
mod recent;
mod run;
mod starts;
mod views;
mod waterfall;
