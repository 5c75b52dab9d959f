//! Torch-profiler bytes to typed events: salvage of damaged files, kernel families, launch correlation.
//!
//! [`read_file`] (bytes, window, tokens, records) -> [`Trace`] (typed events, names once) -> analyses over slices of it.
//! Nothing here knows a document, a table or an argument.

mod collect;
mod decimal;
mod defect;
mod event;
mod file;
mod header;
mod lex;
mod names;
mod read;
mod record;
mod window;

pub use collect::{Trace, Want};
pub use defect::{Defect, DefectKind};
pub use event::{Annotation, CpuOp, Frame, GpuEvent, GpuKind, Id, RuntimeCall, Track, TrackId};
pub use file::read_file;
pub use header::Header;
pub use names::{NameId, Names};
pub use read::{ReadError, read};
