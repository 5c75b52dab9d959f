//! The document as tables. Nothing is computed here that the document does not hold.

mod compared;
mod flow;
mod ranks;

use std::collections::BTreeMap;

use cli_kit::{Align, Table, View};
use contracts::pipeline_analysis::report::{Outside, Pass, ReportData};
use contracts::{Document, Finite};

/// The whole view.
pub(crate) fn report(document: &Document<ReportData>, top: usize, shows_flow: bool) -> View {
    let data = &document.data;
    let mut view = View::new()
        .heading("Pipeline")
        .head(document)
        .list(vec![trace(data), detection(data)]);
    if data.ranks.len() > 1 {
        view = view.heading("Ranks").table(ranks::ranks(data).top(top));
    }
    if !data.passes.is_empty() {
        view = view
            .heading("Passes")
            .table(passes(data, top))
            .list(data.outside.as_ref().map(outside).into_iter().collect())
            .list(notes(data, top));
    }
    if !data.clusters.is_empty() {
        view = view
            .heading(layers_heading(data))
            .table(clusters(data).top(top))
            .list(outliers(data, top));
    }
    if let Some(comparison) = &data.comparison {
        view = compared::compared(view, comparison, top);
    }
    if shows_flow {
        view = flow::flow(view, data, top);
    }
    if !data.perfetto.is_empty() {
        let ranges = data.perfetto.iter();
        let lines = ranges.map(|range| {
            format!(
                "{}: {:.6} to {:.6} s",
                range.what,
                range.start_s.get(),
                range.end_s.get()
            )
        });
        view = view.heading("In a trace viewer").list(lines.take(top).collect());
    }
    view.next(document)
}

fn trace(data: &ReportData) -> String {
    let Some(info) = data.traces.iter().find(|info| info.analysed) else {
        return String::new();
    };
    let name = info.path.rsplit('/').next().unwrap_or(&info.path);
    let mut words = vec![format!("trace {name}")];
    words.extend(info.engine.clone());
    words.extend(info.gpu.clone());
    words.extend(info.rank.map(|rank| format!("rank {rank}")));
    words.push(format!("{:?}", info.completeness.grade).to_lowercase());
    words.join(" · ")
}

fn detection(data: &ReportData) -> String {
    let detection = &data.detection;
    let what = if detection.captured {
        "launches of thread"
    } else {
        "kernels of stream"
    };
    let mut words = vec![
        format!("{} {what} {}", detection.stream_kernels, detection.stream),
        format!("layers by {}", detection.method),
    ];
    if let (Some(period), Some(repeats)) = (detection.period, detection.repeats) {
        words.push(format!("{period} kernels × {:.1}", repeats.get()));
    }
    words.extend(
        detection
            .config_layers
            .map(|layers| format!("{layers} in the configuration")),
    );
    words.push(format!("confidence {:.2}", detection.confidence.get()));
    words.join(" · ")
}

/// Layers that are far from the others of their kind.
fn outliers(data: &ReportData, top: usize) -> Vec<String> {
    let layers = data.layers.iter().flatten();
    let noted = layers.filter_map(|layer| {
        let (note, wall_ns) = (layer.note.as_ref()?, layer.wall_ns?);
        Some(format!("layer {}: {} us, {note}", layer.index, us(wall_ns)))
    });
    noted.take(top).collect()
}

fn passes(data: &ReportData, top: usize) -> Table {
    let batch = data.passes.iter().any(|row| row.batch.is_some());
    let tokens = data
        .passes
        .iter()
        .any(|row| row.tokens.is_some() && row.tokens != row.batch);
    let mut columns = vec![
        ("pass", Align::Right),
        ("kind", Align::Left),
        ("start ms", Align::Right),
        ("wall ms", Align::Right),
        ("busy ms", Align::Right),
        ("idle ms", Align::Right),
        ("layers", Align::Right),
        ("steady", Align::Left),
    ];
    columns.extend(batch.then_some(("batch", Align::Right)));
    columns.extend(tokens.then_some(("tokens", Align::Right)));
    let mut table = Table::new(&columns);
    // The shown pass is among the rows, wherever it stands.
    let kept = |row: &&Pass| (row.index as usize) < top || data.shown_pass == Some(row.index);
    for row in data.passes.iter().filter(kept) {
        let shown = if data.shown_pass == Some(row.index) {
            "▸"
        } else {
            ""
        };
        let count = |count: Option<u64>| count.map_or_else(dash, |count| count.to_string());
        let mut cells = vec![
            format!("{shown}{}", row.index),
            row.kind.map_or("-", |kind| kind.name()).to_owned(),
            row.start_ns.map_or_else(dash, ms),
            row.wall_ns.map_or_else(dash, ms),
            row.busy_ns.map_or_else(dash, ms),
            row.idle_ns.map_or_else(dash, ms),
            count(row.layers),
            if row.steady { "yes" } else { "-" }.to_owned(),
        ];
        cells.extend(batch.then(|| count(row.batch)));
        cells.extend(tokens.then(|| count(row.tokens)));
        table.row(cells);
    }
    table.omitted = data.passes.len() - table.rows.len();
    table
}

