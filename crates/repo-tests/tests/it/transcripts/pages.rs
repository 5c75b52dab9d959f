//! The pages that are played, and what their text takes for granted: servers, files, what a person did in between.

/// What happens before a command, because the text around it says so.
pub(super) enum Action {
    /// An engine is stopped, and started anew with another script.
    Relaunch(&'static str, &'static str),
    /// A command line, through the same substitutions.
    Run(&'static str),
}

use Action::{Relaunch, Run};

/// A page.
pub(super) struct Page {
    /// From the root of the repository.
    pub(super) path: &'static str,
    /// Servers that are alive, by the name of the stage, and their script or their flags.
    pub(super) engines: &'static [(&'static str, &'static str)],
    /// Whether a campaign with a verdict is there, and LOOP_LEDGER_ROOT names it.
    pub(super) campaign: bool,
    /// Files: name, and their content or, as `PAGE#NAME`, the block of another page.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// What happens before the first command that contains a piece of text; `""` is before all.
    pub(super) before: &'static [(&'static str, Action)],
}

/// Scripts of the engines: a fifth of a second a request, of which a client may be late by 2 %, and differences that no
/// noise hides.
pub(super) const SCRIPTS: [(&str, &str); 5] = [
    (
        "ours",
        r#"{"model": "Qwen/Qwen3-8B", "identity": "sglang", "defaults": {"ttft_ms": 260, "itl_ms": 1}}"#,
    ),
    (
        "better",
        r#"{"model": "Qwen/Qwen3-8B", "identity": "sglang", "defaults": {"ttft_ms": 150, "itl_ms": 1}}"#,
    ),
    (
        "theirs",
        r#"{"model": "Qwen/Qwen3-8B", "identity": "vllm", "defaults": {"ttft_ms": 200, "itl_ms": 1}}"#,
    ),
    (
        "third",
        r#"{"model": "Qwen/Qwen3-8B", "identity": "sglang", "defaults": {"ttft_ms": 195, "itl_ms": 1}}"#,
    ),
    (
        "answers",
        r#"{"model": "Qwen/Qwen3-8B", "answers": {"file": "suite.jsonl", "accuracy_ratio": 0.9}, "defaults": {"ttft_ms": 5, "itl_ms": 0.5}}"#,
    ),
];

const THEIRS_0: &str = "schema: sota-loop.subject/1\nlaunch_argv: [vllm, serve, Qwen/Qwen3-8B]\n";
const THEIRS_1: &str = "schema: sota-loop.subject/1\nlaunch_argv: [vllm, serve, Qwen/Qwen3-8B, --max-num-batched-tokens, \"4096\"]\n";
/// An engine with metrics, which scripted ones have not, at an eleventh of its speed.
const METRICS: &str = "--flavor sglang --seed 5 --slowdown 1000 --model Qwen/Qwen3-8B";
const OURS_0: &str = "schema: sota-loop.subject/1\nlaunch_argv: [python3, -m, sglang.launch_server, --model-path, Qwen/Qwen3-8B]\n";
const OURS_1: &str = "schema: sota-loop.subject/1\nlaunch_argv: [python3, -m, sglang.launch_server, --model-path, Qwen/Qwen3-8B, --num-continuous-decode-steps, \"8\"]\n";
const TARGET: &str = "skills/serve-bench/SKILL.md#target.yaml";
const HISTORY: &str = "skills/loop-ledger/SKILL.md#history.yaml";
const FREEZE: Action = Run(
    "serve-bench freeze --preset chat --prompt-unit tokens --url http://127.0.0.1:30000 --target target.yaml --out chat.jsonl",
);

