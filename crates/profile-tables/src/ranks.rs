//! Several ranks of one run: what each did, and who the others waited for. Clocks of ranks differ, durations do not: of
//! one collective, the rank that comes last has the shortest kernel.

use std::collections::BTreeSet;

use contracts::profile_tables::report::{CollectiveRow, RankRow, Ranks, TraceInfo};
use torch_trace::{Derived, Family, Trace};

/// Collectives that are listed.
const MAX_ROWS: usize = 200;

/// One rank's trace.
pub(crate) struct OfRank<'t> {
    pub(crate) rank: u32,
    pub(crate) trace: &'t Trace,
    pub(crate) derived: &'t Derived,
}

/// How many ranks the numbers of a document are sums of.
pub(crate) fn summed(traces: &[TraceInfo]) -> usize {
    let analysed = traces.iter().filter(|info| info.analysed);
    let ranks: BTreeSet<u32> = analysed.filter_map(|info| info.rank).collect();
    ranks.len()
}

/// Compares ranks; the flag says whether they recorded different numbers of collectives.
pub(crate) fn compare(ranks: &[OfRank<'_>]) -> (Ranks, bool) {
    let collectives: Vec<Vec<usize>> = ranks.iter().map(collectives_of).collect();
    let shared = collectives.iter().map(Vec::len).min().unwrap_or(0);
    let uneven = collectives.iter().any(|list| list.len() != shared);
    let mut last_arrivals = vec![0; ranks.len()];
    let mut waited_for = vec![0; ranks.len()];
    let mut rows = Vec::new();
    for index in 0..shared {
        let durations: Vec<i64> = ranks
            .iter()
            .zip(&collectives)
            .map(|(rank, list)| rank.trace.gpu[list[index]].dur_ns)
            .collect();
        let (Some(shortest), Some(longest)) = (durations.iter().min(), durations.iter().max()) else {
            continue;
        };
        let last = durations
            .iter()
            .position(|duration| duration == shortest)
            .unwrap_or(0);
        if longest > shortest {
            last_arrivals[last] += 1;
            waited_for[last] += longest - shortest;
        }
        rows.push(CollectiveRow {
            index: index as u64,
            kernel: ranks[0].derived.kernels.at(collectives[0][index]).name.clone(),
            skew_ns: longest - shortest,
            shortest_ns: *shortest,
            last_rank: ranks[last].rank,
        });
    }
    rows.sort_by_key(|row| (-row.skew_ns, row.index));
    rows.truncate(MAX_ROWS);
    let mut order: Vec<usize> = (0..ranks.len()).filter(|place| waited_for[*place] > 0).collect();
    order.sort_by_key(|place| (-waited_for[*place], ranks[*place].rank));
    let summary = ranks
        .iter()
        .enumerate()
        .map(|(place, rank)| {
            let stages = &rank.derived.swept.stages;
            let sum = |part: fn(&torch_trace::StageTime) -> i64| stages.iter().map(part).sum::<i64>();
            RankRow {
                rank: rank.rank,
                span_ns: sum(|stage| stage.busy_ns + stage.idle_ns),
                gpu_busy_ns: sum(|stage| stage.busy_ns),
                comm_ns: sum(|stage| stage.comm_ns),
                comm_hidden_ns: sum(|stage| stage.comm_hidden_ns),
                last_arrivals: last_arrivals[place],
                waited_for_ns: waited_for[place],
            }
        })
        .collect();
    let ranks = Ranks {
        summary,
        collectives: rows,
        stragglers: order.into_iter().map(|place| ranks[place].rank).collect(),
    };
    (ranks, uneven)
}

fn collectives_of(rank: &OfRank<'_>) -> Vec<usize> {
    let mut events: Vec<usize> = (0..rank.trace.gpu.len())
        .filter(|event| rank.derived.kernels.at(*event).family == Family::Comm)
        .collect();
    events.sort_by_key(|event| (rank.trace.gpu[*event].start_ns, *event));
    events
}
