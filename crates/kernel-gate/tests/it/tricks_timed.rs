//! Tricks within the timed calls, and beside them. Each test spoils one thing of a measurement that is promoted without it.

use serde_json::{Value, json};

use crate::evidence::{Evidence, row, samples, times, with_frozen_baseline};
use crate::run::codes;
use crate::tricks::{is_blocked, is_invalid, is_wrong, spoilt, without};

#[test]
fn a_cache_of_what_stays_the_same_within_a_sample() {
    // A thousand calls on the same inputs: all but the first can be answered from what lies there.
    let same = spoilt(|evidence| evidence.row("large-a")["checks"]["input_sets"] = json!(1));
    is_blocked(&same, "rotation-unproven");
    let stale = spoilt(|evidence| evidence.row("large-a")["checks"]["poisoned_between"] = json!(false));
    is_blocked(&stale, "rotation-unproven");
    for field in ["input_sets", "poisoned_between"] {
        let silent = spoilt(|evidence| without(evidence.row("large-a"), &format!("/checks/{field}")));
        is_blocked(&silent, "rotation-unproven");
    }
    // A sample that is one call has nothing to rotate.
    let one_call = spoilt(|evidence| {
        let row = evidence.row("large-a");
        row["checks"]["input_sets"] = json!(1);
        row["baseline_calls"]["inner_iterations"] = json!(1);
        row["candidate_calls"]["inner_iterations"] = json!(1);
    });
    assert_eq!(one_call.verdict(), "promote");
}

#[test]
fn outputs_of_timed_calls_that_nobody_looked_at() {
    let one_of_eight =
        spoilt(|evidence| evidence.row("large-a")["checks"]["sets_checked_after_timing"] = json!(1));
    is_blocked(&one_of_eight, "timed-outputs-unproven");
    let silent = spoilt(|evidence| without(evidence.row("large-a"), "/checks/sets_checked_after_timing"));
    is_blocked(&silent, "timed-outputs-unproven");
}

#[test]
fn inputs_that_a_timed_call_changes() {
    let changed = spoilt(|evidence| {
        evidence.row("large-a")["checks"]["timed_inputs_sha256_after"][3] = json!("other");
    });
    is_wrong(&changed, "inputs-mutated");
    let frozen = spoilt(|evidence| {
        for list in ["timed_inputs_sha256_before", "timed_inputs_sha256_after"] {
            evidence.row("large-a")["checks"][list] = json!(vec!["same"; 7]);
        }
    });
    is_blocked(&frozen, "timed-inputs-unproven");
    let fewer = spoilt(|evidence| {
        for list in ["timed_inputs_sha256_before", "timed_inputs_sha256_after"] {
            evidence.row("large-a")["checks"][list] = json!(["one", "two"]);
        }
    });
    is_blocked(&fewer, "timed-inputs-unproven");
    let silent = spoilt(|evidence| without(evidence.row("large-a"), "/checks/timed_inputs_sha256_after"));
    is_blocked(&silent, "timed-inputs-unproven");
}

#[test]
fn a_slower_baseline_than_the_one_that_is_there() {
    // `evidence::provenance` measures a file with this text.
    assert_eq!(with_frozen_baseline("baseline").verdict(), "promote");
    is_invalid(&with_frozen_baseline("the real baseline"), "baseline-changed");
    let mut silent = with_frozen_baseline("baseline");
    without(silent.provenance(), "/sides/baseline/source_sha256");
    is_blocked(&silent, "hash-unproven");
    // Another baseline makes another row set: what was measured before is not of it.
    let mut rows_alone = with_frozen_baseline("baseline");
    rows_alone.baseline = None;
    is_invalid(&rows_alone, "rows-not-frozen");
}

#[test]
fn fewer_calls_or_more_warm_up_on_one_side() {
    let other =
        |field: &str| spoilt(|evidence| evidence.row("small-a")["candidate_calls"][field] = json!(1024));
    is_invalid(&other("warmup_runs"), "warm-up-differs");
    is_blocked(&other("inner_iterations"), "calls-differ");
    for field in ["warmup_runs", "inner_iterations"] {
        let silent =
            spoilt(|evidence| without(evidence.row("small-a"), &format!("/candidate_calls/{field}")));
        is_blocked(&silent, "calls-unproven");
    }
    // As other harnesses write it: with the times, and once for both sides.
    let elsewhere = spoilt(|evidence| {
        evidence.provenance()["settings"]["warmup_runs"] = json!(10);
        let row = evidence.row("small-a");
        for side in ["baseline", "candidate"] {
            row[side]["inner_iterations"] = json!(64);
            row[format!("{side}_calls")] = Value::Null;
        }
    });
    assert_eq!(elsewhere.verdict(), "promote");
}

