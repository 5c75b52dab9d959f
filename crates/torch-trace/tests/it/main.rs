//! One test binary: real traces, where they are there.

mod family_names;
mod real_families;
mod short_names;