/// A trace of one decode step: a line of Python, its launch, its kernel.
const STEP: &str = r#"{"simulated": true, "traceEvents": [
{"ph":"X","cat":"user_annotation","name":"step[DECODE bs=4]","pid":1,"tid":1,"ts":0,"dur":90},
{"ph":"X","cat":"python_function","name":"sglang/srt/layers/linear.py(9): forward","pid":1,"tid":1,"ts":1,"dur":9},
{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":1,"tid":1,"ts":2,"dur":2,"args":{"correlation":1}},
{"ph":"X","cat":"kernel","name":"nvjet_tst_64x64_64x16_2x1_v_bz_TNT","pid":0,"tid":7,"ts":8,"dur":40,"args":{"correlation":1,"stream":7}}]}"#;
/// The step of another engine: the same kernel, sooner done.
const THEIR_STEP: &str = r#"{"simulated": true, "traceEvents": [
{"ph":"X","cat":"user_annotation","name":"execute_context_0(0)_generation_4(4)","pid":1,"tid":1,"ts":0,"dur":90},
{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":1,"tid":1,"ts":2,"dur":2,"args":{"correlation":1}},
{"ph":"X","cat":"kernel","name":"nvjet_tst_64x64_64x16_2x1_v_bz_TNT","pid":0,"tid":7,"ts":8,"dur":30,"args":{"correlation":1,"stream":7}}]}"#;
/// The same step as a graph replays it.
const REPLAY: &str = r#"{"simulated": true, "traceEvents": [
{"ph":"X","cat":"user_annotation","name":"step[DECODE bs=4]","pid":1,"tid":1,"ts":0,"dur":90},
{"ph":"X","cat":"cuda_runtime","name":"cudaGraphLaunch","pid":1,"tid":1,"ts":2,"dur":2,"args":{"correlation":1}},
{"ph":"X","cat":"kernel","name":"nvjet_tst_64x64_64x16_2x1_v_bz_TNT","pid":0,"tid":7,"ts":8,"dur":40,"args":{"correlation":1,"stream":7}}]}"#;

/// Four kernels of a layer that start with this number of tens of microseconds, and the launches that name them.
macro_rules! layers {
    ($event:ident, $step:literal, $($at:literal)*) => {
        concat!(
            r#"{"simulated": true, "traceEvents": [{"ph":"X","cat":"user_annotation","name":""#,
            $step,
            r#"","pid":1,"tid":1,"ts":0,"dur":900}"#,
            $(
                $event!(concat!($at, "1"), "fused_add_rms_norm_kernel"),
                $event!(concat!($at, "3"), "nvjet_tst_64x64_64x16_2x1_v_bz_TNT"),
                $event!(concat!($at, "5"), "fmhaSm100fKernel_Qkv"),
                $event!(concat!($at, "7"), "nvjet_tst_32x64_64x16_4x1_v_bz_splitK_TNN"),
            )*
            "]}"
        )
    };
}
macro_rules! ran {
    (concat!($at:literal, $unit:literal), $name:literal) => {
        concat!(
            r#",{"ph":"X","cat":"kernel","name":""#,
            $name,
            r#"","pid":0,"tid":7,"dur":2,"args":{"stream":7},"ts":"#,
            $at,
            $unit,
            "}"
        )
    };
}
macro_rules! launched {
    (concat!($at:literal, $unit:literal), $name:literal) => {
        concat!(
            r#",{"ph":"X","cat":"cuda_runtime","name":"hipModuleLaunchKernel","pid":1,"tid":1,"dur":1,"args":{"kernel":""#, $name,
            r#""},"ts":"#, $at, $unit, "}"
        )
    };
}
/// A decode step of ten layers, and its launches into a graph.
const TEN_LAYERS: &str = layers!(ran, "step[DECODE bs=4]", 11 12 13 14 15 16 17 18 19 20);
const THEIR_TEN_LAYERS: &str =
    layers!(ran, "execute_context_0(0)_generation_4(4)", 11 12 13 14 15 16 17 18 19 20);
const TEN_LAYERS_CAPTURED: &str = layers!(launched, "step[DECODE bs=4]", 11 12 13 14 15 16 17 18 19 20);

/// The log of a small simulated engine's start.
const STARTUP: &str = "[2026-05-15 09:09:20] engine-sim 0.1.0: a simulated engine, nothing here is measured
[2026-05-15 09:09:36] Load weight begin. avail mem=78.59 GB
[2026-05-15 09:09:53] Load weight end. type=Qwen3ForCausalLM, dtype=torch.bfloat16, avail mem=63.33 GB, mem usage=15.26 GB.
[2026-05-15 09:09:53] KV Cache is allocated. #tokens: 364000, K size: 25.00 GB, V size: 25.00 GB
[2026-05-15 09:10:21] max_total_num_tokens=364000, max_running_requests=4096, context_len=40960, available_gpu_mem=13.33 GB
";
const QWEN3_8B: &str = r#"{"model_type": "qwen3", "num_hidden_layers": 36, "hidden_size": 4096, "intermediate_size": 12288,
"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "max_position_embeddings": 40960}"#;

