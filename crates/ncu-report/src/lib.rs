//! Nsight Compute reports and their CSV exports to typed kernels. Pure: bytes in, a [`Report`] out. Written from the bytes of
//! real files; no software of NVIDIA's is used.

mod command_line;
mod error;
mod limits;
mod model;
mod read;
mod rep;
mod text;

pub use error::ReadError;
pub use limits::Limits;
pub use model::{
    Form, Instance, Kernel, Metric, Private, Report, Rule, RuleKind, Session, Speedup, Value, Warning,
};
pub use read::{read, read_file};
