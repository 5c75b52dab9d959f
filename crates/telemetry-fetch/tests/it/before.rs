//! What an engine's log says before the window and what holds in it: profilers that run, and backends that fell back.

use std::fmt::Write as _;

use serde_json::Value;

use crate::logs::{WINDOW, file, incident};
use crate::{document, run, warnings};

const STARTS: &str = "TP0] Profiling starts. Traces will be saved to: /tmp (with profile id: 7)";
const DONE: &str = "TP0] Profiling done. Traces are saved to: /tmp";

/// The window of a log of these lines, each behind its time of 2 January, and a last one behind the window.
fn window(lines: &[(&str, &str)]) -> Value {
    let mut log = String::new();
    for (time, said) in lines.iter().copied().chain([("10:20:00", "] going on")]) {
        let gap = if said.starts_with(']') { "" } else { " " };
        let _ = writeln!(log, "[2026-01-02 {time}{gap}{said}");
    }
    of(&log)
}

fn of(log: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let log = file(&folder, "engine.log", log);
    document(
        &run(&format!(
            "window --logs {} --log-zone UTC {WINDOW}",
            log.display()
        ))
        .unwrap(),
    )
}

fn is_profiled(lines: &[(&str, &str)]) -> bool {
    let found = window(lines);
    let all = found["data"]["incidents"].as_array().unwrap();
    all.iter()
        .any(|incident| incident["kind"] == "profiled" && incident["invalidates"] == true)
}

#[test]
fn a_profiler_that_runs_when_the_window_begins_contaminates() {
    for began in ["08:00:00", "09:59:57"] {
        let found = window(&[("07:00:00", "] up"), (began, STARTS)]);
        let profiled = incident(&found, "profiled");
        assert_eq!(profiled["at"], format!("2026-01-02T{began}Z"));
        assert_eq!(profiled["count"], 1);
        assert!(warnings(&found).contains(&"window-invalidated"));
    }
    let within = [("08:00:00", STARTS), ("10:05:00", DONE)];
    assert!(is_profiled(&within), "it was ended in the window");
    // Its traces are written after it was told to stop, and the engine waits for that.
    assert!(is_profiled(&[
        ("08:00:00", STARTS),
        ("09:59:50", "TP0] Stop profiling...")
    ]));
}

#[test]
fn a_profiler_that_ended_before_the_window_does_not() {
    let access = |what: &str| format!("] INFO:     127.0.0.1:5 - \"POST /{what}_profile HTTP/1.1\" 200 OK");
    let (start, stop) = (access("start"), access("stop"));
    assert!(!is_profiled(&[("08:00:00", STARTS), ("08:01:00", DONE)]));
    assert!(!is_profiled(&[("08:00:00", &start), ("08:01:00", &stop)]));
    // The ranks end by themselves after so many steps, and nobody asks for it.
    let steps = [
        ("08:00:00", start.as_str()),
        ("08:00:01", STARTS),
        ("08:01:00", DONE),
    ];
    assert!(!is_profiled(&steps));
    // Logs of requests repeat what users wrote.
    let repeated = "] Receive: obj=GenerateReqInto(text='Profiling starts. Profiling done')";
    assert!(!is_profiled(&[("08:00:00", repeated)]));
    assert!(is_profiled(&[("08:00:00", STARTS), ("08:01:00", repeated)]));
    let restart = [
        ("08:00:00", STARTS),
        ("08:01:00", "] INFO:     Started server process [77]"),
    ];
    assert!(!is_profiled(&restart), "another process profiles nothing");
    let again = [("07:00:00", STARTS), ("07:01:00", DONE), ("09:00:00", STARTS)];
    assert_eq!(
        incident(&window(&again), "profiled")["at"],
        "2026-01-02T09:00:00Z"
    );
}