/// Two rows of a kernel, a measurement of them, one of the baseline against itself, and one row measured again.
const WORKLOADS: &str = r#"[{"id": "large-a", "tokens": 4096}, {"id": "small-a", "tokens": 16}]"#;
const AB: &str = r#"{"event": "provenance", "gpu": "a GPU", "settings": {"num_trials": 5}}
{"event": "result", "id": "large-a", "status": "PASSED", "baseline": {"samples_us": [100, 101, 99, 100, 102]}, "candidate": {"samples_us": [80, 81, 79, 80, 82]}}
{"event": "result", "id": "small-a", "status": "PASSED", "baseline": {"samples_us": [10, 10.1, 9.9, 10, 10.2]}, "candidate": {"samples_us": [11, 11.1, 10.9, 11, 11.2]}}
"#;
const AA: &str = r#"{"event": "provenance", "gpu": "a GPU", "settings": {"num_trials": 5}}
{"event": "result", "id": "large-a", "status": "PASSED", "baseline": {"samples_us": [100, 101, 99, 100, 102]}, "candidate": {"samples_us": [100.5, 101, 99, 100, 102]}}
"#;
const AGAIN: &str = r#"{"event": "provenance", "gpu": "a GPU", "settings": {"num_trials": 10}}
{"event": "result", "id": "small-a", "status": "PASSED", "baseline": {"samples_us": [10, 10.1, 9.9, 10, 10.2, 10, 10.1, 9.9, 10, 10.2]}, "candidate": {"samples_us": [11, 11.1, 10.9, 11, 11.2, 11, 11.1, 10.9, 11, 11.2]}}
"#;

