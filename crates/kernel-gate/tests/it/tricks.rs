//! Every known way to make a win of what is none. Each test spoils one thing of a measurement that is promoted without it.

use contracts::fields::sha256_hex;
use serde_json::{Value, json};

use crate::evidence::{Evidence, row, samples, summary, times};
use crate::run::codes;

/// Ends as invalid, for this reason.
pub(crate) fn is_invalid(evidence: &Evidence, code: &str) {
    let (document, exit) = evidence.judge(&[]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("invalid"), 5),
        "{document}"
    );
    assert!(
        codes(&document, "invalid").contains(&code),
        "{:?}",
        codes(&document, "invalid")
    );
}

/// Ends as wrong, for this reason.
pub(crate) fn is_wrong(evidence: &Evidence, code: &str) {
    let (document, exit) = evidence.judge(&["--fail-on", "reject"]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("reject_correctness"), 1),
        "{document}"
    );
    let found = codes(&document, "reject_correctness");
    assert!(found.contains(&code), "{found:?}");
}

/// Is not promoted, for this reason alone.
pub(crate) fn is_blocked(evidence: &Evidence, code: &str) {
    let (document, exit) = evidence.judge(&[]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("inconclusive"), 5),
        "{document}"
    );
    assert_eq!(codes(&document, "blocks_promotion"), [code]);
}

/// A measurement with one thing changed.
pub(crate) fn spoilt(change: impl FnOnce(&mut Evidence)) -> Evidence {
    let mut evidence = Evidence::good();
    change(&mut evidence);
    evidence
}

pub(crate) fn without(value: &mut Value, path: &str) {
    let (parent, name) = path.rsplit_once('/').expect("a path");
    let parent = value.pointer_mut(parent).expect("the parent is there");
    parent
        .as_object_mut()
        .expect("an object")
        .remove(name)
        .expect("it was there");
}

#[test]
fn without_a_trick_it_is_promoted() {
    let (document, exit) = Evidence::good().judge(&["--fail-on", "reject"]);
    assert_eq!(
        (document["data"]["verdict"].as_str(), exit),
        (Some("promote"), 0),
        "{document}"
    );
}

#[test]
fn dropped_slow_rows() {
    // The slow row is gone, and the summary fits what is left.
    let dropped = |evidence: &mut Evidence| {
        evidence
            .results
            .retain(|line| line["id"] != "small-b" && line["event"] != "summary");
        let summary = summary(&evidence.results[1..]);
        evidence.results.push(summary);
    };
    is_invalid(&spoilt(dropped), "rows-missing");
    // Without the row set the measurement's own count says it.
    let own = spoilt(|evidence| {
        dropped(evidence);
        evidence.with_workloads = false;
        evidence.provenance()["workload_count"] = json!(5);
    });
    is_invalid(&own, "rows-dropped");
    // A slow row that says it is no production row counts all the same.
    let demoted = spoilt(|evidence| {
        *evidence = Evidence::with([
            (200.0, 160.0),
            (100.0, 80.0),
            (50.0, 40.0),
            (25.0, 50.0),
            (10.0, 8.0),
        ]);
        evidence.row("small-b")["production"] = json!(false);
        evidence.results.pop();
    });
    let (document, _) = demoted.judge(&[]);
    assert_eq!(document["data"]["losses"][0]["id"], "small-b");
    assert_eq!(document["data"]["counts"]["production"], 4);
}

#[test]
fn a_lighter_wrapper_on_one_side() {
    let lighter = spoilt(|evidence| evidence.provenance()["sides"]["candidate"]["wrapper"] = json!([]));
    is_invalid(&lighter, "wrapper-differs");
    let silent = spoilt(|evidence| without(evidence.provenance(), "/sides/candidate/wrapper"));
    is_blocked(&silent, "wrapper-unproven");
}

