//! Cost of digests: CPU seconds and peak memory of all reports in one process, and the time of the largest report of one
//! kernel. Ends with 1 when a figure is beyond its limit.
//!
//! `SOTA_LOOP_TEST_DATA=… cargo bench -p ncu-digest`

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::Parser as _;

/// CPU seconds of all reports.
const ALL_CPU_S: f64 = 0.3;
/// Peak memory of the process that reads all of them, MB.
const ALL_MB: f64 = 60.0;
/// The report of 1.3 MB, milliseconds, the fastest of some.
const ONE_MS: f64 = 15.0;
/// Its name.
const ONE: &str = "b200_2025.3.1_qknorm_cand_qwen4096_v3_full.ncu-rep";

/// Digests a report; a refusal is an answer, too.
fn digest(path: &Path) {
    let path = path.display().to_string();
    let args = ncu_digest::cli::Args::try_parse_from(["ncu-digest", &path]).expect("the arguments parse");
    drop(std::hint::black_box(ncu_digest::run(args)));
}

/// CPU seconds of this process so far.
fn cpu_s() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Peak memory of this process, MB; 0 where the system does not say.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or_default() * 1024.0 / 1e6
}

fn main() -> ExitCode {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        println!("not run: SOTA_LOOP_TEST_DATA is not set");
        return ExitCode::SUCCESS;
    };
    let folder = PathBuf::from(data).join("ncu/reports");
    let mut reports: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder of reports")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    reports.sort();
    if std::env::var_os("DIGEST_ALL").is_some() {
        let start = cpu_s();
        reports.iter().for_each(|path| digest(path));
        println!("{} {}", cpu_s() - start, peak_mb());
        return ExitCode::SUCCESS;
    }
    let all = Command::new(std::env::current_exe().expect("this executable"))
        .env("DIGEST_ALL", "1")
        .output()
        .expect("this executable starts");
    let text = String::from_utf8_lossy(&all.stdout);
    let mut words = text
        .split_whitespace()
        .map(|word| word.parse::<f64>().expect("a number"));
    let (cpu, memory) = (words.next().expect("CPU"), words.next().expect("memory"));
    let one = folder.join(ONE);
    let times = (0..20).map(|_| {
        let start = Instant::now();
        digest(&one);
        start.elapsed().as_secs_f64() * 1e3
    });
    let fastest = times.fold(f64::INFINITY, f64::min);
    println!(
        "{} reports: {cpu:.3} s of CPU (limit {ALL_CPU_S}), {memory:.1} MB (limit {ALL_MB})",
        reports.len()
    );
    println!("{ONE}: {fastest:.2} ms (limit {ONE_MS})");
    if cpu <= ALL_CPU_S && memory <= ALL_MB && fastest <= ONE_MS {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
