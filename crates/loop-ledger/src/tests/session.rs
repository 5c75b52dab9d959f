//! `session`: what is cited stands in a stored document, or nothing is written.

use super::campaign::Campaign;

const FOUNDED: &str = "`latency` tpot_ms.p50=8.70 ms: decode is where the time goes";

fn words<'a>(analysis: &'a [&'a str], more: &'a [&'a str]) -> Vec<&'a str> {
    [
        &[
            "session",
            "--findings",
            "decode is slow",
            "--planned",
            "--num-continuous-decode-steps 8",
        ],
        &["--analysis"][..],
        analysis,
        more,
    ]
    .concat()
}

fn session_file(campaign: &Campaign, words: &[&str]) -> (String, String) {
    let document = campaign.document(words);
    let session = &document["data"]["entries"][0]["event"]["data"];
    let file = session["file"].as_str().unwrap().to_owned();
    let text = campaign.read(&format!("sessions/{file}"));
    (file, text)
}

#[test]
fn a_founded_session_is_written_and_recorded() {
    let campaign = Campaign::behind().today().write();
    let before = campaign.entries.len();
    let line = "checked_on=2026-11-20, baseline_commit=0a1b2c3, scenario `chat`: effect_pct=-8.0";
    let (file, text) = session_file(&campaign, &words(&[FOUNDED, line], &[]));
    let stamp = file.strip_prefix("debug-").unwrap().strip_suffix(".md").unwrap();
    assert_eq!(stamp.len(), "20261122T010000Z".len(), "{file}");
    assert!(!file.contains(':'));
    assert!(text.contains(&format!("# debug-{stamp}\n")), "{text}");
    assert!(text.contains(&format!("ledger_seq: {before}\n")), "{text}");
    assert!(text.contains("attempt: null\n"), "{text}");
    assert!(
        text.contains("**Metrics**: TTFT=0.1031s, TPOT=0.01649s, TTLT=16.495s, Prefill=20000 tok/s, Decode=60.6 tok/s, Output=485.0 tok/s, Total=970.0 tok/s, Errors=0 (ours on long, 8 runs"),
        "{text}"
    );
    assert!(text.contains(&format!("- {FOUNDED}\n")), "{text}");
    assert!(text.contains("**Findings**: decode is slow\n"));
    assert!(text.contains("**Planned changes**: --num-continuous-decode-steps 8\n"));
    assert!(text.contains("simulated: true\n"));
    // The ledger goes on, and the file is under its hash.
    let verified = campaign.run(&["status"]).unwrap();
    assert!(verified.json().contains(&format!("\"entries\": {}", before + 1)));
}

#[test]
fn an_open_attempt_stands_in_the_front_matter() {
    let mut campaign = Campaign::behind();
    campaign.begin(
        contracts::loop_ledger::event::ChangeKind::Flags,
        "--x",
        None,
        None,
    );
    let campaign = campaign.today().write();
    let (_, text) = session_file(&campaign, &words(&[FOUNDED], &["--iso", "extended"]));
    assert!(text.contains("attempt: a-0001\n"), "{text}");
}

#[test]
fn a_line_that_nothing_stored_says_is_refused_and_nothing_is_written() {
    let campaign = Campaign::behind().today().write();
    for (line, why) in [
        ("tpot_ms.p50=7.00 ms", "tpot_ms.p50 is"),
        ("tpot_ms.p50=8.70 s", "tpot_ms.p50 is"),
        (
            "gpu_idle_ratio=0.62",
            "no stored document has a value named gpu_idle_ratio",
        ),
        ("the scheduler is slow", "it claims no value"),
        ("tpot_ms.p50=8.70 and gpu_idle_ratio=0.62", "gpu_idle_ratio"),
    ] {
        let (code, exit, message) = campaign.refused(&words(&[FOUNDED, line], &[]));
        assert_eq!((code.as_str(), exit), ("claim-unfounded", 7), "{line}");
        assert!(message.contains(why), "{message}");
    }
    assert!(!campaign.path("sessions").exists());
}

#[test]
fn a_session_is_no_evidence_of_itself() {
    let campaign = Campaign::behind().today().write();
    session_file(&campaign, &words(&[FOUNDED], &[]));
    // TTFT stands in the session file, and in no document under that name.
    let (code, ..) = campaign.refused(&words(&["TTFT=0.1031s"], &[]));
    assert_eq!(code, "claim-unfounded");
}

#[test]
fn a_deployment_lies_beside_its_session() {
    let campaign = Campaign::behind().today().write();
    let path = campaign.path("service.dstack.yml");
    std::fs::write(
        &path,
        "type: service\nname: qwen\nenv: [HF_TOKEN]\ncommands: [serve]\n",
    )
    .unwrap();
    let path = path.display().to_string();
    let (file, text) = session_file(
        &campaign,
        &words(&[FOUNDED], &["--deployment", &path, "--iso", "extended"]),
    );
    let stamp = file.strip_prefix("debug-").unwrap().strip_suffix(".md").unwrap();
    assert_eq!(stamp.len(), "2026-11-22T01:00:00Z".len(), "{file}");
    assert!(
        campaign
            .read(&format!("sessions/dstack-{stamp}.yml"))
            .starts_with("type: service\n")
    );
    assert!(
        text.contains(&format!("deployment: dstack-{stamp}.yml\n")),
        "{text}"
    );
}

#[test]
fn a_deployment_with_a_secret_or_without_yaml_is_refused() {
    let campaign = Campaign::behind().today().write();
    for (text, wanted) in [
        ("env: [HF_TOKEN=hf_abc]\n", "secret-in-deployment"),
        (
            "commands: [vllm serve m --api-key hf_abc]\n",
            "secret-in-deployment",
        ),
        ("a: [b", "input-not-yaml"),
    ] {
        let path = campaign.path("bad.yml");
        std::fs::write(&path, text).unwrap();
        let path = path.display().to_string();
        let (code, exit, message) = campaign.refused(&words(&[FOUNDED], &["--deployment", &path]));
        assert_eq!((code.as_str(), exit), (wanted, 3));
        assert!(!message.contains("hf_abc"), "{message}");
    }
}

#[test]
fn two_sessions_in_a_second_are_two_files() {
    let campaign = Campaign::behind().today().write();
    let names: std::collections::BTreeSet<String> = (0..3)
        .map(|_| session_file(&campaign, &words(&[FOUNDED], &[])).0)
        .collect();
    assert_eq!(names.len(), 3);
}