#[test]
fn each_rank_ends_its_own_profile() {
    let of = |rank: &str, line: &str| line.replace("TP0", rank);
    let (second_starts, second_ends) = (of("TP1", STARTS), of("TP1", DONE));
    let one = [
        ("08:00:00", STARTS),
        ("08:00:00", &second_starts),
        ("08:01:00", DONE),
    ];
    assert!(is_profiled(&one));
    let both = [&one[..], &[("08:01:00", second_ends.as_str())]].concat();
    assert!(!is_profiled(&both));
}

#[test]
fn vllm_says_it_in_its_own_words() {
    let vllm = |lines: &[&str]| {
        let mut log = String::from("INFO 01-02 07:00:00 [a.py:1] up\n");
        lines.iter().for_each(|line| {
            let _ = writeln!(log, "{line}");
        });
        log.push_str("INFO 01-02 10:20:00 [a.py:1] going on\n");
        let found = of(&log);
        let all = found["data"]["incidents"].as_array().unwrap();
        all.iter().any(|incident| incident["kind"] == "profiled")
    };
    let start = "(APIServer pid=7) INFO 01-02 08:00:00 [api_router.py:1] Starting profiler...";
    let stopping = "(APIServer pid=7) INFO 01-02 08:01:00 [api_router.py:1] Stopping profiler...";
    let stopped = "(APIServer pid=7) INFO 01-02 08:02:00 [api_router.py:1] Profiler stopped.";
    let most = "(Worker_TP0 pid=9) INFO 01-02 08:01:00 [wrapper.py:1] Max profiling iterations reached. Stopping profiler...";
    assert!(vllm(&[start]));
    assert!(vllm(&[start, stopping]));
    assert!(!vllm(&[start, stopping, stopped]));
    assert!(!vllm(&[start, most]), "the front end is not told");
}

#[test]
fn an_end_in_the_window_is_enough() {
    // It began so far back in the log that nobody looked there.
    let mut log = String::from("[2026-01-01 00:00:00] up\n");
    for line in 0..900_000 {
        let (hour, minute, second) = (line / 60_000, line / 1000 % 60, line / 17 % 60);
        let _ = writeln!(
            log,
            "[2026-01-01 {hour:02}:{minute:02}:{second:02}] {:48}",
            "an access"
        );
        if line == 400_000 {
            let _ = writeln!(log, "[2026-01-01 {hour:02}:{minute:02}:{second:02} {STARTS}");
        }
    }
    let _ = writeln!(log, "[2026-01-02 10:05:00 {DONE}");
    let found = of(&log);
    assert_eq!(incident(&found, "profiled")["at"], "2026-01-02T10:05:00Z");
    // Right before the window it is looked for, however long the log is.
    let log = log.replace(
        "[2026-01-02 10:05:00",
        &format!("[2026-01-02 09:00:00 {STARTS}\n[2026-01-02 10:05:00"),
    );
    assert_eq!(
        incident(&of(&log.replace(DONE, "going on")), "profiled")["at"],
        "2026-01-02T09:00:00Z"
    );
}

#[test]
fn what_fell_back_holds_in_every_window_behind_it() {
    let fell = "] Falling back to diffusers backend.";
    for at in ["08:00:00", "09:59:57"] {
        let found = window(&[("07:00:00", "] up"), (at, fell)]);
        assert_eq!(incident(&found, "fallback")["at"], format!("2026-01-02T{at}Z"));
    }
    // Not in order: all of it is read at once.
    let mut mixed = String::new();
    for hour in [12, 8, 14, 9, 10, 11] {
        for minute in 0..60 {
            let _ = writeln!(
                mixed,
                "[2026-01-02 {hour:02}:{minute:02}:00] an access of some length"
            );
        }
        if hour == 8 {
            let _ = writeln!(mixed, "[2026-01-02 08:59:59{fell}");
        }
    }
    let found = of(&mixed);
    assert!(warnings(&found).contains(&"log-not-in-order"));
    assert_eq!(incident(&found, "fallback")["at"], "2026-01-02T08:59:59Z");
}
