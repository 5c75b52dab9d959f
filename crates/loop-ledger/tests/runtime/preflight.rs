//! `preflight` with tools that are little shell scripts on a private PATH, in a home folder of its own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::campaign::{Campaign, Ended, binary, end};

/// What git says of the repository in the current folder: a commit where `.git` is, branches as files, everything but
/// dot files untracked.
const GIT: &str = r#"[ "$1" = --version ] || [ -d .git ] || exit 128
case "$*" in
  --version) echo 'git version 2.51.0' ;;
  'rev-parse --verify --quiet HEAD') ;;
  'check-ignore '*) [ -s .gitignore ] || exit 1; shift; printf '%s\n' "$@" ;;
  'status --porcelain') for file in *; do [ ! -e "$file" ] || echo "?? $file"; done ;;
  'show-ref --verify --quiet '*) [ -f ".git/$4" ] ;;
  'rev-parse --abbrev-ref HEAD') for branch in .git/refs/heads/*; do echo "${branch##*/}"; done ;;
  *) exit 1 ;;
esac"#;

/// A machine with everything that Humanize needs, to take things away from.
struct Machine {
    campaign: Campaign,
    environment: Vec<(String, String)>,
}

impl Machine {
    fn new(campaign: Campaign) -> Machine {
        let machine = Machine {
            campaign,
            environment: Vec::new(),
        };
        for folder in ["bin", "home/.claude", "home/.codex", "project"] {
            std::fs::create_dir_all(machine.path(folder)).unwrap();
        }
        for (name, script) in [
            ("claude", "echo '2.1.197 (Claude Code)'"),
            (
                "codex",
                "case $1 in exec) echo usage ;; features) echo 'goals  stable  true' ;; *) echo 'codex-cli 0.150.0' ;; esac",
            ),
            ("jq", "echo jq-1.7.1"),
            ("serve-bench", "echo serve-bench 0.1.0"),
            ("gap-decide", "echo gap-decide 0.1.0"),
            ("dstack", "echo 0.22.5"),
            ("graphsignal-debug", "echo 1.0.0"),
        ] {
            machine.tool(name, script);
        }
        machine.gpus("0, GPU-a, 4", "");
        machine.tool("git", GIT);
        machine.file("home/.claude/.credentials.json", "{}");
        machine.file("home/.codex/auth.json", "{}");
        machine.file("home/humanize/scripts/setup-rlcr-loop.sh", "");
        machine.file("project/.gitignore", ".humanize*\n");
        machine.file("project/.git/refs/heads/main", "");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.campaign.path(name)
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn tool(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn gpus(&self, gpus: &str, processes: &str) {
        self.tool(
            "nvidia-smi",
            &format!("case $1 in --query-gpu*) echo '{gpus}' ;; *) echo '{processes}' ;; esac"),
        );
    }

    fn without(&self, name: &str) {
        std::fs::remove_file(self.path("bin").join(name)).unwrap();
    }

    fn with(mut self, name: &str, value: &str) -> Machine {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn prepare(&self, command: &mut Command) {
        command
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env("HUMANIZE_RUNTIME_ROOT", self.path("home/humanize"))
            .env("LOOP_LEDGER_ROOT", self.campaign.root())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
    }

    fn preflight(&self, runtime: &str, more: &[&str]) -> Ended {
        let mut command = binary();
        self.prepare(&mut command);
        command
            .args(["preflight", "--runtime", runtime, "--project"])
            .arg(self.path("project"))
            .args(more);
        end(&mut command, b"")
    }
}

/// Status and text of a check; its absence is a failed test.
fn check<'a>(document: &'a Value, name: &str) -> (&'a str, &'a str) {
    let checks = document["data"]["checks"].as_array().unwrap();
    let check = checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no check {name}: {document:#}"));
    (
        check["status"].as_str().unwrap(),
        check["found"].as_str().unwrap(),
    )
}

/// What failed, but for the disk, which is the one of the machine that runs the tests.
fn failed(document: &Value) -> Vec<&str> {
    let checks = document["data"]["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["status"] == "failed" && check["name"] != "disk-free")
        .filter_map(|check| check["name"].as_str())
        .collect()
}

/// What holds for every document.
fn whole(ended: &Ended) -> Value {
    let document = ended.document();
    assert_eq!(document["schema"], "loop-ledger.preflight/1", "{ended:?}");
    let mut has_failed = false;
    for check in document["data"]["checks"].as_array().unwrap() {
        let is_wrong = ["failed", "warning"].contains(&check["status"].as_str().unwrap());
        assert_eq!(is_wrong, check["fix"].is_string(), "{check}");
        has_failed |= check["status"] == "failed";
    }
    assert_eq!(document["data"]["passed"], !has_failed);
    assert_eq!(ended.code, i32::from(has_failed), "{ended:?}");
    document
}

#[test]
fn a_machine_with_everything_passes_for_every_runtime() {
    let machine = Machine::new(Campaign::begun());
    for runtime in ["humanize", "codex-goal", "claude-goal", "redeploy"] {
        let ended = machine.preflight(runtime, &[]);
        let document = whole(&ended);
        assert_eq!(failed(&document), [""; 0], "{document:#}");
        assert_eq!(check(&document, "gpus-idle"), ("passed", "1 of 1 idle"));
        assert_eq!(check(&document, "stop-hook-root").0, "passed");
    }
    let status = machine.campaign.run(["status"]).document();
    assert_eq!(status["data"]["entries"], 5, "every preflight is an entry");
    let humanize = machine.campaign.run(["verify"]);
    assert_eq!(humanize.code, 0, "{humanize:?}");
}

#[test]
fn each_thing_that_is_missing_is_named_with_its_fix() {
    type Change = fn(&Machine);
    let cases: [(&str, &str, Change); 14] = [
        ("humanize", "tool-jq", |machine| machine.without("jq")),
        ("humanize", "tool-codex", |machine| machine.without("codex")),
        ("claude-goal", "tool-claude", |machine| {
            machine.tool("claude", "echo '2.1.100 (Claude Code)'")
        }),
        ("claude-goal", "tool-claude", |machine| {
            machine.tool("claude", "exit 1")
        }),
        ("codex-goal", "codex-goals", |machine| {
            machine.tool("codex", "echo 'goals experimental false'")
        }),
        ("humanize", "codex-full-auto", |machine| {
            machine.tool("codex", "[ \"$1\" = exec ] || exit 0; echo \"error: unexpected argument '--full-auto' found\" >&2; exit 2");
        }),
        ("humanize", "login-codex", |machine| {
            std::fs::remove_file(machine.path("home/.codex/auth.json")).unwrap()
        }),
        ("claude-goal", "login-claude", |machine| {
            std::fs::remove_file(machine.path("home/.claude/.credentials.json")).unwrap();
        }),
        ("redeploy", "gpus-idle", |machine| {
            machine.gpus("0, GPU-a, 70000", "GPU-a, 4711")
        }),
        ("humanize", "git-clean", |machine| {
            machine.file("project/new.py", "x")
        }),
        ("humanize", "humanize-ignored", |machine| {
            machine.file("project/.gitignore", "");
        }),
        ("humanize", "git-base", |machine| {
            let branch = |name: &str| machine.path("project/.git/refs/heads").join(name);
            std::fs::rename(branch("main"), branch("topic")).unwrap();
        }),
        ("humanize", "humanize-inactive", |machine| {
            machine.file("project/.humanize/rlcr/1/state.md", "---\n---\n")
        }),
        ("humanize", "humanize-runtime", |machine| {
            std::fs::remove_file(machine.path("home/humanize/scripts/setup-rlcr-loop.sh")).unwrap();
        }),
    ];
    for (runtime, name, change) in cases {
        let machine = Machine::new(Campaign::begun());
        change(&machine);
        let ended = machine.preflight(runtime, &[]);
        let document = whole(&ended);
        assert_eq!(
            check(&document, name).0,
            "failed",
            "{runtime} {name}: {document:#}"
        );
        assert!(
            document["summary"].as_str().unwrap().contains(name),
            "{document:#}"
        );
        assert_eq!(ended.code, 1);
    }
}

#[test]
fn what_cannot_be_looked_at_is_not_called_fine() {
    let machine = Machine::new(Campaign::begun());
    machine.without("nvidia-smi");
    std::fs::remove_file(machine.path("home/.codex/auth.json")).unwrap();
    machine.file(
        "home/.codex/config.toml",
        "cli_auth_credentials_store = \"keyring\"\n",
    );
    let document = whole(&machine.preflight("codex-goal", &[]));
    assert_eq!(
        check(&document, "gpus-idle"),
        ("not_checked", "nvidia-smi is not installed")
    );
    assert_eq!(check(&document, "login-codex").0, "not_checked");
    assert_eq!(check(&document, "stop-hook-trusted").0, "not_checked");
    // The bypass is a warning: it works, and without a sandbox.
    let machine = machine.with("HUMANIZE_CODEX_BYPASS_SANDBOX", "1");
    machine.tool("codex", "[ \"$1\" = exec ] && exit 2; echo 'codex-cli 0.169.0'");
    let document = whole(&machine.preflight("humanize", &[]));
    assert_eq!(check(&document, "codex-full-auto").0, "warning");
    // A project that is no repository.
    std::fs::remove_dir_all(machine.path("project/.git")).unwrap();
    let document = whole(&machine.preflight("humanize", &[]));
    assert_eq!(check(&document, "git-commit").0, "failed");
}

#[test]
fn no_secret_is_read_or_printed() {
    let machine = Machine::new(Campaign::begun()).with("ANTHROPIC_API_KEY", "sk-secret-of-the-environment");
    machine.file("home/.codex/auth.json", "{\"key\": \"sk-secret-of-the-file\"}");
    let unreadable = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(machine.path("home/.codex/auth.json"), unreadable).unwrap();
    let ended = machine.preflight("humanize", &[]);
    let document = whole(&ended);
    assert_eq!(
        check(&document, "login-claude"),
        ("passed", "ANTHROPIC_API_KEY is set")
    );
    assert_eq!(check(&document, "login-codex"), ("passed", "auth.json exists"));
    assert!(!ended.stdout.contains("sk-secret"), "{ended:?}");
    assert!(!ended.stderr.contains("sk-secret"), "{ended:?}");
}

#[test]
fn without_a_campaign_nothing_is_written() {
    let machine = Machine::new(Campaign::empty());
    let document = whole(&machine.preflight("claude-goal", &[]));
    assert_eq!(check(&document, "campaign").0, "warning");
    assert!(
        std::fs::read_dir(machine.campaign.root())
            .unwrap()
            .next()
            .is_none()
    );
}

fn state(machine: &Machine, round: &str, asks: &str) {
    machine.file(
        "project/.humanize/rlcr/2026-01-01_00-00-00/state.md",
        &format!("---\ncurrent_round: {round}\nmax_iterations: 42\nask_codex_question: {asks}\n---\n"),
    );
}

#[test]
fn humanize_is_shown_to_be_at_its_first_round() {
    let machine = Machine::new(Campaign::begun());
    let after = |machine: &Machine| whole(&machine.preflight("humanize", &["--after-start"]));
    assert_eq!(check(&after(&machine), "loop-active").0, "failed");
    state(&machine, "0", "false");
    assert_eq!(check(&after(&machine), "loop-prompt").0, "failed");
    machine.file(
        "project/.humanize/rlcr/2026-01-01_00-00-00/round-0-prompt.md",
        "begin",
    );
    let document = after(&machine);
    assert_eq!(document["data"]["passed"], true, "{document:#}");
    assert_eq!(document["data"]["after_start"], true);
    state(&machine, "3", "false");
    assert_eq!(check(&after(&machine), "loop-current-round"), ("failed", "3"));
    state(&machine, "0", "true");
    assert_eq!(
        check(&after(&machine), "loop-ask-codex-question"),
        ("failed", "true")
    );
    machine.file(
        "project/.humanize/rlcr/2026-01-01_00-00-00/state.md",
        "edited away",
    );
    assert_eq!(check(&after(&machine), "loop-current-round").0, "failed");
    // The same by its other name.
    let mut command = binary();
    machine.prepare(&mut command);
    command
        .args(["humanize", "preflight", "--after-start", "--project"])
        .arg(machine.path("project"));
    assert_eq!(end(&mut command, b"").code, 1);
}

#[test]
fn other_loops_are_shown_by_what_they_write() {
    let machine = Machine::new(Campaign::begun());
    let after = |runtime: &str| machine.preflight(runtime, &["--after-start"]);
    for runtime in ["codex-goal", "claude-goal"] {
        assert_eq!(check(&whole(&after(runtime)), "loop-works").0, "not_checked");
    }
    assert_eq!(check(&whole(&after("redeploy")), "loop-works").0, "failed");
    for runtime in ["redeploy", "codex-goal"] {
        machine.preflight(runtime, &[]);
    }
    assert_eq!(
        check(&whole(&after("redeploy")), "loop-works").0,
        "failed",
        "a preflight is no work"
    );
    machine.campaign.append_history();
    for runtime in ["redeploy", "codex-goal"] {
        assert_eq!(check(&whole(&after(runtime)), "loop-works").0, "passed");
    }
}

#[test]
fn a_tool_that_hangs_does_not_hang_the_check() {
    // The limit itself is tested in the module that runs programs; here a tool that leaves a child behind.
    let machine = Machine::new(Campaign::begun());
    machine.tool("jq", "echo jq-1.7.1; sleep 25 &");
    std::os::unix::fs::symlink("/bin/sleep", machine.path("bin/sleep")).unwrap();
    let started = std::time::Instant::now();
    let document = whole(&machine.preflight("humanize", &[]));
    assert_eq!(check(&document, "git-clean").0, "passed", "{document:#}");
    assert!(
        started.elapsed() < std::time::Duration::from_secs(20),
        "it waited for the child"
    );
}
