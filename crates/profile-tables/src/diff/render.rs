//! The document as a waterfall. Nothing is computed here that the document does not hold, but where a bar begins.

use cli_kit::{Align, Table, View};
use contracts::Document;
use contracts::profile_tables::diff::{DiffData, DiffSide, NormalisedBy, Position, WaterfallRow, Whose};
use contracts::profile_tables::report::FuseState;

use super::names::distinct;
use super::summary::{Scale, name_of};

/// Width of a bar, in characters.
const BAR: usize = 15;

/// The whole view.
pub(super) fn report(document: &Document<DiffData>, top: usize) -> View {
    let data = &document.data;
    let scale = Scale::of(data);
    let mut view = View::new()
        .heading("Where the time between two engines went")
        .head(document)
        .table(sides(data))
        .heading(format!("Waterfall, {}", unit(data.normalised_by)))
        .table(waterfall(data, top));
    let places = positions(data);
    if !places.rows.is_empty() {
        view = view.heading("By place in the model").table(places.top(top));
    }
    if !data.kernels.is_empty() {
        let mut table = Table::new(&[
            ("only", Align::Left),
            ("kernel", Align::Left),
            ("family", Align::Left),
            ("launches", Align::Right),
            (scale.name, Align::Right),
        ]);
        let kernels: Vec<&str> = data.kernels.iter().map(|row| row.kernel.as_str()).collect();
        for (row, name) in data.kernels.iter().zip(distinct(&kernels)) {
            table.row(vec![
                whose(row.side).to_owned(),
                name,
                row.family.clone(),
                count(row.launches.get()),
                scale.time(row.ns),
            ]);
        }
        view = view.heading("Kernels that one side has").table(table.top(top));
    }
    if !data.fusions.is_empty() {
        let mut table = Table::new(&[
            ("only", Align::Left),
            ("fusion", Align::Left),
            ("times", Align::Right),
            ("the other side", Align::Left),
            (&format!("saves at most {}", scale.name), Align::Right),
            ("why", Align::Left),
        ]);
        for row in &data.fusions {
            table.row(vec![
                whose(row.side).to_owned(),
                row.pattern.clone(),
                count(row.fused_launches.get()),
                match row.other {
                    FuseState::Split => format!("split, {} times", count(row.split_occurrences.get())),
                    FuseState::Present | FuseState::Absent => "absent".to_owned(),
                },
                row.estimated_saving_ns
                    .map_or_else(|| "-".to_owned(), |ns| scale.time(ns)),
                row.rationale.clone(),
            ]);
        }
        view = view.heading("Fusions that one side has").table(table.top(top));
    }
    view.next(document)
}

fn unit(by: NormalisedBy) -> &'static str {
    match by {
        NormalisedBy::Step => "per step",
        NormalisedBy::Token => "per token",
        NormalisedBy::Trace => "whole traces",
    }
}

fn whose(side: Whose) -> &'static str {
    match side {
        Whose::Ours => "ours",
        Whose::Theirs => "theirs",
    }
}

fn sides(data: &DiffData) -> Table {
    let mut table = Table::new(&[
        ("side", Align::Left),
        ("trace", Align::Left),
        ("engine", Align::Left),
        ("GPU", Align::Left),
        ("stage", Align::Left),
        ("steps", Align::Right),
        ("tokens", Align::Right),
        ("layers", Align::Right),
    ]);
    let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    for (name, side) in [("ours", &data.ours), ("theirs", &data.theirs)] {
        table.row(vec![
            name.to_owned(),
            trace_names(side),
            side.engine.clone().unwrap_or_else(|| "-".to_owned()),
            side.traces
                .iter()
                .find_map(|trace| trace.gpu.clone())
                .unwrap_or_else(|| "-".to_owned()),
            side.stage.clone(),
            number(side.steps),
            number(side.tokens),
            number(side.layers),
        ]);
    }
    table
}

