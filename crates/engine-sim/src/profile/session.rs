//! What is being recorded: from the start that opens it to the stop, or to the number of steps that was asked for.

use contracts::engine_sim::StepStage;

use super::ask::Ask;
use super::record::{Recording, StepRecord};

/// A recording that is complete, and the stage that its name carries.
#[derive(Debug, PartialEq)]
pub(crate) struct Reached {
    pub(crate) recording: Recording,
    /// `EXTEND` or `DECODE` where the stages have traces of their own.
    pub(crate) stage: Option<&'static str>,
}

/// What was asked for at the start, and the name that it gave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Started {
    pub(crate) ask: Ask,
    /// Begins the file names: when it was asked for.
    pub(crate) id: String,
}

/// The state of the profiler of one server.
#[derive(Debug, Default)]
pub(crate) struct Session {
    open: Option<Open>,
    /// Steps since the server started.
    steps: u64,
}

#[derive(Debug)]
struct Open {
    started: Started,
    parts: Vec<Part>,
}

/// The steps of one file to come.
#[derive(Debug)]
struct Part {
    stage: Option<&'static str>,
    recording: Recording,
    done: bool,
}

impl Session {
    /// Whether something is recorded at the moment; by stages that is from the first step on, as in SGLang.
    pub(crate) fn is_running(&self) -> bool {
        self.open.as_ref().is_some_and(|open| {
            !open.started.ask.by_stage
                || open
                    .parts
                    .iter()
                    .any(|part| !part.done && part.recording.seen() > 0)
        })
    }

    /// Opens a session; whatever was open and has recorded nothing is forgotten.
    pub(crate) fn start(&mut self, mut ask: Ask, id: String) {
        let stages: &[Option<&'static str>] = if ask.by_stage {
            &[Some("EXTEND"), Some("DECODE")]
        } else {
            &[None]
        };
        // SGLang skips to the next step when the one asked for has passed.
        ask.start_step = ask.start_step.map(|step| step.max(self.steps + 1));
        self.open = Some(Open {
            started: Started { ask, id },
            parts: stages.iter().map(|stage| Part::new(*stage)).collect(),
        });
    }

    /// Takes a step; what that completes has to be written.
    pub(crate) fn step(&mut self, step: StepRecord, layers: u64) -> Option<(Started, Reached)> {
        self.steps += 1;
        let open = self.open.as_mut()?;
        let ask = &open.started.ask;
        // The other activities record nothing that lands in a trace.
        if ask.start_step.is_some_and(|first| self.steps < first) || !(ask.cpu || ask.gpu) {
            return None;
        }
        let stage = match step.stage {
            StepStage::Decode => "DECODE",
            StepStage::Prefill | StepStage::Mixed => "EXTEND",
        };
        let steps = ask.steps;
        let mut parts = open.parts.iter_mut();
        let part = parts.find(|part| !part.done && part.stage.is_none_or(|own| own == stage))?;
        part.recording.add(step, layers);
        if steps.is_none_or(|steps| part.recording.seen() < steps) {
            return None;
        }
        part.done = true;
        let reached = part.take();
        let started = open.started.clone();
        if open.parts.iter().all(|part| part.done) {
            self.open = None;
        }
        Some((started, reached))
    }

    /// Ends the session; what it has recorded and not yet written has to be written.
    pub(crate) fn stop(&mut self) -> Option<(Started, Vec<Reached>)> {
        let open = self.open.take()?;
        let whole = !open.started.ask.by_stage;
        let unwritten = |part: &Part| !part.done && (whole || part.recording.seen() > 0);
        let parts = open
            .parts
            .into_iter()
            .filter(unwritten)
            .map(|mut part| part.take());
        Some((open.started, parts.collect()))
    }
}

impl Part {
    fn new(stage: Option<&'static str>) -> Part {
        Part {
            stage,
            recording: Recording::default(),
            done: false,
        }
    }

    fn take(&mut self) -> Reached {
        Reached {
            recording: std::mem::take(&mut self.recording),
            stage: self.stage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Timing;

    fn step(stage: StepStage) -> StepRecord {
        StepRecord {
            stage,
            prefills: 1,
            prefill_tokens: 1,
            decodes: 1,
            timing: Timing::default(),
            graph: false,
        }
    }

    fn ask(steps: Option<u64>, by_stage: bool) -> Ask {
        Ask {
            steps,
            by_stage,
            ..Ask::everything()
        }
    }

    #[test]
    fn counts_to_the_number_that_was_asked_for() {
        let mut session = Session::default();
        assert!(!session.is_running() && session.stop().is_none());
        session.start(ask(Some(2), false), "1".to_owned());
        assert!(session.is_running());
        assert_eq!(session.step(step(StepStage::Prefill), 8), None);
        let (started, reached) = session.step(step(StepStage::Decode), 8).unwrap();
        assert_eq!(
            (started.id.as_str(), reached.stage, reached.recording.steps.len()),
            ("1", None, 2)
        );
        assert!(!session.is_running() && session.stop().is_none());
    }

    #[test]
    fn stages_have_traces_of_their_own() {
        let mut session = Session::default();
        session.start(ask(Some(2), true), "1".to_owned());
        assert!(!session.is_running(), "nothing was computed yet");
        assert_eq!(session.step(step(StepStage::Prefill), 8), None);
        assert!(session.is_running());
        assert_eq!(session.step(step(StepStage::Decode), 8), None);
        let reached = session.step(step(StepStage::Decode), 8).unwrap().1;
        assert_eq!(
            (reached.stage, reached.recording.steps.len()),
            (Some("DECODE"), 2)
        );
        assert_eq!(session.step(step(StepStage::Decode), 8), None, "enough of those");
        let left = session.stop().unwrap().1;
        assert_eq!(left.len(), 1);
        assert_eq!(
            (left[0].stage, left[0].recording.steps.len()),
            (Some("EXTEND"), 1)
        );
    }

    #[test]
    fn without_a_number_the_stop_ends_it() {
        let mut session = Session::default();
        session.step(step(StepStage::Decode), 8);
        let late = Ask {
            start_step: Some(3),
            ..ask(None, false)
        };
        session.start(late, "1".to_owned());
        (0..4).for_each(|_| assert_eq!(session.step(step(StepStage::Decode), 8), None));
        assert_eq!(session.stop().unwrap().1[0].recording.steps.len(), 3);
    }
}
