//! What can go wrong before there is a document. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::Exit;
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use ncu_report::ReadError;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DigestError {
    /// The report cannot be read.
    #[error("use {path}: {source}")]
    Report {
        /// File.
        path: String,
        /// Why.
        source: ReadError,
    },
    /// `--kernel` is no regular expression.
    #[error("read --kernel `{}`: it is no regular expression", clean(.0, FOREIGN_TEXT_CAP))]
    Pattern(String),
    /// `--declare` says nothing that is known.
    #[error("read --declare `{}`", clean(.0, FOREIGN_TEXT_CAP))]
    Declare(String),
    /// `--pair` has no two sides.
    #[error("read --pair `{}`", clean(.0, FOREIGN_TEXT_CAP))]
    Pair(String),
    /// No kernel has such a name.
    #[error("find `{}` in {report}", clean(.wanted, FOREIGN_TEXT_CAP))]
    KernelNotFound {
        /// What was asked for.
        wanted: String,
        /// File.
        report: String,
        /// Names that are there.
        names: Vec<String>,
    },
    /// Which kernels belong together is not clear.
    #[error("tell which kernels are compared: {what}")]
    AmbiguousKernel {
        /// In words.
        what: String,
        /// Names of the baseline.
        baseline: Vec<String>,
        /// Names of the candidate.
        candidate: Vec<String>,
    },
    /// Sections that every class needs were not collected.
    #[error("find a class for `{kernel}` in {report}: {} not collected", .sections.join(", "))]
    MissingSection {
        /// File.
        report: String,
        /// Kernel.
        kernel: String,
        /// Sections.
        sections: Vec<&'static str>,
        /// How they are got.
        mend: String,
    },
    /// The capture is not whole.
    #[error(
        "trust {report}: `--set {set}` replays a kernel {seen} times or more, and this one was replayed {passes} times, fewer \
         than {fewest}: the capture was ended early, or sections were left out"
    )]
    FewPasses {
        /// File.
        report: String,
        /// Set.
        set: String,
        /// Passes.
        passes: f64,
        /// Fewest.
        fewest: f64,
        /// Fewest that were seen.
        seen: f64,
        /// What collects it again.
        mend: String,
    },
    /// Only kernels that exchange data between GPUs.
    #[error("judge `{0}`: it exchanges data between GPUs, and counters of a replay say nothing of it")]
    Collective(String),
    /// Only kernels that prepare.
    #[error("find a kernel worth an edit in {report}: {} only warm up, fill or draw random numbers", .names.join(", "))]
    DecoyOnly {
        /// File.
        report: String,
        /// Their names.
        names: Vec<String>,
        /// What collects others.
        collect: String,
    },
    /// Two GPUs.
    #[error("compare two GPUs: {0}")]
    GpuMismatch(String),
    /// Two clock settings.
    #[error("compare `--clock-control {baseline}` with `--clock-control {candidate}`")]
    ClockMismatch {
        /// Of the baseline.
        baseline: String,
        /// Of the candidate.
        candidate: String,
    },
    /// Two sets.
    #[error("compare `--set {baseline}` with `--set {candidate}`")]
    SetMismatch {
        /// Of the baseline.
        baseline: String,
        /// Of the candidate.
        candidate: String,
    },
    /// Not the same work.
    #[error("compare the work of `{kernel}`: {what}")]
    WorkloadMismatch {
        /// Kernel.
        kernel: String,
        /// How they differ.
        what: String,
    },
    /// A side has no duration.
    #[error("find the duration of `{0}`: gpu__time_duration.sum was not collected")]
    NoDuration(String),
    /// Nothing matches.
    #[error("find a metric that matches `{}` in {report}", clean(.pattern, FOREIGN_TEXT_CAP))]
    NoMetric {
        /// Pattern.
        pattern: String,
        /// File.
        report: String,
    },
}

impl ToolError for DigestError {
    fn code(&self) -> &'static str {
        match self {
            Self::Report { source, .. } => source.code(),
            Self::Pattern(_) => "kernel-pattern-malformed",
            Self::Declare(_) => "declaration-unknown",
            Self::Pair(_) => "pair-malformed",
            Self::KernelNotFound { .. } => "kernel-not-found",
            Self::AmbiguousKernel { .. } => "ambiguous-kernel",
            Self::MissingSection { .. } => "missing-section",
            Self::FewPasses { .. } => "few-passes",
            Self::Collective(_) => "collective",
            Self::DecoyOnly { .. } => "decoy-only",
            Self::GpuMismatch(_) => "gpu-mismatch",
            Self::ClockMismatch { .. } => "clock-mismatch",
            Self::SetMismatch { .. } => "set-mismatch",
            Self::WorkloadMismatch { .. } => "workload-mismatch",
            Self::NoDuration(_) => "no-duration",
            Self::NoMetric { .. } => "no-such-metric",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Report { source, .. } => source.hint(),
            Self::Pattern(_) => "quote it, and escape `(`, `<` and `*` with a backslash".to_owned(),
            Self::Declare(_) => "`--declare dtype=bf16,op=matmul,shape=4096x4096`; a type is one of fp64, fp32, tf32, fp16, bf16, fp8, fp6, fp4, int8, int4".to_owned(),
            Self::Pair(_) => "`--pair A=B`: a part of the baseline's name, and of the candidate's".to_owned(),
            Self::KernelNotFound { names, .. } => format!("there are: {}", names.join("; ")),
            Self::AmbiguousKernel { baseline, candidate, .. } => format!(
                "name them with `--pair A=B`; the baseline has: {}; the candidate has: {}",
                baseline.join("; "),
                candidate.join("; ")
            ),
            Self::MissingSection { mend, .. } | Self::FewPasses { mend, .. } => mend.clone(),
            Self::Collective(_) => {
                "profile with one GPU (tp 1), or choose another kernel with --kernel; where time is lost between GPUs, read a trace: `profile-tables`".to_owned()
            }
            Self::DecoyOnly { collect, .. } => format!("name the kernel that matters: {collect}; or take one of them with --kernel"),
            Self::GpuMismatch(_) => "capture both sides on one GPU".to_owned(),
            Self::ClockMismatch { baseline, .. } => {
                format!("capture the candidate again: ncu --clock-control {baseline} --set full -f -o candidate PROGRAM…")
            }
            // The larger set decides more: nobody should collect less.
            Self::SetMismatch { candidate, .. } if candidate == "full" => {
                "capture the baseline again: ncu --set full -f -o baseline PROGRAM…".to_owned()
            }
            Self::SetMismatch { baseline, .. } => {
                format!("capture the candidate again: ncu --set {baseline} -f -o candidate PROGRAM…")
            }
            Self::WorkloadMismatch { .. } => {
                "give both sides the same problem; where a launch of other blocks does the same work, say so with --declare shape=…; choose one of several configurations with --kernel or --pair".to_owned()
            }
            Self::NoDuration(_) => "collect it again: ncu --set full -f -o report PROGRAM…".to_owned(),
            Self::NoMetric { .. } => "`*` stands for any characters: --match '*throughput*'".to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Pattern(_) | Self::Declare(_) | Self::Pair(_) => Exit::Usage,
            _ => Exit::BadInput,
        }
    }
}
