//! Runs and verdicts against servers of every manner.

use std::path::{Path, PathBuf};

use clap::Parser as _;
use cli_kit::{Failure, Report};
use contracts::Exit;
use quality_gate::cli::Args;
use serde_json::Value;

use crate::server::{Manner, serve};

pub(crate) fn suite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quality-gate/suite.jsonl")
}

pub(crate) fn tool(words: &[&str]) -> Result<Report, Failure> {
    quality_gate::run(Args::parse_from([&["quality-gate"][..], words].concat()))
}

pub(crate) fn document(report: &Report) -> Value {
    let document: Value = serde_json::from_str(report.json()).unwrap();
    let schema = contracts::schema::find(document["schema"].as_str().unwrap()).unwrap();
    let schema: Value = serde_json::from_str(schema.text).unwrap();
    assert!(jsonschema::is_valid(&schema, &document), "{document:#}");
    assert!(report.view().to_markdown().len() <= 8 << 10);
    document
}

pub(crate) fn ask(manner: Manner, more: &[&str]) -> Result<Report, Failure> {
    let url = serve(manner);
    let suite = suite();
    let words = [
        "run",
        "--url",
        &url,
        "--suite",
        suite.to_str().unwrap(),
        "--max-tps",
        "4000000",
    ];
    tool(&[&words[..], more].concat())
}

fn judged(baseline: Manner, candidate: Manner, more: &[&str]) -> Result<Report, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = [("a.json", baseline), ("b.json", candidate)].map(|(name, manner)| {
        let path = folder.path().join(name);
        std::fs::write(&path, ask(manner, &[]).unwrap().json()).unwrap();
        path
    });
    tool(&[&["judge", a.to_str().unwrap(), b.to_str().unwrap()][..], more].concat())
}

