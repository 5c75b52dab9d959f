//! Answers to a workload's prompts, side against side.

use std::path::Path;

use contracts::Exit;
use serde_json::Value;

use crate::gate::{ask, document, suite, tool};
use crate::server::{Manner, serve};

/// A workload of `count` prompts, as `serve-bench freeze` writes it.
fn workload(folder: &Path, count: u64) -> String {
    use contracts::serve_bench::workload::{StreamHash, WorkloadRequest};
    let requests: Vec<WorkloadRequest> = (0..count)
        .map(|index| {
            let body = serde_json::json!({"messages": [{"role": "user", "content": format!("Tell me of {index}.")}],
                "max_tokens": 16, "ignore_eos": true, "stream": true});
            let request = serde_json::json!({"scenario": "chat", "index": index, "arrival_offset_ms": null,
                "input_len": null, "output_len": 16, "prefix_group": null, "body": body});
            serde_json::from_value(request).unwrap()
        })
        .collect();
    let mut hash = StreamHash::default();
    requests.iter().for_each(|request| hash.add(request));
    let header = serde_json::json!({"schema": "serve-bench.workload/1", "name": "w", "model": null, "tokenizer": null,
        "request_stream_sha256": hash.finish(), "scenarios": []});
    let mut text = format!("{header}\n");
    for request in &requests {
        text.push_str(&serde_json::to_string(request).unwrap());
        text.push('\n');
    }
    let path = folder.join("w.jsonl");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Keeps the result of a run over the prompts.
fn said(folder: &Path, name: &str, manner: Manner, more: &[&str]) -> (String, Value, Exit) {
    let url = serve(manner);
    let workload = workload(folder, 60);
    let words = [
        "run",
        "--url",
        &url,
        "--workload",
        &workload,
        "--max-tps",
        "4000000",
    ];
    let report = tool(&[&words[..], more].concat()).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, report.json()).unwrap();
    (
        path.to_str().unwrap().to_owned(),
        document(&report),
        report.exit(),
    )
}

#[test]
fn answers_to_a_workload_are_held_against_a_result_records_and_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.jsonl");
    let kept = kept.to_str().unwrap();
    let (base, first, exit) = said(folder.path(), "a.json", Manner::Drift(0), &["--records", kept]);
    assert_eq!((exit, first["data"]["agreement"].is_null()), (Exit::Ok, true));
    let live = serve(Manner::Drift(0));
    for baseline in [base.as_str(), kept, live.as_str()] {
        let (_, same, _) = said(
            folder.path(),
            "b.json",
            Manner::Drift(0),
            &["--against", baseline],
        );
        let found = &same["data"]["agreement"];
        assert_eq!(
            (&found["same"], &found["unit"]),
            (&60.into(), &"tokens".into()),
            "{baseline}"
        );
        assert_eq!(found["logprob_delta_nats"]["value"], 0.0);
        assert_eq!(found["first_divergence"], Value::Null);
        let (_, other, exit) = said(
            folder.path(),
            "b.json",
            Manner::Drift(50),
            &["--against", baseline],
        );
        let found = &other["data"]["agreement"];
        let same = found["same"].as_u64().unwrap();
        assert!((15..45).contains(&same) && found["left_out"] == 0, "{found:#}");
        // The server moves every log-probability by 0.25 and differs from the third token on.
        assert_eq!(found["earliest_divergence"], 2);
        assert!((found["logprob_delta_nats"]["value"].as_f64().unwrap() - 0.25).abs() < 1e-9);
        assert!(found["kl_top_nats"]["value"].as_f64().unwrap() > 0.01);
        assert!(found["common_prefix_ratio"]["ci_low"].is_number());
        // Drift is reported; it makes no result invalid.
        assert_eq!(exit, Exit::Ok);
    }
}

