//! `sharegpt`: a JSON array of `{"conversations": [{"from", "value"}, …]}`.
//!
//! As in vLLM (`vllm/benchmarks/datasets.py`, `ShareGPTDataset` and `is_valid_sequence`): the order is shuffled, the
//! first turn is the prompt, the second the answer whose length is asked for; left out are conversations of fewer
//! than two turns, prompts under 4 or over 1024, answers under 4 (unless a length is given), and pairs over 2048.
//! Unlike there, lengths are in the sizer's unit, and no conversation is sent twice when too few are left: a second
//! sending would hit the prefix cache.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use contracts::Warning;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::compose::Composer;
use super::draft::Draft;
use super::error::WorkloadError;
use super::plan::ScenarioPlan;
use super::seed::{Purpose, Stream};

/// Largest file; the one in common use has 0.7 GB.
const FILE_CAP: u64 = 4 << 30;
const MIN_LEN: u64 = 4;
const MAX_PROMPT_LEN: u64 = 1024;
const MAX_TOTAL_LEN: u64 = 2048;

#[derive(Deserialize)]
struct Conversation {
    #[serde(default, deserialize_with = "first_two", alias = "conversation")]
    conversations: [Option<String>; 2],
}

#[derive(Deserialize)]
struct Turn {
    value: String,
}

/// The first two turns; the rest is not kept.
fn first_two<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[Option<String>; 2], D::Error> {
    struct Turns;
    impl<'de> Visitor<'de> for Turns {
        type Value = [Option<String>; 2];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of turns")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut turns: A) -> Result<Self::Value, A::Error> {
            let mut kept = [None, None];
            for slot in &mut kept {
                *slot = turns.next_element::<Turn>()?.map(|turn| turn.value);
            }
            while turns.next_element::<IgnoredAny>()?.is_some() {}
            Ok(kept)
        }
    }
    deserializer.deserialize_seq(Turns)
}

/// Left out, by reason.
#[derive(Debug, Default)]
struct LeftOut {
    turns: u64,
    prompt_short: u64,
    prompt_long: u64,
    answer_short: u64,
    pair_long: u64,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "left out {} with fewer than two turns, {} prompts under {MIN_LEN}, {} prompts over {MAX_PROMPT_LEN}, \
             {} answers under {MIN_LEN}, {} pairs over {MAX_TOTAL_LEN}",
            self.turns, self.prompt_short, self.prompt_long, self.answer_short, self.pair_long
        )
    }
}

pub(super) fn drafts(
    plan: &ScenarioPlan,
    path: &Path,
    output_len: Option<u64>,
    composer: &mut Composer<'_>,
    notes: &mut Vec<Warning>,
) -> Result<Vec<Draft>, WorkloadError> {
    let mut pairs = read(path)?;
    let found = pairs.len();
    shuffle(
        &mut pairs,
        &mut Stream::new(plan.seed, &plan.scenario, Purpose::Shuffle, 0),
    );
    let most = plan.num_prompts.unwrap_or(u64::MAX);
    let mut left_out = LeftOut::default();
    let mut drafts: Vec<Draft> = Vec::new();
    for pair in pairs {
        if drafts.len() as u64 >= most {
            break;
        }
        let [Some(prompt), Some(answer)] = pair else {
            left_out.turns += 1;
            continue;
        };
        let prompt_len = composer.count(&prompt)?;
        let answer_len = match output_len {
            Some(asked) => asked,
            None => composer.count(&answer)?,
        };
        let reason = if prompt_len < MIN_LEN {
            Some(&mut left_out.prompt_short)
        } else if output_len.is_none() && answer_len < MIN_LEN {
            Some(&mut left_out.answer_short)
        } else if prompt_len > MAX_PROMPT_LEN {
            Some(&mut left_out.prompt_long)
        } else if prompt_len + answer_len > MAX_TOTAL_LEN {
            Some(&mut left_out.pair_long)
        } else {
            None
        };
        if let Some(counter) = reason {
            *counter += 1;
            continue;
        }
        composer.charge(drafts.len() as u64, prompt.len())?;
        drafts.push(Draft {
            input_len: Some(prompt_len),
            output_len: Some(answer_len),
            ..Draft::text(prompt)
        });
    }
    if drafts.is_empty() {
        return Err(WorkloadError::DatasetEmpty {
            path: path.to_owned(),
            reason: format!("{found} conversations; {left_out}"),
        });
    }
    if plan
        .num_prompts
        .is_some_and(|asked| (drafts.len() as u64) < asked)
    {
        notes.push(Warning {
            code: "dataset-short".to_owned(),
            message: format!(
                "{} of {most} requests: {found} conversations, {left_out}",
                drafts.len()
            ),
        });
    }
    Ok(drafts)
}

fn read(path: &Path) -> Result<Vec<[Option<String>; 2]>, WorkloadError> {
    let file = File::open(path).map_err(|source| WorkloadError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let mut parser = serde_json::Deserializer::from_reader(BufReader::new(file.take(FILE_CAP)));
    struct Conversations;
    impl<'de> Visitor<'de> for Conversations {
        type Value = Vec<[Option<String>; 2]>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of conversations")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(row) = rows.next_element::<Conversation>()? {
                all.push(row.conversations);
            }
            Ok(all)
        }
    }
    parser
        .deserialize_seq(Conversations)
        .and_then(|all| parser.end().map(|()| all))
        .map_err(|error| match error.io_error_kind() {
            Some(kind) => WorkloadError::Unreadable {
                path: path.to_owned(),
                source: kind.into(),
            },
            None => WorkloadError::DatasetRow {
                path: path.to_owned(),
                line: error.line() as u64,
                reason: contracts::text::clean(&error.to_string(), 200),
            },
        })
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], stream: &mut Stream) {
    for last in (1..items.len()).rev() {
        let other = stream.between(0, last as u64) as usize;
        items.swap(last, other);
    }
}
