//! Device work to the call that launched it. A correlation id is unique within a process only, and merged traces hold
//! several: the process is part of the key, learned per device from the ids that only one process has.

use std::num::NonZeroU64;

use rustc_hash::FxHashMap;

use crate::collect::Trace;
use crate::names::NameId;

/// For each event of [`Trace::gpu`], the place of its launch in [`Trace::calls`]; `None` when it was not recorded.
#[must_use]
pub fn launches(trace: &Trace) -> Vec<Option<usize>> {
    let mut by_id: Vec<(NonZeroU64, i64, usize)> = trace
        .calls
        .iter()
        .enumerate()
        .filter_map(|(index, call)| Some((call.correlation?, call.start_ns, index)))
        .collect();
    by_id.sort_unstable();
    let candidates = |id: NonZeroU64| {
        let from = by_id.partition_point(|entry| entry.0 < id);
        let count = by_id[from..].partition_point(|entry| entry.0 == id);
        &by_id[from..from + count]
    };
    let process = |call: usize| trace.tracks[trace.calls[call].track.index()].pid;
    let device = |event: usize| trace.tracks[trace.gpu[event].track.index()].pid;
    let processes = processes_of_devices(trace, candidates, process, device);
    trace
        .gpu
        .iter()
        .enumerate()
        .map(|(index, event)| {
            let found = candidates(event.correlation?);
            if let [(_, _, only)] = found {
                return Some(*only);
            }
            let home = processes.get(&device(index));
            let of_process =
                |entry: &&(NonZeroU64, i64, usize)| home.is_none_or(|home| process(entry.2) == *home);
            // Ids are used again in a long session: the last launch before the work began.
            let before = |entry: &&(NonZeroU64, i64, usize)| entry.1 <= event.start_ns;
            found
                .iter()
                .filter(of_process)
                .rfind(before)
                .or_else(|| found.iter().find(of_process))
                .map(|entry| entry.2)
        })
        .collect()
}

/// The process that works on each device, by the ids that only one call has.
fn processes_of_devices<'a>(
    trace: &Trace,
    candidates: impl Fn(NonZeroU64) -> &'a [(NonZeroU64, i64, usize)],
    process: impl Fn(usize) -> NameId,
    device: impl Fn(usize) -> NameId,
) -> FxHashMap<NameId, NameId> {
    let mut votes: FxHashMap<(NameId, NameId), u64> = FxHashMap::default();
    for (index, event) in trace.gpu.iter().enumerate() {
        if let Some([(_, _, call)]) = event.correlation.map(&candidates) {
            *votes.entry((device(index), process(*call))).or_default() += 1;
        }
    }
    let mut counted: Vec<_> = votes.into_iter().collect();
    counted.sort_unstable_by_key(|((device, process), count)| (*count, *device, *process));
    counted.into_iter().map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_trace::trace;

    #[test]
    fn a_kernel_finds_its_launch() {
        let trace = trace(
            r#"{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":1,"tid":1,"ts":1,"dur":1,"args":{"correlation":5}},
               {"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":3,"dur":1,"args":{"correlation":5,"stream":7}},
               {"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":4,"dur":1,"args":{"correlation":6,"stream":7}}"#,
        );
        assert_eq!(launches(&trace), [Some(0), None]);
    }

    #[test]
    fn equal_ids_of_two_processes_are_told_apart() {
        let call = |pid: u32, ts: u32, id: u32| {
            format!(
                r#"{{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":{pid},"tid":1,"ts":{ts},"dur":1,"args":{{"correlation":{id}}}}}"#
            )
        };
        let kernel = |device: u32, ts: u32, id: u32| {
            format!(
                r#"{{"ph":"X","cat":"kernel","name":"k","pid":{device},"tid":7,"ts":{ts},"dur":1,"args":{{"correlation":{id},"stream":7}}}}"#
            )
        };
        // Id 9 is used by both; ids 1 and 2 tell which process owns which device.
        let events = [
            call(100, 1, 1),
            call(200, 1, 2),
            call(100, 2, 9),
            call(200, 3, 9),
            kernel(0, 5, 1),
            kernel(1, 5, 2),
            kernel(0, 6, 9),
            kernel(1, 6, 9),
        ];
        let trace = trace(&events.join(","));
        assert_eq!(launches(&trace), [Some(0), Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn an_id_used_again_means_the_last_launch_before_the_work() {
        let call = |ts: u32| {
            format!(
                r#"{{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":1,"tid":1,"ts":{ts},"dur":1,"args":{{"correlation":5}}}}"#
            )
        };
        let kernel = |ts: u32| {
            format!(
                r#"{{"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":{ts},"dur":1,"args":{{"correlation":5,"stream":7}}}}"#
            )
        };
        let trace = trace(&[call(1), call(100), kernel(3), kernel(103)].join(","));
        assert_eq!(launches(&trace), [Some(0), Some(1)]);
    }
}
