//! Answers that have something to say: a suite's questions answered with a given accuracy, all other prompts with words
//! that depend on the prompt and on nothing else, and log-probabilities that add up. Pure; what it knows is read once.

use contracts::Finite;
use contracts::engine_sim::{Answers, Ending, Identity, Meant};
use serde_json::{Value, json};

use super::Plan;
use super::text::WORDS;
use crate::api::Ask;

/// Likeliest a token can be, and least likely: what is left is shared by the alternatives, each below the token itself.
const LOGPROBS: (f64, f64) = (-1.0, -0.01);
/// Fewest tokens of an answer that is no suite's.
const FEWEST_TOKENS: u64 = 24;
/// Most tokens more than that.
const MORE_TOKENS: u64 = 40;

/// Right and wrong answers by question.
#[derive(Clone, Debug, Default)]
pub(crate) struct AnswerBook {
    how: Answers,
    questions: Vec<Question>,
}

#[derive(Clone, Debug)]
struct Question {
    text: String,
    right: String,
    /// None of them is right.
    wrong: Vec<String>,
}

/// What a request says beyond its shape.
#[derive(Debug, Default)]
struct Heard {
    prompt: String,
    temperature: f64,
    seed: u64,
    /// Alternatives of each token; `None` without log-probabilities.
    top: Option<usize>,
}

/// One answer, token by token.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    tokens: Vec<String>,
    /// Logarithm of each token's probability, and the alternatives with theirs.
    chances: Option<Vec<Vec<(String, f64)>>>,
}

impl AnswerBook {
    /// Takes the suite of a script, JSON lines.
    ///
    /// # Errors
    /// The line, from 1, and what is wrong with it.
    pub(crate) fn new(how: Answers, suite: &str) -> Result<AnswerBook, (usize, String)> {
        let lines = suite
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        let read = |(at, line): (usize, &str)| {
            let line: Value = serde_json::from_str(line).map_err(|error| (at + 1, error.to_string()))?;
            question(&line).ok_or((
                at + 1,
                "no `question` with `options` or an `answer` with `#### n`".to_owned(),
            ))
        };
        let questions = lines.map(read).collect::<Result<_, _>>()?;
        Ok(AnswerBook { how, questions })
    }

    /// The answer to a request, and the plan made to fit it.
    pub(crate) fn answer(&self, chat: bool, body: &[u8], ask: &Ask, plan: &mut Plan) -> Said {
        let heard = hear(chat, body);
        let most = ask.max_tokens.map_or(u64::from(u32::MAX), u64::from);
        let mut tokens = self.tokens(&heard, ask.ignore_eos.then_some(most.min(1 << 16)));
        let stopped = tokens.len() as u64 <= most;
        tokens.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        let whole = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        let struck = !matches!(
            plan.ending,
            Ending::Complete | Ending::WithoutDone | Ending::DoneOnly
        );
        plan.tokens = if struck { plan.tokens.min(whole) } else { whole };
        plan.tool_call_from = whole;
        if matches!(plan.finish_reason.as_str(), "stop" | "length") {
            let fits = stopped && (u64::from(whole) < most || !ask.ignore_eos);
            plan.finish_reason = if fits { "stop" } else { "length" }.to_owned();
        }
        if matches!(plan.meant, Meant::Ok | Meant::EarlyStop) {
            let is_early = ask.ignore_eos && u64::from(whole) < most;
            plan.meant = if is_early { Meant::EarlyStop } else { Meant::Ok };
        }
        let chances = heard.top.map(|top| {
            let each = tokens.iter().enumerate();
            each.map(|(at, token)| self.chances(&heard, at, token, top))
                .collect()
        });
        Said { tokens, chances }
    }

    fn tokens(&self, heard: &Heard, length: Option<u64>) -> Vec<String> {
        let changed = self.chance(&["changed", &heard.prompt]) < ratio(self.how.changed_ratio, 0.0);
        let known = self
            .questions
            .iter()
            .find(|known| heard.prompt.starts_with(&known.text));
        if let Some(known) = known {
            let is_right = self.chance(&["right", &known.text]) < ratio(self.how.accuracy_ratio, 1.0);
            let wrong = self.hash(&["wrong", &known.text]) as usize % known.wrong.len();
            let text = if is_right != changed {
                &known.right
            } else {
                &known.wrong[wrong]
            };
            return text.split_inclusive(' ').map(str::to_owned).collect();
        }
        let sampled = if heard.temperature > 0.0 {
            heard.seed.to_string()
        } else {
            String::new()
        };
        let length =
            length.unwrap_or_else(|| FEWEST_TOKENS + self.hash(&["length", &heard.prompt]) % MORE_TOKENS);
        let parts_at = changed.then(|| self.hash(&["part", &heard.prompt]) % length.clamp(1, FEWEST_TOKENS));
        let word = |at: u64| {
            let mut word = self.hash(&["word", &heard.prompt, &sampled, &at.to_string()]) as usize;
            word = word.wrapping_add(usize::from(parts_at.is_some_and(|parts_at| at >= parts_at)));
            format!("{} ", WORDS[word % WORDS.len()])
        };
        (0..length).map(word).collect()
    }

