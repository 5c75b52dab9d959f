//! What two sides' answers to the same prompts have in common. Pure.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::quality_gate::agreement::{
    Agreement, AgreementUnit, Alternative, Estimate, PromptAnswer, Prompts, TokenLogprob,
};
use stats::normal::quantile;
use stats::percentile::{nearest_rank, sort};
use stats::{cluster_bootstrap, summary};

use crate::paired;

const CONFIDENCE: f64 = 0.95;
const DRAWS: usize = 400;
/// How often a sample of the proposed size decides.
const POWER: f64 = 0.8;
const MOST_PROMPTS: f64 = 1e6;
/// Least probability that is told from none: below it, what a server rounds is larger.
const LEAST: f64 = 1e-6;

/// Compares answers prompt by prompt; those without an answer on both sides are left out and counted.
pub fn compare(baseline: &Prompts, candidate: &Prompts) -> Agreement {
    let is_whole = |answer: &&PromptAnswer| answer.error.is_none() && answer.text.is_some();
    let others: BTreeMap<&str, &PromptAnswer> = candidate
        .answers
        .iter()
        .filter(is_whole)
        .map(|answer| (answer.prompt.as_str(), answer))
        .collect();
    let pairs: Vec<(&PromptAnswer, &PromptAnswer)> = baseline
        .answers
        .iter()
        .filter(is_whole)
        .filter_map(|answer| Some((answer, *others.get(answer.prompt.as_str())?)))
        .collect();
    let by_tokens = pairs
        .iter()
        .all(|(a, b)| a.tokens.is_some() && b.tokens.is_some());
    let overlaps: Vec<Overlap> = pairs.iter().map(|(a, b)| overlap(a, b, by_tokens)).collect();
    let same = pairs.iter().filter(|(a, b)| a.text == b.text).count() as u64;
    let each = |value: fn(&Overlap) -> Vec<f64>| -> Vec<Vec<f64>> { overlaps.iter().map(value).collect() };
    let diverged: Vec<Vec<f64>> = overlaps
        .iter()
        .filter_map(|one| one.diverges_at.map(|at| vec![float(at)]))
        .collect();
    let deltas = each(|one| one.deltas.clone());
    Agreement {
        prompts: pairs.len() as u64,
        left_out: baseline
            .count
            .max(candidate.count)
            .saturating_sub(pairs.len() as u64),
        same,
        exact: paired::accuracy(same, pairs.len() as u64),
        unit: if by_tokens {
            AgreementUnit::Tokens
        } else {
            AgreementUnit::Characters
        },
        common_prefix_ratio: estimate(&each(|one| vec![one.prefix_ratio]), mean),
        first_divergence: estimate(&diverged, mean),
        earliest_divergence: overlaps.iter().filter_map(|one| one.diverges_at).min(),
        logprob_delta_nats: estimate(&deltas, mean),
        logprob_delta_p99_nats: estimate(&deltas, p99),
        kl_top_nats: estimate(&each(|one| one.divergences.clone()), mean),
    }
}

/// Prompts that would tell the share of equal answers from the limit with a power of 80 %, at the share that was seen.
pub(crate) fn needed_prompts(agreement: &Agreement, at_least: f64) -> Option<u64> {
    // One more of each than was seen: none seen is not none there.
    let share = (float(agreement.same) + 1.0) / (float(agreement.prompts) + 2.0);
    let spread = (quantile(1.0 - (1.0 - CONFIDENCE) / 2.0) + quantile(POWER)).powi(2);
    let needed = spread * share * (1.0 - share) / (share - at_least).powi(2);
    let needed = needed.ceil().max(float(agreement.prompts) + 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and a million"
    )]
    (needed <= MOST_PROMPTS).then_some(needed as u64)
}

/// One prompt, both sides.
struct Overlap {
    prefix_ratio: f64,
    diverges_at: Option<u64>,
    deltas: Vec<f64>,
    divergences: Vec<f64>,
}

