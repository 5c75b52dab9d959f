//! Nsight Compute reports and their CSV exports to typed kernels. Pure: bytes in, a [`Report`] out. Written from the bytes of
//! real files; no software of NVIDIA's is used.

mod model;

pub use model::{
    Form, Instance, Kernel, Metric, Private, Report, Rule, RuleKind, Session, Speedup, Value, Warning,
};
