//! A campaign on disk, always the same: how its entries are written and its commands are run.

use contracts::Exit;
use contracts::Finite;
use contracts::gap_decide::decision::{self, Decision, Verdict};
use contracts::loop_ledger::Phase;
use contracts::loop_ledger::entry::{Actor, Entry, Evidence, GENESIS, SCHEMA};
use contracts::loop_ledger::event::*;
use contracts::loop_ledger::facts::{DecisionFacts, DecisionRow, Facts, SideFacts};
use contracts::loop_ledger::lock::TargetLock;
use contracts::serve_bench::{compare, result};
use contracts::subject::Subject;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::documents;
use super::story::OURS;
use crate::ledger::{Checkpoint, Root, chain, checkpoint_bytes, lock_bytes, objects};

pub(crate) struct Campaign {
    pub(super) folder: tempfile::TempDir,
    pub(crate) root: Root,
    pub(super) lock: TargetLock,
    pub(crate) entries: Vec<Entry>,
    pub(super) attempt: Option<String>,
    pub(super) wall: i64,
}

impl Campaign {
    /// Writes the ledger, the lock and the checkpoint.
    pub(crate) fn write(self) -> Campaign {
        std::fs::write(self.root.target_lock(), lock_bytes(&self.lock)).unwrap();
        let lines: Vec<u8> = self.entries.iter().flat_map(chain::line).collect();
        std::fs::write(self.root.ledger(), lines).unwrap();
        let checkpoint = Checkpoint {
            entries: self.entries.len() as u64,
            head: self.entries.last().unwrap().hash.clone(),
        };
        std::fs::write(self.root.checkpoint(), checkpoint_bytes(&checkpoint)).unwrap();
        self
    }

    /// The same campaign, its newest entry written now: for commands that read the clock, because the wall-clock budget
    /// of a campaign of a fixed date is spent one day.
    pub(crate) fn today(mut self) -> Campaign {
        let ago = Timestamp::now().duration_since(at(self.wall));
        let mut prev = GENESIS.to_owned();
        for entry in &mut self.entries {
            entry.written_at += ago;
            entry.prev.clone_from(&prev);
            entry.hash = entry.expected_hash();
            prev.clone_from(&entry.hash);
        }
        self
    }

    /// Moves the campaign to a folder that stays.
    pub(crate) fn keep(self, folder: &std::path::Path) {
        std::fs::rename(self.folder.keep(), folder).unwrap();
    }

    /// A path in the folder of the campaign.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command on the campaign without a process.
    pub(crate) fn run(&self, words: &[&str]) -> Result<cli_kit::Report, cli_kit::Failure> {
        use clap::Parser as _;
        let root = self.folder.path().display().to_string();
        let words = [&["loop-ledger", "--root", &root], words].concat();
        crate::run(crate::cli::Args::try_parse_from(words).unwrap())
    }

    /// Runs a command that must succeed, and reads its document.
    pub(crate) fn document(&self, words: &[&str]) -> Value {
        let report = self.run(words).unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!(report.exit(), Exit::Ok);
        let document: Value = serde_json::from_str(report.json()).unwrap();
        let id = document["schema"].as_str().unwrap();
        let schema: Value = serde_json::from_str(contracts::schema::find(id).unwrap().text).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        document
    }

    /// The code and exit of a command that must be refused, with its message.
    pub(crate) fn refused(&self, words: &[&str]) -> (String, u8, String) {
        let failure = self.run(words).expect_err("the command is refused");
        assert!(failure.document.hint.is_some(), "{failure:?}");
        (
            failure.document.code,
            failure.exit.code(),
            failure.document.message,
        )
    }

