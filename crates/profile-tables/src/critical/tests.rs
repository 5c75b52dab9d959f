//! Paths that can be followed by hand, and paths of anything.

use contracts::profile_tables::report::CriticalKind::{Device, EventWait, Kernel, Launch, Synchronisation};
use proptest::prelude::*;
use torch_trace::{StageChoice, Want, read};

use super::*;

fn call(name: &str, tid: u32, ts: u32, dur: u32, id: u32) -> String {
    format!(
        r#"{{"ph":"X","cat":"cuda_runtime","name":"{name}","pid":1,"tid":{tid},"ts":{ts},"dur":{dur},"args":{{"correlation":{id}}}}}"#
    )
}

fn kernel(stream: u32, ts: u32, dur: u32, id: u32) -> String {
    format!(
        r#"{{"ph":"X","cat":"kernel","name":"k{id}","pid":0,"tid":{stream},"ts":{ts},"dur":{dur},"args":{{"correlation":{id},"stream":{stream}}}}}"#
    )
}

fn wait(stream: u32, on: u32, call: u32, record: u32) -> String {
    format!(
        r#"{{"ph":"X","cat":"cuda_sync","name":"Stream Wait Event","pid":0,"tid":{stream},"ts":1,"dur":1,"args":{{"correlation":{call},"stream":{stream},"wait_on_stream":{on},"wait_on_cuda_event_record_corr_id":{record}}}}}"#
    )
}

