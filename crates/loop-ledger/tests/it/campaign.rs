//! A campaign in a folder of its own, driven as an agent drives it: by commands. The tests of the repository use this
//! file, too.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use contracts::fields::sha256_hex;
use serde_json::{Value, json};

use super::documents::{self, Compare, SCENARIOS};

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    /// Shown where a test fails.
    #[expect(dead_code, reason = "only its Debug form is looked at")]
    pub(crate) stderr: String,
}

impl Ended {
    /// The document on stdout.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that it worked.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.document()
    }

    /// Asserts exit code and error code of a refusal.
    #[track_caller]
    pub(crate) fn refused(&self, exit: i32, code: &str) {
        let document = self.document();
        assert_eq!(
            (self.code, document["code"].as_str()),
            (Some(exit), Some(code)),
            "{self:?}"
        );
        assert!(
            document["hint"].is_string(),
            "a refusal says what to do: {self:?}"
        );
    }

    /// Asserts that `done` does not end the campaign, because of this.
    #[track_caller]
    pub(crate) fn lacks(&self, exit: i32, code: &str) {
        assert_eq!(self.code, Some(exit), "{self:?}");
        let document = self.document();
        let states = document["data"]["states"].as_array().unwrap();
        let mut needs = states
            .iter()
            .flat_map(|state| state["missing"].as_array().unwrap());
        assert!(needs.any(|need| need["code"] == code), "{document}");
    }
}

/// A campaign in a temporary folder.
pub(crate) struct Campaign {
    binary: PathBuf,
    folder: tempfile::TempDir,
}

impl Campaign {
    /// Files, and no campaign yet.
    pub(crate) fn bare(binary: PathBuf) -> Campaign {
        let campaign = Campaign {
            binary,
            folder: tempfile::tempdir().unwrap(),
        };
        campaign.write("target.yaml", &documents::target_yaml());
        campaign.write("history.yaml", documents::HISTORY_YAML);
        campaign.write("w.jsonl", &documents::workload_jsonl(1, "evidence"));
        campaign
    }

    /// A locked contract.
    pub(crate) fn begun(binary: PathBuf) -> Campaign {
        let campaign = Campaign::bare(binary);
        campaign.init("w.jsonl").ok();
        campaign
    }

    /// History and the fixed benchmark, ours at `percent` of theirs.
    pub(crate) fn measured(binary: PathBuf, percent: f64) -> Campaign {
        Campaign::measured_for(binary, &documents::target_yaml(), percent)
    }

    /// The same for another target.
    pub(crate) fn measured_for(binary: PathBuf, target: &str, percent: f64) -> Campaign {
        let campaign = Campaign::bare(binary);
        campaign.write("target.yaml", target);
        campaign.init("w.jsonl").ok();
        campaign.history();
        campaign.candidate(9.0);
        for (scenario, _) in SCENARIOS {
            let document = Compare::at(scenario, percent).document();
            campaign
                .append(&format!("round0.{scenario}.json"), &document)
                .ok();
        }
        campaign
    }

    pub(crate) fn init(&self, workload: &str) -> Ended {
        let (target, workload) = (self.path("target.yaml"), self.path(workload));
        self.run(&["init", "--target", &target, "--workload", &workload])
    }

    pub(crate) fn history(&self) {
        self.run(&["append", &self.path("history.yaml")]).ok();
    }

    /// Another configuration of theirs, measured alone.
    pub(crate) fn candidate(&self, mega_tps: f64) {
        let other = documents::launch("vllm", &[("max_num_seqs", json!(64))]);
        let document = documents::result("chat", 1, &other, mega_tps);
        self.append("theirs2.json", &document).ok();
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self.path(name)
    }

    /// Hash of a file, as entries name it.
    pub(crate) fn sha256(&self, name: &str) -> String {
        sha256_hex(&std::fs::read(self.path(name)).unwrap())
    }

    pub(crate) fn append(&self, name: &str, document: &Value) -> Ended {
        let path = self.write(name, &document.to_string());
        self.run(&["append", &path])
    }

    pub(crate) fn begin(&self) -> Ended {
        self.run(&[
            "begin",
            "--kind",
            "flags",
            "--change",
            "one flag",
            "--hypothesis",
            "less overhead",
        ])
    }

    pub(crate) fn end(&self, outcome: &str) -> Ended {
        // No process has this number, on no system.
        let pid = "4294967295";
        self.run(&[
            "end",
            "--outcome",
            outcome,
            "--learned",
            "what it did",
            "--pid",
            pid,
        ])
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(words)
            .args(["--root", &self.path("root")])
            .env_remove("LOOP_LEDGER_ROOT")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        let output = self.command(words).output().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
