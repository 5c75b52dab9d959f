//! The document as a table. Nothing is computed here that the document does not hold.

use cli_kit::{Align, Table, View};
use contracts::Document;
use contracts::profile_tables::rows::{KernelWorkload, RowsData};
use serde_json::Value;
use torch_trace::kernel_name::short;

/// The whole view.
pub(super) fn report(document: &Document<RowsData>, top: usize) -> View {
    let mut table = Table::new(&[
        ("kernel", Align::Left),
        ("op", Align::Left),
        ("shapes", Align::Left),
        ("calls", Align::Right),
        ("us a call", Align::Right),
        ("shortest", Align::Right),
        ("longest", Align::Right),
        ("weight %", Align::Right),
    ]);
    for row in &document.data.workloads {
        table.row(vec![
            short(&row.kernel),
            row.op.clone().unwrap_or_else(|| "-".to_owned()),
            inputs(row),
            row.calls.to_string(),
            format!("{:.2}", row.gpu_time_ns as f64 / 1e3 / row.calls.max(1) as f64),
            format!("{:.2}", row.shortest_ns as f64 / 1e3),
            format!("{:.2}", row.longest_ns as f64 / 1e3),
            row.weight_pct
                .map_or_else(|| "-".to_owned(), |weight| format!("{:.1}", weight.get())),
        ]);
    }
    View::new()
        .heading("What kernels are called with")
        .head(document)
        .table(table.top(top))
        .next(document)
}

/// `16x2048 BFloat16, 2048 BFloat16`: tensors only, scalars say nothing of the work; strides where there are gaps in memory
/// or another order.
fn inputs(row: &KernelWorkload) -> String {
    let Some(dims) = &row.input_dims else {
        return match row.in_graph_calls {
            0 => "not recorded".to_owned(),
            all if all == row.calls => "replayed by a graph".to_owned(),
            some => format!("{some} replayed by a graph, others not recorded"),
        };
    };
    let types = row.input_types.as_deref().unwrap_or_default();
    let strides = row.input_strides.as_deref().unwrap_or_default();
    let tensors: Vec<String> = dims
        .iter()
        .enumerate()
        .filter_map(|(place, shape)| {
            let shape = sizes(shape)?;
            let kind = types.get(place).map_or("", String::as_str);
            let mut text = format!("{shape} {}", kind.trim_start_matches("c10::"));
            if let Some(strides) = strides
                .get(place)
                .and_then(|strides| unusual(dims.get(place)?, strides))
            {
                text.push_str(&format!(" (strides {strides})"));
            }
            Some(text.trim_end().to_owned())
        })
        .collect();
    if tensors.is_empty() {
        "no tensors".to_owned()
    } else {
        tensors.join(", ")
    }
}

/// `4x8`, or the shapes of a list of tensors; `None` for a scalar.
fn sizes(shape: &Value) -> Option<String> {
    let list = shape.as_array().filter(|list| !list.is_empty())?;
    let parts: Vec<String> = list
        .iter()
        .map(|inner| match inner {
            Value::Array(_) => sizes(inner).unwrap_or_default(),
            number => number.to_string(),
        })
        .collect();
    if list.iter().any(Value::is_array) {
        Some(format!("[{}]", parts.join(", ")))
    } else {
        Some(parts.join("x"))
    }
}

/// The strides of one tensor, where they are not those of rows that lie one behind the other.
fn unusual(shape: &Value, strides: &Value) -> Option<String> {
    let numbers = |list: &Value| -> Option<Vec<i64>> { list.as_array()?.iter().map(Value::as_i64).collect() };
    let (shape, strides) = (numbers(shape)?, numbers(strides)?);
    let mut usual = vec![1_i64; shape.len()];
    for place in (1..shape.len()).rev() {
        usual[place - 1] = usual[place].saturating_mul(shape[place].max(1));
    }
    // The stride of a dimension of one element is never used.
    let differs = |place: usize| shape[place] > 1 && strides[place] != usual[place];
    (shape.len() == strides.len() && (0..shape.len()).any(differs)).then(|| {
        let words: Vec<String> = strides.iter().map(i64::to_string).collect();
        words.join(",")
    })
}
