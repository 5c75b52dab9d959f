//! Every error with its code, its exit and a hint.

use tempfile::TempDir;

use crate::run::{run, write};

fn fails(words: &[&str], code: &str, exit: u8) {
    let failure = run(words).expect_err("there is no document");
    assert_eq!(
        (failure.document.code.as_str(), failure.exit.code()),
        (code, exit),
        "{failure:?}"
    );
    assert!(failure.document.hint.is_some(), "{code} has a hint");
    assert!(
        failure.document.message.starts_with(|c: char| c.is_lowercase()),
        "{failure:?}"
    );
}

#[test]
fn every_code() {
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str, text: &str| write(&folder, name, text);
    let results = file(
        "results.jsonl",
        "{\"event\":\"result\",\"id\":\"a\",\"status\":\"PASSED\"}\n",
    );
    let rows = file("rows.json", r#"[{"id":"a"}]"#);
    let broken = file("broken.json", "{");
    fails(&["judge", &broken], "results-malformed", 3);
    fails(
        &["judge", &results, "--workloads", &broken],
        "row-set-malformed",
        3,
    );
    fails(
        &["judge", &results, "--dispatch", &broken],
        "dispatch-malformed",
        3,
    );
    fails(
        &["judge", &results, "--share", "101"],
        "gate-number-out-of-range",
        2,
    );
    fails(
        &["judge", &results, "--peak-bytes-per-s", "0"],
        "gate-number-out-of-range",
        2,
    );
    fails(&["plan", "--workloads", &rows, "--only", "b"], "row-unknown", 2);
    let ledger = file("ledger.csv", "name,base\na,1\n");
    fails(&["import", &ledger, "--map", &broken], "column-map-malformed", 3);
    let map = |more: &str| {
        let text = "id = [\"name\"]\nassume_valid = true\n[[times]]\nclock = \"wall\"\nside = \"baseline\"\nmedian = ";
        file("map.toml", &format!("{text}{more}\n"))
    };
    let out = folder.path().join("out.jsonl").display().to_string();
    fails(
        &["import", &ledger, "--map", &map("\"other\""), "--out", &out],
        "csv-ledger-refused",
        3,
    );
    let nowhere = folder.path().join("no/such/folder.jsonl").display().to_string();
    fails(
        &["import", &ledger, "--map", &map("\"base\""), "--out", &nowhere],
        "results-not-written",
        4,
    );
}

#[test]
fn a_row_set_that_was_edited_after_it_was_frozen() {
    let folder = TempDir::new().expect("a folder");
    let rows = write(&folder, "rows.json", r#"[{"id":"a"},{"id":"b"}]"#);
    let frozen = folder.path().join("frozen.json").display().to_string();
    let report = run(&["freeze", &rows]).expect("it freezes");
    std::fs::write(&frozen, report.json()).expect("the folder is writable");
    assert!(run(&["plan", "--workloads", &frozen]).is_ok());
    let edited = report
        .json()
        .replacen("\"production\": true", "\"production\": false", 1);
    std::fs::write(&frozen, edited).expect("the folder is writable");
    fails(&["plan", "--workloads", &frozen], "row-set-malformed", 3);
}
