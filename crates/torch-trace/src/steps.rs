//! The steps of an engine, from the names that it gives to its ranges.
//!
//! - SGLang: `step[DECODE bs=16]`, `step[EXTEND bs=15 toks=15360]`
//! - vLLM: `execute_context_A(tokens…)_generation_B(tokens…)`, in newer builds `execute_TOKENS_context_…`
//!
//! Numbers are read as numbers: with A and B both above zero the step is mixed.

use crate::collect::Trace;
use crate::event::TrackId;

/// What a step computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepKind {
    /// Prompts only.
    Prefill,
    /// One token of each running request.
    Decode,
    /// Both.
    Mixed,
    /// A draft model, or the verification of its tokens.
    Draft,
}

impl StepKind {
    /// Name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::Decode => "decode",
            Self::Mixed => "mixed",
            Self::Draft => "draft",
        }
    }
}

/// What the name of a range says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepText {
    /// What it computes.
    pub kind: StepKind,
    /// Requests in it.
    pub batch: Option<u64>,
    /// Tokens computed in it.
    pub tokens: Option<u64>,
}

/// Reads the name of a range; `None` when it names no step.
#[must_use]
pub fn parse_step(text: &str) -> Option<StepText> {
    if let Some(body) = text.strip_prefix("step[").and_then(|rest| rest.split(']').next()) {
        return sglang(body);
    }
    vllm(text.strip_prefix("execute_")?)
}

fn sglang(body: &str) -> Option<StepText> {
    let mut words = body.split_whitespace();
    let mode = words.next()?;
    let (mut batch, mut tokens) = (None, None);
    for word in words {
        match word.split_once('=') {
            Some(("bs", value)) => batch = value.parse().ok(),
            Some(("toks", value)) => tokens = value.parse().ok(),
            _ => {}
        }
    }
    let kind = kind_of_mode(mode)?;
    let tokens = tokens.or(if kind == StepKind::Decode { batch } else { None });
    Some(StepText { kind, batch, tokens })
}

/// The kind of a step by SGLang's name of its forward mode.
pub(crate) fn kind_of_mode(mode: &str) -> Option<StepKind> {
    Some(match mode {
        "EXTEND" | "PREFILL" | "SPLIT_PREFILL" => StepKind::Prefill,
        "DECODE" => StepKind::Decode,
        "MIXED" => StepKind::Mixed,
        "TARGET_VERIFY" | "DRAFT_EXTEND" | "DRAFT_EXTEND_V2" | "DRAFT" => StepKind::Draft,
        _ => return None,
    })
}

fn vllm(rest: &str) -> Option<StepText> {
    let (total, rest) = match rest.strip_prefix("context_") {
        Some(rest) => (None, rest),
        None => {
            let (total, rest) = rest.split_once("_context_")?;
            (Some(total.parse::<u64>().ok()?), rest)
        }
    };
    let (context, rest) = rest.split_once("_generation_")?;
    let (contexts, context_tokens) = counted(context)?;
    let (generations, generation_tokens) = counted(rest)?;
    let kind = match (contexts, generations) {
        (0, 0) => return None,
        (0, _) => StepKind::Decode,
        (_, 0) => StepKind::Prefill,
        _ => StepKind::Mixed,
    };
    let tokens = total.or_else(|| Some(context_tokens? + generation_tokens?));
    Some(StepText {
        kind,
        batch: contexts.checked_add(generations),
        tokens,
    })
}

/// `9(sq8155sk8430…)` or `1(888_788544)`: how many, and their tokens.
fn counted(text: &str) -> Option<(u64, Option<u64>)> {
    let (count, rest) = text.split_once('(').unwrap_or((text, ""));
    let digits: String = rest
        .trim_start_matches("sq")
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    // Eight digits are more tokens than any step has, and keep the sum of two from overflowing.
    let tokens = digits.parse::<u32>().ok().map(u64::from);
    Some((count.parse::<u32>().ok().map(u64::from)?, tokens))
}

/// A step as a range of host time, or of device time where only that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it computes, and on how much.
    pub text: StepText,
    /// Where the range lies.
    pub track: TrackId,
    /// Start, nanoseconds.
    pub start_ns: i64,
    /// End, nanoseconds.
    pub end_ns: i64,
    /// Whether the range is one of device time.
    pub on_gpu: bool,
}

/// All steps of a trace by start; of ranges that nest or name the same step twice, each.
#[must_use]
pub fn steps(trace: &Trace) -> Vec<Step> {
    let mut steps: Vec<Step> = trace
        .annotations
        .iter()
        .filter_map(|annotation| {
            Some(Step {
                text: parse_step(&trace.names.text(annotation.name))?,
                track: annotation.track,
                start_ns: annotation.start_ns,
                end_ns: annotation.end_ns(),
                on_gpu: annotation.on_gpu,
            })
        })
        .collect();
    steps.sort_by_key(|step| (step.start_ns, -step.end_ns, step.track));
    steps
}

