//! A file to its kernels: read, redacted unless asked otherwise, and narrowed to those that were asked for.

use std::path::Path;

use cli_kit::Failure;
use contracts::ncu_digest::kernel::Kernel;
use contracts::ncu_digest::report::Capture;
use contracts::{Input, Warning};
use ncu_report::{Limits, Report};
use regex::{Regex, RegexBuilder};

use crate::error::DigestError;
use crate::{capture, kernel, names};

/// Names that a message lists.
const NAMES: usize = 12;
/// Defects of a file that a document lists; the rest is counted.
const DEFECTS: usize = 5;

/// A capture with its kernels.
pub(crate) struct Side {
    pub(crate) report: Report,
    pub(crate) input: Input,
    pub(crate) capture: Capture,
    /// Kernels that were asked for, in the order of the report.
    pub(crate) kernels: Vec<Kernel>,
}

impl Side {
    /// Reads a report.
    ///
    /// # Errors
    /// What is wrong with the file, and no kernel of the pattern.
    pub(crate) fn read(path: &Path, pattern: Option<&Regex>, no_redact: bool) -> Result<Side, Failure> {
        let (report, input) = report(path, no_redact)?;
        let kernels = wanted(&report, pattern, &input.path)?;
        let kernels: Vec<Kernel> = kernels.into_iter().map(kernel::kernel).collect();
        Ok(Side {
            capture: capture::capture(&report, !no_redact),
            report,
            input,
            kernels,
        })
    }

    /// Whether no GPU was measured: examples say so in the name of theirs.
    pub(crate) fn is_simulated(&self) -> bool {
        let gpu = self.report.session.gpu.as_deref();
        gpu.is_some_and(|gpu| gpu.ends_with("(simulated)"))
    }

    /// The kernel as the report has it.
    pub(crate) fn raw(&self, kernel: &Kernel) -> &ncu_report::Kernel {
        let mut all = self.report.kernels.iter();
        all.find(|raw| raw.index as u64 == kernel.index)
            .expect("a kernel of the digest is one of the report")
    }

    /// What was wrong with the file and could be read past.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        warnings(&self.report, &self.input.path)
    }
}

/// The kernels that a pattern finds, all without one.
///
/// # Errors
/// It finds none.
pub(crate) fn wanted<'a>(
    report: &'a Report,
    pattern: Option<&Regex>,
    path: &str,
) -> Result<Vec<&'a ncu_report::Kernel>, DigestError> {
    let kernels = report.kernels.iter();
    let kernels = kernels.filter(|raw| pattern.is_none_or(|pattern| names::matches(raw, pattern)));
    let kernels: Vec<_> = kernels.collect();
    match pattern {
        Some(pattern) if kernels.is_empty() => Err(DigestError::KernelNotFound {
            wanted: pattern.to_string(),
            report: path.to_owned(),
            names: listed(report.kernels.iter().map(names::key)),
        }),
        _ => Ok(kernels),
    }
}

/// Reads and redacts.
pub(crate) fn report(path: &Path, no_redact: bool) -> Result<(Report, Input), Failure> {
    let limits = Limits::default();
    let bytes = cli_kit::read_bounded(path, limits.file_bytes)?;
    let input = cli_kit::input_of(path, &bytes);
    let mut report = ncu_report::read(&bytes, limits).map_err(|source| DigestError::Report {
        path: input.path.clone(),
        source,
    })?;
    if !no_redact {
        ncu_report::redact(&mut report);
    }
    Ok((report, input))
}

/// What was wrong with a file, a few of many.
pub(crate) fn warnings(report: &Report, path: &str) -> Vec<Warning> {
    let all = &report.warnings;
    let mut list: Vec<Warning> = all
        .iter()
        .take(DEFECTS)
        .map(|warning| Warning::new(warning.code, format!("{path}: {}", warning.message)))
        .collect();
    if let Some(more) = all.len().checked_sub(DEFECTS).filter(|more| *more > 0) {
        list.push(Warning::new(
            "more-defects",
            format!("{path}: {more} more of this kind"),
        ));
    }
    list
}

/// `--kernel`.
///
/// # Errors
/// No regular expression, or one that takes more than a megabyte.
pub(crate) fn pattern(text: Option<&str>) -> Result<Option<Regex>, DigestError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let regex = RegexBuilder::new(text).size_limit(1 << 20).build();
    regex.map(Some).map_err(|_| DigestError::Pattern(text.to_owned()))
}

/// Different names for a message, in their order, a few of many.
pub(crate) fn listed(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for name in names {
        let name = contracts::text::clean(&name, 120);
        if list.contains(&name) {
            continue;
        }
        if list.len() == NAMES {
            list.push("…".to_owned());
            break;
        }
        list.push(name);
    }
    list
}
