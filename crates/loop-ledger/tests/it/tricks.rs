//! What an agent under pressure would try. Every test is a row of TRICKS.md.

mod contract;
mod files;
mod measurement;
mod order;
mod search;

use std::fs;
use std::path::{Path, PathBuf};

use contracts::loop_ledger::entry::{Entry, GENESIS};
use contracts::loop_ledger::event::Event;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::campaign::{Campaign, Ended};
use super::documents::{self, Compare, launch, ours, refit, theirs};

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger"))
}

fn begun() -> Campaign {
    let campaign = Campaign::begun(binary());
    campaign.history();
    campaign
}

fn measured() -> Campaign {
    Campaign::measured(binary(), 90.0)
}

/// A comparison of the first scenario, changed, as evidence.
fn changed(change: impl FnOnce(&mut Value)) -> Ended {
    let campaign = begun();
    let mut document = Compare::at("chat", 90.0).document();
    change(&mut document);
    campaign.append("c.json", &document)
}

fn each_run(document: &mut Value, change: impl Fn(&mut Value)) {
    for block in document["data"]["blocks"].as_array_mut().unwrap() {
        change(&mut block["a"]);
        change(&mut block["b"]);
    }
}

/// The file below the root.
fn in_root(campaign: &Campaign, name: &str) -> PathBuf {
    Path::new(&campaign.path("root")).join(name)
}

fn object(campaign: &Campaign, name: &str) -> PathBuf {
    let sha256 = campaign.sha256(name);
    loop_ledger::ledger::Root::new(campaign.path("root")).object(&sha256)
}

/// A stored file is read-only; whoever wants to replace it can.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// All entries of a ledger with new hashes after a change, and a checkpoint that fits: a forger who knows the format.
fn rewrite(campaign: &Campaign, change: impl Fn(&mut Entry)) {
    let text = fs::read_to_string(in_root(campaign, "ledger.jsonl")).unwrap();
    let mut prev = GENESIS.to_owned();
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut entry: Entry = serde_json::from_str(line).unwrap();
        change(&mut entry);
        entry.prev = prev;
        entry.hash = entry.expected_hash();
        prev = entry.hash.clone();
        lines.extend(loop_ledger::ledger::chain::line(&entry));
    }
    fs::write(in_root(campaign, "ledger.jsonl"), lines).unwrap();
    let checkpoint = json!({"entries": text.lines().count(), "head": prev});
    let checkpoint = serde_json::to_string_pretty(&checkpoint).unwrap() + "\n";
    fs::write(in_root(campaign, "checkpoint.json"), checkpoint).unwrap();
}
