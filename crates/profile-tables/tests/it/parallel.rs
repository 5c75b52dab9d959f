//! Files are read as many at once as there are cores, and nothing of that shows in the document.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;
use tempfile::TempDir;

use crate::generated::Sketch;
use crate::run::document;

/// Heads of the ranks of one run.
const HEADS: [&str; 5] = [
    r#""distributedInfo": {"rank": 0, "world_size": 5}, "#,
    r#""distributedInfo": {"rank": 1, "world_size": 5}, "#,
    r#""distributedInfo": {"rank": 2, "world_size": 5}, "#,
    r#""distributedInfo": {"rank": 3, "world_size": 5}, "#,
    r#""distributedInfo": {"rank": 4, "world_size": 5}, "#,
];

/// The document as it is printed on so many cores, without the time at which it was made.
fn on_cores(count: usize, folder: &TempDir) -> String {
    let path = folder.path().display().to_string();
    let printed = move || {
        // Of this thread alone: what it starts inherits it, other tests do not.
        let all = sched_getaffinity(None).expect("a process knows its cores");
        let mut some = CpuSet::new();
        for core in (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).take(count) {
            some.set(core);
        }
        sched_setaffinity(None, &some).expect("fewer cores are always allowed");
        let mut document = document(&[&path, "--rank", "all"]);
        document["created_at"] = Value::Null;
        document.to_string()
    };
    std::thread::spawn(printed)
        .join()
        .expect("the tool does not panic")
}

#[test]
fn one_core_and_two_give_the_same_bytes() {
    let folder = TempDir::new().expect("a folder");
    for (rank, head) in HEADS.into_iter().enumerate() {
        let mut trace = Sketch::new()
            .head(head)
            .range("user_annotation", "step[DECODE bs=4]", 0, 1_000_000);
        // The first files are the longest, so that two readers end out of order.
        for at in 0..2000 / (rank as u32 * 8 + 1) {
            let name = [
                "nvjet_tst_64x64",
                "fused_add_rms_norm_kernel",
                "ncclDevKernel_AllReduce",
            ][at as usize % 3];
            trace = trace.kernel(name, 7 + at % 2, at * 40, at * 40 + 5 + rank as u32, 20);
        }
        trace.write(&folder, &format!("rank{rank}.json"));
    }
    let one = on_cores(1, &folder);
    assert!(one.contains("rank4.json"));
    for _ in 0..4 {
        assert_eq!(on_cores(2, &folder), one);
    }
}
