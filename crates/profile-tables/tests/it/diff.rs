//! `diff`: rows that add up, sides that must fit, and what only one side has.

use contracts::Exit;
use serde_json::Value;
use tempfile::TempDir;

use crate::generated::Sketch;
use crate::real::traces;
use crate::run::{document, run, warnings};

fn rows(document: &Value) -> &[Value] {
    document["data"]["waterfall"].as_array().expect("rows")
}

fn ns(value: &Value) -> i64 {
    value.as_i64().expect("nanoseconds")
}

/// The rows add up to the whole difference, and places in the model to their row.
fn adds_up(document: &Value) {
    let data = &document["data"];
    for field in ["ours_ns", "theirs_ns", "delta_ns"] {
        let sum: i64 = rows(document).iter().map(|row| ns(&row[field])).sum();
        assert_eq!(sum, ns(&data[field]), "{field}");
        for row in rows(document) {
            let places = row["positions"].as_array().expect("a list");
            if !places.is_empty() {
                let sum: i64 = places.iter().map(|place| ns(&place[field])).sum();
                assert_eq!(sum, ns(&row[field]), "{row}");
            }
        }
    }
}

/// What the tables say of the stage, divided by the units of the side: the difference has to be of the same time.
fn agrees_with_tables(document: &Value, side: &str, path: &str) {
    let of = &document["data"][side];
    let stage = of["stage"].as_str().expect("a stage");
    let tables = crate::run::document(&[path, "--stage", stage]);
    let stages = tables["data"]["stages"].as_array().expect("stages");
    let span = stages
        .iter()
        .find(|row| row["stage"] == stage)
        .expect("the stage");
    let units = of["units"].as_f64().expect("units");
    let (span_ns, got) = (
        ns(&span["span_ns"]) as f64 / units,
        ns(&document["data"][format!("{side}_ns")]) as f64,
    );
    assert!(
        (span_ns - got).abs() <= 0.01 * span_ns + 1.0,
        "{path}: {got} of {span_ns}"
    );
}

/// A decode step of `layers` layers: a GEMM of `gemm` us and a norm each, then a copy; the next begins `gap` us later.
fn engine(layers: u32, steps: u32, batch: u32, gemm: u32, gap: u32) -> Sketch {
    let mut sketch = Sketch::new();
    let mut at = 10;
    for _ in 0..steps {
        let kernels = layers * (gemm + 2) + 12;
        sketch = sketch.range(
            "user_annotation",
            &format!("step[DECODE bs={batch}]"),
            at - 9,
            kernels,
        );
        for layer in 0..layers {
            let launched = at - 8 + layer % 4;
            sketch = sketch
                .kernel("rms_norm_kernel<c10::BFloat16>", 7, launched, at, 2)
                .kernel("nvjet_tst_64x64_bf16", 7, launched, at + 2, gemm);
            at += gemm + 2;
        }
        sketch = sketch.kernel("argmax_kernel", 7, at - 5, at, 3);
        at += 3 + gap;
    }
    sketch
}

