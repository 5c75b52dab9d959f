//! What a report cannot be used for, each with its code, its exit and a hint.

use ncu_report::{Kernel, Report, encode};
use tempfile::TempDir;

use crate::fixture::{quiet, report, with, without, write};
use crate::run::{refused, run};

fn of(report: &Report, words: &[&str]) -> (String, u8) {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "test.ncu-rep", report);
    refused(&[&[path.as_str()], words].concat())
}

fn with_kernels(kernels: Vec<Kernel>, words: &[&str]) -> (String, u8) {
    of(&report(kernels), words)
}

#[test]
fn reasons() {
    let named = |name: &str| vec![quiet(name)];
    let few = |passes: f64| vec![with(quiet("k"), &[("profiler__replayer_passes", passes)])];
    for (seen, code) in [
        (
            with_kernels(vec![without(quiet("k"), "throughput")], &[]),
            "missing-section",
        ),
        (
            with_kernels(vec![without(quiet("k"), "launch__waves")], &[]),
            "missing-section",
        ),
        (
            with_kernels(vec![without(quiet("k"), "warps_active")], &[]),
            "missing-section",
        ),
        (with_kernels(few(18.0), &[]), "few-passes"),
        (
            with_kernels(named("ncclDevKernel_ReduceScatter"), &[]),
            "collective",
        ),
        (
            with_kernels(named("ncclDevKernel_ReduceScatter"), &["--kernel", "nccl"]),
            "collective",
        ),
        (
            with_kernels(vec![quiet("warm_up_kernel"), quiet("FillFunctor<float>")], &[]),
            "decoy-only",
        ),
        (
            with_kernels(named("k"), &["--kernel", "other"]),
            "kernel-not-found",
        ),
        (with_kernels(Vec::new(), &[]), "no-kernels"),
    ] {
        assert_eq!(seen, (code.to_owned(), 3));
    }
    for (words, code) in [
        (["--kernel", "("], "kernel-pattern-malformed"),
        (["--declare", "colour=red"], "declaration-unknown"),
    ] {
        assert_eq!(with_kernels(named("k"), &words), (code.to_owned(), 2));
    }
    let pair = ["--candidate", "unread.ncu-rep", "--pair", "a="];
    assert_eq!(with_kernels(named("k"), &pair), ("pair-malformed".to_owned(), 2));
}

#[test]
fn a_refusal_names_what_collects_it() {
    let folder = TempDir::new().expect("a folder");
    let kernel = without(quiet("void evil'; rm -rf ~ #<int>(int)"), "throughput");
    let path = write(&folder, "test.ncu-rep", &report(vec![kernel]));
    let failure = run(&[&path]).expect_err("it is refused");
    let hint = failure.document.hint.expect("a hint");
    assert!(hint.contains("ncu --set full --kernel-name 'regex:^"), "{hint}");
    assert!(
        failure.document.message.contains("SpeedOfLight"),
        "{}",
        failure.document.message
    );
    // The name is quoted: what it closes, it opens again.
    assert!(hint.contains(r"'\''"), "{hint}");
}

#[test]
fn a_cut_file_and_a_foreign_one() {
    let folder = TempDir::new().expect("a folder");
    let bytes = encode(&report(vec![quiet("k")]));
    let path = folder.path().join("cut.ncu-rep");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("the folder is writable");
    let path = path.display().to_string();
    assert_eq!(refused(&[&path]), ("truncated-file".to_owned(), 3));
    assert_eq!(
        refused(&["metrics", &path, "--match", "*"]),
        ("truncated-file".to_owned(), 3)
    );
    let foreign = folder.path().join("foreign.ncu-rep");
    std::fs::write(&foreign, "hello").expect("the folder is writable");
    assert_eq!(refused(&[&foreign.display().to_string()]).1, 3);
}
