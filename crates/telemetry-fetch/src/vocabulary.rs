//! One vocabulary for all engines: which metric is which, what one value of it stands for, and in which unit.
//!
//! The table itself is `terms.rs`. A name that is not in it is counted as a sample and not looked at.

mod terms;

use std::collections::HashMap;
use std::sync::OnceLock;

use contracts::telemetry_fetch::metric::{MetricKind, Semantics};
use engine_client::metrics::{Kind, Sample, canonical};

pub(crate) use terms::TERMS;

/// A metric of the vocabulary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    /// Name in documents. Several terms may share one where engines differ in semantics.
    pub(crate) id: &'static str,
    /// Unit in documents.
    pub(crate) unit: &'static str,
    /// What a value of a payload is multiplied by to have that unit.
    pub(crate) scale: f64,
    pub(crate) kind: MetricKind,
    pub(crate) semantics: Semantics,
    /// How series of one reading become one value.
    pub(crate) across: Across,
    /// The label that splits the metric into rows.
    pub(crate) split: Option<&'static str>,
    /// Fixed at start: goes to the engine's attributes, not to the metrics.
    pub(crate) is_attribute: bool,
    /// Names in payloads, `:` written as `_` and a counter's `_total` left out; the first one that is there is taken.
    pub(crate) names: &'static [&'static str],
}

/// How series of data-parallel engines, processes or models become one value. Ranks that do the same work together are not
/// added, see `fold::ranks`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Across {
    Sum,
    Max,
    Min,
}

/// Where a name stands: the term, and its place among the term's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NameId {
    pub(crate) term: usize,
    pub(crate) name: usize,
}

/// Finds the name of a sample.
pub(crate) fn find(sample: &Sample<'_>) -> Option<NameId> {
    static NAMES: OnceLock<HashMap<&'static str, NameId>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let all = TERMS.iter().enumerate();
        all.flat_map(|(term, of)| {
            let names = of.names.iter().enumerate();
            names.map(move |(name, text)| (*text, NameId { term, name }))
        })
        .collect()
    });
    let family = canonical(sample.family);
    let id = *names.get(family.as_ref()).or_else(|| {
        // A gauge that is written as a counter, or one without a type.
        names.get(family.strip_suffix("_total")?)
    })?;
    let is_histogram = TERMS[id.term].kind == MetricKind::Histogram;
    (is_histogram == (sample.kind == Kind::Histogram)).then_some(id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use engine_client::metrics::parse;

    use super::*;

    #[test]
    fn every_name_belongs_to_one_term() {
        let mut seen = HashSet::new();
        for name in TERMS.iter().flat_map(|term| term.names) {
            assert!(seen.insert(name), "{name} stands twice");
            assert!(!name.contains(':') && !name.is_empty());
        }
        for term in TERMS {
            let counter_total =
                term.kind == MetricKind::Counter && term.names.iter().any(|name| name.ends_with("_total"));
            assert!(
                !counter_total,
                "{}: a counter's `_total` is no part of its name",
                term.id
            );
            assert_eq!(
                term.kind == MetricKind::Counter,
                term.semantics == Semantics::Cumulative,
                "{}",
                term.id
            );
        }
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        for text in [
            "# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total 1",
            "# TYPE vllm:generation_tokens counter\nvllm_generation_tokens_total 1",
            "vllm_generation_tokens_total 1",
        ] {
            let exposition = parse(text);
            let id = find(&exposition.samples[0]).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(TERMS[id.term].id, "generation_tokens");
        }
        let histogram =
            parse("# TYPE vllm:iteration_tokens_total histogram\nvllm:iteration_tokens_total_count 3");
        assert_eq!(
            find(&histogram.samples[0]).map(|id| TERMS[id.term].id),
            Some("step_tokens")
        );
        assert_eq!(find(&parse("python_info 1").samples[0]), None);
    }
}
