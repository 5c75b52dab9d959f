//! `mooncake`: a JSONL trace of `timestamp` (ms), `input_length`, `output_length` and `hash_ids`
//! (kvcache-ai/Mooncake, FAST25-release/traces). Each hash id stands for a block of 512 tokens; requests whose first
//! ids are equal share that beginning, and so do their prompts here.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::compose::{Composer, salt};
use super::draft::Draft;
use super::error::WorkloadError;
use super::lines::Lines;
use super::plan::{MAX_INPUT_LEN, MAX_OUTPUT_LEN, MAX_PROMPTS, ScenarioPlan};
use super::seed::{Purpose, Stream};

/// Tokens that one hash id stands for.
const BLOCK_LEN: u64 = 512;

#[derive(Debug, Deserialize)]
struct Row {
    timestamp: f64,
    input_length: u64,
    output_length: u64,
    hash_ids: Vec<u64>,
}

impl Row {
    fn check(&self) -> Result<(), String> {
        if !self.timestamp.is_finite() {
            return Err("`timestamp` is not finite".to_owned());
        }
        if !(1..=MAX_INPUT_LEN).contains(&self.input_length) {
            return Err(format!(
                "`input_length` is {}, not within 1 to {MAX_INPUT_LEN}",
                self.input_length
            ));
        }
        if !(1..=MAX_OUTPUT_LEN).contains(&self.output_length) {
            return Err(format!(
                "`output_length` is {}, not within 1 to {MAX_OUTPUT_LEN}",
                self.output_length
            ));
        }
        let blocks = self.input_length.div_ceil(BLOCK_LEN);
        if self.hash_ids.len() as u64 != blocks {
            return Err(format!(
                "{} hash ids for {} tokens, which have {blocks} blocks of {BLOCK_LEN}",
                self.hash_ids.len(),
                self.input_length
            ));
        }
        Ok(())
    }
}

pub(super) fn drafts(
    plan: &ScenarioPlan,
    path: &Path,
    composer: &mut Composer<'_>,
) -> Result<Vec<Draft>, WorkloadError> {
    let rows = rows(path, plan.num_prompts.unwrap_or(MAX_PROMPTS))?;
    composer.refuse_early(rows.iter().map(|(_, row)| row.input_length))?;
    let mut blocks: HashMap<u64, Vec<&'static str>> = HashMap::new();
    let mut drafts: Vec<Draft> = Vec::with_capacity(rows.len());
    for (line, row) in rows {
        let index = drafts.len() as u64;
        let mut head: Vec<&'static str> = Vec::new();
        for id in &row.hash_ids {
            match blocks.get(id) {
                Some(words) => head.extend(words),
                None => {
                    let words = block(plan.seed, *id, composer)?;
                    head.extend(&words);
                    blocks.insert(*id, words);
                }
            }
        }
        let mut stream = Stream::new(plan.seed, &plan.scenario, Purpose::Text, index);
        let (text, input_len) = composer.fit(&head, &mut stream, row.input_length)?;
        composer.charge(index, text.len())?;
        drafts.push(Draft {
            input_len: Some(input_len),
            output_len: Some(row.output_length),
            prefix_group: row.hash_ids.first().copied(),
            timestamp_ms: Some(row.timestamp),
            line,
            ..Draft::text(text)
        });
    }
    Ok(drafts)
}

/// The rows with their lines.
fn rows(path: &Path, most: u64) -> Result<Vec<(u64, Row)>, WorkloadError> {
    let mut lines = Lines::open(path)?;
    let mut rows: Vec<(u64, Row)> = Vec::new();
    while (rows.len() as u64) < most {
        let Some(line) = lines.next_line()? else { break };
        if line.bytes.trim_ascii().is_empty() {
            continue;
        }
        let refused = |reason: String| WorkloadError::DatasetRow {
            path: path.to_owned(),
            line: line.number,
            reason,
        };
        let row: Row = serde_json::from_slice(line.bytes)
            .map_err(|error| refused(contracts::text::clean(&error.to_string(), 200)))?;
        row.check().map_err(refused)?;
        rows.push((line.number, row));
    }
    if rows.is_empty() {
        return Err(WorkloadError::DatasetEmpty {
            path: path.to_owned(),
            reason: "no line".to_owned(),
        });
    }
    Ok(rows)
}

/// The text of a block depends on the seed and the id alone.
fn block(seed: u64, id: u64, composer: &mut Composer<'_>) -> Result<Vec<&'static str>, WorkloadError> {
    let mut stream = Stream::new(seed, "hash_ids", Purpose::Prefix, id);
    let head = salt(seed, "hash_ids", 0, id);
    Ok(composer.fit_words(&head, &mut stream, BLOCK_LEN)?.0)
}
