//! A campaign in a scratch folder, begun by the binary, and the binary as a process.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use contracts::serve_bench::result::LengthRange;
use contracts::serve_bench::workload::{
    self, Purpose, ScenarioInfo, StreamHash, WorkloadHeader, WorkloadRequest,
};
use serde_json::{Value, json};

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The document on stdout, valid against its published schema.
    pub(crate) fn document(&self) -> Value {
        let document: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let id = document["schema"].as_str().expect("a document has a schema");
        let schema = contracts::schema::find(id)
            .expect("every schema is published")
            .text;
        let schema: Value = serde_json::from_str(schema).expect("a schema is JSON");
        let valid = jsonschema::validate(&schema, &document);
        assert!(valid.is_ok(), "{valid:?}: {document:#}");
        document
    }
}

/// A scratch folder with a target, a workload and an artifact root.
pub(crate) struct Campaign {
    pub(crate) folder: tempfile::TempDir,
}

impl Campaign {
    /// One that has begun.
    pub(crate) fn begun() -> Campaign {
        Campaign::with_budget("attempts: 6")
    }

    pub(crate) fn with_budget(budget: &str) -> Campaign {
        let campaign = Campaign::empty();
        campaign.write("target.yaml", target(budget).as_bytes());
        campaign.write("chat.jsonl", &frozen_workload());
        let workload = campaign.path("chat.jsonl");
        let target = campaign.path("target.yaml");
        let ended = campaign.run([
            "init".as_ref(),
            "--target".as_ref(),
            target.as_os_str(),
            "--workload".as_ref(),
            workload.as_os_str(),
        ]);
        assert_eq!(ended.code, 0, "{ended:?}");
        campaign
    }

    /// A folder without a campaign.
    pub(crate) fn empty() -> Campaign {
        let campaign = Campaign {
            folder: tempfile::tempdir().expect("a scratch folder"),
        };
        std::fs::create_dir(campaign.root()).expect("a root");
        campaign
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path("root")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("scratch is writable");
    }

    /// Notes on the history, appended: the smallest document that the ledger takes.
    pub(crate) fn append_history(&self) {
        self.write("history.yaml", HISTORY.as_bytes());
        let ended = self.run(["append".as_ref(), self.path("history.yaml").as_os_str()]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }

    /// Runs the binary on the root.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ended {
        let mut command = binary();
        command.arg("--root").arg(self.root()).args(arguments);
        end(&mut command, b"")
    }

    /// Hash of the last entry.
    pub(crate) fn head(&self) -> String {
        let document = self.run(["status"]).document();
        document["data"]["head"].as_str().expect("a head").to_owned()
    }
}

/// The binary with an environment of its own: what the shell of a developer sets decides nothing.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loop-ledger"));
    command.env_clear();
    command
}

/// Runs a command with bytes on its stdin.
pub(crate) fn end(command: &mut Command, stdin: &[u8]) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("stdin is piped");
    let bytes = stdin.to_vec();
    let writer = std::thread::spawn(move || {
        // A process that does not read to the end is free to do so.
        let _ = pipe.write_all(&bytes);
    });
    let mut stderr = child.stderr.take().expect("stderr is piped");
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.read_to_end(&mut text);
        text
    });
    let mut stdout = Vec::new();
    child
        .stdout
        .take()
        .expect("stdout is piped")
        .read_to_end(&mut stdout)
        .expect("stdout is readable");
    let status = child.wait().expect("the child ends");
    writer.join().expect("a writer does not panic");
    let stderr = errors.join().expect("a reader does not panic");
    Ended {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// The top of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const HISTORY: &str = "schema: loop-ledger.history/1
model: Qwen3
baseline_commit: 0a1b2c3d
checked_on: 2026-01-01
sources: [a repository]
changes: []
none_found: nothing was changed for it
";

fn target(budget: &str) -> String {
    format!(
        "schema: sota-loop.target/1
model: {{id: Qwen/Qwen3-8B, revision: r1, tokenizer: words, precision: bf16}}
hardware: {{class: H100-80GB-SXM, gpu_count: 1}}
slo: [\"p50_ttft_ms<=2000\"]
threshold_ratio: 0.01
margin_ratio: 0.01
campaign:
  framework: sglang
  comparison: [vllm]
  focus: [CUDA graph]
  initial_deployment: [python3, -m, sglang.launch_server, --host, 127.0.0.1]
  budget: {{{budget}}}
"
    )
}

/// A workload of one request, with the hashes it has to have.
fn frozen_workload() -> Vec<u8> {
    let request = WorkloadRequest {
        scenario: "chat".to_owned(),
        index: 0,
        arrival_offset_ms: None,
        input_len: Some(3),
        output_len: Some(4),
        prefix_group: None,
        turn: None,
        body: json!({"messages": [{"role": "user", "content": "one two three"}], "max_tokens": 4}),
    };
    let mut stream = StreamHash::default();
    stream.add(&request);
    let hash = stream.finish();
    let exactly = |length: u64| LengthRange {
        min: length,
        mean: u32::try_from(length).expect("short").into(),
        max: length,
    };
    let header = WorkloadHeader {
        schema: workload::SCHEMA.to_owned(),
        name: "chat".to_owned(),
        model: Some("Qwen/Qwen3-8B".to_owned()),
        tokenizer: None,
        request_stream_sha256: hash.clone(),
        scenarios: vec![ScenarioInfo {
            scenario: "chat".to_owned(),
            purpose: Purpose::Evidence,
            num_prompts: 1,
            seed: Some(7),
            dataset: "random".to_owned(),
            prompt_unit: "words".to_owned(),
            endpoint: "chat".to_owned(),
            input_len: Some(exactly(3)),
            output_len: Some(exactly(4)),
            request_stream_sha256: hash,
        }],
    };
    let lines = [
        serde_json::to_string(&header).expect("a header is JSON"),
        serde_json::to_string(&request).expect("a request is JSON"),
    ];
    format!("{}\n", lines.join("\n")).into_bytes()
}

/// Every file below a folder with its bytes, to see that nothing changed.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).expect("a file"));
        }
    }
    found
}
