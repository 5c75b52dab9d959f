//! `hook stop`, with events as Claude Code and Codex write them: always exit 0, with one JSON object or nothing.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::campaign::{Campaign, Ended, binary, end, files_below, repository};

/// A Stop event of Claude Code 2.1.145 and later.
fn claude(cwd: &Path, session: &str, is_active: bool, tasks: Value) -> Vec<u8> {
    json!({
        "session_id": session,
        "transcript_path": "transcript.jsonl",
        "cwd": cwd,
        "permission_mode": "acceptEdits",
        "hook_event_name": "Stop",
        "stop_hook_active": is_active,
        "last_assistant_message": "All rounds are done.",
        "background_tasks": tasks,
        "session_crons": [],
    })
    .to_string()
    .into_bytes()
}

/// A Stop event of Codex: no background tasks, a turn instead.
fn codex(cwd: &Path, session: &str) -> Vec<u8> {
    json!({
        "session_id": session,
        "turn_id": "t-1",
        "transcript_path": null,
        "cwd": cwd,
        "hook_event_name": "Stop",
        "model": "gpt-5.5",
        "permission_mode": "default",
        "stop_hook_active": false,
        "last_assistant_message": null,
    })
    .to_string()
    .into_bytes()
}

/// The answer; that it is JSON or nothing and that the exit code is 0 holds for every call in this file.
fn answer(ended: &Ended) -> Option<Value> {
    assert_eq!(ended.code, 0, "{ended:?}");
    if ended.stdout.is_empty() {
        return None;
    }
    let object: Value =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    assert!(object.is_object(), "{object}");
    assert!(object.get("continue").is_none(), "{object}");
    Some(object)
}

fn stop(event: &[u8], environment: &[(&str, &Path)]) -> Option<Value> {
    let mut command = binary();
    command.args(["hook", "stop"]);
    for (name, value) in environment {
        command.env(name, value);
    }
    answer(&end(&mut command, event))
}

fn reason(answer: &Option<Value>) -> &str {
    let answer = answer.as_ref().expect("an answer");
    assert_eq!(answer["decision"], "block", "{answer}");
    answer["reason"].as_str().expect("a reason")
}

fn is_allowed(answer: &Option<Value>) -> bool {
    answer
        .as_ref()
        .is_none_or(|answer| answer.get("decision").is_none())
}

#[test]
fn a_campaign_that_is_not_done_goes_on_with_its_next_command() {
    let campaign = Campaign::begun();
    let before = campaign.run(["status", "--brief", "--format", "markdown"]).stdout;
    for event in [
        claude(&campaign.root(), "s1", false, json!([])),
        claude(&campaign.root(), "s1", true, json!([])),
        codex(&campaign.root(), "s2"),
    ] {
        let answer = stop(&event, &[]);
        let reason = reason(&answer);
        assert!(reason.starts_with("The campaign is not done"), "{reason}");
        assert!(reason.contains("append history.yaml"), "{reason}");
        assert!(reason.chars().count() < 2000, "{reason}");
        assert!(reason.contains(before.lines().next().unwrap()), "{reason}");
    }
}

#[test]
fn three_blocks_for_one_head_and_session_then_the_session_may_stop() {
    let campaign = Campaign::begun();
    let ledger = std::fs::read(campaign.path("root/ledger.jsonl")).unwrap();
    let event = claude(&campaign.root(), "s1", true, json!([]));
    for _ in 0..3 {
        reason(&stop(&event, &[]));
    }
    let fourth = stop(&event, &[]);
    assert!(is_allowed(&fourth));
    let said = fourth.unwrap()["systemMessage"].as_str().unwrap().to_owned();
    assert!(said.contains("3 turns added nothing"), "{said}");
    // Another session has turns of its own.
    reason(&stop(&claude(&campaign.root(), "s2", false, json!([])), &[]));
    assert_eq!(
        std::fs::read(campaign.path("root/ledger.jsonl")).unwrap(),
        ledger,
        "a hook never writes to the ledger"
    );
    // The ledger grows: the count begins anew.
    campaign.append_history();
    reason(&stop(&event, &[]));
}

