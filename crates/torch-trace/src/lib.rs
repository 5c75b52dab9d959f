//! Torch-profiler bytes to typed events: salvage of damaged files, kernel families, launch correlation.
//!
//! [`read_file`] (bytes, window, tokens, records) -> [`Trace`] (typed events, names once) -> analyses over slices of it.
//! Nothing here knows a document, a table or an argument.

mod captures;
mod collect;
mod completeness;
mod correlate;
mod decimal;
mod defect;
mod derived;
mod engine;
mod event;
pub mod family;
mod file;
mod files;
mod header;
pub mod kernel_name;
mod kernels;
mod lex;
pub mod name_pattern;
mod names;
mod origin;
mod read;
mod record;
mod stack;
mod stages;
mod steps;
mod sweep;
#[cfg(test)]
mod test_trace;
mod window;

pub use captures::{Capture, CaptureText, captures, parse_capture};
pub use collect::{Trace, Want};
pub use completeness::{Completeness, Grade, grade};
pub use correlate::launches;
pub use defect::{Defect, DefectKind};
pub use derived::Derived;
pub use engine::{SIMULATED, engine_of, settings_of};
pub use event::{Annotation, CpuOp, Frame, GpuEvent, GpuKind, Id, RuntimeCall, StreamWait, Track, TrackId};
pub use family::{Family, family_of};
pub use file::read_file;
pub use files::{FilesError, TraceFile, read_all, read_one, trace_paths};
pub use header::Header;
pub use kernel_name::{canonical, short};
pub use kernels::{Kernel, Kernels};
pub use names::{NameId, Names};
pub use origin::{LocatedBy, Origins, is_graph_launch};
pub use read::{ReadError, read};
pub use stack::{Moment, launch_moments, location_in_call_stack, locations, short_location};
pub use stages::{Stage, StageChoice, Stages};
pub use steps::{Step, StepKind, StepText, parse_step, step_of_events, steps};
pub use sweep::{Exposure, Gap, SameStreamOverlap, StageTime, Sweep, Work, same_stream_overlap, sweep};