    /// What a file in the root says.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(super) fn add(&mut self, event: Event, evidence: Vec<Evidence>) {
        self.wall += 10;
        let mut entry = Entry {
            schema: SCHEMA.to_owned(),
            seq: self.entries.len() as u64,
            prev: self.entries.last().map_or(GENESIS, |last| &last.hash).to_owned(),
            written_at: at(self.wall),
            actor: Actor {
                runtime: "human".to_owned(),
                session: None,
            },
            attempt: self.attempt.clone(),
            event,
            evidence,
            hash: String::new(),
        };
        entry.hash = entry.expected_hash();
        self.entries.push(entry);
    }

    pub(super) fn store(&self, path: &str, schema: Option<&str>, bytes: &[u8]) -> Evidence {
        Evidence {
            path: path.to_owned(),
            sha256: objects::put(&self.root, bytes).unwrap(),
            bytes: bytes.len() as u64,
            schema: schema.map(str::to_owned),
            schema_sha256: None,
            stored: true,
        }
    }

    pub(super) fn note(&mut self, phase: Phase, schema: &str, text: &str) {
        let evidence = self.store("/home/alice/notes.yaml", Some(schema), text.as_bytes());
        let mut facts = facts(phase, schema, &evidence.sha256);
        facts.scenario = (phase == Phase::RootCause).then(|| "chat".to_owned());
        facts.simulated = false;
        self.add(Event::Evidence(facts), vec![evidence]);
    }

    /// Stores a benchmark and says which hash it has.
    pub(crate) fn benchmark(&mut self, document: &Value, phase: Phase) -> String {
        let schema = document["schema"].as_str().unwrap();
        let evidence = self.store(
            "/home/alice/bench.json",
            Some(schema),
            document.to_string().as_bytes(),
        );
        let mut facts = facts(phase, schema, &evidence.sha256);
        let data = &document["data"];
        facts.scenario = data["workload"]["scenario"].as_str().map(str::to_owned);
        let first = data
            .pointer("/blocks/0/a")
            .or_else(|| data.pointer("/runs/0"))
            .unwrap();
        facts.measured_at = serde_json::from_value(first["windows"]["full"].clone()).unwrap();
        let side =
            |framework: &str, subject: &Value, argv: Option<Vec<String>>, tps: &Value, runs| SideFacts {
                framework: framework.to_owned(),
                subject: subject["fingerprint"].as_str().map(str::to_owned),
                relaunched_clean: argv.is_some(),
                launch_argv: argv,
                output_tps: tps.as_f64().and_then(Finite::new),
                runs,
            };
        facts.sides = match schema {
            compare::SCHEMA => ["a", "b"]
                .iter()
                .map(|name| {
                    let one = &data[name];
                    side(
                        one["target"]["engine"]["kind"].as_str().unwrap(),
                        &one["subject"],
                        serde_json::from_value(one["launch_argv"].clone()).unwrap(),
                        &data["blocks"][0][name]["throughput"]["output_tps"],
                        8,
                    )
                })
                .collect(),
            result::SCHEMA => vec![side(
                "vllm",
                &document["subject"],
                None,
                &data["runs"][0]["throughput"]["output_tps"],
                1,
            )],
            other => panic!("{other} is no benchmark"),
        };
        let sha256 = evidence.sha256.clone();
        self.add(Event::Evidence(facts), vec![evidence]);
        sha256
    }

    /// Both comparisons and the decision on them.
    pub(super) fn verdict(
        &mut self,
        launch: &str,
        ours: [f64; 2],
        phase: Phase,
        decision: Decision,
        effects: [f64; 2],
    ) {
        let theirs = [1000.0, 500.0];
        let names = ["chat", "long"];
        let inputs: Vec<String> = (0..2)
            .map(|i| self.benchmark(&documents::compare(names[i], launch, ours[i], theirs[i]), phase))
            .collect();
        let rows: Vec<DecisionRow> = (0..2)
            .map(|i| DecisionRow {
                scenario: names[i].to_owned(),
                other: "vllm".to_owned(),
                other_framework: "vllm".to_owned(),
                ours_value: Finite::new(ours[i]),
                other_value: Finite::new(theirs[i]),
                effect_pct: Finite::new(effects[i]),
                ci_low_pct: Finite::new(effects[i] - 0.8),
                ci_high_pct: Finite::new(effects[i] + 0.9),
                pairs: 8,
                verdict: if effects[i] > 0.0 {
                    Verdict::Ahead
                } else {
                    Verdict::Behind
                },
            })
            .collect();
        let mean = f64::midpoint(effects[0], effects[1]);
        let facts_of = DecisionFacts {
            decision,
            metric: "output_tps".to_owned(),
            effect_pct: Finite::new(mean),
            ci_low_pct: Finite::new(mean - 0.6),
            ci_high_pct: Finite::new(mean + 0.7),
            rows,
        };
        let document = json!({"schema": decision::SCHEMA, "data": facts_of});
        let evidence = self.store(
            "/home/alice/gap.json",
            Some(decision::SCHEMA),
            document.to_string().as_bytes(),
        );
        let of_phase = if phase == Phase::Baseline {
            Phase::Decide
        } else {
            phase
        };
        let mut facts = facts(of_phase, decision::SCHEMA, &evidence.sha256);
        facts.inputs = inputs;
        facts.decision = Some(facts_of);
        self.add(Event::Evidence(facts), vec![evidence]);
    }

    pub(crate) fn begin(
        &mut self,
        kind: ChangeKind,
        change: &str,
        predicted: Option<f64>,
        launch: Option<&str>,
    ) {
        let number = self
            .entries
            .iter()
            .filter(|entry| matches!(entry.event, Event::AttemptBegin(_)))
            .count()
            + 1;
        self.attempt = Some(format!("a-{number:04}"));
        let begin = AttemptBegin {
            round: number as u32,
            hypothesis: "less time between decode steps".to_owned(),
            change: change.to_owned(),
            kind,
            predicted_pct: predicted.and_then(Finite::new),
            subject: launch.map(|launch| Subject {
                schema: Subject::SCHEMA.to_owned(),
                engine: Some("sglang".to_owned()),
                launch_argv: launch.split(' ').map(str::to_owned).collect(),
                env: [("SGLANG_CACHE".to_owned(), "/home/alice/cache dir".to_owned())].into(),
                ..Subject::default()
            }),
            parent_subject: Some(documents::fingerprint("sglang", OURS)),
            charge: Charge {
                gpu_s: Finite::new(1200.0),
                spend_usd: None,
            },
        };
        self.add(Event::AttemptBegin(begin), Vec::new());
    }

    pub(crate) fn end(&mut self, outcome: Outcome, learned: &str, improvement: Option<f64>) {
        let end = AttemptEnd {
            outcome,
            learned: learned.to_owned(),
            improvement_pct: improvement.and_then(Finite::new),
            cleanup: Cleanup::default(),
            wall_s: Finite::from(600),
        };
        self.add(Event::AttemptEnd(end), Vec::new());
        self.attempt = None;
    }

    pub(super) fn patch(&mut self, diff: &str, borrowed: &[(&str, &str)]) {
        let evidence = self.store("/home/alice/patch.diff", None, diff.as_bytes());
        let file = diff
            .lines()
            .nth(1)
            .and_then(|line| line.strip_prefix("+++ b/"))
            .unwrap();
        let patch = Patch {
            diff_sha256: evidence.sha256.clone(),
            base_commit: Some("0a1b2c3".to_owned()),
            changed_files: vec![file.to_owned()],
            lines_added: 2,
            lines_removed: 1,
            provenance: borrowed
                .iter()
                .map(|(source, license)| Provenance {
                    source: (*source).to_owned(),
                    license: (*license).to_owned(),
                })
                .collect(),
            tests: vec!["pytest test/srt/test_rotary.py: 12 passed".to_owned()],
        };
        self.add(Event::Patch(patch), vec![evidence]);
    }
}

pub(super) fn at(minutes: i64) -> Timestamp {
    let begin: Timestamp = "2026-11-22T01:00:00Z".parse().unwrap();
    begin + SignedDuration::from_mins(minutes)
}

fn facts(phase: Phase, schema: &str, sha256: &str) -> Facts {
    Facts {
        phase,
        schema: schema.to_owned(),
        sha256: sha256.to_owned(),
        summary: format!("what {schema} says"),
        simulated: true,
        contract: Some("sha256:contract".to_owned()),
        environment: None,
        inputs: Vec::new(),
        sides: Vec::new(),
        scenario: None,
        measured_at: None,
        decision: None,
        family_shares: Vec::new(),
    }
}