#[test]
fn the_difference_of_two_sketches_is_the_one_that_was_drawn() {
    let folder = TempDir::new().expect("a folder");
    let ours = engine(12, 5, 4, 20, 90).write(&folder, "ours.json");
    let theirs = engine(12, 3, 4, 15, 30).write(&folder, "theirs.json");
    let document = document(&["diff", &ours, "--theirs", &theirs]);
    adds_up(&document);
    let data = &document["data"];
    assert_eq!(data["normalised_by"], "step");
    assert_eq!(
        (&data["ours"]["steps"], &data["theirs"]["steps"]),
        (&5.into(), &3.into())
    );
    assert_eq!(
        (&data["ours"]["layers"], &data["theirs"]["layers"]),
        (&12.into(), &12.into())
    );
    let gemm = rows(&document)
        .iter()
        .find(|row| row["family"] == "gemm")
        .expect("GEMMs");
    // Twelve layers of 20 and of 15 us.
    assert_eq!((ns(&gemm["ours_ns"]), ns(&gemm["theirs_ns"])), (240_000, 180_000));
    assert_eq!(gemm["ours_launches"], 12.0);
    let places: Vec<(&str, i64)> = gemm["positions"]
        .as_array()
        .expect("places")
        .iter()
        .map(|place| {
            (
                place["position"].as_str().expect("a place"),
                ns(&place["delta_ns"]),
            )
        })
        .collect();
    assert_eq!(places, [("first", 5_000), ("middle", 50_000), ("last", 5_000)]);
    // Gaps of 90 us between steps, and of 30: five steps show four of them, three show two.
    let idle: i64 = rows(&document)
        .iter()
        .filter(|row| !row["idle_cause"].is_null())
        .map(|row| ns(&row["delta_ns"]))
        .sum();
    assert_eq!(idle, 90_000 - 30_000);
    assert_eq!(ns(&data["delta_ns"]), 60_000 + 60_000);
    let summary = document["summary"].as_str().expect("a summary");
    assert!(
        summary.contains("ours takes") && summary.contains("gemm +60.000 us"),
        "{summary}"
    );
    assert!(
        summary.ends_with("Next: profile-tables on ours, for gemm."),
        "{summary}"
    );
    assert_eq!(document["next_actions"][0]["command"][1], ours);
    assert!(data["kernels"].as_array().is_some_and(Vec::is_empty));
}

#[test]
fn steps_of_other_sizes_are_compared_by_token() {
    let folder = TempDir::new().expect("a folder");
    let ours = engine(12, 4, 8, 20, 90).write(&folder, "ours.json");
    let theirs = engine(12, 4, 16, 20, 90).write(&folder, "theirs.json");
    let document = document(&["diff", &ours, "--theirs", &theirs]);
    adds_up(&document);
    let data = &document["data"];
    assert_eq!(data["normalised_by"], "token");
    assert_eq!(
        (&data["ours"]["units"], &data["theirs"]["units"]),
        (&32.into(), &64.into())
    );
    assert!((ns(&data["ours_ns"]) - 2 * ns(&data["theirs_ns"])).abs() <= 2);
    assert!(warnings(&document).contains(&"diff-steps-differ"));
}

#[test]
fn a_trace_against_itself_is_no_difference() {
    let folder = TempDir::new().expect("a folder");
    let path = engine(12, 4, 8, 20, 90).write(&folder, "a.json");
    let document = document(&["diff", &path, "--theirs", &path]);
    adds_up(&document);
    assert!(
        rows(&document)
            .iter()
            .all(|row| row["delta_ns"] == 0 && row["delta_pct"].is_null())
    );
    assert!(
        document["summary"]
            .as_str()
            .is_some_and(|text| text.ends_with("no difference."))
    );
    assert_eq!(document["next_actions"], serde_json::json!([]));
    assert_eq!(document["data"]["forced"], false);
}

fn refused(words: &[&str]) -> String {
    let failure = run(words).expect_err("the sides do not fit");
    assert_eq!(failure.exit, Exit::BadInput, "{failure:?}");
    assert!(failure.document.hint.is_some(), "{failure:?}");
    failure.document.code.clone()
}

