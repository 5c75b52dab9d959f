//! Cost of all tables from large traces: CPU seconds and peak memory, each figure in a process of its own, beside what
//! inflating and a typed parse of the same file cost in the same run.
//!
//! `SOTA_LOOP_TEST_DATA=… cargo bench -p profile-tables`

#[path = "../../torch-trace/benches/large/mod.rs"]
mod large;

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;
use std::process::Command;

use clap::Parser as _;
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

/// What a typed parse reads of an event: the fields that tables need.
#[derive(Deserialize)]
#[expect(dead_code, reason = "parsed for its cost")]
struct Event<'a> {
    #[serde(borrow, default)]
    ph: &'a str,
    #[serde(borrow, default)]
    cat: &'a str,
    #[serde(borrow, default)]
    name: std::borrow::Cow<'a, str>,
    #[serde(default)]
    ts: f64,
    #[serde(default)]
    dur: f64,
    #[serde(borrow, default)]
    args: Option<&'a serde_json::value::RawValue>,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "traceEvents")]
    events: Vec<Event<'a>>,
}

fn inflate(path: &Path) -> String {
    let mut text = String::new();
    let reader = BufReader::new(File::open(path).expect("the file"));
    MultiGzDecoder::new(reader)
        .read_to_string(&mut text)
        .expect("UTF-8");
    text
}

/// One job in this process; prints its CPU seconds and peak memory.
fn job(name: &str, path: &Path) {
    let start = large::cpu_s();
    match name {
        "inflate" => drop(inflate(path)),
        "typed" => {
            let text = inflate(path);
            let typed: Typed<'_> = serde_json::from_str(&text).expect("a trace");
            assert!(!typed.events.is_empty());
        }
        tables => {
            let path = path.display().to_string();
            let words = ["profile-tables", &path, "--tables", tables, "--quiet"];
            let args = profile_tables::cli::Args::parse_from(words);
            let report = profile_tables::run(args).expect("tables");
            assert!(!report.json().is_empty());
        }
    }
    println!("{} {}", large::cpu_s() - start, large::peak_mb());
}

/// The best of three runs: other work only adds.
fn measure(name: &str, path: &Path) -> (f64, f64) {
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..3 {
        let output = Command::new(std::env::current_exe().expect("this bench"))
            .arg("job")
            .arg(name)
            .arg(path)
            .output()
            .expect("the bench starts itself");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut numbers = text
            .split_whitespace()
            .filter_map(|word| word.parse::<f64>().ok());
        let (Some(cpu), Some(peak)) = (numbers.next(), numbers.next()) else {
            panic!("{name}: {}", String::from_utf8_lossy(&output.stderr));
        };
        best = (best.0.min(cpu), best.1.min(peak));
    }
    best
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, job_word, name, path] = words.as_slice()
        && job_word == "job"
    {
        return job(name, Path::new(path));
    }
    println!("| trace | job | CPU s | MB/s | peak MB | limit |");
    println!("| --- | --- | ---: | ---: | ---: | --- |");
    let row = |trace: &str, job: &str, (cpu, peak): (f64, f64), bytes: u64, limit: &str| {
        let rate = bytes as f64 / 1e6 / cpu;
        println!("| {trace} | {job} | {cpu:.3} | {rate:.0} | {peak:.0} | {limit} |");
    };
    let vllm = "vllm_gptoss_B200_tp8_rank0_eager";
    let (path, bytes) = large::replicate(vllm, 14);
    let name = format!("{vllm} x14, {} MB", bytes / 1_000_000);
    row(&name, "inflate", measure("inflate", &path), bytes, "");
    let typed = measure("typed", &path);
    row(&name, "inflate + typed parse", typed, bytes, "");
    let all = measure("all", &path);
    row(
        &name,
        "all tables",
        all,
        bytes,
        "0.9 s, 2x of inflate + typed parse",
    );
    println!(
        "| | ratio to inflate + typed parse | {:.2} | | | 2 |",
        all.0 / typed.0
    );
    row(&name, "kernel table", measure("kernel", &path), bytes, "");

    let owl = "hf_owlv2_large_H100_stacks";
    let (path, bytes) = large::replicate(owl, 4);
    let name = format!("{owl} x4, {} MB", bytes / 1_000_000);
    row(&name, "inflate + typed parse", measure("typed", &path), bytes, "");
    row(&name, "all tables", measure("all", &path), bytes, "");

    let (path, bytes) = large::replicate(vllm, 73);
    let name = format!("{vllm} x73, {} MB", bytes / 1_000_000);
    let half = format!("4.5 s, {} MB", bytes / 2_000_000);
    row(&name, "all tables", measure("all", &path), bytes, &half);
    row(&name, "kernel table", measure("kernel", &path), bytes, "150 MB");
}
