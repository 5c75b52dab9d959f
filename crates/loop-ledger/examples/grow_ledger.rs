//! Appends entries to the ledger of a campaign, with a whole chain: `grow_ledger ROOT [ENTRIES]`. Each is an idea.
//! How long `loop-ledger verify` takes on it is then timed from outside.

use contracts::loop_ledger::entry::{Actor, Entry, SCHEMA};
use contracts::loop_ledger::event::{Event, Idea};
use loop_ledger::ledger::{Root, chain};

fn main() {
    let mut words = std::env::args().skip(1);
    let root = words.next().expect("the root of a campaign");
    let count: u64 = words
        .next()
        .map_or(10_000, |count| count.parse().expect("a number of entries"));
    let path = Root::new(&root).ledger();
    let mut bytes = std::fs::read(&path).expect("the ledger is there");
    let whole = chain::read(&bytes).expect("the ledger is whole");
    let last = whole
        .entries
        .last()
        .expect("a campaign has a first entry")
        .clone();
    let mut prev = last.hash.clone();
    for seq in last.seq + 1..=last.seq + count {
        let mut entry = Entry {
            schema: SCHEMA.to_owned(),
            seq,
            prev,
            written_at: last.written_at,
            actor: Actor {
                runtime: "claude".to_owned(),
                session: Some("0b6f8a52".to_owned()),
            },
            attempt: None,
            event: idea(seq),
            evidence: Vec::new(),
            hash: String::new(),
        };
        entry.hash = entry.expected_hash();
        prev = entry.hash.clone();
        bytes.extend(chain::line(&entry));
    }
    std::fs::write(&path, &bytes).expect("the ledger can be written");
    println!(
        "{} entries, {:.1} MB",
        last.seq + 1 + count,
        bytes.len() as f64 / 1e6
    );
}

fn idea(seq: u64) -> Event {
    Event::Idea(Idea {
        idea: format!("idea {seq}: fuse the norm into the attention epilogue, as the others do"),
        source: Some("sgl-project/sglang#12345".to_owned()),
        license: Some("Apache-2.0".to_owned()),
        rows: vec!["share_pct=11.5".to_owned()],
    })
}
