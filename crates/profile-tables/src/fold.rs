//! One trace to what its stages add up to. Pure: the trace and the choice of stages in, sums out; several traces of one
//! rank are added.

use std::collections::BTreeMap;

use contracts::profile_tables::report::IdleCause;
use rustc_hash::FxHashMap;
use torch_trace::{
    Derived, Family, Gap, Moment, NameId, Origins, SameStreamOverlap, Stage, StageTime, Trace, Work,
    locations, same_stream_overlap, short_location,
};

use crate::idle::{Explained, HostCalls, explain};
use crate::sites::{Located, SiteKey, Sites};

/// Sums of one kernel in one stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct KernelSum {
    pub(crate) calls: u64,
    pub(crate) gpu_time_ns: i64,
    pub(crate) share_ns: f64,
    pub(crate) exclusive_ns: f64,
    pub(crate) hidden_ns: f64,
    /// Calls whose successor on the stream was launched in time: it could have begun at once.
    pub(crate) followed: u64,
    /// Of them, those whose successor did.
    pub(crate) followed_at_once: u64,
    /// (location, operator) -> launches and time.
    pub(crate) sites: BTreeMap<SiteKey, (u64, i64)>,
}

impl KernelSum {
    /// Adds what another trace of the same stage has of the kernel.
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.gpu_time_ns += other.gpu_time_ns;
        self.share_ns += other.share_ns;
        self.exclusive_ns += other.exclusive_ns;
        self.hidden_ns += other.hidden_ns;
        self.followed += other.followed;
        self.followed_at_once += other.followed_at_once;
        for (site, (calls, ns)) in other.sites {
            let entry = self.sites.entry(site).or_default();
            entry.0 += calls;
            entry.1 += ns;
        }
    }
}

/// Sums of one cause of idle time.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdleSum {
    pub(crate) gaps: u64,
    pub(crate) ns: i64,
    /// Line that it was spent in -> time.
    pub(crate) locations: BTreeMap<String, i64>,
}

/// Sums of one stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct StageSum {
    pub(crate) source: &'static str,
    pub(crate) steps: u64,
    pub(crate) time: StageTime,
    pub(crate) sum_ns: i64,
    pub(crate) overlap: SameStreamOverlap,
    pub(crate) idle_launch_bound_ns: i64,
    pub(crate) graph_events: u64,
    pub(crate) graph_breaks: u64,
    pub(crate) idle: BTreeMap<IdleCause, IdleSum>,
    pub(crate) kernels: BTreeMap<(String, Family), KernelSum>,
}

/// Adds a trace to the sums of its stages.
pub(crate) fn add(sums: &mut BTreeMap<Stage, StageSum>, trace: &Trace, derived: &Derived, located: &Located) {
    let Derived {
        kernels,
        origins,
        stages,
        work,
        swept,
    } = derived;
    let overlap = same_stream_overlap(work);
    let followed = followed_at_once(trace, origins, work);
    // Graphs of a stage: only where some work came from a graph is work outside of it a break.
    let in_graph: Vec<bool> = (0..work.len()).map(|event| origins.in_graph(event)).collect();
    let mut graph_steps: Vec<Option<usize>> = (0..work.len())
        .filter(|event| in_graph[*event])
        .map(|event| stages.step_of[event])
        .collect();
    graph_steps.sort_unstable();
    graph_steps.dedup();
    for stage in Stage::LIST {
        if stages.of_event.contains(&stage) {
            let sum = sums.entry(stage).or_default();
            sum.source = stages.source;
            sum.steps += stages.count(stage);
            if let Some(time) = swept.stages.get(stage.number()) {
                sum.time.busy_ns += time.busy_ns;
                sum.time.idle_ns += time.idle_ns;
                sum.time.comm_ns += time.comm_ns;
                sum.time.comm_hidden_ns += time.comm_hidden_ns;
            }
            if let Some(found) = overlap.get(stage.number()) {
                sum.overlap.pairs += found.pairs;
                sum.overlap.overlap_ns += found.overlap_ns;
            }
        }
    }
    // By number while there is one entry an event: names and sites are long, and copied once a row.
    let mut rows: FxHashMap<(Stage, u32), KernelSum> = FxHashMap::default();
    let mut site_sums: FxHashMap<((Stage, u32), usize), (u64, i64)> = FxHashMap::default();
    let mut sites = Sites::new(located);
    for (index, event) in trace.gpu.iter().enumerate() {
        let sum = sums.entry(stages.of_event[index]).or_default();
        sum.sum_ns += event.dur_ns;
        if in_graph[index] {
            sum.graph_events += 1;
        } else if event.kind == torch_trace::GpuKind::Kernel
            && graph_steps.binary_search(&stages.step_of[index]).is_ok()
        {
            sum.graph_breaks += 1;
        }
        let kernel = (stages.of_event[index], kernels.of_event[index]);
        let row = rows.entry(kernel).or_default();
        let exposure = swept.exposure[index];
        row.calls += 1;
        row.gpu_time_ns += event.dur_ns;
        row.share_ns += exposure.share_ns;
        row.exclusive_ns += exposure.exclusive_ns;
        row.hidden_ns += exposure.hidden_ns;
        row.followed += u64::from(followed[index].is_some());
        row.followed_at_once += u64::from(followed[index] == Some(true));
        let place = sites.place(trace, origins, index);
        let entry = site_sums.entry((kernel, place)).or_default();
        entry.0 += 1;
        entry.1 += event.dur_ns;
    }
    for ((kernel, place), (calls, ns)) in site_sums {
        let entry = rows
            .entry(kernel)
            .or_default()
            .sites
            .entry(sites.list[place].clone());
        let entry = entry.or_default();
        entry.0 += calls;
        entry.1 += ns;
    }
    for ((stage, number), row) in rows {
        let kernel = &kernels.list[number as usize];
        let key = (kernel.name.clone(), kernel.family);
        sums.entry(stage)
            .or_default()
            .kernels
            .entry(key)
            .or_default()
            .add(row);
    }
    add_idle(sums, trace, derived, &swept.gaps);
}

