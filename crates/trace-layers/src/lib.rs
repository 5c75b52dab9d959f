//! A trace and a config.json to passes, layers, clusters and flow.
//!
//! The pure core: kernels of one stream in, passes and layers out. Nothing here reads a file, parses a trace or knows what
//! a document looks like.

mod align;
mod assemble;
mod attempt;
mod class;
mod cluster;
mod cut;
mod detect;
mod detection;
mod divider;
mod draft;
mod given;
mod lag;
mod phase;
mod prefix;
mod search;
mod shape;
mod slots;
mod split;
mod steady;

pub use detect::{MAX_KERNELS, detect, detect_at};
pub use detection::{Detection, DetectionWarning, Expected, Kernel, Layer, Method, Pass, Role};
pub use steady::{Steady, steady};
