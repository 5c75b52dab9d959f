//! Real traces, generated ones, and any sequence.

mod any_sequence;
mod generate;
mod hybrid;
mod real;
