//! Where a page is played: a folder of its own, its engines, what it exported, and the values of this machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use contracts::fields::sha256_hex;
use serde_json::Value;

use super::disturbed::MEND;
use super::engine::Engine;
use super::pages::{Action, Page, SCRIPTS};
use super::table::SUBSTITUTIONS;
use crate::markdown::fences;
use crate::process::{Ended, Running, binary, closed_port};
use crate::repository::{read, root};
use crate::tricks::Campaign;

/// Longest a command may take: a comparison measures a disturbed block up to eight times.
const LIMIT: Duration = Duration::from_secs(180);

/// The stage of one page.
pub(super) struct Stage {
    folder: tempfile::TempDir,
    engines: BTreeMap<&'static str, Engine>,
    exports: BTreeMap<String, String>,
    campaign: Option<Campaign>,
    /// Ports for engines that the page itself starts.
    ports: BTreeMap<&'static str, u16>,
}

impl Stage {
    /// Files, engines and campaign that the page takes for granted.
    pub(super) fn set(page: &Page) -> Stage {
        let mut stage = Stage {
            folder: tempfile::tempdir().unwrap(),
            engines: BTreeMap::new(),
            exports: BTreeMap::new(),
            campaign: page.campaign.then(|| crate::tricks::decided(90.0)),
            ports: ["ours", "theirs"].map(|name| (name, closed_port())).into(),
        };
        for (name, script) in SCRIPTS {
            stage.write(&format!("{name}.engine"), script);
        }
        for (name, content) in page.files {
            if name.ends_with(".ncu-rep") {
                stage.write_report(name, content);
            } else {
                stage.write(name, &given(content));
            }
        }
        for (name, script) in page.engines {
            stage.launch(name, script);
        }
        if let Some(campaign) = &stage.campaign {
            stage
                .exports
                .insert("LOOP_LEDGER_ROOT".to_owned(), campaign.path("root"));
        }
        stage
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A report of one kernel: its name, and the metrics of a kernel without a next edit. Reports are bytes, so they are made
    /// here.
    fn write_report(&self, name: &str, kernel: &str) {
        let metrics = include_str!("../../../../ncu-digest/tests/fixtures/quiet.txt").lines();
        let metrics = metrics.map(|line| {
            let (name, number) = line.split_once(' ').expect("a name and a number");
            let value = Some(ncu_report::Value::Real(number.parse().expect("a number")));
            let metric = ncu_report::Metric {
                value,
                ..ncu_report::Metric::default()
            };
            (name.to_owned(), metric)
        });
        let report = ncu_report::Report {
            kernels: vec![ncu_report::Kernel {
                function: kernel.to_owned(),
                demangled: format!("void {kernel}(float *)"),
                grid: [300, 1, 1],
                block: [256, 1, 1],
                metrics: metrics.collect(),
                ..ncu_report::Kernel::default()
            }],
            session: ncu_report::Session {
                gpu: Some("a GPU (simulated)".to_owned()),
                ..ncu_report::Session::default()
            },
            ..ncu_report::Report::default()
        };
        std::fs::write(self.folder().join(name), ncu_report::encode(&report)).unwrap();
    }

    fn launch(&mut self, name: &'static str, script: &str) {
        // The old one first: a port is free only then.
        self.engines.remove(name);
        let mut command = self.command(binary("engine-sim").to_str().expect("paths are text"));
        if script.starts_with("--") {
            command.args(script.split(' '));
        } else {
            let path = self.folder().join(format!("{script}.engine"));
            command.arg("--script").arg(path);
        }
        command.args(["--port", "0"]);
        self.engines.insert(name, Engine::start(name, &mut command));
    }

    /// A process as the page's shell would start it: nothing of our environment but the binaries.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let tools = binary("engine-sim");
        let tools = tools.parent().expect("a binary lies in a folder");
        command
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", tools.display()))
            .env("HOME", self.folder())
            .envs(&self.exports);
        command
    }

    /// Runs a line in a shell that stops at the first failure.
    pub(super) fn shell(&self, line: &str) -> Ended {
        Running::start(self.command("sh").args(["-ec", line])).end_within(LIMIT)
    }

