//! Tricks with the end of a campaign.

use super::*;

#[test]
fn end_without_a_relaunch_from_a_cleared_environment() {
    let campaign = decided(110.0);
    campaign.run(&["done"]).lacks(1, "winner-not-relaunched");
    campaign
        .run(&["done", "--state", "blocked", "--why", "enough"])
        .document();
    assert_eq!(campaign.run(&["status"]).ok()["data"]["terminal"], Value::Null);

    // The same, relaunched: then it may end.
    for (scenario, _) in SCENARIOS {
        let document = Compare {
            is_clean: true,
            ..Compare::at(scenario, 110.0)
        }
        .document();
        campaign.append(&format!("final.{scenario}.json"), &document).ok();
    }
    decide(&campaign, "final", &[]).ok();
    assert_eq!(campaign.run(&["done"]).ok()["data"]["terminal"], "target_met");
}

#[test]
fn far_from_the_limit_and_called_near() {
    let declare = ["done", "--state", "near_limit", "--why", "it cannot be faster"];
    // One request decodes at 56 % of the limit.
    decided(90.0).run(&declare).lacks(1, "evidence-missing");
    let near = decided(150.0).run(&declare).ok();
    assert_eq!(near["data"]["terminal"], "near_limit");
}

/// With the real tools: a launch that needs a variable of the agent's shell does not start without it.
#[test]
fn change_that_needs_a_variable_of_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let workload = path("w.jsonl");
    let freeze = "freeze --dataset random --num-prompts 1 --input-len 4 --output-len 2 --out";
    assert_eq!(
        run("serve-bench", freeze.split(' ').chain([workload.as_str()])).code(),
        0
    );
    let line = r#"test "$SGLANG_FAST" = 1 && exec "$SIM_BIN" "$@""#;
    let script = r#"{"defaults": {"ttft_ms": 1, "itl_ms": 1}}"#;
    let argv = json!([
        "/bin/sh", "-c", line, "sh", "--script", script, "--port", "{port}"
    ])
    .to_string();
    // What is declared is there; what only the shell has is not.
    let subject = path("subject.json");
    let declared = json!({"schema": "sota-loop.subject/1", "env": {"SIM_BIN": binary("engine-sim")}});
    std::fs::write(&subject, declared.to_string()).unwrap();
    let relaunch = |flags: &[&str]| {
        let mut command = Command::new(binary("serve-bench"));
        command
            .args([
                "compare",
                "--swap",
                "--a-cmd",
                &argv,
                "--b-cmd",
                &argv,
                "--workload",
                &workload,
            ])
            .args([
                "--concurrency",
                "1",
                "--blocks",
                "1",
                "--subject",
                &subject,
                "--b-subject",
                &subject,
            ])
            .args(["-o", &path("c.json")])
            .args(flags)
            .env("SGLANG_FAST", "1");
        Running::start(&mut command).end()
    };
    // 5 where this machine disturbed the run: it was measured.
    assert!(matches!(relaunch(&[]).code(), 0 | 5));
    said(relaunch(&["--clear-env"])).refused(4, "engine-exited");
}