/// The checks that failed.
fn failed(document: &Value) -> Vec<&str> {
    let checks = document["data"]["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|check| check["status"] == "fail");
    failed.map(|check| check["name"].as_str().unwrap()).collect()
}

#[test]
fn an_honest_engine_has_its_accuracy() {
    let report = ask(Manner::Right(100), &[]).unwrap();
    let document = document(&report);
    assert_eq!(report.exit(), Exit::Ok, "{document:#}");
    assert_eq!(failed(&document), [""; 0]);
    let data = &document["data"];
    assert_eq!((&data["correct"], &data["answered"]), (&90.into(), &90.into()));
    assert_eq!(data["items"][0]["level"], "stated");
}

#[test]
fn every_cheat_is_named_and_the_result_is_no_evidence() {
    for (manner, name) in [
        (Manner::Constant, "prompt-dependence"),
        (Manner::Constant, "answers-vary"),
        (Manner::Constant, "seed-sensitivity"),
        (Manner::OtherModel, "served-model"),
        (Manner::TooFast, "possible-speed"),
        (Manner::Restless, "greedy-repeats"),
    ] {
        let report = ask(manner, &[]).unwrap();
        let document = document(&report);
        assert_eq!(report.exit(), Exit::Undecided, "{manner:?}");
        assert!(
            failed(&document).contains(&name),
            "{manner:?}: {:?}",
            failed(&document)
        );
        assert_eq!(document["data"]["valid"], false);
    }
}

#[test]
fn connections_are_looked_at_where_the_process_is_known() {
    let me = std::process::id().to_string();
    for (more, status) in [
        (vec!["--pid", me.as_str()], "pass"),
        (vec!["--pid", "4194305"], "unknown"),
        (vec![], "unknown"),
    ] {
        let document = document(&ask(Manner::Right(100), &more).unwrap());
        let checks = document["data"]["checks"].as_array().unwrap().iter();
        let mut found = checks.filter(|check| check["name"] == "no-outside-connections");
        assert_eq!(found.next().unwrap()["status"], status, "{more:?}");
    }
}

#[test]
fn cut_answers_are_failures_not_wrong_answers() {
    let report = ask(Manner::Cut, &[]).unwrap();
    let document = document(&report);
    let data = &document["data"];
    let failed = data["failed"].as_u64().unwrap();
    assert!(failed > 5 && failed < 90, "{failed}");
    assert_eq!(data["correct"], data["answered"]);
    assert_eq!(report.exit(), Exit::Undecided);
}

#[test]
fn a_few_answers_may_reach_their_limit() {
    let few = document(&ask(Manner::Limited(4), &[]).unwrap());
    let cut = few["data"]["failed"].as_u64().unwrap();
    assert!((1..=4).contains(&cut) && few["data"]["valid"] == true, "{cut}");
    let report = ask(Manner::Limited(40), &[]).unwrap();
    let many = document(&report);
    assert_eq!(
        (report.exit(), &many["data"]["valid"]),
        (Exit::Undecided, &false.into())
    );
    let command = many["next_actions"][0]["command"].as_array().unwrap();
    assert!(
        command.contains(&"--max-tokens".into()) && command.contains(&"2048".into()),
        "{command:?}"
    );
    // Of the candidate they are wrong; of the baseline nobody knows.
    let pairs = |base: Manner, candidate: Manner| {
        document(&judged(base, candidate, &[]).unwrap())["data"]["pairs"].clone()
    };
    let lost = pairs(Manner::Right(100), Manner::Limited(4));
    assert_eq!(
        (&lost["only_baseline"], &lost["both"]),
        (&cut.into(), &(90 - cut).into())
    );
    let spared = pairs(Manner::Limited(4), Manner::Right(100));
    assert_eq!(
        (&spared["only_candidate"], &spared["both"]),
        (&0.into(), &(90 - cut).into())
    );
}

#[test]
fn guesses_are_told() {
    let told = |manner: Manner| {
        let report = document(&ask(manner, &[]).unwrap());
        let warnings = report["warnings"].as_array().unwrap().clone();
        warnings
            .iter()
            .any(|warning| warning["code"] == "accuracy-at-chance")
    };
    assert!(told(Manner::Right(20)));
    assert!(!told(Manner::Right(100)));
}

#[test]
fn a_result_is_not_judged_against_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    std::fs::write(&path, ask(Manner::Right(100), &[]).unwrap().json()).unwrap();
    let path = path.to_str().unwrap();
    let failure = tool(&["judge", path, path]).unwrap_err();
    assert_eq!(
        (failure.document.code.as_str(), failure.exit),
        ("quality-same-result", Exit::BadInput)
    );
}

#[test]
fn verdicts() {
    for (candidate, verdict, exit) in [
        (Manner::Right(100), "pass", Exit::Ok),
        (Manner::Right(60), "fail", Exit::GateNotMet),
        (Manner::Right(96), "inconclusive", Exit::Undecided),
        (Manner::OtherTokenizer, "invalid", Exit::Undecided),
        (Manner::Constant, "invalid", Exit::Undecided),
    ] {
        let report = judged(Manner::Right(100), candidate, &["--fail-on", "fail"]).unwrap();
        let document = document(&report);
        assert_eq!(document["data"]["verdict"], verdict, "{:#}", document["data"]);
        assert_eq!(report.exit(), exit);
        let is_open = verdict == "inconclusive";
        assert_eq!(
            document["data"]["needed_items"].is_u64(),
            is_open,
            "{:#}",
            document["data"]
        );
    }
}

#[test]
fn edited_counts_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a.json", "b.json"].map(|name| folder.path().join(name));
    std::fs::write(&a, ask(Manner::Right(100), &[]).unwrap().json()).unwrap();
    let mut worse: Value = serde_json::from_str(ask(Manner::Right(60), &[]).unwrap().json()).unwrap();
    for item in worse["data"]["items"].as_array_mut().unwrap() {
        item["correct"] = true.into();
    }
    worse["data"]["correct"] = 90.into();
    std::fs::write(&b, worse.to_string()).unwrap();
    let report = tool(&["judge", a.to_str().unwrap(), b.to_str().unwrap()]).unwrap();
    assert_eq!(document(&report)["data"]["verdict"], "fail");
}