#[test]
fn another_model_or_stage_is_refused_unless_forced() {
    let folder = TempDir::new().expect("a folder");
    let ours = engine(12, 4, 8, 20, 90).write(&folder, "ours.json");
    let deeper = engine(16, 4, 8, 20, 90).write(&folder, "deeper.json");
    assert_eq!(refused(&["diff", &ours, "--theirs", &deeper]), "different-model");
    let forced = document(&["diff", &ours, "--theirs", &deeper, "--force-pair"]);
    adds_up(&forced);
    assert!(warnings(&forced).contains(&"different-model"));
    assert_eq!(forced["data"]["forced"], true);

    let prefill = Sketch::new()
        .range("user_annotation", "step[EXTEND bs=1 toks=8]", 0, 30)
        .kernel("nvjet_tst_64x64_bf16", 7, 5, 10, 20)
        .write(&folder, "prefill.json");
    assert_eq!(refused(&["diff", &ours, "--theirs", &prefill]), "different-stage");
    assert_eq!(
        refused(&["diff", &ours, "--theirs", &prefill, "--stage", "all"]),
        "different-stage"
    );
    assert_eq!(
        refused(&["diff", &ours, "--theirs", &prefill, "--stage", "decode"]),
        "different-stage"
    );
    assert_eq!(
        refused(&["diff", &ours, "--theirs", &prefill, "--stage", "mixed"]),
        "trace-no-such-stage"
    );
    for more in [&["--force-pair"][..], &["--force-pair", "--stage", "all"]] {
        let forced = document(&[&["diff", &ours, "--theirs", &prefill], more].concat());
        assert!(warnings(&forced).contains(&"different-stage"), "{more:?}");
    }

    let both = Sketch::new()
        .range("user_annotation", "step[EXTEND bs=1 toks=8]", 0, 30)
        .kernel("nvjet_tst_64x64_bf16", 7, 5, 10, 20)
        .range("user_annotation", "step[DECODE bs=1]", 40, 30)
        .kernel("nvjet_tst_64x64_bf16", 7, 45, 50, 20)
        .write(&folder, "both.json");
    assert_eq!(
        refused(&["diff", &both, "--theirs", &both]),
        "diff-stage-ambiguous"
    );
    let chosen = document(&["diff", &both, "--theirs", &both, "--stage", "prefill"]);
    assert_eq!(chosen["data"]["ours"]["tokens"], 8);
}