#[test]
fn a_server_without_log_probabilities_is_compared_by_characters() {
    let folder = tempfile::tempdir().unwrap();
    let (base, ..) = said(folder.path(), "a.json", Manner::Drift(0), &[]);
    let (_, plain, exit) = said(folder.path(), "b.json", Manner::NoLogprobs, &["--against", &base]);
    let found = &plain["data"]["agreement"];
    assert_eq!(
        (&found["unit"], &found["same"]),
        (&"characters".into(), &60.into()),
        "{found:#}"
    );
    assert_eq!(
        (&found["logprob_delta_nats"], &found["kl_top_nats"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(exit, Exit::Ok);
}

#[test]
fn agreement_decides_only_where_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let suite = suite();
    let suite = ["--suite", suite.to_str().unwrap()];
    let (base, ..) = said(folder.path(), "a.json", Manner::Drift(0), &suite);
    for (manner, more, verdict) in [
        (Manner::Drift(0), &["--min-agreement", "0.9"][..], "pass"),
        (Manner::Drift(50), &[][..], "pass"),
        (Manner::Drift(50), &["--min-agreement", "0.9"][..], "fail"),
        (
            Manner::Drift(50),
            &["--min-agreement", "0.45"][..],
            "inconclusive",
        ),
        (Manner::OtherTokenizer, &[][..], "invalid"),
    ] {
        let (other, ..) = said(folder.path(), "b.json", manner, &suite);
        let report = tool(&[&["judge", &base, &other][..], more].concat()).unwrap();
        let document = document(&report);
        assert_eq!(document["data"]["verdict"], verdict, "{:#}", document["data"]);
        assert!(document["data"]["agreement"]["same"].is_u64());
        assert_eq!(
            document["data"]["needed_prompts"].is_u64(),
            verdict == "inconclusive"
        );
        let next = document["next_actions"].to_string();
        assert_eq!(next.contains("--prompts"), verdict == "inconclusive", "{next}");
        assert_eq!(document["data"]["min_agreement_ratio"].is_null(), more.is_empty());
    }
    // Without a suite agreement decides alone, and without a limit nothing does.
    let (base, ..) = said(folder.path(), "a.json", Manner::Drift(0), &[]);
    let (other, ..) = said(folder.path(), "b.json", Manner::Drift(0), &[]);
    for (more, verdict) in [
        (&["--min-agreement", "0.9"][..], "pass"),
        (&[][..], "inconclusive"),
    ] {
        let report = tool(&[&["judge", &base, &other][..], more].concat()).unwrap();
        assert_eq!(document(&report)["data"]["verdict"], verdict);
    }
}

#[test]
fn prompts_that_differ_are_not_compared_and_bad_ones_have_their_codes() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.jsonl").display().to_string();
    let (base, ..) = said(folder.path(), "a.json", Manner::Drift(0), &["--records", &kept]);
    let url = serve(Manner::Drift(0));
    let frozen = workload(folder.path(), 60);
    let changed = folder.path().join("changed.jsonl");
    let text = std::fs::read_to_string(&frozen).unwrap();
    std::fs::write(&changed, text.replace("Tell me", "Sing")).unwrap();
    let changed = changed.to_str().unwrap();
    let plain = folder.path().join("plain.json");
    std::fs::write(&plain, ask(Manner::Right(100), &[]).unwrap().json()).unwrap();
    let plain = plain.to_str().unwrap();
    for (workload, more, code, exit) in [
        (
            frozen.as_str(),
            &["--prompts", "9"][..],
            "quality-not-comparable",
            Exit::BadInput,
        ),
        (
            &frozen,
            &["--prompt-tokens", "9"][..],
            "quality-not-comparable",
            Exit::BadInput,
        ),
        (
            &frozen,
            &["--model-id", "other"][..],
            "quality-not-comparable",
            Exit::BadInput,
        ),
        (changed, &[][..], "prompts-malformed", Exit::BadInput),
    ] {
        // Records name the model and what was asked, as a result does.
        for baseline in [&base, &kept] {
            let words = [
                "run",
                "--url",
                &url,
                "--workload",
                workload,
                "--against",
                baseline,
            ];
            let failure = tool(&[&words[..], more].concat()).unwrap_err();
            assert_eq!(
                (failure.document.code.as_str(), failure.exit),
                (code, exit),
                "{more:?}"
            );
            assert!(failure.document.hint.is_some());
        }
    }
    let failure = tool(&["run", "--url", &url, "--workload", &frozen, "--against", plain]).unwrap_err();
    assert_eq!(failure.document.code, "baseline-without-prompts");
    let other = folder.path().join("other.json");
    std::fs::write(&other, ask(Manner::Right(60), &[]).unwrap().json()).unwrap();
    let other = other.to_str().unwrap();
    let failure = tool(&["judge", plain, other, "--min-agreement", "0.9"]).unwrap_err();
    assert_eq!(failure.document.code, "quality-not-comparable");
    let failure = tool(&["judge", plain, plain, "--min-agreement", "1"]).unwrap_err();
    assert_eq!(
        (failure.document.code.as_str(), failure.exit),
        ("agreement-limit-out-of-range", Exit::Usage)
    );
}
