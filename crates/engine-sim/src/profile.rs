//! Traces of simulated steps in the layout of the PyTorch profiler, as `/start_profile` and `/stop_profile` of the
//! engines write them, each with the truth beside it.
//!
//! A request (`ask`) opens a `session`; it keeps a `record` of every step; `timeline` lays kernels (`kernels`), calls and
//! frames (`names`) out in time and adds the truth up; `layout` makes JSON of that and `files` puts it on disk. Time in a
//! trace is the model's: steps follow each other, waiting for requests is left out, so equal steps give equal traces.

mod ask;
mod event;
mod files;
mod kernels;
mod layout;
mod names;
mod record;
mod session;
mod timeline;

pub(crate) use ask::Ask;
pub(crate) use files::{check_folder, write};
pub(crate) use record::StepRecord;
pub(crate) use session::{Reached, Session, Started};
pub(crate) use timeline::Scene;