#[test]
fn fast_math_on_one_side() {
    let fast = json!(["-O3", "--use_fast_math"]);
    let one = spoilt(|evidence| evidence.provenance()["sides"]["candidate"]["flags"] = fast.clone());
    is_invalid(&one, "flags-differ");
    let silent = spoilt(|evidence| without(evidence.provenance(), "/sides/baseline/flags"));
    is_blocked(&silent, "flags-unproven");
    // On both sides it is a choice, not a trick.
    let both = spoilt(|evidence| {
        for side in ["baseline", "candidate"] {
            evidence.provenance()["sides"][side]["flags"] = fast.clone();
        }
        evidence.aa.as_mut().expect("an A/A")[0] = evidence.results[0].clone();
        let sides = &mut evidence.aa.as_mut().expect("an A/A")[0]["sides"];
        sides["candidate"] = sides["baseline"].clone();
    });
    assert_eq!(both.verdict(), "promote");
}

#[test]
fn cached_outputs() {
    let cached = spoilt(|evidence| {
        evidence.row("large-a")["checks"]["candidate_outputs_sha256"] = json!(["out-0", "out-0", "out-0"]);
    });
    is_wrong(&cached, "outputs-cached");
    // One seed for all trials shows no cache.
    let one_seed = spoilt(|evidence| evidence.row("large-a")["checks"]["seeds"] = json!([1, 1, 1]));
    is_blocked(&one_seed, "outputs-unproven");
    let unchecked = spoilt(|evidence| without(evidence.row("large-a"), "/checks/checked_after_timing"));
    is_blocked(&unchecked, "timed-outputs-unproven");
}

#[test]
fn mutated_inputs() {
    let mutated =
        spoilt(|evidence| evidence.row("small-a")["checks"]["inputs_sha256_after"][1] = json!("other"));
    is_wrong(&mutated, "inputs-mutated");
    let silent = spoilt(|evidence| without(evidence.row("small-a"), "/checks/inputs_sha256_after"));
    is_blocked(&silent, "inputs-unproven");
}

#[test]
fn work_on_another_stream() {
    // Device events see a fifth of what the host waits for.
    let hidden = spoilt(|evidence| {
        let row = evidence.row("large-a");
        row["candidate"] = times(40.0, 7);
        row["speedup"] = json!(5.0);
        row["candidate_wall_us"] = json!(samples(201.0, 0.005, 7));
        evidence.results.pop();
    });
    is_invalid(&hidden, "work-outside-events");
    let unsynchronised =
        spoilt(|evidence| evidence.provenance()["settings"]["synchronize"] = json!("stream"));
    is_blocked(&unsynchronised, "other-streams-unproven");
    let no_wall = spoilt(|evidence| {
        evidence.row("large-a")["candidate_wall_us"] = Value::Null;
    });
    is_blocked(&no_wall, "wall-unproven");
}

#[test]
fn a_missing_poison_check() {
    let silent = spoilt(|evidence| without(evidence.row("small-b"), "/checks/poisoned"));
    is_blocked(&silent, "poison-unproven");
    let dry = spoilt(|evidence| evidence.row("small-b")["checks"]["poisoned"] = json!(false));
    is_invalid(&dry, "not-poisoned");
}

#[test]
fn trimmed_samples_whose_median_no_longer_fits() {
    // The two slowest are gone, the median stayed.
    let trimmed = spoilt(|evidence| {
        let samples = evidence.row("large-a")["candidate"]["samples_us"]
            .as_array_mut()
            .expect("samples");
        samples.truncate(5);
    });
    is_invalid(&trimmed, "samples-do-not-fit");
    is_invalid(&trimmed, "samples-missing");
    // With all numbers made anew, the number of trials still says it.
    let recounted = spoilt(|evidence| evidence.row("large-a")["candidate"] = times(160.0, 6));
    is_invalid(&recounted, "samples-missing");
    // A mean that was not.
    let kept_mean = spoilt(|evidence| evidence.row("large-a")["candidate"]["mean_us"] = json!(163.0));
    is_invalid(&kept_mean, "samples-do-not-fit");
}