fn add_idle(sums: &mut BTreeMap<Stage, StageSum>, trace: &Trace, derived: &Derived, gaps: &[Gap]) {
    let host = HostCalls::of(trace);
    let mut by_end: Vec<usize> = (0..derived.work.len()).collect();
    by_end.sort_by_key(|index| (derived.work[*index].end_ns, *index));
    let explained: Vec<Explained> = gaps
        .iter()
        .map(|gap| {
            let ended = by_end.partition_point(|index| derived.work[*index].end_ns <= gap.start_ns);
            let previous = ended.checked_sub(1).map(|place| by_end[place]);
            explain(trace, &derived.origins, &derived.stages, &host, *gap, previous)
        })
        .collect();
    let lines = lines_of_gaps(trace, gaps, &explained);
    for ((gap, explained), line) in gaps.iter().zip(explained).zip(lines) {
        let sum = sums.entry(derived.stages.of_event[gap.next]).or_default();
        sum.idle_launch_bound_ns += explained.launch_bound_ns;
        let row = sum.idle.entry(explained.cause).or_default();
        row.gaps += 1;
        row.ns += explained.ns;
        if let Some(line) = line {
            let text = short_location(&trace.names.text(line)).to_owned();
            *row.locations.entry(text).or_default() += explained.ns;
        }
    }
}

/// The line that each gap was spent in: what the launching thread was at half-way to the launch.
fn lines_of_gaps(trace: &Trace, gaps: &[Gap], explained: &[Explained]) -> Vec<Option<NameId>> {
    let launched: Vec<(usize, Moment)> = gaps
        .iter()
        .zip(explained)
        .enumerate()
        .filter_map(|(place, (gap, explained))| {
            let call = &trace.calls[explained.call?];
            let waited = (call.start_ns - gap.start_ns).max(0);
            let moment = Moment {
                track: call.track,
                at_ns: call.start_ns - waited / 2,
            };
            Some((place, moment))
        })
        .collect();
    let moments: Vec<Moment> = launched.iter().map(|(_, moment)| *moment).collect();
    let mut lines = vec![None; gaps.len()];
    for ((place, _), line) in launched.iter().zip(locations(trace, &moments)) {
        lines[*place] = line;
    }
    lines
}

/// Whether the next work on the stream begins at once: within a seventh of the duration, 2 to 20 microseconds. `None`
/// where it was launched too late to do so: then nobody knows whether it waits.
fn followed_at_once(trace: &Trace, origins: &Origins, work: &[Work]) -> Vec<Option<bool>> {
    let mut order: Vec<usize> = (0..work.len()).collect();
    order.sort_by_key(|index| (work[*index].track, work[*index].start_ns, *index));
    let mut followed = vec![None; work.len()];
    for pair in order.windows(2) {
        if let [earlier, later] = pair
            && work[*earlier].track == work[*later].track
        {
            let end_ns = work[*earlier].end_ns;
            let in_time = origins
                .call(trace, *later)
                .is_none_or(|(_, call)| call.end_ns() <= end_ns);
            let near = ((end_ns - work[*earlier].start_ns) / 7).clamp(2_000, 20_000);
            followed[*earlier] = in_time.then_some(work[*later].start_ns - end_ns <= near);
        }
    }
    followed
}
