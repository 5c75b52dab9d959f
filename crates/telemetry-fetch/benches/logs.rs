//! Cost of a window of a log of a gigabyte: CPU seconds and peak memory of a process of its own. Ends with 1 when a limit is
//! missed.
//!
//! `cargo bench -p telemetry-fetch --bench logs`

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser as _;

/// Bytes of the log.
const SIZE: u64 = 1 << 30;
/// Most CPU seconds of a window, the file in the page cache.
const LIMIT_S: f64 = 1.0;
/// Most memory: the log is never in it whole.
const LIMIT_MIB: f64 = 64.0;
/// Windows, each of its name: ten minutes in the middle, and the whole log, which is for comparison only.
const WINDOWS: [(&str, &str, &str, bool); 2] = [
    (
        "ten minutes",
        "2026-01-10T12:00:00Z",
        "2026-01-10T12:10:00Z",
        true,
    ),
    ("all of it", "2026-01-01T00:00:00Z", "2026-02-28T00:00:00Z", false),
];

/// A log like SGLang's under load: access lines, some numbers, an error now and then. Made once.
fn log() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("engine-1gib.log");
    if std::fs::metadata(&path).is_ok_and(|file| file.len() >= SIZE) {
        return path;
    }
    let mut file = BufWriter::new(File::create(&path).expect("a file"));
    let (mut written, mut line) = (0_u64, 0_u64);
    while written < SIZE {
        // About six lines a second: a gigabyte is three weeks.
        let second = line / 6;
        let (day, hour, minute, rest) = (
            second / 86_400 + 1,
            second / 3600 % 24,
            second / 60 % 60,
            second % 60,
        );
        let stamp = format!("[2026-01-{day:02} {hour:02}:{minute:02}:{rest:02}");
        let text = match line % 200 {
            0 => format!(
                "{stamp} TP0] Decode batch, #running-req: 12, #token: 5632, token usage: 0.12, cuda graph: True, gen throughput (token/s): 1095.33, #queue-req: 1, \n"
            ),
            50 => format!(
                "{stamp} TP0] Prefill batch, #new-seq: 1, #new-token: 25, #cached-token: 75, token usage: 0.10, #running-req: 3, #queue-req: 4, \n"
            ),
            101 if line % 20_000 == 101 => format!("{stamp} TP0] ValueError: request {line} is too long\n"),
            _ => format!(
                "{stamp}] INFO:     127.0.0.1:{} - \"POST /v1/chat/completions HTTP/1.1\" 200 OK\n",
                30_000 + line % 20_000
            ),
        };
        file.write_all(text.as_bytes()).expect("written");
        written += text.len() as u64;
        line += 1;
    }
    file.flush().expect("written");
    path
}

/// The window in this process; prints its CPU seconds and peak memory.
fn job(path: &str, start: &str, end: &str) {
    let words = [
        "telemetry-fetch",
        "window",
        "--logs",
        path,
        "--log-zone",
        "UTC",
        "--start",
        start,
        "--end",
        end,
        "--quiet",
    ];
    let before = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let report = telemetry_fetch::run(telemetry_fetch::cli::Args::parse_from(words)).expect("a window");
    let after = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    assert!(report.json().contains("running_requests"));
    let spent = (after.tv_sec - before.tv_sec) as f64 + (after.tv_nsec - before.tv_nsec) as f64 / 1e9;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: f64 = peak
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or(f64::NAN);
    println!("{spent} {}", peak / 1024.0);
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, path, start, end] = arguments.as_slice()
        && word == "job"
    {
        job(path, start, end);
        return ExitCode::SUCCESS;
    }
    let path = log().display().to_string();
    let mut is_missed = false;
    for (name, start, end, is_limited) in WINDOWS {
        // The best of three: other work only adds, and the first one warms the cache.
        let best = (0..3).map(|_| {
            let output = Command::new(std::env::current_exe().expect("this bench"))
                .args(["job", &path, start, end])
                .output();
            let text = String::from_utf8(output.expect("this bench runs").stdout).expect("two numbers");
            let mut numbers = text
                .split_whitespace()
                .map(|number| number.parse::<f64>().expect("a number"));
            (numbers.next().expect("seconds"), numbers.next().expect("memory"))
        });
        let (spent, peak) = best
            .reduce(|a, b| (a.0.min(b.0), a.1.min(b.1)))
            .expect("three runs");
        let limit = if is_limited {
            format!("limit {LIMIT_S} s, {LIMIT_MIB} MiB")
        } else {
            "no limit".to_owned()
        };
        println!("log of 1 GiB, {name}: {spent:.3} CPU-s, {peak:.0} MiB ({limit})");
        is_missed |= is_limited && !(spent <= LIMIT_S && peak <= LIMIT_MIB);
    }
    ExitCode::from(u8::from(is_missed))
}