fn overlap(a: &PromptAnswer, b: &PromptAnswer, by_tokens: bool) -> Overlap {
    fn tokens(answer: &PromptAnswer) -> &[TokenLogprob] {
        answer.tokens.as_deref().unwrap_or_default()
    }
    let (left, right) = (tokens(a), tokens(b));
    let places = left.iter().zip(right);
    let equal = places.clone().take_while(|(a, b)| a.token == b.token).count();
    let (prefix, longer) = if by_tokens {
        (equal, left.len().max(right.len()))
    } else {
        let chars = |answer: &PromptAnswer| -> Vec<char> {
            answer.text.iter().flat_map(|text| text.chars()).collect()
        };
        let (left, right) = (chars(a), chars(b));
        let prefix = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
        (prefix, left.len().max(right.len()))
    };
    // The place of the first different token still comes after the same text.
    let alike = places.clone().take(equal + 1);
    Overlap {
        prefix_ratio: if longer == 0 {
            1.0
        } else {
            float(prefix as u64) / float(longer as u64)
        },
        diverges_at: (prefix < longer).then_some(prefix as u64),
        deltas: places
            .take(equal)
            .filter_map(|(a, b)| Some((a.logprob?.get() - b.logprob?.get()).abs()))
            .collect(),
        divergences: alike.filter_map(|(a, b)| kl(&a.top, &b.top)).collect(),
    }
}

/// KL divergence of `q` from `p` over the tokens that both list, with all others as one more.
fn kl(p: &[Alternative], q: &[Alternative]) -> Option<f64> {
    if p.is_empty() || q.is_empty() {
        return None;
    }
    let chances = |list: &[Alternative]| -> BTreeMap<String, f64> {
        list.iter()
            .map(|one| (one.token.clone(), one.logprob.get().exp()))
            .collect()
    };
    let (p, q) = (chances(p), chances(q));
    let shared: Vec<(f64, f64)> = p
        .iter()
        .filter_map(|(token, p)| Some((*p, *q.get(token)?)))
        .collect();
    let rest = |mass: f64| (1.0 - mass).max(LEAST);
    let others = (
        rest(shared.iter().map(|(p, _)| p).sum()),
        rest(shared.iter().map(|(_, q)| q).sum()),
    );
    let parts = shared.iter().chain([&others]);
    let sum: f64 = parts.map(|(p, q)| p * (p.max(LEAST) / q.max(LEAST)).ln()).sum();
    Some(sum.max(0.0))
}

fn mean(values: &mut [f64]) -> Option<f64> {
    summary::mean(values)
}

fn p99(values: &mut [f64]) -> Option<f64> {
    sort(values);
    nearest_rank(values, 99.0)
}

fn estimate(groups: &[Vec<f64>], figure: fn(&mut [f64]) -> Option<f64>) -> Option<Estimate> {
    let groups: Vec<Vec<f64>> = groups.iter().filter(|group| !group.is_empty()).cloned().collect();
    let mut all = groups.concat();
    let interval = cluster_bootstrap::interval(&groups, figure, CONFIDENCE, DRAWS, 0);
    Some(Estimate {
        count: all.len() as u64,
        value: Finite::new(figure(&mut all)?)?,
        ci_low: interval.and_then(|(low, _)| Finite::new(low)),
        ci_high: interval.and_then(|(_, high)| Finite::new(high)),
    })
}

