//! Known fusions of a stage: what is split in a table, what is fused already in a line.

use cli_kit::{Align, Table, View};
use contracts::profile_tables::report::{CriticalKind, FuseRow, FuseState, Stage};

use super::{ms, number};

/// Adds them to a view.
pub(super) fn fusions(mut view: View, stage: &Stage, top: usize) -> View {
    let of = |state: FuseState| stage.fuse_table.iter().filter(move |row| row.state == state);
    let split: Vec<&FuseRow> = of(FuseState::Split).collect();
    if !split.is_empty() {
        view = view.table(table(&split).top(top));
        if let Some(limit) = limit(stage, &split) {
            view = view.text(limit);
        }
    }
    let present: Vec<&str> = of(FuseState::Present).map(|row| row.pattern.as_str()).collect();
    if !present.is_empty() {
        view = view.text(format!("fused already: {}", present.join("; ")));
    }
    view
}

fn table(rows: &[&FuseRow]) -> Table {
    let mut table = Table::new(&[
        ("split fusion", Align::Left),
        ("times", Align::Right),
        ("ms", Align::Right),
        ("saves at most ms", Align::Right),
        ("shortens by ms", Align::Right),
        ("why", Align::Left),
    ]);
    for row in rows {
        let shortens = match row.shortens_ns {
            Some(0) => "nothing".to_owned(),
            shortens => shortens.map_or_else(|| "-".to_owned(), ms),
        };
        table.row(vec![
            row.pattern.clone(),
            row.occurrences.to_string(),
            ms(row.related_ns),
            row.estimated_saving_ns.map_or_else(|| "-".to_owned(), ms),
            shortens,
            row.rationale.clone(),
        ]);
    }
    table
}

/// Why fusions shorten the span by less than they save; `None` where they do not, or nobody knows.
fn limit(stage: &Stage, split: &[&FuseRow]) -> Option<String> {
    let less = |row: &&FuseRow| row.shortens_ns.is_some() && row.shortens_ns < row.estimated_saving_ns;
    split.iter().find(|row| less(row))?;
    let first = stage.critical_path.as_ref()?.kinds.first()?;
    let host = matches!(first.kind, CriticalKind::Launch | CriticalKind::Synchronisation);
    Some(if host {
        format!(
            "The host is the limit ({} % of the critical path): device time that is saved beside the path shortens nothing until it is not.",
            number(first.path_pct, 1)
        )
    } else {
        "Device time that is saved beside the critical path shortens nothing.".to_owned()
    })
}
