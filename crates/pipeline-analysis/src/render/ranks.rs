//! The ranks beside each other.

use cli_kit::{Align, Table};
use contracts::pipeline_analysis::report::ReportData;

use super::{dash, ms, us};

/// One row a rank, the shown one marked.
pub(super) fn ranks(data: &ReportData) -> Table {
    let mut table = Table::new(&[
        ("rank", Align::Right),
        ("passes", Align::Right),
        ("layers", Align::Right),
        ("steady pass", Align::Right),
        ("kind", Align::Left),
        ("wall ms", Align::Right),
        ("busy ms", Align::Right),
        ("idle ms", Align::Right),
        ("slowest layer", Align::Left),
    ]);
    for row in &data.ranks {
        let count = |count: Option<u64>| count.map_or_else(dash, |count| count.to_string());
        let mark = if row.shown { "▸" } else { "" };
        table.row(vec![
            format!("{mark}{}", count(row.rank.map(u64::from))),
            row.passes.to_string(),
            count(row.layers),
            count(row.steady_pass),
            row.kind.map_or("-", |kind| kind.name()).to_owned(),
            row.wall_ns.map_or_else(dash, ms),
            row.busy_ns.map_or_else(dash, ms),
            row.idle_ns.map_or_else(dash, ms),
            row.slowest_layer.as_ref().map_or_else(dash, |layer| {
                format!("{} ({}), {} us", layer.index, layer.layer_type, us(layer.wall_ns))
            }),
        ]);
    }
    table
}
