//! The tool as its callers use it: arguments in, document or failure out.

mod bad_input;
mod diff;
mod fuse_catalogue;
mod fuse_errors;
mod fuse_real;
mod fusions;
mod generated;
mod graph_places;
mod legacy;
#[cfg(target_os = "linux")]
mod parallel;
mod real;
mod rows;
mod run;
mod server_info;

use profile_tables::fuse::Node;
use torch_trace::family::family_of;

/// A stream of kernels that take `dur_ns` each.
fn stream<'a>(names: &'a [impl AsRef<str>], dur_ns: i64) -> Vec<Node<'a>> {
    names
        .iter()
        .map(|name| Node {
            name: name.as_ref(),
            family: family_of(name.as_ref()),
            dur_ns,
        })
        .collect()
}
