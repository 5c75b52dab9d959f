//! `sharegpt`: a JSON array of `{"conversations": [{"from", "value"}, …]}`.
//!
//! As in vLLM (`vllm/benchmarks/datasets.py`, `ShareGPTDataset` and `is_valid_sequence`): the order is shuffled, the
//! first turn is the prompt, the second the answer whose length is asked for; left out are conversations of fewer
//! than two turns, prompts under 4 or over 1024, answers under 4 (unless a length is given), and pairs over 2048.
//! Unlike there, lengths are in the sizer's unit, and no conversation is sent twice when too few are left: a second
//! sending would hit the prefix cache. With `--turns`, later pairs of a conversation are its later turns.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use contracts::Warning;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::compose::Composer;
use super::draft::{Draft, DraftTurn};
use super::error::WorkloadError;
use super::plan::ScenarioPlan;
use super::seed::{Purpose, Stream};
use super::turns::MOST_TURNS;

/// Largest file; the one in common use has 0.7 GB.
const FILE_CAP: u64 = 4 << 30;
const MIN_LEN: u64 = 4;
const MAX_PROMPT_LEN: u64 = 1024;
const MAX_TOTAL_LEN: u64 = 2048;

#[derive(Deserialize)]
struct Conversation {
    #[serde(default, deserialize_with = "turns", alias = "conversation")]
    conversations: Vec<String>,
}

#[derive(Deserialize)]
struct Turn {
    value: String,
}

/// The first turns; the rest is not kept.
fn turns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Turns;
    impl<'de> Visitor<'de> for Turns {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of turns")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut turns: A) -> Result<Self::Value, A::Error> {
            let mut kept = Vec::new();
            while kept.len() < 2 * MOST_TURNS as usize {
                match turns.next_element::<Turn>()? {
                    Some(turn) => kept.push(turn.value),
                    None => break,
                }
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
    let turns = plan.turns.map_or(1, |turns| turns.most as usize);
    let mut conversations = read(path, 2 * turns)?;
    let found = conversations.len();
    shuffle(
        &mut conversations,
        &mut Stream::new(plan.seed, &plan.scenario, Purpose::Shuffle, 0),
    );
    let most = plan.num_prompts.unwrap_or(u64::MAX);
    let mut left_out = LeftOut::default();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut taken = 0;
    for conversation in conversations {
        if taken >= most {
            break;
        }
        let mut pairs = conversation.chunks_exact(2);
        let Some([prompt, answer]) = pairs.next() else {
            left_out.turns += 1;
            continue;
        };
        let first = measured(composer, prompt, answer, output_len)?;
        if let Some(counter) = first.left_out(output_len, &mut left_out) {
            *counter += 1;
            continue;
        }
        drafts.push(first.draft(composer, drafts.len() as u64, plan.turns.map(|_| taken))?);
        // A later turn that would be left out by itself ends the conversation.
        for pair in pairs {
            let next = measured(composer, &pair[0], &pair[1], output_len)?;
            if next.left_out(output_len, &mut LeftOut::default()).is_some() {
                break;
            }
            drafts.push(next.draft(composer, drafts.len() as u64, Some(taken))?);
        }
        taken += 1;
    }
    if drafts.is_empty() {
        return Err(WorkloadError::DatasetEmpty {
            path: path.to_owned(),
            reason: format!("{found} conversations; {left_out}"),
        });
    }
    if plan.num_prompts.is_some_and(|asked| taken < asked) {
        notes.push(Warning {
            code: "dataset-short".to_owned(),
            message: format!("{taken} of {most}: {found} conversations, {left_out}"),
        });
    }
    Ok(drafts)
}

/// A turn and its recorded answer, with their lengths in the sizer's unit.
struct Pair<'a> {
    prompt: &'a str,
    answer: &'a str,
    prompt_len: u64,
    /// Of the answer that is asked for.
    output_len: u64,
    /// Of the recorded one, where it was counted: that may ask a server.
    answer_len: Option<u64>,
}

fn measured<'a>(
    composer: &mut Composer<'_>,
    prompt: &'a str,
    answer: &'a str,
    asked: Option<u64>,
) -> Result<Pair<'a>, WorkloadError> {
    let prompt_len = composer.count(prompt)?;
    let (output_len, answer_len) = match asked {
        Some(asked) => (asked, None),
        None => {
            let counted = composer.count(answer)?;
            (counted, Some(counted))
        }
    };
    Ok(Pair {
        prompt,
        answer,
        prompt_len,
        output_len,
        answer_len,
    })
}

impl Pair<'_> {
    /// What counts it, when it is left out.
    fn left_out<'l>(&self, asked: Option<u64>, left_out: &'l mut LeftOut) -> Option<&'l mut u64> {
        if self.prompt_len < MIN_LEN {
            Some(&mut left_out.prompt_short)
        } else if asked.is_none() && self.output_len < MIN_LEN {
            Some(&mut left_out.answer_short)
        } else if self.prompt_len > MAX_PROMPT_LEN {
            Some(&mut left_out.prompt_long)
        } else if self.prompt_len + self.output_len > MAX_TOTAL_LEN {
            Some(&mut left_out.pair_long)
        } else {
            None
        }
    }

    fn draft(
        &self,
        composer: &mut Composer<'_>,
        index: u64,
        conversation: Option<u64>,
    ) -> Result<Draft, WorkloadError> {
        composer.charge(index, self.prompt.len())?;
        let turn = match conversation {
            // The history of later turns has the recorded answer, whatever length is asked for.
            Some(conversation) => Some(DraftTurn {
                conversation,
                answer: self.answer.to_owned(),
                answer_len: self.answer_len.map_or_else(|| composer.count(self.answer), Ok)?,
            }),
            None => None,
        };
        Ok(Draft {
            input_len: Some(self.prompt_len),
            output_len: Some(self.output_len),
            turn,
            ..Draft::text(self.prompt.to_owned())
        })
    }
}

fn read(path: &Path, most: usize) -> Result<Vec<Vec<String>>, WorkloadError> {
    let file = File::open(path).map_err(|source| WorkloadError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let mut parser = serde_json::Deserializer::from_reader(BufReader::new(file.take(FILE_CAP)));
    struct Conversations(usize);
    impl<'de> Visitor<'de> for Conversations {
        type Value = Vec<Vec<String>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of conversations")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(row) = rows.next_element::<Conversation>()? {
                let mut turns = row.conversations;
                turns.truncate(self.0);
                turns.shrink_to_fit();
                all.push(turns);
            }
            Ok(all)
        }
    }
    parser
        .deserialize_seq(Conversations(most))
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