fn trace_names(side: &DiffSide) -> String {
    let mut names = side.traces.iter().filter(|trace| trace.analysed).map(|trace| {
        let name = trace.path.rsplit('/').next().unwrap_or(&trace.path);
        let name = name.trim_end_matches(".gz").trim_end_matches(".json");
        name.trim_end_matches(".trace").to_owned()
    });
    let first = names.next().unwrap_or_else(|| "-".to_owned());
    match names.count() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn waterfall(data: &DiffData, top: usize) -> Table {
    let scale = Scale::of(data);
    let mut table = Table::new(&[
        ("", Align::Left),
        (&format!("ours {}", scale.name), Align::Right),
        (&format!("theirs {}", scale.name), Align::Right),
        (&format!("delta {}", scale.name), Align::Right),
        ("of it %", Align::Right),
        ("launches", Align::Right),
        ("", Align::Left),
    ]);
    let shown: Vec<&WaterfallRow> = data.waterfall.iter().take(top).collect();
    let bars = Bars::of(data, &shown);
    let total = |name: &str, ours: String, theirs: String, at: i64| {
        vec![
            name.to_owned(),
            ours,
            theirs,
            String::new(),
            String::new(),
            String::new(),
            bars.mark(at),
        ]
    };
    table.row(total(
        "theirs",
        String::new(),
        scale.time(data.theirs_ns),
        data.theirs_ns,
    ));
    let mut at = data.theirs_ns;
    for row in shown {
        let launches = (count(row.ours_launches.get()), count(row.theirs_launches.get()));
        table.row(vec![
            name_of(row),
            scale.time(row.ours_ns),
            scale.time(row.theirs_ns),
            scale.signed(row.delta_ns),
            row.delta_pct.map_or_else(
                || "-".to_owned(),
                |pct| format!("{:.1}", (pct.get() * 10.0).round() / 10.0 + 0.0),
            ),
            format!("{} / {}", launches.0, launches.1),
            bars.bar(at, at + row.delta_ns),
        ]);
        at += row.delta_ns;
    }
    table.row(total(
        "ours",
        scale.time(data.ours_ns),
        String::new(),
        data.ours_ns,
    ));
    table.omitted = data.waterfall.len().saturating_sub(top);
    table
}

/// The bars' place on the line: from the lowest to the highest running sum.
struct Bars {
    low: i64,
    high: i64,
}

impl Bars {
    fn of(data: &DiffData, rows: &[&WaterfallRow]) -> Self {
        let (mut low, mut high) = (data.ours_ns.min(data.theirs_ns), data.ours_ns.max(data.theirs_ns));
        let mut at = data.theirs_ns;
        for row in rows {
            at += row.delta_ns;
            low = low.min(at);
            high = high.max(at);
        }
        Self { low, high }
    }

    fn column(&self, at: i64) -> usize {
        let length = (self.high - self.low).max(1) as f64;
        ((at - self.low) as f64 / length * BAR as f64).round() as usize
    }

    /// Where a total lies.
    fn mark(&self, at: i64) -> String {
        format!("{}|", pad(self.column(at).min(BAR - 1)))
    }

    /// A step from one running sum to the next: full blocks where ours is slower, light ones where it is faster.
    fn bar(&self, from: i64, to: i64) -> String {
        let (start, end) = (self.column(from.min(to)), self.column(from.max(to)));
        let block = if to > from { '█' } else { '░' };
        let bar: String = std::iter::repeat_n(block, end - start).collect();
        if bar.is_empty() {
            bar
        } else {
            format!("{}{bar}", pad(start))
        }
    }
}

/// Spaces that no table trims or breaks a line at.
fn pad(columns: usize) -> String {
    std::iter::repeat_n('\u{a0}', columns).collect()
}

/// Differences by place: one row a family.
fn positions(data: &DiffData) -> Table {
    let scale = Scale::of(data);
    let layers = data.ours.layers.unwrap_or(0).max(data.theirs.layers.unwrap_or(0));
    let between = format!("{} between", layers.saturating_sub(2));
    let mut table = Table::new(&[
        (&format!("delta {}", scale.name), Align::Left),
        ("first layer", Align::Right),
        (&between, Align::Right),
        ("last layer", Align::Right),
        ("outside", Align::Right),
        ("all", Align::Right),
    ]);
    let placed =
        |row: &&WaterfallRow| !row.positions.is_empty() && scale.signed(row.delta_ns) != scale.signed(0);
    for row in data.waterfall.iter().filter(placed) {
        let at = |position: Position| {
            let place = row.positions.iter().find(|place| place.position == position);
            place.map_or_else(|| "-".to_owned(), |place| scale.signed(place.delta_ns))
        };
        table.row(vec![
            name_of(row),
            at(Position::First),
            at(Position::Middle),
            at(Position::Last),
            at(Position::Outside),
            scale.signed(row.delta_ns),
        ]);
    }
    table
}

/// A count of launches: whole where it is.
fn count(value: f64) -> String {
    if value.fract().abs() < 0.005 || value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}
