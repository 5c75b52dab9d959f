//! Traces of diffusion: denoise steps are passes, and the fallback to another library is no evidence.

use contracts::Exit;
use tempfile::TempDir;

use crate::model::Trace;
use crate::run::{document, rows, run, warnings};

const BLOCK: [&str; 8] = [
    "layer_norm_modulate_kernel",
    "nvjet_tst_64x64_v_bz_TNT",
    "fmhaSm100fKernel_QkvDense",
    "nvjet_tst_32x64_v_bz_TNN",
    "layer_norm_gate_kernel",
    "nvjet_tst_128x64_v_bz_TNT",
    "gelu_tanh_kernel",
    "nvjet_tst_64x128_v_bz_TNN",
];

fn steps(folder: &TempDir, frame: &str) -> String {
    let mut trace = Trace::new();
    trace.range("python_function", frame, 0, 5000);
    for _ in 0..6 {
        let blocks = BLOCK.repeat(20);
        let names: Vec<&str> = ["patch_embed_kernel", "timestep_embed_kernel"]
            .into_iter()
            .chain(blocks)
            .chain(["unpatchify_kernel", "euler_step_kernel"])
            .collect();
        trace.kernels(&names, 1);
        trace.now += 40;
    }
    trace.write(folder, "a.json")
}

#[test]
fn denoise_steps_are_passes() {
    let folder = TempDir::new().expect("a folder");
    let path = steps(
        &folder,
        "/x/sglang/multimodal_gen/runtime/pipelines_core/stages/denoising.py(9): forward",
    );
    let document = document(&[&path]);
    let passes = rows(&document["data"]["passes"]);
    assert_eq!(passes.len(), 6);
    assert_eq!(passes[2]["note"], "denoise step 3 of 6");
    assert_eq!(passes[2]["layers"], 20);
    assert_eq!(warnings(&document), Vec::<&str>::new());
}

#[test]
fn the_diffusers_backend_is_no_evidence() {
    let folder = TempDir::new().expect("a folder");
    for frame in [
        "/x/sglang/multimodal_gen/runtime/pipelines/diffusers_pipeline.py(80): forward",
        "/x/site-packages/diffusers/pipelines/flux/pipeline_flux.py(900): __call__",
    ] {
        let path = steps(&folder, frame);
        // To look at it is no claim.
        let seen = document(&[&path]);
        assert_eq!(warnings(&seen), ["trace-diffusers-backend"]);
        let failure = run(&[&path, "--for", "ours.result.json"]).expect_err("no evidence");
        assert_eq!(failure.exit, Exit::BadInput);
        assert_eq!(failure.document.code, "trace-diffusers-backend");
        assert!(failure.document.hint.is_some());
        assert!(failure.document.message.contains("diffusers"), "{failure:?}");
    }
    // Its schedulers alone are used by the engine's own pipelines, too.
    let own = steps(
        &folder,
        "/x/site-packages/diffusers/schedulers/scheduling_euler.py(9): step",
    );
    assert_eq!(warnings(&document(&[&own])), Vec::<&str>::new());
}

#[test]
fn a_log_that_shows_the_diffusers_backend_makes_the_trace_no_evidence() {
    let folder = TempDir::new().expect("a folder");
    let path = steps(
        &folder,
        "/x/sglang/multimodal_gen/runtime/pipelines_core/stages/denoising.py(9): forward",
    );
    let write =
        |name: &str, line: &str| crate::run::write(&folder, name, &format!("ready\n{line}\nserving\n"));
    let log = write(
        "fallback.log",
        "[12:00:01] Falling back to diffusers backend for \u{1b}[31mFluxPipeline",
    );
    let failure = run(&[&path, "--log", &log, "--for", "ours.result.json"]).expect_err("no evidence");
    assert_eq!(failure.exit, Exit::BadInput);
    assert_eq!(failure.document.code, "trace-diffusers-backend");
    assert!(failure.document.message.contains("fallback.log"), "{failure:?}");
    assert!(!failure.document.message.contains('\u{1b}'), "{failure:?}");
    let seen = document(&[&path, "--log", &log]);
    assert_eq!(warnings(&seen), ["trace-diffusers-backend"]);
    assert_eq!(seen["inputs"][1]["path"], log);
    // A log of the engine's own pipeline is only named.
    let own = write("own.log", "Using sglang backend: WanPipeline");
    let seen = document(&[&path, "--log", &own]);
    assert_eq!(warnings(&seen), Vec::<&str>::new());
    assert_eq!(seen["inputs"][1]["path"], own);
    let absent = run(&[&path, "--log", "no-such.log"]).expect_err("no log");
    assert_eq!(
        (absent.exit, &absent.document.code[..]),
        (Exit::BadInput, "input-unreadable")
    );
}
