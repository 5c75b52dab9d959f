//! Reports of the examples, which the encoder writes. That of the offline campaign: engine-sim has no counters, so it is what a
//! projection of its decode steps would show, weights read once, at the roof of the memory. Those of the README: a kernel whose
//! loads are scattered, and the same after they were put side by side.

use std::path::{Path, PathBuf};

use ncu_report::{Kernel, Report, Session, encode};

use crate::fixture::{BYTES, CYCLES, DRAM, DURATION, MEMORY, SM, WAVES, quiet, report, stall, with};
use crate::run;

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/sota-loop-offline/decode.ncu-rep"
);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const L1: &str = "l1tex__throughput.avg.pct_of_peak_sustained_active";
const L2: &str = "lts__throughput.avg.pct_of_peak_sustained_elapsed";
const DRAM_RATE: &str = "dram__bytes.sum.per_second";
const SECTORS: &str = "l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum";

/// Both sides of the README's pair, by their files.
fn pair() -> [(&'static str, Report); 2] {
    let took = |name: &str, ns: f64, numbers: &[(&str, f64)]| {
        let time = [(DURATION, ns), (CYCLES, ns * 1.5)];
        with(with(quiet(name), &time), numbers)
    };
    let warm_up = |ns: f64| Kernel {
        grid: [1, 1, 1],
        ..took("warm_up(float *)", ns, &[(WAVES, 0.01), (SM, 1.0), (MEMORY, 1.0)])
    };
    let scattered = took(
        "void scale_rows<float>(const float *, float *, int)",
        182_400.0,
        &[
            (BYTES, 4.0),
            (SECTORS, 32_000.0),
            (SM, 91.2),
            (MEMORY, 91.2),
            (L1, 92.0),
            (L2, 44.0),
            (DRAM, 30.1),
            (stall("long_scoreboard").as_str(), 5.5),
        ],
    );
    let side_by_side = took(
        "void scale_rows<float>(const float *, float *, int)",
        61_200.0,
        &[
            (SM, 34.0),
            (MEMORY, 89.7),
            (L1, 41.0),
            (L2, 48.0),
            (DRAM, 89.7),
            (DRAM_RATE, 1.49e12),
            (stall("long_scoreboard").as_str(), 5.1),
        ],
    );
    let of = |kernels: Vec<Kernel>| Report {
        session: Session {
            ncu_version: Some("2025.3.1.0".to_owned()),
            cuda_version: Some("13.0".to_owned()),
            gpu: Some("A GPU (simulated)".to_owned()),
            cc: Some("9.0".to_owned()),
            sm_count: Some(100),
            command_line: Some("ncu --set full --clock-control base -o base ./scale".to_owned()),
            ..Session::default()
        },
        ..report(kernels)
    };
    [
        ("base.ncu-rep", of(vec![warm_up(2_000.0), scattered])),
        ("cand.ncu-rep", of(vec![warm_up(2_030.0), side_by_side])),
    ]
}

#[test]
fn the_pair_of_the_readme_is_what_the_encoder_writes() {
    for (name, report) in pair() {
        let path = root().join("examples/ncu-digest").join(name);
        let bytes = encode(&report);
        if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            std::fs::write(&path, &bytes).expect("the folder is writable");
        }
        assert!(
            std::fs::read(&path).unwrap_or_default() == bytes,
            "run: UPDATE_EXAMPLES=1 cargo test -p ncu-digest --test it example"
        );
    }
}

/// What the README shows is what its commands print; `…` stands for lines that are left out.
#[test]
fn the_readme_shows_what_is_printed() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let (_, section) = text.split_once("### ncu-digest\n").expect("its section");
    let (_, block) = section.split_once("```console\n").expect("its commands");
    let (block, _) = block.split_once("```").expect("their end");
    let mut commands = 0;
    for one in block.split("$ ncu-digest ").skip(1) {
        let (command, shown) = one.split_once('\n').expect("a command is a line");
        let words: Vec<String> = command
            .replace('\'', "")
            .split_whitespace()
            .map(|word| match word.strip_prefix("examples/") {
                Some(path) => root().join("examples").join(path).display().to_string(),
                None => word.to_owned(),
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let page = run::run(&words).expect("a page").view().to_terminal();
        run::document(&words);
        for part in shown.split("…\n").filter(|part| !part.trim().is_empty()) {
            assert!(
                page.contains(part.trim_end()),
                "{command} prints:\n{page}\nthe README shows:\n{part}"
            );
        }
        commands += 1;
    }
    assert_eq!(commands, 3);
}

fn decode() -> Report {
    let numbers = [
        ("gpu__time_duration.sum", 21_504.0),
        ("gpc__cycles_elapsed.max", 32_256.0),
        (SM, 21.4),
        (MEMORY, 87.6),
        (DRAM, 87.6),
        ("lts__throughput.avg.pct_of_peak_sustained_elapsed", 44.2),
        ("l1tex__throughput.avg.pct_of_peak_sustained_active", 31.9),
        (
            "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active",
            12.3,
        ),
        ("sm__pipe_fma_cycles_active.avg.pct_of_peak_sustained_active", 1.1),
        ("smsp__inst_executed.sum", 901_120.0),
    ];
    let kernel = with(quiet("nvjet_tst_64x8_64x16_4x1_v_bz_TNT"), &numbers);
    let mut report = report(vec![kernel]);
    report.session = Session {
        ncu_version: Some("2025.3.1.0".to_owned()),
        cuda_version: Some("13.0".to_owned()),
        gpu: Some("NVIDIA H100 80GB HBM3 (simulated)".to_owned()),
        cc: Some("9.0".to_owned()),
        sm_count: Some(132),
        command_line: Some("ncu --set full --clock-control base -o decode engine-sim".to_owned()),
        ..Session::default()
    };
    report
}

/// `UPDATE_EXAMPLES=1` writes it.
#[test]
fn the_report_of_the_offline_campaign_is_what_the_encoder_writes() {
    let bytes = encode(&decode());
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        std::fs::write(PATH, &bytes).expect("the folder is writable");
    }
    let stored = std::fs::read(PATH).unwrap_or_default();
    assert!(
        stored == bytes,
        "run: UPDATE_EXAMPLES=1 cargo test -p ncu-digest --test it example"
    );
}

#[test]
fn it_says_that_it_is_simulated() {
    assert!(Path::new(PATH).exists(), "it is part of the repository");
    let document = run::document(&[PATH, "--declare", "dtype=bf16,op=matmul"]);
    assert_eq!(document["simulated"], true);
    assert_eq!(document["data"]["next_edit"]["id"], "E13");
    assert_eq!(document["data"]["kernels"][0]["bound"], "memory");
    assert_eq!(document["data"]["kernels"][0]["missing"], serde_json::json!([]));
}
