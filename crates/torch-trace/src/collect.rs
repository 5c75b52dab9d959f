//! Records to typed events: which category is what, in every spelling since 2021.

use rustc_hash::FxHashMap;

use crate::defect::{DefectKind, Defects};
use crate::event::{Annotation, CpuOp, Frame, GpuEvent, GpuKind, RuntimeCall, StreamWait, Track, TrackId};
use crate::header::Header;
use crate::names::{NameId, Names};
use crate::record::Record;

/// What to keep; the rest is passed over, which saves memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// CPU ops and Python frames, for locations.
    pub locations: bool,
    /// Shapes, types and strides of CPU ops.
    pub shapes: bool,
}

impl Want {
    /// Everything that a trace holds.
    pub const ALL: Self = Self {
        locations: true,
        shapes: true,
    };
    /// Device work, the calls that launched it, and annotations.
    pub const DEVICE: Self = Self {
        locations: false,
        shapes: false,
    };
}

/// Everything read from one trace.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Clock base, GPUs, ranks.
    pub header: Header,
    /// Every text.
    pub names: Names,
    /// Every (process, thread) and (device, stream).
    pub tracks: Vec<Track>,
    /// Work on devices, in file order.
    pub gpu: Vec<GpuEvent>,
    /// Runtime and driver calls, in file order.
    pub calls: Vec<RuntimeCall>,
    /// Streams that wait for events of others, in file order; only traces with synchronisation events have them.
    pub waits: Vec<StreamWait>,
    /// CPU operators, in file order; empty unless wanted.
    pub ops: Vec<CpuOp>,
    /// Python frames, in file order; empty unless wanted.
    pub frames: Vec<Frame>,
    /// Named ranges, in file order.
    pub annotations: Vec<Annotation>,
    /// Events of any kind that were read.
    pub events: u64,
    /// Start of the first event of any kind, nanoseconds: where the clock of a trace viewer begins.
    pub first_ns: Option<i64>,
    /// Bytes of uncompressed JSON that were read.
    pub bytes: u64,
    /// What was wrong with the file, by first place.
    pub defects: Vec<crate::Defect>,
}

impl Trace {
    /// Kernels; copies and fills are not counted.
    #[must_use]
    pub fn kernel_count(&self) -> u64 {
        self.gpu
            .iter()
            .filter(|event| event.kind == GpuKind::Kernel)
            .count() as u64
    }

    /// Events that damage made unreadable.
    #[must_use]
    pub fn events_lost(&self) -> u64 {
        self.defects.iter().map(|defect| defect.events_lost).sum()
    }
}

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Gpu(GpuKind),
    Call,
    Op,
    Frame,
    Annotation { on_gpu: bool },
    Wait,
    Other,
}

fn kind_of(record: &Record<'_>) -> Kind {
    match record.cat {
        b"kernel" | b"Kernel" => Kind::Gpu(GpuKind::Kernel),
        b"gpu_memcpy" | b"Memcpy" => Kind::Gpu(GpuKind::Memcpy),
        b"gpu_memset" | b"Memset" => Kind::Gpu(GpuKind::Memset),
        b"cuda_runtime" | b"cuda_driver" | b"hip_runtime" | b"hip_driver" | b"Runtime" => Kind::Call,
        b"cpu_op" | b"Operator" => Kind::Op,
        b"python_function" => Kind::Frame,
        b"user_annotation" => Kind::Annotation { on_gpu: false },
        b"gpu_user_annotation" => Kind::Annotation { on_gpu: true },
        b"cuda_sync" if record.name == b"Stream Wait Event" => Kind::Wait,
        // Some writers leave the category out; only device work names a stream and shares a correlation.
        b"" if record.args.stream && record.args.correlation.is_some() => {
            Kind::Gpu(if record.name.starts_with(b"Memcpy") {
                GpuKind::Memcpy
            } else if record.name.starts_with(b"Memset") {
                GpuKind::Memset
            } else {
                GpuKind::Kernel
            })
        }
        _ => Kind::Other,
    }
}

/// An hour: an event that takes longer is damage.
const MAX_DUR_NS: i64 = 3_600_000_000_000;
/// All durations of a trace together: whatever sums are made of them, they fit.
const MAX_SUM_NS: i64 = i64::MAX / 4;

/// Fills a [`Trace`].
pub(crate) struct Collector {
    pub(crate) trace: Trace,
    pub(crate) defects: Defects,
    want: Want,
    tracks: FxHashMap<(NameId, NameId), TrackId>,
    /// Most events lie where the one before them does.
    last_track: Option<TrackId>,
    /// Durations of what was kept.
    sum_ns: i64,
}

impl Collector {
    pub(crate) fn new(want: Want) -> Self {
        Self {
            trace: Trace::default(),
            defects: Defects::default(),
            want,
            tracks: FxHashMap::default(),
            last_track: None,
            sum_ns: 0,
        }
    }

