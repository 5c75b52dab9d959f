//! The workload file: what it gives back, and how a changed, cut or foreign one is refused.

use std::path::{Path, PathBuf};

use cli_kit::ToolError as _;
use contracts::Exit;
use serde_json::{Value, json};
use serve_bench::workload::{RandomPlan, ScenarioPlan, Workload, WorkloadError};

use super::{file, plan, words};

/// Two scenarios of three requests, and the file they were written to.
pub(super) fn written() -> (tempfile::TempDir, PathBuf, Workload) {
    written_of(3)
}

fn written_of(requests: u64) -> (tempfile::TempDir, PathBuf, Workload) {
    let scenario = |name| {
        let mut scenario = ScenarioPlan::random(name, 1, requests, RandomPlan::fixed(6, 4).spread(0.5));
        scenario.extra_body =
            Some(json!({"top_p": 0.1, "seed": 18446744073709551615_u64, "note": "é\u{1F600}\n"}));
        scenario
    };
    let mut workload = words(&plan(vec![scenario("a"), scenario("b")]));
    workload.notes.clear();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.jsonl");
    workload.write(&path).unwrap();
    (folder, path, workload)
}

fn read_edited(edit: impl FnOnce(String) -> String) -> WorkloadError {
    let (_folder, path, _) = written();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, edit(text)).unwrap();
    Workload::read(&path).unwrap_err()
}

#[test]
fn a_file_gives_back_what_was_frozen() {
    let (folder, path, workload) = written();
    assert_eq!(Workload::read(&path).unwrap(), workload);
    // Nothing but the file is left behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    // An editor that took off the last line feed did no harm.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.trim_end()).unwrap();
    assert_eq!(Workload::read(&path).unwrap(), workload);
}

#[test]
fn the_header_validates_against_the_published_schema_names() {
    let (_folder, path, _) = written();
    let text = std::fs::read_to_string(path).unwrap();
    let header: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(header["schema"], "serve-bench.workload/1");
    assert!(text.starts_with(r#"{"schema":"#));
}

#[test]
fn a_changed_file_is_exit_7() {
    let swap = |text: String| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(2, 3);
        lines.join("\n")
    };
    let without_second = |text: String| {
        let lines: Vec<&str> = text.lines().collect();
        [&lines[..2], &lines[3..]].concat().join("\n")
    };
    let one_more = |text: String| {
        let last = text.lines().last().unwrap().to_owned();
        text + &last + "\n"
    };
    let errors = [
        read_edited(|text| text.replacen("\"top_p\":0.1", "\"top_p\":0.2", 1)),
        read_edited(|text| text.replacen("\"arrival_offset_ms\":null", "\"arrival_offset_ms\":5.0", 1)),
        read_edited(|text| {
            text.replacen(
                "request_stream_sha256\":\"sha256:",
                "request_stream_sha256\":\"sha256:0",
                1,
            )
        }),
        read_edited(swap),
        read_edited(without_second),
        read_edited(one_more),
    ];
    for error in errors {
        assert_eq!(
            (error.code(), error.exit()),
            ("workload-hash-mismatch", Exit::Drift),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("changed after it was frozen"));
    }
}

#[test]
fn a_cut_file_is_exit_3_at_every_length() {
    // Two requests each: cuts within and between requests, and between scenarios.
    let (_folder, path, _) = written_of(2);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let whole = std::fs::metadata(&path).unwrap().len();
    for cut in (1..whole - 1).rev() {
        file.set_len(cut).unwrap();
        let error = Workload::read(&path).unwrap_err();
        assert_eq!(error.exit(), Exit::BadInput, "cut at {cut}: {error}");
        assert!(
            ["workload-truncated", "workload-foreign"].contains(&error.code()),
            "cut at {cut}: {error}"
        );
    }
    let error = read_edited(|text| text.lines().take(4).map(|line| format!("{line}\n")).collect());
    assert_eq!(error.code(), "workload-truncated");
    assert!(error.to_string().contains("ends at line 4"), "{error}");
}

#[test]
fn what_is_no_workload_file_is_named_with_its_line() {
    for (text, code) in [
        ("", "workload-empty"),
        ("\n", "workload-foreign"),
        ("hello", "workload-foreign"),
        ("{}", "workload-foreign"),
        (r#"{"schema": "serve-bench.result/1"}"#, "workload-foreign"),
        (r#"{"schema": "serve-bench.workload/2"}"#, "workload-version"),
        (r#"{"schema": "serve-bench.workload/0"}"#, "workload-version"),
        (r#"{"schema": "serve-bench.workload/1"}"#, "workload-malformed"),
    ] {
        let file = file(text);
        let error = Workload::read(file.path()).unwrap_err();
        assert_eq!(
            (error.code(), error.exit()),
            (code, Exit::BadInput),
            "{text}: {error}"
        );
        assert!(error.hint().is_some());
    }
    let newer = Workload::read(file(r#"{"schema": "serve-bench.workload/2"}"#).path()).unwrap_err();
    assert!(newer.hint().unwrap().contains("update"), "{newer}");
    let error = Workload::read(Path::new("/nonexistent/w.jsonl")).unwrap_err();
    assert_eq!(
        (error.code(), error.exit()),
        ("workload-unreadable", Exit::BadInput)
    );
}

#[test]
fn lines_that_do_not_read_are_named() {
    for (from, to, named) in [
        (
            "{\"scenario\":\"a\",\"index\":1",
            "{\"scenario\":\"a\",\"index\":\"x\"",
            "line 3",
        ),
        ("\"max_tokens\":", "\"model\":\"m\",\"max_tokens\":", "`model`"),
        ("\"stream\":true", "\"stream\":false", "`stream`"),
        ("\"output_len\":", "\"output_len\":9", "output_len"),
    ] {
        let error = read_edited(|text| {
            let (header, rest) = text.split_once('\n').unwrap();
            format!("{header}\n{}", rest.replacen(from, to, 1))
        });
        assert_eq!(error.code(), "workload-malformed", "{to}: {error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_exit_4() {
    let (_folder, _, workload) = written();
    let error = workload.write(Path::new("/nonexistent/w.jsonl")).unwrap_err();
    assert_eq!(
        (error.code(), error.exit()),
        ("workload-not-written", Exit::Unavailable)
    );
    assert!(error.hint().unwrap().contains("disk"));
}

/// Whether a process catches SIGINT by now (`SigCgt` of proc(5)).
#[cfg(target_os = "linux")]
fn catches_interrupt(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 2 != 0)
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_a_freeze_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    // Half a gigabyte of text: far more than is made before the signal.
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_serve-bench"))
        .args([
            "freeze",
            "--num-prompts",
            "10000",
            "--input-len",
            "8000",
            "--format",
            "json",
            "--out",
        ])
        .arg(folder.path().join("w.jsonl"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !catches_interrupt(child.id()) {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it could be interrupted"
        );
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["code"], "interrupted");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
