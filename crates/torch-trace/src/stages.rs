//! Which stage each event belongs to: by the step around its launch, else by what the file's name says.

use crate::collect::Trace;
use crate::steps::{Step, StepKind, step_of_events, steps};

/// What the caller asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageChoice {
    /// Every stage that is there.
    Auto,
    /// Everything as one.
    All,
    /// One stage.
    Only(StepKind),
}

/// Stage of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// A kind of step.
    Kind(StepKind),
    /// Outside every step.
    Unassigned,
    /// No stage is known or asked for.
    All,
}

impl Stage {
    /// Name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.as_str(),
            Self::Unassigned => "unassigned",
            Self::All => "all",
        }
    }

    /// Small numbers, for the sweep.
    pub const LIST: [Self; 6] = [
        Self::Kind(StepKind::Prefill),
        Self::Kind(StepKind::Decode),
        Self::Kind(StepKind::Mixed),
        Self::Kind(StepKind::Draft),
        Self::Unassigned,
        Self::All,
    ];

    /// Its place in [`Self::LIST`].
    #[must_use]
    pub fn number(self) -> usize {
        Self::LIST.iter().position(|stage| *stage == self).unwrap_or(0)
    }
}

/// Stages of the events of one trace.
pub struct Stages {
    /// Of each event.
    pub of_event: Vec<Stage>,
    /// How they are known.
    pub source: &'static str,
    /// The steps of the trace.
    pub steps: Vec<Step>,
    /// Of each event, its step.
    pub step_of: Vec<Option<usize>>,
}

impl Stages {
    /// Stages of the events of `trace`, whose launches are known.
    #[must_use]
    pub fn of(trace: &Trace, launch: &[Option<usize>], choice: StageChoice, file_name: &str) -> Self {
        let steps = steps(trace);
        let step_of = step_of_events(trace, &steps, launch);
        let known = step_of.iter().any(Option::is_some);
        let (of_event, source) = if choice == StageChoice::All {
            (vec![Stage::All; trace.gpu.len()], "flag")
        } else if known {
            let stage = |step: &Option<usize>| {
                step.map_or(Stage::Unassigned, |step| Stage::Kind(steps[step].text.kind))
            };
            (step_of.iter().map(stage).collect(), "launch")
        } else if let Some(kind) = stage_in_name(file_name) {
            (vec![Stage::Kind(kind); trace.gpu.len()], "file-name")
        } else {
            (vec![Stage::All; trace.gpu.len()], "none")
        };
        Self {
            of_event,
            source,
            steps,
            step_of,
        }
    }

    /// How many steps of a stage launched work.
    #[must_use]
    pub fn count(&self, stage: Stage) -> u64 {
        self.steps_of(stage).len() as u64
    }

    /// Steps of a stage that launched work, as places in [`Self::steps`]; ranges that name the same step twice count once.
    #[must_use]
    pub fn steps_of(&self, stage: Stage) -> Vec<usize> {
        let mut used: Vec<usize> = self
            .step_of
            .iter()
            .zip(&self.of_event)
            .filter(|(_, of)| **of == stage)
            .filter_map(|(step, _)| *step)
            .collect();
        used.sort_unstable();
        used.dedup();
        // The profiler's projection of a step onto the device is the same step again.
        let host = used.iter().any(|step| !self.steps[*step].on_gpu);
        used.retain(|step| !(host && self.steps[*step].on_gpu));
        // A step lies in another when the engine names it on two levels.
        let nested = |inner: &usize| {
            used.iter().any(|outer| {
                outer < inner
                    && self.steps[*outer].on_gpu == self.steps[*inner].on_gpu
                    && self.steps[*outer].end_ns >= self.steps[*inner].end_ns
                    && self.steps[*outer].start_ns <= self.steps[*inner].start_ns
            })
        };
        used.iter().filter(|step| !nested(step)).copied().collect()
    }
}

/// `…-DECODE.trace.json.gz`, as SGLang names its files by stage.
fn stage_in_name(name: &str) -> Option<StepKind> {
    let name = name.to_ascii_lowercase();
    let word = |word: &str| {
        name.split(|character: char| !character.is_ascii_alphanumeric())
            .any(|part| part == word)
    };
    if word("decode") {
        Some(StepKind::Decode)
    } else if word("extend") || word("prefill") {
        Some(StepKind::Prefill)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_says_its_stage_in_whole_words_only() {
        assert_eq!(
            stage_in_name("1775-TP-0-DECODE.trace.json.gz"),
            Some(StepKind::Decode)
        );
        assert_eq!(
            stage_in_name("1775-TP-0-EXTEND.trace.json.gz"),
            Some(StepKind::Prefill)
        );
        assert_eq!(stage_in_name("decoder_v2.json"), None);
    }

    #[test]
    fn every_stage_has_a_number_of_its_own() {
        for (number, stage) in Stage::LIST.iter().enumerate() {
            assert_eq!(stage.number(), number);
        }
    }
}
