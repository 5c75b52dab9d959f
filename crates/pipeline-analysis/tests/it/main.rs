//! Real traces, generated ones, and any sequence.

mod real;
