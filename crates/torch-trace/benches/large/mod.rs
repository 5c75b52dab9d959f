//! Large traces for the benches, made from real ones: copies behind each other, with times and ids shifted, indented as
//! the profiler does, compressed with level 6. Built once into the target folder.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};

/// Ids of one copy stay below those of the next.
const ID_STEP: u64 = 100_000_000;

/// The real traces; ends the bench with a word when they are not there.
pub(crate) fn traces() -> PathBuf {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        println!("bench: NOT RUN, SOTA_LOOP_TEST_DATA names no folder with real traces");
        std::process::exit(0);
    };
    Path::new(&data).join("traces")
}

/// `copies` of a trace as one file; returns it with the bytes of its JSON.
pub(crate) fn replicate(source: &str, copies: u64) -> (PathBuf, u64) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("large-traces");
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    let path = folder.join(format!("{source}-x{copies}.json.gz"));
    let size = folder.join(format!("{source}-x{copies}.bytes"));
    if let Some(bytes) = std::fs::read_to_string(&size)
        .ok()
        .and_then(|text| text.parse().ok())
    {
        return (path, bytes);
    }
    let reader =
        BufReader::new(File::open(traces().join(format!("{source}.json.gz"))).expect("the real trace"));
    let mut trace: Map<String, Value> = serde_json::from_reader(MultiGzDecoder::new(reader)).expect("JSON");
    let events = trace.shift_remove("traceEvents").expect("events");
    let events = events.as_array().expect("a list");
    let times = || {
        events
            .iter()
            .filter(|event| event["cat"].is_string())
            .filter_map(|event| event["ts"].as_f64())
    };
    let span = times().fold(f64::MIN, f64::max) - times().fold(f64::MAX, f64::min) + 1000.0;
    let encoder = GzEncoder::new(
        BufWriter::new(File::create(&path).expect("a file")),
        Compression::new(6),
    );
    let mut out = Counting {
        inner: encoder,
        bytes: 0,
    };
    let head = serde_json::to_string_pretty(&trace).expect("JSON");
    write!(
        out,
        "{},\n  \"traceEvents\": [\n",
        head.trim_end_matches(['}', '\n'])
    )
    .expect("written");
    for copy in 0..copies {
        for (index, event) in events.iter().enumerate() {
            if copy + index as u64 > 0 {
                out.write_all(b",\n").expect("written");
            }
            let text = serde_json::to_string_pretty(&shifted(event, copy, span)).expect("JSON");
            out.write_all(text.replace('\n', "\n  ").as_bytes())
                .expect("written");
        }
    }
    out.write_all(b"\n  ]\n}\n").expect("written");
    let bytes = out.bytes;
    out.inner.finish().expect("compressed").flush().expect("written");
    std::fs::write(size, bytes.to_string()).expect("written");
    (path, bytes)
}

fn shifted(event: &Value, copy: u64, span: f64) -> Value {
    let mut event = event.clone();
    if let Some(ts) = event["ts"].as_f64() {
        let moved = (ts + copy as f64 * span) * 1e3;
        event["ts"] = serde_json::from_str(&format!("{}.{:03}", (moved / 1e3) as i64, (moved as i64) % 1000))
            .expect("a number");
    }
    if let Some(id) = event["id"].as_u64() {
        event["id"] = (id + copy * ID_STEP).into();
    }
    if let Some(args) = event.get_mut("args").and_then(Value::as_object_mut) {
        for key in [
            "correlation",
            "External id",
            "Ev Idx",
            "Python id",
            "Python parent id",
        ] {
            if let Some(id) = args.get(key).and_then(Value::as_u64) {
                args[key] = (id + copy * ID_STEP).into();
            }
        }
    }
    event
}

struct Counting<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// CPU seconds that this process has used, user and system.
pub(crate) fn cpu_s() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Most memory that this process has had, megabytes.
pub(crate) fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok())
        .map_or(f64::NAN, |kilobytes| kilobytes * 1024.0 / 1e6)
}
