//! kill -9 at random instants: what was finished stays, and the chain holds. `LOOP_LEDGER_KILLS` says how often;
//! `tests/real/ledger.sh` runs a thousand.

use std::io::Read as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use contracts::loop_ledger::entry::Evidence;
use contracts::loop_ledger::event::Event;
use loop_ledger::accept;
use loop_ledger::ledger::{Ledger, Root, Writer, objects};
use loop_ledger::state::State;
use serde_json::Value;

use super::campaign::Campaign;
use super::documents;

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger"))
}

fn root(campaign: &Campaign) -> Root {
    Root::new(campaign.path("root"))
}

/// A campaign in which attempts may begin. The verdict is written by hand and not computed: what gap-decide adds to one
/// is tested with gap-decide, in the tests of the repository.
fn decided(attempts: u32) -> Campaign {
    let target = documents::target_yaml().replace("attempts: 3", &format!("attempts: {attempts}"));
    let campaign = Campaign::measured_for(binary(), &target, 90.0);
    let compared = documents::SCENARIOS.map(|(scenario, _)| {
        let name = format!("round0.{scenario}.json");
        let sha256 = campaign.sha256(&name);
        (name, sha256)
    });
    let bytes = documents::decision(&compared).to_string().into_bytes();
    let root = root(&campaign);
    let sha256 = objects::put(&root, &bytes).unwrap();
    let evidence = Evidence {
        path: "round0.gap.json".to_owned(),
        sha256,
        bytes: bytes.len() as u64,
        schema: None,
        schema_sha256: None,
        stored: true,
    };
    let mut writer = Writer::open(&root).unwrap();
    let facts = accept::again(&writer.ledger, &State::now(&writer.ledger), &evidence, &bytes).unwrap();
    writer
        .append(None, Event::Evidence(facts), vec![evidence])
        .unwrap();
    campaign
}

/// Numbers that are spread well enough, the same in every run.
struct Spread(u64);

