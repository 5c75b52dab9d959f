//! Times of stretches of work: what a device did in a window, and how kernels of one layer share their time.

use torch_trace::{Derived, NameId, Trace, Work, sweep};

use crate::stream::{Item, Source};

/// Work of one device, for windows of it.
pub(crate) struct Device {
    /// Parts in which anything ran, by start, apart from each other.
    busy: Vec<(i64, i64)>,
    /// Starts of all work, sorted, and the sum of durations before each.
    starts: Vec<i64>,
    sums: Vec<i64>,
}

/// What a device did in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) busy_ns: i64,
    pub(crate) sum_ns: i64,
}

impl Device {
    /// All work of a device, copies and fills included.
    pub(crate) fn of(trace: &Trace, device: NameId) -> Self {
        let mut work: Vec<(i64, i64)> = trace
            .gpu
            .iter()
            .filter(|event| trace.tracks[event.track.index()].pid == device)
            .map(|event| (event.start_ns, event.end_ns()))
            .collect();
        work.sort_unstable();
        let mut busy: Vec<(i64, i64)> = Vec::new();
        let mut sums = vec![0];
        for (start, end) in &work {
            match busy.last_mut().filter(|last| last.1 >= *start) {
                Some(last) => last.1 = last.1.max(*end),
                None => busy.push((*start, *end)),
            }
            // A damaged trace may hold more days than fit.
            let sum: i64 = sums[sums.len() - 1];
            sums.push(sum.saturating_add(end.saturating_sub(*start)));
        }
        Self {
            busy,
            starts: work.into_iter().map(|(start, _)| start).collect(),
            sums,
        }
    }

    /// Busy time inside the window, and the durations of all work that begins in it.
    pub(crate) fn window(&self, start_ns: i64, end_ns: i64) -> Window {
        let from = self.busy.partition_point(|part| part.1 <= start_ns);
        let busy_ns = self.busy[from..]
            .iter()
            .take_while(|part| part.0 < end_ns)
            .map(|part| part.1.min(end_ns).saturating_sub(part.0.max(start_ns)))
            .fold(0, i64::saturating_add);
        let before = |ns: i64| self.sums[self.starts.partition_point(|start| *start < ns)];
        Window {
            busy_ns,
            sum_ns: before(end_ns).saturating_sub(before(start_ns)),
        }
    }
}

/// Times of some kernels of one stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shared {
    pub(crate) start_ns: i64,
    pub(crate) end_ns: i64,
    /// Union.
    pub(crate) busy_ns: i64,
    pub(crate) sum_ns: i64,
    /// Of each kernel its part of the busy time; instants are split equally among the kernels that run then.
    pub(crate) parts_ns: Vec<f64>,
}

/// Times of kernels; `None` where nothing ran.
pub(crate) fn shared(derived: &Derived, items: &[Item<'_>]) -> Option<Shared> {
    let work: Vec<Work> = items
        .iter()
        .map(|item| match item.source {
            Source::Ran(event) => Some(Work {
                stage: 0,
                ..derived.work[event]
            }),
            Source::Launched(_) => None,
        })
        .collect::<Option<_>>()?;
    let swept = sweep(&work);
    Some(Shared {
        start_ns: items.iter().map(|item| item.start_ns).min()?,
        end_ns: items.iter().map(Item::end_ns).max()?,
        busy_ns: swept.stages.first().map_or(0, |stage| stage.busy_ns),
        sum_ns: items
            .iter()
            .fold(0, |sum: i64, item| sum.saturating_add(item.dur_ns)),
        parts_ns: swept.exposure.iter().map(|exposure| exposure.share_ns).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_counts_what_overlaps_once_and_clips_at_its_edges() {
        let text = r#"{"traceEvents": [
            {"ph":"X","cat":"kernel","name":"a","pid":0,"tid":7,"ts":0,"dur":10,"args":{"stream":7}},
            {"ph":"X","cat":"kernel","name":"b","pid":0,"tid":9,"ts":5,"dur":10,"args":{"stream":9}},
            {"ph":"X","cat":"kernel","name":"c","pid":0,"tid":7,"ts":20,"dur":10,"args":{"stream":7}},
            {"ph":"X","cat":"kernel","name":"d","pid":1,"tid":7,"ts":15,"dur":5,"args":{"stream":7}}]}"#;
        let trace = torch_trace::read(text.as_bytes(), torch_trace::Want::DEVICE).expect("a trace");
        let device = Device::of(&trace, trace.tracks[trace.gpu[0].track.index()].pid);
        let window = |start, end| {
            let found = device.window(start, end);
            (found.busy_ns, found.sum_ns)
        };
        assert_eq!(window(0, 30_000), (25_000, 30_000));
        assert_eq!(window(5_000, 25_000), (15_000, 20_000));
        assert_eq!(window(15_000, 20_000), (0, 0));
    }
}
