//! Calls of the kernels that match, by kernel, operator and inputs. Pure: traces and a pattern in, rows out.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::profile_tables::rows::KernelWorkload;
use regex::Regex;
use serde_json::Value;
use torch_trace::{Derived, Family, NameId, Stage, Trace, short};

use super::inputs::{shapes, types};

/// What calls are told apart by; shapes, types and strides as the trace spells them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kernel: String,
    family: Family,
    op: Option<String>,
    inputs: [Option<String>; 3],
}

/// One row.
#[derive(Clone, Debug, Default)]
struct Sum {
    times: Times,
    in_graph: u64,
    dims: Option<Vec<Value>>,
    types: Option<Vec<String>>,
    strides: Option<Vec<Value>>,
}

/// Durations of some calls.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    calls: u64,
    ns: i64,
    shortest_ns: i64,
    longest_ns: i64,
}

impl Times {
    fn of(dur_ns: i64) -> Self {
        Self {
            calls: 1,
            ns: dur_ns,
            shortest_ns: dur_ns,
            longest_ns: dur_ns,
        }
    }

    fn add(&mut self, other: Self) {
        let first = self.calls == 0;
        self.shortest_ns = if first {
            other.shortest_ns
        } else {
            self.shortest_ns.min(other.shortest_ns)
        };
        self.longest_ns = self.longest_ns.max(other.longest_ns);
        self.calls += other.calls;
        self.ns += other.ns;
    }
}

/// Everything that was found.
#[derive(Default)]
pub(super) struct Calls {
    rows: BTreeMap<Key, Sum>,
    /// Kernels that do not match, and their time.
    rest: BTreeMap<String, i64>,
    /// Calls that match.
    pub(super) count: u64,
    /// Their time.
    pub(super) ns: i64,
    /// Of them, those without shapes.
    pub(super) without_shapes: u64,
    pub(super) without_shapes_ns: i64,
    /// Of them, those that a graph replayed.
    pub(super) in_graph: u64,
}

impl Calls {
    /// Adds the calls of one trace.
    pub(super) fn add(&mut self, trace: &Trace, derived: &Derived, stage: Stage, pattern: &Regex) {
        // A name is looked at once, not once a call.
        let matches: Vec<bool> = derived
            .kernels
            .list
            .iter()
            .map(|kernel| pattern.is_match(&kernel.name) || pattern.is_match(&short(&kernel.name)))
            .collect();
        // By number while there is one entry a call: names and shapes are long, and read once a row.
        let mut found: BTreeMap<(u32, bool, Option<Op>), Times> = BTreeMap::new();
        for (event, work) in trace.gpu.iter().enumerate() {
            if derived.stages.of_event[event] != stage {
                continue;
            }
            let number = derived.kernels.of_event[event];
            if !matches[number as usize] {
                let kernel = derived.kernels.at(event);
                *self.rest.entry(kernel.name.clone()).or_default() += work.dur_ns;
                continue;
            }
            // The operator around a graph's launch is that of none of its kernels.
            let in_graph = derived.origins.in_graph(event);
            let op = derived
                .origins
                .op(trace, event)
                .filter(|_| !in_graph)
                .map(|op| (op.name, op.dims, op.types, op.strides));
            self.in_graph += u64::from(in_graph);
            found
                .entry((number, in_graph, op))
                .or_default()
                .add(Times::of(work.dur_ns));
        }
        for ((number, in_graph, op), times) in found {
            let sum = self.take(trace, &derived.kernels.list[number as usize], op, times);
            sum.in_graph += if in_graph { times.calls } else { 0 };
        }
    }

    fn take(
        &mut self,
        trace: &Trace,
        kernel: &torch_trace::Kernel,
        op: Option<Op>,
        times: Times,
    ) -> &mut Sum {
        let (name, dims, kinds, strides) = match op {
            Some((name, dims, kinds, strides)) => (Some(name), dims, kinds, strides),
            None => (None, None, None, None),
        };
        let raw = |id: Option<NameId>| id.map(|id| String::from_utf8_lossy(trace.names.raw(id)).into_owned());
        let key = Key {
            kernel: kernel.name.clone(),
            family: kernel.family,
            op: name.map(|name| trace.names.text(name).into_owned()),
            inputs: [raw(dims), raw(kinds), raw(strides)],
        };
        let sum = self.rows.entry(key).or_insert_with(|| Sum {
            dims: shapes(trace, dims),
            types: types(trace, kinds),
            strides: shapes(trace, strides),
            ..Sum::default()
        });
        sum.times.add(times);
        self.count += times.calls;
        self.ns += times.ns;
        if sum.dims.is_none() {
            self.without_shapes += times.calls;
            self.without_shapes_ns += times.ns;
        }
        sum
    }

    /// How many kernels do not match.
    pub(super) fn others(&self) -> usize {
        self.rest.len()
    }

    /// Those of them with most time.
    pub(super) fn longest_others(&self, count: usize) -> impl Iterator<Item = &str> {
        let mut rest: Vec<(&String, &i64)> = self.rest.iter().collect();
        rest.sort_by_key(|(name, ns)| (-**ns, *name));
        rest.into_iter().take(count).map(|(name, _)| name.as_str())
    }

    /// The rows, most time first.
    pub(super) fn workloads(self) -> Vec<KernelWorkload> {
        let all = self.ns;
        let mut rows: Vec<(Key, Sum)> = self.rows.into_iter().collect();
        rows.sort_by(|a, b| b.1.times.ns.cmp(&a.1.times.ns).then_with(|| a.0.cmp(&b.0)));
        rows.into_iter()
            .map(|(key, sum)| KernelWorkload {
                kernel: key.kernel,
                family: key.family.as_str().to_owned(),
                op: key.op,
                input_dims: sum.dims,
                input_types: sum.types,
                input_strides: sum.strides,
                calls: sum.times.calls,
                in_graph_calls: sum.in_graph,
                weight_pct: Finite::ratio(100.0 * sum.times.ns as f64, all as f64),
                gpu_time_ns: sum.times.ns,
                shortest_ns: sum.times.shortest_ns,
                longest_ns: sum.times.longest_ns,
            })
            .collect()
    }
}

/// An operator as it was called: name, shapes, types, strides.
type Op = (NameId, Option<NameId>, Option<NameId>, Option<NameId>);
