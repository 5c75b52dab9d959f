//! How the stored comparisons were measured, as their documents say: what the next ones are told to do the same.

use std::collections::BTreeMap;

use contracts::quality_gate::verdict;
use contracts::serve_bench::compare::SCHEMA;
use contracts::serve_bench::result::{LoadInfo, TargetInfo, WorkloadInfo};
use contracts::{Document, FieldSet};
use serde::Deserialize;

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
    /// Fastest median of what one request of ours decoded, tokens per second.
    pub decode_tps: Option<f64>,
    /// How ours was launched, as the document has it.
    pub ours: FieldSet,
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
    blocks: Vec<HeadBlock>,
}

#[derive(Deserialize)]
struct HeadBlock {
    a: HeadRun,
}

#[derive(Deserialize)]
struct HeadRun {
    decode_tps: HeadRates,
}

#[derive(Deserialize)]
struct HeadRates {
    p50: Option<f64>,
}

#[derive(Deserialize)]
struct HeadSide {
    target: TargetInfo,
    subject: FieldSet,
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

/// The load that the first benchmark of each scenario fixed, results alone included.
pub(crate) fn loads(root: &Root, state: &State<'_>) -> BTreeMap<String, LoadInfo> {
    #[derive(Deserialize)]
    struct Whole {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        load: LoadInfo,
    }
    let mut loads = BTreeMap::new();
    for accepted in state.benchmarks() {
        let Some(scenario) = accepted
            .facts
            .scenario
            .as_ref()
            .filter(|name| !loads.contains_key(*name))
        else {
            continue;
        };
        let bytes = objects::get(root, &accepted.facts.sha256).ok().flatten();
        let whole = bytes.and_then(|bytes| serde_json::from_slice::<Whole>(&bytes).ok());
        if let Some(whole) = whole {
            loads.insert(scenario.clone(), whole.data.load);
        }
    }
    loads
}

/// Ports at which ours answered in the open attempt: whoever started it has to end it. With `--swap` serve-bench did both.
pub(crate) fn served_at(root: &Root, state: &State<'_>) -> Vec<u16> {
    let Some(open) = state.open_attempt() else {
        return Vec::new();
    };
    let mut ports: Vec<u16> = state
        .benchmarks()
        .filter(|accepted| accepted.attempt == Some(open.id) && accepted.facts.schema == SCHEMA)
        .filter_map(|accepted| read(root, &accepted.facts.sha256))
        .filter(|compared| !compared.swap)
        .filter_map(|compared| port(&compared.urls[0]))
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// The verdict on answers that the open attempt has: the latest, but of one that failed no later one makes a pass, for asking until
/// it passes shows nothing. Verdicts were worked out again when they were accepted.
pub(crate) fn attempt_quality(root: &Root, state: &State<'_>) -> Option<verdict::Verdict> {
    let open = state.open_attempt()?;
    let of_attempt = state
        .accepted
        .iter()
        .filter(|accepted| accepted.attempt == Some(open.id) && accepted.facts.schema == verdict::SCHEMA);
    let mut verdicts = of_attempt.filter_map(|accepted| {
        let bytes = objects::get(root, &accepted.facts.sha256).ok().flatten()?;
        let document: Document<verdict::VerdictData> = serde_json::from_slice(&bytes).ok()?;
        Some(document.data.verdict)
    });
    verdicts
        .try_fold(None, |_, found| match found {
            verdict::Verdict::Fail => Err(found),
            found => Ok(Some(found)),
        })
        .unwrap_or_else(Some)
}

/// Settings of ours that the comparisons of the open attempt show otherwise than the ones before it.
pub(crate) fn changed_settings(root: &Root, state: &State<'_>) -> Vec<String> {
    let (Some(open), Some(before)) = (state.open_attempt(), state.precedents.last()) else {
        return Vec::new();
    };
    let of_attempt = state
        .benchmarks()
        .filter(|accepted| accepted.attempt == Some(open.id) && accepted.facts.schema == SCHEMA);
    let compared = of_attempt.filter_map(|accepted| read(root, &accepted.facts.sha256));
    let mut names: Vec<String> = compared
        .flat_map(|now| before.ours.compare(&now.ours).differing)
        .map(|(name, _, _)| name)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The port of an address, as far as it is said.
fn port(url: &str) -> Option<u16> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let said = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    said.or(match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })
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
        decode_tps: data
            .blocks
            .iter()
            .filter_map(|block| block.a.decode_tps.p50)
            .reduce(f64::max),
        blocks: data.blocks.len(),
        ours: data.a.subject,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_read_from_an_address() {
        assert_eq!(port("http://127.0.0.1:30000/v1"), Some(30000));
        assert_eq!(port("http://[::1]:8000"), Some(8000));
        assert_eq!(port("http://gpu-7"), Some(80));
        assert_eq!(port("https://gpu-7/x:9"), Some(443));
        assert_eq!(port("gpu-7:9"), None);
    }
}
