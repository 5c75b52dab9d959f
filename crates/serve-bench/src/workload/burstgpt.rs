//! `burstgpt`: a CSV trace of `Timestamp` (seconds), `Model`, `Request tokens`, `Response tokens`, `Total tokens` and
//! `Log Type` (HPMLL/BurstGPT, releases 1.1 and 2.0; the newer files have `Session ID` and `Elapsed time` between).
//! The trace gives arrivals and lengths; the texts are random words, so requests of one session share nothing.

use std::path::Path;

use contracts::Warning;

use super::compose::{Composer, salt};
use super::draft::Draft;
use super::error::WorkloadError;
use super::lines::Lines;
use super::plan::{MAX_INPUT_LEN, MAX_OUTPUT_LEN, MAX_PROMPTS, ScenarioPlan};
use super::seed::{Purpose, Stream};

const TIMESTAMP: &str = "Timestamp";
const REQUEST: &str = "Request tokens";
const RESPONSE: &str = "Response tokens";

pub(super) fn drafts(
    plan: &ScenarioPlan,
    path: &Path,
    composer: &mut Composer<'_>,
    notes: &mut Vec<Warning>,
) -> Result<Vec<Draft>, WorkloadError> {
    let trace = read(path, plan.num_prompts.unwrap_or(MAX_PROMPTS))?;
    composer.refuse_early(trace.rows.iter().map(|row| row.input_len))?;
    if trace.failed > 0 {
        notes.push(Warning::new(
            "dataset-rows-left-out",
            format!(
                "{} rows of {} without request or response tokens are left out: the trace marks failures so",
                trace.failed,
                path.display()
            ),
        ));
    }
    let mut drafts = Vec::with_capacity(trace.rows.len());
    for (index, row) in trace.rows.into_iter().enumerate() {
        let index = index as u64;
        let mut stream = Stream::new(plan.seed, &plan.scenario, Purpose::Text, index);
        let head = salt(plan.seed, &plan.scenario, 0, index);
        let (text, input_len) = composer.fit(&head, &mut stream, row.input_len)?;
        composer.charge(index, text.len())?;
        drafts.push(Draft {
            input_len: Some(input_len),
            output_len: Some(row.output_len),
            timestamp_ms: Some(row.timestamp_ms),
            line: row.line,
            ..Draft::text(text)
        });
    }
    Ok(drafts)
}

struct Trace {
    rows: Vec<Row>,
    /// Rows of failures: nothing of them can be replayed.
    failed: u64,
}

struct Row {
    line: u64,
    timestamp_ms: f64,
    input_len: u64,
    output_len: u64,
}

/// Places of the columns that are read; the others differ between releases.
struct Columns {
    count: usize,
    timestamp: usize,
    request: usize,
    response: usize,
}

impl Columns {
    fn find(header: &str) -> Result<Columns, String> {
        let names: Vec<&str> = header
            .trim_start_matches('\u{feff}')
            .split(',')
            .map(str::trim)
            .collect();
        let place = |wanted: &str| {
            names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(wanted))
                .ok_or_else(|| {
                    let found = contracts::text::clean(header, 120);
                    format!("the header is `{found}`, without `{wanted}`")
                })
        };
        Ok(Columns {
            count: names.len(),
            timestamp: place(TIMESTAMP)?,
            request: place(REQUEST)?,
            response: place(RESPONSE)?,
        })
    }

    /// Time stamp in milliseconds and both lengths; a length of 0 marks a failure.
    fn read(&self, text: &str) -> Result<(f64, u64, u64), String> {
        let cells: Vec<&str> = text.split(',').map(str::trim).collect();
        if cells.len() != self.count {
            return Err(format!("{} cells under {} columns", cells.len(), self.count));
        }
        let seconds: f64 = cells[self.timestamp]
            .parse()
            .ok()
            .filter(|seconds: &f64| seconds.is_finite())
            .ok_or_else(|| {
                let found = contracts::text::clean(cells[self.timestamp], 40);
                format!("{TIMESTAMP} is `{found}`, not a number of seconds")
            })?;
        Ok((
            seconds * 1e3,
            number(REQUEST, cells[self.request], MAX_INPUT_LEN)?,
            number(RESPONSE, cells[self.response], MAX_OUTPUT_LEN)?,
        ))
    }
}

fn read(path: &Path, most: u64) -> Result<Trace, WorkloadError> {
    let mut lines = Lines::open(path)?;
    let refused = |line: u64, reason: String| WorkloadError::DatasetRow {
        path: path.to_owned(),
        line,
        reason,
    };
    let mut columns: Option<Columns> = None;
    let mut trace = Trace {
        rows: Vec::new(),
        failed: 0,
    };
    while (trace.rows.len() as u64) < most {
        let Some(line) = lines.next_line()? else { break };
        let number = line.number;
        let text = std::str::from_utf8(line.bytes)
            .map_err(|_| refused(number, "not UTF-8".to_owned()))?
            .trim();
        let Some(columns) = &columns else {
            columns = Some(Columns::find(text).map_err(|reason| refused(number, reason))?);
            continue;
        };
        if text.is_empty() {
            continue;
        }
        let (timestamp_ms, input_len, output_len) =
            columns.read(text).map_err(|reason| refused(number, reason))?;
        if input_len == 0 || output_len == 0 {
            trace.failed += 1;
            continue;
        }
        trace.rows.push(Row {
            line: number,
            timestamp_ms,
            input_len,
            output_len,
        });
    }
    if trace.rows.is_empty() {
        let reason = match (columns.is_some(), trace.failed) {
            (false, _) => "no line".to_owned(),
            (true, 0) => "only a header".to_owned(),
            (true, failed) => format!("all {failed} rows are failures"),
        };
        return Err(WorkloadError::DatasetEmpty {
            path: path.to_owned(),
            reason,
        });
    }
    Ok(trace)
}

fn number(name: &str, text: &str, most: u64) -> Result<u64, String> {
    let value: u64 = text.parse().map_err(|_| {
        let shown = contracts::text::clean(text, 40);
        format!("{name} is `{shown}`, not a whole number")
    })?;
    if value > most {
        return Err(format!("{name} is {value}, not within 0 to {most}"));
    }
    Ok(value)
}
