//! Prompts and the texts for Humanize.

use crate::campaign::{Campaign, binary, end, repository};

const RUNTIMES: [&str; 4] = ["redeploy", "humanize", "codex-goal", "claude-goal"];

#[test]
fn the_shipped_prompts_are_what_the_command_prints() {
    for runtime in RUNTIMES {
        let mut command = binary();
        command.current_dir(repository()).args([
            "prompt",
            "--root",
            "runs/qwen3-next",
            "--runtime",
            runtime,
            "--target",
            "examples/targets/qwen3-next-2xb200.yaml",
        ]);
        let printed = end(&mut command, b"");
        assert_eq!(printed.code, 0, "{printed:?}");
        let kept = repository().join(format!("examples/targets/prompts/{runtime}.md"));
        let shipped = std::fs::read_to_string(&kept).unwrap();
        assert_eq!(
            printed.stdout,
            shipped,
            "run the command of examples/targets/README.md again: {}",
            kept.display()
        );
        assert!(shipped.chars().count() < 4000);
    }
}

#[test]
fn a_prompt_of_a_campaign_names_its_locked_workloads_and_no_place() {
    let campaign = Campaign::begun();
    for runtime in RUNTIMES {
        let ended = campaign.run(["prompt", "--runtime", runtime, "--format", "json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let document = ended.document();
        assert_eq!(document["schema"], "loop-ledger.text/1");
        assert_eq!(document["data"]["head"], campaign.head());
        let text = document["data"]["text"].as_str().unwrap();
        assert!(text.contains("chat (3->4 tokens, 1 prompts)"), "{text}");
        assert!(text.contains("Artifact root: folder root;"), "{text}");
        for place in ["127.0.0.1", campaign.folder.path().to_str().unwrap()] {
            assert!(!text.contains(place), "{text}");
        }
    }
}

#[test]
fn a_target_without_a_campaign_gives_no_prompt() {
    let folder = Campaign::empty();
    folder.write("target.yaml", b"schema: sota-loop.target/1\nmodel: {id: a/b}\n");
    let target = folder.path("target.yaml");
    let ended = folder.run([
        "prompt",
        "--runtime",
        "redeploy",
        "--target",
        target.to_str().unwrap(),
    ]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("error[target-incomplete]"), "{ended:?}");
    assert!(ended.stderr.contains("hint: see examples/targets"), "{ended:?}");
}

#[test]
fn texts_for_humanize_are_rendered_from_the_ledger() {
    let campaign = Campaign::begun();
    campaign.append_history();
    let head = campaign.head();
    for (text, first) in [
        ("draft", "# Draft"),
        ("plan", "# Plan: sglang to the state of the art"),
        ("contract", "# Round 0 Contract"),
        ("summary", "# Round 0 Summary"),
    ] {
        let ended = campaign.run(["humanize", text]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(ended.stdout.lines().next(), Some(first), "{ended:?}");
        if ["contract", "summary"].contains(&text) {
            assert!(
                ended.stdout.contains(&format!("Ledger-Head: {head}\n")),
                "{ended:?}"
            );
            // What the text says of the chain holds.
            let verified = campaign.run(["verify", "--anchor", &head]);
            assert_eq!(verified.code, 0, "{verified:?}");
        }
    }
    let numbered = campaign.run(["humanize", "summary", "--round", "4"]);
    assert!(numbered.stdout.starts_with("# Round 4 Summary\n"), "{numbered:?}");
}

#[test]
fn without_a_campaign_there_is_no_text() {
    let folder = Campaign::empty();
    for arguments in [
        ["humanize", "plan"].as_slice(),
        &["prompt", "--runtime", "humanize"],
    ] {
        let ended = folder.run(arguments);
        assert_eq!(ended.code, 4, "{ended:?}");
        assert!(ended.stderr.contains("error[no-campaign]"), "{ended:?}");
    }
}
