//! Real ledgers of a B200: the means and losses that were recomputed by hand from the same files.

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{codes, document, ended, map, number, real};

fn near(value: &Value, wanted: f64) {
    assert!((number(value) - wanted).abs() < 5.1e-5, "{value} is not {wanted}");
}

/// Smallest and largest speed-up of production rows.
fn range(document: &Value, field: &str) -> (f64, f64) {
    let rows = document["data"]["rows"].as_array().expect("a list").iter();
    let speedups: Vec<f64> = rows
        .filter(|row| row["production"] == true)
        .map(|row| number(&row[field]))
        .collect();
    let least = speedups.iter().copied().fold(f64::INFINITY, f64::min);
    (least, speedups.iter().copied().fold(0.0, f64::max))
}

/// A real ledger by its map: what `import` says, and the path of the results.
fn imported(folder: &TempDir, ledger: &str, by: &str) -> Option<(Value, String)> {
    let ledger = real(ledger)?;
    let out = folder.path().join("results.jsonl").display().to_string();
    let imported = document(&["import", &ledger, "--map", &map(by), "--out", &out]);
    Some((imported, out))
}

#[test]
fn qknorm_rope_has_no_device_times_and_is_judged_on_wall() {
    let folder = TempDir::new().expect("a folder");
    let Some((imported, out)) = imported(&folder, "b200_qknorm_rope.benchmark.csv", "qknorm_rope.toml")
    else {
        return;
    };
    assert_eq!(imported["data"]["rows"], 10);
    assert_eq!(imported["data"]["times"], serde_json::json!(["wall"]));
    let (judged, exit) = ended(&["judge", &out]);
    let data = &judged["data"];
    // Its own rows, no proofs: never promoted, whatever the mean.
    assert_eq!((data["verdict"].as_str(), exit), (Some("inconclusive"), 5));
    assert_eq!(judged["warnings"][0]["code"], "judged-on-wall");
    assert!(data["geomean"]["device"].is_null());
    near(&data["geomean"]["wall"], 1.0970);
    near(&data["reported_geomean"], 1.0970);
    let (least, most) = range(&judged, "speedup");
    assert!(
        (least - 0.9733).abs() < 5e-5 && (most - 1.2714).abs() < 5e-5,
        "{least} {most}"
    );
    assert_eq!(data["losses"].as_array().map(Vec::len), Some(0));
    let small = data["rows"].as_array().expect("a list").iter();
    assert_eq!(small.filter(|row| number(&row["speedup"]) < 0.992).count(), 5);
}

#[test]
fn norm_scale_shift_has_both_clocks_and_they_are_not_mixed() {
    let folder = TempDir::new().expect("a folder");
    let Some((imported, out)) = imported(
        &folder,
        "b200_cutedsl_norm_scale_shift.benchmark.csv",
        "norm_scale_shift.toml",
    ) else {
        return;
    };
    assert_eq!(imported["data"]["rows"], 39);
    let judged = document(&["judge", &out]);
    let data = &judged["data"];
    assert_eq!(data["judged_on"], "device");
    near(&data["geomean"]["device"], 1.2878);
    near(&data["geomean"]["wall"], 1.3022);
    let (least, most) = range(&judged, "speedup");
    assert!(
        (least - 0.98306).abs() < 5e-5 && (most - 1.64589).abs() < 5e-5,
        "{least} {most}"
    );
    let (least, most) = range(&judged, "wall_speedup");
    assert!(
        (least - 1.09290).abs() < 5e-5 && (most - 1.48475).abs() < 5e-5,
        "{least} {most}"
    );
    assert_eq!(data["verdict"], "inconclusive");
    assert_eq!(codes(&judged, "invalid"), Vec::<&str>::new());
}

#[test]
fn group_norm_silu_has_two_losses_that_its_summary_does_not_name() {
    let (Some(results), Some(aa)) = (
        real("b200_group_norm_silu.results.jsonl"),
        real("b200_group_norm_silu.results_aa.jsonl"),
    ) else {
        return;
    };
    let judged = document(&["judge", &results, "--aa", &aa]);
    let data = &judged["data"];
    assert_eq!(codes(&judged, "invalid"), Vec::<&str>::new());
    assert_eq!(
        (&data["counts"]["production"], &data["counts"]["other"]),
        (&160.into(), &12.into())
    );
    near(&data["geomean"]["device"], 2.2794);
    near(&data["reported_geomean"], 2.2794);
    let (least, most) = range(&judged, "speedup");
    assert!(
        (least - 0.9166).abs() < 5e-5 && (most - 4.9445).abs() < 5e-5,
        "{least} {most}"
    );
    let rows = data["rows"].as_array().expect("a list").iter();
    let below = rows.filter(|row| row["production"] == true && number(&row["speedup"]) < 1.0);
    assert_eq!(below.count(), 10);
    let losses = data["losses"].as_array().expect("a list");
    assert_eq!(losses.len(), 2);
    assert_eq!(losses[0]["id"], "hv_apply_1x512x9x128x128_C");
    near(&losses[0]["speedup"], 0.9166);
    near(&losses[1]["speedup"], 0.9570);
    // The baseline against itself.
    let aa = &data["aa"];
    assert_eq!(aa["rows"], 8);
    near(&aa["geomean"], 1.0005);
    near(&aa["min"], 0.9956);
    near(&aa["max"], 1.0127);
    let pct = |field: &str, wanted: f64| assert!((number(&aa[field]) - wanted).abs() < 0.0051, "{aa}");
    pct("median_pct", 0.36);
    // Linear between the seventh (0.91) and the eighth of eight.
    pct("p90_pct", 1.017);
    pct("max_pct", 1.27);
    assert_eq!(data["verdict"], "inconclusive");
    assert_eq!(codes(&judged, "blocks_promotion")[0], "material-losses");
}