#[test]
fn the_note_beside_a_trace_names_its_model() {
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, model: &str, layers| {
        let inside = folder.path().join(name).join("run");
        std::fs::create_dir_all(&inside).expect("the folder is writable");
        let note = format!(r#"{{"model_path": "{model}"}}"#);
        std::fs::write(inside.join("server_args.json"), note).expect("the folder is writable");
        let path = inside.join("a.json");
        std::fs::write(&path, engine(layers, 4, 8, 20, 90).text()).expect("the folder is writable");
        path.display().to_string()
    };
    let ours = write("ours", "/models/Qwen3-8B", 12);
    // The names agree, so that unlike traces are the engines' doing.
    let theirs = write("theirs", "Qwen/Qwen3-8B", 16);
    let other = write("other", "Qwen/Qwen3-14B", 12);
    let document = document(&["diff", &ours, "--theirs", &theirs]);
    assert_eq!(document["data"]["ours"]["model"], "/models/Qwen3-8B");
    assert_eq!(refused(&["diff", &ours, "--theirs", &other]), "different-model");
}

#[test]
fn kernels_and_fusions_of_one_side_are_named() {
    let folder = TempDir::new().expect("a folder");
    let step = |sketch: Sketch| sketch.range("user_annotation", "step[DECODE bs=4]", 0, 1_000);
    let rope = "void vllm::rotary_embedding_kernel<c10::BFloat16, true>(int)";
    let mut split = step(Sketch::new());
    let mut fused = step(Sketch::new());
    for layer in 0..4 {
        let at = layer * 100;
        split = split
            .kernel("silu_kernel<c10::BFloat16>", 7, at, at + 10, 10)
            .kernel(rope, 7, at + 1, at + 20, 10);
        fused = fused
            .kernel(
                "void vllm::act_and_mul_kernel<c10::BFloat16, 8>(int)",
                7,
                at,
                at + 10,
                10,
            )
            .kernel(rope, 7, at + 1, at + 20, 10);
    }
    let (split, fused) = (
        split.write(&folder, "split.json"),
        fused.write(&folder, "fused.json"),
    );
    let document = document(&["diff", &split, "--theirs", &fused]);
    let kernels: Vec<(&str, &str, f64)> = document["data"]["kernels"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| {
            (
                row["side"].as_str().expect("a side"),
                row["kernel"].as_str().expect("a name"),
                row["launches"].as_f64().expect("a count"),
            )
        })
        .collect();
    assert_eq!(
        kernels,
        [
            ("ours", "silu_kernel<c10::BFloat16>", 4.0),
            (
                "theirs",
                "void vllm::act_and_mul_kernel<c10::BFloat16, 8>(int)",
                4.0
            )
        ]
    );
    let fusions = document["data"]["fusions"].as_array().expect("a list");
    assert_eq!(fusions.len(), 1, "{fusions:?}");
    assert_eq!(
        (&fusions[0]["side"], &fusions[0]["other"]),
        (&"theirs".into(), &"absent".into())
    );
    assert_eq!(fusions[0]["fused_launches"], 4.0);
}

#[test]
fn forced_pairs_of_real_traces_add_up() {
    let Some(folder) = traces() else { return };
    let path = |name: &str| folder.join(name).display().to_string();
    let decode = "sglang_qwen3_30b_a3b_B300-TP-0-DECODE.trace.json.gz";
    let graph = "sglang_qwen3_8b_MI300X_bs32_graph.json.gz";
    let mut covered = 0;
    for (ours, theirs) in [
        (decode, "sglang_r1_distill_MI300X-TP-0-DECODE.trace.json.gz"),
        (decode, graph),
        ("sglang_qwen3_8b_MI300X_ctx15360.json.gz", graph),
        (
            "vllm_gptoss_B200_tp8_rank0_eager.json.gz",
            "vllm_gptoss_MI300X_piecewise_exec.json.gz",
        ),
        (
            "hf_qwen1.5_0.5b_H100_fwd.json.gz",
            "dlrm_A100_16gpu_nccl_5streams_rank0.json.gz",
        ),
    ] {
        let (ours, theirs) = (path(ours), path(theirs));
        let document = document(&["diff", &ours, "--theirs", &theirs, "--force-pair"]);
        adds_up(&document);
        agrees_with_tables(&document, "ours", &ours);
        agrees_with_tables(&document, "theirs", &theirs);
        // No row is a rest: each is a family or a cause, and what no rule knows is small on traces of LLMs.
        for row in rows(&document) {
            assert!(row["family"].is_null() != row["idle_cause"].is_null(), "{row}");
        }
        let view = run(&["diff", &ours, "--theirs", &theirs, "--force-pair"]).expect("a report");
        let text = view.view().to_terminal();
        for line in text.lines().take_while(|line| !line.starts_with("next:")) {
            assert!(line.chars().count() <= 100, "{line}");
        }
        covered += 1;
    }
    println!("real-data suite: {covered} pairs");
}

#[test]
fn real_traces_against_themselves_are_no_difference() {
    let Some(folder) = traces() else { return };
    for name in [
        "sglang_qwen3_30b_a3b_B300-TP-0-DECODE.trace.json.gz",
        "vllm_gptoss_B200_tp8_rank0_eager.json.gz",
        "vllm_gptoss_MI300X_piecewise_exec.json.gz",
    ] {
        let path = folder.join(name).display().to_string();
        let document = document(&["diff", &path, "--theirs", &path]);
        adds_up(&document);
        assert!(rows(&document).iter().all(|row| row["delta_ns"] == 0), "{name}");
        assert_eq!(document["data"]["kernels"], serde_json::json!([]));
        assert_eq!(document["data"]["fusions"], serde_json::json!([]));
    }
}

#[test]
fn what_else_differs_is_said() {
    let folder = TempDir::new().expect("a folder");
    let head = |gpu: &'static str| engine(12, 4, 8, 20, 90).head(gpu);
    let ours = head(
        r#""deviceProperties": [{"name": "NVIDIA H100"}], "distributedInfo": {"rank": 0, "world_size": 1}, "#,
    )
    .write(&folder, "ours.json");
    // Work behind the last step: its engine names less of what it does.
    let theirs = head(
        r#""deviceProperties": [{"name": "NVIDIA B200"}], "distributedInfo": {"rank": 0, "world_size": 2}, "#,
    )
    .kernel("argmax_kernel", 7, 50_000, 50_010, 100)
    .write(&folder, "theirs.json");
    let document = document(&["diff", &ours, "--theirs", &theirs]);
    assert_eq!(
        warnings(&document),
        [
            "diff-gpus-differ",
            "diff-world-sizes-differ",
            "diff-work-outside-steps"
        ]
    );
    assert_eq!(document["data"]["delta_ns"], 0);
    let said = document["warnings"][2]["message"].as_str().expect("a message");
    assert!(said.starts_with("0.100 ms of work of theirs"), "{said}");
}
