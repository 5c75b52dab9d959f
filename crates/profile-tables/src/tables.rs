//! Sums of a stage to its rows: sorted by time, ties by name, so that the same trace always gives the same bytes.

use contracts::Finite;
use contracts::profile_tables::report::{IdleCause, IdleRow, KernelRow, OverlapRow, Site, Stage as StageRow};
use torch_trace::{Family, LocatedBy, Stage};

use crate::critical::PathSum;
use crate::fold::{IdleSum, KernelSum, StageSum};
use crate::fusions::{FuseSums, rows};
use crate::levers::levers;
use crate::server::Server;
use crate::sites::SiteKey;

/// Sites that a row names.
const MAX_SITES: usize = 4;

/// The rows of one stage; `engine` is the one whose settings apply.
pub(crate) fn stage_row(
    stage: Stage,
    sum: &StageSum,
    fusions: &FuseSums,
    path: Option<&PathSum>,
    engine: Option<&str>,
    server: Option<&Server>,
) -> StageRow {
    let busy_ns = sum.time.busy_ns;
    let span_ns = busy_ns + sum.time.idle_ns;
    let mut kernels: Vec<(&(String, Family), &KernelSum)> = sum.kernels.iter().collect();
    kernels.sort_by(|a, b| b.1.share_ns.total_cmp(&a.1.share_ns).then_with(|| a.0.cmp(b.0)));
    let other: f64 = kernels
        .iter()
        .filter(|((_, family), _)| *family == Family::Other)
        .map(|(_, sum)| sum.share_ns)
        .sum();
    let all_calls: u64 = kernels.iter().map(|(_, sum)| sum.calls).sum();
    let in_graphs = sum.graph_events * 2 > all_calls;
    let mut idle: Vec<(&IdleCause, &IdleSum)> = sum.idle.iter().collect();
    idle.sort_by_key(|(cause, sum)| (-sum.ns, **cause));
    let mut overlap: Vec<OverlapRow> = kernels
        .iter()
        .map(|(key, sum)| overlap_row(key, sum, busy_ns, critical_ns(path, key)))
        .collect();
    overlap.sort_by(|a, b| {
        a.priority
            .cmp(&b.priority)
            .then_with(|| b.headroom_ns.cmp(&a.headroom_ns))
            .then_with(|| a.kernel.cmp(&b.kernel))
    });
    StageRow {
        stage: stage.as_str().to_owned(),
        stage_source: sum.source.to_owned(),
        steps: sum.steps,
        span_ns,
        gpu_busy_ns: busy_ns,
        sum_ns: sum.sum_ns,
        sum_over_busy_ratio: Finite::ratio(sum.sum_ns as f64, busy_ns as f64),
        same_stream_overlap_ns: sum.overlap.overlap_ns,
        same_stream_overlap_pairs: sum.overlap.pairs,
        idle_ns: sum.time.idle_ns,
        idle_launch_bound_ns: sum.idle_launch_bound_ns,
        comm_ns: sum.time.comm_ns,
        comm_hidden_ns: sum.time.comm_hidden_ns,
        graph_events: sum.graph_events,
        graph_breaks: sum.graph_breaks,
        other_share_pct: percent(other, busy_ns as f64),
        idle: idle
            .into_iter()
            .map(|(cause, sum)| IdleRow {
                cause: *cause,
                gaps: sum.gaps,
                ns: sum.ns,
                span_pct: percent(sum.ns as f64, span_ns as f64),
                python_location: longest(&sum.locations),
                levers: levers(*cause, engine, server, in_graphs),
            })
            .collect(),
        critical_path: path.and_then(PathSum::row),
        critical_path_unknown: path.and_then(|path| path.unknown.clone()),
        kernel_table: kernels
            .iter()
            .map(|(key, sum)| kernel_row(key, sum, busy_ns))
            .collect(),
        overlap_table: overlap,
        fuse_table: rows(
            fusions,
            busy_ns,
            path.filter(|path| path.unknown.is_none())
                .map(|path| &path.kernels),
        ),
    }
}

fn percent(part: f64, whole: f64) -> Option<Finite> {
    Finite::ratio(100.0 * part, whole)
}

pub(crate) fn longest(times: &std::collections::BTreeMap<String, i64>) -> Option<String> {
    // `max_by_key` keeps the last of equals; the first by name is wanted.
    times
        .iter()
        .rev()
        .max_by_key(|(_, ns)| **ns)
        .map(|(name, _)| name.clone())
}

