//! Every error code, with its exit and its hint.

use contracts::Exit;
use tempfile::TempDir;

use crate::generated::Sketch;
use crate::run::{document, run, warnings};

/// The code of the failure, after a look at its exit and its hint.
fn fails(words: &[&str], exit: Exit) -> String {
    let failure = run(words).expect_err("no tables can be made");
    assert_eq!(failure.exit, exit, "{failure:?}");
    assert!(failure.document.hint.is_some(), "{failure:?}");
    failure.document.code.clone()
}

fn write(folder: &TempDir, name: &str, text: &[u8]) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}

#[test]
fn what_is_no_trace_is_refused() {
    let folder = TempDir::new().expect("a folder");
    for (name, text) in [
        ("empty.json", &b""[..]),
        ("words.json", b"no JSON at all"),
        ("other.json", br#"{"a": 1}"#),
        ("zeros.json.gz", &[0x1f, 0x8b, 0, 0]),
    ] {
        let path = write(&folder, name, text);
        assert_eq!(fails(&[&path], Exit::BadInput), "trace-unreadable", "{name}");
    }
    let absent = folder.path().join("absent.json").display().to_string();
    assert_eq!(fails(&[&absent], Exit::BadInput), "trace-unreadable");
}

#[test]
fn a_trace_without_device_work_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .range("cpu_op", "aten::mm", 0, 5)
        .write(&folder, "cpu.json");
    assert_eq!(fails(&[&path], Exit::BadInput), "trace-no-gpu-events");
    let none = write(&folder, "none.json", br#"{"traceEvents": []}"#);
    assert_eq!(fails(&[&none], Exit::BadInput), "trace-no-gpu-events");
}

#[test]
fn a_folder_without_traces_is_refused() {
    let folder = TempDir::new().expect("a folder");
    write(&folder, "server_args.json", b"{}");
    let path = folder.path().display().to_string();
    assert_eq!(fails(&[&path], Exit::BadInput), "trace-not-found");
}

#[test]
fn what_was_asked_for_must_be_there() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .range("user_annotation", "step[DECODE bs=4]", 0, 100)
        .kernel("gemm", 7, 1, 5, 5)
        .write(&folder, "a.json");
    assert_eq!(
        fails(&[&path, "--rank", "3"], Exit::BadInput),
        "trace-no-such-rank"
    );
    assert_eq!(
        fails(&[&path, "--stage", "prefill"], Exit::BadInput),
        "trace-no-such-stage"
    );
    assert_eq!(fails(&[&path, "--rank", "first"], Exit::Usage), "rank-unreadable");
    assert_eq!(
        fails(&[&path, "--min-share-pct", "101"], Exit::Usage),
        "min-share-out-of-range"
    );
}

#[test]
fn two_runs_are_no_ranks_of_one() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str, head: &'static str| {
        Sketch::new()
            .head(head)
            .kernel("gemm", 7, 1, 5, 5)
            .write(&folder, name)
    };
    let a = path("a.json", r#""distributedInfo": {"rank": 0, "world_size": 2}, "#);
    let b = path("b.json", r#""distributedInfo": {"rank": 1, "world_size": 4}, "#);
    assert_eq!(fails(&[&a, &b], Exit::BadInput), "trace-different-runs");
}

#[test]
fn a_missing_rank_is_said() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str, head: &'static str| {
        Sketch::new()
            .head(head)
            .kernel("gemm", 7, 1, 5, 5)
            .write(&folder, name)
    };
    let first = path("a.json", r#""distributedInfo": {"rank": 0, "world_size": 4}, "#);
    let run = folder.path().display().to_string();
    assert!(warnings(&document(&[&run])).contains(&"trace-ranks-missing"));
    assert!(
        !warnings(&document(&[&first])).contains(&"trace-ranks-missing"),
        "one rank was asked for"
    );
    path("b.json", r#""distributedInfo": {"rank": 1, "world_size": 4}, "#);
    path("no-number.json", "");
    let both = document(&[&run]);
    assert!(warnings(&both).contains(&"trace-ranks-missing"));
    assert_eq!(both["data"]["ranks"]["summary"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_capture_of_something_else_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let replay = Sketch::new()
        .graph(1, &[("gemm_a", 5, 5), ("norm_b", 10, 5), ("gemm_a", 15, 5)])
        .write(&folder, "replay.json");
    let other = Sketch::new()
        .kernel("conv", 7, 1, 5, 5)
        .write(&folder, "other.json");
    assert_eq!(
        fails(&[&replay, "--mapping", &other], Exit::BadInput),
        "trace-mapping-mismatch"
    );
    let eager = Sketch::new()
        .kernel("gemm", 7, 1, 5, 5)
        .write(&folder, "eager.json");
    let unused = document(&[&eager, "--mapping", &replay]);
    assert!(warnings(&unused).contains(&"trace-mapping-unused"));
}

#[test]
fn names_from_a_trace_cannot_act_on_a_terminal() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .kernel(r"evil\u001b[2J\u0007\nname", 7, 1, 5, 5)
        .write(&folder, "a.json");
    let report = run(&[&path]).expect("tables");
    for text in [
        report.json().to_owned(),
        report.view().to_terminal(),
        report.view().to_markdown(),
    ] {
        assert!(
            text.chars()
                .all(|character| !character.is_control() || character == '\n'),
            "{text}"
        );
    }
}
