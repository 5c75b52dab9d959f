//! Series of ranks that do the same work together are one: adding them would count every token once a rank.

use std::collections::BTreeMap;

use crate::history::{Labels, Series};

/// Labels of ranks that share the work of a request. `dp_rank` is none of them: its ranks have requests of their own.
const SHARED_WORK: [&str; 4] = ["tp_rank", "pp_rank", "moe_ep_rank", "ep_rank"];

/// The process of a Python server that wrote a gauge (vllm#28792: all but one write zeros).
const PROCESS: &str = "pid";

/// Series of one metric that differ in ranks only, the lowest rank first.
pub(crate) type Group<'a> = Vec<&'a Series>;

/// Groups series that tell of the same requests, by the labels that are left; `is_gauge` also joins the processes of a server.
pub(crate) fn groups<'a>(
    series: impl Iterator<Item = (&'a Labels, &'a Series)>,
    is_gauge: bool,
) -> BTreeMap<Labels, Group<'a>> {
    let mut by_rest: BTreeMap<Labels, Vec<(Vec<u64>, &Series)>> = BTreeMap::new();
    for (labels, series) in series {
        let is_rank = |label: &str| SHARED_WORK.contains(&label) || (is_gauge && label == PROCESS);
        let rest = labels
            .iter()
            .filter(|(label, _)| !is_rank(label))
            .map(|(label, value)| (label.clone(), value.clone()))
            .collect();
        let rank = SHARED_WORK
            .iter()
            .map(|label| labels.get(*label).and_then(|rank| rank.parse().ok()).unwrap_or(0))
            .collect();
        by_rest.entry(rest).or_default().push((rank, series));
    }
    let sorted = |(rest, mut members): (Labels, Vec<(Vec<u64>, &'a Series)>)| {
        members.sort_by(|a, b| a.0.cmp(&b.0));
        (rest, members.into_iter().map(|(_, series)| series).collect())
    };
    by_rest.into_iter().map(sorted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(of: &[(&str, &str)]) -> Labels {
        of.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn series(value: f64) -> Series {
        Series {
            value: vec![Some(value)],
            ..Series::default()
        }
    }

    #[test]
    fn tensor_ranks_are_one_and_data_ranks_are_two() {
        let all = [
            (labels(&[("tp_rank", "10"), ("dp_rank", "0")]), series(3.0)),
            (labels(&[("tp_rank", "9"), ("dp_rank", "0")]), series(2.0)),
            (labels(&[("tp_rank", "9"), ("dp_rank", "1")]), series(5.0)),
        ];
        let groups = groups(all.iter().map(|(labels, series)| (labels, series)), false);
        assert_eq!(groups.len(), 2);
        let first = groups.values().next().expect("two groups");
        assert_eq!(first[0].value, [Some(2.0)], "ranks are numbers, not text");
    }

    #[test]
    fn processes_are_joined_for_gauges_only() {
        let all = [
            (labels(&[("pid", "277")]), series(0.0)),
            (labels(&[("pid", "273")]), series(0.65)),
        ];
        let pairs = || all.iter().map(|(labels, series)| (labels, series));
        assert_eq!(groups(pairs(), true).len(), 1);
        assert_eq!(groups(pairs(), false).len(), 2);
    }
}
