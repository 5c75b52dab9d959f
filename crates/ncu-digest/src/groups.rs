//! Launches of one kernel with one configuration. Of three or more the first is left out: it pays for what is cold.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::ncu_digest::Counter;
use contracts::ncu_digest::kernel::Kernel;
use contracts::ncu_digest::report;

use crate::fields;
use crate::thresholds::DROP_FIRST_LAUNCHES;

/// A group with its launches.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    /// Launches in the order of the report, the first dropped where enough are there.
    pub(crate) launches: Vec<&'a Kernel>,
    /// Launches before one was dropped.
    pub(crate) n: usize,
}

/// Groups, those that take the most time first; without durations in the order of the report.
pub(crate) fn groups(kernels: &[Kernel]) -> Vec<Group<'_>> {
    let mut by_configuration: BTreeMap<_, Vec<&Kernel>> = BTreeMap::new();
    for kernel in kernels {
        let configuration = (kernel.key.as_str(), kernel.grid, kernel.block, registers(kernel));
        by_configuration.entry(configuration).or_default().push(kernel);
    }
    let mut groups: Vec<Group<'_>> = by_configuration.into_values().map(Group::new).collect();
    groups.sort_by(|a, b| {
        let order = b.total_ns().total_cmp(&a.total_ns());
        order.then_with(|| a.first().index.cmp(&b.first().index))
    });
    groups
}

/// Registers of a thread as something that can be compared for equality: what tells configurations apart.
pub(crate) fn registers(kernel: &Kernel) -> Option<u64> {
    let registers = kernel.registers.as_ref();
    registers.map(|counter| counter.value.get().to_bits())
}

/// Duration to sort by; 0 where it was not collected.
pub(crate) fn duration_ns(kernel: &Kernel) -> f64 {
    let duration = kernel.duration_ns.as_ref();
    duration.map_or(0.0, |counter| counter.value.get())
}

impl<'a> Group<'a> {
    fn new(mut launches: Vec<&'a Kernel>) -> Group<'a> {
        launches.sort_by_key(|kernel| kernel.index);
        let n = launches.len();
        if n >= DROP_FIRST_LAUNCHES {
            launches.remove(0);
        }
        Group { launches, n }
    }

    pub(crate) fn first(&self) -> &'a Kernel {
        self.launches[0]
    }

    /// The launch whose duration is the median, the shorter of two in the middle: what speaks for the group.
    pub(crate) fn typical(&self) -> &'a Kernel {
        let mut launches = self.launches.clone();
        launches.sort_by(|a, b| duration_ns(a).total_cmp(&duration_ns(b)));
        launches[(launches.len() - 1) / 2]
    }

    /// Median of a number over the launches; of an even count the mean of the two in the middle.
    pub(crate) fn median(&self, field: fn(&Kernel) -> Option<&Counter>) -> Option<Counter> {
        let (mut values, metric) = self.values(field)?;
        stats::percentile::sort(&mut values);
        fields::counter(stats::percentile::linear(&values, 50.0)?, metric)
    }

    /// Spread of the durations, percent; `None` with fewer than two.
    pub(crate) fn cv_pct(&self) -> Option<f64> {
        let (values, _) = self.values(|kernel| kernel.duration_ns.as_ref())?;
        (values.len() >= 2)
            .then(|| stats::summary::cv_pct(&values))
            .flatten()
    }

    fn total_ns(&self) -> f64 {
        let median = self.median(|kernel| kernel.duration_ns.as_ref());
        median.map_or(0.0, |median| median.value.get() * self.n as f64)
    }

    /// The numbers of all launches; `None` where one of them has none.
    fn values(&self, field: fn(&Kernel) -> Option<&Counter>) -> Option<(Vec<f64>, String)> {
        let counters: Option<Vec<&Counter>> = self.launches.iter().map(|kernel| field(kernel)).collect();
        let counters = counters?;
        let metric = counters.first()?.metric.clone();
        Some((
            counters.iter().map(|counter| counter.value.get()).collect(),
            metric,
        ))
    }

    pub(crate) fn row(&self) -> report::Group {
        let first = self.first();
        let values = self.values(|kernel| kernel.duration_ns.as_ref());
        let edge = |pick: fn(f64, f64) -> f64| {
            let (values, metric) = values.as_ref()?;
            fields::counter(values.iter().copied().reduce(pick)?, metric.clone())
        };
        report::Group {
            key: first.key.clone(),
            grid: first.grid,
            block: first.block,
            registers: first.registers.clone(),
            n: self.n as u64,
            first_dropped: self.launches.len() < self.n,
            median_ns: self.median(|kernel| kernel.duration_ns.as_ref()),
            min_ns: edge(f64::min),
            max_ns: edge(f64::max),
            cv_pct: self.cv_pct().and_then(Finite::new),
        }
    }
}
