//! Whether the answers are the engine's own: fixed probes beside the suite, and what the answers to the suite show together.

use std::collections::BTreeSet;

use contracts::quality_gate::result::{Check, CheckStatus, Item};

use crate::ask::{Asker, Reply};
use crate::watch_net::Outside;

/// Prompts to which no two answers of a model are the same text.
const PROBES: [&str; 4] = [
    "Name three animals that live in the sea, in one sentence.",
    "Explain in one sentence why bread rises in the oven.",
    "Describe a bicycle in one sentence, for a child.",
    "Écrivez une phrase sur la pluie à Paris — 雨, дождь.",
];
const PROBE_TOKENS: u64 = 64;
/// Fewest letters that can show an answer that never changes.
const FEWEST_LETTERS: usize = 12;
/// Fewest tokens of an answer whose speed means anything.
const FEWEST_TOKENS: u64 = 16;

/// What the probes brought.
pub(crate) struct Probed {
    pub(crate) first: Vec<Reply>,
    again: Reply,
    seeds: [Reply; 2],
}

/// Sends the probes one after another: nothing else is in the batch.
pub(crate) async fn probe(asker: &Asker) -> Probed {
    // A text that ends answers of the suite may end these before they begin.
    let mut asker = asker.clone();
    asker.settings.stop.clear();
    let seed = asker.settings.seed;
    let mut first = Vec::new();
    for prompt in PROBES {
        first.push(asker.ask(prompt, 0.0, seed, PROBE_TOKENS).await);
    }
    let again = asker.ask(PROBES[0], 0.0, seed, PROBE_TOKENS).await;
    let warm = |seed| asker.ask(PROBES[1], 1.5, seed, PROBE_TOKENS);
    let seeds = [warm(seed.wrapping_add(1)).await, warm(seed.wrapping_add(2)).await];
    Probed { first, again, seeds }
}

impl Probed {
    /// Tokens of each probe prompt; `None` unless the server counts all of them.
    pub(crate) fn tokens(&self) -> Option<Vec<u64>> {
        self.first.iter().map(|reply| reply.input_tokens).collect()
    }
}

/// What of the suite's replies the checks look at.
#[derive(Default)]
pub(crate) struct Seen {
    /// Names that answers say they are from.
    pub(crate) models: BTreeSet<String>,
    /// Fastest answer, tokens a second.
    pub(crate) fastest_tps: Option<f64>,
}

impl Seen {
    pub(crate) fn add(&mut self, reply: &Reply) {
        self.models.extend(reply.model.clone());
        let tokens = reply.output_tokens.filter(|tokens| *tokens >= FEWEST_TOKENS);
        if let Some(tokens) = tokens.filter(|_| reply.seconds > 0.0) {
            #[expect(clippy::cast_precision_loss, reason = "tokens of one answer")]
            let tps = tokens as f64 / reply.seconds;
            self.fastest_tps = Some(self.fastest_tps.map_or(tps, |fastest| fastest.max(tps)));
        }
    }
}

/// All checks of a run.
pub(crate) fn all(
    served: &str,
    probed: &Probed,
    seen: &Seen,
    items: &[Item],
    max_tps: u32,
    outside: Option<&Outside>,
) -> Vec<Check> {
    vec![
        served_model(served, &seen.models),
        distinct(&probed.first),
        constant(items),
        repeats(&probed.first[0], &probed.again),
        seeds(&probed.seeds),
        speed(seen.fastest_tps, max_tps),
        connections(outside),
    ]
}

/// A check by its parts.
pub(crate) fn check(name: &str, outcome: Option<bool>, evidence: String) -> Check {
    let status = match outcome {
        Some(true) => CheckStatus::Pass,
        Some(false) => CheckStatus::Fail,
        None => CheckStatus::Unknown,
    };
    Check {
        name: name.to_owned(),
        status,
        evidence,
    }
}

