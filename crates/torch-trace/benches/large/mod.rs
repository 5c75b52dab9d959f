//! Large traces for the benches, made from real ones: copies of the text behind each other as it is indented, with times
//! and ids shifted, compressed with level 6. Built once into the target folder.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

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
    let path = folder.join(format!("{source}-x{copies}-as-written.json.gz"));
    let size = path.with_extension("bytes");
    if let Some(bytes) = std::fs::read_to_string(&size)
        .ok()
        .and_then(|text| text.parse().ok())
    {
        return (path, bytes);
    }
    let mut text = String::new();
    let original = File::open(traces().join(format!("{source}.json.gz"))).expect("the real trace");
    MultiGzDecoder::new(BufReader::new(original))
        .read_to_string(&mut text)
        .expect("UTF-8");
    let (head, events, tail) = parts(&text);
    let places = places(events);
    let times = || places.iter().filter(|place| place.time).map(|place| place.value);
    let span = times().max().unwrap_or(0) - times().min().unwrap_or(0) + 1_000_000;
    let file = BufWriter::new(File::create(&path).expect("a file"));
    let mut out = GzEncoder::new(file, Compression::new(6));
    let mut bytes = 0;
    let mut write = |text: &str| {
        bytes += text.len() as u64;
        out.write_all(text.as_bytes()).expect("written");
    };
    write(head);
    for copy in 0..copies {
        write(if copy > 0 { "," } else { "" });
        write(&shifted(events, &places, copy, span));
    }
    write(tail);
    out.finish().expect("compressed").flush().expect("written");
    std::fs::write(size, bytes.to_string()).expect("written");
    (path, bytes)
}

/// What stands before the events, the events without their brackets, and what stands behind them.
fn parts(text: &str) -> (&str, &str, &str) {
    let key = text.find("\"traceEvents\": [").expect("events");
    let line = text[..key].rfind('\n').expect("a line of its own");
    let close = format!("{}]", &text[line..key]);
    let from = key + "\"traceEvents\": [".len();
    let to = from
        + text[from..]
            .find(&close)
            .expect("the bracket on the key's column");
    (&text[..from], &text[from..to], &text[to..])
}

/// A number of the text that differs from copy to copy.
struct Place {
    from: usize,
    to: usize,
    /// A time, else an id.
    time: bool,
    /// Nanoseconds of a time.
    value: u64,
}

fn places(events: &str) -> Vec<Place> {
    let keys = [
        "\"ts\": ",
        "\"id\": ",
        "\"correlation\": ",
        "\"External id\": ",
        "\"Ev Idx\": ",
        "\"Python id\": ",
        "\"Python parent id\": ",
    ];
    let mut places = Vec::new();
    for key in keys {
        for (at, _) in events.match_indices(key) {
            let from = at + key.len();
            let rest = &events[from..];
            let length = rest
                .find(|character: char| !(character.is_ascii_digit() || character == '.'))
                .expect("an object ends");
            let (whole, fraction) = rest[..length].split_once('.').unwrap_or((&rest[..length], ""));
            let time = key == keys[0];
            let digits = if time {
                format!("{whole}{fraction:0<3}")
            } else {
                whole.to_owned()
            };
            // Words stay as they are, and so does 0, which means none.
            if let Ok(value @ 1..) = digits.parse() {
                let to = from + length;
                places.push(Place {
                    from,
                    to,
                    time,
                    value,
                });
            }
        }
    }
    places.sort_unstable_by_key(|place| place.from);
    places
}

/// The text of one copy: the original with its times moved by `span` and its ids by a step, copy for copy.
fn shifted(events: &str, places: &[Place], copy: u64, span: u64) -> String {
    let mut text = String::with_capacity(events.len() + events.len() / 16);
    let mut copied = 0;
    for place in places {
        text.push_str(&events[copied..place.from]);
        copied = place.to;
        let number = if place.time {
            let ns = place.value + copy * span;
            format!("{}.{:03}", ns / 1000, ns % 1000)
        } else {
            (place.value + copy * ID_STEP).to_string()
        };
        text.push_str(&number);
    }
    text.push_str(&events[copied..]);
    text
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
