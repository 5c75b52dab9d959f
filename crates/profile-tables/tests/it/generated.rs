//! Traces small enough to be added up by hand.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{document, warnings};

/// Writes a trace, piece by piece.
pub(crate) struct Sketch {
    events: String,
    head: &'static str,
    next_id: u32,
}

impl Sketch {
    pub(crate) fn new() -> Self {
        Self {
            events: String::new(),
            head: r#""distributedInfo": {"rank": 0, "world_size": 1}, "#,
            next_id: 1,
        }
    }

    pub(crate) fn head(mut self, head: &'static str) -> Self {
        self.head = head;
        self
    }

    pub(crate) fn event(mut self, text: &str) -> Self {
        if !self.events.is_empty() {
            self.events.push_str(",\n");
        }
        self.events.push_str(text);
        self
    }

    pub(crate) fn range(self, cat: &str, name: &str, ts: u32, dur: u32) -> Self {
        self.event(&format!(
            r#"{{"ph":"X","cat":"{cat}","name":"{name}","pid":1,"tid":1,"ts":{ts},"dur":{dur}}}"#
        ))
    }

    /// A launch of one microsecond at `launched`, and its kernel.
    pub(crate) fn kernel(mut self, name: &str, stream: u32, launched: u32, ts: u32, dur: u32) -> Self {
        let id = self.next_id;
        self.next_id += 1;
        let mut text = String::new();
        write!(
            text,
            r#"{{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":1,"tid":1,"ts":{launched},"dur":1,"args":{{"correlation":{id}}}}},
               {{"ph":"X","cat":"kernel","name":"{name}","pid":0,"tid":{stream},"ts":{ts},"dur":{dur},"args":{{"correlation":{id},"stream":{stream}}}}}"#
        )
        .expect("a string takes everything");
        self = self.event(&text);
        self
    }

    /// A graph launch at `launched` and the kernels that it started.
    pub(crate) fn graph(mut self, launched: u32, kernels: &[(&str, u32, u32)]) -> Self {
        let id = self.next_id;
        self.next_id += 1;
        self = self.event(&format!(
            r#"{{"ph":"X","cat":"cuda_runtime","name":"cudaGraphLaunch","pid":1,"tid":1,"ts":{launched},"dur":1,"args":{{"correlation":{id}}}}}"#
        ));
        for (name, ts, dur) in kernels {
            self = self.event(&format!(
                r#"{{"ph":"X","cat":"kernel","name":"{name}","pid":0,"tid":7,"ts":{ts},"dur":{dur},"args":{{"correlation":{id},"stream":7}}}}"#
            ));
        }
        self
    }

    pub(crate) fn text(&self) -> String {
        format!("{{{}\"traceEvents\": [{}]}}", self.head, self.events)
    }

    pub(crate) fn write(&self, folder: &TempDir, name: &str) -> String {
        let path: PathBuf = folder.path().join(name);
        std::fs::write(&path, self.text()).expect("the folder is writable");
        path.display().to_string()
    }
}

fn ns(value: &Value) -> i64 {
    value.as_i64().expect("nanoseconds")
}

#[test]
fn one_step_adds_up() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .range("user_annotation", "step[DECODE bs=4]", 0, 100)
        .range("python_function", "/x/sglang/srt/models/m.py(9): forward", 0, 100)
        .kernel("ncclDevKernel_AllReduce_Sum_bf16_RING_LL", 9, 5, 20, 20)
        .kernel("nvjet_tst_64x64", 7, 6, 10, 20)
        .kernel("fused_add_rms_norm_kernel", 7, 90, 95, 5)
        .write(&folder, "a.json");
    let document = document(&[&path]);
    let stage = &document["data"]["stages"][0];
    assert_eq!(stage["stage"], "decode");
    assert_eq!(stage["steps"], 1);
    // 10 to 40 and 95 to 100.
    assert_eq!(ns(&stage["gpu_busy_ns"]), 35_000);
    assert_eq!(ns(&stage["span_ns"]), 90_000);
    assert_eq!(ns(&stage["sum_ns"]), 45_000);
    assert_eq!(ns(&stage["idle_ns"]), 55_000);
    assert_eq!(
        (ns(&stage["comm_ns"]), ns(&stage["comm_hidden_ns"])),
        (20_000, 10_000)
    );
    // The launch at 90 returned at 91: of the gap from 40 to 95, 51 are launch-bound.
    assert_eq!(ns(&stage["idle_launch_bound_ns"]), 51_000);
    assert_eq!(stage["idle"][0]["cause"], "host_python");
    assert_eq!(
        stage["idle"][0]["python_location"],
        "/x/sglang/srt/models/m.py(9): forward"
    );
    let shares: f64 = stage["kernel_table"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["share_pct"].as_f64().expect("a share"))
        .sum();
    assert!((shares - 100.0).abs() < 1e-9, "{shares}");
    assert_eq!(document["data"]["traces"][0]["engine"], "sglang");
    assert_eq!(document["data"]["traces"][0]["completeness"]["grade"], "complete");
}

