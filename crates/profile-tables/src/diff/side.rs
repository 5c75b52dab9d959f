//! One side of a difference: the sums of one stage, and how much work they are of.

use std::collections::BTreeMap;

use contracts::profile_tables::diff::{Position, StepsFrom};
use torch_trace::{Family, Stage};

use super::hidden::hidden_size;
use super::positions::Placed;
use crate::fold::{StageSum, add};
use crate::fusions::{self, FuseSums};
use crate::sites::Located;
use trace_document::{Run, model_beside};

/// Time and launches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Part {
    pub(super) ns: f64,
    pub(super) launches: u64,
}

impl Part {
    pub(super) fn add(&mut self, ns: f64, launches: u64) {
        self.ns += ns;
        self.launches += launches;
    }
}

/// How much the steps of a stage computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) steps: Option<u64>,
    pub(super) from: Option<StepsFrom>,
    /// Of all steps; `None` when one does not say.
    pub(super) tokens: Option<u64>,
    /// Requests of all steps; `None` when one does not say.
    pub(super) requests: Option<u64>,
}

/// One side.
pub(super) struct Side {
    pub(super) stage: Stage,
    pub(super) sum: StageSum,
    pub(super) fusions: FuseSums,
    pub(super) amount: Amount,
    /// Steps with another step before them in the trace: between N steps alone there are N - 1 times.
    pub(super) preceded: u64,
    pub(super) layers: Option<usize>,
    pub(super) hidden_size: Option<u64>,
    pub(super) model: Option<String>,
    /// By family and place; everything is outside where no layers were found.
    pub(super) busy: BTreeMap<Family, BTreeMap<Position, Part>>,
}

impl Side {
    /// Sums up one stage of the chosen rank's traces.
    pub(super) fn of(run: &Run, stage: Stage) -> Self {
        let mut sums = BTreeMap::new();
        let mut fusions = BTreeMap::new();
        let mut busy: BTreeMap<Family, BTreeMap<Position, Part>> = BTreeMap::new();
        let (mut layers, mut passes, mut hidden) = (None, 0, None);
        for (file, derived, engine) in run.chosen() {
            let trace = &file.trace;
            add(&mut sums, trace, derived, &Located::default());
            fusions::add(&mut fusions, trace, derived, engine, None);
            let placed = Placed::of(trace, derived, stage);
            if let Some(placed) = &placed {
                layers = layers.max(Some(placed.layers));
                passes += placed.passes;
            }
            hidden = hidden.or_else(|| hidden_size(trace, derived, stage));
            for (event, exposure) in derived.swept.exposure.iter().enumerate() {
                if derived.stages.of_event[event] == stage {
                    let position = placed
                        .as_ref()
                        .map_or(Position::Outside, |placed| placed.at(event));
                    let family = derived.kernels.at(event).family;
                    let part = busy.entry(family).or_default().entry(position).or_default();
                    part.add(exposure.share_ns, 1);
                }
            }
        }
        Self {
            stage,
            sum: sums.remove(&stage).unwrap_or_default(),
            fusions: fusions.remove(&stage).unwrap_or_default(),
            amount: amount(run, stage, passes),
            preceded: preceded(run, stage),
            layers,
            hidden_size: hidden,
            model: run.chosen().find_map(|(file, _, _)| model_beside(&file.path)),
            busy,
        }
    }

    /// Part of the busy time that a family has.
    pub(super) fn share_pct(&self, family: Family) -> f64 {
        let ns = |parts: &BTreeMap<Position, Part>| parts.values().map(|part| part.ns).sum::<f64>();
        let all: f64 = self.busy.values().map(ns).sum();
        self.busy
            .get(&family)
            .map_or(0.0, |parts| 100.0 * ns(parts) / all.max(1.0))
    }
}

/// Steps of a stage before which the trace has another step of any stage.
fn preceded(run: &Run, stage: Stage) -> u64 {
    run.chosen()
        .map(|(_, derived, _)| {
            let stages = &derived.stages;
            let own = stages.steps_of(stage);
            let starts_with_it = own.first().is_some_and(|first| {
                let begins = stages.steps[*first].start_ns;
                let ends = |step: &usize| stages.steps[*step].end_ns;
                !stages.step_of.iter().flatten().any(|step| ends(step) <= begins)
            });
            own.len() as u64 - u64::from(starts_with_it)
        })
        .sum()
}

/// The named steps of a stage, else the passes that were found in it.
fn amount(run: &Run, stage: Stage, passes: u64) -> Amount {
    let (mut steps, mut tokens, mut requests) = (0_u64, Some(0_u64), Some(0_u64));
    for (_, derived, _) in run.chosen() {
        for step in derived.stages.steps_of(stage) {
            let text = &derived.stages.steps[step].text;
            steps += 1;
            tokens = tokens
                .zip(text.tokens)
                .and_then(|(sum, own)| sum.checked_add(own));
            requests = requests
                .zip(text.batch)
                .and_then(|(sum, own)| sum.checked_add(own));
        }
    }
    if steps > 0 {
        Amount {
            steps: Some(steps),
            from: Some(StepsFrom::Ranges),
            tokens,
            requests,
        }
    } else if passes > 0 {
        Amount {
            steps: Some(passes),
            from: Some(StepsFrom::Passes),
            ..Amount::default()
        }
    } else {
        Amount::default()
    }
}