/// Every page, with what it takes for granted.
pub(super) const PAGES: &[Page] = &[
    Page {
        path: "README.md",
        engines: &[],
        campaign: false,
        files: &[],
        before: &[],
    },
    Page {
        path: "prompts/README.md",
        engines: &[],
        campaign: true,
        files: &[(
            "examples/targets/qwen3-next-2xb200.yaml",
            "examples/targets/qwen3-next-2xb200.yaml",
        )],
        before: &[],
    },
    Page {
        path: "prompts/campaign.md",
        engines: &[],
        campaign: false,
        files: &[],
        before: &[],
    },
    Page {
        path: "prompts/decide.md",
        engines: &[("ours", "ours"), ("theirs", "theirs")],
        campaign: false,
        files: &[("target.yaml", TARGET)],
        before: &[("", FREEZE), ("", Run("cp chat.jsonl workload.jsonl"))],
    },
    Page {
        path: "prompts/measure.md",
        engines: &[("ours", "ours")],
        campaign: false,
        files: &[],
        before: &[],
    },
    Page {
        path: "skills/engine-sim/SKILL.md",
        engines: &[],
        campaign: false,
        files: &[("traps.json", "skills/engine-sim/SKILL.md#json")],
        before: &[],
    },
    Page {
        path: "skills/gap-decide/SKILL.md",
        engines: &[("ours", "ours"), ("theirs", "theirs"), ("third", "third")],
        campaign: false,
        files: &[("target.yaml", TARGET)],
        before: &[
            ("", FREEZE),
            (
                "",
                Run(
                    "serve-bench freeze --dataset random --num-prompts 8 --input-len 20 --output-len 8 --name summarization --target target.yaml --out summarization.jsonl",
                ),
            ),
            (
                "",
                Run(
                    "serve-bench compare --a http://127.0.0.1:30000 --b http://127.0.0.1:8000 --workload chat.jsonl --concurrency 32 --target target.yaml --blocks 8 -o round0.compare.json",
                ),
            ),
            ("", Run("cp round0.compare.json chat.compare.json")),
            (
                "",
                Run(
                    "serve-bench compare --a http://127.0.0.1:30000 --b http://127.0.0.1:8000 --workload summarization.jsonl --concurrency 32 --target target.yaml --blocks 12 -o summarization.compare.json",
                ),
            ),
            (
                "--ours ours.json",
                Run(
                    "serve-bench run --url http://127.0.0.1:30000 --workload chat.jsonl --concurrency 32 --target target.yaml --repeat 12 -o ours.json",
                ),
            ),
            (
                "--ours ours.json",
                Run(
                    "serve-bench run --url http://127.0.0.1:8000 --workload chat.jsonl --concurrency 32 --target target.yaml --repeat 12 -o vllm.json",
                ),
            ),
            (
                "--ours ours.json",
                Run(
                    "serve-bench run --url @third.url@ --workload chat.jsonl --concurrency 32 --target target.yaml --repeat 12 -o sglang.json",
                ),
            ),
            (
                "aa.compare.json",
                Run(
                    "serve-bench compare --a http://127.0.0.1:30000 --b http://127.0.0.1:30000 --workload chat.jsonl --concurrency 32 --target target.yaml --blocks 8 -o aa.compare.json",
                ),
            ),
            (
                "confirm.compare.json",
                Run(
                    "serve-bench compare --a http://127.0.0.1:30000 --b http://127.0.0.1:8000 --workload chat.jsonl --concurrency 32 --target target.yaml --blocks 2 -o screen.compare.json",
                ),
            ),
            (
                "confirm.compare.json",
                Run("cp round0.compare.json confirm.compare.json"),
            ),
        ],
    },
    Page {
        path: "skills/loop-ledger/SKILL.md",
        engines: &[("ours", "ours"), ("theirs", "theirs")],
        campaign: false,
        files: &[
            ("subject-0.yaml", OURS_0),
            ("theirs-0.yaml", THEIRS_0),
            ("theirs-1.yaml", THEIRS_1),
        ],
        before: &[("", FREEZE), ("round1", Relaunch("ours", "better"))],
    },
    Page {
        path: "skills/capacity-plan/SKILL.md",
        engines: &[("ours", "ours")],
        campaign: false,
        files: &[
            ("target.yaml", TARGET),
            ("server.log", STARTUP),
            ("config.json", QWEN3_8B),
        ],
        before: &[
            ("", FREEZE),
            (
                "--for run.json",
                Run(
                    "serve-bench run --url http://127.0.0.1:30000 --workload chat.jsonl --concurrency 8 --target target.yaml -o run.json",
                ),
            ),
        ],
    },
    Page {
        path: "skills/ncu-digest/SKILL.md",
        engines: &[],
        campaign: false,
        files: &[
            ("base.ncu-rep", "fused_rope_warp"),
            ("cand.ncu-rep", "fused_rope_warp"),
            ("renamed.ncu-rep", "fused_rope_2head"),
        ],
        before: &[],
    },
    Page {
        path: "skills/config-search/SKILL.md",
        engines: &[],
        campaign: false,
        files: &[("plan.yaml", "skills/config-search/SKILL.md#plan.yaml")],
        before: &[],
    },
    Page {
        path: "skills/kernel-gate/SKILL.md",
        engines: &[],
        campaign: false,
        files: &[
            ("workloads.json", WORKLOADS),
            ("results.jsonl", AB),
            ("imported.jsonl", AB),
            ("rerun.jsonl", AGAIN),
            ("aa.jsonl", AA),
            ("dispatch.json", "skills/kernel-gate/SKILL.md#json"),
            ("kernel.cu", "// the candidate\n"),
            ("baseline.cu", "// the baseline\n"),
        ],
        before: &[],
    },
    Page {
        path: "skills/quality-gate/SKILL.md",
        engines: &[("ours", "answers"), ("first", "answers")],
        campaign: false,
        files: &[("suite.jsonl", "examples/quality-gate/suite.jsonl")],
        before: &[(
            "",
            // As many prompts as an interval above 0.9 needs when all of them are answered alike.
            Run(
                "serve-bench freeze --dataset random --num-prompts 60 --input-len 16 --output-len 8 --name chat --out chat.jsonl",
            ),
        )],
    },
    Page {
        path: "skills/pipeline-analysis/SKILL.md",
        engines: &[("ours", "ours")],
        campaign: false,
        files: &[
            ("target.yaml", TARGET),
            ("config.json", r#"{"num_hidden_layers": 10}"#),
            ("ours-TP-0-DECODE.trace.json.gz", TEN_LAYERS),
            ("profile/rank-0.trace.json", TEN_LAYERS),
            ("profile/rank-1.trace.json", TEN_LAYERS),
            ("server.log", "The server is fired up and ready to roll!\n"),
            ("capture.trace.json.gz", TEN_LAYERS_CAPTURED),
        ],
        before: &[
            ("", FREEZE),
            (
                "--for ours.result.json",
                Run(
                    "serve-bench run --url http://127.0.0.1:30000 --workload chat.jsonl --concurrency 8 --target target.yaml -o ours.result.json",
                ),
            ),
        ],
    },
    Page {
        path: "skills/profile-tables/SKILL.md",
        engines: &[("ours", "ours")],
        campaign: false,
        files: &[
            ("target.yaml", TARGET),
            ("ours-TP-0-DECODE.trace.json.gz", STEP),
            ("theirs-TP-0-DECODE.trace.json.gz", THEIR_STEP),
            ("profile/rank-0.trace.json", STEP),
            ("profile/rank-1.trace.json", STEP),
            ("replay.trace.json.gz", REPLAY),
            ("capture.trace.json.gz", STEP),
        ],
        before: &[
            ("", FREEZE),
            (
                "--for ours.result.json",
                Run(
                    "serve-bench run --url http://127.0.0.1:30000 --workload chat.jsonl --concurrency 8 --target target.yaml -o ours.result.json",
                ),
            ),
        ],
    },
    Page {
        path: "skills/redeploy-loop/SKILL.md",
        engines: &[("ours", "ours"), ("first", "third")],
        campaign: false,
        files: &[
            ("history.yaml", HISTORY),
            ("subject-1.yaml", OURS_1),
            ("service.yml", "examples/real-engine/service.yml"),
        ],
        before: &[("round1", Relaunch("ours", "better"))],
    },
    Page {
        path: "skills/serve-bench/SKILL.md",
        engines: &[("ours", "ours"), ("theirs", "theirs")],
        campaign: false,
        files: &[(
            "prompts.jsonl",
            "{\"prompt\": \"Say one word.\", \"output_len\": 4}\n{\"prompt\": \"Say another.\", \"output_len\": 4}\n",
        )],
        before: &[],
    },
    Page {
        path: "skills/sota-campaign/SKILL.md",
        engines: &[("ours", "ours"), ("theirs", "theirs")],
        campaign: false,
        files: &[
            ("history.yaml", HISTORY),
            ("subject-1.yaml", OURS_1),
            ("theirs-0.yaml", THEIRS_0),
            ("theirs-1.yaml", THEIRS_1),
            ("ours.traces/step.trace.json", STEP),
        ],
        before: &[("round1", Relaunch("ours", "better"))],
    },
    Page {
        path: "skills/telemetry-fetch/SKILL.md",
        engines: &[("ours", METRICS)],
        campaign: false,
        files: &[("target.yaml", TARGET)],
        before: &[("", FREEZE)],
    },
    Page {
        path: "skills/sota-campaign/references/why.md",
        engines: &[("ours", "ours"), ("theirs", "theirs")],
        campaign: false,
        files: &[
            ("target.yaml", TARGET),
            ("ours.traces/step.trace.json", TEN_LAYERS),
            ("theirs.traces/step.trace.json", THEIR_TEN_LAYERS),
            ("ours.ncu-rep", "nvjet_tst_64x8"),
            ("config.json", r#"{"num_hidden_layers": 10}"#),
        ],
        before: &[
            ("", FREEZE),
            (
                "ours.tables.json",
                Run(
                    "serve-bench compare --a http://127.0.0.1:30000 --b http://127.0.0.1:8000 --workload chat.jsonl --concurrency 8 --target target.yaml --blocks 2 -o round0.chat.compare.json",
                ),
            ),
        ],
    },
    Page {
        path: "skills/sota-campaign/references/claude-goal.md",
        engines: &[],
        campaign: true,
        files: &[],
        before: &[],
    },
    Page {
        path: "skills/sota-campaign/references/codex-goal.md",
        engines: &[],
        campaign: true,
        files: &[],
        before: &[],
    },
    Page {
        path: "skills/sota-campaign/references/humanize.md",
        engines: &[],
        campaign: true,
        files: &[],
        before: &[
            (
                "humanize contract",
                Run("loop-ledger begin --kind flags --change \"one flag\" --hypothesis \"less overhead\""),
            ),
            (
                "humanize summary",
                Run("loop-ledger end --outcome failed --learned \"it did not start\""),
            ),
        ],
    },
];