#[test]
fn an_edited_geomean() {
    let edited = spoilt(|evidence| {
        let last = evidence.results.last_mut().expect("a summary");
        last["headline"]["geomean_speedup"] = json!(1.27);
    });
    is_invalid(&edited, "geomean-edited");
    let row = spoilt(|evidence| evidence.row("large-a")["speedup"] = json!(1.4));
    is_invalid(&row, "speedup-edited");
}

#[test]
fn another_gpu() {
    let sides = spoilt(|evidence| {
        evidence.provenance()["sides"]["baseline"]["gpu_uuid"] = json!("GPU-1");
        evidence.provenance()["sides"]["candidate"]["gpu_uuid"] = json!("GPU-2");
    });
    is_invalid(&sides, "other-gpu");
    let of_aa = spoilt(|evidence| evidence.aa.as_mut().expect("an A/A")[0]["gpu_uuid"] = json!("GPU-2"));
    is_invalid(&of_aa, "other-gpu");
    let busy = spoilt(|evidence| evidence.provenance()["idle_before"]["utilization_pct"] = json!(40.0));
    is_invalid(&busy, "gpu-busy");
    let silent = spoilt(|evidence| without(evidence.provenance(), "/idle_before"));
    is_blocked(&silent, "idle-unproven");
}

#[test]
fn a_stale_hash() {
    let stale = spoilt(|evidence| evidence.candidate = Some("def kernel(x): return 2 * x\n".to_owned()));
    is_invalid(&stale, "stale-hash");
    let not_given = spoilt(|evidence| evidence.candidate = None);
    is_blocked(&not_given, "candidate-not-checked");
    let changed = spoilt(|evidence| {
        evidence.provenance()["sides"]["candidate"]["source_sha256_after"] = json!(sha256_hex(b"later"));
    });
    is_invalid(&changed, "source-changed");
    // Rows that were changed after they were frozen.
    let rows = spoilt(|evidence| evidence.workloads[0]["atol"] = json!(0.1));
    is_invalid(&rows, "rows-not-frozen");
    is_invalid(&rows, "row-changed");
    let set = spoilt(|evidence| without(evidence.provenance(), "/workloads_sha256"));
    is_blocked(&set, "rows-unproven");
}

#[test]
fn seven_trials_turned_into_one() {
    let one = spoilt(|evidence| {
        evidence.provenance()["settings"]["num_trials"] = json!(1);
        for row in &mut evidence.results[1..6] {
            for side in ["baseline", "candidate"] {
                let median = row[side]["median_us"].as_f64().expect("a median");
                row[side] = json!({"median_us": median, "samples_us": [median]});
            }
        }
    });
    is_invalid(&one, "too-few-trials");
    // One sample, written seven times.
    let copied = spoilt(|evidence| {
        evidence.row("large-a")["candidate"] = json!({"median_us": 160.0, "samples_us": vec![160.0; 7]});
    });
    is_invalid(&copied, "samples-copied");
    let twice = spoilt(|evidence| {
        let again = evidence.row("large-a").clone();
        evidence.results.insert(2, again);
    });
    is_invalid(&twice, "row-twice");
}

#[test]
fn a_cache_of_some_outputs() {
    // One input is answered from the cache, the others are computed.
    let partly = spoilt(|evidence| {
        evidence.row("large-a")["checks"]["candidate_outputs_sha256"] = json!(["out-0", "out-0", "out-2"]);
    });
    is_wrong(&partly, "outputs-cached");
    // A baseline that answers everything alike proves nothing.
    let alike = spoilt(|evidence| {
        for side in ["baseline_outputs_sha256", "candidate_outputs_sha256"] {
            evidence.row("large-a")["checks"][side] = json!(["out", "out", "out"]);
        }
    });
    is_blocked(&alike, "outputs-unproven");
    let fewer = spoilt(|evidence| {
        evidence.row("large-a")["checks"]["candidate_outputs_sha256"] = json!(["out-0", "out-1"]);
    });
    is_blocked(&fewer, "outputs-unproven");
    let beyond = spoilt(|evidence| evidence.row("large-a")["checks"]["matched_ratio"] = json!(1.5));
    is_blocked(&beyond, "match-unproven");
}

