//! How the stored comparisons were measured, as their documents say: what the next ones are told to do the same.

use contracts::serve_bench::compare::SCHEMA;
use contracts::serve_bench::result::{LoadInfo, TargetInfo, WorkloadInfo};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::ledger::{Root, objects};
use crate::state::State;

/// A stored comparison, without its numbers.
#[derive(Clone, Debug)]
pub struct Precedent {
    /// Its scenario.
    pub scenario: String,
    /// Framework of the other side.
    pub framework: String,
    /// Where the sides answered, ours first.
    pub urls: [String; 2],
    /// Whether each run was a launch of its own.
    pub swap: bool,
    /// The command, as typed; empty where the document does not say.
    pub command: Vec<String>,
    /// The load, which later benchmarks of the scenario have to repeat.
    pub load: LoadInfo,
    /// Blocks.
    pub blocks: usize,
}

/// What is read of a comparison.
#[derive(Deserialize)]
struct Head {
    data: HeadData,
}

#[derive(Deserialize)]
struct HeadData {
    a: HeadSide,
    b: HeadSide,
    workload: WorkloadInfo,
    load: LoadInfo,
    plan: HeadPlan,
    swap: bool,
    blocks: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct HeadSide {
    target: TargetInfo,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct HeadPlan {
    command: Vec<String>,
}

/// The latest comparison of every scenario and framework that counts, in order. What is gone or does not read is left
/// out: commands are a help and no evidence.
pub(crate) fn latest(root: &Root, state: &State<'_>) -> Vec<Precedent> {
    let mut found: Vec<Precedent> = Vec::new();
    let compared = state
        .benchmarks()
        .rev()
        .filter(|accepted| accepted.facts.schema == SCHEMA && state.counts(accepted));
    for accepted in compared {
        let facts = accepted.facts;
        let is_known = found.iter().any(|known| {
            Some(known.scenario.as_str()) == facts.scenario.as_deref()
                && facts
                    .sides
                    .get(1)
                    .is_some_and(|side| side.framework == known.framework)
        });
        if !is_known {
            found.extend(read(root, &facts.sha256));
        }
    }
    found.reverse();
    found
}

fn read(root: &Root, sha256: &str) -> Option<Precedent> {
    let bytes = objects::get(root, sha256).ok().flatten()?;
    let data = serde_json::from_slice::<Head>(&bytes).ok()?.data;
    let shown = |url: &str| contracts::text::clean(url, 300);
    let is_plain = |word: &String| !word.chars().any(char::is_control);
    let command = data.plan.command;
    let is_whole = command.get(1).is_some_and(|word| word == "compare") && command.iter().all(is_plain);
    Some(Precedent {
        scenario: data.workload.scenario,
        framework: data.b.target.engine.kind.name().to_owned(),
        urls: [shown(&data.a.target.url), shown(&data.b.target.url)],
        swap: data.swap,
        command: if is_whole { command } else { Vec::new() },
        load: data.load,
        blocks: data.blocks.len(),
    })
}
