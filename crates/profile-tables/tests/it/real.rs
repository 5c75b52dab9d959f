//! Real traces, where they are: every reference number, and every damaged file.

use std::path::PathBuf;

use serde_json::Value;

use crate::run::{document, run, warnings};

/// The folder of traces; `None` is said aloud, never passed over in silence.
pub(crate) fn traces() -> Option<PathBuf> {
    let folder = std::env::var_os("SOTA_LOOP_TEST_DATA").map(|data| PathBuf::from(data).join("traces"));
    if folder.is_none() {
        println!("real-data suite: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
    }
    folder
}

#[test]
fn every_reference_number_is_met() {
    let Some(folder) = traces() else { return };
    let references =
        std::fs::read_to_string(folder.join("reference_numbers.jsonl")).expect("the reference numbers");
    let mut covered = 0;
    for line in references.lines() {
        let reference: Value = serde_json::from_str(line).expect("JSON");
        let name = reference["trace"].as_str().expect("a name");
        let mut path = folder.join(name);
        if !path.exists() {
            path = folder.join("multirank_dlrm").join(name);
        }
        let path = path.display().to_string();
        if reference["gpu_events"] == 0 {
            let failure = run(&[&path]).expect_err("no device work");
            assert_eq!(failure.document.code, "trace-no-gpu-events");
            continue;
        }
        let document = document(&[&path, "--stage", "all"]);
        let stage = &document["data"]["stages"][0];
        for (theirs, ours) in [
            ("span_ms", "span_ns"),
            ("sum_ms", "sum_ns"),
            ("union_busy_ms", "gpu_busy_ns"),
            ("same_stream_overlap_ms", "same_stream_overlap_ns"),
            ("comm_ms", "comm_ns"),
            ("comm_overlapped_ms", "comm_hidden_ns"),
            ("idle_ms", "idle_ns"),
            ("idle_launch_bound_ms", "idle_launch_bound_ns"),
        ] {
            let expected = reference[theirs].as_f64().expect(theirs);
            let got = stage[ours].as_i64().expect(ours) as f64 / 1e6;
            let close = (got - expected).abs() <= (0.001 * expected.abs()).max(0.001_1);
            assert!(close, "{name}: {ours} is {got} ms, the reference {expected}");
        }
        let path = &stage["critical_path"];
        if path.is_null() {
            assert!(stage["critical_path_unknown"].is_string(), "{name}");
        } else {
            assert_eq!(path["total_ns"], stage["span_ns"], "{name}");
            let kinds = path["kinds"].as_array().expect("rows");
            let sum: i64 = kinds.iter().filter_map(|row| row["ns"].as_i64()).sum();
            assert_eq!(sum, stage["span_ns"], "{name}: the kinds of the critical path");
        }
        assert_eq!(
            stage["graph_events"], reference["graph_launched_events"],
            "{name}"
        );
        if ["sglang", "vllm", "hf_qwen"]
            .iter()
            .any(|engine| name.starts_with(engine))
        {
            let other = stage["other_share_pct"].as_f64().expect("a share");
            assert!(
                other <= 2.0,
                "{name}: {other} % of the busy time is of no known family"
            );
        }
        covered += 1;
    }
    println!("real-data suite: {covered} traces");
    assert!(covered >= 17);
}

#[test]
fn ten_of_eleven_damaged_files_give_tables() {
    let Some(folder) = traces() else { return };
    let mut tables = 0;
    for (name, code) in [
        ("array_toplevel.trace.json", None),
        ("bad_utf8.trace.json", Some("trace-bad-utf8")),
        ("bigint.trace.json", Some("trace-big-integer")),
        ("gz_named_json.trace.json", Some("trace-gzip-named-json")),
        ("inf.trace.json", Some("trace-non-finite-number")),
        ("nan.trace.json", Some("trace-non-finite-number")),
        ("plain_named_gz.trace.json.gz", Some("trace-json-named-gzip")),
        ("truncated.trace.json", Some("trace-truncated")),
        ("ts_strings.trace.json", Some("trace-string-number")),
        ("unescaped_quote.trace.json", Some("trace-unescaped-quote")),
    ] {
        let path = folder.join("defects").join(name).display().to_string();
        let document = document(&[&path]);
        assert!(
            !document["data"]["stages"][0]["kernel_table"]
                .as_array()
                .expect("rows")
                .is_empty()
        );
        assert!(
            code.is_none_or(|code| warnings(&document).contains(&code)),
            "{name}: {:?}",
            warnings(&document)
        );
        tables += 1;
    }
    assert_eq!(tables, 10);
    let cut = folder.join("defects/cut.trace.json.gz").display().to_string();
    let failure = run(&[&cut]).expect_err("the file ends before its first kernel");
    assert_eq!(failure.document.code, "trace-no-gpu-events");
    for named in ["594839 bytes", "258 CPU operators", "ends before its end"] {
        assert!(
            failure.document.message.contains(named),
            "{}",
            failure.document.message
        );
    }
}

#[test]
fn the_capture_names_all_kernels_of_the_replay() {
    let Some(folder) = traces() else { return };
    let path = |name: &str| folder.join(name).display().to_string();
    let document = document(&[
        &path("sglang_qwen3_8b_MI300X_bs32_graph.json.gz"),
        "--mapping",
        &path("sglang_qwen3_8b_MI300X_capture_bs32_rank0.json.gz"),
    ]);
    assert_eq!(document["data"]["mapping"]["graph_kernels"], 544);
    assert_eq!(document["data"]["mapping"]["aligned"], 544);
}

#[test]
fn steps_are_read_from_what_the_engines_write() {
    let Some(folder) = traces() else { return };
    for (name, stage) in [
        ("sglang_qwen3_30b_a3b_B300-TP-0-DECODE.trace.json.gz", "decode"),
        ("sglang_qwen3_8b_MI300X_ctx15360.json.gz", "prefill"),
        ("sglang_qwen3_8b_MI300X_bs32_graph.json.gz", "decode"),
        ("vllm_gptoss_MI300X_piecewise_exec.json.gz", "mixed"),
        ("vllm_gptoss_B200_tp8_rank0_eager.json.gz", "prefill"),
    ] {
        let document = document(&[&folder.join(name).display().to_string()]);
        let stages = document["data"]["stages"].as_array().expect("stages");
        let names: Vec<&str> = stages
            .iter()
            .filter_map(|stage| stage["stage"].as_str())
            .collect();
        assert_eq!(names, [stage], "{name}");
        assert_eq!(stages[0]["steps"], 1, "{name}");
    }
}

#[test]
fn a_trace_that_waits_for_its_host_says_so_first() {
    let Some(folder) = traces() else { return };
    let path = folder.join("vllm_gptoss_B200_tp8_rank0_eager.json.gz");
    let document = document(&[&path.display().to_string()]);
    let actions = document["next_actions"].as_array().expect("actions");
    assert_eq!(actions.len(), 3);
    let why = actions[0]["why"].as_str().expect("a reason");
    assert!(
        why.contains("the device waits") && why.contains("to try"),
        "{why}"
    );
    // The host is all of the path: nothing is gained by hiding a kernel.
    let stage = &document["data"]["stages"][0];
    assert_eq!(stage["critical_path"]["kinds"][0]["kind"], "launch");
    let pct = stage["critical_path"]["kinds"][0]["path_pct"].as_f64();
    assert!(pct.is_some_and(|pct| pct > 99.0), "{pct:?}");
}