#[test]
fn clocks_that_contradict_each_other() {
    let impossible = spoilt(|evidence| {
        evidence.row("large-a")["candidate_wall_us"] = json!(samples(0.7 * 160.0, 0.005, 7));
    });
    is_invalid(&impossible, "clocks-contradict");
    // The device says a quarter faster, and whoever waits for it sees nothing of it.
    let unseen = spoilt(|evidence| {
        for (id, wall) in [
            ("large-a", 200.0),
            ("large-b", 100.0),
            ("small-a", 50.0),
            ("small-b", 25.0),
        ] {
            let row = evidence.row(id);
            row["baseline_wall_us"] = json!(samples(wall + 1.0, 0.005, 7));
            row["candidate_wall_us"] = json!(samples(wall + 1.2, 0.005, 7));
        }
    });
    is_invalid(&unseen, "work-outside-events");
}

#[test]
fn an_a_a_that_shows_nothing() {
    let copied = spoilt(|evidence| {
        let row = &mut evidence.aa.as_mut().expect("an A/A")[1];
        row["candidate"] = row["baseline"].clone();
    });
    is_invalid(&copied, "aa-faulty");
    let one_row = spoilt(|evidence| {
        evidence.aa.as_mut().expect("an A/A").drain(2..);
    });
    is_blocked(&one_row, "aa-too-few-rows");
    let other_rows = spoilt(|evidence| {
        evidence.aa.as_mut().expect("an A/A")[0]["workloads_sha256"] = json!("sha256:0123456789abcdef");
    });
    is_invalid(&other_rows, "rows-not-frozen");
    // The set says which rows count, and what counts has to be proven.
    let uncounted = spoilt(|evidence| {
        for line in evidence.aa.as_mut().expect("an A/A").iter_mut().skip(1) {
            line["production"] = json!(false);
            if let Some(checks) = line["checks"].as_object_mut() {
                checks.remove("input_sets");
            }
        }
    });
    is_blocked(&uncounted, "beside-unproven");
}

#[test]
fn trials_that_nobody_counted() {
    let silent = spoilt(|evidence| without(evidence.provenance(), "/settings/num_trials"));
    is_blocked(&silent, "trials-unproven");
    let impossible = spoilt(|evidence| evidence.provenance()["idle_before"]["utilization_pct"] = json!(-1));
    is_blocked(&impossible, "idle-unproven");
}

#[test]
fn a_loss_that_is_measured_until_it_is_gone() {
    let workload = Evidence::good().workload("large-a");
    // The second measurement of a first win is a loss, and has three times the trials.
    let honest = spoilt(|evidence| {
        evidence.rerun(vec![row(&workload, 200.0, 220.0, 21)]);
    });
    let (document, _) = honest.judge(&[]);
    assert_eq!(document["data"]["losses"][0]["id"], "large-a", "{document}");
    assert_ne!(document["data"]["verdict"], "promote");
    // A second measurement proves as much as the first, or it blocks.
    let mut bare = row(&workload, 200.0, 150.0, 21);
    bare.as_object_mut().expect("an object").remove("checks");
    let unproven = spoilt(|evidence| {
        evidence.rerun(vec![bare]);
    });
    let (document, _) = unproven.judge(&[]);
    assert_eq!(codes(&document, "blocks_promotion"), ["beside-unproven"]);
    let nobody = spoilt(|evidence| {
        evidence.rerun(vec![row(&workload, 200.0, 150.0, 21)])[0] = json!({"event": "provenance"});
    });
    is_blocked(&nobody, "beside-unproven");
}

