//! What is kept of a step until the trace is written: a few numbers, whatever the trace makes of them.

use contracts::engine_sim::StepStage;

use crate::engine::{Step, Timing};

/// Most steps in one trace.
const MOST_STEPS: usize = 2048;
/// Most events in one trace, Python frames included.
const MOST_EVENTS: u64 = 300_000;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StepRecord {
    pub(crate) stage: StepStage,
    /// Sequences with prompts, and their tokens.
    pub(crate) prefills: u64,
    pub(crate) prefill_tokens: u64,
    /// Sequences that decoded.
    pub(crate) decodes: u64,
    pub(crate) timing: Timing,
    /// The kernels were launched as a graph.
    pub(crate) graph: bool,
}

impl StepRecord {
    /// What a step leaves behind.
    pub(crate) fn of(step: &Step) -> StepRecord {
        let stage = match (step.prefill_tokens > 0, step.decodes > 0) {
            (true, false) => StepStage::Prefill,
            (true, true) => StepStage::Mixed,
            (false, _) => StepStage::Decode,
        };
        StepRecord {
            stage,
            prefills: step.prefills,
            prefill_tokens: step.prefill_tokens,
            decodes: step.decodes,
            timing: step.timing,
            // Both engines compute prompts without a whole graph; vLLM's piecewise ones are not laid out.
            graph: step.graph && stage == StepStage::Decode,
        }
    }

    /// Events that it becomes, at most.
    fn events(&self, layers: u64) -> u64 {
        let kernels = 9 * layers + 5;
        if self.graph {
            kernels + 20
        } else {
            4 * kernels + layers + 20
        }
    }
}

/// The steps of one trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Recording {
    pub(crate) steps: Vec<StepRecord>,
    /// Steps that did not fit.
    pub(crate) dropped: u64,
    events: u64,
}

impl Recording {
    /// Adds a step, or counts it where there is no room.
    pub(crate) fn add(&mut self, step: StepRecord, layers: u64) {
        let events = self.events + step.events(layers);
        if self.steps.len() >= MOST_STEPS || events > MOST_EVENTS {
            self.dropped += 1;
            return;
        }
        self.events = events;
        self.steps.push(step);
    }

    /// Steps seen, those that did not fit included.
    pub(crate) fn seen(&self) -> u64 {
        self.steps.len() as u64 + self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_has_an_end() {
        let decode = StepRecord {
            stage: StepStage::Decode,
            prefills: 0,
            prefill_tokens: 0,
            decodes: 1,
            timing: Timing::default(),
            graph: true,
        };
        let mut recording = Recording::default();
        (0..5000).for_each(|_| recording.add(decode, 8));
        assert_eq!((recording.steps.len(), recording.seen()), (MOST_STEPS, 5000));
        let mut many_layers = Recording::default();
        (0..5000).for_each(|_| many_layers.add(decode, 128));
        assert!(many_layers.steps.len() < 300, "{}", many_layers.steps.len());
    }
}