    /// Takes one event that begins at byte `offset` of the JSON.
    pub(crate) fn take(&mut self, record: &Record<'_>, offset: u64) {
        self.trace.events += 1;
        if record.ph == b'M' {
            self.label(record);
            return;
        }
        if let Some(start_ns) = record.ts {
            let first = self.trace.first_ns.get_or_insert(start_ns);
            *first = start_ns.min(*first);
        }
        let kind = kind_of(record);
        if record.ph != b'X' || kind == Kind::Other || self.unwanted(kind) {
            return;
        }
        let (Some(start_ns), Some(dur_ns), false) = (record.ts, record.dur, record.name.is_empty()) else {
            self.defects.add(DefectKind::IncompleteEvent, offset, 1, 1);
            return;
        };
        let dur_ns = dur_ns.max(0);
        let sum_ns = self.sum_ns.saturating_add(dur_ns);
        if dur_ns > MAX_DUR_NS || sum_ns > MAX_SUM_NS {
            self.defects.add(DefectKind::LongEvent, offset, 1, 1);
            return;
        }
        self.sum_ns = sum_ns;
        let trace = &mut self.trace;
        let name = trace.names.intern(record.name);
        let track = self.last_track.filter(|last| {
            let Track { pid, tid } = trace.tracks[last.index()];
            trace.names.raw(pid) == record.pid && trace.names.raw(tid) == record.tid
        });
        let track = track.unwrap_or_else(|| {
            let (pid, tid) = (trace.names.intern(record.pid), trace.names.intern(record.tid));
            *self.tracks.entry((pid, tid)).or_insert_with(|| {
                trace.tracks.push(Track { pid, tid });
                TrackId(u32::try_from(trace.tracks.len() - 1).unwrap_or(u32::MAX))
            })
        });
        self.last_track = Some(track);
        let args = &record.args;
        let mut text = |raw: &[u8]| (!raw.is_empty()).then(|| trace.names.intern(raw));
        match kind {
            Kind::Gpu(kind) => trace.gpu.push(GpuEvent {
                kind,
                name,
                track,
                start_ns,
                dur_ns,
                correlation: args.correlation,
                external_id: args.external_id,
            }),
            Kind::Call => {
                let kernel = text(args.kernel);
                trace.calls.push(RuntimeCall {
                    name,
                    track,
                    start_ns,
                    dur_ns,
                    correlation: args.correlation,
                    external_id: args.external_id,
                    kernel,
                });
            }
            Kind::Op => {
                let shapes = self.want.shapes;
                let dims = shapes.then(|| text(args.dims)).flatten();
                let types = shapes.then(|| text(args.types)).flatten();
                let strides = shapes.then(|| text(args.strides)).flatten();
                let call_stack = text(args.call_stack);
                trace.ops.push(CpuOp {
                    name,
                    track,
                    start_ns,
                    dur_ns,
                    external_id: args.external_id,
                    dims,
                    types,
                    strides,
                    call_stack,
                });
            }
            Kind::Frame => trace.frames.push(Frame {
                name,
                track,
                start_ns,
                dur_ns,
            }),
            Kind::Annotation { on_gpu } => trace.annotations.push(Annotation {
                name,
                track,
                start_ns,
                dur_ns,
                on_gpu,
                external_id: args.external_id,
            }),
            Kind::Wait => {
                if let Some(on_stream) = text(args.wait_on_stream) {
                    trace.waits.push(StreamWait {
                        track,
                        correlation: args.correlation,
                        on_stream,
                        record: args.event_record,
                    });
                }
            }
            Kind::Other => {}
        }
    }

    fn unwanted(&self, kind: Kind) -> bool {
        !self.want.locations && matches!(kind, Kind::Op | Kind::Frame)
    }

    fn label(&mut self, record: &Record<'_>) {
        let label = match record.name {
            b"process_name" => record.args.name,
            b"process_labels" => record.args.labels,
            _ => return,
        };
        if !label.is_empty() {
            let id = self.trace.names.intern(label);
            let text = self.trace.names.text(id).into_owned();
            self.trace.header.label(&text);
        }
    }

    pub(crate) fn finish(mut self) -> Trace {
        self.defects.0.sort_by_key(|defect| (defect.offset, defect.kind));
        self.trace.defects = self.defects.0;
        self.trace
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::read;

    #[test]
    fn an_event_of_more_than_an_hour_is_damage() {
        let event = |us: u64| {
            format!(
                r#"{{"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":1,"dur":{us},"args":{{"stream":7}}}}"#
            )
        };
        let text = format!(
            r#"{{"traceEvents": [{},{},{}]}}"#,
            event(3_600_000_000),
            event(3_600_000_001),
            event(5)
        );
        let trace = read(text.as_bytes(), Want::ALL).expect("a trace");
        let durations: Vec<i64> = trace.gpu.iter().map(|event| event.dur_ns).collect();
        assert_eq!(durations, [3_600_000_000_000, 5_000]);
        let found: Vec<_> = trace
            .defects
            .iter()
            .map(|defect| (defect.kind, defect.events_lost))
            .collect();
        assert_eq!(found, [(DefectKind::LongEvent, 1)]);
    }

    #[test]
    fn shapes_are_kept_where_they_are_wanted() {
        let text = r#"{"traceEvents": [{"ph":"X","cat":"cpu_op","name":"aten::mm","pid":1,"tid":1,"ts":1,"dur":2,"args":{
            "External id": 3, "Input Dims": [[4, 8], []], "Input type": ["float", "Scalar"], "Input Strides": [[8, 1], []]}}]}"#;
        let kept = |want| {
            let trace = read(text.as_bytes(), want).expect("a trace");
            let op = trace.ops.first().cloned();
            op.map(|op| {
                [op.dims, op.types, op.strides]
                    .map(|part| part.map(|id| String::from_utf8_lossy(trace.names.raw(id)).into_owned()))
            })
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            kept(Want::ALL),
            Some([
                text("[[4, 8], []]"),
                text(r#"["float", "Scalar"]"#),
                text("[[8, 1], []]")
            ])
        );
        let shapes = false;
        assert_eq!(kept(Want { shapes, ..Want::ALL }), Some([None, None, None]));
        assert_eq!(kept(Want::DEVICE), None);
    }
}
