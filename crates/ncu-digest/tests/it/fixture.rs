//! Reports: a kernel of which no rule holds, and changes to it.

use ncu_report::{Kernel, Metric, Report, Rule, RuleKind, Session, Speedup, Value, encode};
use tempfile::TempDir;

/// A kernel with all sections and nothing to change.
pub(crate) fn quiet(name: &str) -> Kernel {
    let lines = include_str!("../fixtures/quiet.txt").lines();
    let metrics = lines.map(|line| {
        let (name, number) = line.split_once(' ').expect("a name and a number");
        (name.to_owned(), metric(number.parse().expect("a number")))
    });
    Kernel {
        function: name.split(['<', '(']).next().unwrap_or_default().to_owned(),
        demangled: name.to_owned(),
        grid: [300, 1, 1],
        block: [256, 1, 1],
        metrics: metrics.collect(),
        // A rule that says nothing of time.
        rules: vec![Rule {
            id: "SOLBottleneck".to_owned(),
            section: "SpeedOfLight".to_owned(),
            title: "High throughput".to_owned(),
            ..Rule::default()
        }],
        ..Kernel::default()
    }
}

fn metric(number: f64) -> Metric {
    Metric {
        value: Some(Value::Real(number)),
        ..Metric::default()
    }
}

/// The kernel with other numbers.
pub(crate) fn with(mut kernel: Kernel, changes: &[(&str, f64)]) -> Kernel {
    for (name, number) in changes {
        kernel.metrics.insert((*name).to_owned(), metric(*number));
    }
    kernel
}

/// The kernel without metrics whose name contains a part.
pub(crate) fn without(mut kernel: Kernel, part: &str) -> Kernel {
    kernel.metrics.retain(|name, _| !name.contains(part));
    kernel
}

/// The kernel with an estimate of a rule.
pub(crate) fn estimated(mut kernel: Kernel, rule: &str, is_global: bool, percent: f64) -> Kernel {
    kernel.rules.push(Rule {
        id: rule.to_owned(),
        section: "SourceCounters".to_owned(),
        title: rule.to_owned(),
        kind: RuleKind::Optimization,
        speedup: Some(Speedup { is_global, percent }),
        ..Rule::default()
    });
    kernel
}

/// A share of a warp's cycles, percent.
pub(crate) fn stall(reason: &str) -> String {
    format!("smsp__average_warps_issue_stalled_{reason}_per_issue_active.ratio")
}

pub(crate) const DURATION: &str = "gpu__time_duration.sum";
pub(crate) const CYCLES: &str = "gpc__cycles_elapsed.max";
pub(crate) const CLOCK: &str = "gpc__cycles_elapsed.avg.per_second";
pub(crate) const SM: &str = "sm__throughput.avg.pct_of_peak_sustained_elapsed";
pub(crate) const MEMORY: &str = "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed";
pub(crate) const DRAM: &str = "gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed";
pub(crate) const WAVES: &str = "launch__waves_per_multiprocessor";
pub(crate) const BYTES: &str = "smsp__sass_average_data_bytes_per_sector_mem_global_op_ld.ratio";
pub(crate) const FP64: &str = "sm__inst_executed_pipe_fp64.avg.pct_of_peak_sustained_active";
pub(crate) const XU: &str = "sm__inst_executed_pipe_xu.avg.pct_of_peak_sustained_active";

/// A capture of one GPU and one command.
pub(crate) fn report(kernels: Vec<Kernel>) -> Report {
    let kernels = kernels.into_iter().enumerate();
    Report {
        session: Session {
            ncu_version: Some("2025.3.1.0".to_owned()),
            cuda_version: Some("13.0".to_owned()),
            gpu: Some("Test GPU".to_owned()),
            cc: Some("9.0".to_owned()),
            sm_count: Some(100),
            created_unix_s: Some(1_700_000_000),
            command_line: Some("/home/ada/ncu --set full -f -o out ./secret_program --token hush".to_owned()),
            private: ncu_report::Private {
                host: Some("node17".to_owned()),
                program: Some("/home/ada/secret_program".to_owned()),
                ..ncu_report::Private::default()
            },
            ..Session::default()
        },
        kernels: kernels
            .map(|(index, kernel)| Kernel { index, ..kernel })
            .collect(),
        ..Report::default()
    }
}

/// Writes a report into a folder, and gives its path.
pub(crate) fn write(folder: &TempDir, name: &str, report: &Report) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, encode(report)).expect("the folder is writable");
    path.display().to_string()
}
