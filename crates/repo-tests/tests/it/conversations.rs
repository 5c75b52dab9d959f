//! Conversations and shards on a real client and a simulated engine: who waits for whom, and what is put together again.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::documents::{check, check_lines};
use crate::process::{Ended, Sim, run};

struct Measured {
    folder: tempfile::TempDir,
    sim: Sim,
}

impl Measured {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn bench(&self, words: &[&str]) -> Ended {
        let ended = run("serve-bench", words);
        // 5 where this machine disturbed the client.
        assert!(matches!(ended.code(), 0 | 5), "{ended:?}");
        ended
    }

    fn records(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        check_lines("records", &text);
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["kind"] == "request").collect()
    }
}

/// Six conversations of three turns.
fn measured() -> Measured {
    let measured = Measured {
        folder: tempfile::tempdir().unwrap(),
        sim: Sim::script(r#"{"defaults": {"ttft_ms": 20, "itl_ms": 1}}"#),
    };
    let workload = measured.path("talks.jsonl");
    let frozen = measured.bench(&[
        "freeze",
        "--dataset",
        "random",
        "--num-prompts",
        "6",
        "--turns",
        "3",
        "--think-time",
        "0.05",
        "--input-len",
        "16",
        "--output-len",
        "4",
        "--seed",
        "3",
        "--out",
        &workload,
    ]);
    check("freeze", &frozen.document());
    measured
}

fn turns(records: &[Value]) -> BTreeMap<u64, Vec<&Value>> {
    let mut turns: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for record in records {
        turns
            .entry(record["turn"]["conversation"].as_u64().unwrap())
            .or_default()
            .push(record);
    }
    for talk in turns.values_mut() {
        talk.sort_by_key(|record| record["turn"]["number"].as_u64());
    }
    turns
}

fn ms(record: &Value, field: &str) -> f64 {
    record[field]
        .as_f64()
        .unwrap_or_else(|| panic!("{field}: {record}"))
}

#[test]
fn a_turn_waits_for_the_answer_before_and_for_its_user() {
    let measured = measured();
    let (workload, records, result) = (
        measured.path("talks.jsonl"),
        measured.path("r.jsonl"),
        measured.path("o.json"),
    );
    measured.bench(&[
        "run",
        "--url",
        &measured.sim.url,
        "--workload",
        &workload,
        "--concurrency",
        "2",
        "--records",
        &records,
        "-o",
        &result,
    ]);
    let all = measured.records("r.jsonl");
    assert_eq!(all.len(), 18);
    let talks = turns(&all);
    assert_eq!(talks.len(), 6);
    for talk in talks.values() {
        for pair in talk.windows(2) {
            let answered = ms(pair[0], "start_ms") + ms(pair[0], "e2e_latency_ms");
            let think = ms(&pair[1]["turn"], "think_ms");
            assert!(ms(pair[1], "start_ms") >= answered + think - 1.0, "{pair:?}");
        }
    }
    // Two talks at a time, thinking included.
    let mut spans: Vec<(f64, f64)> = talks
        .values()
        .map(|talk| {
            (
                ms(talk[0], "start_ms"),
                ms(talk[2], "start_ms") + ms(talk[2], "ended_ms"),
            )
        })
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(
        (2..6).all(|later| spans[..later]
            .iter()
            .filter(|span| span.1 > spans[later].0 + 1.0)
            .count()
            <= 1),
        "{spans:?}"
    );
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&result).unwrap()).unwrap();
    check("run", &document);
    let run = &document["data"]["runs"][0];
    assert_eq!(document["data"]["load"]["mode"], "conversations");
    assert_eq!(run["turns"]["conversations"], 6);
    assert_eq!(
        (
            &run["turns"]["first_ttft_ms"]["count"],
            &run["turns"]["later_ttft_ms"]["count"]
        ),
        (&6.into(), &12.into())
    );
    let reasons = run["client"]["reasons"].to_string();
    assert!(!reasons.contains("in flight while requests waited"), "{reasons}");
    let open = run_open(&measured, &workload);
    open.fails(2, "turns-open-loop", "--concurrency");
}

fn run_open(measured: &Measured, workload: &str) -> Ended {
    run(
        "serve-bench",
        [
            "run",
            "--url",
            &measured.sim.url,
            "--workload",
            workload,
            "--request-rate",
            "5",
        ],
    )
}

#[test]
fn conversations_stay_with_their_shard() {
    let measured = measured();
    let workload = measured.path("talks.jsonl");
    let start = (jiff::Timestamp::now() + jiff::SignedDuration::from_millis(2500)).to_string();
    let parts: Vec<_> = (1..=2)
        .map(|index| {
            let (shard, records) = (format!("{index}/2"), measured.path(&format!("{index}.jsonl")));
            let (url, workload, start) = (measured.sim.url.clone(), workload.clone(), start.clone());
            std::thread::spawn(move || {
                let words = [
                    "run",
                    "--url",
                    &url,
                    "--workload",
                    &workload,
                    "--concurrency",
                    "2",
                    "--shard",
                    &shard,
                    "--start-at",
                    &start,
                    "--records",
                    &records,
                ];
                run("serve-bench", words)
            })
        })
        .collect();
    for part in parts {
        let ended = part.join().unwrap();
        assert!(matches!(ended.code(), 0 | 5), "{ended:?}");
        let document = ended.document();
        check("shard", &document);
        assert_eq!(document["data"]["load"]["concurrency"], 1);
        assert_eq!(document["data"]["shard"]["load"]["concurrency"], 2);
        assert_eq!(
            document["contract"]["fields"]["load"]["value"]["shard"],
            format!("{}/2", document["data"]["shard"]["index"])
        );
        assert!(document["warnings"].to_string().contains("part-of-a-load"));
    }
    for (index, name) in ["1.jsonl", "2.jsonl"].into_iter().enumerate() {
        let records = measured.records(name);
        assert_eq!(records.len(), 9);
        assert!(turns(&records).keys().all(|talk| talk % 2 == index as u64));
    }
    let (one, two) = (measured.path("1.jsonl"), measured.path("2.jsonl"));
    let merged = measured.bench(&["merge", &two, &one]);
    let document = merged.document();
    check("merged", &document);
    let data = &document["data"];
    assert_eq!(
        (&data["shard"], &data["load"]["concurrency"]),
        (&Value::Null, &2.into())
    );
    assert_eq!(data["runs"][0]["requests"]["succeeded"], 18);
    assert_eq!(data["runs"][0]["turns"]["conversations"], 6);
    run("serve-bench", ["merge", one.as_str()]).fails(3, "shards-missing", "every part");
    let wrong = |words: &[&str]| {
        run(
            "serve-bench",
            [
                &[
                    "run",
                    "--url",
                    &measured.sim.url,
                    "--concurrency",
                    "2",
                    "--records",
                    "part.jsonl",
                ],
                words,
            ]
            .concat(),
        )
    };
    wrong(&["--shard", "1/2", "--start-at", "9999999999"]).fails(2, "start-far", "nearer");
    // A part that keeps no records can never be merged.
    let kept_none = [
        "run",
        "--url",
        &measured.sim.url,
        "--concurrency",
        "2",
        "--shard",
        "1/2",
        "--start-at",
        &start,
    ];
    let ended = run("serve-bench", kept_none);
    assert!(
        ended.code() == 2 && ended.stderr.contains("--records"),
        "{ended:?}"
    );
    wrong(&["--shard", "3/2", "--start-at", &start]).fails(2, "shard-unreadable", "1/4");
}