/// The path of some events: kind, kernel, microseconds; the first segment first.
fn path(events: &[String]) -> (Vec<(CriticalKind, String, i64)>, Option<bool>) {
    let text = format!(r#"{{"traceEvents": [{}]}}"#, events.join(","));
    let trace = read(text.as_bytes(), Want::ALL).expect("a trace");
    let derived = Derived::of(&trace, StageChoice::All, "t");
    let path = critical_path(&trace, &derived).expect("launches are known");
    let segments = path.segments.iter().rev().map(|segment| {
        let name = segment.work.map(|work| derived.kernels.at(work).name.clone());
        (
            segment.kind,
            name.unwrap_or_default(),
            (segment.end_ns - segment.start_ns) / 1000,
        )
    });
    (segments.collect(), path.inferred_waits)
}

fn is(kind: CriticalKind, kernel: &str, us: i64) -> (CriticalKind, String, i64) {
    (kind, kernel.to_owned(), us)
}

/// A on stream 7, B on stream 9, and C on stream 7 that waits for B.
fn two_streams() -> Vec<String> {
    vec![
        call("cudaLaunchKernel", 1, 0, 1, 1),
        call("cudaLaunchKernel", 1, 2, 1, 2),
        call("cudaEventRecord", 1, 4, 1, 3),
        call("cudaStreamWaitEvent", 1, 6, 1, 4),
        call("cudaLaunchKernel", 1, 8, 1, 5),
        kernel(7, 3, 20, 1),
        kernel(9, 3, 50, 2),
        kernel(7, 55, 10, 5),
    ]
}

#[test]
fn a_recorded_wait_leads_to_the_other_stream() {
    let mut events = two_streams();
    events.push(wait(7, 9, 4, 3));
    let (path, inferred) = path(&events);
    assert_eq!(
        path,
        [is(Kernel, "k2", 50), is(EventWait, "k5", 2), is(Kernel, "k5", 10)]
    );
    assert_eq!(inferred, Some(false));
}

#[test]
fn a_wait_that_is_only_a_call_is_inferred() {
    let (path, inferred) = path(&two_streams());
    assert_eq!(
        path,
        [is(Kernel, "k2", 50), is(EventWait, "k5", 2), is(Kernel, "k5", 10)]
    );
    assert_eq!(inferred, Some(true));
}

#[test]
fn without_a_wait_the_stream_is_the_order() {
    let mut events = two_streams();
    events.remove(3);
    let (path, inferred) = path(&events);
    assert_eq!(
        path,
        [is(Kernel, "k1", 20), is(Device, "k5", 32), is(Kernel, "k5", 10)]
    );
    assert_eq!(inferred, None);
}

#[test]
fn the_chain_runs_along_the_host_to_the_work_that_it_waited_for() {
    let (path, _) = path(&[
        call("cudaLaunchKernel", 1, 0, 1, 1),
        call("cudaLaunchKernel", 1, 2, 1, 2),
        call("cudaStreamSynchronize", 1, 10, 33, 3),
        // Another thread says nothing of this one.
        call("cudaDeviceSynchronize", 2, 44, 20, 9),
        call("cudaLaunchKernel", 1, 60, 5, 4),
        call("cudaLaunchKernel", 1, 66, 1, 5),
        kernel(7, 5, 10, 1),
        kernel(7, 15, 25, 2),
        kernel(7, 70, 10, 4),
        kernel(7, 80, 10, 5),
    ]);
    assert_eq!(
        path,
        [
            is(Kernel, "k1", 10),
            is(Kernel, "k2", 25),
            is(Synchronisation, "k4", 3),
            is(Launch, "k4", 27),
            is(Kernel, "k4", 10),
            is(Kernel, "k5", 10)
        ]
    );
}

#[test]
fn a_copy_that_blocks_waits_for_the_stream_that_ended_last() {
    let events = |stream: u32| {
        path(&[
            call("cudaLaunchKernel", 1, 0, 1, 1),
            call("cudaMemcpyAsync", 1, 10, 60, 2),
            kernel(7, 5, 50, 1),
            kernel(stream, 58, 5, 2),
        ])
    };
    let (other, inferred) = events(9);
    assert_eq!(
        other,
        [is(Kernel, "k1", 50), is(EventWait, "k2", 3), is(Kernel, "k2", 5)]
    );
    assert_eq!(inferred, Some(true));
    let (same, _) = events(7);
    assert_eq!(
        same,
        [is(Kernel, "k1", 50), is(Device, "k2", 3), is(Kernel, "k2", 5)]
    );
}

#[test]
fn a_silent_thread_waited_for_the_one_that_launched() {
    let (path, _) = path(&[
        call("cudaLaunchKernel", 1, 0, 1, 1),
        call("cudaStreamSynchronize", 1, 10, 33, 2),
        call("cudaLaunchKernel", 1, 60, 1, 3),
        // The thread of the backward pass has no call before.
        call("cudaLaunchKernel", 2, 3_000, 1, 4),
        kernel(7, 5, 35, 1),
        kernel(7, 65, 10, 3),
        kernel(7, 3_010, 10, 4),
    ]);
    assert_eq!(
        path,
        [
            is(Kernel, "k1", 35),
            is(Synchronisation, "k4", 3),
            is(Launch, "k4", 2_967),
            is(Kernel, "k4", 10)
        ]
    );
}

#[test]
fn a_host_that_never_waits_is_the_path_itself() {
    let (path, _) = path(&[
        call("cudaLaunchKernel", 1, 0, 1, 1),
        call("cudaLaunchKernel", 1, 50, 1, 2),
        call("cudaLaunchKernel", 1, 90, 1, 3),
        kernel(7, 5, 10, 1),
        kernel(7, 55, 10, 2),
        kernel(7, 95, 10, 3),
    ]);
    assert_eq!(path, [is(Launch, "k3", 90), is(Kernel, "k3", 10)]);
}

#[test]
fn a_graph_waits_for_its_launch_once() {
    // The launch returns after the first kernels have run.
    let (path, _) = path(&[
        call("cudaLaunchKernel", 1, 0, 1, 1),
        call("cudaStreamSynchronize", 1, 2, 14, 2),
        call("cudaGraphLaunch", 1, 20, 40, 3),
        kernel(7, 5, 10, 1),
        kernel(7, 30, 10, 3),
        kernel(7, 42, 10, 3),
        kernel(7, 50, 20, 3),
    ]);
    assert_eq!(
        path,
        [
            is(Kernel, "k1", 10),
            is(Synchronisation, "k3", 1),
            is(Launch, "k3", 14),
            is(Kernel, "k3", 10),
            is(Device, "k3", 2),
            is(Kernel, "k3", 8),
            is(Kernel, "k3", 20)
        ]
    );
}

#[test]
fn without_launches_nobody_knows() {
    let text = format!(r#"{{"traceEvents": [{}]}}"#, kernel(7, 0, 5, 1));
    let trace = read(text.as_bytes(), Want::ALL).expect("a trace");
    let derived = Derived::of(&trace, StageChoice::All, "t");
    let reason = critical_path(&trace, &derived).expect_err("no launch");
    assert!(
        reason.contains("1 of 1 pieces of device work have no launch"),
        "{reason}"
    );
}

proptest! {
    #[test]
    fn a_path_has_no_gap_and_is_as_long_as_the_span(
        events in proptest::collection::vec((0_u32..6, 0_u32..3, 0_u32..300, 0_u32..60, 0_u32..40, 1_u32..20), 1..40)
    ) {
        let names = ["cudaLaunchKernel", "cudaStreamSynchronize", "cudaStreamWaitEvent", "cudaGraphLaunch", "cudaMemcpyAsync", "cudaEventRecord"];
        let text: Vec<String> = events
            .iter()
            .flat_map(|(name, stream, ts, dur, delay, id)| {
                vec![
                    call(names[*name as usize], stream % 2, *ts, *dur, *id),
                    kernel(*stream, ts + delay, *dur, *id),
                    wait(*stream, (stream + 1) % 3, *id, id / 2),
                ]
            })
            .collect();
        let text = format!(r#"{{"traceEvents": [{}]}}"#, text.join(","));
        let trace = read(text.as_bytes(), Want::ALL).expect("a trace");
        let derived = Derived::of(&trace, StageChoice::All, "t");
        let path = critical_path(&trace, &derived).expect("launches are known");
        let first = derived.work.iter().map(|work| work.start_ns).min().expect("work");
        let last = derived.work.iter().map(|work| work.end_ns).max().expect("work");
        let mut until = last;
        for segment in &path.segments {
            prop_assert_eq!(segment.end_ns, until);
            prop_assert!(segment.start_ns < segment.end_ns);
            until = segment.start_ns;
        }
        prop_assert_eq!(until, first);
        let mut sums = std::collections::BTreeMap::new();
        add(&mut sums, &trace, &derived);
        let total: i64 = sums.values().flat_map(|sum| sum.kinds.values()).map(|(_, ns)| *ns).sum();
        prop_assert_eq!(total, last - first);
    }
}
