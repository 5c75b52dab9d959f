//! The document as tables. Nothing is computed here that the document does not hold.

mod fusions;

use cli_kit::{Align, Table, View};
use contracts::profile_tables::report::{
    CriticalKind, CriticalPath, GraphPlace, KernelRow, LayerPart, ReportData, Stage,
};
use contracts::{Document, Finite};
use torch_trace::kernel_name::short;

/// What the column of shares is of.
const SHARE: &str =
    "share %: part of the busy time; where kernels run at once, each instant is divided equally among them.";

/// Kinds of the critical path that a line names.
const CRITICAL_KINDS: usize = 5;

/// The whole view.
pub(crate) fn report(document: &Document<ReportData>, top: usize, min_share_pct: f64) -> View {
    let data = &document.data;
    let mut view = View::new()
        .heading("Profile tables")
        .head(document)
        .table(traces(data));
    for stage in &data.stages {
        view = of_stage(view, stage, top, min_share_pct);
    }
    if let Some(ranks) = &data.ranks {
        let mut table = Table::new(&[
            ("rank", Align::Right),
            ("busy ms", Align::Right),
            ("comm ms", Align::Right),
            ("hidden ms", Align::Right),
            ("came last", Align::Right),
            ("others waited ms", Align::Right),
        ]);
        for row in &ranks.summary {
            table.row(vec![
                row.rank.to_string(),
                ms(row.gpu_busy_ns),
                ms(row.comm_ns),
                ms(row.comm_hidden_ns),
                row.last_arrivals.to_string(),
                ms(row.waited_for_ns),
            ]);
        }
        view = view.heading("Ranks").table(table.top(top));
    }
    view.next(document)
}

fn traces(data: &ReportData) -> Table {
    let mut table = Table::new(&[
        ("trace", Align::Left),
        ("rank", Align::Right),
        ("GPU", Align::Left),
        ("engine", Align::Left),
        ("kernels", Align::Right),
        ("grade", Align::Left),
    ]);
    for info in &data.traces {
        let name = info.path.rsplit('/').next().unwrap_or(&info.path);
        table.row(vec![
            name.to_owned(),
            info.rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string()),
            info.gpu.clone().unwrap_or_else(|| "-".to_owned()),
            info.engine.clone().unwrap_or_else(|| "-".to_owned()),
            info.kernels.to_string(),
            format!("{:?}", info.completeness.grade).to_lowercase(),
        ]);
    }
    table
}

fn of_stage(view: View, stage: &Stage, top: usize, min_share_pct: f64) -> View {
    let mut view = view.heading(format!("Stage {}", stage.stage)).text(format!(
        "span {} ms · busy {} ms · idle {} ms (until its launch returned {}) · sum/busy {} · comm {} ms (hidden {}) · graph {} events, {} breaks",
        ms(stage.span_ns),
        ms(stage.gpu_busy_ns),
        ms(stage.idle_ns),
        ms(stage.idle_launch_bound_ns),
        number(stage.sum_over_busy_ratio, 3),
        ms(stage.comm_ns),
        ms(stage.comm_hidden_ns),
        stage.graph_events,
        stage.graph_breaks,
    ));
    let mut idle = Table::new(&[
        ("idle because", Align::Left),
        ("gaps", Align::Right),
        ("ms", Align::Right),
        ("of span %", Align::Right),
        ("around", Align::Left),
        ("to try", Align::Left),
    ]);
    for row in &stage.idle {
        idle.row(vec![
            row.cause.words().to_owned(),
            row.gaps.to_string(),
            ms(row.ns),
            number(row.span_pct, 1),
            row.python_location
                .as_deref()
                .map_or_else(|| "-".to_owned(), near),
            row.levers.first().map_or("-", |lever| &lever.change).to_owned(),
        ]);
    }
    view = view.table(idle);
    if let Some(path) = &stage.critical_path {
        view = view.text(critical(path));
    }
    let mut kernels = Table::new(&[
        ("kernel", Align::Left),
        ("family", Align::Left),
        ("calls", Align::Right),
        ("ms", Align::Right),
        ("share %", Align::Right),
        ("from", Align::Left),
    ]);
    view = view.text(SHARE);
    let shown = |share: Option<Finite>| share.is_some_and(|share| share.get() >= min_share_pct);
    for row in stage.kernel_table.iter().filter(|row| shown(row.share_pct)) {
        kernels.row(vec![
            short(&row.kernel),
            row.family.clone(),
            row.calls.to_string(),
            ms(row.gpu_time_ns),
            number(row.share_pct, 1),
            from(row),
        ]);
    }
    view = view.table(kernels.top(top));
    let mut overlap = Table::new(&[
        ("", Align::Left),
        ("kernel", Align::Left),
        ("exclusive %", Align::Right),
        ("headroom ms", Align::Right),
        ("risk", Align::Left),
        ("do", Align::Left),
    ]);
    for row in stage
        .overlap_table
        .iter()
        .filter(|row| row.priority.as_str() < "P4")
    {
        overlap.row(vec![
            row.priority.clone(),
            short(&row.kernel),
            number(row.exclusive_pct, 0),
            ms(row.headroom_ns),
            row.dependency_risk.clone(),
            row.recommendation.clone(),
        ]);
    }
    view = view.table(overlap.top(top));
    fusions::fusions(view, stage, top)
}

