//! The kernels of a layer in launch order.

use contracts::Finite;
use contracts::pipeline_analysis::report::FlowRow;
use contracts::text::{FOREIGN_TEXT_CAP, clean, clean_bytes};
use torch_trace::{Derived, Trace, short_location};

use crate::layers::Measured;
use crate::stream::{Source, Stream};

/// Longest name of a kernel, in bytes: CUTLASS has names of thousands.
pub(crate) const NAME_CAP: usize = 8192;
/// Longest text of shapes, in bytes.
const DIMS_CAP: usize = 300;

/// Rows of one layer.
pub(crate) fn flow(
    trace: &Trace,
    derived: &Derived,
    stream: &Stream<'_>,
    layer: usize,
    measured: &Measured,
) -> Vec<FlowRow> {
    let times = measured.times.as_ref();
    let hot = times.map_or_else(Vec::new, |times| hot(&times.parts_ns));
    stream.items[measured.layer.kernels.clone()]
        .iter()
        .enumerate()
        .map(|(order, item)| FlowRow {
            layer: layer as u64,
            order: order as u64,
            family: item.family.as_str().to_owned(),
            kernel: clean(item.name, NAME_CAP),
            dur_ns: times.map(|_| item.dur_ns),
            share_pct: times
                .and_then(|times| Finite::ratio(100.0 * times.parts_ns[order], times.busy_ns as f64)),
            rel_ns: times.map(|times| item.start_ns.saturating_sub(times.start_ns)),
            input_dims: input_dims(trace, derived, item.source),
            python_location: location(trace, derived, item.source),
            hot: hot.get(order).copied().unwrap_or(false),
        })
        .collect()
}

/// Which kernels together take half of the time, the longest first.
fn hot(parts_ns: &[f64]) -> Vec<bool> {
    let half = parts_ns.iter().sum::<f64>() / 2.0;
    let mut order: Vec<usize> = (0..parts_ns.len()).collect();
    order.sort_by(|a, b| parts_ns[*b].total_cmp(&parts_ns[*a]).then(a.cmp(b)));
    let mut hot = vec![false; parts_ns.len()];
    let mut taken = 0.0;
    for place in order {
        if taken >= half {
            break;
        }
        taken += parts_ns[place];
        hot[place] = true;
    }
    hot
}

fn input_dims(trace: &Trace, derived: &Derived, source: Source) -> Option<String> {
    let op = match source {
        Source::Ran(event) => derived.origins.op(trace, event),
        Source::Launched(call) => derived.origins.op_of_call(trace, call),
    };
    Some(clean_bytes(trace.names.raw(op?.dims?), DIMS_CAP))
}

fn location(trace: &Trace, derived: &Derived, source: Source) -> Option<String> {
    let text = match source {
        Source::Ran(event) => {
            let (text, _) = derived.origins.location(trace, event)?;
            short_location(&text).to_owned()
        }
        Source::Launched(call) => derived.origins.frame_of_call(trace, call)?,
    };
    Some(clean(&text, FOREIGN_TEXT_CAP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hot_kernels_take_half_of_the_time_and_no_more_than_needed() {
        assert_eq!(hot(&[1.0, 5.0, 2.0, 2.0]), [false, true, false, false]);
        assert_eq!(hot(&[3.0, 3.0, 2.0, 2.0]), [true, true, false, false]);
        assert_eq!(hot(&[0.0, 0.0]), [false, false]);
    }
}
