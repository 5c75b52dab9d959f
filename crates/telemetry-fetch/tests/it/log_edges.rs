//! Lines at the edges of a window.

use crate::logs::{file, incident};
use crate::{document, run};

/// A stamp of whole seconds that begins before the window may be of before it: no number of such a line counts for the window.
#[test]
fn numbers_of_the_second_that_began_before_the_window_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let line = |second: u32, running: u32| {
        format!(
            "[2026-01-02 10:05:{second:02} TP0] Decode batch, #running-req: {running}, #token: 10, token usage: 0.10, cuda graph: True, gen throughput (token/s): 100.5, #queue-req: 3, \n"
        )
    };
    let error = "[2026-01-02 10:05:10 TP0] ValueError: a\n";
    let text = [line(10, 90), error.to_owned(), line(11, 4), line(12, 6)].concat();
    let log = file(&folder, "engine.log", text);
    let found = document(
        &run(&format!(
            "window --logs {} --log-zone UTC --start 2026-01-02T10:05:10.500Z --end 2026-01-02T10:05:20Z",
            log.display()
        ))
        .unwrap(),
    );
    let series = found["data"]["log_series"].as_array().unwrap();
    let running = series
        .iter()
        .find(|series| series["id"] == "running_requests")
        .unwrap();
    assert_eq!((&running["lines"], &running["max"]), (&2.into(), &6.0.into()));
    // A message of that second is shown all the same.
    assert_eq!(incident(&found, "error")["count"], 1);
}