/// Time in no pass.
fn outside(outside: &Outside) -> String {
    format!(
        "in no pass: {} ms before the first (from the first event of the trace), {} ms between passes, {} ms after the last",
        ms(outside.before_ns),
        ms(outside.between_ns),
        ms(outside.after_ns)
    )
}

/// What is special about passes; neighbours of which the same is said together.
fn notes(data: &ReportData, top: usize) -> Vec<String> {
    data.passes
        .chunk_by(|a, b| a.note == b.note)
        .filter_map(|rows| {
            let note = rows[0].note.as_ref()?;
            Some(match rows {
                [one] => format!("pass {}: {note}", one.index),
                [first, .., last] => format!("passes {}-{}: {note}", first.index, last.index),
                [] => return None,
            })
        })
        .take(top)
        .collect()
}

fn layers_heading(data: &ReportData) -> String {
    match data.shown_pass {
        Some(pass) => format!("Layers of pass {pass}"),
        None => "Layers".to_owned(),
    }
}

fn clusters(data: &ReportData) -> Table {
    let mut table = Table::new(&[
        ("type", Align::Left),
        ("count", Align::Right),
        ("layers", Align::Left),
        ("mean us", Align::Right),
        ("median us", Align::Right),
        ("share %", Align::Right),
        ("bottleneck", Align::Left),
        ("families, % of busy", Align::Left),
    ]);
    for row in &data.clusters {
        table.row(vec![
            row.layer_type.clone(),
            row.count.to_string(),
            places(&row.layers),
            row.wall_mean_ns.map_or_else(dash, us),
            row.wall_median_ns.map_or_else(dash, us),
            number(row.share_pct, 1),
            row.bottleneck.clone().unwrap_or_else(dash),
            row.families_pct.as_ref().map_or_else(dash, families),
        ]);
    }
    table
}

/// `0-23, 25, …`: neighbours as a range, a few of them.
fn places(layers: &[u64]) -> String {
    const SHOWN: usize = 4;
    let ranges: Vec<&[u64]> = layers.chunk_by(|a, b| a + 1 == *b).collect();
    let mut words: Vec<String> = ranges
        .iter()
        .take(SHOWN)
        .map(|range| match range {
            [one] => one.to_string(),
            [first, .., last] => format!("{first}-{last}"),
            [] => String::new(),
        })
        .collect();
    if ranges.len() > SHOWN {
        words.push("…".to_owned());
    }
    words.join(", ")
}

/// The four largest families.
fn families(families: &BTreeMap<String, Finite>) -> String {
    let mut sorted: Vec<(&String, f64)> = families.iter().map(|(name, pct)| (name, pct.get())).collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let words: Vec<String> = sorted
        .iter()
        .take(4)
        .map(|(name, pct)| format!("{name} {pct:.0}"))
        .collect();
    words.join(", ")
}

fn dash() -> String {
    "-".to_owned()
}

fn ms(ns: i64) -> String {
    format!("{:.3}", ns as f64 / 1e6)
}

fn us(ns: i64) -> String {
    format!("{:.1}", ns as f64 / 1e3)
}

fn signed_us(ns: i64) -> String {
    format!("{:+.1}", ns as f64 / 1e3)
}

fn number(value: Option<Finite>, digits: usize) -> String {
    value.map_or_else(dash, |value| format!("{:.digits$}", value.get()))
}
