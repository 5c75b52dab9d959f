//! Small traces for the tests of this crate.

use crate::{Trace, Want, read};

/// A trace of the events given as JSON text, separated by commas.
pub(crate) fn trace(events: &str) -> Trace {
    let text = format!("{{\"traceEvents\": [{events}]}}");
    read(text.as_bytes(), Want::ALL).expect("a trace")
}