    /// The token and its alternatives, the likeliest first; their probabilities add up to less than 1.
    fn chances(&self, heard: &Heard, at: usize, token: &str, top: usize) -> Vec<(String, f64)> {
        let at = at.to_string();
        let (low, high) = LOGPROBS;
        let own = low + (high - low) * self.chance(&["logprob", &heard.prompt, &at]);
        let drift = self.how.drift_nats.map_or(0.0, Finite::get);
        // Even between twice as far down and up: the drift is the mean of how far.
        let moved = own + drift * (4.0 * self.chance(&["drift", &heard.prompt, &at]) - 2.0);
        let own = moved.clamp(low, high);
        let rest = (1.0 - own.exp()).ln();
        let first = self.hash(&["other", &heard.prompt, &at]) as usize;
        let others = (0..WORDS.len()).map(|other| format!("{} ", WORDS[(first + other) % WORDS.len()]));
        let others = others.filter(|other| other != token);
        let others = (1..top)
            .zip(others)
            .map(|(place, other)| (other, rest - place as f64 * std::f64::consts::LN_2));
        std::iter::once((token.to_owned(), own)).chain(others).collect()
    }

    /// FNV-1a with a last mix, over the seed and the parts: the same on every machine.
    fn hash(&self, parts: &[&str]) -> u64 {
        let seed = self.how.seed.unwrap_or(0).to_le_bytes();
        let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
        let hash = seed
            .into_iter()
            .chain(bytes)
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 33)
    }

    /// Even between 0 and 1.
    fn chance(&self, parts: &[&str]) -> f64 {
        (self.hash(parts) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn ratio(value: Option<Finite>, default: f64) -> f64 {
    value.map_or(default, Finite::get)
}

fn question(line: &Value) -> Option<Question> {
    let text = line
        .get("question")?
        .as_str()
        .filter(|text| !text.trim().is_empty())?;
    let answer = line.get("answer").or_else(|| line.get("answer_index"))?;
    let (right, wrong) = match line
        .get("options")
        .or_else(|| line.get("choices"))
        .and_then(Value::as_array)
    {
        Some(options) if (2..=26).contains(&options.len()) => {
            let letters: Vec<char> = ('A'..='Z').take(options.len()).collect();
            let right = match answer {
                Value::String(letter) => letters
                    .iter()
                    .position(|known| letter.trim() == known.to_string()),
                at => at.as_u64().and_then(|at| usize::try_from(at).ok()),
            };
            let right = *letters.get(right?)?;
            let say = |letter: &char| format!("The answer is ({letter}).");
            let wrong = letters
                .iter()
                .filter(|letter| **letter != right)
                .map(say)
                .collect();
            (say(&right), wrong)
        }
        _ => {
            let answer = answer.as_str()?;
            let (_, number) = answer.rsplit_once("####")?;
            let number: f64 = number.trim().replace([',', '$'], "").parse().ok()?;
            let wrong = [1.0, 2.0, 10.0].map(|more| format!("Counted anew. #### {}", number + more));
            (answer.to_owned(), wrong.to_vec())
        }
    };
    Some(Question {
        text: text.to_owned(),
        right,
        wrong,
    })
}

/// Reads what the shape of an answer does not need; what is not there is not there.
fn hear(chat: bool, body: &[u8]) -> Heard {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = match chat {
        true => body["messages"]
            .as_array()
            .and_then(|all| all.last())
            .map(|last| &last["content"]),
        false => Some(&body["prompt"]),
    };
    let prompt = said.map_or_else(String::new, |said| match said {
        Value::String(text) => text.clone(),
        Value::Array(parts) if parts.iter().all(|part| part["text"].is_string()) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect()
        }
        other => other.to_string(),
    });
    let top = match (chat, &body["logprobs"]) {
        (true, Value::Bool(true)) => Some(body["top_logprobs"].as_u64().unwrap_or(0)),
        (false, Value::Number(top)) => top.as_u64(),
        _ => None,
    };
    Heard {
        prompt,
        temperature: body["temperature"].as_f64().unwrap_or(1.0),
        seed: body["seed"].as_u64().unwrap_or(0),
        top: top.map(|top| usize::try_from(top.min(20)).unwrap_or(20)),
    }
}

impl Said {
    /// The text of some of its tokens.
    pub(super) fn text(&self, from: u32, to: u32) -> String {
        self.tokens[self.range(from, to)].concat()
    }

    /// `logprobs` of some of its tokens as the engine writes them; null where none were asked for.
    pub(super) fn logprobs(&self, chat: bool, identity: Identity, from: u32, to: u32) -> Value {
        let Some(chances) = &self.chances else {
            return Value::Null;
        };
        let chances = &chances[self.range(from, to)];
        let one = |(token, logprob): &(String, f64)| json!({"token": token, "bytes": token.as_bytes(), "logprob": logprob});
        // llama.cpp's server has one layout for both endpoints.
        if chat || identity == Identity::LlamaCpp {
            let content = chances.iter().map(|all| {
                let mut place = one(&all[0]);
                place["top_logprobs"] = all.iter().map(one).collect();
                place
            });
            return json!({ "content": content.collect::<Vec<_>>() });
        }
        json!({
            "tokens": chances.iter().map(|all| &all[0].0).collect::<Vec<_>>(),
            "token_logprobs": chances.iter().map(|all| all[0].1).collect::<Vec<_>>(),
            "top_logprobs": chances.iter().map(|all| all.iter().cloned().collect()).collect::<Vec<Value>>(),
            "text_offset": null,
        })
    }

    fn range(&self, from: u32, to: u32) -> std::ops::Range<usize> {
        let end = (to as usize).min(self.tokens.len());
        (from as usize).min(end)..end
    }
}
