//! The order of verdicts, and the numbers that decide.

use serde_json::{Value, json};

use crate::evidence::{Evidence, file_hash, row, samples};
use crate::run::{codes, number};

#[test]
fn the_first_failure_decides() {
    let mut evidence = Evidence::good();
    evidence.row("odd-shape")["status"] = json!("INCORRECT");
    // Wrong outputs of a row that no headline counts.
    let (document, exit) = evidence.judge(&[]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("reject_correctness"), 0)
    );
    // And no evidence before that.
    evidence.row("small-a")["status"] = json!("TIMEOUT");
    let (document, exit) = evidence.judge(&["--fail-on", "reject"]);
    assert_eq!((document["data"]["verdict"].as_str(), exit), (Some("invalid"), 5));
    assert!(codes(&document, "invalid").contains(&"row-failed"));
}

#[test]
fn outputs_that_are_not_numbers_or_not_near() {
    for (field, value, code) in [
        ("nonfinite", json!(3), "outputs-not-finite"),
        ("matched_ratio", json!(0.999), "outputs-differ"),
    ] {
        let mut evidence = Evidence::good();
        evidence.row("large-b")["checks"][field] = value;
        let (document, _) = evidence.judge(&[]);
        assert_eq!(codes(&document, "reject_correctness"), [code]);
    }
}

#[test]
fn slower_is_rejected() {
    let slower = Evidence::with([
        (200.0, 220.0),
        (100.0, 110.0),
        (50.0, 55.0),
        (25.0, 27.5),
        (10.0, 11.0),
    ]);
    let (document, exit) = slower.judge(&["--fail-on", "reject"]);
    assert_eq!((document["data"]["verdict"].as_str(), exit), (Some("reject"), 1));
    let (_, exit) = slower.judge(&[]);
    assert_eq!(exit, 0);
}

#[test]
fn within_noise_nothing_is_shown() {
    let same = Evidence::with([
        (200.0, 199.0),
        (100.0, 99.5),
        (50.0, 49.8),
        (25.0, 25.01),
        (10.0, 10.01),
    ]);
    let (document, exit) = same.judge(&["--fail-on", "reject"]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("inconclusive"), 5)
    );
    assert_eq!(codes(&document, "decides"), ["geomean-within-noise"]);
}

#[test]
fn rows_of_the_file_alone_are_never_promoted() {
    let mut evidence = Evidence::good();
    evidence.with_workloads = false;
    let (document, exit) = evidence.judge(&[]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("inconclusive"), 5)
    );
    assert_eq!(codes(&document, "blocks_promotion"), ["rows-own"]);
}

#[test]
fn an_aa_that_is_off_spoils_the_measurement() {
    let mut evidence = Evidence::good();
    let workload = evidence.workload("large-a");
    let aa = evidence.aa.as_mut().expect("an A/A");
    aa[1] = row(&workload, 104.0, 100.0, 7);
    aa.pop();
    let (document, _) = evidence.judge(&[]);
    assert_eq!(codes(&document, "invalid"), ["aa-off"]);
    // Two different kernels are no A/A.
    let mut evidence = Evidence::good();
    evidence.aa = Some(evidence.results.clone());
    let (document, _) = evidence.judge(&[]);
    assert!(codes(&document, "invalid").contains(&"aa-not-the-same"));
    evidence.aa = None;
    let (document, _) = evidence.judge(&[]);
    assert_eq!(codes(&document, "blocks_promotion"), ["aa-missing"]);
}

#[test]
fn times_by_calls_stand_beside_the_mean() {
    let (document, _) = Evidence::mixed().judge(&[]);
    let data = &document["data"];
    assert_eq!(data["weighted_by_calls"], true);
    // (200 + 100 + 50 + 25) / (140 + 70 + 55 + 27)
    assert!((number(&data["time_weighted"]["device"]) - 375.0 / 292.0).abs() < 1e-6);
    let mean = (200.0_f64 / 140.0 * (100.0 / 70.0) * (50.0 / 55.0) * (25.0 / 27.0)).powf(0.25);
    assert!((number(&data["geomean"]["device"]) - mean).abs() < 1e-6);
}

#[test]
fn a_mean_that_wins_while_all_rows_together_lose() {
    let hidden = Evidence::with([(1000.0, 1029.0), (1.0, 0.5), (1.0, 0.5), (1.0, 0.5), (1.0, 0.5)]);
    let (document, _) = hidden.judge(&[]);
    assert_eq!(document["data"]["verdict"], "inconclusive");
    assert!(number(&document["data"]["geomean"]["device"]) > 1.5);
    assert_eq!(codes(&document, "blocks_promotion"), ["time-weighted-loss"]);
}