/// The critical path in a line: what most of it is spent with, and its longest segment.
fn critical(path: &CriticalPath) -> String {
    let kinds: Vec<String> = path
        .kinds
        .iter()
        .take(CRITICAL_KINDS)
        .map(|row| {
            let what = row.family.as_deref().unwrap_or(row.kind.words());
            format!("{what} {} ms ({} %)", ms(row.ns), number(row.path_pct, 1))
        })
        .collect();
    let longest = path.longest.first().map(|segment| {
        let kernel = segment.kernel.as_deref().map(short).unwrap_or_default();
        let stream = segment.stream.as_deref().unwrap_or("-");
        let what = match segment.kind {
            CriticalKind::Kernel => kernel,
            kind => format!("{} before {kernel}", kind.words()),
        };
        format!(" · longest: {what}, stream {stream}, {} ms", ms(segment.ns))
    });
    format!(
        "critical path {} ms: {}{}",
        ms(path.total_ns),
        kinds.join(", "),
        longest.unwrap_or_default()
    )
}

/// Where a kernel comes from: its line, marked where it was inferred; else its operator, else its place in the model.
fn from(row: &KernelRow) -> String {
    let inferred = row.located_by.as_deref() == Some("graph-position");
    let place = row.sites.first().and_then(|site| site.place.as_ref());
    match (&row.python_location, &row.cpu_op, place) {
        (Some(line), ..) if inferred => format!("{} (inferred)", near(line)),
        (Some(line), ..) | (None, Some(line), None) => near(line),
        (None, _, Some(place)) => place_words(place),
        (None, None, None) => "-".to_owned(),
    }
}

fn place_words(place: &GraphPlace) -> String {
    match (place.part, place.index, place.of, &place.layers) {
        (LayerPart::Before, ..) => "before the layers".to_owned(),
        (LayerPart::After, ..) => "after the layers".to_owned(),
        (LayerPart::Layer, Some(index), Some(of), Some(layers)) => {
            format!("layers {layers}, kernel {} of {of}", index + 1)
        }
        (LayerPart::Layer, _, _, layers) => format!("layers {}", layers.as_deref().unwrap_or("-")),
    }
}

/// A location without the folders: a table has no room for them, the document has them.
fn near(location: &str) -> String {
    let path_end = location.find(".py(").unwrap_or(0);
    let name = location[..path_end].rfind('/').map_or(0, |slash| slash + 1);
    location[name..].to_owned()
}

fn ms(ns: i64) -> String {
    format!("{:.3}", ns as f64 / 1e6)
}

fn number(value: Option<Finite>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.digits$}", value.get()))
}