#[test]
fn what_ends_or_pauses_a_campaign_lets_the_session_stop() {
    let tasks = Campaign::begun();
    let event = claude(
        &tasks.root(),
        "s",
        false,
        json!([{"id": "bash_1", "status": "running"}]),
    );
    assert_eq!(stop(&event, &[]), None);

    let asked = Campaign::begun();
    asked.write("root/STOP", b"");
    let event = claude(&asked.root(), "s", false, json!([]));
    assert_eq!(stop(&event, &[]), None);
    let ended = asked.run(["done"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    std::fs::remove_file(asked.path("root/STOP")).unwrap();
    assert_eq!(stop(&event, &[]), None, "it has ended");

    let spent = Campaign::with_budget("wall_s: 0");
    let answer = stop(&claude(&spent.root(), "s", false, json!([])), &[]);
    assert!(is_allowed(&answer));
    assert!(
        answer
            .unwrap()
            .to_string()
            .contains("the budget is spent (wall_s)")
    );

    let blocked = Campaign::begun();
    blocked.append_history();
    let ended = blocked.run([
        "blocker",
        "--phase",
        "baseline",
        "--what",
        "no GPU",
        "--",
        "nvidia-smi",
    ]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let ended = blocked.run(["done", "--state", "blocked", "--why", "no GPU here"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(stop(&claude(&blocked.root(), "s", false, json!([])), &[]), None);

    // A phase that is merely downgraded is no reason to stop.
    let downgraded = Campaign::begun();
    let ended = downgraded.run([
        "blocker",
        "--phase",
        "profile",
        "--what",
        "no profiler",
        "--",
        "nsys",
    ]);
    assert_eq!(ended.code, 0, "{ended:?}");
    reason(&stop(&claude(&downgraded.root(), "s", false, json!([])), &[]));
}

#[test]
fn the_root_comes_from_the_flag_then_the_environment_then_the_event() {
    let campaign = Campaign::begun();
    let elsewhere = Campaign::empty();
    let root = campaign.root();
    let event = claude(&elsewhere.root(), "s", false, json!([]));
    assert_eq!(stop(&event, &[]), None, "no campaign there, no word");
    reason(&stop(&event, &[("LOOP_LEDGER_ROOT", &root)]));
    let mut command = binary();
    command
        .args(["hook", "stop", "--root"])
        .arg(&root)
        .env("LOOP_LEDGER_ROOT", elsewhere.root());
    reason(&answer(&end(&mut command, &event)));
}

#[test]
fn a_chain_that_was_written_anew_is_noticed_by_the_anchor() {
    let data = tempfile::tempdir().unwrap();
    let environment: &[(&str, &Path)] = &[("CLAUDE_PLUGIN_DATA", data.path())];
    let campaign = Campaign::begun();
    campaign.append_history();
    let event = claude(&campaign.root(), "s1", false, json!([]));
    let first = stop(&event, environment);
    assert!(!reason(&first).contains("written anew"));
    let kept = files_below(data.path());
    assert_eq!(kept.len(), 1, "{kept:?}");
    let kept = String::from_utf8(kept.into_values().next().unwrap()).unwrap();
    assert!(kept.contains(&campaign.head()), "{kept}");

    // The agent begins the same campaign again, as if the first had never been.
    let other = Campaign::begun();
    for file in ["target.lock.json", "ledger.jsonl", "checkpoint.json"] {
        std::fs::copy(other.root().join(file), campaign.root().join(file)).unwrap();
    }
    let second = stop(&event, environment);
    assert!(reason(&second).contains("verify --anchor sha256:"), "{second:?}");
    assert!(reason(&second).contains("written anew"), "{second:?}");
    // As often as it likes: the anchor stays.
    campaign.append_history();
    assert!(reason(&stop(&event, environment)).contains("written anew"));

    // And then the campaign is gone altogether.
    std::fs::remove_dir_all(campaign.root()).unwrap();
    for _ in 0..3 {
        assert!(reason(&stop(&event, environment)).contains("its ledger is gone"));
    }
    assert!(is_allowed(&stop(&event, environment)));
    assert_eq!(stop(&event, &[]), None, "without an anchor nobody knows of it");
}

#[test]
fn a_changed_ledger_is_said_and_does_not_end_the_session() {
    let campaign = Campaign::begun();
    let path = campaign.path("root/ledger.jsonl");
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("\"seq\":0", "\"seq\":1");
    std::fs::write(&path, text).unwrap();
    let event = claude(&campaign.root(), "s1", false, json!([]));
    for _ in 0..3 {
        let answer = stop(&event, &[]);
        assert!(
            reason(&answer).contains("has the number 1, expected 0"),
            "{answer:?}"
        );
    }
    assert!(is_allowed(&stop(&event, &[])));
}

#[test]
fn usage_errors_are_no_blocks() {
    let campaign = Campaign::begun();
    for arguments in [
        &["hook"] as &[&str],
        &["hook", "start"],
        &["hook", "--no-such-flag"],
        &["--no-such-flag", "hook"],
    ] {
        let ended = end(binary().args(arguments), b"");
        let answer = answer(&ended);
        assert!(is_allowed(&answer), "{ended:?}");
        assert!(ended.stderr.is_empty(), "{ended:?}");
    }
    // A wrong flag beside the right word: the hook does its work.
    let mut command = binary();
    command
        .args(["hook", "stop", "--no-such-flag", "--root"])
        .arg(campaign.root());
    reason(&answer(&end(&mut command, b"")));
}

#[test]
fn malformed_empty_and_huge_events_are_answered() {
    let campaign = Campaign::begun();
    let root = campaign.root();
    let huge =
        json!({"cwd": root, "session_id": "h", "last_assistant_message": "x".repeat(2 << 20)}).to_string();
    let too_large = vec![b' '; 17 << 20];
    for event in [
        b"" as &[u8],
        b"{",
        b"null",
        b"\x00\xff",
        br#"{"stop_hook_active":"yes","background_tasks":7,"cwd":[]}"#,
        huge.as_bytes(),
        &too_large,
    ] {
        // A new session every time: only the huge one says which, the others share the empty name.
        std::fs::remove_file(root.join("hook.json")).ok();
        reason(&stop(event, &[("LOOP_LEDGER_ROOT", &root)]));
        // Nowhere, nothing.
        let nowhere = Campaign::empty();
        let mut command = binary();
        command.args(["hook", "stop"]).current_dir(nowhere.root());
        let ended = end(&mut command, event);
        let is_silent = answer(&ended).is_none();
        assert!(is_silent || event == huge.as_bytes(), "{ended:?}");
    }
}

#[test]
fn the_plugin_hook_is_silent_without_the_tool_and_speaks_with_it() {
    let campaign = Campaign::begun();
    let event = claude(&campaign.root(), "s1", false, json!([]));
    let declared = std::fs::read(repository().join("hooks/hooks.json")).unwrap();
    let declared: Value = serde_json::from_slice(&declared).unwrap();
    // Codex refuses a file with any other key at its root.
    let keys: Vec<&String> = declared.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["description", "hooks"]);
    let command = declared["hooks"]["Stop"][0]["hooks"][0]["command"]
        .as_str()
        .unwrap();
    let plugin = repository().canonicalize().unwrap();
    let run = |tools: Option<&Path>| {
        let mut shell = std::process::Command::new("/bin/sh");
        shell
            .args(["-c", command])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("CLAUDE_PLUGIN_ROOT", &plugin);
        if let Some(tools) = tools {
            shell.env("SOTA_LOOP_BIN", tools);
        }
        answer(&end(&mut shell, &event))
    };
    assert_eq!(run(None), None, "no tool, no word");
    let built = Path::new(env!("CARGO_BIN_EXE_loop-ledger")).parent().unwrap();
    reason(&run(Some(built)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_on_stdin_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400), words in prop::collection::vec("[a-z=-]{0,10}", 0..3)) {
        let nowhere = Campaign::empty();
        let mut command = binary();
        command.arg("hook").args(&words).current_dir(nowhere.root());
        let ended = end(&mut command, &bytes);
        if words.iter().all(|word| !["-h"].contains(&word.as_str())) {
            prop_assert!(is_allowed(&answer(&ended)));
        }
    }

    #[test]
    fn any_object_about_a_campaign_is_answered(session in any::<String>(), tasks in prop::collection::vec(any::<bool>(), 0..2), is_active in any::<bool>()) {
        let campaign = campaign_of_all();
        let event = json!({"session_id": session, "background_tasks": tasks, "stop_hook_active": is_active, "cwd": campaign.root()});
        let answer = stop(event.to_string().as_bytes(), &[]);
        prop_assert!(tasks.is_empty() || answer.is_none());
    }
}

/// One campaign for all cases: to begin one takes longer than to ask it.
fn campaign_of_all() -> &'static Campaign {
    static CAMPAIGN: std::sync::OnceLock<Campaign> = std::sync::OnceLock::new();
    CAMPAIGN.get_or_init(Campaign::begun)
}
