//! Prompts of a workload put to a server, with log-probabilities where it gives them.

use std::collections::{BTreeMap, VecDeque};

use cli_kit::{Failure, interrupted};
use contracts::quality_gate::agreement::PromptAnswer;
use contracts::quality_gate::record::RecordLine;
use tokio::task::JoinSet;

use crate::ask::Asker;
use crate::prompts::Prompt;
use crate::records::Records;

/// Answers in the order of the prompts; fewer where the run is interrupted. Answers that the records hold are not asked
/// for again.
pub(crate) async fn ask(
    asker: &Asker,
    prompts: &[Prompt],
    top: u64,
    concurrency: u64,
    mut records: Option<&mut Records>,
) -> Result<Vec<PromptAnswer>, Failure> {
    let mut done: BTreeMap<usize, PromptAnswer> = BTreeMap::new();
    let mut waiting: VecDeque<usize> = VecDeque::new();
    for (at, prompt) in prompts.iter().enumerate() {
        let kept = records
            .as_ref()
            .and_then(|records| records.prompts.get(&prompt.name));
        match kept.filter(|kept| kept.prompt_sha256 == prompt.sha256()) {
            Some(kept) => drop(done.insert(at, kept.clone())),
            None => waiting.push_back(at),
        }
    }
    let mut top = Some(top);
    // The first one shows whether the server refuses requests for log-probabilities.
    if let Some(at) = waiting.pop_front().filter(|_| !interrupted()) {
        let mut answer = asker.prompt(&prompts[at], top).await;
        if answer.error.is_some() {
            let plain = asker.prompt(&prompts[at], None).await;
            if plain.error.is_none() {
                (answer, top) = (plain, None);
            }
        }
        keep(&mut records, &answer)?;
        done.insert(at, answer);
    }
    let mut running: JoinSet<(usize, PromptAnswer)> = JoinSet::new();
    loop {
        while (running.len() as u64) < concurrency && !interrupted() {
            let Some(at) = waiting.pop_front() else { break };
            let (asker, prompt) = (asker.clone(), prompts[at].clone());
            running.spawn(async move { (at, asker.prompt(&prompt, top).await) });
        }
        let Some(finished) = running.join_next().await else {
            break;
        };
        let (at, answer) = finished.expect("no answer is aborted, and asking does not panic");
        keep(&mut records, &answer)?;
        done.insert(at, answer);
    }
    Ok(done.into_values().collect())
}

fn keep(records: &mut Option<&mut Records>, answer: &PromptAnswer) -> Result<(), Failure> {
    match records {
        Some(records) => Ok(records.keep(RecordLine::Prompt(Box::new(answer.clone())))?),
        None => Ok(()),
    }
}
