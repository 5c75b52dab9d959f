//! Who is busy when: one pass over the starts and ends of device work, with the set of what runs at each instant.
//!
//! ```text
//! stream 7   |---A---|            share: A and B split the instants that both run
//! stream 7        |----B----|     same-stream overlap: what B began before A ended
//! stream 9              |-C-|     hidden: B under C, and C under B, for as long as both run
//! busy       |###########|###|    the union; what lies between two busy parts is idle
//! ```

use crate::event::{GpuEvent, TrackId};

/// Work on one stream, as the sweep sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Device and stream.
    pub track: TrackId,
    /// Start, nanoseconds.
    pub start_ns: i64,
    /// End, nanoseconds; not before the start.
    pub end_ns: i64,
    /// Whether it is communication.
    pub comm: bool,
    /// The stage it belongs to, a small number of the caller's.
    pub stage: u32,
}

impl Work {
    /// Of an event.
    #[must_use]
    pub fn of(event: &GpuEvent, comm: bool, stage: u32) -> Self {
        Self {
            track: event.track,
            start_ns: event.start_ns,
            end_ns: event.end_ns(),
            comm,
            stage,
        }
    }
}

/// What the sweep says of one piece of work.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposure {
    /// Its part of the busy time: each instant is split equally among what runs then, so that all parts add up to it.
    pub share_ns: f64,
    /// Time in which no other stream had work; instants shared with the same stream are split.
    pub exclusive_ns: f64,
    /// Time in which another stream had work, too; instants shared with the same stream are split.
    pub hidden_ns: f64,
}

/// Sums of one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTime {
    /// Instants with work; those of two stages at once count for the one that began first.
    pub busy_ns: i64,
    /// Instants without work before the next work of this stage.
    pub idle_ns: i64,
    /// Instants with communication.
    pub comm_ns: i64,
    /// Instants with communication and other work at once.
    pub comm_hidden_ns: i64,
}

/// An idle part between two busy ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Start, nanoseconds.
    pub start_ns: i64,
    /// End, nanoseconds.
    pub end_ns: i64,
    /// The work that ended it, by its place in the caller's slice.
    pub next: usize,
}

/// What a sweep finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sweep {
    /// One entry for each piece of work.
    pub exposure: Vec<Exposure>,
    /// One entry for each stage number up to the highest.
    pub stages: Vec<StageTime>,
    /// Idle parts, by start.
    pub gaps: Vec<Gap>,
    /// From when on which stage the time counts for, busy or idle, by start.
    pub stage_from: Vec<(i64, u32)>,
    /// Pieces that were ended early because too many ran at once: a damaged trace.
    pub crowded: usize,
}

/// More work at once than any device runs; keeps a damaged trace from taking for ever.
const MAX_ACTIVE: usize = 4096;

/// Sweeps over work of any order.
#[must_use]
pub fn sweep(work: &[Work]) -> Sweep {
    let stage_count = work.iter().map(|work| work.stage as usize + 1).max().unwrap_or(0);
    let mut sweep = Sweep {
        exposure: vec![Exposure::default(); work.len()],
        stages: vec![StageTime::default(); stage_count],
        ..Sweep::default()
    };
    let mut order: Vec<usize> = (0..work.len()).collect();
    order.sort_by_key(|index| {
        (
            work[*index].start_ns,
            work[*index].end_ns,
            work[*index].track,
            *index,
        )
    });
    let tracks = work.iter().map(|work| work.track.index() + 1).max().unwrap_or(0);
    let mut active = Active {
        by_end: Vec::new(),
        on_track: vec![0; tracks],
    };
    let mut now = i64::MIN;
    for &index in &order {
        let starts = work[index].start_ns;
        while let Some(ending) = active.next_to_end().filter(|next| work[*next].end_ns <= starts) {
            sweep.advance(work, &active, now, work[ending].end_ns);
            now = now.max(work[ending].end_ns);
            active.remove(work, active.by_end.len() - 1);
        }
        if active.by_end.is_empty() && now != i64::MIN && starts > now {
            sweep.gaps.push(Gap {
                start_ns: now,
                end_ns: starts,
                next: index,
            });
            sweep.stages[work[index].stage as usize].idle_ns += starts - now;
            sweep.counts_for(now, work[index].stage);
        }
        sweep.advance(work, &active, now, starts);
        now = now.max(starts);
        if active.by_end.len() == MAX_ACTIVE {
            active.remove(work, 0);
            sweep.crowded += 1;
        }
        active.insert(work, index);
    }
    while let Some(ending) = active.next_to_end() {
        sweep.advance(work, &active, now, work[ending].end_ns);
        now = now.max(work[ending].end_ns);
        active.remove(work, active.by_end.len() - 1);
    }
    sweep
}

