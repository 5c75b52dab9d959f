//! Lengths of requests: numbers, or what a benchmark sent.

use std::path::Path;

use cli_kit::{Binding, Failure};
use contracts::serve_bench::result::{ResultData, SCHEMA, WorkloadInfo};
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use contracts::{FieldSet, Input};
use serde_json::Value;

use crate::cli::LoadArgs;
use crate::error::CapacityError;

/// Most lengths of a list.
const MOST_LENGTHS: usize = 64;
/// Longest length.
const LONGEST: u64 = 1_000_000_000;
/// Lengths that are shown where nobody asked for any.
const TYPICAL: [u64; 4] = [1024, 4096, 8192, 32_768];

/// What requests are like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Load {
    /// Lengths with what has them; empty when nobody said.
    pub(crate) lengths: Vec<(u64, &'static str)>,
    /// First tokens that all requests share.
    pub(crate) shared: Option<u64>,
    /// Requests that a benchmark kept in flight.
    pub(crate) concurrency: Option<u64>,
    /// The benchmark's file.
    pub(crate) input: Option<Input>,
    /// What the benchmark measured, where `--lengths` names one.
    pub(crate) measured: Option<Measured>,
}

/// What a benchmark measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) engine: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) simulated: bool,
}

impl Load {
    /// As typed; else what the benchmark that the document is bound to asked for.
    pub(crate) fn read(args: &LoadArgs, binding: Option<&Binding>) -> Result<Load, Failure> {
        let mut load = match args.lengths.as_deref() {
            Some(text) => match numbers(text)? {
                Some(lengths) => Load {
                    lengths: lengths.into_iter().map(|length| (length, "asked")).collect(),
                    ..Load::default()
                },
                None => of_result(Path::new(text))?,
            },
            None => Load {
                lengths: binding.map_or_else(Vec::new, |binding| of_workload(&binding.workload)),
                ..Load::default()
            },
        };
        load.shared = args.shared_prefix.or(load.shared);
        let shortest = load.lengths.iter().map(|(length, _)| *length).min();
        match (args.shared_prefix, shortest) {
            (Some(shared), Some(length)) if shared >= length => {
                Err(CapacityError::SharedPrefix { shared, length }.into())
            }
            _ => Ok(load),
        }
    }

    /// The lengths, or typical ones up to the longest context, and that.
    pub(crate) fn or_typical(&self, context: Option<u64>) -> Vec<(u64, &'static str)> {
        if !self.lengths.is_empty() {
            return self.lengths.clone();
        }
        let longest = context.unwrap_or(u64::MAX);
        let typical = TYPICAL.into_iter().filter(|length| *length < longest);
        let typical = typical.map(|length| (length, "typical"));
        typical.chain(context.map(|length| (length, "context"))).collect()
    }
}

/// Numbers with commas between them; `None` for what is the path of a file.
fn numbers(text: &str) -> Result<Option<Vec<u64>>, CapacityError> {
    let is_list = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | ' '));
    if !is_list {
        return Ok(None);
    }
    let wrong = || CapacityError::Lengths(text.to_owned());
    let lengths: Result<Vec<u64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let lengths = lengths.map_err(|_| wrong())?;
    let fits = |length: &u64| (1..=LONGEST).contains(length);
    if lengths.len() > MOST_LENGTHS || !lengths.iter().all(fits) {
        return Err(wrong());
    }
    Ok(Some(lengths))
}

/// Smallest, mean and largest of what was asked for, where that was counted in tokens.
fn of_workload(workload: &WorkloadInfo) -> Vec<(u64, &'static str)> {
    let (Some(input), Some(output)) = (&workload.input_len, &workload.output_len) else {
        return Vec::new();
    };
    if workload.prompt_unit != "tokens" {
        return Vec::new();
    }
    let mean = (input.mean.get() + output.mean.get()).round().max(0.0) as u64;
    let mut lengths = vec![
        (input.min.saturating_add(output.min), "smallest"),
        (mean, "mean"),
        (input.max.saturating_add(output.max), "largest"),
    ];
    lengths.dedup_by_key(|(length, _)| *length);
    lengths.retain(|(length, _)| (1..=LONGEST).contains(length));
    lengths
}

/// What a result says: what was asked for, or the mean of what its requests were; cache hits; requests in flight.
fn of_result(path: &Path) -> Result<Load, Failure> {
    let loaded = cli_kit::load_document::<ResultData>(path, SCHEMA)?;
    let known = |fields: &FieldSet, name: &str| {
        let text = fields.known(name).and_then(Value::as_str);
        text.map(|text| clean(text, FOREIGN_TEXT_CAP))
    };
    let measured = Measured {
        engine: known(&loaded.document.subject, "engine.kind"),
        model: known(&loaded.document.contract, "model.id"),
        simulated: loaded.document.simulated,
    };
    let data = loaded.document.data;
    let (mut requests, mut input, mut output, mut cached) = (0_u64, 0_u64, 0_u64, None::<u64>);
    for run in &data.runs {
        let Some(tokens) = run.tokens.input else { continue };
        requests = requests.saturating_add(run.requests.succeeded);
        input = input.saturating_add(tokens);
        output = output.saturating_add(run.tokens.output);
        if let Some(more) = run.tokens.cached {
            cached = Some(cached.unwrap_or(0).saturating_add(more));
        }
    }
    let mut lengths = of_workload(&data.workload);
    let mean = input.saturating_add(output).checked_div(requests);
    if let (true, Some(mean)) = (lengths.is_empty(), mean.filter(|mean| *mean > 0)) {
        lengths = vec![(mean.min(LONGEST), "mean")];
    }
    if lengths.is_empty() {
        return Err(CapacityError::NoLengths(path.display().to_string()).into());
    }
    let in_flight = data
        .runs
        .iter()
        .filter_map(|run| run.client.peak_concurrency)
        .max();
    Ok(Load {
        lengths,
        shared: cached
            .and_then(|cached| cached.checked_div(requests))
            .filter(|shared| *shared > 0),
        concurrency: in_flight.map(u64::from),
        input: Some(loaded.input),
        measured: Some(measured),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_a_list_and_anything_else_is_a_file() {
        assert_eq!(numbers("4096, 8192").unwrap(), Some(vec![4096, 8192]));
        assert_eq!(numbers("run.json").unwrap(), None);
        for wrong in ["", ",", "0", "4096,", "99999999999999999999"] {
            assert!(numbers(wrong).is_err(), "{wrong:?}");
        }
        assert!(numbers(&vec!["1"; 65].join(",")).is_err());
    }

    #[test]
    fn typical_lengths_end_with_the_context() {
        let load = Load::default();
        assert_eq!(
            load.or_typical(Some(8192)),
            [(1024, "typical"), (4096, "typical"), (8192, "context")]
        );
        assert_eq!(load.or_typical(None).len(), 4);
    }
}
