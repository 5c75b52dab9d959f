//! Logs that a program has, with stand-ins on PATH that check how they are asked and print what the real ones print.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::logs::{WINDOW, incident};

/// Runs the binary with only a folder of its own on PATH.
fn with_programs(folder: &Path, target: &str) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry-fetch"));
    command.args(["window", "--logs", target, "--format", "json"]);
    command
        .args(WINDOW.split(' '))
        .env("PATH", folder)
        .output()
        .unwrap()
}

fn program(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn programs_that_keep_logs_are_run() {
    let folder = tempfile::tempdir().unwrap();
    let carried = "2026-01-02T10:04:59.000000001Z (EngineCore_DP0 pid=1) INFO 01-02 10:04:59 [a.py:1] ok
2026-01-02T10:05:00.123456789Z Traceback (most recent call last):
2026-01-02T10:05:00.123456790Z   File \"/a.py\", line 1, in f
2026-01-02T10:05:00.123456791Z KeyError: 7
2026-01-02T11:05:00.123456791Z KeyError: later";
    program(
        folder.path(),
        "docker",
        &format!(
            "[ \"$*\" = 'logs --timestamps --since 2026-01-02T10:00:00Z --until 2026-01-02T10:10:01Z engine' ] || exit 9\nexec 1>&2\necho '{carried}'"
        ),
    );
    program(
        folder.path(),
        "kubectl",
        &format!(
            "[ \"$*\" = 'logs --timestamps --since-time 2026-01-02T10:00:00Z --namespace prod engine-0' ] || exit 9\necho '{carried}'"
        ),
    );
    // As systemd 252 writes them, without most of their fields.
    let record = |second: u64, message: &str| {
        format!(
            r#"{{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"{}000000","__MONOTONIC_TIMESTAMP":"7","_TRANSPORT":"stdout","PRIORITY":"6","SYSLOG_IDENTIFIER":"python","_SYSTEMD_UNIT":"vllm.service","_PID":"1","MESSAGE":{message}}}"#,
            1_767_348_000 + second
        )
    };
    let records = [
        record(0, r#""Traceback (most recent call last):""#),
        record(0, r#""  File \"/a.py\", line 1, in f""#),
        record(0, r#""KeyError: 7""#),
        record(1, "[69,82,82,79,82,255]"),
    ];
    program(
        folder.path(),
        "journalctl",
        &format!(
            "[ \"$*\" = '--unit vllm.service --since @1767348000 --until @1767348601 --output json --all --no-pager --quiet' ] || exit 9\necho '{}'",
            records.join("\n")
        ),
    );
    for target in ["docker:engine", "kubectl:prod/engine-0", "journald:vllm.service"] {
        let output = with_programs(folder.path(), target);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{target}: {found:#}");
        let traceback = incident(&found, "traceback");
        assert_eq!(
            traceback["sample"], "KeyError: 7 (File \"/a.py\", line 1, in f)",
            "{target}"
        );
        assert_eq!(traceback["source"], target);
    }
    program(
        folder.path(),
        "docker",
        "echo 'Error response from daemon: No such container: engine' >&2; exit 1",
    );
    let output = with_programs(folder.path(), "docker:engine");
    let failure: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &failure["code"]),
        (Some(4), &"log-program-failed".into())
    );
    assert!(
        failure["message"].as_str().unwrap().contains("No such container"),
        "{failure}"
    );

    let nothing = tempfile::tempdir().unwrap();
    for target in ["docker:engine", "kubectl:engine-0", "journald:vllm.service"] {
        let output = with_programs(nothing.path(), target);
        let failure: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (output.status.code(), &failure["code"]),
            (Some(4), &"log-program-missing".into())
        );
        assert!(failure["hint"].as_str().unwrap().contains("install"));
    }
}

/// A program that gives more than anybody wants is left, and ended.
#[test]
fn a_program_that_never_ends_is_left_behind_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    // Like a pod that writes on and on: `kubectl logs` has no end of a window.
    program(
        folder.path(),
        "kubectl",
        &format!(
            "echo $$ > {}\necho '2026-01-02T10:05:00.1Z ValueError: inside'\nwhile :; do echo '2026-01-02T12:05:00.1Z ValueError: later'; done",
            pid.display()
        ),
    );
    let output = with_programs(folder.path(), "kubectl:engine-0");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{found:#}");
    assert_eq!(incident(&found, "error")["sample"], "ValueError: inside");
    let pid = std::fs::read_to_string(pid).unwrap();
    let alive = Path::new("/proc").join(pid.trim());
    // The number could be of another process by now, which would not be of this name.
    let name = std::fs::read_to_string(alive.join("cmdline")).unwrap_or_default();
    assert!(!name.contains("kubectl"), "it still runs: {name}");
}

#[test]
fn names_that_would_be_flags_reach_no_program() {
    let folder = tempfile::tempdir().unwrap();
    let ran = folder.path().join("ran");
    for name in ["docker", "kubectl", "journalctl"] {
        program(folder.path(), name, &format!("echo > {}", ran.display()));
    }
    for target in [
        "docker:-f",
        "docker:--help",
        "docker:a;id",
        "kubectl:--all-pods",
        "kubectl:prod/-f",
        "kubectl:-n/pod",
        "journald:--vacuum-size=1",
        "journald:$(id)",
    ] {
        let output = with_programs(folder.path(), target);
        let failure: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (output.status.code(), &failure["code"]),
            (Some(2), &"log-target-unreadable".into()),
            "{target}"
        );
    }
    assert!(!ran.exists(), "nothing was run");
}