#[test]
fn stages_divide_the_whole() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .range("user_annotation", "step[EXTEND bs=1 toks=512]", 0, 30)
        .range("user_annotation", "step[DECODE bs=4]", 40, 30)
        .kernel("gemm_a", 7, 5, 10, 20)
        // Launched in the first step, run in the second: it is prefill.
        .kernel("gemm_b", 7, 25, 45, 10)
        .kernel("gemm_c", 7, 50, 60, 10)
        .kernel("gemm_lost", 7, 35, 80, 10)
        .write(&folder, "a.json");
    let document = document(&[&path]);
    let stages = document["data"]["stages"].as_array().expect("stages");
    let find = |name: &str| stages.iter().find(|stage| stage["stage"] == name).expect(name);
    assert_eq!(ns(&find("prefill")["gpu_busy_ns"]), 30_000);
    assert_eq!(ns(&find("decode")["gpu_busy_ns"]), 10_000);
    assert_eq!(ns(&find("unassigned")["gpu_busy_ns"]), 10_000);
    let all: i64 = stages.iter().map(|stage| ns(&stage["span_ns"])).sum();
    assert_eq!(all, 80_000);
    let one = crate::run::document(&[&path, "--stage", "all"]);
    assert_eq!(one["data"]["stages"].as_array().map(Vec::len), Some(1));
    assert_eq!(ns(&one["data"]["stages"][0]["span_ns"]), 80_000);
}

#[test]
fn a_graph_without_kernels_is_incomplete_and_not_idle_truth() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .graph(1, &[("gemm_a", 5, 5), ("gemm_b", 10, 5)])
        .graph(20, &[])
        .kernel("argmax", 7, 90, 95, 5)
        .write(&folder, "a.json");
    let document = document(&[&path]);
    let completeness = &document["data"]["traces"][0]["completeness"];
    assert_eq!(completeness["grade"], "incomplete");
    assert_eq!(document["data"]["stages"][0]["graph_events"], 2);
    assert!(warnings(&document).contains(&"trace-incomplete"));
    assert!(warnings(&document).contains(&"trace-graph-lines-unknown"));
}

#[test]
fn the_capture_gives_lines_to_the_kernels_of_a_graph() {
    let folder = TempDir::new().expect("a folder");
    let replay = Sketch::new()
        .graph(1, &[("gemm_a", 5, 5), ("norm_b", 10, 5), ("gemm_a", 15, 5)])
        .write(&folder, "replay.json");
    let capture = Sketch::new()
        .range(
            "python_function",
            "/x/vllm/model_executor/layers/qkv.py(1): forward",
            0,
            5,
        )
        .range(
            "python_function",
            "/x/vllm/model_executor/layers/norm.py(2): forward",
            6,
            5,
        )
        .range(
            "python_function",
            "/x/vllm/model_executor/layers/out.py(3): forward",
            12,
            5,
        )
        .kernel("gemm_a", 7, 1, 100, 5)
        .kernel("norm_b", 7, 7, 110, 5)
        .kernel("gemm_a", 7, 13, 120, 5)
        .write(&folder, "capture.json");
    let document = document(&[&replay, "--mapping", &capture]);
    assert_eq!(document["data"]["mapping"]["graph_kernels"], 3);
    assert_eq!(document["data"]["mapping"]["aligned"], 3);
    let rows = document["data"]["stages"][0]["kernel_table"]
        .as_array()
        .expect("rows");
    let gemm = rows.iter().find(|row| row["kernel"] == "gemm_a").expect("gemm_a");
    assert_eq!(gemm["located_by"], "graph-alignment");
    let sites: Vec<&str> = gemm["sites"]
        .as_array()
        .expect("sites")
        .iter()
        .filter_map(|site| site["python_location"].as_str())
        .collect();
    assert_eq!(sites.len(), 2, "one kernel, two lines: {sites:?}");
}