fn served_model(served: &str, models: &BTreeSet<String>) -> Check {
    let other: Vec<&str> = models
        .iter()
        .map(String::as_str)
        .filter(|name| *name != served)
        .collect();
    let outcome = (!models.is_empty()).then_some(other.is_empty());
    let evidence = match outcome {
        None => "no answer says which model it is from".to_owned(),
        Some(true) => format!("all answers are from `{served}`"),
        Some(false) => format!("asked for `{served}`, answers are from `{}`", other.join("`, `")),
    };
    check("served-model", outcome, evidence)
}

fn distinct(replies: &[Reply]) -> Check {
    let texts: Option<Vec<&str>> = replies.iter().map(|reply| reply.text.as_deref()).collect();
    let Some(texts) = texts else {
        return check("prompt-dependence", None, "a probe has no answer".to_owned());
    };
    let different = texts
        .iter()
        .map(|text| text.trim())
        .collect::<BTreeSet<_>>()
        .len();
    let evidence = format!(
        "{different} different answers to {} different prompts",
        texts.len()
    );
    check("prompt-dependence", Some(different == texts.len()), evidence)
}

/// One letter for every question, where the questions have several.
fn constant(items: &[Item]) -> Check {
    let is_letter = |item: &&Item| item.expected.chars().all(char::is_alphabetic) && item.error.is_none();
    let letters: Vec<&Item> = items.iter().filter(is_letter).collect();
    let expected = letters
        .iter()
        .map(|item| &item.expected)
        .collect::<BTreeSet<_>>()
        .len();
    if letters.len() < FEWEST_LETTERS || expected < 3 {
        let evidence = format!(
            "{} answered questions with {expected} right letters; {FEWEST_LETTERS} with 3 would show it",
            letters.len()
        );
        return check("answers-vary", None, evidence);
    }
    let given = letters
        .iter()
        .map(|item| &item.answer)
        .collect::<BTreeSet<_>>()
        .len();
    let evidence = format!(
        "{given} different answers to {} questions with {expected} right letters",
        letters.len()
    );
    check("answers-vary", Some(given > 1), evidence)
}

fn repeats(first: &Reply, again: &Reply) -> Check {
    let outcome = first.text.as_ref().zip(again.text.as_ref()).map(|(a, b)| a == b);
    let evidence = match outcome {
        None => "a probe has no answer".to_owned(),
        Some(true) => "one prompt, greedily, twice: the same text".to_owned(),
        Some(false) => "one prompt, greedily, twice: two texts".to_owned(),
    };
    check("greedy-repeats", outcome, evidence)
}

fn seeds(replies: &[Reply; 2]) -> Check {
    let [a, b] = replies;
    let outcome = a.text.as_ref().zip(b.text.as_ref()).map(|(a, b)| a != b);
    let evidence = match outcome {
        None => "a probe has no answer".to_owned(),
        Some(true) => "temperature 1.5, two seeds: two texts".to_owned(),
        Some(false) => "temperature 1.5, two seeds: the same text".to_owned(),
    };
    check("seed-sensitivity", outcome, evidence)
}

fn speed(fastest: Option<f64>, bound: u32) -> Check {
    let outcome = fastest.map(|tps| tps <= f64::from(bound));
    let evidence = match fastest {
        None => format!("no answer has {FEWEST_TOKENS} counted tokens"),
        Some(tps) => format!("the fastest answer has {tps:.0} tokens a second; the bound is {bound}"),
    };
    check("possible-speed", outcome, evidence)
}

fn connections(outside: Option<&Outside>) -> Check {
    let name = "no-outside-connections";
    let Some(Outside {
        pid,
        looks,
        addresses,
    }) = outside
    else {
        return check(name, None, "no --pid of the server was given".to_owned());
    };
    if *looks == 0 {
        return check(name, None, format!("/proc/{pid} cannot be read"));
    }
    if addresses.is_empty() {
        return check(
            name,
            Some(true),
            format!("process {pid} had none at {looks} looks"),
        );
    }
    let found: Vec<String> = addresses.iter().take(8).map(ToString::to_string).collect();
    check(
        name,
        Some(false),
        format!("process {pid} was connected to {}", found.join(", ")),
    )
}