/// The step of each event of [`Trace::gpu`], as a place in `steps`: the one around its launch, else the one that the
/// profiler projected onto the device around its start. Never the nearest.
#[must_use]
pub fn step_of_events(trace: &Trace, steps: &[Step], launches: &[Option<usize>]) -> Vec<Option<usize>> {
    let process = |track: TrackId| trace.tracks[track.index()].pid;
    let host = Ranges::new(steps, false);
    let device = Ranges::new(steps, true);
    trace
        .gpu
        .iter()
        .zip(launches)
        .map(|(event, launch)| {
            let by_launch = launch.and_then(|index| {
                let call = &trace.calls[index];
                host.around(steps, call.start_ns, |step| {
                    process(step.track) == process(call.track)
                })
            });
            by_launch.or_else(|| {
                device.around(steps, event.start_ns, |step| {
                    process(step.track) == process(event.track)
                })
            })
        })
        .collect()
}

/// Steps of one clock, by start.
struct Ranges {
    order: Vec<usize>,
    longest_ns: i64,
}

impl Ranges {
    fn new(steps: &[Step], on_gpu: bool) -> Self {
        let order: Vec<usize> = (0..steps.len())
            .filter(|index| steps[*index].on_gpu == on_gpu)
            .collect();
        let longest_ns = order
            .iter()
            .map(|index| steps[*index].end_ns - steps[*index].start_ns)
            .max()
            .unwrap_or(0);
        Self { order, longest_ns }
    }

    /// The innermost step around `at_ns`.
    fn around(&self, steps: &[Step], at_ns: i64, fits: impl Fn(&Step) -> bool) -> Option<usize> {
        let until = self
            .order
            .partition_point(|index| steps[*index].start_ns <= at_ns);
        self.order[..until]
            .iter()
            .rev()
            .take_while(|index| steps[**index].start_ns >= at_ns - self.longest_ns)
            .find(|index| steps[**index].end_ns > at_ns && fits(&steps[**index]))
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::correlate::launches;
    use crate::test_trace::trace;

    fn step(kind: StepKind, batch: u64, tokens: Option<u64>) -> Option<StepText> {
        Some(StepText {
            kind,
            batch: Some(batch),
            tokens,
        })
    }

    #[test]
    fn the_names_of_both_engines_are_read_as_numbers() {
        assert_eq!(
            parse_step("step[DECODE bs=16]"),
            step(StepKind::Decode, 16, Some(16))
        );
        assert_eq!(
            parse_step("step[EXTEND bs=15 toks=15360]"),
            step(StepKind::Prefill, 15, Some(15360))
        );
        assert_eq!(
            parse_step("execute_context_1(888_788544)_generation_0(0)"),
            step(StepKind::Prefill, 1, Some(888))
        );
        assert_eq!(
            parse_step(
                "execute_8192_context_9(sq8155sk8430sqsq7475785sqsk7671310)_generation_37(sq37sk34489sqsq37sqsk34489)"
            ),
            step(StepKind::Mixed, 46, Some(8192))
        );
        assert_eq!(
            parse_step("execute_32_context_0(sq0sk0)_generation_32(sq32sk32785)"),
            step(StepKind::Decode, 32, Some(32))
        );
        for other in [
            "ProfilerStep#6",
            "nccl:all_reduce",
            "step[IDLE bs=0]",
            "execute_",
            "execute_context_0(0)_generation_0(0)",
        ] {
            assert_eq!(parse_step(other), None, "{other}");
        }
    }

    #[test]
    fn work_belongs_to_the_step_that_launched_it_though_it_runs_later() {
        let trace = trace(
            r#"{"ph":"X","cat":"user_annotation","name":"step[EXTEND bs=1 toks=8]","pid":1,"tid":1,"ts":0,"dur":10},
               {"ph":"X","cat":"user_annotation","name":"step[DECODE bs=1]","pid":1,"tid":1,"ts":20,"dur":10},
               {"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":1,"tid":1,"ts":5,"dur":1,"args":{"correlation":5}},
               {"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":25,"dur":1,"args":{"correlation":5,"stream":7}},
               {"ph":"X","cat":"kernel","name":"lost","pid":0,"tid":7,"ts":50,"dur":1,"args":{"correlation":6,"stream":7}}"#,
        );
        let steps = steps(&trace);
        assert_eq!(step_of_events(&trace, &steps, &launches(&trace)), [Some(0), None]);
    }

    proptest! {
        #[test]
        fn any_name_is_a_step_or_none(text in ".{0,60}", body in "[a-z0-9_()=\\] ]{0,40}") {
            let _ = parse_step(&text);
            let _ = parse_step(&format!("step[{body}"));
            let _ = parse_step(&format!("execute_{body}"));
        }
    }
}
