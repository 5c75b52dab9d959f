//! Cost of reading real reports: CPU seconds, best of five, and the memory that all of them take in one process. Ends
//! with 1 when a limit is missed.
//!
//! `SOTA_LOOP_TEST_DATA=… cargo bench -p ncu-report`

use std::path::PathBuf;
use std::process::ExitCode;

use ncu_report::read_file;

/// All reports read once, kept at the same time: CPU seconds, and the peak of the process in megabytes.
const ALL: (f64, f64) = (0.3, 60.0);

/// The largest report with instances, CPU seconds.
const ONE: f64 = 0.015;

fn main() -> ExitCode {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        println!("bench: NOT RUN, SOTA_LOOP_TEST_DATA names no folder with real reports");
        return ExitCode::SUCCESS;
    };
    let folder = PathBuf::from(data).join("ncu/reports");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of reports")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    // First, so that the peak is that of one round.
    let start = cpu_s();
    let reports: Vec<_> = paths
        .iter()
        .map(|path| read_file(path).expect("a report"))
        .collect();
    let all_s = cpu_s() - start;
    let all_mb = peak_mb();
    let kernels: usize = reports.iter().map(|report| report.kernels.len()).sum();
    drop(reports);
    println!("| step | CPU ms | limit | peak MB | limit |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    println!(
        "| {} reports, {kernels} kernels, kept | {:.1} | {:.0} | {all_mb:.0} | {:.0} |",
        paths.len(),
        all_s * 1e3,
        ALL.0 * 1e3,
        ALL.1
    );
    let vectorize = paths
        .iter()
        .find(|path| path.to_string_lossy().ends_with("07_vectorize.ncu-rep"))
        .expect("the report of 1.3 MB");
    let time = || {
        let start = cpu_s();
        drop(read_file(vectorize).expect("a report"));
        cpu_s() - start
    };
    let one_s = (0..5).map(|_| time()).fold(f64::MAX, f64::min);
    println!(
        "| the report of 1.3 MB, best of five | {:.1} | {:.0} | | |",
        one_s * 1e3,
        ONE * 1e3
    );
    let is_missed = all_s > ALL.0 || all_mb > ALL.1 || one_s > ONE;
    ExitCode::from(u8::from(is_missed))
}

/// CPU seconds that this process has used, user and system.
fn cpu_s() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Most memory that this process has had, megabytes.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok())
        .map_or(f64::NAN, |kilobytes| kilobytes * 1024.0 / 1e6)
}