#[test]
fn what_the_measurement_would_like_to_be_enough() {
    let fewer = spoilt(|evidence| {
        evidence.provenance()["settings"]["required_matched_ratio"] = json!(0.0);
        evidence.row("large-a")["checks"]["matched_ratio"] = json!(0.99);
    });
    is_wrong(&fewer, "outputs-differ");
    let nameless = spoilt(|evidence| without(evidence.row("large-a"), "/workload"));
    is_blocked(&nameless, "row-unproven");
    let nearly = spoilt(|evidence| {
        let mut samples = vec![160.0; 6];
        samples.push(160.000001);
        evidence.row("large-a")["candidate"] = json!({"samples_us": samples});
        evidence
            .row("large-a")
            .as_object_mut()
            .expect("an object")
            .remove("speedup");
        evidence.results.pop();
    });
    is_invalid(&nearly, "samples-copied");
    let uneven = spoilt(|evidence| {
        evidence.row("large-a")["candidate"] = json!({"samples_us": samples(160.0, 0.005, 9)});
    });
    is_invalid(&uneven, "samples-missing");
}

#[test]
fn devices_and_flags_that_only_look_alike() {
    let other = spoilt(|evidence| evidence.provenance()["sides"]["candidate"]["gpu_uuid"] = json!("GPU-2"));
    is_invalid(&other, "other-gpu");
    let nameless = spoilt(|evidence| without(evidence.provenance(), "/gpu_uuid"));
    is_blocked(&nameless, "device-unproven");
    let order = spoilt(|evidence| {
        let sides = &mut evidence.provenance()["sides"];
        sides["baseline"]["flags"] = json!(["-O3", "-O0"]);
        sides["candidate"]["flags"] = json!(["-O0", "-O3"]);
    });
    is_invalid(&order, "flags-differ");
    let busy = spoilt(|evidence| {
        evidence.provenance()["nvidia_smi_before"] = json!("0, NVIDIA B200, 99 %, 80000 MiB, 9 MiB");
    });
    is_invalid(&busy, "gpu-busy");
    let half = spoilt(|evidence| evidence.provenance()["idle_before"] = json!({"foreign_processes": 0}));
    is_blocked(&half, "idle-unproven");
}

#[test]
fn wall_times_in_which_work_could_hide() {
    let noisy = spoilt(|evidence| {
        evidence.row("large-a")["candidate_wall_us"] = json!([100, 120, 161, 161, 161, 220, 240]);
    });
    is_blocked(&noisy, "wall-unstable");
    let one = spoilt(|evidence| evidence.row("large-a")["candidate_wall_us"] = json!([161.0]));
    let (document, _) = one.judge(&[]);
    assert!(
        codes(&document, "blocks_promotion").contains(&"wall-unproven"),
        "{document}"
    );
}

#[test]
fn a_dispatch_that_names_rows() {
    let mut evidence = Evidence::mixed();
    evidence.dispatch = Some(json!({"buckets": [
        {"name": "slow", "field": "id", "equals": "small-a", "entry": "baseline"},
        {"name": "rest", "entry": "candidate"},
    ]}));
    let folder = tempfile::TempDir::new().expect("a folder");
    let dispatch = crate::run::write(
        &folder,
        "dispatch.json",
        &evidence.dispatch.as_ref().expect("one").to_string(),
    );
    let lines: String = evidence.results.iter().map(|row| format!("{row}\n")).collect();
    let results = crate::run::write(&folder, "results.jsonl", &lines);
    let Err(failure) = crate::run::run(&["judge", &results, "--dispatch", &dispatch]) else {
        panic!("it is refused");
    };
    assert_eq!(
        (failure.document.code.as_str(), failure.exit.code()),
        ("dispatch-malformed", 3)
    );
}