fn dispatch() -> Value {
    json!({"buckets": [
        {"name": "large", "field": "tokens", "at_least": 1024, "entry": "candidate"},
        {"name": "small", "entry": "baseline"},
    ]})
}

#[test]
fn losses_behind_a_dispatch_need_their_rows_measured_again() {
    let mut evidence = Evidence::mixed();
    let (document, exit) = evidence.judge(&[]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("inconclusive"), 5)
    );
    assert_eq!(codes(&document, "blocks_promotion"), ["material-losses"]);
    assert_eq!(document["data"]["losses"][0]["id"], "small-a");
    evidence.dispatch = Some(dispatch());
    let (document, _) = evidence.judge(&[]);
    assert_eq!(document["data"]["verdict"], "inconclusive");
    assert!(codes(&document, "blocks_promotion").contains(&"routed-not-measured-again"));
    // Behind the dispatch both sides are the baseline.
    let rows = ["small-a", "small-b"].map(|id| row(&evidence.workload(id), 50.0, 50.3, 7));
    let rerun = evidence.rerun(rows.to_vec());
    rerun[0]["dispatch_sha256"] = json!(file_hash(&dispatch()));
    let (document, exit) = evidence.judge(&[]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("promote_with_dispatch"), 0),
        "{document}"
    );
    let data = &document["data"];
    assert!((number(&data["dispatch"]["geomean"]) - (200.0_f64 / 140.0).sqrt()).abs() < 1e-6);
    assert_eq!(data["losses"][0]["routed"], true);
    // A dispatch that costs on the rows it routes.
    let rows = ["small-a", "small-b"].map(|id| row(&evidence.workload(id), 50.0, 54.0, 7));
    evidence.rerun(rows.to_vec())[0]["dispatch_sha256"] = json!(file_hash(&dispatch()));
    let (document, _) = evidence.judge(&[]);
    assert!(codes(&document, "blocks_promotion").contains(&"routed-rows-differ"));
    // Another dispatch than the one that was measured.
    evidence.rerun.as_mut().expect("a rerun")[0]["dispatch_sha256"] = json!("sha256:other");
    let (document, _) = evidence.judge(&[]);
    assert_eq!(codes(&document, "invalid"), ["dispatch-changed"]);
}

#[test]
fn a_dispatch_takes_every_row() {
    let mut evidence = Evidence::mixed();
    let mut open = dispatch();
    open["buckets"].as_array_mut().expect("a list").pop();
    evidence.dispatch = Some(open);
    let (document, _) = evidence.judge(&[]);
    assert!(codes(&document, "blocks_promotion").contains(&"dispatch-not-total"));
    assert_eq!(
        document["data"]["dispatch"]["rows_in_no_bucket"],
        json!(["small-a", "small-b"])
    );
}

#[test]
fn a_noisy_row_is_measured_again_with_more_trials() {
    let mut evidence = Evidence::good();
    let noisy = evidence.row("small-a");
    noisy["candidate"] = json!({"median_us": 50.0, "samples_us": samples(50.0, 0.3, 7)});
    noisy["candidate_wall_us"] = json!(samples(51.0, 0.3, 7));
    noisy["speedup"] = json!(1.0);
    evidence.results.pop();
    let (document, exit) = evidence.judge(&[]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("inconclusive"), 5)
    );
    assert_eq!(
        codes(&document, "blocks_promotion"),
        ["rows-unstable", "wall-unstable"]
    );
    assert_eq!(document["data"]["next_actions"][0]["rows"], json!(["small-a"]));
    let command = document["next_actions"][0]["command"]
        .as_array()
        .expect("an argv");
    assert!(
        command.contains(&json!("--only")) && command.contains(&json!("small-a")),
        "{command:?}"
    );
    // Too few trials change nothing; twice as many do.
    let workload = evidence.workload("small-a");
    evidence.rerun(vec![row(&workload, 50.0, 41.0, 9)]);
    let (document, _) = evidence.judge(&[]);
    assert_eq!(codes(&document, "note"), ["rerun-not-used"]);
    evidence.rerun(vec![row(&workload, 50.0, 41.0, 21)]);
    let (document, _) = evidence.judge(&[]);
    assert_eq!(document["data"]["verdict"], "promote", "{document}");
    // A win is not measured until it is larger.
    let workload = evidence.workload("large-a");
    evidence.rerun(vec![row(&workload, 200.0, 100.0, 21)]);
    let (document, _) = evidence.judge(&[]);
    assert!(codes(&document, "note").contains(&"rerun-not-used"));
}

