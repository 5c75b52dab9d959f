//! Nsight Compute reports and their CSV exports to typed kernels. Pure: bytes in, a [`Report`] out. Written from the bytes of
//! real files; no software of NVIDIA's is used.

mod command_line;
mod csv;
#[cfg(feature = "encoder")]
mod encode;
mod error;
mod facts;
mod limits;
mod model;
mod private;
mod read;
mod redact;
mod rep;
mod text;
mod units;
mod warnings;
mod zstd;

#[cfg(feature = "encoder")]
pub use encode::{encode, encode_compressed};
pub use error::ReadError;
pub use limits::Limits;
pub use model::{
    Form, Instance, Kernel, Metric, Private, Report, Rule, RuleKind, Session, Speedup, Value, Warning,
};
pub use read::{read, read_file};
pub use redact::redact;
pub use units::unit_of;