/// What runs at an instant.
struct Active {
    /// By end, the next to end last; ties keep the order of their starts.
    by_end: Vec<usize>,
    /// How many of them each track has: counting them anew for each would take the square of their number.
    on_track: Vec<usize>,
}

impl Active {
    fn next_to_end(&self) -> Option<usize> {
        self.by_end.last().copied()
    }

    fn insert(&mut self, work: &[Work], index: usize) {
        let at = self
            .by_end
            .partition_point(|other| work[*other].end_ns > work[index].end_ns);
        self.by_end.insert(at, index);
        self.on_track[work[index].track.index()] += 1;
    }

    fn remove(&mut self, work: &[Work], place: usize) {
        let index = self.by_end.remove(place);
        self.on_track[work[index].track.index()] -= 1;
    }
}

impl Sweep {
    /// Notes that the time from `from_ns` on counts for a stage.
    fn counts_for(&mut self, from_ns: i64, stage: u32) {
        if self.stage_from.last().is_none_or(|(_, last)| *last != stage) {
            self.stage_from.push((from_ns, stage));
        }
    }

    /// Accounts for the instants from `from` to `to`, during which exactly `active` runs.
    fn advance(&mut self, work: &[Work], running: &Active, from: i64, to: i64) {
        let active = running.by_end.as_slice();
        if to <= from || active.is_empty() {
            return;
        }
        let length = (to - from) as f64;
        let first = active
            .iter()
            .min_by_key(|index| (work[**index].start_ns, **index))
            .map_or(0, |index| work[*index].stage as usize);
        let comm = active.iter().filter(|index| work[**index].comm).count();
        self.counts_for(from, u32::try_from(first).unwrap_or(0));
        let stage = &mut self.stages[first];
        stage.busy_ns += to - from;
        if comm > 0 {
            stage.comm_ns += to - from;
            if comm < active.len() {
                stage.comm_hidden_ns += to - from;
            }
        }
        for index in active {
            let same = running.on_track[work[*index].track.index()];
            let exposure = &mut self.exposure[*index];
            exposure.share_ns += length / active.len() as f64;
            let own = length / same as f64;
            if same == active.len() {
                exposure.exclusive_ns += own;
            } else {
                exposure.hidden_ns += own;
            }
        }
    }
}

/// Work that began before its predecessor on the same stream ended, as programmatic dependent launch does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SameStreamOverlap {
    /// Pairs of neighbours that overlap.
    pub pairs: u64,
    /// Sum of their overlaps, nanoseconds.
    pub overlap_ns: i64,
}

