//! Traces of made-up models: layers of known types, steps of known length, so that every number can be worked out.

use std::fmt::Write as _;

/// Kernels of a layer after its first norm, by the mixer and the feed-forward block of its type.
pub(crate) fn layer(layer_type: &str) -> Vec<&'static str> {
    let (mixer, ffn) = layer_type.split_once('+').expect("mixer+block");
    let mixer: &[&str] = match mixer {
        "full" => &[
            "nvjet_tst_64x64_v_bz_TNT",
            "rotary_embedding_kernel",
            "fmhaSm100fKernel_QkvCausal",
            "nvjet_tst_32x64_v_bz_TNN",
        ],
        "sliding" => &[
            "nvjet_tst_64x64_v_bz_TNT",
            "rotary_embedding_kernel",
            "fmhaSm100fKernel_QkvSliding",
            "nvjet_tst_32x64_v_bz_TNN",
        ],
        "mla" => &[
            "nvjet_tst_64x64_v_bz_TNT",
            "rotary_embedding_kernel",
            "flash_fwd_splitkv_mla_kernel",
            "nvjet_tst_32x64_v_bz_TNN",
        ],
        "c4" => &[
            "nvjet_tst_64x64_v_bz_TNT",
            "compress_kv_four_kernel",
            "topk_pages_kernel",
            "fmhaSm100fKernel_QkvSparse",
            "nvjet_tst_32x64_v_bz_TNN",
        ],
        "c128" => &[
            "nvjet_tst_64x64_v_bz_TNT",
            "compress_kv_wide_kernel",
            "fmhaSm100fKernel_QkvWide",
            "nvjet_tst_32x64_v_bz_TNN",
        ],
        "linear" => &[
            "nvjet_tst_64x96_v_bz_TNT",
            "causal_conv1d_update_kernel",
            "fused_recurrent_gated_delta_rule_fwd_kernel",
            "nvjet_tst_32x96_v_bz_TNN",
        ],
        "mamba" => &[
            "nvjet_tst_64x96_v_bz_TNT",
            "causal_conv1d_update_kernel",
            "selective_scan_update_kernel",
            "nvjet_tst_32x96_v_bz_TNN",
        ],
        "none" => &[],
        other => panic!("no kernels for {other}"),
    };
    let ffn: &[&str] = match ffn {
        "dense" => &[
            "nvjet_tst_128x64_v_bz_TNT",
            "act_and_mul_kernel",
            "nvjet_tst_64x128_v_bz_TNN",
        ],
        "moe" => &[
            "nvjet_tst_16x64_router_TNT",
            "topkGatingSoftmax",
            "fused_moe_kernel_up",
            "act_and_mul_kernel",
            "fused_moe_kernel_down",
            "moe_sum_kernel",
        ],
        "hash-moe" => &[
            "moe_hash_table_kernel",
            "fused_moe_kernel_up",
            "act_and_mul_kernel",
            "fused_moe_kernel_down",
            "moe_sum_kernel",
        ],
        "none" => &[],
        other => panic!("no kernels for {other}"),
    };
    let mut kernels = vec!["fused_add_rms_norm_kernel"];
    kernels.extend(mixer);
    if !mixer.is_empty() && !ffn.is_empty() {
        kernels.push("fused_add_rms_norm_kernel");
    }
    kernels.extend(ffn);
    kernels
}

/// The same type several times.
pub(crate) fn of(layer_type: &str, count: usize) -> Vec<&str> {
    vec![layer_type; count]
}

/// What a pass begins with.
pub(crate) const PREAMBLE: [&str; 2] = ["fill_positions_kernel", "embedding_kernel"];
/// What a pass ends with.
pub(crate) const TAIL: [&str; 3] = [
    "final_rms_norm_kernel",
    "nvjet_tst_256x64_lm_head_TNT",
    "argmax_kernel",
];

