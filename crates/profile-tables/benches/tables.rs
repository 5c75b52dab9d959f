//! Cost of all tables from large traces: CPU seconds and peak memory, each figure in a process of its own, beside what
//! inflating and a typed parse of the same file cost in the same run. Ends with 1 when a figure is beyond its limit.
//!
//! `SOTA_LOOP_TEST_DATA=… cargo bench -p profile-tables`

#[path = "../../torch-trace/benches/large/mod.rs"]
mod large;

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;
use std::process::{Command, ExitCode};

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

/// The table that is printed, and what of it is beyond its limit.
#[derive(Default)]
struct Report {
    missed: Vec<String>,
}

impl Report {
    /// One figure beside its limit, where it has one.
    fn row(&mut self, what: &str, figure: f64, limit: Option<f64>, unit: &str) {
        let digits = if unit == "MB" { 0 } else { 3 };
        let verdict = match limit {
            Some(limit) if figure > limit => {
                self.missed.push(format!("{what}: {figure:.digits$} {unit}"));
                "MISSED"
            }
            Some(_) => "ok",
            None => "",
        };
        let limit = limit.map_or(String::new(), |limit| format!("{limit:.digits$}"));
        println!("| {what} | {figure:.digits$} | {limit} | {unit} | {verdict} |");
    }
}

const MB: f64 = 1e6;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let [_, job_word, name, path] = words.as_slice()
        && job_word == "job"
    {
        job(name, Path::new(path));
        return ExitCode::SUCCESS;
    }
    let vllm = "vllm_gptoss_B200_tp8_rank0_eager";
    let mut report = Report::default();
    println!("| what | figure | limit | unit | |");
    println!("| --- | ---: | ---: | --- | --- |");

    let (path, bytes) = large::replicate(vllm, 14);
    report.row(
        "vllm x14, JSON; 200 MB is asked for",
        bytes as f64 / MB,
        None,
        "MB",
    );
    report.row("vllm x14, inflate", measure("inflate", &path).0, None, "CPU s");
    let typed = measure("typed", &path).0;
    report.row("vllm x14, inflate + typed parse", typed, None, "CPU s");
    let (cpu, peak) = measure("all", &path);
    report.row("vllm x14, all tables; aim 0.55", cpu, Some(0.9), "CPU s");
    report.row(
        "vllm x14, all tables / inflate + typed parse",
        cpu / typed,
        Some(2.0),
        "ratio",
    );
    report.row("vllm x14, all tables", peak, None, "MB");
    report.row(
        "vllm x14, kernel table",
        measure("kernel", &path).0,
        None,
        "CPU s",
    );

    let (path, bytes) = large::replicate("hf_owlv2_large_H100_stacks", 4);
    report.row(
        "owlv2 x4, JSON; 222 MB is asked for",
        bytes as f64 / MB,
        None,
        "MB",
    );
    let typed = measure("typed", &path).0;
    report.row("owlv2 x4, inflate + typed parse", typed, None, "CPU s");
    let (cpu, peak) = measure("all", &path);
    report.row("owlv2 x4, all tables", cpu, None, "CPU s");
    report.row(
        "owlv2 x4, all tables / inflate + typed parse",
        cpu / typed,
        None,
        "ratio",
    );
    report.row("owlv2 x4, all tables", peak, None, "MB");

    let (path, bytes) = large::replicate(vllm, 73);
    report.row(
        "vllm x73, JSON; 1048 MB is asked for",
        bytes as f64 / MB,
        None,
        "MB",
    );
    let (cpu, peak) = measure("all", &path);
    report.row("vllm x73, all tables", cpu, Some(4.5), "CPU s");
    report.row("vllm x73, all tables", peak, Some(bytes as f64 / 2.0 / MB), "MB");
    let (cpu, peak) = measure("kernel", &path);
    report.row("vllm x73, kernel table", cpu, None, "CPU s");
    report.row("vllm x73, kernel table", peak, Some(150.0), "MB");
    if report.missed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("MISSED: {}", report.missed.join("; "));
    ExitCode::FAILURE
}
