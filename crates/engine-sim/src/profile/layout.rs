//! Events to the JSON of the PyTorch profiler: the same keys, categories and units, one event after the other.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::ask::Ask;
use super::event::{Event, Kind};
use super::timeline::Scene;
use crate::flavor::Flavor;

/// The profiler counts from a moment of its own; this one keeps traces of equal steps equal.
const BASE_NS: i64 = 1_775_078_550_000_000_000;
/// Ids of the process and its thread in a trace.
const PROCESS: u32 = 1000;
/// The stream that all work is on.
const STREAM: u32 = 7;

/// Writes a whole trace.
pub(super) fn write(out: &mut impl Write, scene: &Scene, ask: &Ask, events: &[Event]) -> io::Result<()> {
    let head = json!({
        "schemaVersion": 1,
        "simulated": true,
        "engine_sim_version": env!("CARGO_PKG_VERSION"),
        "deviceProperties": if ask.gpu { json!([device(scene.hardware)]) } else { json!([]) },
        "record_shapes": 0,
        "with_stack": u8::from(ask.with_stack),
        "distributedInfo": {
            "backend": "nccl", "rank": 0, "world_size": 1, "pg_count": 1,
            "pg_config": [{"pg_name": "0", "pg_desc": "default_pg", "backend_config": "cuda:nccl", "pg_size": 1, "ranks": [0]}],
        },
        "cuda_runtime_version": 12_090,
        "cuda_driver_version": 13_000,
        "displayTimeUnit": "ms",
        "baseTimeNanoseconds": BASE_NS,
    });
    let mut head = head.to_string();
    // The events go where the object would have ended.
    head.pop();
    write!(out, "{head},\n\"traceEvents\": [\n")?;
    let mut first = true;
    for value in metadata(scene.flavor, ask.gpu) {
        separate(out, &mut first)?;
        write!(out, "{value}")?;
    }
    for event in events {
        separate(out, &mut first)?;
        write_event(out, event)?;
    }
    let end_ns = events
        .iter()
        .map(|event| event.start_ns + event.dur_ns)
        .max()
        .unwrap_or(0);
    let begin_ns = events.iter().map(|event| event.start_ns).min().unwrap_or(0);
    separate(out, &mut first)?;
    write!(
        out,
        r#"{{"ph": "X", "cat": "Trace", "ts": {}, "dur": {}, "pid": "Spans", "tid": "PyTorch Profiler", "name": "PyTorch Profiler (0)", "args": {{"Op count": 0}}}}"#,
        Micros(begin_ns),
        Micros(end_ns - begin_ns)
    )?;
    separate(out, &mut first)?;
    write!(
        out,
        r#"{{"ph": "i", "s": "g", "name": "Record Window End", "pid": "", "tid": "", "ts": {}}}"#,
        Micros(end_ns)
    )?;
    out.write_all(b"\n]}\n")
}

fn separate(out: &mut impl Write, first: &mut bool) -> io::Result<()> {
    if !std::mem::replace(first, false) {
        out.write_all(b",\n")?;
    }
    Ok(())
}

/// Names of processes and threads.
fn metadata(flavor: Flavor, gpu: bool) -> Vec<Value> {
    let process = match flavor {
        Flavor::Sglang => "engine-sim::sglang::scheduler",
        Flavor::Vllm => "engine-sim::vllm::worker",
    };
    let meta = |name: &str, pid: u32, tid: u32, args: Value| json!({"name": name, "ph": "M", "ts": 0.0, "pid": pid, "tid": tid, "args": args});
    let mut all = vec![
        meta("process_name", PROCESS, 0, json!({"name": process})),
        meta("process_labels", PROCESS, 0, json!({"labels": "CPU"})),
        meta(
            "thread_name",
            PROCESS,
            PROCESS,
            json!({"name": format!("thread {PROCESS} (engine-sim)")}),
        ),
    ];
    if gpu {
        all.extend([
            meta("process_name", 0, 0, json!({"name": process})),
            meta("process_labels", 0, 0, json!({"labels": "GPU 0"})),
            meta(
                "thread_name",
                0,
                STREAM,
                json!({"name": format!("stream {STREAM} ")}),
            ),
        ]);
    }
    all
}

