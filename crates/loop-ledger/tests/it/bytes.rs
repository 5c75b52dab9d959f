//! A changed byte anywhere is found, with its place. `LOOP_LEDGER_BYTES=all` changes every byte; by itself the test takes
//! every byte of the small files and some of the large ones.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use contracts::Exit;

use super::campaign::Campaign;
use super::documents::Compare;

/// Bytes of a file that are changed where not all are asked for.
const SOME: usize = 120;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.file_name().is_some_and(|name| name != ".lock") {
            found.push(path);
        }
    }
}

#[test]
fn a_changed_byte_anywhere_is_found_with_its_place() {
    let campaign = Campaign::begun(PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger")));
    campaign.history();
    let all = std::env::var("LOOP_LEDGER_BYTES").is_ok_and(|which| which == "all");
    // One block is enough here, and as much again is hashed for every byte.
    let pairs = vec![(9.0, 10.0)];
    let document = Compare {
        pairs,
        ..Compare::at("chat", 90.0)
    }
    .document();
    campaign.append("c.json", &document).ok();
    let root = campaign.path("root");
    let verify = || {
        let args =
            loop_ledger::cli::Args::try_parse_from(["loop-ledger", "verify", "--root", &root]).unwrap();
        loop_ledger::run(args)
    };
    verify().unwrap();
    let mut found = Vec::new();
    files(Path::new(&root), &mut found);
    found.sort();
    assert!(found.len() >= 7, "{found:?}");
    let (mut changed, mut whole) = (0, 0);
    for path in &found {
        let bytes = fs::read(path).unwrap();
        whole += bytes.len();
        // A stored file is read-only.
        let is_object = path.components().any(|part| part.as_os_str() == "objects");
        if is_object {
            fs::remove_file(path).unwrap();
        }
        let step = if all { 1 } else { bytes.len().div_ceil(SOME) };
        for place in (0..bytes.len()).step_by(step) {
            let mut other = bytes.clone();
            // Another bit each time, so that white space becomes other white space as well.
            other[place] ^= 1 << (place % 7);
            fs::write(path, &other).unwrap();
            let failure = match verify() {
                Ok(_) => panic!("byte {place} of {} went unnoticed", path.display()),
                Err(failure) => failure,
            };
            assert_eq!(failure.exit, Exit::Drift, "{failure:?}");
            let message = &failure.document.message;
            let is_placed = if is_object {
                message.contains("entry ")
            } else {
                message.contains(&root)
            };
            assert!(is_placed, "{message}");
            changed += 1;
        }
        fs::write(path, &bytes).unwrap();
    }
    verify().unwrap();
    println!(
        "{changed} of {whole} bytes in {} files changed, one at a time: all found, with their place",
        found.len()
    );
}

#[test]
fn white_space_in_the_checkpoint_is_no_checkpoint() {
    let campaign = Campaign::begun(PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger")));
    let path = PathBuf::from(campaign.path("root")).join("checkpoint.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("  ", "\t")).unwrap();
    campaign.run(&["status"]).refused(7, "checkpoint-edited");
}