/// The kernels of a pass, with what stands around its layers.
pub(crate) fn pass(types: &[&str]) -> Vec<&'static str> {
    let layers = types.iter().flat_map(|layer_type| layer(layer_type));
    PREAMBLE.into_iter().chain(layers).chain(TAIL).collect()
}

/// Writes a trace step by step; times are microseconds.
pub(crate) struct Trace {
    events: String,
    head: &'static str,
    id: u64,
    /// End of the last kernel.
    pub(crate) now: u64,
    /// Duration of the kernels that follow.
    pub(crate) dur: u64,
    /// Pause between the kernels that follow; below zero the next begins before this one ends.
    pub(crate) gap: i64,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self {
            events: String::new(),
            head: r#""distributedInfo": {"rank": 0, "world_size": 1}, "#,
            id: 0,
            now: 1000,
            dur: 10,
            gap: 0,
        }
    }

    pub(crate) fn head(mut self, head: &'static str) -> Self {
        self.head = head;
        self
    }

    pub(crate) fn event(&mut self, text: &str) {
        if !self.events.is_empty() {
            self.events.push_str(",\n");
        }
        self.events.push_str(text);
    }

    /// A range on the host's thread.
    pub(crate) fn range(&mut self, cat: &str, name: &str, ts: u64, dur: u64) {
        self.event(&format!(
            r#"{{"ph":"X","cat":"{cat}","name":"{name}","pid":1,"tid":1,"ts":{ts},"dur":{dur}}}"#
        ));
    }

    fn call(&mut self, name: &str, ts: u64) -> u64 {
        self.id += 1;
        let id = self.id;
        self.event(&format!(
            r#"{{"ph":"X","cat":"cuda_runtime","name":"{name}","pid":1,"tid":1,"ts":{ts},"dur":1,"args":{{"correlation":{id},"External id":{id}}}}}"#
        ));
        id
    }

    /// A kernel of a known launch.
    pub(crate) fn ran(&mut self, name: &str, stream: u64, ts: u64, dur: u64, id: u64) {
        self.event(&format!(
            r#"{{"ph":"X","cat":"kernel","name":"{name}","pid":0,"tid":{stream},"ts":{ts},"dur":{dur},"args":{{"correlation":{id},"stream":{stream}}}}}"#
        ));
    }

    /// Kernels one after the other on stream 7, launched one by one at `launched` and behind.
    pub(crate) fn kernels(&mut self, names: &[&str], launched: u64) {
        for (place, name) in names.iter().enumerate() {
            let id = self.call("cudaLaunchKernel", launched + place as u64);
            self.next(name, id);
        }
    }

    /// Kernels one after the other on stream 7, launched as one graph.
    pub(crate) fn graph(&mut self, names: &[&str], launched: u64) {
        let id = self.call("cudaGraphLaunch", launched);
        for name in names {
            self.next(name, id);
        }
    }

    /// More kernels of the graph that was launched last.
    pub(crate) fn same_graph(&mut self, names: &[&str]) {
        for name in names {
            self.next(name, self.id);
        }
    }

    fn next(&mut self, name: &str, id: u64) {
        let (ts, dur) = (self.now, self.dur);
        self.ran(name, 7, ts, dur, id);
        self.now = (ts + dur).saturating_add_signed(self.gap);
    }

    /// A step of the engine: its range on the host, its kernels behind it on the device.
    pub(crate) fn step(&mut self, name: &str, names: &[&str]) {
        let launched = self.id * 2 + 1;
        let calls = names.len() as u64;
        self.range("user_annotation", name, launched, calls + 1);
        self.kernels(names, launched);
        // Ids count on, so that steps do not lie in each other.
        self.id += calls;
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        write!(text, "{{{}\"traceEvents\": [{}]}}", self.head, self.events)
            .expect("a string takes everything");
        text
    }

    pub(crate) fn write(&self, folder: &tempfile::TempDir, name: &str) -> String {
        crate::run::write(folder, name, &self.text())
    }
}
