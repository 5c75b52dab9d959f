//! Rows of the passes, and which of them are steady.

use std::collections::BTreeMap;

use contracts::pipeline_analysis::report::{Outside, Pass, PassKind};
use torch_trace::{Capture, CaptureText, Derived, StepKind};
use trace_layers::{Role, steady};

use crate::spans::Span;
use crate::stream::{Item, Stream};
use crate::times::Device;

/// What the passes are made from.
pub(crate) struct Trip<'a> {
    pub(crate) derived: &'a Derived,
    pub(crate) stream: &'a Stream<'a>,
    pub(crate) device: &'a Device,
    /// Captures of graphs, by start.
    pub(crate) captures: &'a [Capture],
    /// First event of the trace.
    pub(crate) zero_ns: i64,
    /// Layers of a whole pass.
    pub(crate) whole: Option<usize>,
    /// Whether passes are steps of a diffusion.
    pub(crate) denoises: bool,
    /// Whether a few layers behind a pass are those of a draft: engines for language models have one, others have not.
    pub(crate) drafts: bool,
}

/// Difference from the steady passes that is worth a note, percent.
const WORTH_A_NOTE_PCT: f64 = 2.0;

/// The rows, and the steady pass to look at.
pub(crate) fn passes(trip: &Trip<'_>, spans: &[Span]) -> (Vec<Pass>, Option<usize>) {
    let mut rows: Vec<Pass> = spans
        .iter()
        .enumerate()
        .map(|(index, span)| row(trip, index, span))
        .collect();
    let chosen = mark_steady(&mut rows, spans);
    notes(trip, &mut rows, spans, chosen);
    (rows, chosen)
}

fn row(trip: &Trip<'_>, index: usize, span: &Span) -> Pass {
    let items = &trip.stream.items[span.kernels.clone()];
    let times = (!trip.stream.captured)
        .then(|| {
            let start = items.iter().map(|item| item.start_ns).min()?;
            Some((start, items.iter().map(Item::end_ns).max()?))
        })
        .flatten();
    let window = times.map(|(start, end)| trip.device.window(start, end));
    let wall_ns = times.map(|(start, end)| end.saturating_sub(start));
    let capture = captured_in(trip, items);
    let text = span.step.map(|step| trip.derived.stages.steps[step].text);
    let batch = text.map(|text| text.batch).or(capture.map(|text| text.batch));
    let tokens = text.map(|text| text.tokens).or(capture.map(|text| text.tokens));
    Pass {
        index: index as u64,
        kind: kind(trip, span, capture),
        start_ns: times.map(|(start, _)| start.saturating_sub(trip.zero_ns)),
        end_ns: times.map(|(_, end)| end.saturating_sub(trip.zero_ns)),
        wall_ns,
        busy_ns: window.map(|window| window.busy_ns),
        idle_ns: wall_ns
            .zip(window)
            .map(|(wall, window)| wall.saturating_sub(window.busy_ns)),
        sum_ns: window.map(|window| window.sum_ns),
        batch: batch.flatten(),
        tokens: tokens.flatten(),
        layers: (!span.layers.is_empty()).then_some(span.layers.len() as u64),
        steady: false,
        note: None,
    }
}

/// The capture of a graph that most launches of a pass stand in; `None` where kernels ran.
fn captured_in(trip: &Trip<'_>, items: &[Item<'_>]) -> Option<CaptureText> {
    let middle = items.get(items.len() / 2).filter(|_| trip.stream.captured)?;
    let around = |capture: &&Capture| (capture.start_ns..capture.end_ns).contains(&middle.start_ns);
    trip.captures
        .iter()
        .rev()
        .find(around)
        .map(|capture| capture.text)
}

fn kind(trip: &Trip<'_>, span: &Span, capture: Option<CaptureText>) -> Option<PassKind> {
    if trip.drafts && span.role == Role::Draft {
        return Some(PassKind::Draft);
    }
    let kind = span.kind.or(capture.and_then(|text| text.kind));
    kind.map(|kind| match kind {
        StepKind::Prefill => PassKind::Prefill,
        StepKind::Decode => PassKind::Decode,
        StepKind::Mixed => PassKind::Mixed,
        StepKind::Draft => PassKind::Draft,
    })
}

