//! Conversations: each turn gets the turns before it as its history, with answers that are frozen, and the time that the user
//! thinks. Every server gets the same bytes, whatever it answers itself; its own answers would make each measure another load.

use contracts::Finite;
use contracts::serve_bench::workload::Turn;
use serde_json::{Value, json};

use super::body::Prompt;
use super::draft::Draft;
use super::error::WorkloadError;
use super::plan::{Dataset, ScenarioPlan};
use super::seed::{Purpose, Stream};

/// Most turns of a conversation.
pub(super) const MOST_TURNS: u32 = 64;
/// A user who thinks longer has gone.
const LONGEST_THINK_S: f64 = 86_400.0;

/// Whether turns can be granted.
pub(super) fn check(plan: &ScenarioPlan) -> Result<(), WorkloadError> {
    let refuse = |reason: &str| {
        Err(WorkloadError::Plan {
            reason: reason.to_owned(),
        })
    };
    let Some(turns) = &plan.turns else { return Ok(()) };
    if !(2..=MOST_TURNS).contains(&turns.most) {
        return Err(WorkloadError::Plan {
            reason: format!("--turns is {}, not within 2 to {MOST_TURNS}", turns.most),
        });
    }
    if !(0.0..=LONGEST_THINK_S).contains(&turns.think_mean_s.get()) {
        return refuse("--think-time is not within 0 and a day");
    }
    match &plan.dataset {
        Dataset::Random(random) if random.prefix_groups > 0 => {
            refuse("--turns have their own shared beginnings: leave --prefix-len and --prefix-groups out")
        }
        Dataset::Random(_) | Dataset::Sharegpt { .. } if plan.arrival.is_some() => {
            refuse("the turns of a conversation have no arrival times: leave --request-rate out")
        }
        Dataset::Random(_) | Dataset::Sharegpt { .. } => Ok(()),
        _ => refuse("--turns are for --dataset random and sharegpt"),
    }
}

/// Puts the history before each turn, and says where in its conversation each request stands. Drafts of one conversation follow
/// each other.
pub(super) fn unfold(plan: &ScenarioPlan, drafts: &mut [Draft]) -> Vec<Option<Turn>> {
    let mean_s = plan.turns.map_or(0.0, |turns| turns.think_mean_s.get());
    let mut history: Vec<Value> = Vec::new();
    let (mut history_len, mut number, mut of) = (0, 0, None);
    let mut turns = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.iter_mut().enumerate() {
        let Some(turn) = draft.turn.take() else {
            turns.push(None);
            continue;
        };
        if of != Some(turn.conversation) {
            (history, history_len, number, of) = (Vec::new(), 0, 0, Some(turn.conversation));
        }
        if let Prompt::Text(text) = &draft.prompt {
            history.push(json!({"role": "user", "content": text}));
        }
        let own_len = draft.input_len.unwrap_or(0);
        draft.prompt = Prompt::Messages(history.clone());
        draft.input_len = Some(history_len + own_len);
        let think_ms = if number == 0 {
            0.0
        } else {
            think_s(
                mean_s,
                &mut Stream::new(plan.seed, &plan.scenario, Purpose::Think, index as u64),
            ) * 1e3
        };
        turns.push(Some(Turn {
            conversation: turn.conversation,
            number,
            think_ms: Finite::new(think_ms.round()).unwrap_or_else(|| Finite::from(0)),
        }));
        history.push(json!({"role": "assistant", "content": turn.answer}));
        history_len += own_len + turn.answer_len;
        number += 1;
    }
    turns
}

/// Exponential, ten means at most.
fn think_s(mean_s: f64, stream: &mut Stream) -> f64 {
    let waited = -(1.0 - stream.unit()).ln();
    mean_s * waited.min(10.0)
}
