//! Layers of one kind: how many, how long, and what takes their time.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::pipeline_analysis::report::Cluster;
use trace_layers::steady;

use crate::layers::Measured;
use crate::outliers::median;

/// The clusters of a pass, in the order of their first layers.
pub(crate) fn clusters(measured: &[Measured]) -> Vec<Cluster> {
    let mut order: Vec<usize> = Vec::new();
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, of) in measured.iter().enumerate() {
        let cluster = of.layer.cluster;
        if !order.contains(&cluster) {
            order.push(cluster);
        }
        members.entry(cluster).or_default().push(index);
    }
    let all: f64 = measured.iter().filter_map(busy).sum();
    order
        .iter()
        .map(|cluster| row(measured, &members[cluster], all))
        .collect()
}

fn busy(of: &Measured) -> Option<f64> {
    of.times.as_ref().map(|times| times.busy_ns as f64)
}

fn row(measured: &[Measured], members: &[usize], all: f64) -> Cluster {
    let of = |member: &usize| &measured[*member];
    let walls: Option<Vec<i64>> = members.iter().map(|member| of(member).wall_ns()).collect();
    let representative = walls
        .as_deref()
        .and_then(|walls| Some(members[steady(walls)?.representative(walls)]))
        .unwrap_or(members[0]);
    let mut families: BTreeMap<&str, f64> = BTreeMap::new();
    for (family, ns) in members.iter().flat_map(|member| &of(member).families) {
        *families.entry(family).or_default() += ns;
    }
    let busy_ns: f64 = members.iter().map(of).filter_map(busy).sum();
    let wall_ns = walls
        .as_ref()
        .map(|walls| walls.iter().map(|wall| *wall as f64).sum::<f64>());
    let largest = families
        .iter()
        .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)));
    let bottleneck = wall_ns.zip(largest).map(
        |(wall, (family, ns))| {
            if wall - busy_ns > *ns { "idle" } else { family }
        },
    );
    Cluster {
        layer_type: of(&members[0]).layer_type.clone(),
        count: members.len() as u64,
        layers: members.iter().map(|member| *member as u64).collect(),
        representative: representative as u64,
        wall_median_ns: walls.as_deref().and_then(median),
        outliers: members
            .iter()
            .filter(|member| of(member).of_median.is_some())
            .map(|member| *member as u64)
            .collect(),
        wall_mean_ns: wall_ns.map(|wall| (wall / members.len() as f64).round() as i64),
        share_pct: wall_ns.and_then(|_| Finite::ratio(100.0 * busy_ns, all)),
        families_pct: wall_ns.map(|_| {
            let share = |(family, ns): (&&str, &f64)| {
                Some(((*family).to_owned(), Finite::ratio(100.0 * ns, busy_ns)?))
            };
            families.iter().filter_map(share).collect()
        }),
        bottleneck: bottleneck.map(str::to_owned),
    }
}