/// Short kernels behind a launch of 12 us: the device's clock shows a fifth less, the host's nothing.
fn launch_bound(rows: &[(&str, f64)]) -> Evidence {
    spoilt(|evidence| {
        for (id, device) in rows {
            let row = evidence.row(id);
            row["baseline"] = times(*device, 7);
            row["candidate"] = times(0.8 * device, 7);
            row["baseline_wall_us"] = json!(samples(12.05, 0.005, 7));
            row["candidate_wall_us"] = json!(samples(12.0, 0.005, 7));
        }
        evidence.results.pop();
    })
}

#[test]
fn a_gain_that_hides_under_the_launch() {
    let all = launch_bound(&[
        ("large-a", 5.0),
        ("large-b", 4.0),
        ("small-a", 3.0),
        ("small-b", 2.0),
    ]);
    is_blocked(&all, "wall-unconfirmed");
    // One long row whose honest gain outweighs the others in time does not carry their wins.
    let mut carried = launch_bound(&[("large-b", 4.0), ("small-a", 3.0), ("small-b", 2.0)]);
    let long = carried.row("large-a");
    let workload = long["workload"].clone();
    *long = row(&workload, 2000.0, 1950.0, 7);
    is_blocked(&carried, "wall-unconfirmed");
    // A single one is named, and the others carry the verdict.
    let one = launch_bound(&[("small-b", 2.0)]);
    let (document, _) = one.judge(&[]);
    assert_eq!(document["data"]["verdict"], "promote", "{document}");
    assert_eq!(codes(&document, "note"), ["wins-unseen-by-wall"]);
}

#[test]
fn rows_for_correctness_that_nobody_checked() {
    let silent = spoilt(|evidence| without(evidence.row("odd-shape"), "/checks"));
    let (document, _) = silent.judge(&[]);
    assert_eq!(document["data"]["verdict"], "inconclusive");
    assert!(codes(&document, "blocks_promotion").contains(&"match-unproven"));
    let dropped = spoilt(|evidence| {
        evidence
            .results
            .retain(|line| line["id"] != "odd-shape" && line["event"] != "summary")
    });
    is_blocked(&dropped, "correctness-rows-missing");
    let dry = spoilt(|evidence| evidence.row("odd-shape")["checks"]["poisoned"] = json!(false));
    is_invalid(&dry, "not-poisoned");
}

#[test]
fn nan_is_no_match_unless_the_row_says_so() {
    let lenient = spoilt(|evidence| evidence.row("small-a")["checks"]["equal_nan"] = json!(true));
    is_wrong(&lenient, "nan-counted-equal");
    let silent = spoilt(|evidence| without(evidence.row("small-a"), "/checks/equal_nan"));
    is_blocked(&silent, "match-unproven");
    // Said by the measured line, and not by the frozen row.
    let own = spoilt(|evidence| {
        evidence.row("small-a")["checks"]["equal_nan"] = json!(true);
        evidence.row("small-a")["workload"]["equal_nan"] = json!(true);
    });
    is_invalid(&own, "row-changed");
}

#[test]
fn a_claim_that_the_share_does_not_allow() {
    let (document, exit) = Evidence::good().judge(&["--share", "10", "--claim", "1.25"]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("inconclusive"), 5),
        "{document}"
    );
    assert_eq!(codes(&document, "blocks_promotion"), ["claim-beyond-amdahl"]);
    assert_eq!(document["data"]["next_actions"][0]["code"], "correct-the-claim");
    let summary = document["summary"].as_str().expect("a summary");
    assert!(
        summary.contains("claim of 1.25x end to end is contradicted"),
        "{summary}"
    );
    let (document, exit) = Evidence::good().judge(&["--share", "10", "--claim", "1.02"]);
    assert_eq!((document["data"]["verdict"].as_str(), exit), (Some("promote"), 0));
}