#[expect(clippy::cast_precision_loss, reason = "prompts and tokens lie far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(token: &str, logprob: f64, other: f64) -> TokenLogprob {
        let one = |token: &str, logprob| Alternative {
            token: token.to_owned(),
            logprob: Finite::new(logprob).unwrap(),
        };
        TokenLogprob {
            token: token.to_owned(),
            logprob: Finite::new(logprob),
            top: vec![one(token, logprob), one("zzz", other)],
        }
    }

    fn answer(prompt: &str, tokens: &[(&str, f64)]) -> PromptAnswer {
        PromptAnswer {
            prompt: prompt.to_owned(),
            prompt_sha256: String::new(),
            text: Some(tokens.iter().map(|(token, _)| *token).collect()),
            tokens: Some(
                tokens
                    .iter()
                    .map(|(token, logprob)| place(token, *logprob, -3.0))
                    .collect(),
            ),
            input_tokens: None,
            finish_reason: None,
            error: None,
        }
    }

    fn side(answers: Vec<PromptAnswer>) -> Prompts {
        Prompts {
            sha256: String::new(),
            seed: 0,
            max_tokens: 8,
            top_logprobs: 2,
            count: answers.len() as u64,
            answers,
        }
    }

    fn value(found: Option<Estimate>) -> f64 {
        found.unwrap().value.get()
    }

    #[test]
    fn prefixes_divergence_and_drift_are_of_the_same_text_only() {
        let a = side(vec![
            answer("1", &[("a", -0.5), ("b", -0.5), ("c", -0.5), ("d", -0.5)]),
            answer("2", &[("a", -0.2)]),
        ]);
        let b = side(vec![
            // The same two tokens, then others, whose log-probabilities say nothing.
            answer("1", &[("a", -0.6), ("b", -0.8), ("x", -2.5), ("d", -2.5)]),
            answer("2", &[("a", -0.2)]),
        ]);
        let found = compare(&a, &b);
        assert_eq!(
            (found.prompts, found.left_out, found.same, found.unit),
            (2, 0, 1, AgreementUnit::Tokens)
        );
        assert_eq!(value(found.common_prefix_ratio), 0.75);
        assert_eq!(
            (value(found.first_divergence), found.earliest_divergence),
            (2.0, Some(2))
        );
        let delta = found.logprob_delta_nats.unwrap();
        assert_eq!((delta.count, delta.ci_low), (3, None));
        assert!((delta.value.get() - 0.4 / 3.0).abs() < 1e-4);
        assert!((value(found.logprob_delta_p99_nats) - 0.3).abs() < 1e-4);
        assert_eq!(found.kl_top_nats.unwrap().count, 4);
    }

    #[test]
    fn divergence_of_listed_tokens_is_reckoned_with_the_rest_as_one() {
        let list = |a: f64, b: f64| place("a", a.ln(), b.ln()).top;
        // 0.6 ln(0.6/0.5) + 0.3 ln(0.3/0.3) + 0.1 ln(0.1/0.2)
        let found = kl(&list(0.6, 0.3), &list(0.5, 0.3)).unwrap();
        assert!((found - 0.040_078_2).abs() < 1e-6, "{found}");
        assert_eq!(kl(&list(0.6, 0.3), &list(0.6, 0.3)), Some(0.0));
        assert_eq!(kl(&[], &list(0.6, 0.3)), None);
    }

    #[test]
    fn without_tokens_characters_are_counted_and_drift_is_unknown() {
        let plain = |text: &str| PromptAnswer {
            text: Some(text.to_owned()),
            tokens: None,
            ..answer("1", &[])
        };
        let found = compare(&side(vec![plain("été 12")]), &side(vec![plain("été 34")]));
        assert_eq!(
            (found.unit, found.earliest_divergence),
            (AgreementUnit::Characters, Some(4))
        );
        assert_eq!((found.logprob_delta_nats, found.kl_top_nats), (None, None));
        let mut failed = plain("x");
        failed.error = Some("cut".to_owned());
        let found = compare(&side(vec![failed]), &side(vec![plain("x")]));
        assert_eq!((found.prompts, found.left_out, found.exact), (0, 1, None));
    }

    #[test]
    fn nearer_the_limit_more_prompts_are_needed() {
        let of = |same| {
            let answers: Vec<PromptAnswer> = (0..50)
                .map(|at| answer(&at.to_string(), &[("a", -0.1)]))
                .collect();
            let other: Vec<PromptAnswer> = (0..50)
                .map(|at| answer(&at.to_string(), &[(if at < same { "a" } else { "b" }, -0.1)]))
                .collect();
            let found = compare(&side(answers), &side(other));
            assert!(
                value(found.common_prefix_ratio) >= found.common_prefix_ratio.unwrap().ci_low.unwrap().get()
            );
            needed_prompts(&found, 0.9).unwrap()
        };
        assert!(of(44) > of(35) && of(35) > 50, "{} {}", of(44), of(35));
    }
}