#[test]
fn other_settings_suites_and_models_are_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a.json", "b.json"].map(|name| folder.path().join(name));
    std::fs::write(&a, ask(Manner::Right(100), &[]).unwrap().json()).unwrap();
    let short = folder.path().join("short.jsonl");
    let one_more = r#"{"question": "1 + 1?", "answer": "1 + 1\n#### 2"}"#;
    std::fs::write(&short, one_more).unwrap();
    for (more, field) in [
        (vec!["--seed", "3"], "settings"),
        (vec!["--model-id", "other"], "model.id"),
        (vec!["--suite", short.to_str().unwrap()], "suite"),
    ] {
        std::fs::write(&b, ask(Manner::Right(100), &more).unwrap().json()).unwrap();
        let failure = tool(&["judge", a.to_str().unwrap(), b.to_str().unwrap()]).unwrap_err();
        assert_eq!(
            (failure.document.code.as_str(), failure.exit),
            ("quality-not-comparable", Exit::BadInput)
        );
        assert!(
            failure.document.message.contains(field),
            "{}",
            failure.document.message
        );
    }
}

#[test]
fn a_run_goes_on_from_its_records_and_from_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.jsonl");
    let kept = kept.to_str().unwrap();
    let url = serve(Manner::Right(100));
    let suite = suite();
    let words = [
        "run",
        "--url",
        &url,
        "--suite",
        suite.to_str().unwrap(),
        "--max-tps",
        "4000000",
        "--records",
        kept,
    ];
    tool(&words).unwrap();
    let text = std::fs::read_to_string(kept).unwrap();
    assert_eq!(text.lines().count(), 91);
    // Half of the file and half of a line: what was answered stands, and that is said.
    std::fs::write(kept, &text[..text.len() / 2]).unwrap();
    let report = document(&tool(&words).unwrap());
    assert_eq!(report["data"]["answered"], 90);
    let warning = &report["warnings"][0];
    assert_eq!(warning["code"], "answers-kept");
    let count = warning["message"].as_str().unwrap().split(' ').next().unwrap();
    assert!((30..60).contains(&count.parse::<u32>().unwrap()), "{count}");
    // Another server's answers are never this one's.
    let failure = ask(Manner::Right(60), &["--records", kept]).unwrap_err();
    assert_eq!(
        (failure.document.code.as_str(), failure.exit),
        ("answers-of-another-run", Exit::Drift)
    );
    let failure = ask(Manner::Right(100), &["--records", kept, "--seed", "1"]).unwrap_err();
    assert_eq!(
        (failure.document.code.as_str(), failure.exit),
        ("answers-of-another-run", Exit::Drift)
    );
}

#[test]
fn bad_input_has_its_codes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.jsonl");
    let path = file.to_str().unwrap();
    for (text, code) in [("", "suite-empty"), ("{\"question\": \"x\"}", "suite-malformed")] {
        std::fs::write(&file, text).unwrap();
        let failure = tool(&["run", "--url", "http://127.0.0.1:1", "--suite", path]).unwrap_err();
        assert_eq!(failure.document.code, code);
        assert!(failure.document.hint.is_some());
    }
    let failure = ask(Manner::Right(100), &["--api-key-env", "QUALITY_GATE_NO_SUCH"]).unwrap_err();
    assert_eq!(failure.document.code, "quality-key-missing");
    let failure = ask(Manner::Right(100), &["--records", "/nonexistent/x"]).unwrap_err();
    assert_eq!(failure.document.code, "answers-not-kept");
    let failure = tool(&["judge", path, path, "--at-least", "1.5"]).unwrap_err();
    assert_eq!(
        (failure.document.code.as_str(), failure.exit),
        ("quality-limit-out-of-range", Exit::Usage)
    );
}

#[test]
fn the_flags_are_sound() {
    use clap::CommandFactory as _;
    Args::command().debug_assert();
}
