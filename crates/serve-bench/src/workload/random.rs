//! `random`: prompts of common words with lengths that are fixed or uniform over [(1 - spread) L, L].

use std::collections::BTreeMap;

use super::compose::{Composer, salt};
use super::draft::{Draft, DraftTurn};
use super::error::WorkloadError;
use super::plan::{RandomPlan, ScenarioPlan, Shape};
use super::seed::{Purpose, Stream};

/// Requests when no number is asked for.
const DEFAULT_PROMPTS: u64 = 80;

/// Salts of requests and of prefixes come from different streams.
const REQUEST_SALT: u64 = 0;
const PREFIX_SALT: u64 = 1;

pub(super) fn drafts(
    plan: &ScenarioPlan,
    random: &RandomPlan,
    composer: &mut Composer<'_>,
) -> Result<Vec<Draft>, WorkloadError> {
    random.check()?;
    let turns = plan.turns.map_or(1, |turns| u64::from(turns.most));
    let count = plan.num_prompts.unwrap_or(DEFAULT_PROMPTS).saturating_mul(turns);
    let shortest = random
        .shapes
        .iter()
        .map(|shape| random.shortest(shape.input_len))
        .min();
    composer.refuse_early((0..count).map(|_| shortest.unwrap_or(1)))?;
    let mut prefixes: BTreeMap<u64, Vec<&'static str>> = BTreeMap::new();
    let mut drafts = Vec::new();
    for index in 0..count {
        let mut lengths = Stream::new(plan.seed, &plan.scenario, Purpose::Lengths, index);
        let shape = draw_shape(&random.shapes, &mut lengths);
        let input_len = lengths.between(random.shortest(shape.input_len), shape.input_len);
        let output_len = lengths.between(random.shortest(shape.output_len), shape.output_len);

        let group = (random.prefix_groups > 0).then(|| index % random.prefix_groups);
        let mut head = match group {
            None => Vec::new(),
            Some(group) => match prefixes.get(&group) {
                Some(words) => words.clone(),
                None => {
                    let words = prefix(plan, random, group, composer)?;
                    prefixes.insert(group, words.clone());
                    words
                }
            },
        };
        head.extend(salt(plan.seed, &plan.scenario, REQUEST_SALT, index));
        let mut text = Stream::new(plan.seed, &plan.scenario, Purpose::Text, index);
        let (text, input_len) = composer.fit(&head, &mut text, input_len)?;
        composer.charge(index, text.len())?;
        let turn = match plan.turns {
            Some(_) => Some(recorded(plan, index, index / turns, output_len, composer)?),
            None => None,
        };
        drafts.push(Draft {
            turn,
            input_len: Some(input_len),
            output_len: Some(output_len),
            prefix_group: group,
            ..Draft::text(text)
        });
    }
    Ok(drafts)
}

/// A turn with an answer of random words, as long as the one that is asked for.
fn recorded(
    plan: &ScenarioPlan,
    index: u64,
    conversation: u64,
    output_len: u64,
    composer: &mut Composer<'_>,
) -> Result<DraftTurn, WorkloadError> {
    let mut stream = Stream::new(plan.seed, &plan.scenario, Purpose::Answer, index);
    let (answer, answer_len) = composer.fit(&[], &mut stream, output_len)?;
    Ok(DraftTurn {
        conversation,
        answer,
        answer_len,
    })
}

/// The words that all requests of a group begin with.
fn prefix(
    plan: &ScenarioPlan,
    random: &RandomPlan,
    group: u64,
    composer: &mut Composer<'_>,
) -> Result<Vec<&'static str>, WorkloadError> {
    let set = random.prefix_set.as_deref().unwrap_or(&plan.scenario);
    let head = salt(plan.seed, set, PREFIX_SALT, group);
    let mut stream = Stream::new(plan.seed, set, Purpose::Prefix, group);
    Ok(composer.fit_words(&head, &mut stream, random.prefix_len)?.0)
}

fn draw_shape(shapes: &[Shape], stream: &mut Stream) -> Shape {
    if let [only] = shapes {
        return *only;
    }
    let total: u64 = shapes.iter().map(|shape| u64::from(shape.weight)).sum();
    let mut drawn = stream.between(1, total);
    for shape in shapes {
        let weight = u64::from(shape.weight);
        if drawn <= weight {
            return *shape;
        }
        drawn -= weight;
    }
    unreachable!("a draw is at most the sum of the weights")
}
