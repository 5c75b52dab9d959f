//! The parts of a rank add up to its total, whatever an engine prints or an estimate is asked for.

use proptest::prelude::*;
use serde_json::Value;

use crate::run::{GIB, document, of_log, warnings, write};

const PARTS: [&str; 6] = [
    "weights_bytes",
    "kv_bytes",
    "state_bytes",
    "graph_bytes",
    "activation_bytes",
    "free_bytes",
];

/// All rows: no part is below nothing; with what is other the parts are the total, and contradictions are warnings.
fn holds(document: &Value) -> Result<(), TestCaseError> {
    for row in document["data"]["memory"].as_array().expect("a list") {
        let part = |name: &str| {
            let value = &row[name];
            assert!(value.is_null() || value.is_u64(), "{name} of {row}");
            value.as_i64()
        };
        let essential = ["total_bytes", "weights_bytes", "kv_bytes", "free_bytes"].map(part);
        let known: i64 = PARTS.into_iter().filter_map(part).sum();
        let other = row["other_bytes"].as_i64();
        prop_assert_eq!(other.is_some(), essential.iter().all(Option::is_some), "{}", row);
        if let (Some(total), Some(other)) = (essential[0], other) {
            prop_assert_eq!(known + other, total, "{}", row);
            let contradicts = (other as f64) < -0.1 * GIB;
            prop_assert!(!contradicts || warnings(document).contains(&"memory-contradicts"));
        }
    }
    Ok(())
}

/// A size as an engine prints it, at times below nothing.
fn size() -> impl Strategy<Value = f64> {
    (-300_i32..9000).prop_map(|hundredths| f64::from(hundredths) / 100.0)
}

proptest! {
    #[test]
    fn of_sglang(sizes in prop::collection::vec(prop::option::weighted(0.9, size()), 11), ranks in 1_u32..3) {
        let mut log = "[2026-05-15 09:09:53] KV Cache is allocated. #tokens: 5, K size: 1.00 GB, V size: 1.00 GB\n".to_owned();
        for rank in 0..ranks {
            let line = |at: usize, text: &str| {
                let number = sizes[at].map(|number| format!("{number:.2}"));
                number.map_or_else(String::new, |number| {
                    format!("[2026-05-15 09:09:53 TP{rank}] {}\n", text.replace("{}", &number))
                })
            };
            log += &[
                line(0, "Load weight begin. avail mem={} GB"),
                line(1, "Load weight end. avail mem=9.00 GB, mem usage={} GB."),
                line(2, "Load weight end. avail mem=8.00 GB, mem usage={} GB."),
                line(3, "Memory profiling: available_gpu_memory=8.00 GB, total_gpu_memory=78.00 GB, rest_memory={} GB"),
                line(4, "Mamba Cache is allocated. max_mamba_cache_size: 82, conv_state size: 0.13GB, ssm_state size: {}GB"),
                line(5, "KV Cache is allocated. #tokens: 1000, K size: {} GB, V size: 1.00 GB"),
                line(6, "Memory pool end. avail mem={} GB"),
                line(7, "Capture cuda graph begin. avail mem={} GB"),
                line(8, "Capture cuda graph end. mem usage={} GB. avail mem=5.00 GB."),
                line(9, "Post-capture KV sizing: KV cache allocated. dtype: x, #tokens: 900, KV size: {} GB, avail mem=3.00 GB"),
                line(10, "max_total_num_tokens=1000, context_len=5, available_gpu_mem={} GB"),
            ]
            .concat();
        }
        holds(&of_log(&log, &[]))?;
    }

    #[test]
    fn of_vllm(sizes in prop::collection::vec(size(), 10), in_share in any::<bool>(), is_old in any::<bool>()) {
        let in_share = if in_share { "enabled" } else { "disabled" };
        let [weights, estimated, kv, graphs, free, total, budget, peak, consumed, other] = sizes[..] else {
            unreachable!("ten were made");
        };
        let used = if is_old {
            format!("{weights} GiB for weight, {peak} GiB for peak activation, {other} GiB for non-torch memory")
        } else {
            format!("{consumed} GiB for consumed memory (weights + non-torch), {peak} GiB for peak activation")
        };
        let log = format!(
            "INFO 11-02 17:51:00 [x.py:1] Model loading took {weights} GiB memory and 12.3 seconds\n\
             INFO 11-02 17:51:00 [x.py:1] Estimated CUDA graph memory: {estimated} GiB total\n\
             INFO 11-02 17:51:00 [x.py:1] Available KV cache memory: {kv} GiB\n\
             INFO 11-02 17:51:00 [x.py:1] CUDA graph memory profiling is {in_share}\n\
             INFO 11-02 17:51:00 [x.py:1] GPU KV cache size: 1,000 tokens\n\
             INFO 11-02 17:51:00 [x.py:1] Graph capturing finished in 8 secs, took {graphs} GiB\n\
             INFO 11-02 17:51:00 [x.py:1] Free memory on device ({free}/{total} GiB) on startup. Desired GPU memory utilization is (0.9, {budget} GiB). Actual usage is {used}, and {graphs} GiB for CUDAGraph memory.\n"
        );
        holds(&of_log(&log, &[]))?;
    }

    #[test]
    fn of_an_estimate(
        device in 1.0_f64..300.0,
        fraction in 0.01_f64..1.0,
        weights in prop::option::of(0.0_f64..200.0),
        reserve in 0.0_f64..50.0,
        tp in 0_u32..4,
        pp in 1_u64..9,
    ) {
        let folder = tempfile::TempDir::new().expect("a folder");
        let config = write(&folder, "config.json", crate::estimate::QWEN3_8B);
        let numbers = [device, fraction, reserve].map(|number| number.to_string());
        let ranks = [2_u64.pow(tp), pp].map(|ranks| ranks.to_string());
        let weights = weights.map(|gib| gib.to_string());
        let mut words = vec![
            "estimate", "--config", &config, "--gpu-memory-gib", &numbers[0], "--memory-fraction", &numbers[1],
            "--reserve-gib", &numbers[2], "--tp", &ranks[0], "--pp", &ranks[1],
        ];
        if let Some(weights) = &weights {
            words.extend(["--weights-gib", weights]);
        }
        let seen = document(&words);
        holds(&seen)?;
        let memory = &seen["data"]["memory"][0];
        prop_assert!(memory["free_bytes"].is_u64() || warnings(&seen).contains(&"weights-leave-no-pool"));
    }
}
