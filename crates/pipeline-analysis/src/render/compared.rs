//! Two layers against each other.

use cli_kit::{Align, Table, View};
use contracts::pipeline_analysis::report::{Comparison, OnlyKernel};
use torch_trace::short;

use super::{signed_us, us};

/// Their times by family, and the kernels that only one has.
pub(super) fn compared(view: View, comparison: &Comparison, top: usize) -> View {
    let (layer, other) = (comparison.layer, comparison.other);
    let mut view = view.heading(format!("Layer {layer} against layer {other}"));
    if let Some(delta_ns) = comparison.wall_delta_ns {
        let word = if delta_ns < 0 { "less" } else { "more" };
        let size = us(delta_ns.saturating_abs());
        view = view.text(format!("layer {other} takes {size} us {word} than layer {layer}"));
    }
    if !comparison.families.is_empty() {
        let names = [format!("layer {layer} us"), format!("layer {other} us")];
        let mut table = Table::new(&[
            ("family", Align::Left),
            (&names[0], Align::Right),
            (&names[1], Align::Right),
            ("difference us", Align::Right),
        ]);
        for row in &comparison.families {
            table.row(vec![
                row.family.clone(),
                us(row.layer_ns),
                us(row.other_ns),
                signed_us(row.delta_ns),
            ]);
        }
        view = view.table(table.top(top));
    }
    let mut table = Table::new(&[
        ("only in layer", Align::Right),
        ("times", Align::Right),
        ("family", Align::Left),
        ("kernel", Align::Left),
    ]);
    let mut add = |layer: u64, kernels: &[OnlyKernel]| {
        for kernel in kernels {
            table.row(vec![
                layer.to_string(),
                kernel.calls.to_string(),
                kernel.family.clone(),
                short(&kernel.kernel),
            ]);
        }
    };
    add(layer, &comparison.only_layer);
    add(other, &comparison.only_other);
    if table.rows.is_empty() {
        view.text("Both have the same kernels.")
    } else {
        view.table(table.top(top))
    }
}
