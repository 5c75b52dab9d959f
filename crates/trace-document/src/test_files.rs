//! Files of traces for tests.

use std::path::Path;

use torch_trace::{TraceFile, Want, read_one};

/// A trace of one kernel with these members in front; each call writes the same file again.
pub(crate) fn file(folder: &Path, head: &str) -> TraceFile {
    let kernel = r#"{"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":1,"dur":1}"#;
    let path = folder.join("trace.json");
    std::fs::write(&path, format!(r#"{{{head} "traceEvents": [{kernel}]}}"#))
        .expect("the folder is writable");
    read_one(&path, Want::ALL).expect("a trace")
}