    /// Runs a script in an empty folder. Whatever it left in the background ends with it.
    pub(super) fn script(&self, script: &str) -> Ended {
        for path in std::fs::read_dir(self.folder()).unwrap() {
            let path = path.unwrap().path();
            let removed = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
            removed.unwrap();
        }
        let script = format!("trap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n{MEND}\n{script}");
        Running::start(self.command("bash").args(["-ec", &script])).end_within(LIMIT)
    }

    /// What happens before a command, and the line that it comes down to.
    pub(super) fn act(&mut self, action: &Action) -> Option<String> {
        match action {
            Action::Relaunch(name, script) => {
                self.launch(name, script);
                None
            }
            Action::Run(line) => Some((*line).to_owned()),
        }
    }

    /// Keeps what a line exports, and waits for engines that it killed.
    pub(super) fn after(&mut self, words: &[String]) {
        match words[0].as_str() {
            "export" => {
                let (name, value) = words[1].split_once('=').expect("an export has a value");
                self.exports.insert(name.to_owned(), value.to_owned());
            }
            "kill" => {
                let killed = words[1].parse().ok();
                for engine in self.engines.values_mut() {
                    if engine.ready["pid"].as_u64() == killed {
                        engine.ended();
                    }
                }
            }
            _ => {}
        }
    }

    /// A text of the page as it runs here.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (written, run, _) in SUBSTITUTIONS {
            filled = filled.replace(written, run);
        }
        let mut pieces = filled.split('@');
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for (number, piece) in pieces.enumerate() {
            if number % 2 == 0 {
                out.push_str(&self.value(piece));
            } else {
                out.push_str(piece);
            }
        }
        out
    }

    /// A value of this stage by its name.
    fn value(&self, name: &str) -> String {
        let path = |path: &Path| path.to_str().expect("paths are text").to_owned();
        if let Some((engine, field)) = name.split_once('.') {
            let Some(Engine { ready, .. }) = self.engines.get(engine) else {
                // The page itself starts it: on a port that is free now.
                let port = self.ports.get(engine).expect("a port is set for every engine");
                return match field {
                    "port" => port.to_string(),
                    "url" => format!("http://127.0.0.1:{port}"),
                    other => panic!("{engine} has no {other} before it runs"),
                };
            };
            return ready[field]
                .as_str()
                .map_or_else(|| ready[field].to_string(), str::to_owned);
        }
        match name {
            "bin" => path(binary("engine-sim").parent().expect("a binary lies in a folder")),
            "folder" => path(self.folder()),
            "campaign" => self
                .campaign
                .as_ref()
                .expect("the page has a campaign")
                .path("root"),
            "gap" => {
                let bytes = std::fs::read(self.folder().join("round0.gap.json"));
                bytes.map_or_else(
                    |_| "0000000000".to_owned(),
                    |bytes| sha256_hex(&bytes)[..16].to_owned(),
                )
            }
            "look" => {
                let text = std::fs::read_to_string(self.folder().join("look.json")).expect("it was looked");
                let document: Value = serde_json::from_str(&text).unwrap();
                document["data"]["runs"][0]["throughput"]["output_tps"].to_string()
            }
            other => panic!("@{other}@ is no value of the stage"),
        }
    }
}

/// Content of a file: itself, a file of the repository, or the block of a page.
fn given(content: &str) -> String {
    if let Some((page, name)) = content.split_once('#').filter(|(page, _)| page.ends_with(".md")) {
        let blocks = fences(&read(page));
        let block = blocks
            .iter()
            .find(|fence| fence.language == name || file_name(&fence.body) == Some(name));
        return block
            .unwrap_or_else(|| panic!("{page} has no block {name}"))
            .body
            .clone();
    }
    if root().join(content).is_file() {
        return read(content);
    }
    content.to_owned()
}

/// The file that a block says it is, in its first line.
pub(super) fn file_name(body: &str) -> Option<&str> {
    let name = body.lines().next()?.strip_prefix("# ")?;
    (!name.contains(' ') && name.contains('.')).then_some(name)
}