#[test]
fn the_rank_that_comes_last_is_the_straggler() {
    let folder = TempDir::new().expect("a folder");
    for (rank, waits) in [(0, 50), (1, 10)] {
        let head = match rank {
            0 => r#""distributedInfo": {"rank": 0, "world_size": 2}, "#,
            _ => r#""distributedInfo": {"rank": 1, "world_size": 2}, "#,
        };
        Sketch::new()
            .head(head)
            .kernel("gemm_a", 7, 1, 5, 5)
            .kernel("ncclDevKernel_AllReduce_Sum_bf16_RING_LL", 7, 2, 10, waits)
            .write(&folder, &format!("rank{rank}.json"));
    }
    let document = document(&[&folder.path().display().to_string()]);
    let ranks = &document["data"]["ranks"];
    assert_eq!(ranks["stragglers"], serde_json::json!([1]));
    assert_eq!(ns(&ranks["collectives"][0]["skew_ns"]), 40_000);
    assert_eq!(ns(&ranks["collectives"][0]["shortest_ns"]), 10_000);
    // The tables are of the lowest rank unless all are asked for.
    assert_eq!(ns(&document["data"]["stages"][0]["comm_ns"]), 50_000);
    let folder = folder.path().display().to_string();
    let summed = crate::run::document(&[&folder, "--rank", "all"]);
    assert_eq!(ns(&summed["data"]["stages"][0]["comm_ns"]), 60_000);
    let summary = |document: &Value| {
        document["summary"]
            .as_str()
            .map(str::to_owned)
            .expect("a summary")
    };
    assert!(
        summary(&summed).starts_with("Sums over 2 ranks, not wall time. "),
        "{summed}"
    );
    assert!(!summary(&document).contains("Sums"), "{document}");
    let rows = crate::run::document(&["rows", &folder, "--kernel", "gemm", "--rank", "all"]);
    assert!(
        summary(&rows).starts_with("Sums over 2 ranks. 2 call(s)"),
        "{rows}"
    );
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .kernel("gemm_a", 7, 1, 5, 5)
        .kernel("gemm_b", 9, 2, 6, 5)
        .kernel("norm_c", 7, 3, 20, 5)
        .write(&folder, "a.json");
    let data = || document(&[&path])["data"].to_string();
    assert_eq!(data(), data());
}

#[test]
fn every_replay_is_aligned_for_itself() {
    let folder = TempDir::new().expect("a folder");
    let names = ["gemm_a", "norm_b", "gemm_c"];
    // No step is named, and the graph runs sixteen times.
    let replay = (0..16).fold(Sketch::new(), |sketch, round: u32| {
        let kernels: Vec<(&str, u32, u32)> = names
            .iter()
            .zip(1..)
            .map(|(name, at)| (*name, round * 100 + at * 10, 5))
            .collect();
        sketch.graph(round * 100, &kernels)
    });
    let replay = replay.write(&folder, "replay.json");
    let capture = names
        .iter()
        .zip(1..)
        .fold(Sketch::new(), |sketch, (name, at)| {
            sketch.kernel(name, 7, at, 100 + at * 10, 5)
        })
        .write(&folder, "capture.json");
    let document = document(&[&replay, "--mapping", &capture]);
    assert_eq!(document["data"]["mapping"]["graph_kernels"], 48);
    assert_eq!(document["data"]["mapping"]["aligned"], 48);
}

#[test]
fn a_simulated_trace_is_simulated_whatever_is_read_of_it() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .head(r#""simulated": true, "#)
        .range("user_annotation", "step[DECODE bs=4]", 0, 100)
        .kernel("gemm_a", 7, 1, 5, 5)
        .write(&folder, "a.json");
    for words in [&[path.as_str()][..], &[&path, "--tables", "kernel"]] {
        let document = document(words);
        assert_eq!(document["simulated"], true, "{words:?}");
        assert_eq!(document["data"]["traces"][0]["engine"], "engine-sim");
        let hash = document["inputs"][0]["sha256"].as_str().expect("a hash");
        let bytes = std::fs::read(&path).expect("the trace");
        assert_eq!(hash, contracts::fields::sha256_hex(&bytes));
    }
}

