//! The ranks of one run beside each other: one trace of each, and the slowest of them to look at.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use contracts::Warning;
use contracts::pipeline_analysis::report::{Pass, RankRow, SlowestLayer};

use crate::cut::Cut;
use crate::error::PipelineError;
use crate::traces::{Read, no_kernels};

/// One trace of each rank, by rank: that with the most kernels, of equals the first. Ranks without a kernel are left out,
/// unless one of them was asked for; files that name no rank are together one, the last.
pub(crate) fn one_of_each(files: &[Read]) -> Result<Vec<usize>, PipelineError> {
    let mut best: BTreeMap<(bool, u32), usize> = BTreeMap::new();
    for (index, read) in files.iter().enumerate().filter(|(_, read)| read.kernels() > 0) {
        let rank = read.of.file.rank;
        let key = (rank.is_none(), rank.unwrap_or(0));
        let known = best.entry(key).or_insert(index);
        if read.kernels() > files[*known].kernels() {
            *known = index;
        }
    }
    let chosen: Vec<usize> = best.into_values().collect();
    if chosen.iter().any(|index| files[*index].of.analysed) {
        return Ok(chosen);
    }
    let asked = files.iter().find(|read| read.of.analysed);
    Err(no_kernels(
        &asked.expect("a rank that was asked for has a file").of.file,
    ))
}

/// The steady pass of a trace.
fn steady<'c>(cut: &'c Cut<'_>) -> Option<&'c Pass> {
    cut.steady_pass.map(|pass| &cut.passes[pass])
}

/// The trace to look at, of those of the rank that was asked for: that with the longest steady pass, of equals the first.
pub(crate) fn slowest(cuts: &[Cut<'_>]) -> usize {
    let wall = |cut: &Cut<'_>| steady(cut).and_then(|pass| pass.wall_ns);
    (0..cuts.len())
        .filter(|place| cuts[*place].read.of.analysed)
        .max_by_key(|place| (wall(&cuts[*place]), Reverse(*place)))
        .expect("the rank that was asked for has kernels")
}

/// The rows of all ranks; `shown` is the one whose layers follow.
pub(crate) fn rows(cuts: &[Cut<'_>], shown: usize) -> Vec<RankRow> {
    let rows = cuts.iter().enumerate();
    rows.map(|(place, cut)| row(cut, place == shown)).collect()
}

fn row(cut: &Cut<'_>, shown: bool) -> RankRow {
    let steady = steady(cut);
    let layers = cut.steady_pass.map_or_else(Vec::new, |pass| cut.layers(pass));
    let slowest = layers
        .iter()
        .enumerate()
        .filter_map(|(index, layer)| Some((layer.wall_ns()?, Reverse(index), layer)))
        .max_by_key(|(wall_ns, index, _)| (*wall_ns, *index));
    RankRow {
        rank: cut.read.of.file.rank,
        path: cut.read.path(),
        shown,
        passes: cut.passes.len() as u64,
        layers: cut.whole.map(|layers| layers as u64),
        steady_pass: cut.steady_pass.map(|pass| pass as u64),
        kind: steady.and_then(|pass| pass.kind),
        wall_ns: steady.and_then(|pass| pass.wall_ns),
        busy_ns: steady.and_then(|pass| pass.busy_ns),
        idle_ns: steady.and_then(|pass| pass.idle_ns),
        slowest_layer: slowest.map(|(wall_ns, Reverse(index), layer)| SlowestLayer {
            index: index as u64,
            layer_type: layer.layer_type.clone(),
            wall_ns,
        }),
    }
}

/// What makes the rows of ranks no comparison, and which files have no row.
pub(crate) fn warnings(files: &[Read], ranks: &[RankRow]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let left_out: Vec<String> = files
        .iter()
        .map(Read::path)
        .filter(|path| ranks.iter().all(|row| row.path != *path))
        .collect();
    if !left_out.is_empty() {
        warnings.push(Warning::new(
            "trace-not-analysed",
            format!(
                "of each rank the trace with the most kernels is analysed; left out: {}",
                left_out.join(", ")
            ),
        ));
    }
    let differ = |part: fn(&RankRow) -> Option<u64>| {
        let mut values: Vec<u64> = ranks.iter().filter_map(part).collect();
        values.dedup();
        values.len() > 1
    };
    if differ(|row| row.kind.map(|kind| kind as u64)) {
        warnings.push(Warning::new(
            "ranks-differ-in-kind",
            "the steady passes of the ranks are of different kinds: their times are no comparison",
        ));
    }
    if differ(|row| row.layers) {
        warnings.push(Warning::new(
            "ranks-differ-in-layers",
            "the ranks have different numbers of layers: pipeline parallelism, or traces of two models",
        ));
    }
    warnings
}
