//! Cost of reading a `/metrics` payload: CPU time, best of many.
//!
//! A payload of 600 lines as an engine writes them, and with `SOTA_LOOP_TEST_DATA=FOLDER` the real ones. Ends with 1 when
//! 600 lines cost more than 0.3 ms.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use engine_client::metrics::parse;
use rustix::time::{ClockId, clock_gettime};

const LIMIT_MS: f64 = 0.3;
const LABELS: &str =
    r#"engine_type="unified",model_name="Qwen/Qwen3-8B",moe_ep_rank="0",pp_rank="0",tp_rank="0""#;

/// Counters, gauges and histograms of 600 lines.
fn payload() -> String {
    let mut text = String::new();
    for metric in 0..20 {
        writeln!(text, "# HELP sglang:counter_{metric}_total Tokens processed.\n# TYPE sglang:counter_{metric}_total counter\nsglang:counter_{metric}_total{{{LABELS}}} 1.79530318675e+09").expect("a string takes any text");
        writeln!(
            text,
            "# HELP sglang:histogram_{metric} Seconds.\n# TYPE sglang:histogram_{metric} histogram"
        )
        .expect("a string takes any text");
        for bucket in 0..23 {
            writeln!(
                text,
                "sglang:histogram_{metric}_bucket{{{LABELS},le=\"{}\"}} {}.0",
                f64::from(bucket) / 8.0,
                bucket * 7
            )
            .expect("a string takes any text");
        }
        writeln!(
            text,
            "sglang:histogram_{metric}_count{{{LABELS}}} 161.0\nsglang:histogram_{metric}_sum{{{LABELS}}} 44.8552289185542"
        )
        .expect("a string takes any text");
    }
    text
}

fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn best_ms(text: &str) -> f64 {
    let time = || {
        let start = cpu_ms();
        std::hint::black_box(parse(std::hint::black_box(text)));
        cpu_ms() - start
    };
    (0..500).map(|_| time()).fold(f64::MAX, f64::min)
}

fn main() -> ExitCode {
    println!("| payload | lines | samples | CPU ms | limit ms |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let row = |name: &str, text: &str, limit: &str| {
        let ms = best_ms(text);
        let samples = parse(text).samples.len();
        println!(
            "| {name} | {} | {samples} | {ms:.4} | {limit} |",
            text.lines().count()
        );
        ms
    };
    let ms = row("600 lines", &payload(), &LIMIT_MS.to_string());
    if let Some(folder) = std::env::var_os("SOTA_LOOP_TEST_DATA") {
        let folder = Path::new(&folder).join("telemetry/prom_text");
        for file in std::fs::read_dir(folder).expect("the folder of payloads") {
            let path = file.expect("an entry").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            row(&name, &std::fs::read_to_string(&path).expect("a payload"), "");
        }
    }
    ExitCode::from(u8::from(ms > LIMIT_MS))
}