fn kernel_row((name, family): &(String, Family), sum: &KernelSum, busy_ns: i64) -> KernelRow {
    let sites = sites_by_time(sum);
    let named = sites
        .iter()
        .find(|(key, _)| key.location.is_some())
        .map(|(key, _)| *key);
    KernelRow {
        kernel: name.clone(),
        family: family.as_str().to_owned(),
        calls: sum.calls,
        gpu_time_ns: sum.gpu_time_ns,
        exclusive_ns: sum.exclusive_ns.round() as i64,
        share_pct: percent(sum.share_ns, busy_ns as f64),
        cpu_op: sites.iter().find_map(|(key, _)| key.cpu_op.clone()),
        python_location: named.and_then(|key| key.location.clone()),
        located_by: named.and_then(|key| key.by).map(|by| by.as_str().to_owned()),
        sites: sites
            .iter()
            .take(MAX_SITES)
            .map(|(key, (calls, ns))| Site {
                python_location: key.location.clone(),
                located_by: key.by.map(|by| by.as_str().to_owned()),
                cpu_op: key.cpu_op.clone(),
                place: key.place.clone(),
                calls: *calls,
                kernel_share_pct: percent(*ns as f64, sum.gpu_time_ns as f64),
            })
            .collect(),
    }
}

fn sites_by_time(sum: &KernelSum) -> Vec<(&SiteKey, (u64, i64))> {
    let mut sites: Vec<(&SiteKey, (u64, i64))> = sum.sites.iter().map(|(key, value)| (key, *value)).collect();
    sites.sort_by(|a, b| b.1.1.cmp(&a.1.1).then_with(|| a.0.cmp(b.0)));
    sites
}

/// Time of a kernel on the critical path; `None` where the path is not known.
fn critical_ns(path: Option<&PathSum>, kernel: &(String, Family)) -> Option<i64> {
    let path = path.filter(|path| path.unknown.is_none())?;
    Some(path.kernels.get(kernel).copied().unwrap_or(0))
}

fn overlap_row(
    (name, family): &(String, Family),
    sum: &KernelSum,
    busy_ns: i64,
    critical_ns: Option<i64>,
) -> OverlapRow {
    let own = sum.exclusive_ns + sum.hidden_ns;
    let usable = match family {
        Family::Comm | Family::Memcpy | Family::Memset => 1.0,
        // They wait for memory: compute beside them costs little.
        Family::Norm
        | Family::Rope
        | Family::Activation
        | Family::Quantize
        | Family::Sampling
        | Family::Elementwise
        | Family::Hadamard
        | Family::Mhc => 0.5,
        _ => 0.0,
    };
    let usable_ns = critical_ns.map_or(sum.exclusive_ns, |critical| sum.exclusive_ns.min(critical as f64));
    let headroom_ns = (usable * usable_ns).round() as i64;
    let at_once = sum.followed_at_once as f64 / sum.followed.max(1) as f64;
    let risk = if sum.followed * 5 < sum.calls {
        "unclear"
    } else if at_once >= 0.8 {
        "high"
    } else if at_once >= 0.2 {
        "medium"
    } else {
        "low"
    };
    let exposed = Finite::ratio(100.0 * sum.exclusive_ns, own);
    let share = 100.0 * sum.share_ns / (busy_ns.max(1) as f64);
    let hidden_mostly = exposed.is_some_and(|exposed| exposed.get() < 35.0);
    let (recommendation, priority) = if share < 1.0 {
        ("leave it: below 1 % of the busy time", "P5")
    } else if hidden_mostly {
        ("leave it: hidden under other work already", "P5")
    } else {
        match (family, risk) {
            (Family::Comm, "low") => ("run beside independent compute on another stream", "P1"),
            (Family::Comm, _) => (
                "fuse with its neighbours, or compute one half of the batch while the other communicates",
                "P2",
            ),
            (Family::Memcpy | Family::Memset, "low") => ("move to a stream of its own", "P1"),
            (Family::Memcpy | Family::Memset, _) => ("remove it: what follows waits for it", "P3"),
            _ if usable == 0.0 => ("make it faster: see its counters", "P4"),
            (_, "low" | "unclear") => ("run beside compute on another stream, or fuse", "P2"),
            _ => ("fuse with its neighbours: what follows waits for it", "P3"),
        }
    };
    let sites = sites_by_time(sum);
    OverlapRow {
        kernel: name.clone(),
        family: family.as_str().to_owned(),
        exclusive_pct: exposed,
        hidden_pct: Finite::ratio(100.0 * sum.hidden_ns, own),
        critical_ns,
        headroom_ns,
        dependency_risk: risk.to_owned(),
        launch_scope: sites
            .iter()
            .filter(|(key, _)| key.by != Some(LocatedBy::GraphPosition))
            .find_map(|(key, _)| key.location.clone().or_else(|| key.cpu_op.clone())),
        recommendation: recommendation.to_owned(),
        priority: priority.to_owned(),
    }
}