#[test]
fn faster_than_the_device_can_move_bytes() {
    // 1 MB in 8 us is 125 GB/s.
    let (document, _) = Evidence::good().judge(&["--peak-bytes-per-s", "2e11"]);
    assert_eq!(document["data"]["verdict"], "promote");
    let (document, exit) = Evidence::good().judge(&["--peak-bytes-per-s", "1e11"]);
    assert_eq!((document["data"]["verdict"].as_str(), exit), (Some("invalid"), 5));
    assert_eq!(codes(&document, "invalid"), ["above-roofline"]);
    // The measurement may name the peaks itself.
    let mut evidence = Evidence::good();
    evidence.provenance()["peaks"] = json!({"bytes_per_s": 1e11});
    assert_eq!(evidence.verdict(), "invalid");
}

#[test]
fn the_share_bounds_the_claim() {
    let (document, _) = Evidence::good().judge(&["--share", "10", "--claim", "1.02"]);
    let amdahl = &document["data"]["amdahl"];
    assert!(
        (number(&amdahl["end_to_end"]) - 1.0 / 0.98).abs() < 1e-6,
        "{amdahl}"
    );
    assert_eq!(amdahl["claim_contradicted"], false);
    let (document, _) = Evidence::good().judge(&["--share", "10", "--claim", "1.25"]);
    assert_eq!(document["data"]["amdahl"]["claim_contradicted"], true);
    assert_eq!(document["warnings"][0]["code"], "claim-beyond-amdahl");
}

/// What the claim is held against, of a judgement with a share of 50 %.
fn held_against(evidence: &Evidence, claim: &str) -> (Value, Value, f64, Value) {
    let (document, _) = evidence.judge(&["--share", "50", "--claim", claim]);
    let data = &document["data"];
    let amdahl = &data["amdahl"];
    (
        data["verdict"].clone(),
        amdahl["speedup_of"].clone(),
        number(&amdahl["kernel_speedup"]),
        amdahl["claim_contradicted"].clone(),
    )
}

#[test]
fn a_claim_is_held_against_what_would_be_deployed() {
    // Behind the dispatch (200 + 100 + 50 + 25) / (140 + 70 + 50 + 25), without it … / (140 + 70 + 55 + 27).
    let (behind, without) = (375.0 / 285.0, 375.0 / 292.0);
    let mut needed = Evidence::mixed();
    let (verdict, of, kernel, _) = held_against(&needed, "1.01");
    assert_eq!((verdict, of), (json!("inconclusive"), json!("candidate")));
    assert!((kernel - without).abs() < 1e-6, "{kernel}");
    needed.dispatch = Some(dispatch());
    let rows = ["small-a", "small-b"].map(|id| row(&needed.workload(id), 50.0, 50.3, 7));
    needed.rerun(rows.to_vec())[0]["dispatch_sha256"] = json!(file_hash(&dispatch()));
    let (verdict, of, kernel, contradicted) = held_against(&needed, "1.13");
    assert_eq!(
        (verdict, of, contradicted),
        (json!("promote_with_dispatch"), json!("dispatch"), json!(false))
    );
    assert!((kernel - behind).abs() < 1e-6, "{kernel}");
    let (_, of, _, contradicted) = held_against(&needed, "1.3");
    assert_eq!((of, contradicted), (json!("dispatch"), json!(true)));

    // A dispatch that is not needed is not deployed: the candidate wins where it would route, too.
    let mut unneeded = Evidence::good();
    unneeded.dispatch = Some(dispatch());
    let (verdict, of, kernel, contradicted) = held_against(&unneeded, "1.11");
    assert_eq!(
        (verdict, of, contradicted),
        (json!("promote"), json!("candidate"), json!(false))
    );
    assert!((kernel - 1.25).abs() < 1e-6, "{kernel}");
    let (verdict, _, _, contradicted) = held_against(&unneeded, "1.2");
    assert_eq!((verdict, contradicted), (json!("inconclusive"), json!(true)));
}

#[test]
fn without_device_times_wall_times_decide() {
    let mut evidence = Evidence::good();
    for file in [&mut evidence.results, evidence.aa.as_mut().expect("an A/A")] {
        for line in file.iter_mut().filter(|line| line["event"] == "result") {
            (line["baseline"], line["candidate"], line["speedup"]) = (Value::Null, Value::Null, Value::Null);
        }
        file.pop();
    }
    let (document, _) = evidence.judge(&[]);
    assert_eq!(
        (&document["data"]["judged_on"], &document["data"]["verdict"]),
        (&json!("wall"), &json!("promote"))
    );
    assert_eq!(document["warnings"][0]["code"], "judged-on-wall");
    assert!(document["data"]["geomean"]["device"].is_null());
}
