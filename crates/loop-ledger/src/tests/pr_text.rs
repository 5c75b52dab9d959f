//! `pr-text`: only for a listed remote, and nothing of the machine in it.

use super::campaign::Campaign;

const REMOTE: &str = "git@github.com:us/sglang.git";

#[test]
fn the_text_of_a_pull_request() {
    let campaign = Campaign::ended().write();
    let document = campaign.document(&["pr-text", "--remote", REMOTE]);
    let text = document["data"]["text"].as_str().unwrap();
    insta::assert_snapshot!(text);
    for machine in ["alice", "10.1.2.3", "/home"] {
        assert!(!text.contains(machine), "{machine}");
    }
    assert!(text.contains("no accuracy evidence"));
    assert!(text.contains("vllm-project/vllm#23456"));
}

#[test]
fn another_remote_is_refused() {
    let campaign = Campaign::ended().write();
    for remote in [
        "git@github.com:sgl-project/sglang.git",
        "",
        "git@github.com:us/sglang.git ",
    ] {
        let (code, exit, message) = campaign.refused(&["pr-text", "--remote", remote]);
        assert_eq!((code.as_str(), exit), ("remote-not-listed", 1));
        assert!(message.contains(REMOTE), "{message}");
    }
}
