//! A path to what it adds up to: each instant counts for the stage that its busy or idle time counts for, so that the path
//! of a stage is as long as its span.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use contracts::Finite;
use contracts::profile_tables::report::{
    CriticalKind, CriticalKindRow, CriticalPath, CriticalSegment, EventWaits,
};
use rustc_hash::FxHashMap;
use torch_trace::{Derived, Family, Stage, Trace};

use super::{Segment, critical_path};

/// Segments that are listed.
const MAX_SEGMENTS: usize = 10;

/// Sums of one stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathSum {
    /// Kind, and family of kernels -> segments and time.
    pub(crate) kinds: BTreeMap<(CriticalKind, Option<Family>), (u64, i64)>,
    /// Time of each kernel.
    pub(crate) kernels: BTreeMap<(String, Family), i64>,
    /// The longest, longest first.
    pub(crate) longest: Vec<CriticalSegment>,
    /// How waits for events are known.
    pub(crate) waits: Option<EventWaits>,
    /// Why nobody knows the path of one of the traces.
    pub(crate) unknown: Option<String>,
}

impl PathSum {
    /// As documents have it; `None` where the path of one of the traces is not known.
    pub(crate) fn row(&self) -> Option<CriticalPath> {
        if self.unknown.is_some() {
            return None;
        }
        let total_ns: i64 = self.kinds.values().map(|(_, ns)| *ns).sum();
        let mut kinds: Vec<CriticalKindRow> = self
            .kinds
            .iter()
            .map(|((kind, family), (segments, ns))| CriticalKindRow {
                kind: *kind,
                family: family.map(|family| family.as_str().to_owned()),
                segments: *segments,
                ns: *ns,
                path_pct: Finite::ratio(100.0 * *ns as f64, total_ns as f64),
            })
            .collect();
        // Equals keep the order of their kinds.
        kinds.sort_by_key(|row| Reverse(row.ns));
        Some(CriticalPath {
            total_ns,
            event_waits: self.waits.unwrap_or(EventWaits::None),
            kinds,
            longest: self.longest.clone(),
        })
    }
}

/// Adds the critical path of a trace to those of its stages.
pub(crate) fn add(sums: &mut BTreeMap<Stage, PathSum>, trace: &Trace, derived: &Derived) {
    let path = match critical_path(trace, derived) {
        Ok(path) => path,
        Err(reason) => {
            for stage in Stage::LIST {
                if derived.stages.of_event.contains(&stage) {
                    sums.entry(stage)
                        .or_default()
                        .unknown
                        .get_or_insert(reason.clone());
                }
            }
            return;
        }
    };
    let waits = match path.inferred_waits {
        None => EventWaits::None,
        Some(false) => EventWaits::Recorded,
        Some(true) => EventWaits::Inferred,
    };
    let mut longest: BTreeMap<Stage, Vec<Segment>> = BTreeMap::new();
    let mut kernels: FxHashMap<(Stage, u32), i64> = FxHashMap::default();
    for (stage, segment) in by_stage(&path.segments, &derived.swept.stage_from) {
        let sum = sums.entry(stage).or_default();
        sum.waits = sum.waits.max(Some(waits));
        let ns = segment.end_ns - segment.start_ns;
        let mut family = None;
        if let (CriticalKind::Kernel, Some(event)) = (segment.kind, segment.work) {
            family = Some(derived.kernels.at(event).family);
            *kernels
                .entry((stage, derived.kernels.of_event[event]))
                .or_default() += ns;
        }
        let entry = sum.kinds.entry((segment.kind, family)).or_default();
        entry.0 += 1;
        entry.1 += ns;
        longest.entry(stage).or_default().push(segment);
    }
    for ((stage, number), ns) in kernels {
        let kernel = &derived.kernels.list[number as usize];
        let key = (kernel.name.clone(), kernel.family);
        *sums.entry(stage).or_default().kernels.entry(key).or_default() += ns;
    }
    for (stage, mut segments) in longest {
        let key = |segment: &Segment| (Reverse(segment.end_ns - segment.start_ns), segment.start_ns);
        segments.sort_by_key(key);
        let rows = segments.iter().take(MAX_SEGMENTS).map(|segment| CriticalSegment {
            kind: segment.kind,
            kernel: segment.work.map(|event| derived.kernels.at(event).name.clone()),
            stream: segment.work.map(|event| {
                let track = trace.tracks[trace.gpu[event].track.index()];
                trace.names.text(track.tid).into_owned()
            }),
            start_ns: segment.start_ns - trace.first_ns.unwrap_or(0),
            ns: segment.end_ns - segment.start_ns,
        });
        let sum = sums.entry(stage).or_default();
        sum.longest.extend(rows);
        // Rows of other traces stand behind equal ones.
        sum.longest.sort_by_key(|row| Reverse(row.ns));
        sum.longest.truncate(MAX_SEGMENTS);
    }
}

/// Segments, the last first, cut where another stage begins.
fn by_stage(segments: &[Segment], stage_from: &[(i64, u32)]) -> Vec<(Stage, Segment)> {
    let mut cut = Vec::with_capacity(segments.len());
    let mut place = stage_from.len();
    for segment in segments {
        let mut end_ns = segment.end_ns;
        while end_ns > segment.start_ns {
            while place > 0 && stage_from[place - 1].0 >= end_ns {
                place -= 1;
            }
            let Some((from_ns, stage)) = place.checked_sub(1).map(|place| stage_from[place]) else {
                break;
            };
            let start_ns = segment.start_ns.max(from_ns);
            let stage = Stage::LIST.get(stage as usize).copied().unwrap_or(Stage::All);
            cut.push((
                stage,
                Segment {
                    start_ns,
                    end_ns,
                    ..*segment
                },
            ));
            end_ns = start_ns;
        }
    }
    cut
}