/// Time of a trace in none of its passes, which follow each other; `end_ns` is the end of the last work, counted as they are.
pub(crate) fn outside(passes: &[Pass], end_ns: i64) -> Option<Outside> {
    let first_ns = passes.first()?.start_ns?;
    let last_ns = passes.iter().filter_map(|pass| pass.end_ns).max()?;
    let mut reached_ns = first_ns;
    let mut between_ns = 0_i64;
    for pass in passes {
        let (start_ns, end_ns) = (pass.start_ns?, pass.end_ns?);
        between_ns = between_ns.saturating_add(start_ns.saturating_sub(reached_ns).max(0));
        reached_ns = reached_ns.max(end_ns);
    }
    Some(Outside {
        before_ns: first_ns.max(0),
        between_ns,
        after_ns: end_ns.saturating_sub(last_ns).max(0),
    })
}

/// Marks the steady passes of each kind, and gives the one to look at: of the kind with the most whole passes, of equals
/// the kind with the most time.
fn mark_steady(rows: &mut [Pass], spans: &[Span]) -> Option<usize> {
    let mut kinds: BTreeMap<Option<PassKind>, Vec<usize>> = BTreeMap::new();
    for (index, span) in spans.iter().enumerate() {
        if span.complete && span.role == Role::Main {
            kinds.entry(rows[index].kind).or_default().push(index);
        }
    }
    let mut best: Option<((usize, i64), usize)> = None;
    for places in kinds.values() {
        let walls: Vec<i64> = places
            .iter()
            .map(|place| rows[*place].wall_ns.unwrap_or(0))
            .collect();
        let Some(found) = steady(&walls) else { continue };
        for place in &places[found.range.clone()] {
            rows[*place].steady = rows[*place].wall_ns.is_some();
        }
        let total = walls.iter().fold(0, |sum: i64, wall| sum.saturating_add(*wall));
        let rank = (places.len(), total);
        if best.is_none_or(|(known, _)| rank > known) {
            best = Some((rank, places[found.representative(&walls)]));
        }
    }
    best.map(|(_, place)| place)
}

fn notes(trip: &Trip<'_>, rows: &mut [Pass], spans: &[Span], chosen: Option<usize>) {
    let steady = chosen.map(|chosen| (rows[chosen].kind, rows[chosen].wall_ns));
    let whole_passes = spans.iter().filter(|span| span.complete).count();
    let mut steps = 0;
    let last = rows.len().saturating_sub(1);
    let first_steady = rows.iter().position(|row| row.steady);
    for (index, (row, span)) in rows.iter_mut().zip(spans).enumerate() {
        let mut notes = Vec::new();
        if trip.stream.captured {
            notes.push("launches of a graph's capture: nothing ran".to_owned());
            if row.kind.is_none() {
                notes.push("the trace does not name the kind of step that replays it".to_owned());
            }
        }
        if row.kind == Some(PassKind::Draft) && span.role == Role::Draft {
            notes.push("layers of a draft".to_owned());
        } else if let (false, Some(layers), Some(whole)) = (span.complete, row.layers, trip.whole) {
            let edge = if index == 0 || index == last {
                ", at an edge of the trace"
            } else {
                ""
            };
            notes.push(format!("{layers} of {whole} layers{edge}"));
        }
        if trip.denoises && span.complete {
            steps += 1;
            notes.push(format!("denoise step {steps} of {whole_passes}"));
        }
        if let (Some((kind, Some(usual))), Some(wall), true, false) =
            (steady, row.wall_ns, span.complete, row.steady)
            && kind == row.kind
        {
            let pct = 100.0 * (wall as f64 / usual.max(1) as f64 - 1.0);
            if pct.abs() >= WORTH_A_NOTE_PCT {
                let word = if pct > 0.0 { "slower" } else { "faster" };
                let cold = pct > 0.0 && Some(index) < first_steady;
                let cold = if cold { "cold start, " } else { "" };
                notes.push(format!("{cold}{:.0} % {word} than the steady passes", pct.abs()));
            }
        }
        row.note = (!notes.is_empty()).then(|| notes.join("; "));
    }
}
