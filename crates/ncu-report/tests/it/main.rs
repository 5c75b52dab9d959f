//! Reports as their readers get them: bytes in, kernels or an error out.

mod broken;
mod csv;
mod real;
mod real_pages;
mod redaction;
mod reports;
mod round_trip;
