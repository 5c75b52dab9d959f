//! `watch`, as a process: alarms, notification, and its three endings.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;

use crate::campaign::{Campaign, Ended, binary, files_below};

fn codes(ended: &Ended) -> Vec<String> {
    let document = ended.document();
    assert_eq!(document["schema"], "loop-ledger.watch/1");
    let alarms = document["data"]["alarms"].as_array().unwrap();
    alarms
        .iter()
        .map(|alarm| alarm["code"].as_str().unwrap().to_owned())
        .collect()
}

/// The id of a process that has ended.
fn dead_pid() -> String {
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    pid.to_string()
}

/// A watch that goes on, with its first alarm read: from then on it listens to signals.
fn running(campaign: &Campaign) -> (Child, BufReader<ChildStderr>) {
    let mut child = binary()
        .arg("--root")
        .arg(campaign.root())
        .args(["watch", "--interval", "0.01", "--free-disk-gib", "1e9"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("alarm[disk-low]: "), "{line}");
    (child, stderr)
}

fn end(mut child: Child) -> (i32, Value) {
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let code = child.wait().unwrap().code().unwrap_or(-1);
    (
        code,
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}")),
    )
}

#[test]
fn a_healthy_campaign_raises_nothing_and_is_not_touched() {
    let campaign = Campaign::begun();
    let before = files_below(&campaign.root());
    let alive = std::process::id().to_string();
    let ended = campaign.run([
        "watch",
        "--looks",
        "3",
        "--interval",
        "0.01",
        "--free-disk-gib",
        "0",
        "--pid",
        &alive,
    ]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(codes(&ended), [""; 0]);
    let document = ended.document();
    assert_eq!(document["complete"], true);
    assert_eq!(document["data"]["looks"], 3);
    assert!(document["data"]["last_sign_at"].is_string());
    assert_eq!(files_below(&campaign.root()), before);
}

#[test]
fn every_alarm_is_raised_once_and_told() {
    let campaign = Campaign::with_budget("wall_s: 0");
    campaign.write("root/STOP", b"");
    let told = campaign.path("told");
    let script = "printf '%s\\n' \"$1\" >> \"$0\"";
    let notify = serde_json::to_string(&["/bin/sh", "-c", script, told.to_str().unwrap()]).unwrap();
    let dead = dead_pid();
    let ended = campaign.run([
        "watch",
        "--looks",
        "3",
        "--interval",
        "0.01",
        "--stall-minutes",
        "0",
        "--free-disk-gib",
        "1e9",
        "--pid",
        &dead,
        "--notify",
        &notify,
    ]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let expected = [
        "stalled",
        "disk-low",
        "server-died",
        "stopped",
        "budget-exhausted",
    ];
    assert_eq!(codes(&ended), expected);
    for alarm in ended.document()["data"]["alarms"].as_array().unwrap() {
        assert_eq!(alarm["notify_exit_code"], 0, "{alarm}");
    }
    let told = std::fs::read_to_string(told).unwrap();
    assert_eq!(told.lines().count(), expected.len(), "{told}");
    assert!(told.contains(&format!("process {dead} is gone\n")), "{told}");
    assert_eq!(
        ended
            .stderr
            .lines()
            .filter(|line| line.starts_with("alarm["))
            .count(),
        5,
        "{ended:?}"
    );
}

#[test]
fn a_notification_that_fails_is_a_warning() {
    let campaign = Campaign::begun();
    let ended = campaign.run([
        "watch",
        "--looks",
        "1",
        "--free-disk-gib",
        "1e9",
        "--notify",
        r#"["no-such-program-here"]"#,
    ]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let document = ended.document();
    assert_eq!(document["warnings"][0]["code"], "notify-failed", "{document}");
    assert_eq!(document["data"]["alarms"][0]["notify_exit_code"], Value::Null);
}

#[test]
fn it_ends_when_the_campaign_ends() {
    let campaign = Campaign::begun();
    let (child, mut stderr) = running(&campaign);
    campaign.write("root/STOP", b"");
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("alarm[stopped]: "), "{line}");
    assert_eq!(campaign.run(["done"]).code, 0);
    let (code, document) = end(child);
    assert_eq!(code, 1, "{document}");
    assert_eq!(document["complete"], true);
    assert!(
        document["summary"]
            .as_str()
            .unwrap()
            .starts_with("The campaign has ended"),
        "{document}"
    );
    // To watch one that has ended is over at once.
    let ended = campaign.run(["watch", "--stall-minutes", "0"]);
    assert_eq!((ended.code, codes(&ended).len()), (0, 0), "{ended:?}");
}

#[test]
fn interrupted_it_still_writes_what_it_saw() {
    let campaign = Campaign::begun();
    let (child, _stderr) = running(&campaign);
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
    let (code, document) = end(child);
    assert_eq!(code, 130, "{document}");
    assert_eq!(document["complete"], false);
    assert_eq!(document["data"]["alarms"][0]["code"], "disk-low");
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let campaign = Campaign::begun();
    for (flag, value) in [
        ("--interval", "0"),
        ("--interval", "nan"),
        ("--interval", "1e300"),
        ("--interval", "1e19"),
        ("--stall-minutes", "inf"),
        ("--free-disk-gib", "nan"),
        ("--notify", "mail me"),
        ("--notify", "[]"),
    ] {
        let ended = campaign.run(["watch", "--looks", "1", flag, value]);
        assert_eq!(ended.code, 2, "{flag} {value}: {ended:?}");
        assert!(ended.stderr.contains(flag), "{ended:?}");
    }
    let nowhere = Campaign::empty();
    let ended = nowhere.run(["watch", "--looks", "1"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains("error[no-campaign]"), "{ended:?}");
    // A ledger that is changed while somebody watches ends the watch.
    let (child, _stderr) = running(&campaign);
    campaign.write("other.jsonl", b"{}\n");
    std::fs::rename(campaign.path("other.jsonl"), campaign.path("root/ledger.jsonl")).unwrap();
    let (code, document) = end(child);
    assert_eq!(
        (code, document["code"].as_str()),
        (7, Some("chain-broken")),
        "{document}"
    );
}
