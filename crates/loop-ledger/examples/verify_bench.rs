//! CPU seconds to read and check a ledger: `cargo run --release -p loop-ledger --example verify_bench [ENTRIES]`.
//! Every second entry is an idea, every other the facts of a benchmark, which are among the longest.

use contracts::loop_ledger::entry::{Actor, Entry, GENESIS, SCHEMA};
use contracts::loop_ledger::event::{Event, Idea};
use contracts::loop_ledger::facts::{Facts, MeasuredAt, SideFacts};
use contracts::loop_ledger::phase::Phase;
use jiff::Timestamp;
use loop_ledger::ledger::chain;
use rustix::time::{ClockId, clock_gettime};

fn main() {
    let entries: u64 = std::env::args()
        .nth(1)
        .map_or(10_000, |count| count.parse().expect("a number of entries"));
    let bytes = ledger(entries);
    let started = cpu_s();
    let read = chain::read(&bytes).expect("the ledger is whole");
    let spent = cpu_s() - started;
    assert_eq!(read.entries.len() as u64, entries);
    println!(
        "{entries} entries, {:.1} MB: {spent:.3} CPU s",
        bytes.len() as f64 / 1e6
    );
}

fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn ledger(entries: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut prev = GENESIS.to_owned();
    for seq in 0..entries {
        let mut entry = Entry {
            schema: SCHEMA.to_owned(),
            seq,
            prev,
            written_at: Timestamp::UNIX_EPOCH,
            actor: Actor {
                runtime: "claude".to_owned(),
                session: Some("0b6f8a52".to_owned()),
            },
            attempt: Some(format!("a-{:04}", seq / 10)),
            event: if seq.is_multiple_of(2) {
                idea(seq)
            } else {
                benchmark(seq)
            },
            evidence: Vec::new(),
            hash: String::new(),
        };
        entry.hash = entry.expected_hash();
        prev = entry.hash.clone();
        bytes.extend(chain::line(&entry));
    }
    bytes
}

fn idea(seq: u64) -> Event {
    Event::Idea(Idea {
        idea: format!("idea {seq}: fuse the norm into the attention epilogue, as the others do"),
        source: Some("sgl-project/sglang#12345".to_owned()),
        license: Some("Apache-2.0".to_owned()),
        rows: vec!["share_pct=11.5".to_owned()],
    })
}

fn benchmark(seq: u64) -> Event {
    let hash = |of: &str| contracts::fields::sha256_hex(format!("{of} {seq}").as_bytes());
    let side = |framework: &str| SideFacts {
        framework: framework.to_owned(),
        subject: Some(hash(framework)),
        launch_argv: Some(vec!["python3".to_owned(), "-m".to_owned(), framework.to_owned()]),
        relaunched_clean: true,
        output_tps: contracts::Finite::new(1234.567),
        runs: 8,
    };
    Event::Evidence(Facts {
        phase: Phase::Revalidate,
        schema: "serve-bench.compare/1".to_owned(),
        sha256: hash("document"),
        summary: "2867 output tok/s, 60.76 req/s, TTFT p50 4.79 ms p99 6.27 ms, TPOT mean 2.58 ms".to_owned(),
        simulated: false,
        contract: Some(hash("contract")),
        environment: Some(hash("environment")),
        inputs: vec![hash("target"), hash("workload")],
        sides: vec![side("sglang"), side("vllm")],
        scenario: Some("chat".to_owned()),
        measured_at: Some(MeasuredAt {
            start_at: Timestamp::UNIX_EPOCH,
            end_at: Timestamp::UNIX_EPOCH,
        }),
        decision: None,
        family_shares: Vec::new(),
    })
}