fn write_event(out: &mut impl Write, event: &Event) -> io::Result<()> {
    let category = match event.kind {
        Kind::Frame => "python_function",
        Kind::Op => "cpu_op",
        Kind::Step => "user_annotation",
        Kind::StepOnDevice => "gpu_user_annotation",
        Kind::Call => "cuda_runtime",
        Kind::Kernel => "kernel",
        Kind::Copy => "gpu_memcpy",
    };
    let (pid, tid) = match event.kind {
        Kind::StepOnDevice | Kind::Kernel | Kind::Copy => (0, STREAM),
        Kind::Frame | Kind::Op | Kind::Step | Kind::Call => (PROCESS, PROCESS),
    };
    write!(out, r#"{{"ph": "X", "cat": "{category}", "name": "#)?;
    serde_json::to_writer(&mut *out, event.name.as_ref())?;
    write!(
        out,
        r#", "pid": {pid}, "tid": {tid}, "ts": {}, "dur": {}, "args": {{"#,
        Micros(event.start_ns),
        Micros(event.dur_ns)
    )?;
    let mut comma = "";
    if event.external_id > 0 {
        write!(out, r#""External id": {}"#, event.external_id)?;
        comma = ", ";
    }
    match event.kind {
        Kind::Kernel => write!(
            out,
            r#"{comma}"queued": 0, "device": 0, "context": 1, "stream": {STREAM}, "correlation": {}"#,
            event.correlation
        )?,
        Kind::Copy => write!(
            out,
            r#"{comma}"device": 0, "context": 1, "stream": {STREAM}, "correlation": {}, "bytes": 8"#,
            event.correlation
        )?,
        Kind::Call => write!(out, r#"{comma}"correlation": {}"#, event.correlation)?,
        Kind::Frame | Kind::Op | Kind::Step | Kind::StepOnDevice => {}
    }
    out.write_all(b"}}")
}

/// Nanoseconds as the profiler prints them: microseconds with three decimals.
struct Micros(u64);

impl std::fmt::Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// What the profiler says of a device; names as the driver gives them, numbers of NVIDIA's data sheets.
fn device(hardware: &str) -> Value {
    let (name, major, minor, processors) = match hardware {
        "h100" => ("NVIDIA H100 80GB HBM3", 9, 0, 132),
        "h200" => ("NVIDIA H200", 9, 0, 132),
        "b200" => ("NVIDIA B200", 10, 0, 148),
        "a100" => ("NVIDIA A100-SXM4-80GB", 8, 0, 108),
        "a100-40gb" => ("NVIDIA A100-SXM4-40GB", 8, 0, 108),
        "l40s" => ("NVIDIA L40S", 8, 9, 142),
        "l4" => ("NVIDIA L4", 8, 9, 58),
        other => (other, 0, 0, 0),
    };
    json!({"id": 0, "name": name, "computeMajor": major, "computeMinor": minor, "numSms": processors, "warpSize": 32})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::HARDWARE;

    #[test]
    fn every_accelerator_has_a_name_of_its_driver() {
        for hardware in HARDWARE {
            assert_ne!(device(hardware.name)["computeMajor"], 0, "{}", hardware.name);
        }
    }

    #[test]
    fn microseconds_keep_their_nanoseconds() {
        assert_eq!(Micros(1_000_000_001).to_string(), "1000000.001");
        assert_eq!(Micros(7).to_string(), "0.007");
    }

    #[test]
    fn any_name_is_json() {
        let mut out = Vec::new();
        write_event(&mut out, &Event::new(Kind::Frame, "a\"b\\c\u{1}", 1, 2)).unwrap();
        let value: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["name"], "a\"b\\c\u{1}");
    }
}
