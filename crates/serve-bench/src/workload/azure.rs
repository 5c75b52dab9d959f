//! `azure`: a CSV trace of `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure/AzurePublicDataset, 2023 and 2024).
//! The trace gives arrivals and lengths; the texts are random words.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::compose::{Composer, salt};
use super::draft::Draft;
use super::error::WorkloadError;
use super::lines::Lines;
use super::plan::{MAX_INPUT_LEN, MAX_OUTPUT_LEN, MAX_PROMPTS, ScenarioPlan};
use super::seed::{Purpose, Stream};

const HEADER: &str = "TIMESTAMP,ContextTokens,GeneratedTokens";

pub(super) fn drafts(
    plan: &ScenarioPlan,
    path: &Path,
    composer: &mut Composer<'_>,
) -> Result<Vec<Draft>, WorkloadError> {
    let rows = rows(path, plan.num_prompts.unwrap_or(MAX_PROMPTS))?;
    composer.refuse_early(rows.iter().map(|row| row.input_len))?;
    let mut drafts = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
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

struct Row {
    line: u64,
    timestamp_ms: f64,
    input_len: u64,
    output_len: u64,
}

fn rows(path: &Path, most: u64) -> Result<Vec<Row>, WorkloadError> {
    let mut lines = Lines::open(path)?;
    let mut rows: Vec<Row> = Vec::new();
    let mut origin: Option<Timestamp> = None;
    let refused = |line: u64, reason: String| WorkloadError::DatasetRow {
        path: path.to_owned(),
        line,
        reason,
    };
    let mut has_header = false;
    while (rows.len() as u64) < most {
        let Some(line) = lines.next_line()? else { break };
        let number = line.number;
        let text = std::str::from_utf8(line.bytes)
            .map_err(|_| refused(number, "not UTF-8".to_owned()))?
            .trim();
        if number == 1 {
            if !text.trim_start_matches('\u{feff}').eq_ignore_ascii_case(HEADER) {
                let found = contracts::text::clean(text, 80);
                return Err(refused(1, format!("the header is `{found}`, not `{HEADER}`")));
            }
            has_header = true;
            continue;
        }
        if text.is_empty() {
            continue;
        }
        let (at, input_len, output_len) = row(text).map_err(|reason| refused(number, reason))?;
        let since = at.duration_since(*origin.get_or_insert(at));
        rows.push(Row {
            line: number,
            // Exact to the nanosecond for any trace shorter than a hundred days.
            timestamp_ms: since.as_nanos() as f64 / 1e6,
            input_len,
            output_len,
        });
    }
    if rows.is_empty() {
        return Err(WorkloadError::DatasetEmpty {
            path: path.to_owned(),
            reason: if has_header { "only a header" } else { "no line" }.to_owned(),
        });
    }
    Ok(rows)
}

fn row(text: &str) -> Result<(Timestamp, u64, u64), String> {
    let mut cells = text.split(',').map(str::trim);
    let (Some(at), Some(input), Some(output), None) =
        (cells.next(), cells.next(), cells.next(), cells.next())
    else {
        return Err(format!("expected three cells: {HEADER}"));
    };
    Ok((
        timestamp(at)?,
        number("ContextTokens", input, MAX_INPUT_LEN)?,
        number("GeneratedTokens", output, MAX_OUTPUT_LEN)?,
    ))
}

fn timestamp(text: &str) -> Result<Timestamp, String> {
    // The traces of 2024 carry an offset, those of 2023 do not; theirs is taken as UTC, only differences count.
    text.parse::<Timestamp>()
        .or_else(|_| {
            let civil: DateTime = text.parse()?;
            Ok(civil.to_zoned(TimeZone::UTC)?.timestamp())
        })
        .map_err(|_: jiff::Error| {
            format!(
                "`{}` is not a time such as 2023-11-16 18:17:03.9799600",
                contracts::text::clean(text, 40)
            )
        })
}

fn number(name: &str, text: &str, most: u64) -> Result<u64, String> {
    let shown = || contracts::text::clean(text, 40);
    let value: u64 = text
        .parse()
        .map_err(|_| format!("{name} is `{}`, not a whole number", shown()))?;
    if !(1..=most).contains(&value) {
        return Err(format!("{name} is {value}, not within 1 to {most}"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_traces_read_completely() {
        for (name, requests, input, output, last_ms) in [
            ("code", 8_819, 18_059_974, 245_896, 3_435_948.056),
            ("conv", 19_366, 22_361_870, 4_088_665, 3_501_721.937),
        ] {
            let name = format!("AzureLLMInferenceTrace_{name}.csv");
            let root = std::env::var_os("SOTA_LOOP_TEST_DATA").unwrap_or_default();
            let path = Path::new(&root).join("workloads").join(&name);
            if !path.is_file() {
                println!("not run on {name}: SOTA_LOOP_TEST_DATA does not lead to workloads/{name}");
                continue;
            }
            let rows = rows(&path, u64::MAX).unwrap();
            assert_eq!(rows.len(), requests);
            assert_eq!(rows.iter().map(|row| row.input_len).sum::<u64>(), input);
            assert_eq!(rows.iter().map(|row| row.output_len).sum::<u64>(), output);
            assert_eq!(rows.last().unwrap().timestamp_ms, last_ms);
        }
    }
}
