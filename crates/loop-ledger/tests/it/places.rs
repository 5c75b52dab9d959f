//! Commands from another folder than the one in which the campaign began.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::campaign::{Campaign, Ended};
use super::documents;

fn run_in(folder: &Path, words: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_loop-ledger"))
        .args(words)
        .current_dir(folder)
        .env_remove("LOOP_LEDGER_ROOT")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_locked_workload_is_found_from_everywhere() {
    let campaign = Campaign::bare(PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger")));
    let project = PathBuf::from(campaign.path(""));
    let init = [
        "init",
        "--root",
        "runs/one",
        "--target",
        "target.yaml",
        "--workload",
        "w.jsonl",
    ];
    run_in(&project, &init).ok();
    let lock = std::fs::read_to_string(project.join("runs/one/target.lock.json")).unwrap();
    assert!(lock.contains("\"path\": \"../../w.jsonl\""), "{lock}");

    // A file of the same name that was never locked.
    let elsewhere = project.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("w.jsonl"), "another\n").unwrap();
    let root = campaign.path("runs/one");
    run_in(&elsewhere, &["verify", "--root", &root]).ok();

    campaign.write("w.jsonl", &documents::workload_jsonl(9, "evidence"));
    for folder in [&elsewhere, &project] {
        run_in(folder, &["verify", "--root", &root]).refused(7, "workload-edited");
    }
}
