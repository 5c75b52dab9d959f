//! The kernels of layers, and where they come from.

use cli_kit::{Align, Table, View};
use contracts::pipeline_analysis::report::{FlowRow, ReportData};
use torch_trace::short;

use super::{dash, number, us};

/// Adds a heading and two tables for each layer of the flow.
pub(super) fn flow(mut view: View, data: &ReportData, top: usize) -> View {
    for rows in data.flow.chunk_by(|a, b| a.layer == b.layer) {
        let layer = rows[0].layer;
        let of = data.layers.iter().flatten().find(|row| row.index == layer);
        let mut heading = format!("Layer {layer}");
        if let Some(of) = of {
            heading.push_str(&format!(" ({})", of.layer_type));
        }
        view = view.heading(heading);
        let times = of.and_then(|row| Some((row.wall_ns?, row.busy_ns?)));
        if let Some((wall_ns, busy_ns)) = times {
            view = view.text(format!(
                "wall {} us · busy {} us · {} kernels; * marks those that take half of the time",
                us(wall_ns),
                us(busy_ns),
                rows.len()
            ));
        }
        let shown = largest(rows, top);
        let omitted = rows.len() - shown.len();
        view = view.table(flow_table(&shown, times.is_some(), omitted));
        let origins = origins(&shown);
        if !origins.rows.is_empty() {
            view = view.table(origins);
        }
    }
    view
}

/// In launch order the rows with the most time, where not all are shown.
fn largest(rows: &[FlowRow], top: usize) -> Vec<&FlowRow> {
    let mut shown: Vec<&FlowRow> = rows.iter().collect();
    let share = |row: &FlowRow| row.share_pct.map_or(0.0, |share| share.get());
    // Stable: of equals the first.
    shown.sort_by(|a, b| share(b).total_cmp(&share(a)));
    shown.truncate(top);
    shown.sort_by_key(|row| row.order);
    shown
}

fn flow_table(rows: &[&FlowRow], timed: bool, omitted: usize) -> Table {
    let mut columns = vec![
        ("#", Align::Right),
        ("family", Align::Left),
        ("kernel", Align::Left),
    ];
    if timed {
        columns.extend([("at us", Align::Right), ("us", Align::Right), ("%", Align::Right)]);
    }
    let mut table = Table::new(&columns);
    for row in rows {
        let mut cells = vec![
            format!("{}{}", if row.hot { "*" } else { "" }, row.order),
            row.family.clone(),
            middle(&short(&row.kernel)),
        ];
        if timed {
            cells.push(row.rel_ns.map_or_else(dash, us));
            cells.push(row.dur_ns.map_or_else(dash, us));
            cells.push(number(row.share_pct, 1));
        }
        table.row(cells);
    }
    table.omitted = omitted;
    table
}

/// Where kernels come from, and what they work on.
fn origins(rows: &[&FlowRow]) -> Table {
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("from", Align::Left),
        ("input dims", Align::Left),
    ]);
    for row in rows {
        if row.python_location.is_some() || row.input_dims.is_some() {
            table.row(vec![
                format!("{}{}", if row.hot { "*" } else { "" }, row.order),
                row.python_location.as_deref().map_or_else(dash, near),
                row.input_dims.as_deref().map_or_else(dash, some_dims),
            ]);
        }
    }
    table
}

/// A location without its folders: a table has no room for them, the document has them.
fn near(location: &str) -> String {
    let path_end = location.find(".py(").unwrap_or(0);
    let name = location[..path_end].rfind('/').map_or(0, |slash| slash + 1);
    location[name..].to_owned()
}

/// `[[888, 2880], [], [2880]]` as `888×2880 2880`: the first shapes that are not empty.
fn some_dims(dims: &str) -> String {
    let plain: String = dims.chars().filter(|c| !c.is_whitespace()).collect();
    let shapes: Vec<String> = plain
        .split(['[', ']'])
        .map(|part| part.trim_matches(',').replace(',', "×"))
        .filter(|part| !part.is_empty())
        .collect();
    match shapes.as_slice() {
        [] => dash(),
        all => middle(&all.join(" ")),
    }
}

/// The beginning and the end of a text that is too long for its column; the document has it whole.
fn middle(text: &str) -> String {
    const SHOWN: usize = 44;
    let length = text.chars().count();
    if length <= SHOWN {
        return text.to_owned();
    }
    let head = text.chars().take(SHOWN / 2);
    let tail = text.chars().skip(length - SHOWN / 2 + 1);
    head.chain(['…']).chain(tail).collect()
}