/// Overlap of neighbours on each stream, by the stage of the later one.
#[must_use]
pub fn same_stream_overlap(work: &[Work]) -> Vec<SameStreamOverlap> {
    let stage_count = work.iter().map(|work| work.stage as usize + 1).max().unwrap_or(0);
    let mut found = vec![SameStreamOverlap::default(); stage_count];
    let mut order: Vec<&Work> = work.iter().collect();
    order.sort_by_key(|work| (work.track, work.start_ns, work.end_ns));
    for pair in order.windows(2) {
        if let [earlier, later] = pair
            && earlier.track == later.track
            && earlier.end_ns > later.start_ns
        {
            let stage = &mut found[later.stage as usize];
            stage.pairs += 1;
            stage.overlap_ns += earlier.end_ns.min(later.end_ns) - later.start_ns;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn work(stream: u32, start_ns: i64, end_ns: i64) -> Work {
        Work {
            track: TrackId(stream),
            start_ns,
            end_ns,
            comm: stream == 9,
            stage: 0,
        }
    }

    #[test]
    fn the_picture_above() {
        let found = sweep(&[
            work(7, 0, 80),
            work(7, 50, 150),
            work(9, 110, 150),
            work(7, 200, 210),
        ]);
        assert_eq!(found.stages[0].busy_ns, 160);
        assert_eq!(found.stages[0].idle_ns, 50);
        assert_eq!(
            (found.stages[0].comm_ns, found.stages[0].comm_hidden_ns),
            (40, 40)
        );
        assert_eq!(
            found.gaps,
            [Gap {
                start_ns: 150,
                end_ns: 200,
                next: 3
            }]
        );
        let exposure = |share_ns, exclusive_ns, hidden_ns| Exposure {
            share_ns,
            exclusive_ns,
            hidden_ns,
        };
        assert_eq!(
            found.exposure,
            [
                exposure(65.0, 65.0, 0.0),
                exposure(65.0, 45.0, 40.0),
                exposure(20.0, 0.0, 40.0),
                exposure(10.0, 10.0, 0.0)
            ]
        );
        let overlap = same_stream_overlap(&[work(7, 0, 80), work(7, 50, 150), work(9, 110, 150)]);
        assert_eq!(
            overlap,
            [SameStreamOverlap {
                pairs: 1,
                overlap_ns: 30
            }]
        );
    }

    /// A trace whose durations are damaged: everything overlaps.
    #[test]
    fn a_crowd_is_swept_in_time_and_adds_up() {
        let crowd: Vec<Work> = (0..5000)
            .map(|index| work(7 + index % 2, i64::from(index), 1_000_000 + i64::from(index)))
            .collect();
        let found = sweep(&crowd);
        assert_eq!(found.crowded, 5000 - MAX_ACTIVE);
        assert_eq!(found.stages[0].busy_ns, 1_004_999);
        let shares: f64 = found.exposure.iter().map(|exposure| exposure.share_ns).sum();
        assert!((shares - 1_004_999.0).abs() < 1.0, "{shares}");
        let apart: f64 = found
            .exposure
            .iter()
            .map(|exposure| exposure.exclusive_ns + exposure.hidden_ns)
            .sum();
        assert!(apart > shares);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(sweep(&[]), Sweep::default());
    }

    proptest! {
        #[test]
        fn shares_add_up_to_the_union(
            events in prop::collection::vec((0_u32..4, 0_i64..500, 0_i64..80, 0_u32..3), 1..60)
        ) {
            let work: Vec<Work> = events
                .iter()
                .map(|(track, start, length, stage)| Work {
                    track: TrackId(*track),
                    start_ns: *start,
                    end_ns: start + length,
                    comm: *track == 3,
                    stage: *stage,
                })
                .collect();
            let found = sweep(&work);
            let union = (0..600).filter(|at| work.iter().any(|work| work.start_ns <= *at && *at < work.end_ns)).count();
            let busy: i64 = found.stages.iter().map(|stage| stage.busy_ns).sum();
            let idle: i64 = found.stages.iter().map(|stage| stage.idle_ns).sum();
            let first = work.iter().map(|work| work.start_ns).min().unwrap_or(0);
            let last = work.iter().map(|work| work.end_ns).max().unwrap_or(0);
            prop_assert_eq!(busy, union as i64);
            prop_assert_eq!(busy + idle, last - first);
            let shares: f64 = found.exposure.iter().map(|exposure| exposure.share_ns).sum();
            prop_assert!((shares - busy as f64).abs() < 1e-6);
            let gaps: i64 = found.gaps.iter().map(|gap| gap.end_ns - gap.start_ns).sum();
            prop_assert_eq!(gaps, idle);
        }
    }
}