impl Spread {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Starts a command, kills it after a while, and gives the hashes of the entries that it said it had added.
fn killed(campaign: &Campaign, words: &[&str], after: Duration) -> (Vec<String>, bool) {
    let mut child = campaign.command(words).spawn().unwrap();
    let started = Instant::now();
    std::thread::sleep(after.saturating_sub(started.elapsed()));
    let _ = child.kill();
    let was_killed = !child.wait().unwrap().success();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let receipt: Value = serde_json::from_str(&stdout).unwrap_or_default();
    let entries = receipt["data"]["entries"].as_array().into_iter().flatten();
    (
        entries
            .map(|entry| entry["hash"].as_str().unwrap().to_owned())
            .collect(),
        was_killed,
    )
}

#[test]
fn killed_at_any_instant_no_finished_entry_is_lost() {
    let kills: u64 = std::env::var("LOOP_LEDGER_KILLS").map_or(200, |count| count.parse().unwrap());
    let campaign = decided(1_000_000);
    // Half of the processes are to be killed before they end, however busy the machine is.
    let mut limit = 20_000.0_f64;
    let mut spread = Spread(7);
    let (mut before, mut is_open) = read(&campaign);
    let (mut finished, mut ended_by_kill, mut written_but_killed, mut recovered) = (0, 0, 0, 0);
    for number in 0..kills {
        let after = Duration::from_micros(spread.below(limit as u64));
        let notes = documents::HISTORY_YAML.replace("is new", &format!("is new {number}"));
        let notes = campaign.write("notes.yaml", &notes);
        let words: &[&str] = match number % 3 {
            0 => &["idea", "--idea", "another"],
            1 => &["append", &notes],
            _ if is_open => &["end", "--outcome", "interrupted", "--learned", "killed"],
            _ => &[
                "begin",
                "--kind",
                "flags",
                "--change",
                "a flag",
                "--hypothesis",
                "it helps",
            ],
        };
        let (said, was_killed) = killed(&campaign, words, after);
        ended_by_kill += u64::from(was_killed);
        limit *= if was_killed { 1.05 } else { 0.95 };
        finished += said.len();
        // Every command reads the whole ledger: chain, contract and checkpoint hold, or this fails.
        let (now, open) = read(&campaign);
        assert!(now.starts_with(&before), "kill {number} lost an entry");
        for hash in &said {
            assert!(
                now.contains(hash),
                "kill {number} lost an entry that was confirmed"
            );
        }
        written_but_killed += u64::from(was_killed && now.len() > before.len());
        (before, is_open) = (now, open);
    }
    let left = Ledger::read(&root(&campaign)).unwrap();
    recovered += left
        .entries()
        .iter()
        .filter(|entry| matches!(entry.event, Event::Recovered(_)))
        .count();
    campaign.run(&["idea", "--idea", "after all kills"]).ok();
    campaign.run(&["verify"]).ok();
    println!(
        "{kills} kills: {ended_by_kill} processes killed before their end, {finished} entries confirmed, {written_but_killed} written by a killed process, {recovered} torn lines set aside; 0 lost, 0 chain breaks"
    );
    assert!(
        (kills / 4..=kills * 3 / 4).contains(&ended_by_kill),
        "the kills came too early or too late to test anything"
    );
}

/// The hashes of all entries, and whether an attempt is open.
fn read(campaign: &Campaign) -> (Vec<String>, bool) {
    let ledger = Ledger::read(&root(campaign)).unwrap();
    let is_open = State::now(&ledger).open_attempt().is_some();
    let hashes = ledger.entries().iter().map(|entry| entry.hash.clone());
    (hashes.collect(), is_open)
}

#[test]
fn a_line_cut_at_any_byte_is_set_aside_and_the_next_command_goes_on() {
    let campaign = Campaign::begun(binary());
    campaign.history();
    let ledger = root(&campaign).ledger();
    let whole = std::fs::read(&ledger).unwrap();
    let last = whole.len()
        - whole
            .split_inclusive(|byte| *byte == b'\n')
            .next_back()
            .unwrap()
            .len();
    for cut in (1..whole.len() - last).step_by(97) {
        // A writer that died in the middle of a further line.
        let torn = [&whole[..], &whole[last..last + cut]].concat();
        std::fs::write(&ledger, torn).unwrap();
        campaign.run(&["verify"]).refused(7, "torn-line");
        let entries = campaign.run(&["recover"]).ok()["data"]["entries"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(entries, 1);
        campaign.run(&["verify"]).ok();
        // Back to the beginning, checkpoint included.
        std::fs::write(&ledger, &whole).unwrap();
        let writer_count = whole.split(|byte| *byte == b'\n').count() - 1;
        let head = loop_ledger::ledger::chain::read(&whole)
            .unwrap()
            .head()
            .to_owned();
        let checkpoint = serde_json::json!({"entries": writer_count, "head": head});
        std::fs::write(
            root(&campaign).checkpoint(),
            serde_json::to_string_pretty(&checkpoint).unwrap() + "\n",
        )
        .unwrap();
    }
}

#[test]
fn resume_never_resets_the_budget() {
    let campaign = decided(3);
    for spent in 1..=3 {
        campaign.begin().ok();
        // Another process, another day: only the ledger knows.
        let status = campaign.run(&["status"]).ok();
        assert_eq!(status["data"]["budget"]["spent"]["attempts"], spent);
        campaign.end("interrupted").ok();
    }
    campaign.begin().refused(6, "budget-exhausted");
    let status = campaign.run(&["status"]).ok();
    let wall = |status: &Value| status["data"]["budget"]["spent"]["wall_s"].as_f64().unwrap();
    assert!(wall(&campaign.run(&["status"]).ok()) >= wall(&status));
}

#[test]
fn an_init_that_was_killed_can_be_repeated() {
    let campaign = Campaign::begun(binary());
    let (ledger, lock, checkpoint) = {
        let root = root(&campaign);
        (root.ledger(), root.target_lock(), root.checkpoint())
    };
    let empty = format!(
        "{}\n",
        serde_json::to_string_pretty(
            &serde_json::json!({"entries": 0, "head": contracts::loop_ledger::entry::GENESIS})
        )
        .unwrap()
    );
    // After the contract; after the empty ledger; after the first checkpoint; in the middle of the first line.
    for stage in 0..4 {
        let _ = std::fs::remove_file(&checkpoint);
        let _ = std::fs::remove_file(&ledger);
        assert!(lock.is_file());
        if stage > 0 {
            std::fs::write(&ledger, if stage == 3 { "{\"schema\":" } else { "" }).unwrap();
        }
        if stage > 1 {
            std::fs::write(&checkpoint, &empty).unwrap();
        }
        campaign.init("w.jsonl").ok();
        campaign.run(&["verify"]).ok();
    }
}
