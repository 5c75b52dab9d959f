//! The log of llama.cpp's server, which counts from its start, as build 7e4c0a9 writes it.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::logs::{file, incident};
use crate::{document, run, warnings};

const LOG: &str = "\
0.00.012.010 W srv  llama_server: -----------------
0.06.051.907 I srv  llama_server: listening on http://127.0.0.1:58117
0.06.270.407 I slot launch_slot_: id  1 | task 5 | processing task, is_child = 0
0.11.631.365 I slot print_timing: id  1 | task 5 | prompt eval time =     700.00 ms /    40 tokens (   18.90 ms per token,    52.92 tokens per second)
0.11.631.418 I slot print_timing: id  1 | task 5 |        eval time =    4410.00 ms /    64 tokens (   70.00 ms per token,    14.29 tokens per second)
0.11.631.433 I slot print_timing: id  1 | task 5 |       total time =    5360.72 ms /   104 tokens
0.11.631.455 I slot print_timing: id  1 | task 5 |    graphs reused =         62
0.16.864.887 I slot print_timing: id  0 | task 9 | prompt eval time =     300.00 ms /    40 tokens (    7.63 ms per token,   131.01 tokens per second)
0.16.864.944 I slot print_timing: id  0 | task 9 |        eval time =    5040.00 ms /    64 tokens (   78.75 ms per token,    12.70 tokens per second)
0.16.864.950 I slot print_timing: id  0 | task 9 | draft acceptance = 0.57143 (    4 accepted /     7 generated), mean len =  2.33
0.17.000.000 E srv    send_error: task id = 9, error: Context size has been exceeded.
0.17.000.001 I slot      release: id  0 | task 9 | stop processing: n_tokens = 103, truncated = 0
";

fn window(start: Timestamp, end: Timestamp) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let log = file(&folder, "llama.log", LOG);
    let line = format!("window --logs {} --start {start} --end {end}", log.display());
    document(&run(&line).unwrap())
}

#[test]
fn the_times_of_requests_are_numbers() {
    // The last line is taken as written when the file was: now.
    let now = Timestamp::now();
    let found = window(
        now - SignedDuration::from_secs(60),
        now + SignedDuration::from_secs(60),
    );
    assert!(warnings(&found).contains(&"log-clock-elapsed"));
    let series = found["data"]["log_series"].as_array().unwrap();
    let of = |id: &str| series.iter().find(|series| series["id"] == id).unwrap();
    for (id, lines, mean) in [
        ("prefill_time_ms", 2, 500.0),
        ("tpot_ms", 2, 75.0),
        ("accept_ratio", 1, 0.571_43),
        ("accept_length", 1, 2.33),
    ] {
        assert_eq!(
            (&of(id)["lines"], &of(id)["mean"]),
            (&lines.into(), &mean.into()),
            "{id}"
        );
    }
    assert_eq!(found["data"]["sources"][0]["samples"], 5);
    let error = incident(&found, "error");
    assert!(
        error["sample"]
            .as_str()
            .unwrap()
            .contains("Context size has been exceeded")
    );
    assert_eq!(found["data"]["incidents"].as_array().unwrap().len(), 1);
}

#[test]
fn the_window_begins_where_it_says() {
    // Between the first request and the second, which ended 136 ms before the last line.
    let now = Timestamp::now();
    let found = window(
        now - SignedDuration::from_secs(3),
        now + SignedDuration::from_secs(60),
    );
    let series = found["data"]["log_series"].as_array().unwrap();
    let prefill = series
        .iter()
        .find(|series| series["id"] == "prefill_time_ms")
        .unwrap();
    assert_eq!((&prefill["lines"], &prefill["mean"]), (&1.into(), &300.0.into()));
}
