//! Several ranks of one run: a row each, the slowest shown; traces of two runs are refused.

use contracts::Exit;
use serde_json::Value;
use tempfile::TempDir;

use crate::model::{Trace, of, pass};
use crate::run::{document, number, rows, run, warnings};

const HEADS: [&str; 3] = [
    r#""distributedInfo": {"rank": 0, "world_size": 3}, "#,
    r#""distributedInfo": {"rank": 1, "world_size": 3}, "#,
    r#""distributedInfo": {"rank": 2, "world_size": 3}, "#,
];

/// Four decode steps of ten layers; layer 6 of the last three steps waits for so long, microseconds.
fn rank(folder: &TempDir, rank: usize, wait: u64) -> String {
    let mut trace = Trace::new().head(HEADS[rank]);
    let names = pass(&of("full+dense", 10));
    for _ in 0..4 {
        trace.range("user_annotation", "step[DECODE bs=4]", trace.now, 3);
        let (before, after) = names.split_at(2 + 6 * 9 + 1);
        let launched = trace.now + 1;
        trace.graph(before, launched);
        trace.now += wait;
        trace.same_graph(after);
        trace.now += 100;
    }
    trace.write(folder, &format!("rank{rank}.json"))
}

fn folder_of_three() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (place, wait) in [20, 70, 0].into_iter().enumerate() {
        rank(&folder, place, wait);
    }
    folder
}

#[test]
fn every_rank_has_a_row_and_the_slowest_is_shown() {
    let folder = folder_of_three();
    let document = document(&[&folder.path().display().to_string()]);
    let data = &document["data"];
    let ranks = rows(&data["ranks"]);
    let seen: Vec<(i64, i64, i64)> = ranks
        .iter()
        .map(|row| {
            let wall = number(&row["wall_ns"]);
            assert_eq!(number(&row["busy_ns"]) + number(&row["idle_ns"]), wall);
            (number(&row["rank"]), wall, number(&row["idle_ns"]))
        })
        .collect();
    // 2 + 10 * 9 + 3 kernels of 10 us.
    assert_eq!(
        seen,
        [(0, 970_000, 20_000), (1, 1_020_000, 70_000), (2, 950_000, 0)]
    );
    for row in ranks {
        assert_eq!(
            (&row["passes"], &row["layers"], &row["kind"]),
            (&4.into(), &10.into(), &"decode".into())
        );
        assert_eq!(row["shown"], row["rank"] == 1);
    }
    let slowest = |rank: usize| {
        (
            number(&ranks[rank]["slowest_layer"]["index"]),
            number(&ranks[rank]["slowest_layer"]["wall_ns"]),
        )
    };
    assert_eq!(
        (slowest(0), slowest(1), slowest(2)),
        ((6, 110_000), (6, 160_000), (0, 90_000))
    );
    // The rest of the document is of the slowest.
    assert_eq!(data["passes"][2]["wall_ns"], 1_020_000);
    let analysed: Vec<&Value> = rows(&data["traces"]).iter().map(|row| &row["analysed"]).collect();
    assert_eq!(analysed, [false, true, false]);
    assert_eq!(warnings(&document), Vec::<&str>::new());
    let summary = document["summary"].as_str().expect("a summary");
    assert!(
        summary.contains("Rank 1 is the slowest of 3, 7.4 % over the fastest."),
        "{summary}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn one_core_and_two_give_the_same_bytes() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let folder = folder_of_three();
    let on_cores = |count: usize| {
        let path = folder.path().display().to_string();
        let printed = move || {
            // Of this thread alone: what it starts inherits it, other tests do not.
            let all = sched_getaffinity(None).expect("a process knows its cores");
            let mut some = CpuSet::new();
            for core in (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).take(count) {
                some.set(core);
            }
            sched_setaffinity(None, &some).expect("fewer cores are always allowed");
            let mut document = document(&[&path]);
            document["created_at"] = Value::Null;
            document.to_string()
        };
        std::thread::spawn(printed)
            .join()
            .expect("the tool does not panic")
    };
    let one = on_cores(1);
    for _ in 0..4 {
        assert_eq!(on_cores(2), one);
    }
}

#[test]
fn a_rank_that_is_named_is_shown() {
    let folder = folder_of_three();
    let path = folder.path().display().to_string();
    let data = document(&[&path, "--rank", "2"])["data"].take();
    let shown: Vec<&Value> = rows(&data["ranks"]).iter().map(|row| &row["shown"]).collect();
    assert_eq!(shown, [false, false, true]);
    assert_eq!(data["passes"][2]["wall_ns"], 950_000);
    for (words, exit, code) in [
        (["--rank", "3"], Exit::BadInput, "trace-no-such-rank"),
        (["--rank", "fastest"], Exit::Usage, "rank-unreadable"),
    ] {
        let failure = run(&[&path, words[0], words[1]]).expect_err("no such rank");
        assert_eq!((failure.exit, &failure.document.code[..]), (exit, code));
    }
}

#[test]
fn of_a_rank_with_two_traces_the_larger_is_taken() {
    let folder = folder_of_three();
    let mut small = Trace::new().head(HEADS[1]);
    small.kernels(&pass(&of("full+dense", 10)), 1);
    let small = small.write(&folder, "a-rank1.json");
    let document = document(&[&folder.path().display().to_string()]);
    assert_eq!(rows(&document["data"]["ranks"]).len(), 3);
    assert_eq!(warnings(&document), ["trace-not-analysed"]);
    let message = document["warnings"][0]["message"].as_str().expect("a message");
    assert!(message.ends_with(&small), "{message}");
}

#[test]
fn ranks_that_cannot_be_compared_say_so() {
    let folder = TempDir::new().expect("a folder");
    for (place, (step, layers)) in [("step[DECODE bs=1]", 10), ("step[EXTEND bs=1 toks=8]", 12)]
        .into_iter()
        .enumerate()
    {
        let mut trace = Trace::new().head([HEADS[0], HEADS[1]][place]);
        trace.step(step, &pass(&of("full+dense", layers)));
        trace.write(&folder, &format!("{place}.json"));
    }
    let document = document(&[&folder.path().display().to_string()]);
    assert_eq!(
        warnings(&document),
        [
            "trace-ranks-missing",
            "ranks-differ-in-kind",
            "ranks-differ-in-layers"
        ]
    );
}

#[test]
fn traces_of_two_runs_are_refused() {
    let folder = folder_of_three();
    let mut other = Trace::new().head(r#""distributedInfo": {"rank": 3, "world_size": 8}, "#);
    other.kernels(&pass(&of("full+dense", 10)), 1);
    other.write(&folder, "rank3.json");
    let failure = run(&[&folder.path().display().to_string()]).expect_err("two runs");
    assert_eq!(failure.exit, Exit::BadInput);
    assert_eq!(failure.document.code, "trace-different-runs");
    assert!(
        failure.document.message.contains("world size differs: 3, 8"),
        "{failure:?}"
    );
}

#[test]
fn a_rank_without_kernels_has_no_row() {
    let folder = folder_of_three();
    let mut idle = Trace::new().head(HEADS[0]);
    idle.range("cpu_op", "aten::mm", 0, 5);
    let idle = idle.write(&folder, "rank0.json");
    let path = folder.path().display().to_string();
    assert_eq!(rows(&document(&[&path])["data"]["ranks"]).len(), 2);
    let failure = run(&[&path, "--rank", "0"]).expect_err("nothing to cut");
    assert_eq!(failure.document.code, "trace-no-kernels");
    assert!(failure.document.message.contains(&idle), "{failure:?}");
}
