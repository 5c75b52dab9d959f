//! Facts of a capture.

use contracts::ncu_digest::report::Capture;
use contracts::secret::line_redacted;
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use ncu_report::{Form, Report};

use crate::fields;

/// The capture as a document has it; `redacted` says that who and where were taken out of it before.
pub(crate) fn capture(report: &Report, redacted: bool) -> Capture {
    let session = &report.session;
    let word = |text: &Option<String>| text.as_deref().map(|text| clean(text, FOREIGN_TEXT_CAP));
    // Whoever shows where it ran does not show tokens.
    let line = |text: &Option<String>| word(&text.as_deref().map(line_redacted));
    let counters = report
        .kernels
        .iter()
        .filter_map(|kernel| fields::pick(kernel, fields::PASSES));
    let passes = counters.min_by(|a, b| a.value.get().total_cmp(&b.value.get()));
    let recorded = session
        .created_unix_s
        .and_then(|seconds| i64::try_from(seconds).ok());
    let recorded = recorded.filter(|seconds| *seconds > 0);
    Capture {
        form: match report.form {
            Form::Rep => "ncu-rep",
            Form::Repz => "ncu-repz",
            Form::RawCsv => "raw-csv",
            Form::DetailsCsv => "details-csv",
            Form::LiveCsv => "live-csv",
        }
        .to_owned(),
        ncu_version: word(&session.ncu_version),
        cuda_version: word(&session.cuda_version),
        driver_version: word(&session.driver_version),
        gpu: word(&session.gpu),
        cc: word(&session.cc),
        sm_count: session.sm_count,
        clock_control: word(&session.clock_control),
        cache_control: word(&session.cache_control),
        set: word(&session.set),
        passes,
        kernels: report.kernels.len() as u64,
        recorded_at: recorded
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
            .map(|time| time.to_string()),
        redacted,
        host: word(&session.private.host),
        command_line: line(&session.command_line),
        program: word(&session.private.program),
        working_directory: word(&session.private.working_directory),
        environment: line(&session.private.environment),
    }
}
