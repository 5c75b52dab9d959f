//! Ledgers of other harnesses, by a map of their columns.

use tempfile::TempDir;

use crate::run::{codes, document, number, run, write};

const LEDGER: &str = "# a comment\nname,run,side,clock,time,sd,ok,speed,gpu\n\
a,1,old,dev,0.010,0.0001,yes,,G1\na,1,new,dev,0.008,0.0001,yes,1.25x,G1\n\
\"b,1\",1,old,dev,0.020,0.0001,yes,,G1\n\"b,1\",1,new,dev,0.016,0.0001,yes,1.2500x,G1\n\
a,2,old,dev,9,9,yes,,G1\nmean,1,,,,,,1.25,\n";

const MAP: &str = r#"
id = ["name"]
speedup = "speed"
ignore = []
[[keep]]
column = "run"
equals = "1"
[[keep]]
column = "name"
not_starts_with = "mean"
[valid]
column = "ok"
equals = "yes"
[[times]]
clock = "device"
side = "baseline"
unit = "ms"
when = { side = "old", clock = "dev" }
median = "time"
std = "sd"
mean = "time"
[[times]]
clock = "device"
side = "candidate"
unit = "ms"
when = { side = "new", clock = "dev" }
median = "time"
std = "sd"
mean = "time"
[provenance]
gpu_uuid = "gpu"
[summary]
geomean = "speed"
[[summary.keep]]
column = "name"
equals = "mean"
"#;

/// The imported document, and the verdict on what was imported.
fn judged(ledger: &str, map: &str) -> (serde_json::Value, serde_json::Value) {
    let folder = TempDir::new().expect("a folder");
    let (ledger, map) = (write(&folder, "l.csv", ledger), write(&folder, "m.toml", map));
    let out = folder.path().join("r.jsonl").display().to_string();
    let imported = document(&["import", &ledger, "--map", &map, "--out", &out]);
    (imported, document(&["judge", &out]))
}

fn refused(ledger: &str, map: &str) -> String {
    let folder = TempDir::new().expect("a folder");
    let (ledger, map) = (write(&folder, "l.csv", ledger), write(&folder, "m.toml", map));
    let out = folder.path().join("r.jsonl").display().to_string();
    let failure = run(&["import", &ledger, "--map", &map, "--out", &out]).expect_err("it is refused");
    failure.document.message
}

#[test]
fn sides_on_two_lines_in_milliseconds() {
    let (imported, judged) = judged(LEDGER, MAP);
    assert_eq!(
        (&imported["data"]["rows"], &imported["data"]["lines_left_out"]),
        (&2.into(), &2.into())
    );
    let data = &judged["data"];
    assert!((number(&data["geomean"]["device"]) - 1.25).abs() < 1e-6);
    assert_eq!(data["rows"][0]["baseline_us"], 10.0);
    assert_eq!(number(&data["reported_geomean"]), 1.25);
    assert_eq!(codes(&judged, "invalid"), Vec::<&str>::new());
}

#[test]
fn what_is_not_valid_is_incorrect() {
    let (_, judged) = judged(&LEDGER.replacen(",yes,", ",no,", 1), MAP);
    assert_eq!(judged["data"]["verdict"], "reject_correctness");
}

#[test]
fn several_devices_in_one_run() {
    let (_, judged) = judged(&LEDGER.replacen("1.25x,G1", "1.25x,G2", 1), MAP);
    assert_eq!(codes(&judged, "invalid"), ["measured-on-several"]);
}

#[test]
fn what_is_not_mapped_is_refused() {
    let extra = refused(&LEDGER.replace(",gpu\n", ",gpu2\n"), MAP);
    assert!(extra.contains("not there: `gpu`"), "{extra}");
    let unmapped = refused(LEDGER, &MAP.replace("[provenance]\ngpu_uuid = \"gpu\"\n", ""));
    assert!(unmapped.contains("neither uses nor ignores: `gpu`"), "{unmapped}");
    let twice = refused(&LEDGER.replace("a,2,", "a,1,"), MAP);
    assert!(twice.contains("second time"), "{twice}");
    let text = refused(&LEDGER.replacen("0.010", "fast", 1), MAP);
    assert!(text.contains("`fast` is no number"), "{text}");
    let valid = refused(
        LEDGER,
        &MAP.replace("[valid]\ncolumn = \"ok\"\nequals = \"yes\"\n", ""),
    );
    assert!(valid.contains("assume_valid"), "{valid}");
    let empty = refused(
        "name\n",
        "id = [\"name\"]\nassume_valid = true\n[[times]]\nclock = \"wall\"\nside = \"baseline\"\nmedian = \"name\"\n",
    );
    assert!(empty.contains("keeps no line"), "{empty}");
}