#[test]
fn an_operator_is_named_where_any_place_has_one() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        // The longest call has no operator.
        .kernel("gemm_a", 7, 1, 5, 50)
        .event(r#"{"ph":"X","cat":"cpu_op","name":"aten::mm","pid":1,"tid":1,"ts":58,"dur":5,"args":{"External id":5}}"#)
        .event(r#"{"ph":"X","cat":"kernel","name":"gemm_a","pid":0,"tid":7,"ts":60,"dur":5,"args":{"External id":5,"stream":7}}"#)
        .write(&folder, "a.json");
    let document = document(&[&path]);
    let row = &document["data"]["stages"][0]["kernel_table"][0];
    assert_eq!(row["sites"].as_array().map(Vec::len), Some(2));
    assert_eq!(row["cpu_op"], "aten::mm");
}

#[test]
fn the_critical_path_of_each_stage_is_as_long_as_its_span() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .range("user_annotation", "step[EXTEND bs=1 toks=512]", 0, 30)
        .range("user_annotation", "step[DECODE bs=4]", 40, 30)
        .kernel("gemm_a", 7, 5, 10, 20)
        .kernel("ncclDevKernel_AllReduce_Sum_bf16_RING_LL", 9, 6, 12, 5)
        .kernel("gemm_b", 7, 25, 45, 10)
        .kernel("gemm_c", 9, 50, 50, 20)
        .kernel("gemm_d", 7, 51, 72, 10)
        .write(&folder, "a.json");
    let stages = document(&[&path])["data"]["stages"].clone();
    for stage in stages.as_array().expect("stages") {
        let path = &stage["critical_path"];
        assert_eq!(path["total_ns"], stage["span_ns"]);
        let kinds = path["kinds"].as_array().expect("rows");
        let sum: i64 = kinds.iter().map(|row| ns(&row["ns"])).sum();
        assert_eq!(sum, ns(&path["total_ns"]));
        for row in stage["overlap_table"].as_array().expect("rows") {
            assert!(ns(&row["headroom_ns"]) <= ns(&row["critical_ns"]), "{row}");
        }
    }
    // Nobody waits for the collective.
    let prefill = &stages[0];
    assert_eq!(prefill["stage"], "prefill");
    let overlap = prefill["overlap_table"].as_array().expect("rows");
    let comm = overlap.iter().find(|row| row["family"] == "comm").expect("comm");
    assert_eq!(ns(&comm["critical_ns"]), 0);
}

#[test]
fn without_launches_the_critical_path_is_unknown() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .event(
            r#"{"ph":"X","cat":"kernel","name":"gemm","pid":0,"tid":7,"ts":5,"dur":10,"args":{"stream":7}}"#,
        )
        .write(&folder, "a.json");
    let stage = document(&[&path])["data"]["stages"][0].clone();
    assert_eq!(stage["critical_path"], Value::Null);
    let reason = stage["critical_path_unknown"].as_str().expect("a reason");
    assert!(reason.contains("have no launch"), "{reason}");
    assert_eq!(stage["overlap_table"][0]["critical_ns"], Value::Null);
}

#[test]
fn the_next_actions_are_the_largest_findings_and_can_be_run() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .range("user_annotation", "step[DECODE bs=4]", 0, 900)
        .kernel("ncclDevKernel_AllReduce_Sum_bf16_RING_LL", 7, 5, 10, 60)
        .kernel("nvjet_tst_64x64", 7, 6, 70, 100)
        .kernel("argmax_kernel", 7, 500, 510, 2)
        .write(&folder, "a.json");
    let document = document(&[&path]);
    let actions = document["next_actions"].as_array().expect("actions");
    let why: Vec<&str> = actions
        .iter()
        .filter_map(|action| action["why"].as_str())
        .collect();
    assert_eq!(why.len(), 3, "{why:?}");
    assert!(
        why[0].contains("the device waits 0.340 ms of 0.502 ms"),
        "{why:?}"
    );
    assert!(why[1].contains("nvjet_tst_64x64 takes 61.7 %"), "{why:?}");
    assert!(why[2].contains("0.060 ms of communication"), "{why:?}");
    assert_eq!(actions[0]["command"][0], "pipeline-analysis");
    for action in &actions[1..] {
        let words: Vec<&str> = action["command"]
            .as_array()
            .expect("words")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(words[0], "profile-tables");
        let rows = crate::run::document(&words[1..]);
        assert_eq!(rows["data"]["calls"], 1, "{words:?}");
    }
}
