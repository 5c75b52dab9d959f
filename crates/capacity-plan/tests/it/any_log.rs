//! Any bytes, and any mixture of what engines print: no panic, and nothing infinite or unclean in the document.

use capacity_plan::startup_log;
use proptest::prelude::*;

const PIECES: [&str; 36] = [
    "[2026-05-15 09:09:36 TP0] ",
    "[2026-05-15 09:09:36 DP1 PP2 TP3 EP3] ",
    "(Worker_TP1 pid=1) INFO 05-03 17:50:20 ",
    "INFO 05-03 17:50:20 ",
    "server_args=ServerArgs(model_path='\u{1b}[2Jx', tp_size=2, mem_fraction_static=0.9, ",
    "non-default args: {'model': 'm', 'max_num_seqs': ",
    "Load weight begin. avail mem=",
    "Load weight end. elapsed=1 s, avail mem=1.5 GB, mem usage=",
    "Memory profiling: available_gpu_memory=1 GB, total_gpu_memory=2 GB, mem_fraction_static=0.6, rest_memory=",
    "DSV4 memory calculation: bytes_per_full_token=",
    "Mamba Cache is allocated. max_mamba_cache_size: 5, conv_state size: ",
    "KV Cache is allocated. #tokens: ",
    ", K size: 1.00 GB, V size: ",
    "Memory pool end. avail mem=",
    "full_layer_tokens=10, swa_layer_tokens=",
    "Capture cuda graph end. mem usage=1.0 GB. avail mem=",
    "max_total_num_tokens=",
    "model weights take 1GiB; the rest of the memory reserved for KV Cache is ",
    "GPU blocks: ",
    "Available KV cache memory: ",
    "GPU KV cache size: ",
    " tokens, Maximum concurrency for 5 tokens per request: ",
    "Add 3 padding layers",
    "Free memory on device (1/",
    "2 GiB) on startup. Desired GPU memory utilization is (0.5, 1.0 GiB). Actual usage is 1 GiB for weight",
    "CUDA out of memory. Tried to allocate ",
    "Not enough memory. Please try to increase --mem-fraction-static.",
    "SWA KV Cache is allocated. #tokens: 5, KV size: ",
    "UnifiedKVPool allocated: total_bytes=",
    "Post-capture KV sizing: KV cache allocated. dtype: x, #tokens: 5, KV size: 1.00 GB, avail mem=",
    "Loaded weights leave no GPU memory for the KV cache under --mem-fraction-static=0.8. Raise --mem-fraction-static above ",
    "Estimated CUDA graph memory: ",
    "Initial free memory 3 GiB, reserved ",
    "The server is fired up",
    "\n",
    "\r",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned),
        2 => any::<u64>().prop_map(|number| number.to_string()),
        2 => (0_u64..99_999_999).prop_map(|number| format!("{:.2} GB", number as f64 / 100.0)),
        1 => any::<f64>().prop_map(|number| number.to_string()),
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn bytes(log in prop::collection::vec(any::<u8>(), 0..600)) {
        startup_log::read(&log[..]).expect("memory can be read");
    }

    #[test]
    fn pieces(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        let log = startup_log::read(text.as_bytes()).expect("memory can be read");
        if log.facts.is_empty() || log.statements == 0 {
            return Ok(());
        }
        let document = crate::run::of_log(&text, &["--lengths", "1,4096,1000000000"]).to_string();
        prop_assert!(!document.contains("\\u00"), "{document}");
    }
}

#[test]
fn a_line_without_an_end_is_cut() {
    let mut text = "x".repeat(1 << 20);
    text.push_str("KV Cache is allocated. #tokens: 5, KV size: 1 GB\n[2026-05-15 09:09:53] KV Cache is allocated. #tokens: 7, KV size: 1 GB");
    let log = startup_log::read(text.as_bytes()).expect("memory can be read");
    assert_eq!((log.lines, log.cut_lines, log.statements), (2, 1, 1));
}
